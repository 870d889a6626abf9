"""Everything that follows from cards, made anew for the whole of an environment: after an update that brought new values.

A job for every hundred collections, each of which leaves the next, so that no one holds the database for long.
"""

from collections.abc import Mapping

from planwerk.rules.backlog import UNPLANNED
from planwerk.rules.ordering import ranks_at_the_end
from planwerk.store.changes import Change
from planwerk.store.places import collections_after, last_position
from planwerk.store.transaction import Row, Transaction

BATCH = 100
UNRANKED = "aaa"  # what every card had before ranks were given out


def recount(tx: Transaction, arguments: Mapping[str, str]) -> None:
    """Make right what follows from the cards of the next collections, and leave those behind them to another job."""
    ids = collections_after(tx, arguments.get("after", ""), BATCH)
    if not ids:
        return
    rows = tx.lock("collection", ids)
    cards = [give_rank(tx, card) for card in tx.among("card", "collection_id", rows, order=("position", "id"))]
    owners = {card["collection_id"] for card in cards}
    for row in rows.values():
        give_place(tx, row, has_cards=row["id"] in owners)
    for upkeep in tx.statements.upkeep:
        if "card" in upkeep.watches:
            upkeep.run(tx, [Change("card", None, card) for card in cards])
    tx.enqueue("collection.recount", after=ids[-1])


def give_place(tx: Transaction, collection: Row, *, has_cards: bool) -> None:
    """A collection without cards waits in the backlog, at a place of its own."""
    if not has_cards and collection["status"] != "ignored" and collection["position"] is None:
        values = {**UNPLANNED, "position": last_position(tx, collection["board_id"]) + 1}
        tx.update(tx.object("collection"), collection, values)


def give_rank(tx: Transaction, card: Row) -> Row:
    if card["rank"] != UNRANKED or not card["board_id"]:
        return card
    return tx.update(tx.object("card"), card, {"rank": ranks_at_the_end(tx, card["board_id"], 1)[0]})
