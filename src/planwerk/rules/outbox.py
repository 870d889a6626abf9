"""The last step of a transaction: what has happened is written down, and a delivery for each webhook that wants to know.

It runs behind every rule, so that events tell the state that is committed. Nothing is written where nothing happened.
"""

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any

import orjson

from planwerk.rules.event_sources import Sources, sources_of
from planwerk.rules.events import Event, events_of, json_object
from planwerk.store.changes import Row
from planwerk.store.outbox import Listener, Record, record_events
from planwerk.store.transaction import Statements, Transaction

STARTED, SUSPENDED = "started", "suspended"
AT_ONCE = 500  # events in one statement: a collection may go with thousands of cards, and their bodies are large


def write_events(tx: Transaction) -> None:
    """Write the events of the transaction and leave their deliveries to the sender."""
    sources = sources_in(tx.statements)
    if sources.watched.isdisjoint([change.name for change in tx.changes.log]):
        return
    events = events_of(tx.changes.log, sources, partial(find, tx))
    for start in range(0, len(events), AT_ONCE):
        write_some(tx, events[start : start + AT_ONCE])


def write_some(tx: Transaction, events: Sequence[Event]) -> None:
    records = [Record(tx.new_id(), event.name, event.object, event.object_id, body_of(tx, event)) for event in events]
    tx.rings.add("events")
    if record_events(tx, records, partial(deliveries_of, tx, records)):
        tx.rings.add("deliveries")


def deliveries_of(tx: Transaction, records: Sequence[Record], listeners: Sequence[Listener]) -> list[dict[str, Any]]:
    """A delivery of each event to each webhook that asked for such events."""
    return [delivery(tx, listener, record) for record in records for listener in listeners if record.name in listener.event_types]


@lru_cache(8)
def sources_in(statements: Statements) -> Sources:
    return sources_of(tuple(statements.objects.values()))


def deliver(tx: Transaction, webhook: Row, record: Record) -> Row:
    """Write one event and its delivery to one webhook, whether it asked for such events or not."""
    listener = Listener(webhook["id"], frozenset(), webhook["disabled_until"])
    tx.rings.add("deliveries")
    return record_events(tx, [record], lambda _: [delivery(tx, listener, record)])[0]


def body_of(tx: Transaction, event: Event) -> str:
    """What a receiver gets: environment, trigger, event, data."""
    trigger = tx.actor.kind if tx.actor is not None else "system"
    head = orjson.dumps({"environment": tx.environment_id, "trigger": trigger, "event": event.name})[:-1].decode()
    return f'{head},"data":{json_object(event.data)}}}'


def delivery(tx: Transaction, listener: Listener, record: Record) -> dict[str, Any]:
    is_suspended = listener.disabled_until is not None and listener.disabled_until > tx.now
    return {
        "webhook_id": listener.id,
        "event_id": record.id,
        "event": record.name,
        "object_id": record.object_id,
        "status": SUSPENDED if is_suspended else STARTED,
        "due_at": listener.disabled_until if is_suspended else tx.now,
    }


def find(tx: Transaction, name: str, ids: set[str]) -> dict[str, Row]:
    """Objects as this transaction has written them last, else as the database has them."""
    written = {change.row["id"]: change.row for change in tx.changes.log if change.name == name and change.row["id"] in ids}
    return written | {row["id"]: row for row in tx.among(name, "id", ids - written.keys())}
