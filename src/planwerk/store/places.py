"""Places in an order: the ranks of a board's cards, the positions of a board's backlog. Each question is one step in an index."""

from planwerk.store.statements import Statement
from planwerk.store.transaction import Transaction

LIVING = "environment_id = {environment} AND board_id = {board} AND deleted_at IS NULL"
LAST_RANK = Statement(f"SELECT max(rank) FROM card WHERE {LIVING}", {})
BELOW = Statement(f"SELECT rank FROM card WHERE {LIVING} AND rank < {{rank}} ORDER BY rank DESC LIMIT 1", {})
ABOVE = Statement(f"SELECT rank FROM card WHERE {LIVING} AND rank > {{rank}} ORDER BY rank LIMIT 1", {})
WINDOW_BELOW = Statement(f"SELECT id, rank FROM card WHERE {LIVING} AND rank <= {{rank}} ORDER BY rank DESC, id DESC LIMIT {{width}}", {})
WINDOW_ABOVE = Statement(f"SELECT id, rank FROM card WHERE {LIVING} AND rank > {{rank}} ORDER BY rank, id LIMIT {{width}}", {})
LAST_POSITION = Statement(f"SELECT max(position) FROM collection WHERE {LIVING} AND status = 'not_planned'", {})
LAST_WITHOUT_BOARD = Statement(LAST_POSITION.text.replace("= {board}", "IS NULL"), {})
LAST_CARD = Statement(
    "SELECT max(position) FROM card WHERE environment_id = {environment} AND collection_id = {collection} AND deleted_at IS NULL", {}
)
NEXT_COLLECTIONS = Statement(
    "SELECT id FROM collection WHERE environment_id = {environment} AND deleted_at IS NULL AND id > {after} ORDER BY id LIMIT {limit}", {}
)


def last_rank(tx: Transaction, board_id: str) -> str | None:
    """The greatest rank on a board."""
    return first(tx, LAST_RANK, board=board_id)


def rank_below(tx: Transaction, board_id: str, rank: str) -> str | None:
    return first(tx, BELOW, board=board_id, rank=rank)


def rank_above(tx: Transaction, board_id: str, rank: str) -> str | None:
    return first(tx, ABOVE, board=board_id, rank=rank)


def ranks_around(tx: Transaction, board_id: str, rank: str, width: int) -> list[tuple[str, str]]:
    """(id, rank) of the cards around a rank, up to `width` on each side, in their order."""
    below = tx.run_named(WINDOW_BELOW, board=board_id, rank=rank, width=width)
    above = tx.run_named(WINDOW_ABOVE, board=board_id, rank=rank, width=width)
    return [(row[0], row[1]) for row in (*reversed(below), *above)]


def last_position(tx: Transaction, board_id: str | None) -> int:
    """The greatest position in a board's backlog, or among the collections without a board; -1 if there are none."""
    found = first(tx, LAST_POSITION, board=board_id) if board_id else first(tx, LAST_WITHOUT_BOARD)
    return -1 if found is None else int(found)


def last_card_position(tx: Transaction, collection_id: str) -> int:
    found = first(tx, LAST_CARD, collection=collection_id)
    return -1 if found is None else int(found)


def collections_after(tx: Transaction, after: str, limit: int) -> list[str]:
    """The ids of the next living collections, in the order of their ids."""
    return [row[0] for row in tx.run_named(NEXT_COLLECTIONS, after=after, limit=limit)]


def first(tx: Transaction, statement: Statement, **values: object) -> str | None:
    found = tx.run_named(statement, **values)
    return found[0][0] if found else None
