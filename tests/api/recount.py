"""What must be true of a tenant's planning, worked out anew in the slowest and most obvious way.

Comes in: what the lists of the API show (`Facts`), and what a history remembers of itself (`Memory`). Goes out: a sentence for
everything that contradicts the rows it follows from. Shares no line with the rules that it judges.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field as attribute
from typing import Any

from tests.client import Client
from tests.server import Server, quoted

Json = dict[str, Any]
Faults = Iterator[str]
Facts = dict[str, dict[str, Json]]  # every object of a tenant as the API lists it, by kind and id

SHOWN: dict[str, Any] = {  # what is listed, and what comes along
    "board": {"archived": "true", "with_": "statuses,labels"},
    "stage": {"with_": "activities"},
    "collection": {"with_": "activities"},
    "card": {"with_": "activities,resources"},
    "card_relation": {},
    "activity": {"archived": "true"},
    "resource": {"archived": "true", "with_": "schedule_deviations.schedule_deviation_recurring"},
    "schedule": {},
    "time_tracking": {},
    "order": {"with_": "order_rows"},
}
OWNED = {"statuses": "status", "labels": "label"}  # lists that come inside each board
HIDDEN = ("planning", "planned_promised_date", "planned_desired_date", "edited_properties")


@dataclass
class Memory:
    """What a history knows and no row tells: what was written by hand where the server has its own opinion."""

    completed: set[str] = attribute(default_factory=set)  # cards whose completed_at nobody can foretell
    hours: set[tuple[str, str]] = attribute(default_factory=set)  # resource and day
    activities: set[str] = attribute(default_factory=set)  # collections whose activities are no longer those of the rows
    dates: dict[str, tuple[Any, Any]] = attribute(default_factory=dict)  # of a collection's order, when it was planned
    left: set[str] = attribute(default_factory=set)  # collections that an order turned away from
    shared: set[str] = attribute(default_factory=set)  # collections that once followed two orders
    moved: set[str] = attribute(default_factory=set)  # collections that were moved to another board, where what is completed stays


def read_facts(api: Client, server: Server, environment_id: str) -> Facts:
    listed = {name: by_id(api.get(f"/v1/{name}", limit=0, **query)["data"]) for name, query in SHOWN.items()}
    for name in ("statuses", "labels"):
        listed[OWNED[name]] = by_id(item for board in listed["board"].values() for item in board[name])
    names = ", ".join(HIDDEN)
    text = f"SELECT id, {names} FROM collection WHERE environment_id = {quoted(environment_id)} AND deleted_at IS NULL"
    for id, *values in server.database.query(text):
        listed["collection"][id] |= dict(zip(HIDDEN, values, strict=True))
    return listed


def cards_of(facts: Facts, collection_id: str) -> list[Json]:
    return [card for card in facts["card"].values() if card["collection_id"] == collection_id]


def entries_of(facts: Facts, card_id: str) -> list[Json]:
    return [entry for entry in facts["time_tracking"].values() if entry["card_id"] == card_id]


def order_of(facts: Facts, collection_id: str) -> Json | None:
    """The order that a collection follows: the first."""
    return next((order for _, order in sorted(facts["order"].items()) if order["collection_id"] == collection_id), None)


def by_id(items: Iterable[Json]) -> dict[str, Json]:
    return {item["id"]: item for item in items}


def unlike(name: str, shown: Mapping[str, Any], expected: Mapping[str, Any]) -> Faults:
    for key, value in expected.items():
        if shown[key] != value:
            yield f"{name} {shown['id']}: {key} is {shown[key]!r}, not {value!r}"


# ── always true ──


def always(facts: Facts, memory: Memory) -> Faults:
    """What holds after every single write, whatever waits for the background."""
    overloaded = too_full(facts)
    for collection in facts["collection"].values():
        yield from collection_faults(facts, collection, overloaded)
    for card in facts["card"].values():
        yield from card_faults(facts, memory, card)
        yield from share_faults(facts, card)
    for collection in facts["collection"].values():
        yield from estimate_faults(facts, collection)
    for relation in facts["card_relation"].values():
        yield from unlike("card_relation", relation, {"status": "valid" if is_kept(facts, relation) else "invalid"})
    yield from cycles(facts)
    yield from order_faults(facts, memory)
    yield from twins("rank", ((card["board_id"], card["rank"]) for card in facts["card"].values()))
    yield from twins("position of a card", ((card["collection_id"], card["position"]) for card in facts["card"].values()))
    backlog = (one for one in facts["collection"].values() if one["status"] == "not_planned")
    yield from twins("position in a backlog", ((one["board_id"], one["position"]) for one in backlog))
    for row in facts["schedule"].values():
        available = max(0, row["hours_work"] - row["hours_leave"] - row["hours_absence"])
        yield from unlike("schedule", row, {"hours_available": available})


def twins(name: str, places: Iterable[Any]) -> Faults:
    for place, times in Counter(places).items():
        if times > 1 or (not place[1] and place[1] != 0):
            yield f"{name}: {times} times {place}"


def stays(old: Facts, new: Facts) -> Faults:
    """A card that is locked stays where it is."""
    for id in old["card"].keys() & new["card"].keys():
        if old["card"][id]["locked"] and new["card"][id]["locked"]:
            yield from unlike(
                "locked card", new["card"][id], {name: old["card"][id][name] for name in ("start_date", "end_date", "stage_id")}
            )


# ── a collection ──


def collection_faults(facts: Facts, collection: Json, overloaded: set[str]) -> Faults:
    cards = cards_of(facts, collection["id"])
    is_planned = bool(cards) or collection["planning"] is not None
    if collection["status"] != "ignored" or is_planned:
        yield from unlike("collection", collection, {"status": "planned" if is_planned else "not_planned"})
    if (collection["position"] is None) != (collection["status"] != "not_planned"):
        yield f"collection {collection['id']}: {collection['status']} at position {collection['position']}"
    starts = [card["start_date"] for card in cards if card["start_date"]]
    ends = [card["end_date"] for card in cards if card["end_date"]]
    end = max(ends, default=None)
    holds = {
        "stage_order": any(is_before(facts, late, early) for late in cards for early in cards),
        "due_date_exceeded": end is not None and collection["due_date"] is not None and end > collection["due_date"],
        "promised_date_changed": has_new_dates(facts, collection),
        "dependency_violated": any(is_broken(facts, card) for card in cards),
        "capacity_exceeded": collection["id"] in overloaded,
        "not_fully_planned": collection["planning"] is None and is_planned and bool(lacking(collection, cards)),
    }
    warnings = [word for word, is_so in holds.items() if is_so]
    expected = {"start": min(starts, default=None), "end": end, "progress": progress(facts, cards), "warnings": warnings}
    yield from unlike("collection", collection, expected)


def progress(facts: Facts, cards: list[Json]) -> str:
    statuses = [facts["status"].get(card["status_id"]) for card in cards]
    if cards and all(status and status["exit"] for status in statuses):
        return "done"
    has_left = any(status and status["id"] not in begins(facts, card["board_id"]) for status, card in zip(statuses, cards, strict=True))
    return "partial" if has_left or any(entries_of(facts, card["id"]) for card in cards) else "open"


def begins(facts: Facts, board_id: str) -> set[str]:
    """The statuses of a board on which nothing has begun: those marked as its entry, else the first."""
    statuses = [status for status in facts["status"].values() if status["board_id"] == board_id]
    ordered = sorted(statuses, key=lambda status: (status["priority"] is None, status["priority"] or 0, status["id"]))
    return {status["id"] for status in ordered if status["entry"]} or {status["id"] for status in ordered[:1]}


def is_before(facts: Facts, late: Json, early: Json) -> bool:
    """Whether a card of a later stage begins before one of an earlier stage ends."""
    behind, ahead = facts["stage"].get(late["stage_id"]), facts["stage"].get(early["stage_id"])
    if not behind or not ahead or behind["independent"] or ahead["independent"] or not late["start_date"] or not early["start_date"]:
        return False
    return (ahead["priority"] or 0) < (behind["priority"] or 0) and late["start_date"] < early["end_date"]


def has_new_dates(facts: Facts, collection: Json) -> bool:
    order = order_of(facts, collection["id"])
    known = (collection["planned_promised_date"], collection["planned_desired_date"])
    return collection["status"] == "planned" and order is not None and (order["promised_date"], order["desired_date"]) != known


def is_broken(facts: Facts, card: Json) -> bool:
    mine = (one for one in facts["card_relation"].values() if card["id"] in (one["card_id"], one["related_card_id"]))
    return any(not is_kept(facts, relation) for relation in mine)


def lacking(collection: Json, cards: list[Json]) -> list[str]:
    """The activities that are on no card, or with fewer minutes than wanted."""
    planned: dict[str, int] = {}
    for card in cards:
        for activity in card["activities"]:
            planned[activity["id"]] = planned.get(activity["id"], 0) + activity["time"]
    return [one["id"] for one in collection["activities"] if planned.get(one["id"], -1) < one["time"]]


# ── a card ──


def open_days(board: Json | None, first: str, last: str) -> list[str]:
    day, end, found = dt.date.fromisoformat(first), dt.date.fromisoformat(last), []
    while day <= end:
        if board is None or board["workdays"][str(day.isoweekday())]:
            found.append(day.isoformat())
        day += dt.timedelta(days=1)
    return found


def card_faults(facts: Facts, memory: Memory, card: Json) -> Faults:
    start, end = card["start_date"], card["end_date"]
    if (start is None) != (end is None) or (start and end < start):
        yield f"card {card['id']}: from {start} to {end}"
        return
    board = facts["board"].get(card["board_id"])
    days = (dt.date.fromisoformat(end) - dt.date.fromisoformat(start)).days if start else None
    expected = {"date": start, "start": start, "end": end, "days_diff": days}
    expected["days_active"] = len(open_days(board, start, end)) if start else None
    expected["time_tracking_running"] = any(entry["running"] for entry in entries_of(facts, card["id"]))
    yield from unlike("card", card, expected)
    for name, known in (("stage", facts["stage"]), ("status", facts["status"])):
        other = known.get(card[f"{name}_id"])
        if other is not None and other["board_id"] != card["board_id"]:
            yield f"card {card['id']} of board {card['board_id']}: its {name} belongs to board {other['board_id']}"
    collection, status = facts["collection"].get(card["collection_id"]), facts["status"].get(card["status_id"])
    is_done = status is not None and bool(status["exit"])
    if collection is None or (collection["board_id"] != card["board_id"] and collection["id"] not in memory.moved):
        yield f"card {card['id']} of board {card['board_id']}: its collection is {collection and collection['board_id']}"
    if status is not None and card["id"] not in memory.completed and (card["completed_at"] is not None) != is_done:
        yield f"card {card['id']}: completed at {card['completed_at']}, on a status with exit {is_done}"
    parent = facts["card"].get(card["parent_card_id"])
    if card["parent_card_id"] and (parent is None or parent["collection_id"] != card["collection_id"]):
        yield f"card {card['id']}: its parent card is {card['parent_card_id']}"


def is_kept(facts: Facts, relation: Json) -> bool:
    ends = [facts["card"][relation[name]] for name in ("card_id", "related_card_id")]
    if relation["type"] not in ("blocks", "depends"):
        return True
    before, after = ends if relation["type"] == "blocks" else ends[::-1]
    if not before["end_date"] or not after["start_date"]:
        return True
    return bool((before["end_date"], before["end_time"] or "24:00") <= (after["start_date"], after["start_time"] or "00:00"))


def cycles(facts: Facts) -> Faults:
    after: dict[str, set[str]] = defaultdict(set)
    for relation in facts["card_relation"].values():
        ends = (relation["card_id"], relation["related_card_id"])
        if relation["type"] in ("blocks", "depends"):
            before, behind = ends if relation["type"] == "blocks" else ends[::-1]
            after[before].add(behind)
    for card in list(after):
        reached, waiting = set[str](), [card]
        while waiting:
            new = after.get(waiting.pop(), set()) - reached
            reached |= new
            waiting += new
        if card in reached:
            yield f"card {card} comes before itself"


# ── minutes ──


def tracked(entries: Iterable[Json]) -> Counter[str | None]:
    """Minutes by activity; what was rejected does not count, nor what still runs."""
    minutes = Counter[str | None]()
    for entry in entries:
        if entry["status"] != "rejected":
            minutes[entry["activity_id"]] += entry["duration"] or 0
    return minutes


def share_faults(facts: Facts, card: Json) -> Faults:
    """The minutes of a card, of its activities, and of its resources."""
    minutes = tracked(entries_of(facts, card["id"]))
    activities = sorted(card["activities"], key=lambda activity: str(activity["id"]))
    work = []  # (type of resource, minutes, minutes left)
    for activity in activities:
        left = max(0, activity["time"] - minutes[activity["id"]])
        yield from unlike(f"card {card['id']}, activity", activity, {"time_remaining": left})
        work.append((activity["resource_type"], activity["time"], left))
    if not work and card["time"] is not None:
        work = [("", card["time"], card["time"])]
    elsewhere = minutes.total() - sum(minutes[activity["id"]] for activity in activities)
    remaining = []
    for kind, _, left in work:
        off = min(left, elsewhere)
        elsewhere -= off
        remaining.append((kind, left - off))
    expected = {"time": sum(time for _, time, _ in work), "time_remaining": sum(left for _, left in remaining)}
    yield from unlike("card", card, expected if work else {"time": None, "time_remaining": None})
    shares = [dealt([(kind, time) for kind, time, _ in work], card["resources"]), dealt(remaining, card["resources"])]
    for resource in card["resources"]:
        time, left = (share.get(resource["id"]) for share in shares)
        yield from unlike(f"card {card['id']}, resource", resource, {"time": time, "time_remaining": left})


def dealt(work: list[tuple[str, int]], resources: list[Json]) -> dict[str, int]:
    """One minute after the other goes to the next resource that can do the work, in the order of their ids."""
    hands: Counter[str] = Counter({resource["id"]: 0 for resource in resources} if work else {})
    for kind, minutes in work:
        able = sorted(one["id"] for one in resources if one["type"] == kind) or sorted(one["id"] for one in resources)
        for minute in range(minutes if able else 0):
            hands[able[minute % len(able)]] += 1
    return dict(hands)


def estimate_faults(facts: Facts, collection: Json) -> Faults:
    minutes = tracked(entry for card in cards_of(facts, collection["id"]) for entry in entries_of(facts, card["id"]))
    for activity in collection["activities"]:
        left = max(0, activity["time"] - minutes[activity["id"]])
        yield from unlike(f"collection {collection['id']}, activity", activity, {"time_remaining": left})


# ── load ──


def too_full(facts: Facts) -> set[str]:
    """The collections that have a card on a day on which a resource of it has more to do than it can."""
    available = {(row["resource_id"], row["date"]): minutes_of(row["hours_available"]) for row in facts["schedule"].values()}
    load, there = Counter[tuple[str, str]](), defaultdict[tuple[str, str], list[Json]](list)
    for card in facts["card"].values():
        board = facts["board"].get(card["board_id"])
        if board is None or board["capacity_method"] == "none" or not card["start_date"]:
            continue
        column = {"estimated_time": "time", "remaining_time": "time_remaining"}[board["capacity_method"]]
        days = open_days(board, card["start_date"], card["end_date"])
        for resource in card["resources"]:
            for day, minutes in spread(resource[column] or 0, days or [card["start_date"]]):
                load[resource["id"], day] += minutes
            for day in days:
                there[resource["id"], day].append(card)
    found = set()
    for place, cards in there.items():
        for card in cards:
            stage = facts["stage"].get(card["stage_id"])
            percent = 100 if stage is None or stage["efficiency"] is None else stage["efficiency"]
            if place in available and load[place] * 100 > available[place] * percent:
                found.add(card["collection_id"])
    return found


def minutes_of(hours: float) -> int:
    return int(min(max(hours, 0), 24) * 60 + 0.5)


def spread(minutes: int, days: list[str]) -> Iterator[tuple[str, int]]:
    for place, day in enumerate(days):
        yield day, minutes * (place + 1) // len(days) - minutes * place // len(days)


# ── orders ──


def order_faults(facts: Facts, memory: Memory) -> Faults:
    for order in facts["order"].values():
        if order["collection_id"] is not None and order["collection_id"] not in facts["collection"]:
            yield f"order {order['id']}: its collection {order['collection_id']} is gone"
    followed = {order["collection_id"] for order in facts["order"].values()}
    for id, collection in facts["collection"].items():
        if collection["source_type"] == "order" and id not in followed | memory.left:
            yield f"collection {id} comes from an order, and none has it"
        if collection["status"] == "planned" and id in memory.dates:
            names = ("planned_promised_date", "planned_desired_date")
            yield from unlike("collection", collection, dict(zip(names, memory.dates[id], strict=True)))
