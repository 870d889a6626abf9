"""What an object takes from the place where it is put, and what must belong together.

Defaults fill the absent values of a new object; checks yield faults before a write. Each gets the transaction and the values
as the body gives them, and finds other objects by name.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from planwerk.errors import VALIDATION_FAILED, Fault, refuse
from planwerk.fields import load
from planwerk.store.transaction import Row, Transaction

Values = dict[str, Any]


def first_board(tx: Transaction, values: Values) -> None:
    """A collection without a board goes to the backlog of the environment's first board."""
    if values.get("board_id") is None:
        board = tx.first(tx.object("board"), archived_at=None)
        if board is None:
            raise refuse(VALIDATION_FAILED, "board_id is required, for there is no board yet", "board_id")
        values["board_id"] = board["id"]


def place_of_card(tx: Transaction, values: Values) -> None:
    """A card takes the board and name of its collection, the board's entry status and first stage."""
    collection = tx.get(tx.object("collection"), values["collection_id"]) if values.get("collection_id") else None
    if collection is None:
        raise refuse(VALIDATION_FAILED, "collection_id is required", "collection_id")
    board_id = values["board_id"] = collection["board_id"]
    values["name"] = values.get("name") if values.get("name") is not None else collection["name"]
    if values.get("status_id") is None:
        statuses = tx.find(tx.object("status"), order=("priority",), board_id=board_id)
        entry = next((status for status in statuses if status["entry"]), statuses[0] if statuses else None)
        values["status_id"] = entry and entry["id"]
    if values.get("stage_id") is None:
        stage = tx.first(tx.object("stage"), order=("priority",), board_id=board_id)
        values["stage_id"] = stage and stage["id"]


def same_board(tx: Transaction, values: Mapping[str, Any], row: Row | None) -> Iterator[Fault]:
    """The stage and the status of a card are those of its own board, where it stays when its collection moves on."""
    chosen = [
        name for name in ("stage", "status") if values.get(f"{name}_id") and (row is None or row[f"{name}_id"] != values[f"{name}_id"])
    ]
    id = None if row else values.get("collection_id")
    owner = row or (tx.get(tx.object("collection"), id) if chosen and id else None)
    if owner is None:
        return
    for name in chosen:
        found = tx.get(tx.object(name), values[f"{name}_id"])
        if found is not None and found["board_id"] != owner["board_id"]:
            yield Fault(VALIDATION_FAILED, f"{name}_id names a {name} of another board", f"{name}_id")


def stage_keeps_board(tx: Transaction, values: Mapping[str, Any], row: Row | None) -> Iterator[Fault]:
    """A stage that has cards stays on their board."""
    yield from keeps_board(tx, "stage", values, row)


def status_keeps_board(tx: Transaction, values: Mapping[str, Any], row: Row | None) -> Iterator[Fault]:
    """A status that cards are on stays on their board."""
    yield from keeps_board(tx, "status", values, row)


def keeps_board(tx: Transaction, name: str, values: Mapping[str, Any], row: Row | None) -> Iterator[Fault]:
    if row is None or "board_id" not in values or values["board_id"] == row["board_id"]:
        return
    if tx.first(tx.object("card"), **{f"{name}_id": row["id"]}) is not None:
        yield Fault(VALIDATION_FAILED, f"board_id of a {name} cannot change while there are cards on it", "board_id")


def collection_of_card(tx: Transaction, values: Values) -> None:
    """What hangs on a card hangs on the card's collection, too."""
    if values.get("collection_id") is None and values.get("card_id"):
        card = tx.get(tx.object("card"), values["card_id"])
        values["collection_id"] = card and card["collection_id"]


def card_of_collection(tx: Transaction, values: Mapping[str, Any], row: Row | None) -> Iterator[Fault]:
    """The card of a comment, an attachment or a checklist is one of the same collection."""
    card_id = values.get("card_id")
    collection_id = values.get("collection_id") or (row and row["collection_id"])
    card = tx.get(tx.object("card"), card_id) if card_id and collection_id and (row is None or row["card_id"] != card_id) else None
    if card is not None and card["collection_id"] != collection_id:
        yield Fault(VALIDATION_FAILED, "card_id names a card of another collection", "card_id")


def stages_of_boards(tx: Transaction, row: Row, old: Row | None) -> None:  # noqa: ARG001 (every rule that follows a write gets both)
    """A resource's links to boards carry its share of their stages, which are kept as links of their own."""
    links = tx.object("resource").link
    boards, stages = links["boards"], links["stages"]
    wanted = {
        stage["id"]: stage for link in tx.links(boards, row["id"]).values() for stage in load(link["stages"]) or () if stage.get("id")
    }
    known = tx.links(stages, row["id"])
    for id in tx.living("stage", wanted, holds=True) if wanted else ():
        values = {name: wanted[id][name] for name in ("percentage", "active") if wanted[id].get(name) is not None}
        tx.attach(stages, row["id"], id, values, known.get(id))
    for id in set(known) - set(wanted):
        tx.detach(stages, row["id"], id)
