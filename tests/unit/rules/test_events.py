"""Changes → events, without a database: what several changes of one row come to, and what counts as a thing of a card.

To see it fail: keep the last change instead of the first in `coalesce`, count deprecated names as `things`, or leave `SILENT` empty.
"""

from itertools import pairwise
from typing import Any

import orjson
import pytest
from hypothesis import given, strategies as st
from tests.unit.rules.plant import OBJECTS

from planwerk.catalog import ALL
from planwerk.describe import Link, One
from planwerk.rules.event_sources import sources_of
from planwerk.rules.events import coalesce, events_of
from planwerk.rules.feed import inner_parts
from planwerk.store.changes import Change, Row
from planwerk.store.transaction import document_of
from planwerk.store.writes import stored_default

SOURCES = sources_of(tuple(ALL))
LABELS, ACTIVITIES = (OBJECTS["card"].link[name] for name in ("labels", "activities"))
EARLIER, LATER = "2026-03-02T08:00:00Z", "2026-03-02T08:00:01Z"
WORDS = st.sampled_from(("saw", "plane", None))


def row_of(described_name: str, id: str, /, **values: Any) -> Row:
    """A row as the database holds it."""
    described = OBJECTS[described_name]
    row = {field.name: stored_default(field) for field in described.fields} | {"id": id} | values
    return {**row, "document": document_of(described.shown, row)}


def dumped(items: list[dict[str, Any]]) -> str:
    return orjson.dumps(items).decode()


def link_of(link: Link, left: str, right: str, **pivot: Any) -> Row:
    row = {link.table.left: left, link.table.right: right, **{field.name: None for field in link.table.pivot}, **pivot}
    return {**row, "document": "," + document_of(link.table.pivot, row)[1:] if link.table.pivot else ""}


CARDS = st.builds(lambda id, text, time: row_of("card", id, name=text, time=time), st.just("card"), WORDS, st.sampled_from((None, 5)))
CHECKLISTS = st.builds(
    lambda name, items: row_of("checklist", "list", collection_id="work", name=name, items=dumped([{"id": id} for id in items])),
    WORDS,
    st.lists(st.sampled_from("abc"), unique=True),
)
LINKS = st.builds(lambda time: link_of(ACTIVITIES, "card", "saw", time=time), st.sampled_from((None, 5, 6)))
STATES = {
    "card": st.lists(st.none() | CARDS, min_size=2),
    "checklist": st.lists(st.none() | CHECKLISTS, min_size=2),
    "card_activity": st.lists(st.none() | LINKS, min_size=2),
}


def find(name: str, ids: set[str]) -> dict[str, Row]:
    return {id: row_of(name, id) for id in ids}


def told(changes: list[Change]) -> list[Any]:
    return events_of(changes, SOURCES, find)


def chain(name: str, states: list[Row | None]) -> list[Change]:
    """The changes of a row that goes through these states."""
    return [Change(name, old, new) for old, new in pairwise(states) if old is not None or new is not None]


@pytest.mark.parametrize("name", STATES)
@given(data=st.data())
def test_any_number_of_changes_of_a_row_tells_what_the_one_from_first_to_last_tells(name: str, data: st.DataObject) -> None:
    states = data.draw(STATES[name])
    changes = chain(name, states)
    whole = chain(name, [states[0], states[-1]])
    assert told(changes) == told(whole)


@given(states=st.lists(st.tuples(st.sampled_from("ab"), WORDS), min_size=1))
def test_changes_of_several_rows_do_not_touch_each_other(states: list[tuple[str, str | None]]) -> None:
    """However the changes of two cards are mixed, each tells what it tells alone."""
    latest: dict[str, Row] = {id: row_of("card", id, name="first") for id in "ab"}
    changes = []
    for id, name in states:
        new = row_of("card", id, name=name)
        changes.append(Change("card", latest[id], new))
        latest[id] = new
    alone = [event for id in "ab" for event in told([change for change in changes if change.row["id"] == id])]
    assert sorted(told(changes), key=str) == sorted(alone, key=str)


def test_events_come_in_the_order_in_which_their_changes_began() -> None:
    first, second = row_of("card", "b", name="one"), row_of("collection", "a", name="two")
    changes = [Change("card", None, first), Change("collection", None, second), Change("card", first, row_of("card", "b", name="three"))]
    assert [event.name for event in told(changes)] == ["card.created", "collection.created"]
    assert orjson.loads(told(changes)[0].data["new"])["name"] == "three"


@pytest.mark.parametrize("name", ["board", "order", "webhook", "board_resource"])
def test_what_has_no_events_is_passed_over(name: str) -> None:
    assert coalesce([Change(name, None, {"id": "x"})], SOURCES) == []


@pytest.mark.parametrize(
    ("values", "count"),
    [
        ({}, 0),
        ({"updated_at": "2026-03-02T08:00:00Z"}, 0),
        ({"rank": "b", "position": 5, "days_diff": 1, "days_active": 1, "time_remaining": 3, "locked": True}, 0),
        ({"start_date": "2026-03-02", "start": "2026-03-02", "date": "2026-03-02"}, 1),
        ({"start_date": "2026-03-02", "end_date": "2026-03-02"}, 2),
        ({"name": "saw", "time": 5, "updated_at": "2026-03-02T08:00:00Z"}, 2),
    ],
)
def test_a_thing_of_a_card_is_what_a_body_may_set_under_one_name(values: Row, count: int) -> None:
    names = [event.name for event in told([Change("card", row_of("card", "a"), row_of("card", "a", **values))])]
    assert ("card.updated.merged" in names) is (count > 1)


def test_the_moment_of_a_change_stands_in_current_alone() -> None:
    """Whether or not the change before it was in the same second."""
    [event] = told([Change("card", row_of("card", "a", updated_at=EARLIER), row_of("card", "a", name="saw", updated_at=LATER))])
    assert (event.data["new"], event.data["old"]) == ('{"name":"saw"}', '{"name":null}')
    assert orjson.loads(event.data["current"])["updated_at"] == LATER
    before, after = ({"id": "oak", "checked": checked, "updated_at": moment} for checked, moment in ((False, EARLIER), (True, LATER)))
    [event] = told([Change("checklist", *(row_of("checklist", "b", collection_id="c", items=dumped([item])) for item in (before, after)))])
    assert orjson.loads(event.data["updated"]) == after
    assert (event.data["new"], event.data["old"]) == ('{"checked":true}', '{"checked":false}')


def test_what_a_get_shows_without_asking_is_told_along_with_an_object() -> None:
    """And the feed asks whether its reader sees that, too."""
    for plain in SOURCES.plain.values():
        relations = [OBJECTS[plain.name].relation[name] for name in OBJECTS[plain.name].always_with]
        assert all(isinstance(relation, One) and relation.key == "id" for relation in relations), "`along` knows no others"
    [event] = told([Change("comment", None, row_of("comment", "a", user_id="Els"))])
    data = {name: orjson.loads(text) for name, text in event.data.items()}
    assert data["new"] == data["current"]
    assert data["current"]["user"]["id"] == "Els"
    assert set(inner_parts(event.name, data, SOURCES)) == {("user", "Els")}
    [event] = told([Change("comment", None, row_of("comment", "a"))])
    assert orjson.loads(event.data["current"])["user"] is None


def test_a_link_to_what_is_gone_tells_nothing() -> None:
    change = Change("card_label", None, link_of(LABELS, "card", "rush"))
    assert [event.name for event in events_of([change], SOURCES, find)] == ["card.label.attached"]
    assert events_of([change], SOURCES, lambda name, ids: {} if name == "label" else find(name, ids)) == []


def test_a_property_of_a_link_never_has_the_name_of_one_at_its_other_end() -> None:
    """So the two can stand in one JSON object."""
    for sources in SOURCES.linked.values():
        for linked in sources:
            assert not set(linked.pivot.names) & OBJECTS[linked.link.to].field.keys()


def test_nobody_is_asked_for_rows_unless_links_changed() -> None:
    def refuse(name: str, ids: set[str]) -> dict[str, Row]:
        raise AssertionError(name)

    changes = [Change("card", None, row_of("card", "a")), Change("checklist", None, row_of("checklist", "b", collection_id="c"))]
    assert [event.name for event in events_of(changes, SOURCES, refuse)] == ["card.created", "collection.checklist.created"]
