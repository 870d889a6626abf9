"""The backlog: where a collection waits that is not planned, and how it gets back there.

A position sorts the backlog of a board. Whoever is put at a taken position pushes those behind it along, as far as they
stand without a gap.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from planwerk.actor import Actor
from planwerk.errors import CONFLICT, NOT_FOUND, VALIDATION_FAILED, Fault, refuse
from planwerk.store.changes import Change
from planwerk.store.places import last_position
from planwerk.store.transaction import Row, Transaction

Values = dict[str, Any]

UNPLANNED = {"status": "not_planned", "planning": None, "planned_promised_date": None, "planned_desired_date": None}
BY_HAND = ("ignored", "not_planned")  # the statuses between which an update may move


def begin_in_backlog(tx: Transaction, values: Values) -> None:
    """A new collection waits at the end of its board's backlog."""
    values["status"] = "not_planned"
    values["position"] = last_position(tx, values.get("board_id")) + 1


def status_by_hand(_: Transaction, values: Mapping[str, Any], row: Row | None) -> Iterator[Fault]:
    """An update moves the status between ignored and not_planned only: planned is what planning makes it."""
    status = values.get("status")
    if row is None or status is None or status == row["status"]:
        return
    if status not in BY_HAND or row["status"] not in BY_HAND:
        yield Fault(VALIDATION_FAILED, f"status cannot go from {row['status']} to {status}: plan it, or move it to the backlog", "status")


def board_by_planning(_: Transaction, values: Mapping[str, Any], row: Row | None) -> Iterator[Fault]:
    """A planned collection changes its board by being planned there."""
    if row is not None and "board_id" in values and row["status"] == "planned" and values["board_id"] != row["board_id"]:
        yield Fault(VALIDATION_FAILED, "board_id of a planned collection changes when it is planned on the other board", "board_id")


def keep_position(tx: Transaction, values: Values, row: Row | None) -> None:
    """In another backlog a collection comes last; an ignored one has no place in any."""
    if row is None:
        return
    status, board_id = values.get("status", row["status"]), values.get("board_id", row["board_id"])
    if status == "ignored":
        values["position"] = None
    elif status == "not_planned" and (row["status"] != status or row["board_id"] != board_id):
        values["position"] = last_position(tx, board_id) + 1


def to_backlog(tx: Transaction, actor: Actor, path: Mapping[str, str], given: Mapping[str, Any]) -> Row:  # noqa: ARG001 (see Action)
    """The collection, off its board and at the position given (else last); those that are related come right behind it."""
    collection = collection_of_path(tx, path)
    related = [id for id in given.get("related_collections") or () if id != collection["id"]]
    others = tx.lock("collection", related)
    rows = [collection, *(others[id] for id in related if id in others)]
    positions: Iterator[int] = iter(())
    for row in rows:
        unplan(tx, row)
    if given.get("position") is not None:
        positions = iter(range(given["position"], given["position"] + len(rows)))
    for row in rows:
        move_to(tx, row, next(positions, None))
    return tx.latest(tx.object("collection"), collection)


def unplan(tx: Transaction, collection: Row) -> None:
    """Take the cards of a collection off the board. The time tracked on them stays."""
    described = tx.object("card")
    cards = tx.find(described, collection_id=collection["id"])
    if any(card["locked"] for card in cards):
        raise refuse(CONFLICT, f"a card of {collection['name']} is locked: it must be unlocked first")
    for card in cards:
        tx.delete(described, card)
    tx.update(tx.object("collection"), collection, {**UNPLANNED, "position": None})


def move_to(tx: Transaction, collection: Row, position: int | None) -> None:
    """Put an unplanned collection at a position of its board's backlog; None: at its end."""
    if position is None:
        position = last_position(tx, collection["board_id"]) + 1
    else:
        make_way(tx, collection, position)
    tx.update(tx.object("collection"), collection, {"position": position})


def make_way(tx: Transaction, collection: Row, position: int) -> None:
    """Push along what stands at a position, and behind it without a gap."""
    described, pushed = tx.object("collection"), []
    place = position
    while standing := tx.find(described, board_id=collection["board_id"], status="not_planned", position=place):
        pushed += [row for row in standing if row["id"] != collection["id"]]
        place += 1
    for row in reversed(pushed):
        tx.update(described, row, {"position": row["position"] + 1})


def collection_of_path(tx: Transaction, path: Mapping[str, str]) -> Row:
    """The collection that a path leads to; 404 if it is not there."""
    collection = tx.get(tx.object("collection"), path["collection_id"].lower())
    if collection is None:
        raise refuse(NOT_FOUND, "collection not found")
    return collection


def follow_cards(tx: Transaction, changes: Sequence[Change]) -> None:
    """A collection is planned while it has cards, or while they are being made; without any it is back in the backlog."""
    ids = {value for change in changes if change.moves("collection_id") for value in change.values("collection_id")}
    described, rows = tx.object("collection"), tx.lock("collection", ids)
    owners = {card["collection_id"] for card in tx.among("card", "collection_id", rows)}
    for id, row in rows.items():
        if id in owners and row["status"] == "not_planned":
            tx.update(described, row, {"status": "planned", "position": None, **dates_of_order(tx, row)})
        elif id not in owners and row["status"] == "planned" and row["planning"] is None:
            tx.update(described, row, {**UNPLANNED, "position": last_position(tx, row["board_id"]) + 1})


def dates_of_order(tx: Transaction, collection: Row) -> Values:
    """The order's dates as they are when its collection is planned: the board warns when they change later."""
    order = tx.first(tx.object("order"), collection_id=collection["id"])
    return {f"planned_{name}": order and order[name] for name in ("promised_date", "desired_date")}
