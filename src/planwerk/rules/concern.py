"""Which collections a change concerns: its own, those of the cards it touches, and those that share a resource's days.

Comes in: what a transaction has changed. Goes out: ids. Rather too many than too few: what follows is made from scratch.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field as attribute

from planwerk.store.changes import Change, ids_of
from planwerk.store.standing import sharing_collections
from planwerk.store.transaction import Transaction

WATCHED = (
    "collection",
    "card",
    "card_activity",
    "card_resource",
    "collection_activity",
    "card_relation",
    "time_tracking",
    "status",
    "stage",
    "board",
    "order",
    "activity",
    "resource",
    "schedule",
)
COLUMNS = {  # a change of an object counts if one of these differs
    "collection": ("due_date", "status", "planning", "planned_promised_date", "planned_desired_date"),
    "card": ("start_date", "end_date", "status_id", "stage_id", "board_id", "collection_id", "time", "time_remaining"),
    "card_relation": ("status", "card_id", "related_card_id"),
    "time_tracking": ("card_id",),
    "status": ("entry", "exit", "priority"),
    "stage": ("priority", "independent", "efficiency"),
    "board": ("workdays", "capacity_method"),
    "order": ("promised_date", "desired_date", "collection_id"),
    "activity": ("deleted_at",),
    "resource": ("deleted_at",),
    "schedule": ("hours_available", "date"),
}


@dataclass
class Concern:
    """The collections to be made right, and the days on which the load of resources has changed, and with it that of others."""

    collections: set[str] = attribute(default_factory=set)
    resources: set[str] = attribute(default_factory=set)
    days: set[str] = attribute(default_factory=set)

    def sharing(self, tx: Transaction) -> set[str]:
        """The collections that have a card on one of the resources between the first and the last of the days."""
        return sharing_collections(tx, self.resources, min(self.days), max(self.days)) if self.resources and self.days else set()


def concerned(tx: Transaction, changes: Sequence[Change]) -> Concern:
    by_name: dict[str, list[Change]] = {}
    made = {change.row["id"] for change in changes if change.name == "collection" and change.old is None}
    for change in changes:
        if counts(change, made):
            by_name.setdefault(change.name, []).append(change)
    if not by_name:
        return Concern()
    concern = Concern(own(tx, by_name))
    share_days(tx, by_name, concern)
    return concern


def counts(change: Change, made: Collection[str]) -> bool:
    """Whether a change can make a difference. A collection that was just made, alone or by its order, stands as it began."""
    if change.name == "collection" and (change.old is None or change.new is None):
        return False
    if change.name == "order" and change.row["collection_id"] in made:
        return False
    return change.name not in COLUMNS or change.moves(*COLUMNS[change.name])


def own(tx: Transaction, by_name: dict[str, list[Change]]) -> set[str]:
    """The collections that the changes touch themselves."""
    found = ids_of(by_name.get("collection", ()), "id")
    found |= ids_of(by_name.get("card", ()), "collection_id") | ids_of(by_name.get("order", ()), "collection_id")
    found |= planned_ones(tx, ids_of(by_name.get("collection_activity", ()), "collection_id"))
    cards = {id for name in ("card_activity", "card_resource", "time_tracking") for id in ids_of(by_name.get(name, ()), "card_id")}
    relations = by_name.get("card_relation", ())
    cards |= ids_of(relations, "card_id") | ids_of(relations, "related_card_id")
    found |= owners(tx, "id", cards)
    found |= owners(tx, "board_id", ids_of(by_name.get("board", ()), "id") | ids_of(by_name.get("status", ()), "board_id"))
    found |= owners(tx, "stage_id", ids_of(by_name.get("stage", ()), "id"))
    gone = ids_of((change for change in by_name.get("activity", ()) if change.new is None), "id")
    return found | {link["collection_id"] for link in tx.among("collection_activity", "activity_id", gone, order=())}


def owners(tx: Transaction, column: str, values: Iterable[str]) -> set[str]:
    """The collections of the living cards whose column is one of the values."""
    return {card["collection_id"] for card in tx.among("card", column, values)}


def planned_ones(tx: Transaction, ids: Iterable[str]) -> set[str]:
    """Only a planned collection can lack work: one that is new, or waits, is spared."""
    return {row["id"] for row in tx.among("collection", "id", ids) if row["status"] == "planned"}


def share_days(tx: Transaction, by_name: dict[str, list[Change]], concern: Concern) -> None:
    """Add the resources that the changes load otherwise, and on which days."""
    moved = by_name.get("card", ())  # a card may be there several times, and has been everywhere
    cards = ids_of(moved, "id")
    links = [change.row for change in by_name.get("card_resource", ())] + tx.among("card_resource", "card_id", cards, order=())
    days = ids_of(moved, "start_date") | ids_of(moved, "end_date")
    linked = tx.among("card", "id", {link["card_id"] for link in links} - cards)
    days |= {card[name] for card in linked for name in ("start_date", "end_date") if card[name]}
    schedules = by_name.get("schedule", ())
    days |= ids_of(schedules, "date")
    resources = {link["resource_id"] for link in links} | ids_of(schedules, "resource_id") | ids_of(by_name.get("resource", ()), "id")
    if by_name.keys() & {"board", "stage"}:
        resources |= resources_of(tx, concern.collections)
    if by_name.keys() & {"board", "stage", "resource"}:
        days |= {"0001-01-01", "9999-12-31"}
    concern.resources, concern.days = resources, days


def resources_of(tx: Transaction, collection_ids: Iterable[str]) -> set[str]:
    cards = {card["id"] for card in tx.among("card", "collection_id", collection_ids)}
    return {link["resource_id"] for link in tx.among("card_resource", "card_id", cards, order=())}
