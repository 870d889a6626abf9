"""An order and its collection: made with it, kept in step with it, and what becomes of the one when the other goes.

Comes in: a transaction and a new, changed or deleted order (or collection). Goes out: a collection that says what the order
says, except where a person has changed it. Never moves a card: a changed date only warns.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from planwerk.errors import CONFLICT, VALIDATION_FAILED, Refusal
from planwerk.fields import load
from planwerk.rules.backlog import UNPLANNED
from planwerk.rules.order_mapping import (
    FOLLOWING,
    Sources,
    facts_of,
    following_values,
    is_end,
    is_planned_by_itself,
    merged_facts,
    minutes_by_activity,
    planning_day,
)
from planwerk.rules.planning import Wish, start_planning
from planwerk.rules.workdays import workdays_of
from planwerk.store.boards import board_of_order, names_of_order
from planwerk.store.changes import Change
from planwerk.store.places import last_position
from planwerk.store.transaction import Row, Transaction

ACTIVITIES = "activities"  # stands in `edited_properties` where they do not come from the order's rows
ADOPTED = (*FOLLOWING, ACTIVITIES)  # what an order leaves alone in a collection that it has not made

# ── a new order ──


def collection_of_order(tx: Transaction, values: dict[str, Any]) -> None:
    """A new order gets a collection, unless it names one: of that it takes over the facts."""
    if values.get("collection_id") is None:
        values["collection_id"] = make_collection(tx, values)
        return
    collection = tx.get(tx.object("collection"), values["collection_id"])
    if collection is not None:
        tx.update(tx.object("collection"), collection, {**adoption(tx), "meta": meta_of(tx, collection, values)})


def make_collection(tx: Transaction, order: Mapping[str, Any]) -> str:
    """The id of a new collection, last in the backlog of the order's board; without any board it belongs to none."""
    board = board_of_order(tx, order.get("board_id"))
    board_id, last = (board.id, board.last_position) if board else (None, last_position(tx, None))
    values = {
        **following_values(order),
        "source_type": "order",
        "board_id": board_id,
        "position": last + 1,
        "meta": meta_of(tx, None, order),
    }
    id: str = tx.insert(tx.object("collection"), values)["id"]
    if board is not None and is_planned_by_itself(board.auto_plan, order):
        tx.enqueue("collection.auto_plan", key=id, collection_id=id)
    return id


def meta_of(tx: Transaction, collection: Row | None, order: Mapping[str, Any]) -> str | None:
    """The collection's meta, as its column holds it, with the facts of the order."""
    address = tx.first(tx.object("address"), id=order["address_id"]) if order.get("address_id") else None
    sources = Sources(address, *names_of_order(tx, order))
    meta = merged_facts(load(collection["meta"]) if collection else None, facts_of(order, sources))
    stored: str | None = tx.object("collection").field["meta"].store(meta)
    return stored


def adoption(tx: Transaction) -> dict[str, Any]:
    return {"edited_properties": tx.object("collection").field["edited_properties"].store(ADOPTED)}


def follow_order(tx: Transaction, row: Row, old: Row | None) -> None:
    """The rows of a new order give its collection the activities; a collection that an order turns to is adopted."""
    if row["collection_id"] is None:
        return
    described = tx.object("collection")
    if old is None and (minutes := minutes_by_activity(rows_just_made(tx, row), tx.settings.order_day_minutes)):
        collection = tx.get(described, row["collection_id"])
        if collection is not None:
            tx.update(described, collection, activities_of(tx, collection, minutes))
    if old is not None and row["collection_id"] != old["collection_id"]:
        collection = tx.get(described, row["collection_id"])
        if collection is not None:
            tx.update(described, collection, adoption(tx))


# ── a changed order ──


def note_orders(tx: Transaction, changes: Iterable[Change]) -> None:
    """Leave to the background the orders that were changed, or whose rows were; those that were just made are right."""
    changes = list(changes)
    made = {change.row["id"] for change in changes if change.name == "order" and change.old is None}
    gone = {change.row["id"] for change in changes if change.name == "order" and change.new is None}
    changed: set[str] = set()
    for change in changes:
        if change.name == "order_row":
            changed |= change.values("order_id") - (made if change.old is None else set())
        elif change.old is not None and change.row["collection_id"] is not None:
            changed.add(change.row["id"])
    for id in sorted(changed - gone):
        tx.enqueue("order.collection", key=id, order_id=id)


def bring_up_to_date(tx: Transaction, arguments: Mapping[str, str]) -> None:
    """The collection says again what the order says, but for what a person has changed; nothing if one of them is gone."""
    order = tx.get(tx.object("order"), arguments["order_id"])
    described = tx.object("collection")
    collection = tx.get(described, order["collection_id"]) if order and order["collection_id"] else None
    if order is None or collection is None:
        return
    edited = load(collection["edited_properties"])
    values: dict[str, Any] = {name: value for name, value in following_values(order).items() if name not in edited}
    values["meta"] = meta_of(tx, collection, order)
    if collection["status"] == "not_planned":
        values |= activities_of(tx, collection, minutes_of_order(tx, order))
    tx.update(described, collection, values)


def rows_just_made(tx: Transaction, order: Row) -> Iterator[Row]:
    """The rows that came with a new order, without asking the database for them."""
    for change in reversed(tx.changes.log):
        if change.name == "order" and change.row["id"] == order["id"]:
            return
        if change.name == "order_row":
            yield change.row


def minutes_of_order(tx: Transaction, order: Row) -> dict[str, int]:
    """The minutes of each activity that the order's rows name."""
    return minutes_by_activity(tx.among("order_row", "order_id", [order["id"]]), tx.settings.order_day_minutes)


def activities_of(tx: Transaction, collection: Row, minutes: Mapping[str, int]) -> dict[str, Any]:
    """Make the activities that come from the order's rows those that are given, and say which these are.

    Activities that a person has added stay, unless the rows name them, too.
    """
    described = tx.object("collection")
    if ACTIVITIES in load(collection["edited_properties"]):
        return {}
    link = described.link["activities"]
    living = tx.living("activity", minutes, holds=True) if minutes else set()
    wanted = {id: time for id, time in minutes.items() if id in living}
    known = tx.links(link, collection["id"])
    for position, (id, time) in enumerate(wanted.items()):
        tx.attach(link, collection["id"], id, {"position": position, "time": time}, known.get(id))
    for id in load(collection["order_activities"]):
        if id in known and id not in wanted:
            tx.detach(link, collection["id"], id)
    return {"order_activities": described.field["order_activities"].store(list(wanted))}


def note_edits(_: Transaction, values: dict[str, Any], row: Row | None) -> None:
    """What a person changes in the collection of an order is remembered, so that the order leaves it alone."""
    if row is None or row["source_type"] != "order":
        return
    known = load(row["edited_properties"])
    edited = [name for name in FOLLOWING if name in values and values[name] != row[name] and name not in known]
    if edited:
        values["edited_properties"] = [*known, *edited]


# ── deleting ──


def delete_order(tx: Transaction, row: Row) -> None:
    """The order is gone, and the collection that was made from it; a planned one stays as if a person had made it.

    A collection that an order did not make, or that another order follows, is left as it is.
    """
    tx.delete(tx.object("order"), row)
    described = tx.object("collection")
    collection = tx.get(described, row["collection_id"]) if row["collection_id"] else None
    if collection is None or collection["source_type"] != "order":
        return
    if tx.first(tx.object("order"), collection_id=collection["id"]) is not None:
        return
    if collection["status"] == "planned":
        tx.update(described, collection, {"source_type": "custom"})
    else:
        tx.delete(described, collection)


def delete_collection(tx: Transaction, row: Row) -> None:
    """A collection that was made from an order leaves board and backlog, and is ignored; another one is gone."""
    described, card = tx.object("collection"), tx.object("card")
    if row["source_type"] != "order":
        tx.delete(described, row)
        return
    for found in tx.find(card, collection_id=row["id"]):
        tx.delete(card, found)
    tx.update(described, row, {**UNPLANNED, "status": "ignored", "position": None})


def release_orders(tx: Transaction, changes: Iterable[Change]) -> None:
    """The orders of a collection that is gone have none."""
    gone = {change.row["id"] for change in changes if change.new is None}
    concerned = [order["id"] for order in tx.among("order", "collection_id", gone)]
    for order in tx.lock("order", concerned).values():
        if order["collection_id"] in gone:
            tx.update(tx.object("order"), order, {"collection_id": None})


# ── planning by itself ──


def auto_plan(tx: Transaction, arguments: Mapping[str, str]) -> None:
    """Plan the collection of a new order by the day that its board counts from; without that day it stays in the backlog."""
    collection = tx.get(tx.object("collection"), arguments["collection_id"])
    if collection is None or collection["status"] != "not_planned" or collection["board_id"] is None:
        return
    board = tx.first(tx.object("board"), id=collection["board_id"])
    order = tx.first(tx.object("order"), collection_id=collection["id"])
    wanted = load(board["auto_plan"]) if board else None
    if board is None or order is None or wanted is None:
        return
    day = planning_day(wanted, order, collection, workdays_of(board))
    if day is not None:
        plan_if_allowed(tx, collection, board, Wish(start=day, reverse=is_end(wanted), not_before=tx.now[:10]))


def plan_if_allowed(tx: Transaction, collection: Row, board: Row, wish: Wish) -> None:
    """What the board forbids by now is no failure of the job: nobody waits for an answer, and trying again would not help."""
    try:
        start_planning(tx, collection, board, wish)
    except Refusal as refusal:
        if refusal.faults[0].kind not in (CONFLICT, VALIDATION_FAILED):
            raise
