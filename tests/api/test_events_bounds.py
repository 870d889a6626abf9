"""What is told at all, by whom, and to whom: never what did not happen, and to every webhook that wants to know.

To see it fail: let `coalesce` keep what came and went, leave `SILENT` empty, leave the environment or `deleted_at` out of
`WEBHOOKS`, say `started` of every delivery, or the same trigger for everybody.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.api import test_events, test_events_of_collections
from tests.api.eventful import Floor, created, written
from tests.client import MARKER, Client
from tests.server import OBJECTS, Server, quoted
from tests.world import World

from planwerk.actor import Actor
from planwerk.catalog.webhook import EVENT_TYPES
from planwerk.describe import Link
from planwerk.rules import outbox
from planwerk.store.transaction import Transaction

PAGE = Path(__file__).parents[2] / "docs" / "webhooks.md"
SCENARIOS = {**test_events.SCENARIOS, **test_events_of_collections.SCENARIOS}
LABELS = OBJECTS["card"].relation["labels"]


def test_the_scenarios_tell_every_event_there_is() -> None:
    assert {name for _, _, told in SCENARIOS.values() for name, _ in told} == set(EVENT_TYPES)


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_the_example_in_the_docs_is_what_a_scenario_tells(name: str) -> None:
    [line] = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith(f"| `{name}` |")]
    assert line.split("|")[3].strip(" `") in {written(data) for _, _, told in SCENARIOS.values() for event, data in told if event == name}


# ── what the data are ──


def path_of(floor: Floor, name: str, row: dict[str, Any]) -> str:
    """Where the API shows an object that an event is about."""
    if name == "time_tracking":
        return f"/v1/time_tracking/{row['id']}"
    kind = name.rpartition(".")[2]
    inside = f"/card/{row['card_id']}" if kind == "checklist" and row["card_id"] else ""
    return f"/v1/collection/{row['id']}" if kind == "collection" else f"/v1/collection/{row['collection_id']}{inside}/{kind}/{row['id']}"


@pytest.mark.parametrize(
    "scenario", ["a card with what is nested in it", "a checklist of a card", "tracked time", "a comment", "a link to a file"]
)
def test_current_is_what_the_api_shows_behind_the_request(scenario: str, floor: Floor) -> None:
    before, request, _ = SCENARIOS[scenario]
    for step in before:
        step(floor)
    events = floor.listen(request)
    assert events
    for event in events:
        current, owner = event["data"]["current"], event["event"].partition(".")[0]
        kind = "collection.checklist" if event["event"].startswith("collection.checklist") else owner
        shown = floor.api.get(path_of(floor, kind, current))
        assert shown == current, event["event"]
        assert event["data"].get("new") in (None, {}, current) or "updated" in event["event"] or "attached" in event["data"]


def test_a_comment_is_told_with_its_author_as_a_get_of_it_shows_it(floor: Floor) -> None:
    """To see it fail: leave `along` empty in `Plain`."""
    path = f"{floor.collection}/comment"
    events = floor.listen(lambda floor: floor.keep("ready", floor.api.post(path, {"text": "ready", "user_id": floor.ids["Els"]})))
    shown = floor.api.get(f"{path}/{floor.ids['ready']}")
    assert shown["user"]["id"] == floor.ids["Els"]
    assert [(event["event"], event["data"]) for event in events] == [("comment.created", {"new": shown, "old": {}, "current": shown})]
    [renamed] = floor.listen(lambda floor: floor.api.put(f"{path}/{floor.ids['ready']}", {"text": "done"}))
    assert (renamed["data"]["new"], renamed["data"]["current"]) == ({"text": "done"}, floor.api.get(f"{path}/{floor.ids['ready']}"))
    floor.api.delete(f"/v1/user/{floor.ids['Els']}")
    [gone] = floor.listen(lambda floor: floor.api.delete(f"{path}/{floor.ids['ready']}"))
    assert gone["data"]["old"] == gone["data"]["current"] == {**renamed["data"]["current"], "user": None}


# ── what links come to an end ──


def delete(tx: Transaction, kind: str, **equal: Any) -> None:
    tx.delete_many(OBJECTS[kind], tx.find(OBJECTS[kind], **equal))


def label_card(tx: Transaction, id: str) -> None:
    assert isinstance(LABELS, Link)
    for label in tx.find(OBJECTS["label"], name="rush"):
        tx.attach(LABELS, id, label["id"], {})


def test_a_link_is_told_to_end_only_if_its_object_stays_and_it_was_there_before(floor: Floor, world: World) -> None:
    """To see it fail: leave out `not in gone` in `ended_links`."""

    def label_and_delete(tx: Transaction) -> None:
        label_card(tx, floor.ids["steps"])
        delete(tx, "label", name="rush")

    assert floor.hears(lambda floor: write(floor, world, label_and_delete)) == []

    def delete_both(tx: Transaction) -> None:
        for kind in ("label", "card"):
            delete(tx, kind)

    floor.api.put(f"{floor.card}/label/{floor.ids['late']}", expect=204)
    assert [name for name, _ in floor.hears(lambda floor: write(floor, world, delete_both))] == ["card.deleted", "collection.updated"]


def test_the_end_of_many_links_is_told_in_the_order_of_the_cards(floor: Floor, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "AT_ONCE", 3)
    ids = [floor.ids["steps"], *(floor.api.post(f"{floor.collection}/card", {"name": "step"})["id"] for _ in range(9))]

    def label_all(tx: Transaction) -> None:
        for id in reversed(ids):
            label_card(tx, id)

    write(floor, world, label_all)
    events = floor.listen(lambda floor: write(floor, world, lambda tx: delete(tx, "label", name="rush")))
    told = [(event["event"], event["data"]["current"]["id"], event["data"]["detached"]["id"]) for event in events]
    assert told == [("card.label.detached", id, floor.ids["rush"]) for id in ids]


# ── what did not happen ──

REFUSED: dict[str, Callable[[Floor], Any]] = {
    "a fault in the body": lambda floor: floor.api.refused("PUT", floor.card, {"name": "treads", "time": "long"}),
    "a fault in what is nested": lambda floor: floor.api.refused(
        "PUT", floor.card, {"name": "treads", "checklists": [{"id": floor.ids["saw"]}]}
    ),
    "a version that is gone": lambda floor: floor.api.refused("PUT", floor.card, {"name": "treads"}, {"if-match": '"0-nothing"'}),
    "an unknown id": lambda floor: floor.api.refused("DELETE", f"{floor.collection}/card/{floor.ids['saw']}"),
    "a value that is taken": lambda floor: floor.api.refused("POST", "/v1/collection", {"name": "b", "external_ref": "taken"}),
}


@pytest.mark.parametrize("refused", REFUSED)
def test_what_is_refused_is_never_told(refused: str, floor: Floor) -> None:
    floor.api.put(floor.collection, {"external_ref": "taken"})
    assert floor.hears(REFUSED[refused]) == []


def test_a_repeat_with_the_same_key_tells_nothing_twice(floor: Floor) -> None:
    def ask(floor: Floor) -> None:
        assert floor.api.ask("POST", "/v1/collection", {"name": "door"}, {"idempotency-key": "once"}).status == 201

    assert floor.hears(ask) == [created("collection")]
    assert floor.hears(ask) == []


def touch(tx: Transaction, id: str) -> None:
    card = tx.get(OBJECTS["card"], id)
    assert card is not None
    tx.write(OBJECTS["card"], card, {"updated_at": "2999-01-01T00:00:00Z"})


def come_and_go(tx: Transaction, id: str) -> None:
    described, card = OBJECTS["card"], tx.get(OBJECTS["card"], id)
    assert card is not None
    tx.delete(described, tx.insert(described, {"name": "short-lived", "collection_id": card["collection_id"], "rank": "z"}))


def rename_there_and_back(tx: Transaction, id: str) -> None:
    described, card = OBJECTS["card"], tx.get(OBJECTS["card"], id)
    assert card is not None
    tx.update(described, tx.update(described, card, {"name": "for a moment"}), {"name": card["name"]})


def label_on_and_off(tx: Transaction, id: str) -> None:
    assert isinstance(LABELS, Link)
    label = tx.first(OBJECTS["label"], name="rush")
    assert label is not None
    tx.attach(LABELS, id, label["id"], {})
    tx.detach(LABELS, id, label["id"])


def fail(tx: Transaction, id: str) -> None:
    card = tx.get(OBJECTS["card"], id)
    assert card is not None
    tx.update(OBJECTS["card"], card, {"name": "never"})
    raise ArithmeticError


@pytest.mark.parametrize("work", [touch, come_and_go, rename_there_and_back, label_on_and_off, fail])
def test_what_leaves_nothing_behind_is_not_told(work: Callable[..., None], floor: Floor, world: World) -> None:
    def run(floor: Floor) -> None:
        write(floor, world, partial(work, id=floor.ids["steps"]))

    assert floor.hears(run) == []


def write(floor: Floor, world: World, work: Callable[[Transaction], Any]) -> None:
    """A transaction of the server's own, which may fail."""
    try:
        floor.server.database.write_now(world.environment_id, work)
    except ArithmeticError:
        pass


# ── who did it ──


@pytest.mark.parametrize("kind", ["api-key", "oauth", "user", None])
def test_an_event_says_what_kind_of_caller_did_it(kind: str | None, floor: Floor, world: World) -> None:
    def rename(tx: Transaction) -> None:
        tx.actor = Actor(world.environment_id, kind, "credential") if kind else None
        card = tx.get(OBJECTS["card"], floor.ids["steps"])
        tx.update(OBJECTS["card"], card or {}, {"name": "treads"})

    [event] = floor.listen(lambda floor: write(floor, world, rename))
    assert (event["trigger"], event["event"]) == (kind or "system", "card.updated")


def test_what_an_api_key_asks_for_says_so(floor: Floor) -> None:
    events = floor.listen(lambda floor: floor.api.delete(floor.card))
    assert {event["trigger"] for event in events} == {"api-key"}


def test_cards_that_planning_makes_are_made_by_the_system(floor: Floor) -> None:
    def plan(floor: Floor) -> None:
        made = floor.api.post("/v1/collection", {"name": "door", "activities": [{"id": floor.ids["saw"], "time": 60}]})
        floor.api.post(f"/v1/collection/{made['id']}/board/{floor.ids['hall']}", {"force_stages": [floor.ids["sawing"]]}, expect=200)
        floor.server.work()

    triggers: dict[str, set[str]] = {}
    for event in floor.listen(plan):
        triggers.setdefault(event["event"], set()).add(event["trigger"])
    assert triggers["collection.created"] == {"api-key"}
    assert triggers["card.created"] == {"system"}
    assert triggers["collection.updated"] == {"api-key", "system"}


# ── who is told ──


def subscribe(api: Client, *events: str, **values: Any) -> str:
    id: str = api.post("/v1/webhook", {"url": "https://example.com/", "event_types": list(events), **values})["id"]
    return id


def deliveries(api: Client, webhook: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get(f"/v1/webhook/{webhook}/delivery", sort="id")["data"]
    return found


def test_every_webhook_that_wants_an_event_gets_it_once_and_no_other(floor: Floor, server: Server) -> None:
    api, stranger = floor.api, server.tenant()
    wanting = [subscribe(api, "card.updated"), subscribe(api, *EVENT_TYPES)]
    silent = [subscribe(api, "card.created"), subscribe(api), subscribe(api, *EVENT_TYPES, active=False)]
    foreign = subscribe(server.client(stranger), *EVENT_TYPES)
    gone = subscribe(api, *EVENT_TYPES)
    api.delete(f"/v1/webhook/{gone}")
    [event] = floor.listen(lambda floor: api.put(floor.card, {"name": "treads"}))
    for webhook in wanting:
        [delivery] = deliveries(api, webhook)
        assert (delivery["event_id"], delivery["event"], delivery["object_id"]) == (event["id"], "card.updated", floor.ids["steps"])
        assert (delivery["status"], delivery["attempts"], delivery["due_at"]) == ("started", 0, event["created_at"])
    assert [deliveries(api, webhook) for webhook in silent] == [[], [], []]
    for id in (gone, foreign):
        assert not server.database.query(f"SELECT 1 FROM webhook_delivery WHERE webhook_id = {quoted(id)}")


def test_whoever_wants_an_event_when_it_happens_is_told(floor: Floor, world: World) -> None:
    """Twice in each state: a process remembers who wanted the last event, and the database knows who wants this one.

    To see it fail on PostgreSQL: leave `WHERE` out of `recording`, or the second writing out of `record_on_postgresql`.
    """
    api, told = floor.api, 0
    webhook = subscribe(api, "card.updated")
    for state, is_told in (
        ({}, True),
        ({"active": False}, False),
        ({"active": True}, True),
        ({"event_types": ["card.created"]}, False),
        ({"event_types": ["card.created", "card.updated"]}, True),
        ({"url": "https://example.com/another"}, True),
    ):
        api.put(f"/v1/webhook/{webhook}", state)
        for name in ("treads", "risers"):
            api.put(floor.card, {"name": name})
            told += is_told
            assert len(deliveries(api, webhook)) == told
    for delivery in deliveries(api, webhook):
        row = world.server.database.query(f"SELECT * FROM webhook_delivery WHERE id = {quoted(delivery['id'])}")
        [(position,)] = world.server.database.query(f"SELECT position FROM event WHERE id = {quoted(delivery['event_id'])}")
        assert position in row[0]
        assert (delivery["created_at"], delivery["status"], delivery["attempts"]) == (delivery["due_at"], "started", 0)


def test_a_suspended_webhook_is_told_when_it_is_heard_again(floor: Floor, world: World) -> None:
    webhook, until = subscribe(floor.api, "card.updated"), "2999-01-01T00:00:00Z"
    described = OBJECTS["webhook"]
    write(floor, world, lambda tx: tx.update(described, tx.get(described, webhook) or {}, {"disabled_until": until}))
    floor.api.put(floor.card, {"name": "treads"})
    [delivery] = deliveries(floor.api, webhook)
    assert (delivery["status"], delivery["due_at"]) == ("suspended", until)


def test_a_body_is_stored_once_and_is_what_the_feed_shows(floor: Floor, world: World, server: Server) -> None:
    webhook = subscribe(floor.api, *EVENT_TYPES)
    events = floor.listen(test_events.make_whole)
    rows = server.database.query(
        f"SELECT id, body, name FROM event WHERE environment_id = {quoted(world.environment_id)} ORDER BY position DESC LIMIT {len(events)}"
    )
    assert (
        [row[0] for row in reversed(rows)]
        == [event["id"] for event in events]
        == [sent["event_id"] for sent in deliveries(floor.api, webhook)]
    )
    for (_, body, name), event in zip(reversed(rows), events, strict=True):
        told = {key: event[key] for key in ("environment", "trigger", "event", "data")}
        assert (orjson.loads(body), name, event["environment"]) == (told, event["event"], world.environment_id)
    assert [event["position"] for event in events] == sorted({event["position"] for event in events})


def test_many_events_are_written_in_parts_and_in_their_order(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "AT_ONCE", 2)
    webhook = subscribe(floor.api, *EVENT_TYPES)
    _, request, expected = SCENARIOS["a collection with all that is in it goes"]
    assert floor.hears(request) == expected
    assert [sent["event"] for sent in deliveries(floor.api, webhook)] == [name for name, _ in expected]


def test_nothing_is_told_to_another_environment(floor: Floor, other: World) -> None:
    """The client searches every answer for the mark of the other tenant."""
    since = other.client.get("/v1/event", limit=1000)["next"]
    assert MARKER in repr(other.client.get("/v1/event"))
    assert floor.api.get("/v1/event", limit=1000)["data"]
    test_events.remove(floor)
    assert other.client.get("/v1/event", after=since)["data"] == []
