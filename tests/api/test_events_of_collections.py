"""What requests about everything but cards tell: collections with their parts, and the boards and orders they come from.

To see it fail: let `nested_events` pass over checklists that have a card, tell a checklist as updated for each of its items,
give events to a table that has none, or let `with_ended_links` return the log as it is.
"""

from collections.abc import Callable
from typing import Any

import pytest
from tests.api.eventful import Floor, Heard, created, deleted, item, linked, merged, part, updated, with_pivot

Request = Callable[[Floor], Any]

OWNERS = ("collection", "card")
AN_HOUR = {"time": 60, "time_remaining": 60}  # of a resource
ON_CARD = {"position": None, **AN_HOUR, "time_original": 60}
HOUR = {"position": None, "time": 60, "time_remaining": 60, "time_original": 60, "time_budget": None}
NEW_CHECKLIST = {"name": "in", "items": [{"description": "sand"}, {"description": "wax"}]}
NEW = [part("created", created("checklist")), item("attached", "sand"), item("attached", "wax")]
UNPLANNED = updated("collection", warnings=([], ["not_fully_planned"]))


def put(body: dict[str, Any], **query: Any) -> Request:
    """A PUT of the collection."""
    return lambda floor: floor.api.put(floor.collection, body, **query)


def link(kind: str, name: str, body: Any = b"") -> Request:
    return lambda floor: floor.api.put(f"{floor.collection}/{kind}/{floor.ids[name]}", body, expect=204)


def unlink(kind: str, name: str) -> Request:
    return lambda floor: floor.api.delete(f"{floor.collection}/{kind}/{floor.ids[name]}")


def change(kind: str, name: str, body: dict[str, Any], **query: Any) -> Request:
    return lambda floor: floor.api.put(floor.part(kind, name), body, **query)


def remove(kind: str, name: str) -> Request:
    return lambda floor: floor.api.delete(floor.part(kind, name))


def make(kind: str, body: dict[str, Any]) -> Request:
    return lambda floor: floor.api.post(f"{floor.collection}/{kind}", body)


def items(floor: Floor) -> list[dict[str, str]]:
    return [{"id": found["id"]} for found in floor.api.get(floor.part("checklist", "before"))["items"]]


def check_oak(floor: Floor) -> None:
    oak, glue = items(floor)
    change("checklist", "before", {"items": [{**oak, "checked": True}, glue]})(floor)


def drop_glue_and_rename(floor: Floor) -> None:
    change("checklist", "before", {"name": "after", "items": items(floor)[:1]})(floor)


def swap(floor: Floor) -> None:
    change("checklist", "before", {"items": items(floor)[::-1]})(floor)


def on_the_card(floor: Floor) -> None:
    floor.keep("in", floor.api.post(f"{floor.card}/checklist", NEW_CHECKLIST))


def track(floor: Floor) -> None:
    body = {"card_id": floor.ids["steps"], "start": "2026-03-02T08:00:00Z", "duration": 30}
    floor.keep("half an hour", floor.api.post("/v1/time_tracking", body))


def tracked(method: str, body: Any = b"", expect: int = 200) -> Request:
    return lambda floor: floor.api.value(method, f"/v1/time_tracking/{floor.ids['half an hour']}", body, expect)


def board_with_collections(floor: Floor) -> None:
    floor.api.post("/v1/board", {"name": "yard", "collections": [{"name": "door", "checklists": [NEW_CHECKLIST]}, {"name": "gate"}]})


def order(floor: Floor) -> None:
    floor.keep("1042", floor.api.post("/v1/order", {"code": "1042", "description": "a gate"}))
    floor.keep("gate", {"id": floor.api.get(f"/v1/order/{floor.ids['1042']}")["collection_id"]})


def order_again(floor: Floor) -> None:
    floor.api.put(f"/v1/order/{floor.ids['1042']}", {"description": "a gate of oak"})
    floor.server.work()


def on_both(kind: str, name: str, body: Any = b"") -> Request:
    """Link something to the collection and to its card."""

    def request(floor: Floor) -> None:
        for path in (floor.collection, floor.card):
            floor.api.put(f"{path}/{kind}/{floor.ids[name]}", body, expect=204)

    return request


def resource_at_work(floor: Floor) -> None:
    floor.api.put(floor.card, {"time": 60, "resources": [{"id": floor.ids["Jan"]}]})


def leave_out_rush(floor: Floor) -> None:
    floor.api.put(f"/v1/board/{floor.ids['hall']}", {"labels": [{"id": floor.ids["late"]}]})


def leave_out_labels(floor: Floor) -> None:
    floor.api.put(f"/v1/board/{floor.ids['hall']}", {"labels": []})


def gone(kind: str, name: str) -> Request:
    """The deletion of something that has no events of its own."""
    return lambda floor: floor.api.delete(f"/v1/{kind}/{floor.ids[name]}")


def archive(floor: Floor) -> None:
    for verb in ("archive", "restore"):
        floor.api.post(f"/v1/board/{floor.ids['hall']}/{verb}", expect=200)


# what was done before, what is asked, what is told
SCENARIOS: dict[str, tuple[list[Request], Request, list[Heard]]] = {
    "a collection": ([], lambda floor: floor.api.post("/v1/collection", {"name": "door"}), [created("collection")]),
    "a property of a collection": ([], put({"name": "stair"}), [updated("collection", name=("stairs", "stair"))]),
    "two of them, which have no merged event": (
        [],
        put({"name": "stair", "due_date": "2026-03-02"}),
        [updated("collection", name=("stairs", "stair"), due_date=(None, "2026-03-02"))],
    ),
    "a collection with all that is in it goes": (
        [],
        lambda floor: floor.api.delete(floor.collection),
        [
            deleted("card"),
            part("deleted", deleted("checklist")),
            deleted("comment"),
            deleted("attachment"),
            deleted("collection"),
        ],
    ),
    "a board with collections": (
        [],
        board_with_collections,
        [created("collection"), *NEW, created("collection")],
    ),
    "an order makes its collection": ([], order, [created("collection")]),
    "an order takes its collection along": ([order], order_again, [updated("collection", description=("a gate", "a gate of oak"))]),
    "a board leaves the lists and returns": ([], archive, []),
    "labels of a collection": ([], lambda floor: put({"labels": [floor.ids["rush"]]})(floor), [linked("collection", "label", "attached")]),
    "a label of a collection goes": ([link("label", "rush")], unlink("label", "rush"), [linked("collection", "label", "detached")]),
    "a follower": ([], link("follower", "Els"), [linked("collection", "user", "attached")]),
    "a follower goes": ([link("follower", "Els")], put({"followers": []}), [linked("collection", "user", "detached")]),
    "an activity of a collection": (
        [],
        link("activity", "saw", {"time": 60}),
        [with_pivot("collection", "activity", "attached", shown=HOUR, new=HOUR), UNPLANNED],
    ),
    "a budget of an activity": (
        [link("activity", "saw", {"time": 60})],
        link("activity", "saw", {"time_budget": 90}),
        [
            with_pivot(
                "collection", "activity", "updated", shown={**HOUR, "time_budget": 90}, new={"time_budget": 90}, old={"time_budget": None}
            )
        ],
    ),
    "an activity of a collection goes": (
        [link("activity", "saw", {"time": 60})],
        put({"activities": []}),
        [
            with_pivot("collection", "activity", "detached", shown=HOUR, old=HOUR),
            updated("collection", warnings=(["not_fully_planned"], [])),
        ],
    ),
    "a label that is deleted": ([on_both("label", "rush")], leave_out_rush, [linked(owner, "label", "detached") for owner in OWNERS]),
    "two labels of a card that are deleted": (
        [on_both("label", "rush"), on_both("label", "late")],
        leave_out_labels,
        [*[linked(owner, "label", "detached") for owner in OWNERS] * 2, merged(*[linked("card", "label", "detached")] * 2)],
    ),
    "a user who is deleted": ([link("follower", "Els")], gone("user", "Els"), [linked("collection", "user", "detached")]),
    "a resource that is deleted": (
        [resource_at_work],
        gone("resource", "Jan"),
        [with_pivot("card", "resource", "detached", shown=AN_HOUR, old=AN_HOUR)],
    ),
    "an activity that is deleted": (
        [on_both("activity", "saw", {"time": 60})],
        gone("activity", "saw"),
        [
            with_pivot("collection", "activity", "detached", shown=HOUR, old=HOUR),
            with_pivot("card", "activity", "detached", shown=ON_CARD, old=ON_CARD),
        ],
    ),
    "a board that is deleted with all that is on it": (
        [on_both("label", "rush"), on_both("activity", "saw", {"time": 60})],
        gone("board", "hall"),
        [deleted("card"), part("deleted", deleted("checklist")), deleted("comment"), deleted("attachment"), deleted("collection")],
    ),
    "a checklist of a collection": ([], make("checklist", NEW_CHECKLIST), NEW),
    "a checklist of a card": ([], on_the_card, NEW),
    "a checklist nested in a collection": ([], put({"checklists": [NEW_CHECKLIST]}), NEW),
    "another name of a checklist": (
        [],
        change("checklist", "before", {"name": "after"}),
        [part("updated", updated("checklist", name=("before", "after")))],
    ),
    "an item that is checked": ([], check_oak, [item("updated", "oak", new={"checked": True}, old={"checked": False})]),
    "an item more": (
        [],
        change("checklist", "before", {"items": [{"description": "nails"}]}, update_without_delete_nested="true"),
        [item("attached", "nails")],
    ),
    "an item less, and another name": (
        [],
        drop_glue_and_rename,
        [
            part("updated", updated("checklist", name=("before", "after"), items=(["item oak", "item glue"], ["item oak"]))),
            item("detached", "glue"),
        ],
    ),
    "another order of the items": (
        [],
        swap,
        [part("updated", updated("checklist", items=(["item oak", "item glue"], ["item glue", "item oak"])))],
    ),
    "a checklist goes, and its items with it": ([], remove("checklist", "before"), [part("deleted", deleted("checklist"))]),
    "a comment": ([], make("comment", {"text": "well done"}), [created("comment")]),
    "another text of a comment": ([], change("comment", "hello", {"text": "bye"}), [updated("comment", text=("hello", "bye"))]),
    "a comment goes": ([], remove("comment", "hello"), [deleted("comment")]),
    "a link to a file": ([], make("attachment", {"file": "https://example.com/b.pdf"}), [created("attachment")]),
    "another name of a file": (
        [],
        change("attachment", "plan", {"filename": "the plan.pdf"}),
        [updated("attachment", filename=(None, "the plan.pdf"))],
    ),
    "a file goes": ([], remove("attachment", "plan"), [deleted("attachment")]),
    "tracked time": ([], track, [created("time_tracking"), updated("collection", progress=("open", "partial"))]),
    "other tracked time": ([track], tracked("PUT", {"duration": 45}), [updated("time_tracking", end=("…", "…"), duration=(30, 45))]),
    "tracked time goes": (
        [track],
        tracked("DELETE", expect=204),
        [deleted("time_tracking"), updated("collection", progress=("partial", "open"))],
    ),
}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_request_tells_exactly_what_it_has_changed(scenario: str, floor: Floor) -> None:
    before, request, expected = SCENARIOS[scenario]
    for step in before:
        step(floor)
    assert floor.hears(request) == expected
