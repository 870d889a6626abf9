"""The order of the cards on a board, as ranks: where new cards come, and room between any two of them.

Ranks between the same two neighbours grow longer with every card that is put there. Before one gets too long, the cards
around it are spread anew, over twice as many each time that is not enough.
"""

from collections.abc import Mapping
from typing import Any

from planwerk.actor import Actor
from planwerk.errors import NOT_FOUND, VALIDATION_FAILED, refuse
from planwerk.rules.ranks import LONGEST, between, spread
from planwerk.store.places import last_rank, rank_above, rank_below, ranks_around
from planwerk.store.transaction import Row, Transaction

WIDTH = 32  # cards on each side that are spread anew at first
ROOMY = LONGEST // 2  # letters of a rank once its neighbours are spread


def ranks_at_the_end(tx: Transaction, board_id: str, count: int) -> list[str]:
    """Ranks behind every card of the board."""
    last = last_rank(tx, board_id)
    if last is not None and len(last) > LONGEST:
        make_room(tx, board_id, last)
        last = last_rank(tx, board_id)
    ranks: list[str] = []
    for _ in range(count):
        ranks.append(last := between(last, None))
    return ranks


def ranks_beside(tx: Transaction, board_id: str, *, before: str | None, after: str | None, count: int) -> list[str]:
    """Ranks directly before the card `before`, or directly after the card `after`; at the end if neither is on the board."""
    card = tx.first(tx.object("card"), id=before or after)
    if card is None or card["board_id"] != board_id:
        return ranks_at_the_end(tx, board_id, count)
    ranks = fitting_ranks(tx, card, is_before=before is not None, count=count)
    if max(map(len, ranks)) > LONGEST:
        make_room(tx, board_id, card["rank"])
        moved = tx.first(tx.object("card"), id=card["id"])
        assert moved is not None
        ranks = fitting_ranks(tx, moved, is_before=before is not None, count=count)
    return ranks


def fitting_ranks(tx: Transaction, card: Row, *, is_before: bool, count: int) -> list[str]:
    rank, board_id = card["rank"], card["board_id"]
    if is_before:
        if not rank.strip("a"):  # nothing comes before a rank of nothing but `a`
            make_room(tx, board_id, rank)
            rank = tx.latest(tx.object("card"), card)["rank"]
        return spread(count, rank_below(tx, board_id, rank), rank)
    return spread(count, rank, rank_above(tx, board_id, rank))


def make_room(tx: Transaction, board_id: str, rank: str) -> None:
    """Spread the cards around a rank evenly over the room that they have together."""
    width, described = WIDTH, tx.object("card")
    while True:
        around = ranks_around(tx, board_id, rank, width)
        low, high = rank_below(tx, board_id, around[0][1]), rank_above(tx, board_id, around[-1][1])
        ranks = spread(len(around), low, high)
        if max(map(len, ranks)) <= ROOMY or (low is None and high is None):
            break
        width *= 2
    rows = tx.lock("card", [id for id, _ in around])
    for (id, _), new in zip(around, ranks, strict=True):
        tx.update(described, rows[id], {"rank": new})


def rank_card(tx: Transaction, actor: Actor, path: Mapping[str, str], given: Mapping[str, Any]) -> Row:  # noqa: ARG001 (see Action)
    """The card, right before or after another one of its board."""
    card = card_of_path(tx, path)
    name = "before" if given.get("before") else "after"
    other = tx.first(tx.object("card"), id=given[name]) if given.get(name) else None
    if other is None:
        raise refuse(VALIDATION_FAILED, "before or after must name a card", "before")
    if other["board_id"] != card["board_id"] or other["id"] == card["id"]:
        raise refuse(VALIDATION_FAILED, f"{name} must name another card of the same board", name)
    rank = ranks_beside(tx, card["board_id"], before=given.get("before"), after=given.get("after"), count=1)[0]
    return tx.update(tx.object("card"), card, {"rank": rank})


def card_of_path(tx: Transaction, path: Mapping[str, str]) -> Row:
    """The card that a path of a collection leads to; 404 if it is not there."""
    card = tx.get(tx.object("card"), path["card_id"].lower())
    if card is None or card["collection_id"] != path["collection_id"].lower():
        raise refuse(NOT_FOUND, "card not found")
    return card
