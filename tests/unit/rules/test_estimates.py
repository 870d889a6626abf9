"""After any history of links, estimates and tracked time, every number that follows from them is what a plain recount finds.

To see it fail: leave "collection_id" out of `collections_concerned` in `rules/estimates.py`, take "resource" out of `WATCHES`, or
forget `min(left, part.remaining)`.
"""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings, strategies as st
from tests.unit.rules.plant import OBJECTS, Plant

from planwerk.rules.estimates import WATCHES, keep_estimates, shared
from planwerk.store.changes import Change, Row
from planwerk.store.database import Database
from planwerk.store.transaction import Transaction

CARD, COLLECTION, ENTRY = OBJECTS["card"], OBJECTS["collection"], OBJECTS["time_tracking"]
TYPES, STATES = ("machine", "cell", "employee"), ("draft", "pending", "approved", "rejected")
COUNTS = {"collection": 2, "card": 3, "activity": 3, "resource": 3}
Step = tuple[str, int, int, int | None]
MINUTES = st.one_of(st.none(), st.integers(0, 200))
NUMBERS = st.integers(0, 3)


class History:
    """A small plant to which steps happen, and what its links were first estimated at."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.first: dict[tuple[str, str], int] = {}
        self.times: dict[str, int | None] = {}
        self.ids = {name: [str(plant.add(name, name=name)["id"]) for _ in range(COUNTS[name])] for name in ("collection", "resource")}
        self.ids["activity"] = [plant.add("activity", description="work", default_duration=100 + number)["id"] for number in range(3)]
        self.ids["card"] = [plant.add("card", name="card", collection_id=self.ids["collection"][0])["id"] for _ in range(3)]

    def get(self, tx: Transaction, name: str, number: int) -> Row | None:
        ids = self.ids[name]
        return tx.get(OBJECTS[name], ids[number % len(ids)])

    # ── steps: two numbers that choose, and minutes ──

    def link(self, tx: Transaction, owner: str, name: str, numbers: tuple[int, int], pivot: dict[str, Any]) -> None:
        one, other = self.get(tx, owner, numbers[0]), self.get(tx, name, numbers[1])
        if one and other:
            link = OBJECTS[owner].link["activities" if name == "activity" else "resources"]
            tx.attach(link, one["id"], other["id"], pivot, tx.links(link, one["id"]).get(other["id"]))

    def unlink(self, tx: Transaction, owner: str, name: str, numbers: tuple[int, int]) -> None:
        one, other = self.get(tx, owner, numbers[0]), self.get(tx, name, numbers[1])
        link = OBJECTS[owner].link["activities" if name == "activity" else "resources"]
        if one and other and other["id"] in tx.links(link, one["id"]):
            tx.detach(link, one["id"], other["id"])
            self.first.pop((one["id"], other["id"]), None)

    def write(self, tx: Transaction, name: str, number: int, values: dict[str, Any]) -> None:
        row = self.get(tx, name, number)
        if row:
            tx.update(OBJECTS[name], row, values)

    def estimate(self, tx: Transaction, a: int, b: int, minutes: int | None) -> None:
        row = self.get(tx, "card", a)
        if row:
            tx.update(CARD, row, {"time": minutes})
            self.times[row["id"]] = minutes

    def track(self, tx: Transaction, a: int, b: int, minutes: int | None) -> None:
        card = self.get(tx, "card", a)
        if card:
            activity_id = None if b == 3 else self.ids["activity"][b]
            values = {"card_id": card["id"], "activity_id": activity_id, "duration": minutes, "running": minutes is None}
            tx.insert(ENTRY, {**values, "status": STATES[a]})

    def retrack(self, tx: Transaction, a: int, b: int, minutes: int | None) -> None:
        entries = tx.find(ENTRY)
        if entries:
            values = ({"status": STATES[b]}, {"card_id": self.ids["card"][b % 3]}, {"activity_id": self.ids["activity"][b % 3]})
            tx.update(ENTRY, entries[a % len(entries)], {"duration": minutes, "running": minutes is None} if a == 3 else values[a])

    def untrack(self, tx: Transaction, a: int, b: int, minutes: int | None) -> None:
        entries = tx.find(ENTRY)
        if entries:
            tx.delete(ENTRY, entries[a % len(entries)])

    def vanish(self, tx: Transaction, a: int, b: int, minutes: int | None) -> None:
        name = ("card", "activity", "resource", "collection")[a]
        row = self.get(tx, name, b)
        if row and minutes is None:  # seldom, or nothing is left
            tx.delete(OBJECTS[name], row)

    # ── the recount ──

    def judge(self, tx: Transaction) -> None:
        for card in tx.find(CARD):
            self.judge_card(tx, card)
        for collection in tx.find(COLLECTION):
            cards = {card["id"] for card in tx.find(CARD, collection_id=collection["id"])}
            for link, activity in self.parts(tx, "collection", collection["id"]):
                spent = minutes_on(tx, cards, activity["id"])
                self.judge_link(collection["id"], activity["id"], link, spent)

    def judge_card(self, tx: Transaction, card: Row) -> None:
        parts = self.parts(tx, "card", card["id"])
        for link, activity in parts:
            spent = minutes_on(tx, {card["id"]}, activity["id"])
            self.judge_link(card["id"], activity["id"], link, spent)
        own = {activity["id"] for _, activity in parts}
        beside = minutes_of(tx, lambda entry: entry["card_id"] == card["id"] and entry["activity_id"] not in own)
        time = sum(link["time"] for link, _ in parts) if parts else self.times.get(card["id"])
        left = sum(link["time_remaining"] for link, _ in parts) if parts else time
        self.times[card["id"]] = time
        running = [entry for entry in tx.find(ENTRY, card_id=card["id"]) if entry["running"]]
        assert (card["time"], card["time_remaining"]) == (time, None if left is None else max(0, left - beside))
        assert bool(card["time_tracking_running"]) == bool(running)
        self.judge_shares(tx, card, parts)

    def judge_shares(self, tx: Transaction, card: Row, parts: list[tuple[Row, Row]]) -> None:
        resources = {id: row for id in tx.links(CARD.link["resources"], card["id"]) if (row := tx.get(OBJECTS["resource"], id))}
        rows = {id: row for id, row in tx.links(CARD.link["resources"], card["id"]).items() if id in resources}
        work = [(activity["resource_type"], link["time"]) for link, activity in parts] or [("any", card["time"])]
        shares = dict.fromkeys(sorted(rows), 0)
        for kind, minutes in work:
            able = [id for id in shares if resources[id]["type"] == kind] or list(shares)
            for minute in range(minutes or 0) if able else ():
                shares[able[minute % len(able)]] += 1
        times = {id: row["time"] for id, row in rows.items()}
        assert times == (dict.fromkeys(rows) if card["time"] is None else shares)
        if rows:
            assert sum(row["time_remaining"] or 0 for row in rows.values()) == (card["time_remaining"] or 0)
            assert all((row["time_remaining"] or 0) <= (row["time"] or 0) for row in rows.values())

    def judge_link(self, owner: str, activity: str, link: Row, spent: int) -> None:
        assert link["time_remaining"] == max(0, link["time"] - spent)
        assert link["time_original"] == self.first.setdefault((owner, activity), link["time"])

    def parts(self, tx: Transaction, owner: str, id: str) -> list[tuple[Row, Row]]:
        """(link, activity) for each activity that lives."""
        links = tx.links(OBJECTS[owner].link["activities"], id).items()
        return [(link, activity) for other, link in links if (activity := tx.get(OBJECTS["activity"], other))]


def minutes_on(tx: Transaction, cards: set[str], activity: str) -> int:
    return minutes_of(tx, lambda entry: entry["card_id"] in cards and entry["activity_id"] == activity)


def minutes_of(tx: Transaction, fits: Callable[[Row], bool]) -> int:
    return sum(entry["duration"] or 0 for entry in tx.find(ENTRY) if entry["status"] != "rejected" and fits(entry))


STEPS: dict[str, Callable[[History, Transaction, int, int, int | None], None]] = {
    "link": lambda history, tx, a, b, minutes: history.link(tx, "card", "activity", (a, b), {"time": minutes}),
    "link by id": lambda history, tx, a, b, _: history.link(tx, "card", "activity", (a, b), {}),
    "unlink": lambda history, tx, a, b, _: history.unlink(tx, "card", "activity", (a, b)),
    "staff": lambda history, tx, a, b, _: history.link(tx, "card", "resource", (a, b), {}),
    "unstaff": lambda history, tx, a, b, _: history.unlink(tx, "card", "resource", (a, b)),
    "plan": lambda history, tx, a, b, minutes: history.link(tx, "collection", "activity", (a, b), {"time": minutes}),
    "move": lambda history, tx, a, b, _: history.write(tx, "card", a, {"collection_id": history.ids["collection"][b % 2]}),
    "date": lambda history, tx, a, b, _: history.write(tx, "card", a, {"start_date": f"2026-03-0{b + 1}"}),
    "kind": lambda history, tx, a, b, _: history.write(tx, "activity", a, {"resource_type": TYPES[b % 3]}),
    "type": lambda history, tx, a, b, _: history.write(tx, "resource", a, {"type": TYPES[b % 3]}),
    "estimate": History.estimate,
    "track": History.track,
    "retrack": History.retrack,
    "untrack": History.untrack,
    "vanish": History.vanish,
}
TRANSACTION = st.lists(st.tuples(st.sampled_from(list(STEPS)), NUMBERS, NUMBERS, MINUTES), min_size=1, max_size=3)


@settings(max_examples=100, deadline=None)
@given(st.lists(TRANSACTION, min_size=1, max_size=12))
def test_after_any_history_every_number_is_what_a_recount_finds(database: Database, transactions: list[list[Step]]) -> None:
    history = History(Plant(database, str(uuid4())))

    for steps in transactions:
        history.plant.work(partial(take, history, steps))
        history.plant.work(history.judge)


def take(history: History, steps: list[Step], tx: Transaction) -> None:
    for name, a, b, minutes in steps:
        STEPS[name](history, tx, a, b, minutes)


# ── what it costs ──


class Counting:
    """A connection that counts the statements it is asked for."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.count = 0

    def execute(self, text: str, values: Any) -> Any:
        self.count += 1
        return self.connection.execute(text, values)

    def execute_many(self, text: str, values: Any) -> int:
        self.count += 1
        count: int = self.connection.execute_many(text, values)
        return count


def statements_of(plant: Plant, changes: Callable[[Transaction], list[Change]]) -> int:
    """How many statements it takes to keep what some changes concern; nothing may have to be written."""

    def work(tx: Transaction) -> int:
        asked = changes(tx)
        counting = Counting(tx.connection)
        tx.connection = counting
        keep_estimates(tx, asked)
        tx.connection = counting.connection
        return counting.count

    return plant.work(work)


def planned(plant: Plant, number: int) -> list[Row]:
    """Cards with an activity and a resource each."""
    activity, resource = plant.add("activity", default_duration=60), plant.add("resource", name="saw")
    collection = plant.add("collection", name="a table")

    def work(tx: Transaction) -> list[Row]:
        cards = [tx.insert(CARD, {"name": str(place), "collection_id": collection["id"]}) for place in range(number)]
        for card in cards:
            tx.attach(CARD.link["activities"], card["id"], activity["id"], {})
            tx.attach(CARD.link["resources"], card["id"], resource["id"], {})
        return cards

    return plant.work(work)


def test_many_cards_take_as_many_statements_as_one(plant: Plant) -> None:
    cards = planned(plant, 30)
    one = statements_of(plant, lambda tx: [Change("card", None, row) for row in tx.lock("card", [cards[0]["id"]]).values()])
    many = statements_of(plant, lambda tx: [Change("card", None, row) for row in tx.lock("card", [row["id"] for row in cards]).values()])
    assert one == many == 6


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("card", {"start_date": "2026-03-02", "time_remaining": 5}),
        ("activity", {"description": "sawing", "default_duration": 5}),
        ("resource", {"name": "big saw"}),
        ("time_tracking", {"note": "wet wood"}),
        ("card_activity", {"position": 5}),
        ("card_resource", {"time": 5}),
    ],
)
def test_a_change_that_does_not_concern_it_takes_no_statement(name: str, values: dict[str, Any], plant: Plant) -> None:
    tables = plant.database.tables
    table = tables.of[name] if name in tables.of else tables.links[name]
    row = dict.fromkeys(table.c.keys())
    assert name in WATCHES
    assert statements_of(plant, lambda _: [Change(name, row, {**row, **values})]) == 0


@pytest.mark.parametrize(
    ("work", "types", "shares"),
    [
        ([("machine", 7)], {"b": "machine", "a": "machine", "c": "machine"}, {"a": 3, "b": 2, "c": 2}),
        ([("machine", 2)], {"a": "machine", "b": "machine", "c": "machine"}, {"a": 1, "b": 1, "c": 0}),
        ([("machine", 5)], {"a": "employee", "b": "cell"}, {"a": 3, "b": 2}),
        ([("machine", 5), ("machine", 5)], {"a": "machine", "b": "machine"}, {"a": 6, "b": 4}),
        ([("machine", 2**53 - 1)] * 2, {"a": "machine"}, {"a": 2**53 - 1}),
        ([("machine", 5)], {}, {}),
    ],
)
def test_the_first_resources_get_what_cannot_be_shared(work: list[tuple[str, int]], types: dict[str, str], shares: dict[str, int]) -> None:
    assert shared(work, types) == shares
