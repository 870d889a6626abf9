"""Sums of tracked time, made by the database: what counts on cards and in collections, and what an export groups.

Comes in: ids, or the days of a period. Goes out: minutes. A timer that runs has none yet. On cards and in collections an entry
that was rejected is not counted; an export shows every entry.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field as attribute

import orjson

from planwerk.store.statements import Statement
from planwerk.store.transaction import Transaction

Minutes = dict[str | None, int]  # by activity; None: time without one

# SQLite keeps to the order of a CROSS JOIN, so that it begins with the list; its planner would rather walk the environment.
ASKED = {"sqlite": "json_each({ids}) AS asked CROSS", "postgresql": "jsonb_array_elements_text({ids}::jsonb) AS asked (value)"}
COUNTED = "SUM(CASE WHEN t.status <> 'rejected' THEN t.duration ELSE 0 END)"
OF_CARDS = {
    name: Statement(
        f"SELECT t.card_id, t.activity_id, {COUNTED}, MAX(CASE WHEN t.running THEN 1 ELSE 0 END) FROM {asked} JOIN time_tracking AS t"
        " ON t.environment_id = {environment} AND t.card_id = asked.value AND t.deleted_at IS NULL GROUP BY t.card_id, t.activity_id",
        {},
    )
    for name, asked in ASKED.items()
}
OF_COLLECTIONS = {
    name: Statement(
        f"SELECT c.collection_id, t.activity_id, {COUNTED} FROM {asked} JOIN card AS c"
        " ON c.environment_id = {environment} AND c.collection_id = asked.value AND c.deleted_at IS NULL"
        f" {'CROSS ' if name == 'sqlite' else ''}JOIN time_tracking AS t"
        " ON t.environment_id = {environment} AND t.card_id = c.id AND t.deleted_at IS NULL GROUP BY c.collection_id, t.activity_id",
        {},
    )
    for name, asked in ASKED.items()
}

# what an export groups by → (the key, what people call it, the tables it comes from)
DAY = 'substr(COALESCE(t."start", t.created_at), 1, 10)'
ITS = "{name}.environment_id = t.environment_id AND {name}.id = "
CARD = f" LEFT JOIN card AS c ON {ITS.format(name='c')}t.card_id"
GROUPS = {
    "days": (DAY, DAY, ""),
    "activities": ("t.activity_id", "a.description", f" LEFT JOIN activity AS a ON {ITS.format(name='a')}t.activity_id"),
    "collections": ("c.collection_id", "w.name", f"{CARD} LEFT JOIN collection AS w ON {ITS.format(name='w')}c.collection_id"),
    "boards": ("c.board_id", "b.name", f"{CARD} LEFT JOIN board AS b ON {ITS.format(name='b')}c.board_id"),
    "statuses": ("t.status", "t.status", ""),
    "users": (
        "t.user_id",
        "COALESCE(NULLIF(u.fullname, ''), u.email)",
        f' LEFT JOIN "user" AS u ON {ITS.format(name="u")}t.user_id',
    ),
}
LINKED = (
    " AND EXISTS (SELECT 1 FROM card_resource AS r"
    " WHERE r.environment_id = t.environment_id AND r.card_id = t.card_id AND r.resource_id = {resource})"
)
EXPORT = {
    (group, is_linked): Statement(
        f"SELECT {key}, {name}, SUM(COALESCE(t.duration, 0)), COUNT(*) FROM time_tracking AS t{tables}"
        " WHERE t.environment_id = {environment} AND t.deleted_at IS NULL"
        f" AND {DAY} >= {{start}} AND {DAY} <= {{end}} AND ({{user}} = '' OR t.user_id = {{user}}){limit} GROUP BY {key}, {name}",
        {},
    )
    for group, (key, name, tables) in GROUPS.items()
    for is_linked, limit in ((False, ""), (True, LINKED))
}


@dataclass(frozen=True)
class Group:
    """Entries that have something in common: its key, what people call it, their minutes and their number."""

    key: str | None
    name: str | None
    duration: int
    entries: int


@dataclass
class Tracked:
    """What was tracked on one card, and whether a timer runs there."""

    minutes: Minutes = attribute(default_factory=dict)
    is_running: bool = False


def tracked_on_cards(tx: Transaction, ids: Iterable[str]) -> dict[str, Tracked]:
    """For every card, also those on which nothing was tracked."""
    found = {id: Tracked() for id in ids}
    for card_id, activity_id, minutes, running in tx.run_named(OF_CARDS[tx.statements.dialect.name], ids=as_list(found)):
        found[card_id].minutes[activity_id] = int(minutes or 0)
        found[card_id].is_running |= bool(running)
    return found


def tracked_in_collections(tx: Transaction, ids: Collection[str]) -> dict[str, Minutes]:
    """For every collection with tracked time: the sums over its living cards."""
    found: dict[str, Minutes] = defaultdict(dict)
    for collection_id, activity_id, minutes in tx.run_named(OF_COLLECTIONS[tx.statements.dialect.name], ids=as_list(ids)):
        found[collection_id][activity_id] = int(minutes or 0)
    return found


def tracked_in_groups(tx: Transaction, group: str, start: str, end: str, user_id: str, resource_id: str | None = None) -> list[Group]:
    """The entries of a user (of everybody if that is empty) from one day to another, grouped by a key of `GROUPS`, in no order.

    With `resource_id` only those on cards that have the resource.
    """
    asked = {"start": start, "end": end, "user": user_id}
    rows = tx.run_named(EXPORT[group, resource_id is not None], **asked, resource=resource_id or "")
    return [Group(key, name, int(minutes), int(entries)) for key, name, minutes, entries in rows]


def as_list(ids: Iterable[str]) -> str:
    return orjson.dumps(sorted(ids)).decode()
