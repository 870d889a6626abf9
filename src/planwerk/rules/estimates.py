"""How long work takes, and how much of it is left: on the links to activities, on cards, and on the resources of a card.

Comes in: what changed in a transaction. Goes out: the derived times of the cards and collections concerned, made from
scratch. Nothing here is written unless it differs, and no date is ever looked at.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from planwerk.describe import Link
from planwerk.fields import INTEGER_LIMIT
from planwerk.store.changes import Change, Row, ids_of
from planwerk.store.tracked import Minutes, Tracked, tracked_in_collections, tracked_on_cards
from planwerk.store.transaction import Transaction

WATCHES = ("card", "card_activity", "card_resource", "collection_activity", "time_tracking", "activity", "resource")

# what changes → (the column with the card's id, the columns that matter besides coming and going)
ON_CARD = {
    "card": ("id", ("time",)),
    "card_activity": ("card_id", ("time",)),
    "card_resource": ("card_id", ()),
    "time_tracking": ("card_id", ("card_id", "activity_id", "duration", "status", "running")),
}
LINKS = frozenset({"card_activity", "card_resource"})  # what is merely attached does not move the `updated_at` of the card
# what changes → (the table that links it to cards, the column that decides who does the work)
BESIDE_CARD = {"activity": ("card_activity", "resource_type"), "resource": ("card_resource", "type")}


@dataclass(frozen=True)
class Part:
    """The part of a piece of work that falls to one activity, in minutes."""

    activity_id: str
    resource_type: str
    time: int
    remaining: int


def keep_estimates(tx: Transaction, changes: list[Change]) -> None:
    """Bring the times of everything that the changes concern up to date."""
    cards = tx.lock("card", cards_concerned(tx, changes))
    if cards:
        keep_cards(tx, cards, cards.keys() - cards_concerned(tx, (change for change in changes if change.name not in LINKS)))
    collections = tx.lock("collection", collections_concerned(changes, cards))
    if collections:
        keep_collections(tx, collections)


# ── what is concerned ──


def cards_concerned(tx: Transaction, changes: Iterable[Change]) -> set[str]:
    """The ids of the cards whose times may be others now."""
    ids, beside = set[str](), defaultdict[str, set[str]](set)
    for change in changes:
        column, columns = ON_CARD.get(change.name, ("", ()))
        if column and change.moves(*columns):
            ids |= change.values(column)
        elif change.name in BESIDE_CARD and change.old is not None and change.moves(BESIDE_CARD[change.name][1]):
            beside[change.name].add(change.row["id"])
    for name, those in beside.items():
        ids |= {link["card_id"] for link in tx.among(BESIDE_CARD[name][0], f"{name}_id", those, order=())}
    return ids


def collections_concerned(changes: Sequence[Change], cards: Mapping[str, Row]) -> set[str]:
    """The ids of the collections whose times may be others now; `cards` are those concerned. A new card has no tracked time."""
    links = (change for change in changes if change.name == "collection_activity" and change.moves("time"))
    moved = (change for change in changes if change.name == "card" and change.old is not None and change.moves("collection_id"))
    tracked = ids_of((change for change in changes if change.name == "time_tracking"), "card_id")
    on_cards = {cards[id]["collection_id"] for id in tracked & cards.keys()} - {None}
    return ids_of(links, "collection_id") | ids_of(moved, "collection_id") | on_cards


# ── cards and collections ──


def keep_cards(tx: Transaction, cards: Mapping[str, Row], attached: Set[str]) -> None:
    """The times of cards and of what is linked to them; `attached` are the ids of those where nothing but a link has changed."""
    links, staff = by_owner(tx, "card_activity", "card_id", cards), by_owner(tx, "card_resource", "card_id", cards)
    activities, resources = named_by(tx, "activity", links), named_by(tx, "resource", staff)
    tracked, activity, resource = tracked_on_cards(tx, cards), tx.object("card").link["activities"], tx.object("card").link["resources"]
    for id, card in cards.items():
        parts = list(parts_of(links[id], activities, tracked[id].minutes))
        keep_parts(tx, activity, links[id], parts)
        parts = parts_of_card(parts, card["time"], tracked[id].minutes)
        keep_card(tx, card, parts, tracked[id], is_touched=id not in attached)
        living = {link["resource_id"]: resources[link["resource_id"]]["type"] for link in staff[id] if link["resource_id"] in resources}
        keep_shares(tx, resource, staff[id], parts, living)


def keep_collections(tx: Transaction, collections: Mapping[str, Row]) -> None:
    links = by_owner(tx, "collection_activity", "collection_id", collections)
    activities, link = named_by(tx, "activity", links), tx.object("collection").link["activities"]
    tracked = tracked_in_collections(tx, collections) if activities else {}
    for id, rows in links.items():
        keep_parts(tx, link, rows, list(parts_of(rows, activities, tracked.get(id, {}))))


def by_owner(tx: Transaction, table: str, column: str, ids: Iterable[str]) -> dict[str, list[Row]]:
    """The rows of a link table by one of its ends."""
    found = defaultdict[str, list[Row]](list)
    for row in tx.among(table, column, ids, order=()):
        found[row[column]].append(row)
    return found


def named_by(tx: Transaction, name: str, links: Mapping[str, Iterable[Row]]) -> dict[str, Row]:
    """The living objects at the other ends of links, by id."""
    return {row["id"]: row for row in tx.among(name, "id", {link[f"{name}_id"] for rows in links.values() for link in rows})}


# ── what is written ──


def keep_parts(tx: Transaction, link: Link, rows: Iterable[Row], parts: Iterable[Part]) -> None:
    """The times of the links to activities; the first estimate is kept beside the one that counts."""
    known = {row["activity_id"]: row for row in rows}
    for part in parts:
        row = known[part.activity_id]
        first = part.time if row["time_original"] is None else row["time_original"]
        pivot = {"time": part.time, "time_remaining": part.remaining, "time_original": first}
        tx.attach(link, row[link.by], part.activity_id, pivot, row)


def keep_card(tx: Transaction, card: Row, parts: Sequence[Part], tracked: Tracked, *, is_touched: bool) -> None:
    time, remaining = (total(part.time for part in parts), total(part.remaining for part in parts)) if parts else (None, None)
    values = {"time": time, "time_remaining": remaining, "time_tracking_running": tracked.is_running}
    tx.update(tx.object("card"), card, values, is_touched=is_touched)


def keep_shares(tx: Transaction, link: Link, rows: Iterable[Row], parts: Sequence[Part], types: Mapping[str, str]) -> None:
    """What of a card's work falls to each of its living resources."""
    times = shared([(part.resource_type, part.time) for part in parts], types)
    remaining = shared([(part.resource_type, part.remaining) for part in parts], types)
    for row in rows:
        id = row["resource_id"]
        tx.attach(link, row["card_id"], id, {"time": times.get(id), "time_remaining": remaining.get(id)}, row)


# ── the calculation ──


def parts_of(links: Iterable[Row], activities: Mapping[str, Row], minutes: Minutes) -> Iterator[Part]:
    """The work of each linked activity that lives, in the order of their ids.

    >>> saw = {"id": "saw", "resource_type": "machine", "default_duration": 90}
    >>> list(parts_of([{"activity_id": "saw", "time": None}, {"activity_id": "gone", "time": 5}], {"saw": saw}, {"saw": 30}))
    [Part(activity_id='saw', resource_type='machine', time=90, remaining=60)]
    """
    for link in sorted(links, key=lambda row: str(row["activity_id"])):
        activity = activities.get(link["activity_id"])
        if activity is not None:
            time = activity["default_duration"] if link["time"] is None else link["time"]
            remaining = max(0, time - minutes.get(activity["id"], 0))
            yield Part(activity["id"], activity["resource_type"], time, remaining)


def parts_of_card(parts: Sequence[Part], time: int | None, minutes: Minutes) -> list[Part]:
    """The parts of a card's work, one without an activity if it has none; what was tracked elsewhere is taken off one after the other.

    >>> parts = [Part("glue", "employee", 60, 20), Part("saw", "machine", 90, 90)]
    >>> [part.remaining for part in parts_of_card(parts, 5, {"glue": 40, None: 25, "paint": 5})]
    [0, 80]
    >>> [(part.time, part.remaining) for part in parts_of_card([], 60, {"saw": 10, None: 20})], parts_of_card([], None, {None: 20})
    ([(60, 30)], [])
    """
    if not parts and time is not None:
        parts = [Part("", "", time, time)]
    left, taken = sum(minutes.values()) - sum(minutes.get(part.activity_id, 0) for part in parts), []
    for part in parts:
        off = min(left, part.remaining)
        left -= off
        taken.append(replace(part, remaining=part.remaining - off))
    return taken


def shared(work: Sequence[tuple[str, int]], types: Mapping[str, str]) -> dict[str, int]:
    """Minutes by resource: those of its type share a piece of work, all do where none has the type. Without work nobody has a number.

    >>> work = [("machine", 100), ("employee", 31), ("cell", 3)]
    >>> sorted(shared(work, {"ann": "employee", "bob": "employee", "saw": "machine"}).items())
    [('ann', 17), ('bob', 16), ('saw', 101)]
    >>> shared([], {"ann": "employee"})
    {}
    """
    shares = dict.fromkeys(types, 0) if work else {}
    for resource_type, minutes in work:
        able = sorted(id for id, kind in types.items() if kind == resource_type) or sorted(types)
        for place, id in enumerate(able):
            shares[id] = min(INTEGER_LIMIT, shares[id] + minutes // len(able) + (place < minutes % len(able)))
    return shares


def total(minutes: Iterable[int]) -> int:
    """The sum, as far as a number can say it."""
    return min(INTEGER_LIMIT, sum(minutes))
