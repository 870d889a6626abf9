"""What an order tells about its collection: names, facts, minutes, and the day to plan it by; pure.

Comes in: the order's properties, the address, relation and project it names, its rows. Goes out: values of the collection.
Knows no database, and does not decide what a collection may keep.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from planwerk.fields import INTEGER_LIMIT
from planwerk.rules.workdays import BeyondCalendar, Workdays

Values = Mapping[str, Any]

FOLLOWING = ("name", "description", "due_date")  # follow the order until somebody changes them by hand
FACTS = ("order_type", "order_status", "address", "relation", "project", "promised_date", "desired_date")
UNIT_MINUTES = {"minutes": 1, "hours": 60}  # a day's are a setting


@dataclass(frozen=True)
class Sources:
    """What an order names and whose words go to its collection: an address, the names of a relation and a project."""

    address: Values | None = None
    relation: str | None = None
    project: str | None = None


def following_values(order: Values) -> dict[str, str | None]:
    """The properties of the collection that follow the order.

    >>> following_values({"code": "V26-1", "quantity": 3.0, "description": "Chair Lissabon", "desired_date": "2026-12-01"})
    {'name': 'V26-1', 'description': '3x Chair Lissabon', 'due_date': '2026-12-01'}
    """
    return {"name": name_of(order), "description": description_of(order), "due_date": due_date_of(order)}


def name_of(order: Values) -> str:
    return order.get("code") or order.get("description") or order.get("external_ref") or "Order"


def description_of(order: Values) -> str | None:
    """Quantity and description, or the one of them that is there.

    >>> [description_of({"quantity": quantity, "description": "Chair"}) for quantity in (3.0, 2.5, 0.0, None)]
    ['3x Chair', '2.5x Chair', '0x Chair', 'Chair']
    """
    quantity = None if order.get("quantity") is None else plain_number(order["quantity"])
    return "x ".join(part for part in (quantity, order.get("description")) if part) or None


def plain_number(number: float) -> str:
    """A number without an exponent and without zeros that say nothing.

    >>> plain_number(3.0), plain_number(0.25), plain_number(1e15), plain_number(-0.0)
    ('3', '0.25', '1000000000000000', '0')
    """
    return f"{Decimal(repr(number)).normalize() + 0:f}"


def due_date_of(order: Values) -> str | None:
    return order.get("promised_date") or order.get("desired_date")


def facts_of(order: Values, sources: Sources) -> dict[str, str]:
    """The facts that the collection's meta holds: a key for each that is known.

    >>> facts_of({"type": "Sales", "status": "", "promised_date": None}, Sources(relation="Mulder"))
    {'order_type': 'Sales', 'relation': 'Mulder'}
    """
    known = (
        order.get("type"),
        order.get("status"),
        address_line(sources.address) if sources.address else None,
        sources.relation,
        sources.project,
        order.get("promised_date"),
        order.get("desired_date"),
    )
    return {name: value for name, value in zip(FACTS, known, strict=True) if value}


def address_line(address: Values) -> str:
    """
    >>> address_line({"street1": "Kade 7", "postal_code": "1013 AB", "city": "Amsterdam", "country": "NL"})
    'Kade 7, 1013 AB Amsterdam, NL'
    """
    town = " ".join(part for part in (address["postal_code"], address["city"]) if part)
    return ", ".join(part for part in (address["street1"], town, address["country"]) if part)


def merged_facts(meta: Values | None, facts: Values) -> dict[str, Any] | None:
    """A collection's meta with the order's facts as they are now; what else it holds stays, and so does the order of its keys.

    >>> merged_facts({"relation": "Mulder", "project": "gone", "colour": "red"}, {"order_type": "Sales", "relation": "Smit"})
    {'relation': 'Smit', 'colour': 'red', 'order_type': 'Sales'}
    """
    kept = {name: value for name, value in (meta or {}).items() if name not in FACTS or name in facts}
    return {**kept, **facts} or None


def minutes_by_activity(rows: Iterable[Values], day_minutes: int) -> dict[str, int]:
    """The whole minutes of each activity that the rows name, in the order in which it is named first.

    Rows are taken by position, those without one last. What rows of one activity add up to is rounded, half a minute up.
    """
    sums: dict[str, Decimal] = {}
    for row in sorted(rows, key=lambda row: (row["position"] is None, row["position"] or 0, row["id"])):
        if row["activity_id"]:
            sums[row["activity_id"]] = sums.get(row["activity_id"], Decimal(0)) + minutes_of(row, day_minutes)
    return {activity_id: whole_minutes(total) for activity_id, total in sums.items()}


def minutes_of(row: Values, day_minutes: int) -> Decimal:
    """The time of a row; none if its unit is no unit of time.

    >>> [minutes_of({"unit": unit, "quantity": 1.5}, 480) for unit in ("minutes", " Hours ", "DAYS", "pcs", None)]
    [Decimal('1.5'), Decimal('90.0'), Decimal('720.0'), Decimal('0'), Decimal('0')]
    """
    factor = {**UNIT_MINUTES, "days": day_minutes}.get((row["unit"] or "").strip().lower())
    return Decimal(repr(row["quantity"])) * factor if factor and row["quantity"] is not None else Decimal(0)


def whole_minutes(total: Decimal) -> int:
    """
    >>> [whole_minutes(Decimal(total)) for total in ("0.49", "0.5", "1.5", "-3", "1e18")]
    [0, 1, 2, 0, 9007199254740991]
    """
    return min(max(0, int(total.to_integral_value(ROUND_HALF_UP))), INTEGER_LIMIT)


def is_planned_by_itself(auto_plan: Values | None, order: Values) -> bool:
    """Whether a board that plans like this plans the order; one without a type is of the type none.

    >>> is_planned_by_itself({"order_types": ["Sales", "none"]}, {"type": None}), is_planned_by_itself(None, {"type": "Sales"})
    (True, False)
    """
    if auto_plan is None:
        return False
    types = auto_plan["order_types"]
    return not types or (order.get("type") or "none") in types


def is_end(auto_plan: Values) -> bool:
    """Whether the day that the board counts from is the last of the plan, and not the first."""
    return bool(auto_plan["anchor_date"] != "created_at")


def planning_day(auto_plan: Values, order: Values, collection: Values, workdays: Workdays) -> str | None:
    """The open day to plan by; None if the day that the board counts from is unknown, or leads out of the calendar.

    >>> week = Workdays((True, True, True, True, True, False, False))
    >>> planning_day({"anchor_date": "promised_date", "offset_workdays": -2}, {"promised_date": "2026-12-01"}, {}, week)
    '2026-11-27'
    """
    name, offset = auto_plan["anchor_date"], auto_plan["offset_workdays"]
    day = (collection if name == "due_date" else order)[name]
    if day is None or workdays.is_closed:
        return None
    try:
        return workdays.on_or_before(day[:10]) if offset == 0 and is_end(auto_plan) else workdays.add(day[:10], offset)
    except BeyondCalendar:
        return None
