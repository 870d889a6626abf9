"""Questions about many collections at once, for the values that follow from their cards."""

from collections.abc import Iterable
from typing import Any

import orjson

from planwerk.store.statements import Statement
from planwerk.store.transaction import Transaction

ASKED = {
    "sqlite": "json_each({ids}) AS asked CROSS",
    "postgresql": "jsonb_array_elements_text(CAST({ids} AS jsonb)) AS asked (value)",
}
TRACKED = (
    "SELECT DISTINCT t.card_id FROM {asked} JOIN time_tracking AS t"
    " ON t.card_id = asked.value AND t.environment_id = {{environment}} AND t.deleted_at IS NULL"
)
VIOLATED = (
    "SELECT DISTINCT asked.value FROM {asked} JOIN card_relation AS t"
    " ON t.{end} = asked.value AND t.environment_id = {{environment}} AND t.deleted_at IS NULL WHERE t.status = 'invalid'"
)
SHARING = (
    "SELECT DISTINCT c.collection_id FROM {asked} JOIN card_resource AS l"
    " ON l.resource_id = asked.value AND l.environment_id = {{environment}}"
    " JOIN card AS c ON c.environment_id = {{environment}} AND c.id = l.card_id AND c.deleted_at IS NULL"
    " WHERE c.start_date <= {{last}} AND coalesce(c.end_date, c.start_date) >= {{first}}"
)


def made(text: str, **words: str) -> dict[str, Statement]:
    return {name: Statement(text.format(asked=asked, **words), {}) for name, asked in ASKED.items()}


TRACKED_CARDS = made(TRACKED)
VIOLATED_FROM, VIOLATED_TO = made(VIOLATED, end="card_id"), made(VIOLATED, end="related_card_id")
SHARING_COLLECTIONS = made(SHARING)


def ask(tx: Transaction, statements: dict[str, Statement], ids: Iterable[str], **values: Any) -> set[str]:
    asked = orjson.dumps(sorted(ids)).decode()
    return {row[0] for row in tx.run_named(statements[tx.statements.dialect.name], ids=asked, **values)}


def tracked_cards(tx: Transaction, ids: Iterable[str]) -> set[str]:
    """Those of the cards on which time is tracked."""
    return ask(tx, TRACKED_CARDS, ids)


def violated_cards(tx: Transaction, ids: Iterable[str]) -> set[str]:
    """Those of the cards that have a dependency which their dates break."""
    listed = list(ids)
    return ask(tx, VIOLATED_FROM, listed) | ask(tx, VIOLATED_TO, listed)


def sharing_collections(tx: Transaction, resource_ids: Iterable[str], first: str, last: str) -> set[str]:
    """The collections that have a card on one of the resources between two days."""
    return ask(tx, SHARING_COLLECTIONS, resource_ids, first=first, last=last)
