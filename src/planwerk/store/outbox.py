"""The events of an environment, written in the transaction of the change, and read in the order of their positions.

A position is taken when everything else of the transaction is done, so events of one object stand in the order of its changes. On
PostgreSQL a writer holds a shared lock from there to its commit; who reads the feed waits for the writers that are at that
point, so that no event appears later behind one that was read.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

import orjson

from planwerk.store.database import Database
from planwerk.store.statements import Statement
from planwerk.store.tables import EVENT_POSITION
from planwerk.store.transaction import Row, Transaction

Result = TypeVar("Result")

LOCK = 7073111  # of events; the second half of the key is the environment
REMEMBERED = 4096  # environments of which a process remembers the active webhooks
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
RECORD = (  # PostgreSQL: all of it in one round trip; the lock is taken before the first position
    "WITH locked AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared({lock}, hashtext({environment}))), listening AS MATERIALIZED"
    f" (SELECT coalesce(jsonb_agg(jsonb_build_array(id, event_types, disabled_until) ORDER BY id), '[]')::text AS webhooks {WEBHOOKS}),"
    " made AS (INSERT INTO event (environment_id, id, position, name, object, object_id, body, created_at)"
    f" SELECT {{environment}}, e ->> 'id', nextval('{EVENT_POSITION}'), e ->> 'name', e ->> 'object', e ->> 'object_id',"
    " e ->> 'body', {now}"
    " FROM locked, jsonb_array_elements({events}::jsonb) AS e RETURNING id, position)"
)
FOUND = " SELECT coalesce((SELECT jsonb_object_agg(id, position) FROM made), '{}')::text, webhooks FROM listening"
RECORD_ALONE = Statement(RECORD + FOUND, {"lock": LOCK})
PAGE = Statement(
    "SELECT id, position, name, object, object_id, body, created_at FROM event WHERE environment_id = {environment}"
    " AND position > {after} ORDER BY position LIMIT {limit}",
    {},
)
BODY = Statement("SELECT body FROM event WHERE environment_id = {environment} AND id = {id}", {})
LAST = {  # that was given out, also to an event that is not committed yet, or kept no more; a sequence never goes back
    "sqlite": Statement(f"SELECT coalesce(max(CAST(value AS INTEGER)), 0) FROM state WHERE name = '{EVENT_POSITION}'", {}),
    "postgresql": Statement(f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {EVENT_POSITION}", {}),
}
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


Wanted = Callable[[Sequence[Listener]], list[dict[str, Any]]]  # the active webhooks → the deliveries of the events to them


def record_events(tx: Transaction, records: Sequence[Record], wanted: Wanted) -> list[Row]:
    """Write events and the deliveries that are wanted; the rows of these. Each gets the position of its event."""
    if tx.statements.dialect.name == "postgresql":
        return record_on_postgresql(tx, records, wanted)
    positions = record_on_sqlite(tx, records)
    return insert_deliveries(tx, wanted([Listener(id, words(types), until) for id, types, until in tx.run_named(LISTENING)]), positions)


def insert_deliveries(tx: Transaction, deliveries: Sequence[Mapping[str, Any]], positions: Mapping[str, int]) -> list[Row]:
    placed = ({**values, "position": positions[values["event_id"]]} for values in deliveries)
    return tx.insert_many(tx.object("webhook_delivery"), placed) if deliveries else []


def record_on_postgresql(tx: Transaction, records: Sequence[Record], wanted: Wanted) -> list[Row]:
    """The deliveries go along with the events, as the webhooks that were found last want them. If others are found, the statement
    leaves them out, and they are written after it."""
    described, guess = tx.object("webhook_delivery"), tx.statements.webhooks.get(tx.environment_id, "[]")
    rows = [tx.new_row(described, values) for values in wanted(listeners_in(guess))]
    statement = recording(tx.statements.columns(described.name)) if rows else RECORD_ALONE
    along = {"deliveries": orjson.dumps(rows).decode(), "guess": guess} if rows else {}
    events = orjson.dumps([record._asdict() for record in records]).decode()
    places, found = tx.run_named(statement, events=events, now=tx.now, lock=LOCK, **along)[0]
    positions: dict[str, int] = orjson.loads(places)
    if found != guess:
        remember(tx.statements.webhooks, tx.environment_id, found)
        return insert_deliveries(tx, wanted(listeners_in(found)), positions)
    placed = [{**row, "position": positions[row["event_id"]]} for row in rows]
    tx.note_inserted(described, placed)
    return placed


def remember(webhooks: dict[str, str], environment_id: str, found: str) -> None:
    if len(webhooks) >= REMEMBERED:
        webhooks.clear()
    webhooks[environment_id] = found


@lru_cache
def recording(columns: tuple[str, ...]) -> Statement:
    """The statement that writes events along with deliveries, if exactly the webhooks of `guess` are active."""
    shown = ", ".join("made.position" if name == "position" else f"d.{name}" for name in columns)
    return Statement(
        f"{RECORD}, sent AS (INSERT INTO webhook_delivery ({', '.join(columns)}) SELECT {shown} FROM listening,"
        " jsonb_populate_recordset(NULL::webhook_delivery, {deliveries}::jsonb) AS d JOIN made ON made.id = d.event_id"
        f" WHERE listening.webhooks = {{guess}}){FOUND}",
        {"lock": LOCK},
    )


@lru_cache(1024)
def listeners_in(text: str) -> list[Listener]:
    return [Listener(id, words(types), until) for id, types, until in orjson.loads(text)]


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
    """The next events behind a position, once the writers are done that have taken one."""
    wait_for_writers(tx)
    return [Kept(*row) for row in tx.run_named(PAGE, after=after, limit=limit)]


def wait_for_writers(tx: Transaction) -> None:
    """On PostgreSQL, wait for writers that have taken a position and not yet committed; it needs a transaction in which each
    statement sees what is committed by then. On SQLite there are none beside a transaction that writes."""
    if tx.statements.dialect.name == "postgresql":
        tx.run_named(WAIT, lock=LOCK)


async def read_behind_writers(database: Database, environment_id: str, function: Callable[[Transaction], Result]) -> Result:
    """What a function finds that waits for the writers under way: on PostgreSQL in a transaction that sees what they commit meanwhile.
    On SQLite a reader sees all of it anyway, and holds up no writer."""
    is_alone = database.statements.dialect.name == "sqlite"
    return await (database.read if is_alone else database.write)(environment_id, function)


def newest_position(tx: Transaction) -> int:
    """The position of the environment's last event; 0 if none is kept."""
    return int(tx.run_named(NEWEST)[0][0])


def last_position(tx: Transaction) -> int:
    """The last position that any event of the database was given; whoever has a position of an event has none beyond it."""
    return int(tx.run_named(LAST[tx.statements.dialect.name])[0][0])
