"""The last step of a transaction: what has happened is written down, and a delivery for each webhook that wants to know.

It runs behind every rule, so that events tell the state that is committed. Nothing is written where nothing happened.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache, partial
from operator import itemgetter
from typing import Any

import orjson

from planwerk.rules.event_sources import Sources, sources_of
from planwerk.rules.events import Event, events_of, json_object, key_of
from planwerk.store.changes import Change, Row
from planwerk.store.outbox import Listener, Record, record_events
from planwerk.store.transaction import Statements, Transaction

STARTED, SUSPENDED = "started", "suspended"
AT_ONCE = 500  # events in one statement: a collection may go with thousands of cards, and their bodies are large


def write_events(tx: Transaction) -> None:
    """Write the events of the transaction and leave their deliveries to the sender."""
    sources = sources_in(tx.statements)
    changes = with_ended_links(tx, sources)
    if sources.watched.isdisjoint([change.name for change in changes]):
        return
    events = events_of(changes, sources, partial(find, tx))
    for start in range(0, len(events), AT_ONCE):
        write_some(tx, events[start : start + AT_ONCE])


def with_ended_links(tx: Transaction, sources: Sources) -> Sequence[Change]:
    """What has changed, and the links that deletions have ended for the objects that stay: nothing is written there, for the rows
    of such links stay and lead nowhere. Each stands behind its deletion, or behind what the rules have done to it since."""
    log = tx.changes.log
    gone = {(change.name, change.row["id"]) for change in log if change.new is None and "id" in change.row}
    if not any(name in sources.ends for name, _ in gone):
        return log
    written = {key_of(change, sources) for change in log if change.name in sources.linked}
    behind, last = defaultdict[tuple[str, str], list[Change]](list), list[Change]()
    for end, link in ended_links(tx, sources, gone):
        (last if key_of(link, sources) in written else behind[end]).append(link)
    return [*(item for change in log for item in (change, *behind.pop((change.name, change.row.get("id", "")), ()))), *last]


def ended_links(tx: Transaction, sources: Sources, gone: Collection[tuple[str, str]]) -> Iterator[tuple[tuple[str, str], Change]]:
    """(what it led to, the end of a link) for each link that led from an object that stays to one that is gone."""
    for name, ways in sources.ends.items():
        ids = {id for other, id in gone if other == name}
        for linked in ways:
            rows = tx.among(linked.link.table.name, linked.by_other, ids, order=())
            for row in sorted(rows, key=itemgetter(linked.by)):
                if (linked.parent.name, row[linked.by]) not in gone:
                    yield (name, row[linked.by_other]), Change(linked.link.table.name, row, None)


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
