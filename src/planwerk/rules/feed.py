"""The feed of events: a page after a position, as far as the caller may see what the events are about.

Comes in: a position, a limit, names of events. Goes out: events in the order of their positions. Sight is judged by what the caller
sees now, rows that are gone included; an event that was left out is not told later.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import orjson

from planwerk.actor import Actor, Viewer
from planwerk.describe import Object
from planwerk.errors import BAD_REQUEST, refuse
from planwerk.rules.event_sources import MERGED, Sources, sources_of
from planwerk.rules.webhooks import TEST
from planwerk.store.outbox import Kept, last_position, newest_position, read_events, wait_for_writers
from planwerk.store.transaction import Transaction

LIMIT, MOST = 100, 1000

Part = tuple[str, str]  # (object, id) of something that an event tells of
Data = Mapping[str, Any]


def read_feed(tx: Transaction, actor: Actor, path: Mapping[str, str], given: Mapping[str, Any]) -> str:  # noqa: ARG001 (the signature of an action)
    """A page of events as JSON text, and in `next` the position to go on from."""
    types = types_of(given.get("types"), tx.statements.objects)
    after, limit = given.get("after") or 0, min(given.get("limit", LIMIT) or MOST, MOST)
    kept = read_events(tx, after, limit)
    if after and not kept:
        check_position(tx, after, "after")
    last = kept[-1].position if kept else after
    shown = ",".join(shown_event(event) for event in seen_events(tx, wanted(kept, types)))
    return f'{{"next":{last},"data":[{shown}]}}'


def begin(tx: Transaction) -> int:
    """The position behind which everything lies that is written from now on: that of the last event, once the writers
    under way are done."""
    wait_for_writers(tx)
    return newest_position(tx)


def check_position(tx: Transaction, after: int, name: str) -> None:
    """Refuse a position that no event has had yet. Who comes with one would wait in vain for events that were written since, such
    as after a backup was put back. Events that are kept no more, or of other environments, have had theirs."""
    if after > last_position(tx):
        raise refuse(BAD_REQUEST, f"{name} lies beyond the newest position, which is {newest_position(tx)}", name)


def types_of(text: str | None, objects: Mapping[str, Object]) -> frozenset[str]:
    """The names of events that a caller wants; empty: all. A name that no event has is refused, for it would be waited for in vain."""
    asked = frozenset(name.strip() for name in (text or "").split(",") if name.strip())
    known = {TEST, *(f"{described.name}.{event}" for described in objects.values() for event in described.events)}
    if unknown := sorted(asked - known):
        raise refuse(BAD_REQUEST, f"types names {unknown[0][:100]}, which is no event", "types")
    return asked


def wanted(kept: list[Kept], types: Collection[str]) -> list[Kept]:
    return [event for event in kept if event.name in types] if types else kept


def shown_event(event: Kept) -> str:
    """One event of the feed: what a webhook sends, with its id, position and moment."""
    head = orjson.dumps({"position": event.position, "id": event.id, "created_at": event.created_at})[:-1].decode()
    return f"{head},{event.body[1:]}"


# ── what the caller sees ──


def seen_events(tx: Transaction, events: list[Kept]) -> list[Kept]:
    """Those of the events of which the caller sees everything that they tell of."""
    viewer = tx.viewer
    if viewer is None or not events:
        return events
    sources = sources_of(tuple(tx.statements.objects.values()))
    told = {event.id: narrow_parts(tx, viewer, event, sources) for event in events}
    asked: dict[str, set[str]] = defaultdict(set)
    for parts in told.values():
        for name, id in parts or ():
            asked[name].add(id)
    seen = {(name, id) for name, ids in asked.items() for id in tx.seen(name, ids, is_living=False)}
    return [event for event in events if (parts := told[event.id]) is not None and parts <= seen]


def narrow_parts(tx: Transaction, viewer: Viewer, event: Kept, sources: Sources) -> set[Part] | None:
    """What the event tells of and the caller may not always see; None for an event that is about what is another's, or that
    an earlier release has written in a way that is not understood any more."""
    data: Data = orjson.loads(event.body)["data"]
    try:
        sight = tx.object(event.object).sight
        if sight.own and viewer.role < sight.others and owners(data, sight.own) != {viewer.user_id}:
            return None
        parts = {(event.object, event.object_id), *inner_parts(event.name, data, sources)}
        return {(name, id) for name, id in parts if tx.object(name).is_narrow(viewer.view)}
    except (KeyError, TypeError):
        return None


def owners(data: Data, own: str) -> set[str]:
    """Whose the thing was and is."""
    return {data[state][own] for state in ("new", "old", "current") if own in data.get(state, ())}


def inner_parts(name: str, data: Data, sources: Sources) -> Iterator[Part]:
    """What an event tells of besides the object it belongs to: a part of it, what comes along with it, or what was linked; of
    several at once, all of them."""
    owner, _, happened = name.partition(".")
    if happened == MERGED:
        for inner, found in data.get("nested", {}).items():
            for one in found:
                yield from inner_parts(f"{owner}.{inner}", one, sources)
    for relation in sources.plain[owner].along if owner in sources.plain else ():
        if other := data["current"].get(relation.name):
            yield relation.to, other["id"]
    for ways in sources.nested.values():
        for nested in ways:
            if name.startswith(f"{nested.prefix}."):
                yield nested.child.name, data["current"]["id"]
    prefix, _, verb = name.rpartition(".")
    for links in sources.linked.values():
        for linked in links:
            if linked.prefix == prefix:
                yield linked.link.to, data[verb]["id"]
