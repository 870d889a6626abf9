"""A card cut into several: each part gets a day and a share of the time; and the lock that keeps a card where it is.

The card itself becomes the first part, so that the time tracked on it, its relations and its id stay; the other parts are
new cards beside it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from planwerk.actor import Actor
from planwerk.errors import CONFLICT, VALIDATION_FAILED, Fault, Refusal, refuse
from planwerk.rules.cards import dates
from planwerk.rules.ordering import card_of_path, ranks_beside
from planwerk.rules.workdays import Workdays, workdays_of
from planwerk.store.places import last_card_position
from planwerk.store.transaction import Row, Transaction

COPIED = ("name", "description", "custom_fields", "parent_card_id", "collection_id", "status_id", "completed_at", "stage_id", "board_id")
LINKS = ("labels", "resources", "followers")  # activities are shared out, not copied

Part = Mapping[str, Any]


def split(tx: Transaction, actor: Actor, path: Mapping[str, str], given: Mapping[str, Any]) -> Row:  # noqa: ARG001 (see Action)
    """The card, as the first of its parts (the last if `reverse`); the other parts lie beside it."""
    card, parts = card_of_path(tx, path), list(given["date_parts"])
    judge(tx, card, parts)
    if given.get("reverse"):
        parts.reverse()
    works = tx.links(tx.object("card").link["activities"], card["id"])
    shares = {id: shared([part["time"] for part in parts], work["time"] or 0) for id, work in works.items()}
    fit(shares, [part["time"] for part in parts])
    ranks = ranks_beside(tx, card["board_id"], before=None, after=card["id"], count=len(parts) - 1) if len(parts) > 1 else []
    position = last_card_position(tx, card["collection_id"])
    copies = [copy(tx, card, {"rank": rank, "position": position + place}) for place, rank in enumerate(ranks, 1)]
    for place, (row, part) in enumerate(zip((card, *copies), parts, strict=True)):
        write_part(tx, row, part, works, {id: minutes[place] for id, minutes in shares.items()})
    return tx.latest(tx.object("card"), card)


def judge(tx: Transaction, card: Row, parts: Sequence[Part]) -> None:
    """Refuse what no card can be: no parts, a closed day, a locked card."""
    if not parts:
        raise refuse(VALIDATION_FAILED, "date_parts must hold at least one part", "date_parts")
    if card["locked"]:
        raise refuse(CONFLICT, "the card is locked: its planning cannot be changed until it is unlocked")
    board = tx.first(tx.object("board"), id=card["board_id"]) if card["board_id"] else None
    workdays = workdays_of(board) if board else Workdays((True,) * 7)
    closed = [place for place, part in enumerate(parts) if not workdays.open(part["date"])]
    if closed:
        places = [f"date_parts[{place}].date" for place in closed]
        raise Refusal(*(Fault(VALIDATION_FAILED, f"{place} is no working day of the board", place) for place in places))


def shared(weights: Sequence[int], minutes: int) -> list[int]:
    """Minutes shared out by weight, in whole minutes that add up; evenly where nothing weighs anything.

    >>> shared([60, 120], 90), shared([1, 1, 1], 100), shared([0, 0], 5)
    ([30, 60], [33, 33, 34], [2, 3])
    """
    total = sum(weights)
    scale, cuts, running = (weights, total, 0) if total else ([1] * len(weights), len(weights), 0)
    found, before = [], 0
    for weight in scale:
        running += weight
        found.append(minutes * running // cuts - before)
        before += found[-1]
    return found


def fit(shares: dict[str, list[int]], times: Sequence[int]) -> None:
    """Make the activities of each part add up to the time that was asked for it; the longest takes the difference."""
    for place, time in enumerate(times if shares else ()):
        wanted = shared([minutes[place] for minutes in shares.values()], time)
        for minutes, share in zip(shares.values(), wanted, strict=True):
            minutes[place] = share


def copy(tx: Transaction, card: Row, values: Mapping[str, Any]) -> Row:
    described = tx.object("card")
    row = tx.insert(described, {**{name: card[name] for name in COPIED}, **values})
    for name in LINKS:
        link = described.link[name]
        for other in tx.links(link, card["id"]):
            tx.attach(link, row["id"], other, {})
    return row


def write_part(tx: Transaction, row: Row, part: Part, works: Mapping[str, Row], minutes: Mapping[str, int]) -> None:
    """One part: its day, its time, and its share of the activities. An activity of which it has no minute is left out."""
    described = tx.object("card")
    link = described.link["activities"]
    known = tx.links(link, row["id"])
    for id, work in works.items():
        if minutes[id] > 0 or not part["time"]:
            tx.attach(link, row["id"], id, {"position": work["position"], "time": minutes[id]}, known.get(id))
        elif id in known:
            tx.detach(link, row["id"], id)
    tx.update(described, row, {**dates(part["date"], part["date"]), "time": part["time"]})


def lock(tx: Transaction, actor: Actor, path: Mapping[str, str], given: Mapping[str, Any]) -> Row:  # noqa: ARG001 (see Action)
    """The card, whose planning does not change until it is unlocked."""
    return tx.update(tx.object("card"), card_of_path(tx, path), {"locked": True})


def unlock(tx: Transaction, actor: Actor, path: Mapping[str, str], given: Mapping[str, Any]) -> Row:  # noqa: ARG001 (see Action)
    return tx.update(tx.object("card"), card_of_path(tx, path), {"locked": False})
