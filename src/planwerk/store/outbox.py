"""The events of an environment, written in the transaction of the change, and read in the order of their positions.

A position is taken when everything else of the transaction is done, so events of one object stand in the order of its changes. On
PostgreSQL a writer holds a shared lock from there to its commit; who reads the feed waits for the writers that are at that
point, so that no event appears later behind one that was read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import orjson

from planwerk.store.statements import Statement
from planwerk.store.tables import EVENT_POSITION
from planwerk.store.transaction import Transaction

LOCK = 7073111  # of events; the second half of the key is the environment
WEBHOOKS = "FROM webhook WHERE environment_id = {environment} AND active AND deleted_at IS NULL"

TAKE_POSITIONS = Statement(
    f"INSERT INTO state (name, value) VALUES ('{EVENT_POSITION}', CAST({{count}} AS TEXT)) ON CONFLICT (name)"
    " DO UPDATE SET value = CAST(CAST(value AS INTEGER) + {count} AS TEXT) RETURNING CAST(value AS INTEGER)",
    {},
)
INSERT = Statement(
    "INSERT INTO event (environment_id, id, position, name, object, object_id, body, created_at)"
    " VALUES ({environment}, {id}, {position}, {name}, {object}, {object_id}, {body}, {now})",
    {},
)
LISTENING = Statement(f"SELECT id, event_types, disabled_until {WEBHOOKS}", {})
RECORD = Statement(  # PostgreSQL: all of it in one round trip; the lock is taken before the first position
    "WITH locked AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared({lock}, hashtext({environment}))),"
    " made AS (INSERT INTO event (environment_id, id, position, name, object, object_id, body, created_at)"
    f" SELECT {{environment}}, e ->> 'id', nextval('{EVENT_POSITION}'), e ->> 'name', e ->> 'object', e ->> 'object_id',"
    " e ->> 'body', {now}"
    " FROM locked, jsonb_array_elements({events}::jsonb) AS e RETURNING id, position)"
    " SELECT coalesce((SELECT jsonb_object_agg(id, position) FROM made), '{}')::text,"
    f" coalesce((SELECT jsonb_agg(jsonb_build_array(id, event_types, disabled_until)) {WEBHOOKS}), '[]')::text",
    {"lock": LOCK},
)
PAGE = Statement(
    "SELECT id, position, name, object, object_id, body, created_at FROM event WHERE environment_id = {environment}"
    " AND position > {after} ORDER BY position LIMIT {limit}",
    {},
)
BODY = Statement("SELECT body FROM event WHERE environment_id = {environment} AND id = {id}", {})
NEWEST = Statement("SELECT coalesce(max(position), 0) FROM event WHERE environment_id = {environment}", {})
WAIT = Statement("SELECT pg_advisory_xact_lock({lock}, hashtext({environment}))", {"lock": LOCK})


class Record(NamedTuple):
    """An event as it is stored. `body` is the JSON text that receivers get."""

    id: str
    name: str
    object: str
    object_id: str
    body: str


class Listener(NamedTuple):
    """An active webhook: which events it wants, and until when it is suspended."""

    id: str
    event_types: frozenset[str]
    disabled_until: str | None


def record_events(tx: Transaction, records: Sequence[Record]) -> tuple[dict[str, int], list[Listener]]:
    """Write events; (their positions by id, the active webhooks of the environment)."""
    if tx.statements.dialect.name == "sqlite":
        positions, found = record_on_sqlite(tx, records), tx.run_named(LISTENING)
    else:
        events = orjson.dumps([record._asdict() for record in records]).decode()
        positions, found = map(orjson.loads, tx.run_named(RECORD, events=events, now=tx.now, lock=LOCK)[0])
    return positions, [Listener(id, words(types), until) for id, types, until in found]


def record_on_sqlite(tx: Transaction, records: Sequence[Record]) -> dict[str, int]:
    last = tx.run_named(TAKE_POSITIONS, count=len(records))[0][0]
    positions = {record.id: last - len(records) + place for place, record in enumerate(records, 1)}
    shared = {"environment": tx.environment_id, "now": tx.now}
    values = [{**shared, **record._asdict(), "position": positions[record.id]} for record in records]
    tx.connection.execute_many(tx.statements.named(INSERT).text, values)
    return positions


@lru_cache(1024)
def words(text: str | None) -> frozenset[str]:
    return frozenset(orjson.loads(text or "[]"))


def event_body(tx: Transaction, id: str) -> str | None:
    """What receivers of an event get; None if it is no longer kept."""
    found = tx.run_named(BODY, id=id)
    return found[0][0] if found else None


@dataclass(frozen=True, slots=True)
class Kept:
    """An event of the feed."""

    id: str
    position: int
    name: str
    object: str
    object_id: str
    body: str
    created_at: str


def read_events(tx: Transaction, after: int, limit: int) -> list[Kept]:
    """The next events behind a position. On PostgreSQL it waits for writers that have taken a position and not yet committed, so
    it needs a transaction in which each statement sees what is committed by then."""
    if tx.statements.dialect.name == "postgresql":
        tx.run_named(WAIT, lock=LOCK)
    return [Kept(*row) for row in tx.run_named(PAGE, after=after, limit=limit)]


def newest_position(tx: Transaction) -> int:
    """The position of the last event; 0 if none is kept."""
    return int(tx.run_named(NEWEST)[0][0])
