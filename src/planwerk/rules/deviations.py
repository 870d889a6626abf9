"""What a schedule deviation takes away, how it looks, and which dates it may have.

Checks and derivations get the transaction and the values as the body gives them. What a deviation does to the days of its
resource is calculated in `schedules`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from planwerk.errors import VALIDATION_FAILED, Fault, refuse
from planwerk.rules.recurrence import LONGEST_YEARS, Period, Series, is_too_long
from planwerk.store.transaction import Row, Transaction

Values = dict[str, Any]

LEAVE = frozenset({"leave", "holiday"})  # these types count as hours_leave, the others as hours_absence
LOOKS: Mapping[str, tuple[str, str]] = {  # icon and color
    "leave": ("plane", "#2f6fde"),
    "holiday": ("sun", "#e0a100"),
    "absence": ("door-open", "#7a7f87"),
    "sick": ("thermometer", "#c0392b"),
    "maintenance": ("wrench", "#8e5bd0"),
    "malfunction": ("alert-triangle", "#e2662c"),
    "other": ("calendar-off", "#4f5b66"),
}
TYPES = tuple(LOOKS)
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Away:
    """Why a day is shorter: as leave or as absence, by so many minutes; 0 is the whole day."""

    is_leave: bool
    minutes: int = 0


@dataclass(frozen=True, slots=True)
class Hours:
    """The hours of one day. Leave and absence may be anything that somebody wrote."""

    work: float
    leave: float = 0.0
    absence: float = 0.0

    def columns(self) -> dict[str, float]:
        available = max(0.0, self.work - self.leave - self.absence)
        return {"hours_available": available, "hours_work": self.work, "hours_leave": self.leave, "hours_absence": self.absence}


def shortened(work: float, away: Iterable[Away]) -> Hours:
    """A day of so many hours without what is away: leave goes first, absence takes of what it leaves.

    >>> shortened(8.0, [Away(True, 120), Away(False)])
    Hours(work=8.0, leave=2.0, absence=6.0)
    >>> shortened(8.0, [Away(True, 600)]).columns()["hours_available"]
    0.0
    """
    leave = absence = 0.0
    for item in away:
        taken = item.minutes / 60 if item.minutes else work
        leave, absence = (leave + taken, absence) if item.is_leave else (leave, absence + taken)
    leave = min(leave, work)
    return Hours(work, leave, min(absence, work - leave))


def away_of(deviation: Row) -> Away:
    return Away(deviation["type"] in LEAVE, deviation["time"] or 0)


def period_of(deviation: Row) -> Period | None:
    """The days of a deviation, None if it names none; one date alone is a single day."""
    first, last = deviation["start_date"] or deviation["end_date"], deviation["end_date"] or deviation["start_date"]
    return Period.of(first, last) if first else None


def series_of(rule: Row | None, deviation: Row) -> Series | None:
    """The rule that repeats a deviation, if it has one; it begins with the deviation unless it says otherwise."""
    first = rule and (rule["starts_at"] or deviation["start_date"])
    return Series(rule["schedule"], rule["interval"], first, rule["ends_at"]) if rule and first and rule["schedule"] else None


# ── a deviation ──


def coming(name: str, values: Mapping[str, Any], row: Row | None) -> Any:
    """The value that a property will have."""
    return values[name] if name in values else None if row is None else row[name]


def given_dates(values: Mapping[str, Any], row: Row | None) -> tuple[str | None, str | None]:
    """(first day, last day) as they will be; the one that is missing is the other."""
    first, last = coming("start_date", values, row), coming("end_date", values, row)
    return first or last, last or first


def whole_dates(tx: Transaction, values: Values, row: Row | None) -> None:  # noqa: ARG001 (every derivation gets all three)
    """A deviation with one date alone is a single day."""
    if row is None or "start_date" in values or "end_date" in values:
        values["start_date"], values["end_date"] = given_dates(values, row)


def look(tx: Transaction, values: Values, row: Row | None) -> None:  # noqa: ARG001
    """Icon and color follow from the type."""
    values["icon"], values["color"] = LOOKS[values.get("type") or (row["type"] if row else None) or OTHER]


def sound_dates(tx: Transaction, values: Mapping[str, Any], row: Row | None) -> Iterator[Fault]:  # noqa: ARG001
    """A deviation has a day, does not end before it starts, and is no longer than a plan can look."""
    if row is not None and not {"start_date", "end_date"} & values.keys():
        return
    first, last = given_dates(values, row)
    if first is None or last is None:
        yield Fault(VALIDATION_FAILED, "start_date is required", "start_date")
    elif last < first:
        yield Fault(VALIDATION_FAILED, f"end_date {last} lies before start_date {first}", "end_date")
    elif is_too_long(first, last):
        yield Fault(VALIDATION_FAILED, f"end_date may lie at most {LONGEST_YEARS} years after start_date", "end_date")


def one_rule(tx: Transaction, row: Row, old: Row | None) -> None:
    """At most one rule repeats a deviation; one that began with it goes on doing so when it moves."""
    described = tx.object("schedule_deviation_recurring")
    rules = tx.find(described, start_schedule_deviation_id=row["id"])
    if len(rules) > 1:
        sentence = "schedule_deviation_recurring may hold one rule"
        raise refuse(VALIDATION_FAILED, sentence, "schedule_deviation_recurring")
    if rules and old is not None and rules[0]["starts_at"] == old["start_date"]:
        tx.update(described, rules[0], {"starts_at": row["start_date"]})


# ── its rule ──


def first_of_series(tx: Transaction, values: Values, row: Row | None) -> None:
    """A rule that does not say when it starts begins with its deviation."""
    if (row is None or "starts_at" in values) and values.get("starts_at") is None:
        values["starts_at"] = deviation_start(tx, values, row)


def sound_series(tx: Transaction, values: Mapping[str, Any], row: Row | None) -> Iterator[Fault]:
    """A rule does not end before it starts."""
    first, last = coming("starts_at", values, row), coming("ends_at", values, row)
    if last is not None and last < (first or deviation_start(tx, values, row) or last):
        yield Fault(VALIDATION_FAILED, "ends_at lies before the first day of the series", "ends_at")


def deviation_start(tx: Transaction, values: Mapping[str, Any], row: Row | None) -> str | None:
    id = values.get("start_schedule_deviation_id") if row is None else row["start_schedule_deviation_id"]
    deviation = tx.get(tx.object("schedule_deviation"), id) if id else None
    return None if deviation is None else deviation["start_date"]
