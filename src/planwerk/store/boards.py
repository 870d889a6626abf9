"""What the collection of a new order needs to know, in two steps of an index: the board that takes it, and two names."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from planwerk.fields import load
from planwerk.store.statements import Statement
from planwerk.store.transaction import Transaction

LAST = (
    "SELECT max(position) FROM collection AS c WHERE c.environment_id = {environment} AND c.board_id = b.id"
    " AND c.deleted_at IS NULL AND c.status = 'not_planned'"
)
LIVING = f"SELECT b.id, b.auto_plan, ({LAST}) FROM board AS b WHERE b.environment_id = {{environment}} AND b.deleted_at IS NULL"
NAMED = Statement(f"{LIVING} AND b.id = {{id}}", {})
FIRST = Statement(f"{LIVING} AND b.archived_at IS NULL ORDER BY b.id LIMIT 1", {})
NAME = "(SELECT name FROM {table} WHERE environment_id = {{environment}} AND id = {{{table}}} AND deleted_at IS NULL)"
NAMES = Statement(f"SELECT {NAME.format(table='relation')}, {NAME.format(table='project')}", {})


@dataclass(frozen=True, slots=True)
class BoardOfOrder:
    """A board, the last position of its backlog (-1 if that is empty), and how it plans new orders; None: not by itself."""

    id: str
    last_position: int
    auto_plan: dict[str, Any] | None


def board_of_order(tx: Transaction, board_id: str | None) -> BoardOfOrder | None:
    """The board an order names, else the first that is not archived; None if there is none."""
    found = tx.run_named(NAMED, id=board_id) if board_id else tx.run_named(FIRST)
    if not found:
        return None
    id, auto_plan, position = found[0]
    return BoardOfOrder(id, -1 if position is None else position, load(auto_plan))


def names_of_order(tx: Transaction, order: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """(name of the relation, name of the project) of an order."""
    relation, project = order.get("relation_id"), order.get("project_id")
    if not relation and not project:
        return None, None
    found = tx.run_named(NAMES, relation=relation, project=project)[0]
    return found[0], found[1]
