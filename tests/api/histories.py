"""What may happen in a workshop, as the rules of a state machine: orders, planning, moves, splits, time, deviations, deletes."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from tests.api.history_bodies import (
    ACTIVITY,
    BESIDE,
    BOARD,
    CARD,
    COLLECTION,
    DEVIATION,
    ENTRY,
    MINUTES,
    MOVE,
    ORDER,
    PART,
    RESOURCE,
    ROW,
    STAGE,
    WISH,
    Json,
    Pick,
    body,
    day,
    nullable,
    pick,
    some,
)
from tests.api.history_workshop import UNKNOWN, Workshop


def there(*kinds: str) -> Callable[[Any], Any]:
    """A rule that needs an object of each of these kinds."""
    return precondition(lambda self: all(self.facts[kind] for kind in kinds))


class Histories(Workshop):
    """Random work in a workshop."""

    # ── orders ──

    @rule(given=ORDER)
    def order(self, given: Json) -> None:
        self.write("POST", "/v1/order", given)

    @rule(order=pick("order"), given=ORDER)
    def change_order(self, order: Pick, given: Json) -> None:
        self.write("PUT", self.path(order), given)

    @there("order")
    @rule(order=pick("order"), number=st.integers(0, 5), given=ROW, is_gone=st.booleans())
    def change_row(self, order: Pick, number: int, given: Json, is_gone: bool) -> None:
        """A row is added, changed or removed."""
        id = self.chosen(order)
        rows = self.facts["order"].get(id, {"order_rows": []})["order_rows"]
        path = f"/v1/order/{id}/row"
        if number >= len(rows):
            self.write("POST", path, given)
        elif is_gone:
            self.write("DELETE", f"{path}/{rows[number]['id']}")
        else:
            self.write("PUT", f"{path}/{rows[number]['id']}", given)

    # ── collections ──

    @rule(given=COLLECTION)
    def collection(self, given: Json) -> None:
        self.write("POST", "/v1/collection", {"name": "lamp", **given})

    @rule(collection=pick("collection"), given=COLLECTION)
    def change_collection(self, collection: Pick, given: Json) -> None:
        if self.write("PUT", self.path(collection), given) is not None and "activities" in given:
            self.memory.activities.add(self.chosen(collection))

    @there("card")
    @rule(
        card=pick("card"),
        given=st.one_of(MOVE, body(collection_id=pick("collection"), parent_card_id=pick("card"))),
        is_alone=st.booleans(),
    )
    def change_cards_inside(self, card: Pick, given: Json, is_alone: bool) -> None:
        """A card is changed inside its collection, and the others go unless they are kept."""
        found = self.card(card)[0]
        cards = {"cards": [{"id": found["id"], **self.on_board(given, found["board_id"])}]}
        self.write("PUT", f"/v1/collection/{found['collection_id']}?update_without_delete_nested={not is_alone}".lower(), cards)

    @rule(collection=pick("collection"), board=pick("board"), wish=WISH, beside=nullable(BESIDE))
    def plan(self, collection: Pick, board: Pick, wish: Json, beside: Json | None) -> None:
        id = self.chosen(board)
        self.write("POST", f"{self.path(collection)}/board/{id}", self.on_board({**wish, **(beside or {})}, id))

    @rule(collection=pick("collection"), wish=WISH)
    def plan_elsewhere(self, collection: Pick, wish: Json) -> None:
        """On a board where the collection is not."""
        found = self.facts["collection"].get(self.chosen(collection), {"board_id": None})
        id = next((other for other in sorted(self.facts["board"]) if other != found["board_id"]), UNKNOWN)
        self.write("POST", f"{self.path(collection)}/board/{id}", self.on_board(wish, id))

    @rule(collection=pick("collection"), given=body(position=st.integers(0, 3), related_collections=some(pick("collection"))))
    def unplan(self, collection: Pick, given: Json) -> None:
        self.write("PUT", f"{self.path(collection)}/backlog", given)

    # ── cards ──

    @rule(collection=pick("collection"), given=CARD)
    def new_card(self, collection: Pick, given: Json) -> None:
        id = self.chosen(collection)
        board_id = self.facts["collection"].get(id, {"board_id": None})["board_id"]
        found = self.write("POST", f"/v1/collection/{id}/card", self.on_board(given, board_id))
        if found is not None and "completed_at" in given:
            self.memory.completed.add(found["id"])

    @there("card")
    @rule(card=pick("card"), given=MOVE)
    def move(self, card: Pick, given: Json) -> None:
        found, path = self.card(card)
        self.write("PUT", path, self.on_board(given, found["board_id"]))

    @there("card")
    @rule(card=pick("card"), given=CARD)
    def change_card(self, card: Pick, given: Json) -> None:
        found, path = self.card(card)
        if self.write("PUT", path, self.on_board(given, found["board_id"])) is not None and "completed_at" in given:
            self.memory.completed.add(found["id"])

    @there("card")
    @rule(card=pick("card"), given=BESIDE)
    def rank(self, card: Pick, given: Json) -> None:
        found, path = self.card(card)
        self.write("PUT", f"{path}/rank", self.on_board(given, found["board_id"]))

    @there("card")
    @rule(card=pick("card"), word=st.sampled_from(("lock", "unlock", "unlock")))
    def lock(self, card: Pick, word: str) -> None:
        self.write("POST", f"{self.path(card)}/{word}")

    @there("card")
    @rule(card=pick("card"), parts=some(PART, 3), is_reversed=st.booleans())
    def split(self, card: Pick, parts: list[Json], is_reversed: bool) -> None:
        self.write("POST", f"{self.path(card)}/split", {"date_parts": parts, "reverse": is_reversed})

    @there("card")
    @rule(card=pick("card"), other=st.one_of(pick("activity"), pick("resource")), time=MINUTES, is_gone=st.booleans())
    def link(self, card: Pick, other: Pick, time: int, is_gone: bool) -> None:
        """An activity or a resource comes to a card, or leaves it."""
        found, path = self.card(card)
        names = {"activity": "activities", "resource": "resources"}
        if is_gone and found.get(names[other.kind]):
            self.write("DELETE", f"{path}/{other.kind}/{found[names[other.kind]][0]['id']}")
        else:
            self.write("PUT", f"{path}/{other.kind}/{self.chosen(other)}", {"time": time} if other.kind == "activity" else {})

    @there("card")
    @rule(card=pick("card"), other=pick("card"), kind=st.sampled_from(("blocks", "blocks", "depends", "related")))
    def relate(self, card: Pick, other: Pick, kind: str) -> None:
        id = self.chosen(card)
        others = [found for found in sorted(self.facts["card"]) if found != id] if other.number % 8 else []
        related = others[other.number % len(others)] if others else other
        self.write("POST", "/v1/card_relation", {"card_id": id, "related_card_id": related, "type": kind})

    # ── time ──

    @there("card")
    @rule(card=pick("card"), given=ENTRY)
    def track(self, card: Pick, given: Json) -> None:
        self.write("POST", "/v1/time_tracking", {"card_id": card, **given})

    @there("time_tracking")
    @rule(entry=pick("time_tracking"), given=ENTRY, is_stopped=st.booleans())
    def change_entry(self, entry: Pick, given: Json, is_stopped: bool) -> None:
        if is_stopped:
            self.write("POST", f"{self.path(entry)}/stop")
        else:
            self.write("PUT", self.path(entry), given)

    # ── calendars and boards ──

    @rule(resource=pick("resource"), number=st.integers(0, 3), given=DEVIATION, is_gone=st.booleans())
    def deviate(self, resource: Pick, number: int, given: Json, is_gone: bool) -> None:
        """A deviation is added, changed or removed."""
        id = self.chosen(resource)
        known = self.facts["resource"].get(id, {"schedule_deviations": []})["schedule_deviations"]
        path = f"/v1/resource/{id}/schedule_deviation"
        if number >= len(known):
            self.write("POST", path, given)
        elif is_gone:
            self.write("DELETE", f"{path}/{known[number]['id']}")
        else:
            self.write("PUT", f"{path}/{known[number]['id']}", given)

    @rule(resource=pick("resource"), given=RESOURCE)
    def change_resource(self, resource: Pick, given: Json) -> None:
        if self.write("PUT", self.path(resource), given) is not None:
            id = self.chosen(resource)
            self.memory.hours = {place for place in self.memory.hours if place[0] != id}

    @rule(resource=pick("resource"), first=st.integers(-7, 28), days=st.sampled_from((0, 1, 6, -1)), work=st.sampled_from((0, 3, 12)))
    def write_hours(self, resource: Pick, first: int, days: int, work: float) -> None:
        """Hours of some days, by hand."""
        given = {"period_start": day(first), "period_end": day(first + days), "schedules": [{"hours_work": work}]}
        if self.write("PUT", f"{self.path(resource)}/schedule", given) is not None:
            self.memory.hours |= {(self.chosen(resource), day(number)) for number in range(first, first + days + 1)}

    @rule(board=pick("board"), given=BOARD)
    def change_board(self, board: Pick, given: Json) -> None:
        """The board's properties; of its statuses, in their order, each gets what is given for it, and the last may go."""
        known = [status for status in self.facts["status"].values() if status["board_id"] == self.chosen(board)]
        changed = given.pop("statuses", None)
        if changed:
            statuses = [{"id": status["id"], **new} for status, new in zip(known, changed, strict=False)]
            given["statuses"] = statuses + [{"name": "new", **new} for new in changed[len(known) :]]
        self.write("PUT", self.path(board), given)

    @rule(stage=pick("stage"), given=STAGE)
    def change_stage(self, stage: Pick, given: Json) -> None:
        self.write("PUT", self.path(stage), given)

    @rule(activity=pick("activity"), given=ACTIVITY)
    def change_activity(self, activity: Pick, given: Json) -> None:
        self.write("PUT", self.path(activity), given)

    # ── anything ──

    @rule(wanted=st.one_of(*map(pick, ("board", "activity", "resource"))), word=st.sampled_from(("archive", "restore", "restore")))
    def archive(self, wanted: Pick, word: str) -> None:
        self.write("POST", f"{self.path(wanted)}/{word}")

    @rule(wanted=st.one_of(*map(pick, ("card", "card", "collection", "collection", "order", "card_relation", "time_tracking"))))
    def delete(self, wanted: Pick) -> None:
        self.write("DELETE", self.path(wanted))

    @rule(wanted=st.one_of(*map(pick, ("stage", "activity", "resource", "board"))), is_meant=st.sampled_from((False, False, True)))
    def delete_much(self, wanted: Pick, is_meant: bool) -> None:
        if is_meant:
            self.write("DELETE", self.path(wanted))
