"""Changes of a transaction → the events that happened, as their receivers see them. Pure: rows come in, texts go out.

Comes in: every `Change` of a transaction that is about to be committed. Goes out: events by the API's names, with the JSON texts
of what stands in their `data`. Several changes of one row are one event; what came and went within it never happened.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import orjson

from planwerk.rules.event_sources import MERGED, Linked, Nested, Plain, Shown, Sources, sources_of
from planwerk.store.changes import Change, Row

__all__ = ["MERGED", "Event", "Sources", "events_of", "json_object", "sources_of"]

Find = Callable[[str, set[str]], Mapping[str, Row]]  # (object, ids) → the rows as they are now, or as they were last
Rows = Mapping[str, Mapping[str, Row]]  # object → id → row
Data = dict[str, str]  # member → JSON text

SILENT = frozenset({"updated_at", "deleted_at"})  # they say when something changed, and are no change themselves
NOTHING = "{}"


class Event(NamedTuple):
    """Something that happened to one object. `changed` names the properties of that object that an update has changed."""

    name: str
    object: str
    object_id: str
    data: Data
    changed: Sequence[str] = ()


def events_of(changes: Sequence[Change], sources: Sources, find: Find) -> list[Event]:
    """What the changes mean, in the order in which they began."""
    netto = coalesce(changes, sources)
    rows = rows_around(netto, sources, find)
    events: list[Event] = []
    for change in netto:
        if (plain := sources.plain.get(change.name)) is not None:
            events += plain_events(plain, change, rows)
        for nested in sources.nested.get(change.name, ()):
            events += nested_events(nested, change, rows)
        for linked in sources.linked.get(change.name, ()):
            events += linked_events(linked, change, rows)
    for plain in sources.plain.values():
        if plain.is_merged:
            events += merged_events(plain, events)
    return events


def coalesce(changes: Iterable[Change], sources: Sources) -> list[Change]:
    """One change for each row that has events: as it was before the first, as it is after the last."""
    kept: dict[tuple[str, ...], Change] = {}
    for change in changes:
        if change.name in sources.watched:
            key = key_of(change, sources)
            first = kept.get(key)
            kept[key] = change if first is None else replace(first, new=change.new)
    return [change for change in kept.values() if change.old is not change.new]  # both None: it came and went


def key_of(change: Change, sources: Sources) -> tuple[str, ...]:
    linked = sources.linked.get(change.name)
    return (change.name, change.row["id"]) if linked is None else (change.name, change.row[linked[0].by], change.row[linked[0].by_other])


def rows_around(netto: Iterable[Change], sources: Sources, find: Find) -> Rows:
    """The objects at both ends of the links that changed, and those that come along with others; one look for each kind."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for change in netto:
        for relation in sources.plain[change.name].along if change.name in sources.plain else ():
            wanted[relation.to] |= {change.row[relation.by]} - {None}
        for linked in sources.linked.get(change.name, ()):
            wanted[linked.parent.name].add(change.row[linked.by])
            wanted[linked.link.to].add(change.row[linked.by_other])
    return {name: find(name, ids) for name, ids in wanted.items()}


# ── an object of its own ──


def plain_events(plain: Plain, change: Change, rows: Rows) -> list[Event]:
    """created, updated or deleted; nothing if only timestamps differ, which stand in `current` alone."""
    row, name = change.row, plain.name
    current = whole(row, along(plain, row, rows))
    if change.old is None:
        return [Event(f"{name}.created", name, row["id"], {"new": current, "old": NOTHING, "current": current})]
    if change.new is None:
        return [Event(f"{name}.deleted", name, row["id"], {"new": NOTHING, "old": current, "current": current})]
    names = differing(plain.shown, change.old, change.new)
    if not names:
        return []
    data = {"new": some(plain.shown, change.new, names), "old": some(plain.shown, change.old, names), "current": current}
    return [Event(f"{name}.updated", name, row["id"], data, names)]


def whole(row: Row, along: str = "") -> str:
    """The object as the API shows it."""
    return f"{row['document']}{along}}}"


def along(plain: Plain, row: Row, rows: Rows) -> str:
    """The related objects that a GET shows without being asked, such as the author of a comment: more members of the object."""
    found = {relation.name: rows.get(relation.to, {}).get(row[relation.by]) for relation in plain.along}
    return "".join(f',"{name}":{"null" if other is None else whole(other)}' for name, other in found.items())


def differing(shown: Shown, old: Row, new: Row) -> list[str]:
    return [name for name in shown.names if old[name] != new[name] and name not in SILENT]


def some(shown: Shown, row: Row, names: Iterable[str]) -> str:
    """Some properties of a row as the API shows them."""
    rendered = shown.rendered
    return dumps({name: rendered[name].render(row[name]) if name in rendered else row[name] for name in names})


def dumps(value: Any) -> str:
    return orjson.dumps(value).decode()


def json_object(members: Mapping[str, str]) -> str:
    """JSON text of an object whose members are JSON texts.

    >>> json_object({"new": "{}", "count": "1"})
    '{"new":{},"count":1}'
    """
    return "{" + ",".join([f'"{name}":{text}' for name, text in members.items()]) + "}"


# ── an object that is part of another ──


def nested_events(nested: Nested, change: Change, rows: Rows) -> Iterator[Event]:
    """created, updated or deleted, and what became of its items, as events of the object it is part of.

    Items that go along with it are not told.
    """
    owner_id = change.row[nested.by]
    if owner_id is None:
        return
    items = list(item_changes(nested, change)) if change.new is not None else []
    for own in plain_events(nested.plain, change, rows):
        if not items or not own.changed or [*own.changed] != [nested.items]:  # another order is no change of an item
            yield Event(f"{nested.prefix}.{own.name.rpartition('.')[2]}", nested.parent.name, owner_id, own.data)
    for verb, data in items:
        yield Event(f"{nested.prefix}.item.{verb}", nested.parent.name, owner_id, {**data, "current": whole(change.row)})


def item_changes(nested: Nested, change: Change) -> Iterator[tuple[str, Data]]:
    """(attached | detached | updated, data) of each item that differs."""
    before, after = items_of(nested, change.old), items_of(nested, change.new)
    for id, item in after.items():
        if id not in before:
            yield "attached", {"attached": dumps(item)}
        elif names := [name for name in item if before[id].get(name) != item[name] and name not in SILENT]:
            new, old = ({name: values.get(name) for name in names} for values in (item, before[id]))
            yield "updated", {"updated": dumps(item), "new": dumps(new), "old": dumps(old)}
    for id, item in before.items():
        if id not in after:
            yield "detached", {"detached": dumps(item)}


def items_of(nested: Nested, row: Row | None) -> dict[str, dict[str, Any]]:
    if row is None or not nested.items or row[nested.items] is None:
        return {}
    return {item["id"]: item for item in orjson.loads(row[nested.items]) if "id" in item}


# ── two objects that are linked ──


def linked_events(linked: Linked, change: Change, rows: Rows) -> Iterator[Event]:
    """attached, detached, or updated where pivot values differ, as an event of the object on one side."""
    link, old, new = change.row, change.old, change.new
    owner, other = rows[linked.parent.name].get(link[linked.by]), rows[linked.link.to].get(link[linked.by_other])
    verb = "attached" if old is None else "detached" if new is None else "updated"
    if owner is None or other is None or verb not in linked.verbs:
        return
    names: Sequence[str] = linked.pivot.names if old is None or new is None else differing(linked.pivot, old, new)
    data = {verb: f"{other['document']}{link['document']}}}"}  # with the pivot values behind its own, as `with` shows it
    if names:
        data["new"] = NOTHING if new is None else some(linked.pivot, new, names)
        data["old"] = NOTHING if old is None else some(linked.pivot, old, names)
    elif verb == "updated":
        return
    yield Event(f"{linked.prefix}.{verb}", linked.parent.name, owner["id"], {**data, "current": whole(owner)})


# ── several changes of one object ──


def merged_events(plain: Plain, singles: Sequence[Event]) -> list[Event]:
    """One more event for each object of which two things or more have changed, beside the single ones.

    A thing is a link, or a property that a body may set, whether one has set it or it follows, such as the completed_at of a card;
    a property that no body may set, such as its days_diff, is none.
    """
    grouped: dict[str, list[Event]] = defaultdict(list)
    for single in singles:
        if single.object == plain.name:
            grouped[single.object_id].append(single)
    return [merged_event(plain, found) for found in grouped.values() if is_merged(plain, found)]


def is_merged(plain: Plain, singles: Sequence[Event]) -> bool:
    """Whether several things have changed of an object that was there before and still is."""
    if len(singles) == 1 and not singles[0].changed:
        return False
    is_there = all(single.changed or single.name.count(".") > 1 for single in singles)
    return is_there and sum(len(plain.things.intersection(single.changed)) if single.changed else 1 for single in singles) > 1


def merged_event(plain: Plain, singles: Sequence[Event]) -> Event:
    nested: dict[str, list[str]] = defaultdict(list)
    data = {"new": NOTHING, "old": NOTHING}
    for single in singles:
        if single.changed:
            data = {name: single.data[name] for name in data}
        else:
            nested[single.name.partition(".")[2]].append(json_object(single.data))
    if nested:
        data["nested"] = json_object({name: f"[{','.join(found)}]" for name, found in nested.items()})
    return Event(f"{plain.name}.{MERGED}", plain.name, singles[0].object_id, {**data, "current": singles[0].data["current"]})
