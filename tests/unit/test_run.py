"""Drafts become rows, whole or not at all; every fault that only the database can show comes in one answer."""

from pathlib import Path
from typing import Any

import pytest
from tests.unit.store.shop import HERE, LABEL, OBJECTS, PART, PERSON, TASK, opened

from planwerk.errors import PRECONDITION_FAILED, Refusal
from planwerk.query.body import parse_draft
from planwerk.run import Manner, match_version, run_create, run_update
from planwerk.store.sqlite import SQLite
from planwerk.store.transaction import Row, Transaction

NOBODY = "8f14e45f-ceea-467f-a8f1-0a0b0c0d0e0f"


class Shop:
    """Writes by bodies, as a handler does."""

    def __init__(self, database: SQLite) -> None:
        self.database = database

    def create(self, body: Any, described: Any = TASK, **given: Any) -> Row:
        draft, _ = parse_draft(described, body, OBJECTS, is_create=True)
        return self.database.write_now(HERE, lambda tx: run_create(tx, draft, given))

    def update(self, row: Row, body: Any, manner: Manner | None = None) -> Row:
        draft, _ = parse_draft(TASK, body, OBJECTS, is_create=False)

        def work(tx: Transaction) -> Row:
            return run_update(tx, draft, tx.get(TASK, row["id"]) or {}, manner or Manner())

        return self.database.write_now(HERE, work)

    def parts(self, row: Row) -> dict[str, Row]:
        return {part["code"]: part for part in self.database.write_now(HERE, lambda tx: tx.find(PART, task_id=row["id"]))}

    def labels(self, row: Row) -> dict[str, int]:
        links = self.database.write_now(HERE, lambda tx: tx.links(TASK.link["labels"], row["id"]))
        return {id: link["priority"] for id, link in links.items()}

    def count(self) -> int:
        return sum(self.database.query(f'SELECT count(*) FROM "{name}"')[0][0] for name in OBJECTS)


@pytest.fixture
def shop(tmp_path: Path) -> Any:
    database = opened(tmp_path)
    yield Shop(database)
    database.close()


def faults(caught: pytest.ExceptionInfo[Refusal]) -> list[tuple[str | None, str]]:
    return [(fault.property, fault.description) for fault in caught.value.faults]


# ── create ──


def test_a_new_object_comes_with_all_that_is_nested_in_it(shop: Shop) -> None:
    label = shop.create({"name": "red"}, LABEL)["id"]
    row = shop.create(
        {
            "name": "table",
            "owner": {"name": "Ada"},
            "parts": [{"code": "leg", "screws": [{}, {}]}, {"code": "top"}],
            "labels": [{"id": label, "priority": 7}],
        }
    )
    [owner] = shop.database.write_now(HERE, lambda tx: tx.find(PERSON))
    assert (row["owner_id"], owner["name"]) == (owner["id"], "Ada")
    assert sorted(shop.parts(row)) == ["leg", "top"]
    assert len(shop.database.query('SELECT 1 FROM "screw"')) == 2
    assert shop.labels(row) == {label: 7}


def test_the_place_gives_values_that_win(shop: Shop) -> None:
    task = shop.create({"name": "table"})
    assert shop.create({"code": "leg"}, PART, task_id=task["id"])["task_id"] == task["id"]


def test_every_id_that_names_nothing_is_told_by_its_place_and_nothing_is_written(shop: Shop) -> None:
    body = {"owner_id": NOBODY, "labels": [NOBODY, {"id": NOBODY}], "parts": [{"code": "a", "task": {"id": NOBODY}}]}
    with pytest.raises(Refusal) as caught:
        shop.create(body)
    assert faults(caught) == [
        ("owner_id", "owner_id names no person"),
        ("labels[0].id", "labels[0].id names no label"),
        ("labels[1].id", "labels[1].id names no label"),
        ("parts[0].task.id", "parts[0].task.id names no task"),
    ]
    assert shop.count() == 0


def test_a_nested_fault_undoes_the_whole(shop: Shop) -> None:
    before = shop.count()
    with pytest.raises(Refusal) as caught:
        shop.create({"name": "table", "parts": [{"code": "leg"}, {"id": NOBODY, "code": "top"}]})
    assert faults(caught) == [("parts[1].id", "parts[1].id may not be given for a new object")]
    assert shop.count() == before


def test_a_duplicate_is_told_by_its_property(shop: Shop) -> None:
    shop.create({"external_ref": "A1"})
    with pytest.raises(Refusal) as caught:
        shop.create({"external_ref": "A1"})
    assert faults(caught)[0][0] == "external_ref"


def test_a_duplicate_inside_is_told_by_its_place(shop: Shop) -> None:
    shop.create({"external_ref": "A1"})
    with pytest.raises(Refusal) as caught:
        shop.create({"code": "leg", "task": {"external_ref": "A1"}}, PART)
    assert faults(caught)[0][0] == "task.external_ref"


# ── update ──


def test_what_is_not_named_stays(shop: Shop) -> None:
    row = shop.create({"name": "table", "kind": "drill", "parts": [{"code": "leg"}]})
    new = shop.update(row, {"is_urgent": True})
    assert (new["name"], new["kind"], new["is_urgent"]) == ("table", "drill", True)
    assert list(shop.parts(row)) == ["leg"]


def test_nested_objects_replace_those_there_are(shop: Shop) -> None:
    row = shop.create({"parts": [{"code": "leg"}, {"code": "top"}]})
    leg = shop.parts(row)["leg"]
    new = shop.update(row, {"parts": [{"id": leg["id"], "position": 3}, {"code": "back"}]})
    found = shop.parts(row)
    assert sorted(found) == ["back", "leg"]
    assert (found["leg"]["id"], found["leg"]["position"]) == (leg["id"], 3)
    assert (new["version"], new["updated_at"]) == (2, row["updated_at"])


def test_nested_objects_are_kept_when_the_caller_says_so(shop: Shop) -> None:
    row = shop.create({"parts": [{"code": "leg"}]})
    shop.update(row, {"parts": [{"code": "top"}]}, Manner(keeps_nested=True))
    assert sorted(shop.parts(row)) == ["leg", "top"]


def test_nested_objects_that_are_equal_change_nothing(shop: Shop) -> None:
    row = shop.create({"name": "table", "parts": [{"code": "leg"}]})
    assert shop.update(row, {"name": "table", "parts": [{"id": shop.parts(row)["leg"]["id"], "code": "leg"}]})["version"] == 1


def test_a_nested_object_of_another_parent_is_refused(shop: Shop) -> None:
    other, row = shop.create({"parts": [{"code": "leg"}]}), shop.create({})
    with pytest.raises(Refusal) as caught:
        shop.update(row, {"parts": [{"id": shop.parts(other)["leg"]["id"]}]})
    assert faults(caught) == [("parts[0].id", "parts[0].id names no part of this task")]


def test_links_are_made_those_that_are_given(shop: Shop) -> None:
    red, blue = (shop.create({"name": name}, LABEL)["id"] for name in ("red", "blue"))
    row = shop.create({"labels": [{"id": red, "priority": 1}]})
    shop.update(row, {"labels": [{"id": blue, "priority": 2}]})
    assert shop.labels(row) == {blue: 2}
    shop.update(row, {"labels": [red]}, Manner(keeps_nested=True))
    assert shop.labels(row) == {blue: 2, red: 1}
    assert shop.update(row, {"labels": []})["version"] == 4
    assert shop.labels(row) == {}


def test_a_related_object_is_linked_made_and_cleared(shop: Shop) -> None:
    ada = shop.create({"name": "Ada"}, PERSON)["id"]
    row = shop.create({})
    assert shop.update(row, {"owner": {"id": ada}})["owner_id"] == ada
    assert shop.update(row, {"owner": {"name": "Bob"}})["owner_id"] not in (ada, None)
    assert shop.update(row, {"owner": None})["owner_id"] is None


def test_of_column_and_nested_object_the_one_that_was_changed_counts(shop: Shop) -> None:
    ada, bob = (shop.create({"name": name}, PERSON)["id"] for name in ("Ada", "Bob"))
    row = shop.create({"owner_id": ada})
    assert shop.update(row, {"owner_id": bob, "owner": {"id": ada}})["owner_id"] == bob
    assert shop.update(row, {"owner_id": bob, "owner": {"id": ada}})["owner_id"] == ada


def test_an_id_that_has_gone_may_be_sent_back_as_it_was_read(shop: Shop) -> None:
    ada = shop.create({"name": "Ada"}, PERSON)
    row = shop.create({"owner_id": ada["id"]})
    shop.database.write_now(HERE, lambda tx: tx.delete(PERSON, ada))
    assert shop.update(row, {"owner_id": ada["id"], "name": "table"})["name"] == "table"


# ── versions ──


@pytest.mark.parametrize("versions", [None, (3,), (1, 3)])
def test_a_version_that_was_seen_may_be_changed(versions: tuple[int, ...] | None) -> None:
    match_version({"version": 3}, versions)


@pytest.mark.parametrize("versions", [(), (2,), (2, 4)])
def test_a_version_that_was_not_seen_may_not(versions: tuple[int, ...]) -> None:
    with pytest.raises(Refusal) as caught:
        match_version({"version": 3}, versions)
    assert caught.value.faults[0].kind is PRECONDITION_FAILED
