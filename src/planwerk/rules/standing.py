"""How a collection stands: start, end, progress and warnings, which follow from its cards and from what they touch.

Comes in: what a transaction has changed. Goes out: the collections concerned, with these four values made from scratch.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field as attribute
from typing import Any

import orjson

from planwerk.rules.concern import concerned
from planwerk.store.changes import Change
from planwerk.store.load import overloaded_collections
from planwerk.store.standing import tracked_cards, violated_cards
from planwerk.store.transaction import Row, Transaction


@dataclass(frozen=True)
class Facts:
    """What the four values of some collections follow from, by id."""

    cards: Mapping[str, Sequence[Row]]  # by collection
    stages: Mapping[str, Row]
    statuses: Mapping[str, Row]
    first_statuses: Mapping[str, str]  # board → the status where its cards begin
    tracked: set[str]  # cards
    violated: set[str]  # cards
    overloaded: set[str]  # collections
    orders: Mapping[str, Row]  # by collection: the first that it follows
    wanted: Mapping[str, Mapping[str, int]]  # collection → activity → minutes
    planned: Mapping[str, Mapping[str, int]] = attribute(default_factory=dict)


def keep_standing(tx: Transaction, changes: Sequence[Change]) -> None:
    """Bring the collections that the changes concern up to date."""
    concern = concerned(tx, changes)
    tx.lock("resource", concern.resources)  # whoever changes the load of a resource waits for the others that do
    rows = tx.lock("collection", concern.collections | concern.sharing(tx))
    if not rows:
        return
    facts = gather(tx, rows)
    for row in rows.values():
        tx.update(tx.object("collection"), row, standing(row, facts))


def gather(tx: Transaction, rows: Mapping[str, Row]) -> Facts:
    """One statement for each kind of fact, however many collections there are."""
    cards = tx.among("card", "collection_id", rows)
    ids = [card["id"] for card in cards]
    statuses = tx.among("status", "board_id", {card["board_id"] for card in cards if card["board_id"]}, order=("priority", "id"))
    planned = [row for row in rows.values() if row["status"] == "planned"]
    wanted = minutes_by(tx, "collection_activity", "collection_id", [row["id"] for row in planned])
    owner = {card["id"]: card["collection_id"] for card in cards}
    return Facts(
        cards=grouped(cards),
        stages={row["id"]: row for row in tx.among("stage", "id", {card["stage_id"] for card in cards if card["stage_id"]})},
        statuses={row["id"]: row for row in statuses},
        first_statuses=begin_at(statuses),
        tracked=tracked_cards(tx, ids) if ids else set(),
        violated=violated_cards(tx, ids) if ids else set(),
        overloaded=overloaded(tx, cards),
        orders={row["collection_id"]: row for row in reversed(tx.among("order", "collection_id", [row["id"] for row in planned]))},
        wanted=wanted,
        planned=minutes_on(minutes_by(tx, "card_activity", "card_id", ids), owner) if wanted else {},
    )


def grouped(cards: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for card in cards:
        found[card["collection_id"]].append(card)
    return found


def begin_at(statuses: Iterable[Row]) -> dict[str, str]:
    """The entry status of each board, else its first one."""
    first: dict[str, Row] = {}
    for status in statuses:
        known = first.get(status["board_id"])
        if known is None or (status["entry"] and not known["entry"]):
            first[status["board_id"]] = status
    return {board_id: status["id"] for board_id, status in first.items()}


def minutes_by(tx: Transaction, table: str, column: str, ids: Iterable[str]) -> dict[str, dict[str, int]]:
    """Owner → living activity → minutes, from a link table."""
    links = tx.among(table, column, ids, order=())
    living = tx.living("activity", {link["activity_id"] for link in links}) if links else set()
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for link in links:
        if link["activity_id"] in living:
            found[link[column]][link["activity_id"]] = link["time"] or 0
    return found


def minutes_on(by_card: Mapping[str, Mapping[str, int]], owner: Mapping[str, str]) -> dict[str, dict[str, int]]:
    """The minutes of a collection's cards added up, by activity."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for card_id, minutes in by_card.items():
        total = found[owner[card_id]]
        for activity_id, count in minutes.items():
            total[activity_id] = total.get(activity_id, 0) + count
    return found


def overloaded(tx: Transaction, cards: Sequence[Row]) -> set[str]:
    """The collections of these cards that have one on a day on which a resource of it has more to do than it can."""
    dated = {card["id"]: card for card in cards if card["start_date"]}
    resources = {link["resource_id"] for link in tx.among("card_resource", "card_id", dated, order=())}
    if not resources:
        return set()
    first, last = min(card["start_date"] for card in dated.values()), max(map(last_day, dated.values()))
    return overloaded_collections(tx, resources, first, last)


def last_day(card: Row) -> str:
    """The last day of a card that has a first one."""
    day: str = card["end_date"] or card["start_date"]
    return day


# ── the four values; pure ──


def standing(row: Row, facts: Facts) -> dict[str, Any]:
    """start, end, progress and warnings of a collection, as its columns hold them."""
    cards = facts.cards.get(row["id"], ())
    starts = [card["start_date"] for card in cards if card["start_date"]]
    ends = [card["end_date"] for card in cards if card["end_date"]]
    values = {"start": min(starts, default=None), "end": max(ends, default=None)}
    warnings = [word for word, is_so in doubts(row, values["end"], cards, facts).items() if is_so]
    return {**values, "progress": progress(cards, facts), "warnings": orjson.dumps(warnings).decode()}


def progress(cards: Sequence[Row], facts: Facts) -> str:
    """done: all cards are on an exit status; open: none has left the entry status and no time is tracked; else partial."""
    if cards and all(is_done(card, facts) for card in cards):
        return "done"
    has_begun = any(has_left_entry(card, facts) or card["id"] in facts.tracked for card in cards)
    return "partial" if has_begun else "open"


def is_done(card: Row, facts: Facts) -> bool:
    status = facts.statuses.get(card["status_id"] or "")
    return status is not None and bool(status["exit"])


def has_left_entry(card: Row, facts: Facts) -> bool:
    status = facts.statuses.get(card["status_id"] or "")
    return status is not None and not status["entry"] and facts.first_statuses.get(card["board_id"]) != status["id"]


def doubts(row: Row, end: str | None, cards: Sequence[Row], facts: Facts) -> dict[str, bool]:
    """Every warning there is, in the order in which they are shown, and whether it holds."""
    return {
        "stage_order": is_out_of_order(cards, facts.stages),
        "due_date_exceeded": bool(end and row["due_date"] and end > row["due_date"]),
        "promised_date_changed": has_new_dates(row, facts.orders.get(row["id"])),
        "dependency_violated": any(card["id"] in facts.violated for card in cards),
        "capacity_exceeded": row["id"] in facts.overloaded,
        "not_fully_planned": lacks_work(row, facts),
    }


def is_out_of_order(cards: Sequence[Row], stages: Mapping[str, Row]) -> bool:
    """Whether a card of a later stage begins before one of an earlier stage ends; independent stages have no order."""
    placed = [(stages[card["stage_id"]], card) for card in cards if card["stage_id"] in stages and card["start_date"]]
    ordered = sorted((stage["priority"] or 0, card["start_date"], last_day(card)) for stage, card in placed if not stage["independent"])
    latest, behind = "", ""  # the last day of the stages before, and of this stage and those before
    priority = None
    for own, start, end in ordered:
        if own != priority:
            priority, latest = own, behind
        if start < latest:
            return True
        behind = max(behind, end)
    return False


def has_new_dates(row: Row, order: Row | None) -> bool:
    """Whether the order's dates are others than when the collection was planned."""
    names = ("promised_date", "desired_date")
    return row["status"] == "planned" and order is not None and any(order[name] != row[f"planned_{name}"] for name in names)


def lacks_work(row: Row, facts: Facts) -> bool:
    """Whether an activity of a planned collection is on none of its cards, or with fewer minutes than estimated."""
    if row["status"] != "planned" or row["planning"] is not None:
        return False
    planned = facts.planned.get(row["id"], {})
    return any(planned.get(activity_id, -1) < minutes for activity_id, minutes in facts.wanted.get(row["id"], {}).items())
