"""What must be true of a tenant once nothing waits for the background: collections say what their orders say, days what calendars say.

Comes in: `Facts` and the `Memory` of a history. Goes out: a sentence for everything that is otherwise.
"""

import datetime as dt
from collections.abc import Container

import orjson
from tests.api.recount import Facts, Faults, Json, Memory, unlike

LEAVE = ("leave", "holiday")


def settled(facts: Facts, memory: Memory, holidays: Container[str]) -> Faults:
    """What holds once the background work is done."""
    for collection in facts["collection"].values():
        yield from unlike("collection", collection, {"planning": None})
    yield from calendar_faults(facts, memory, holidays)
    for order in facts["order"].values():
        followed = facts["collection"].get(order["collection_id"])
        if followed is not None and followed["id"] not in memory.shared:
            yield from follower_faults(facts, memory, order, followed)


def follower_faults(facts: Facts, memory: Memory, order: Json, collection: Json) -> Faults:
    quantity = order["quantity"] and f"{order['quantity']:g}"
    said = {
        "name": order["code"] or order["description"] or order["external_ref"] or "Order",
        "description": "x ".join(part for part in (quantity, order["description"]) if part) or None,
        "due_date": order["promised_date"] or order["desired_date"],
    }
    edited = orjson.loads(collection["edited_properties"])
    yield from unlike("collection", collection, {name: value for name, value in said.items() if name not in edited})
    known = {"order_type": order["type"], "promised_date": order["promised_date"], "desired_date": order["desired_date"]}
    yield from unlike("collection", collection, {"meta": {name: value for name, value in known.items() if value} or None})
    if collection["id"] not in memory.activities and "activities" not in edited:
        wanted = dict[str, float]()
        for row in order["order_rows"]:
            if row["activity_id"] in facts["activity"]:
                wanted[row["activity_id"]] = wanted.get(row["activity_id"], 0) + minutes_of_row(row)
        found = {activity["id"]: activity["time"] for activity in collection["activities"]}
        if found != {id: int(minutes + 0.5) for id, minutes in wanted.items()}:
            yield f"collection {collection['id']}: its activities are {found}, the order's rows say {wanted}"


def minutes_of_row(row: Json) -> float:
    return float((row["quantity"] or 0) * {"minutes": 1, "hours": 60, "days": 480}.get(row["unit"], 0))


# ── the calendar ──


def calendar_faults(facts: Facts, memory: Memory, holidays: Container[str]) -> Faults:
    for row in facts["schedule"].values():
        resource = facts["resource"].get(row["resource_id"])
        if resource is None:
            yield f"schedule {row['id']}: its resource is gone"
        elif (row["resource_id"], row["date"]) not in memory.hours and row["date"] >= (resource["workdays_start_date"] or ""):
            yield from unlike(f"schedule of {row['date']}", row, hours_of(resource, row["date"], is_holiday=row["date"] in holidays))


def hours_of(resource: Json, day: str, *, is_holiday: bool) -> dict[str, float]:
    """Work as the weekday says; leave goes first, absence takes of what it leaves."""
    is_there = (resource["start_date"] or day) <= day <= (resource["end_date"] or day)
    work = (resource["workdays"][str(dt.date.fromisoformat(day).isoweekday())] or 0) if is_there else 0
    taken = {True: work if is_holiday else 0.0, False: 0.0}
    for deviation in resource["schedule_deviations"]:
        if is_away(deviation, day):
            taken[deviation["type"] in LEAVE] += deviation["time"] / 60 if deviation["time"] else work
    leave = min(work, taken[True])
    return {"hours_work": work, "hours_leave": leave, "hours_absence": min(work - leave, taken[False])}


def is_away(deviation: Json, day: str) -> bool:
    """Whether a deviation, or one of its repetitions by day or week, covers a day."""
    first, last, asked = (dt.date.fromisoformat(text).toordinal() for text in (deviation["start_date"], deviation["end_date"], day))
    begins = [first]
    for rule in deviation["schedule_deviation_recurring"]:
        begin = dt.date.fromisoformat(rule["starts_at"]).toordinal()
        until = dt.date.fromisoformat(rule["ends_at"]).toordinal() if rule["ends_at"] else asked
        begins += range(begin, until + 1, {"day": 1, "week": 7}[rule["schedule"]] * rule["interval"])
    return any(begin <= asked <= begin + last - first for begin in begins)
