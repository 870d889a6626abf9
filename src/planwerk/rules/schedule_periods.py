"""Schedule rows by year, month and day, and the update of many at once.

Comes in: the parts of a path, or a period with hours. Goes out: a filter, a row as JSON text, or changed rows. A day that the
calendar does not have is not found.
"""

import calendar
import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import Any

from planwerk.errors import NOT_FOUND, VALIDATION_FAILED, Fault, Refusal, refuse
from planwerk.fields import UUID
from planwerk.rules.deviations import Hours
from planwerk.rules.recurrence import LONGEST_YEARS, Period, is_too_long
from planwerk.rules.schedules import calendar_of
from planwerk.store.schedules import rows_between
from planwerk.store.transaction import Row, Transaction

HOURS = ("hours_work", "hours_leave", "hours_absence")


# ── reading ──


def narrow(values: Mapping[str, str]) -> str:
    """The filter of a path with a year, perhaps a month, perhaps a day.

    >>> narrow({"year": "2028", "month": "2"}), narrow({"year": "2026", "month": "3", "day": "07"})
    ('date:gte:2028-02-01,and,date:lte:2028-02-29', 'date:gte:2026-03-07,and,date:lte:2026-03-07')
    """
    first, last = days_named(values)
    return f"date:gte:{first},and,date:lte:{last}"


def days_named(values: Mapping[str, str]) -> tuple[dt.date, dt.date]:
    """The first and the last day that a path means; refuses with 404 what the calendar does not have."""
    given = [values[name] for name in ("year", "month", "day") if name in values]
    try:
        if not all(re.fullmatch(r"\d{1,4}", text, re.ASCII) for text in given):
            raise ValueError
        year, month, day = (*map(int, given), *([0] * (3 - len(given))))
        first = dt.date(year, month if len(given) > 1 else 1, day if len(given) > 2 else 1)
    except ValueError:
        raise refuse(NOT_FOUND, f"the calendar has no {'-'.join(given)[:100]}") from None
    last_month = first.month if len(given) > 1 else 12
    last_day = first.day if len(given) > 2 else calendar.monthrange(first.year, last_month)[1]
    return first, dt.date(first.year, last_month, last_day)


def day_of_resource(tx: Transaction, actor: Any, path: Mapping[str, str], given: Mapping[str, Any]) -> str:  # noqa: ARG001
    """The row of one resource and one day, as JSON text."""
    first, _ = days_named(path)
    row = tx.first(tx.object("schedule"), resource_id=path["resource_id"].lower(), date=first.isoformat())
    if row is None:
        raise refuse(NOT_FOUND, "schedule not found")
    return str(row["document"]) + "}"


# ── writing ──


def update_period(tx: Transaction, actor: Any, path: Mapping[str, str], given: Mapping[str, Any]) -> None:  # noqa: ARG001
    """Give days of a resource other hours; what an entry does not name stays. Days without a row get one."""
    id = path["resource_id"].lower()
    resource = tx.get(tx.object("resource"), id) if UUID.fullmatch(id) else None
    if resource is None:
        raise refuse(NOT_FOUND, "resource not found")
    if faults := list(faults_of_period(given)):
        raise Refusal(*faults)
    wanted = hours_wanted(given)
    if wanted:
        write_days(tx, resource, wanted)


def faults_of_period(given: Mapping[str, Any]) -> Iterator[Fault]:
    first, last = given.get("period_start"), given.get("period_end")
    if first is None or last is None:
        yield from (Fault(VALIDATION_FAILED, f"{name} is required", name) for name in ("period_start", "period_end") if not given.get(name))
    elif last < first:
        yield Fault(VALIDATION_FAILED, f"period_end {last} lies before period_start {first}", "period_end")
    elif is_too_long(first, last):
        yield Fault(VALIDATION_FAILED, f"period_end may lie at most {LONGEST_YEARS} years after period_start", "period_end")
    else:
        yield from faults_of_dates(given, first, last)


def faults_of_dates(given: Mapping[str, Any], first: str, last: str) -> Iterator[Fault]:
    for index, entry in enumerate(given.get("schedules") or ()):
        for number, day in enumerate(entry["dates"] or ()):
            if not first <= day <= last:
                place = f"schedules[{index}].dates[{number}]"
                yield Fault(VALIDATION_FAILED, f"{place} lies outside the period", place)


def hours_wanted(given: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """By day: the hours that are given. An entry without dates means every day; of two that name a day the later counts.

    >>> entry = {"hours_work": 6.0, "hours_leave": None, "hours_absence": None, "dates": None}
    >>> hours_wanted({"period_start": "2026-12-01", "period_end": "2026-12-02", "schedules": [entry]})
    {'2026-12-01': {'hours_work': 6.0}, '2026-12-02': {'hours_work': 6.0}}
    """
    wanted: dict[str, dict[str, float]] = {}
    for entry in given.get("schedules") or ():
        hours = {name: entry[name] for name in HOURS if entry[name] is not None}
        days = Period.of(given["period_start"], given["period_end"]).days() if entry["dates"] is None else entry["dates"]
        for day in days:
            wanted[day] = {**wanted.get(day, {}), **hours}
    return wanted


def write_days(tx: Transaction, resource: Row, wanted: Mapping[str, Mapping[str, float]]) -> None:
    described = tx.object("schedule")
    known = {row["date"]: row for row in rows_between(tx, resource["id"], min(wanted), max(wanted)) if row["date"] in wanted}
    pattern = calendar_of(tx, resource, wanted.keys() - known.keys())
    tx.update_many(described, [(row, columns(row, wanted[day])) for day, row in known.items()])
    new = {day: pattern.hours(day, None).columns() for day in sorted(wanted.keys() - known.keys())}
    rows = ({"resource_id": resource["id"], "date": day, **columns(hours, wanted[day])} for day, hours in new.items())
    tx.insert_many(described, rows)


def columns(hours: Mapping[str, Any], given: Mapping[str, float]) -> dict[str, float]:
    """The hours of a day, with those that are given instead."""
    work, leave, absence = (float(given.get(name, hours[name])) for name in HOURS)
    return Hours(work, leave, absence).columns()
