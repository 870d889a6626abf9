"""Which cards come after which, found in the database: one statement however long the chain of dependencies is.

Comes in: the cards to begin with. Goes out: every dependency that is reached from them, in the direction of time. It never
looks at dates and changes nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import orjson

from planwerk.store.statements import Statement
from planwerk.store.transaction import Transaction

WAYS = (("blocks", "card_id", "related_card_id"), ("depends", "related_card_id", "card_id"))  # type, card before, card after
FIRST = {
    "sqlite": "SELECT value FROM json_each({ids})",
    "postgresql": 'SELECT value COLLATE "C" FROM jsonb_array_elements_text({ids}::jsonb)',
}


def leading_away(kind: str, before: str) -> str:
    return f"r.environment_id = {{environment}} AND r.deleted_at IS NULL AND r.type = '{kind}' AND r.{before} = reached.id"


def step(dialect: str) -> str:
    """The cards right after those reached; PostgreSQL wants to read `reached` once, SQLite goes by an index only if it is read twice."""
    ways = [(after, leading_away(kind, before)) for kind, before, after in WAYS]
    if dialect == "sqlite":
        return " UNION ".join(f"SELECT r.{after} FROM reached CROSS JOIN card_relation AS r WHERE {away}" for after, away in ways)
    both = " UNION ALL ".join(f"SELECT r.{after} AS id FROM card_relation AS r WHERE {away}" for after, away in ways)
    return f"SELECT found.id FROM reached CROSS JOIN LATERAL ({both}) AS found"


def reached_by(dialect: str) -> Statement:
    dependencies = " UNION ALL ".join(
        f"SELECT r.id, r.{before}, r.{after} FROM reached CROSS JOIN card_relation AS r WHERE {leading_away(kind, before)}"
        for kind, before, after in WAYS
    )
    return Statement(f"WITH RECURSIVE reached (id) AS ({FIRST[dialect]} UNION {step(dialect)}) {dependencies}", {})


REACHED = {dialect: reached_by(dialect) for dialect in FIRST}
HOLD = Statement("SELECT pg_advisory_xact_lock(hashtext('card_relation'), hashtext({environment}))", {})


@dataclass(frozen=True, slots=True)
class Dependency:
    """One card must end before another starts, whichever of the two says so; `id` is the relation's."""

    id: str
    before: str
    after: str


def dependencies_from(tx: Transaction, card_ids: Iterable[str]) -> list[Dependency]:
    """Every dependency that leads away from these cards, directly or through others."""
    asked = orjson.dumps(sorted(set(card_ids))).decode()
    rows = tx.run_named(REACHED[tx.statements.dialect.name], ids=asked)
    return sorted((Dependency(*row) for row in rows), key=lambda found: found.id)


def hold_dependencies(tx: Transaction) -> None:
    """Nobody else adds a dependency in this environment until the transaction ends (SQLite has one writer anyway)."""
    if tx.statements.dialect.name == "postgresql":
        tx.run_named(HOLD)
