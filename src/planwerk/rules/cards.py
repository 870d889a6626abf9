"""What a card is made of: its days, when it was completed, what it may belong to, and who may move it.

Defaults and derived values of a write, the checks before it, and the values that follow from the board's workdays.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from planwerk.errors import CONFLICT, VALIDATION_FAILED, Fault, refuse
from planwerk.rules.ordering import ranks_at_the_end
from planwerk.rules.workdays import Workdays, days_between, workdays_of
from planwerk.store.changes import Change, ids_of
from planwerk.store.places import last_card_position
from planwerk.store.transaction import Row, Transaction

Values = dict[str, Any]

STARTS = ("start_date", "start", "date")  # the property, then its deprecated names
ENDS = ("end_date", "end", "date")
WHEN = ("start_date", "end_date", "start", "end", "date")
FIXED_WHEN_LOCKED = ("start_time", "end_time", "stage_id")


# ── days ──


def dates(start: str | None, end: str | None) -> Values:
    """The properties that hold the days of a card, deprecated names included."""
    return {"start_date": start, "end_date": end, "start": start, "end": end, "date": start}


def days_of(values: Mapping[str, Any], row: Row | None) -> tuple[str | None, str | None]:
    """(first day, last day) that a card has after a write. A card with one day lasts that day; without a first day it has none."""
    start, end = named(STARTS, values, row), named(ENDS, values, row)
    if row is not None and start is None and row["start_date"] is not None and end == row["end_date"]:
        return None, None
    return (start or end), (end or start)


def named(names: Sequence[str], values: Mapping[str, Any], row: Row | None) -> Any:
    """The value of a property that has several names: of those sent, the first that differs from what the row has."""
    for name in names:
        if name in values and values[name] != (row[name] if row else None):
            return values[name]
    return row[names[0]] if row else None


def keep_days(_: Transaction, values: Values, row: Row | None) -> None:
    """All names of the days say the same."""
    if not values.keys().isdisjoint(WHEN):
        values |= dates(*days_of(values, row))


def days_in_order(_: Transaction, values: Mapping[str, Any], row: Row | None) -> Iterator[Fault]:
    """A card ends no earlier than it begins."""
    if values.keys().isdisjoint((*WHEN, "start_time", "end_time")):
        return
    start, end = days_of(values, row)
    if start and end and end < start:
        name = "end_date" if {"end_date", "end"} & values.keys() else "start_date"
        yield Fault(VALIDATION_FAILED, f"the card would end ({end}) before it starts ({start})", name)
    begin, finish = (values.get(name, row[name] if row else None) for name in ("start_time", "end_time"))
    if start and start == end and begin and finish and finish < begin:
        name = "end_time" if "end_time" in values else "start_time"
        yield Fault(VALIDATION_FAILED, f"the card would end ({finish}) before it starts ({begin})", name)


def counted_days(start: str | None, end: str | None, workdays: Workdays) -> Values:
    """days_diff and days_active of a card; null without dates."""
    if not start or not end:
        return {"days_diff": None, "days_active": None}
    return {"days_diff": days_between(start, end), "days_active": workdays.between(start, end)}


# ── what else follows ──


def keep_completion(tx: Transaction, values: Values, row: Row | None) -> None:
    """A card that reaches an exit status is completed now, unless the body says when; one that leaves it no longer is."""
    status_id = values.get("status_id")
    is_moved = "status_id" in values and (row is None or row["status_id"] != status_id)
    if not is_moved or values.get("completed_at") is not None:
        return
    status = tx.first(tx.object("status"), id=status_id) if status_id else None
    is_done = status is not None and bool(status["exit"])
    if is_done or row is not None:
        values["completed_at"] = tx.now if is_done else None


def place_in_order(tx: Transaction, values: Values) -> None:
    """A new card comes last: on its board by rank, in its collection by position."""
    if values.get("rank") is None:
        values["rank"] = ranks_at_the_end(tx, values["board_id"], 1)[0] if values.get("board_id") else "m"
    if values.get("position") is None:
        values["position"] = last_card_position(tx, values["collection_id"]) + 1


# ── what is refused ──


def takes_cards(tx: Transaction, values: Mapping[str, Any], row: Row | None) -> Iterator[Fault]:
    """A collection that is ignored, or whose cards are being made, takes none by hand."""
    if row is not None or not values.get("collection_id"):
        return
    collection = tx.get(tx.object("collection"), values["collection_id"])
    if collection is not None and collection["status"] == "ignored":
        raise refuse(CONFLICT, "the collection is ignored; set its status to not_planned first")
    yield from ()


def stays_where_it_is(tx: Transaction, values: Mapping[str, Any], row: Row | None) -> Iterator[Fault]:  # noqa: ARG001 (see checks)
    """The planning of a locked card does not change."""
    if row is None or not row["locked"]:
        return
    is_moved = days_of(values, row) != (row["start_date"], row["end_date"]) and not values.keys().isdisjoint(WHEN)
    if is_moved or any(name in values and values[name] != row[name] for name in FIXED_WHEN_LOCKED):
        raise refuse(CONFLICT, "the card is locked: its planning cannot be changed until it is unlocked")
    yield from ()


def parent_fits(tx: Transaction, values: Mapping[str, Any], row: Row | None) -> Iterator[Fault]:
    """A sub card belongs to a card of the same collection, and never to itself, however far up."""
    parent_id = values.get("parent_card_id")
    if parent_id is None or (row is not None and row["parent_card_id"] == parent_id):
        return
    collection_id = values.get("collection_id") or (row and row["collection_id"])
    parent = tx.first(tx.object("card"), id=parent_id)
    if parent is None:
        return  # said already: it names no card
    if parent["collection_id"] != collection_id:
        yield Fault(VALIDATION_FAILED, "parent_card_id names a card of another collection", "parent_card_id")
        return
    while parent is not None and row is not None:
        if parent["id"] == row["id"]:
            yield Fault(VALIDATION_FAILED, "parent_card_id would make the card a sub card of itself", "parent_card_id")
            return
        parent = tx.first(tx.object("card"), id=parent["parent_card_id"]) if parent["parent_card_id"] else None


# ── upkeep ──


def keep_counted_days(tx: Transaction, changes: Sequence[Change]) -> None:
    """days_diff and days_active follow from a card's dates and the board's workdays."""
    ids = {change.new["id"] for change in changes if change.name == "card" and change.new and change.moves("start_date", "end_date")}
    boards = {change.new["id"] for change in changes if change.name == "board" and change.new and change.old and change.moves("workdays")}
    rows = list(tx.lock("card", ids | {row["id"] for row in tx.among("card", "board_id", boards)}).values())
    known = {board["id"]: workdays_of(board) for board in tx.among("board", "id", {row["board_id"] for row in rows if row["board_id"]})}
    for row in rows:
        workdays = known.get(row["board_id"]) or Workdays((True,) * 7)
        tx.update(tx.object("card"), row, counted_days(row["start_date"], row["end_date"], workdays))


def free_sub_cards(tx: Transaction, changes: Sequence[Change]) -> None:
    """The sub cards of a card that is gone are cards like others."""
    gone = [change for change in changes if change.new is None]
    for row in tx.among("card", "parent_card_id", ids_of(gone, "id")):
        tx.update(tx.object("card"), row, {"parent_card_id": None})
