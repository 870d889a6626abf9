"""Planning a collection on a board: the request, which is judged and answered at once, and the job that makes its cards.

Which stage gets which of the collection's activities, and from which day, is worked out in `layout`; here stands who may
ask for it, and what is written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from planwerk.actor import Actor
from planwerk.errors import CONFLICT, NOT_FOUND, VALIDATION_FAILED, Fault, Refusal, refuse
from planwerk.rules.backlog import collection_of_path, dates_of_order
from planwerk.rules.cards import counted_days, dates, keep_completion
from planwerk.rules.layout import PlannedCard, Wish, lay_out
from planwerk.rules.ordering import ranks_at_the_end, ranks_beside
from planwerk.rules.workdays import BeyondCalendar, workdays_of
from planwerk.store.places import last_card_position
from planwerk.store.transaction import Row, Transaction

__all__ = ["Wish", "make_cards", "plan_on_board", "start_planning"]


def plan_on_board(tx: Transaction, actor: Actor, path: Mapping[str, str], given: Mapping[str, Any]) -> Row:  # noqa: ARG001 (see Action)
    """The collection, planned; its cards follow at once, after the answer."""
    collection = collection_of_path(tx, path)
    board = tx.get(tx.object("board"), path["board_id"].lower())
    if board is None:
        raise refuse(NOT_FOUND, "board not found")
    return start_planning(tx, collection, board, Wish(**{name: value for name, value in given.items() if value is not None}))


def start_planning(tx: Transaction, collection: Row, board: Row, wish: Wish) -> Row:
    """Judge a wish, take the open cards off the board where the collection was, and leave the making of the new ones to a job.

    Refuses with 409 what the state of the collection or the board forbids, with 422 what does not fit the board.
    """
    judge_state(tx, collection, board)
    judge_wish(tx, board, wish)
    for card in open_cards(tx, collection):
        tx.delete(tx.object("card"), card)
    try:
        lay_out(tx, collection, board, wish)
    except BeyondCalendar:
        raise refuse(VALIDATION_FAILED, "the plan would reach beyond the calendar", "start") from None
    token = tx.new_id()
    tx.enqueue("collection.plan", collection_id=collection["id"], planning=token, wish=asdict(wish))
    planned = {"status": "planned", "position": None, "board_id": board["id"], "planning": token, **dates_of_order(tx, collection)}
    return tx.update(tx.object("collection"), collection, planned)


# ── judging ──


def judge_state(tx: Transaction, collection: Row, board: Row) -> None:
    if collection["status"] == "ignored":
        raise refuse(CONFLICT, "the collection is ignored; set its status to not_planned first")
    if collection["status"] == "planned" and collection["board_id"] == board["id"]:
        raise refuse(CONFLICT, "the collection is planned on this board already; move it to the backlog first")
    if collection["planning"] is not None:
        raise refuse(CONFLICT, "the collection is being planned on another board at this moment")
    if board["archived_at"] is not None:
        raise refuse(CONFLICT, "the board is archived")
    if workdays_of(board).is_closed:
        raise refuse(CONFLICT, "the board has no open weekday")
    if any(card["locked"] for card in open_cards(tx, collection)):
        raise refuse(CONFLICT, "a card of the collection is locked: it must be unlocked first")


def judge_wish(tx: Transaction, board: Row, wish: Wish) -> None:
    """What a wish names belongs to the board."""
    named = [("stage", "stage_id", wish.stage_id), ("status", "status_id", wish.status_id)]
    named += [("stage", f"force_stages[{place}]", id) for place, id in enumerate(wish.force_stages)]
    named += [("card", name, id) for name, id in (("before", wish.before), ("after", wish.after))]
    faults = []
    for name, place, id in named:
        row = tx.first(tx.object(name), id=id) if id else None
        if row is not None and row["board_id"] != board["id"]:
            faults.append(Fault(VALIDATION_FAILED, f"{place} names a {name} of another board", place))
    if faults:
        raise Refusal(*faults)


def open_cards(tx: Transaction, collection: Row) -> list[Row]:
    """The cards that are not on an exit status."""
    cards = tx.find(tx.object("card"), collection_id=collection["id"])
    exits = {row["id"] for row in tx.among("status", "id", {card["status_id"] for card in cards if card["status_id"]}) if row["exit"]}
    return [card for card in cards if card["status_id"] not in exits]


# ── the job ──


def make_cards(tx: Transaction, arguments: Mapping[str, Any]) -> None:
    """The cards of a plan; nothing if the collection is gone, or was moved elsewhere meanwhile."""
    described = tx.object("collection")
    collection = tx.get(described, arguments["collection_id"])
    if collection is None or collection["planning"] != arguments["planning"]:
        return
    board = tx.first(tx.object("board"), id=collection["board_id"])
    wish = Wish(**arguments["wish"])
    if board is not None and not workdays_of(board).is_closed:
        write_cards(tx, collection, board, wish)
    tx.update(described, collection, {"planning": None})


def write_cards(tx: Transaction, collection: Row, board: Row, wish: Wish) -> None:
    planned = lay_out(tx, collection, board, wish)
    status_id = entry_status(tx, board, wish.status_id)
    ranks = ranks_of(tx, board, wish, len(planned))
    position, workdays = last_card_position(tx, collection["id"]) + 1, workdays_of(board)
    for place, (card, rank) in enumerate(zip(planned, ranks, strict=True)):
        values = {
            "name": collection["name"],
            "collection_id": collection["id"],
            "board_id": board["id"],
            "stage_id": card.stage_id,
            "status_id": status_id,
            "rank": rank,
            "position": position + place,
            **dates(card.span.start, card.span.end),
            **counted_days(card.span.start, card.span.end, workdays),
        }
        keep_completion(tx, values, None)
        write_links(tx, tx.insert(tx.object("card"), values), card, resources_of(tx, wish, planned, card))


def write_links(tx: Transaction, row: Row, card: PlannedCard, resources: Sequence[str]) -> None:
    links = tx.object("card").link
    for place, work in enumerate(card.works):
        tx.attach(links["activities"], row["id"], work.activity_id, {"position": place, "time": work.minutes})
    for id in resources:
        tx.attach(links["resources"], row["id"], id, {})


def resources_of(tx: Transaction, wish: Wish, planned: Sequence[PlannedCard], card: PlannedCard) -> list[str]:
    """Those of the wanted resources that can do the card's work; one that can do none of any card's is on all of them."""
    rows = {row["id"]: row for row in tx.among("resource", "id", wish.resources)}
    wanted = [rows[id] for id in wish.resources if id in rows]
    everywhere = {work.resource_type for other in planned for work in other.works}
    here = {work.resource_type for work in card.works}
    return [row["id"] for row in wanted if row["type"] in here or row["type"] not in everywhere]


def entry_status(tx: Transaction, board: Row, wanted: str | None) -> str | None:
    """The wanted status, else the one where the board's cards begin, else its first."""
    statuses = tx.find(tx.object("status"), order=("priority",), board_id=board["id"])
    if wanted and any(status["id"] == wanted for status in statuses):
        return wanted
    entry = next((status for status in statuses if status["entry"]), statuses[0] if statuses else None)
    return entry["id"] if entry else None


def ranks_of(tx: Transaction, board: Row, wish: Wish, count: int) -> list[str]:
    if wish.before or wish.after:
        return ranks_beside(tx, board["id"], before=wish.before, after=None if wish.before else wish.after, count=count)
    return ranks_at_the_end(tx, board["id"], count)
