"""The schedule rows of a resource: one for each day of the horizon, from its workdays, its deviations and the public holidays.

Rows are made with the resource, made anew in the background after each of its updates, and one by one where a deviation comes,
changes or goes. A hand-made row stays until then. Nothing here answers a request.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from planwerk.fields import load
from planwerk.rules.deviations import Away, Hours, away_of, period_of, series_of, shortened
from planwerk.rules.holidays import holidays_of
from planwerk.rules.recurrence import Period, days_away, years_from
from planwerk.rules.workdays import LAST, day_of, ordinal
from planwerk.settings import Settings
from planwerk.store.changes import Change
from planwerk.store.schedules import all_resources, resources_without, rows_between, years_with_rows
from planwerk.store.transaction import Row, Transaction

REWRITE, EXTEND = "resource.schedules", "resource.schedules.extend"  # the jobs
DEVIATION, RULE = "schedule_deviation", "schedule_deviation_recurring"
SPARE_DAYS = 30  # of the horizon; with fewer days missing than this nothing is extended
MOST_YEARS = 20  # of a horizon
TELLING = {  # the columns that the hours of a day follow from
    DEVIATION: ("start_date", "end_date", "time", "type"),
    RULE: ("schedule", "interval", "starts_at", "ends_at"),
}


# ── one day ──


@dataclass(frozen=True)
class Calendar:
    """What the hours of a resource's days follow from."""

    week: tuple[float, ...]
    first: str
    last: str
    holds_from: str  # before this day the workdays say nothing
    away: Mapping[str, Collection[Away]]

    def hours(self, day: str, row: Row | None) -> Hours:
        """The hours of a day; `row` is what the day has so far."""
        return shortened(self.work(day, row), self.away.get(day, ()))

    def work(self, day: str, row: Row | None) -> float:
        if day < self.holds_from:
            return float(row["hours_work"]) if row else 0.0
        if not self.first <= day <= self.last:
            return 0.0
        return self.week[(ordinal(day) - 1) % 7]


def calendar_of(tx: Transaction, resource: Row, days: Collection[str]) -> Calendar:
    """The calendar of a resource, complete for the given days."""
    return Calendar(
        week=week_of(resource),
        first=resource["start_date"] or "",
        last=resource["end_date"] or "9999-12-31",
        holds_from=resource["workdays_start_date"] or "",
        away=absences(tx, resource, days) if days else {},
    )


def week_of(resource: Row) -> tuple[float, ...]:
    """
    >>> week_of({"workdays": '{"1": 8, "2": null, "6": 4}'})
    (8.0, 0.0, 0.0, 0.0, 0.0, 4.0, 0.0)
    """
    hours = load(resource["workdays"]) or {}
    return tuple(float(hours.get(str(day)) or 0) for day in range(1, 8))


def absences(tx: Transaction, resource: Row, days: Collection[str]) -> Mapping[str, list[Away]]:
    """By day: what takes hours away."""
    found: dict[str, list[Away]] = defaultdict(list)
    years = sorted({day[:4] for day in days})
    deviations = tx.find(tx.object(DEVIATION), order=("start_date",), resource_id=resource["id"])
    rules = by_deviation(tx.among(RULE, "start_schedule_deviation_id", (row["id"] for row in deviations)))
    for row in deviations:
        for day in days_of(row, rules.get(row["id"], ()), years):
            found[day].append(away_of(row))
    for year in years:
        for day in holidays_of(tx.settings.holidays, int(year)):
            found[day].append(Away(is_leave=True))
    return found


def by_deviation(rules: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for rule in rules:
        found[rule["start_schedule_deviation_id"]].append(rule)
    return found


def days_of(deviation: Row, rules: Iterable[Row], years: Iterable[str]) -> set[str]:
    """The days of a deviation and of its repetitions, as far as they lie in the years."""
    period = period_of(deviation)
    if period is None:
        return set()
    windows, series = [Period.of(f"{year}-01-01", f"{year}-12-31") for year in years], [series_of(rule, deviation) for rule in rules]
    return {day for window in windows for item in (None, *series) for day in days_away(period, item, window)}


# ── all days ──


def horizon(tx: Transaction) -> Period:
    """The days of which every resource has a row."""
    today = tx.now[:10]
    return Period.of(years_from(today, -tx.settings.schedule_years_back), years_from(today, tx.settings.schedule_years_ahead))


def follow_resource(tx: Transaction, row: Row, old: Row | None) -> None:
    """A new resource has its rows at once; those of one that was updated are made anew in the background."""
    if old is None:
        fill(tx, row, list(horizon(tx).days()))
    else:
        tx.enqueue(REWRITE, key=row["id"], resource_id=row["id"])


def fill(tx: Transaction, resource: Row, days: Collection[str]) -> None:
    """Rows for days that have none."""
    calendar = calendar_of(tx, resource, days)
    rows = ({"resource_id": resource["id"], "date": day, **calendar.hours(day, None).columns()} for day in days)
    tx.insert_many(tx.object("schedule"), rows)


def extend(tx: Transaction, arguments: Mapping[str, Any]) -> None:
    """The job that adds what is missing of the horizon, and leaves every row as it is."""
    resource = tx.lock("resource", [arguments["resource_id"]]).get(arguments["resource_id"])
    if resource is not None:
        fill(tx, resource, missing(tx, resource))


def missing(tx: Transaction, resource: Row) -> list[str]:
    """The days of the horizon of which a resource has no row."""
    wanted = horizon(tx)
    known = {row["date"] for row in rows_between(tx, resource["id"], day_of(wanted.first), day_of(wanted.last))}
    return [day for day in wanted.days() if day not in known]


def rewrite(tx: Transaction, arguments: Mapping[str, Any]) -> None:
    """The job that makes every row anew, but for the days before the workdays hold, and adds what is missing."""
    id = arguments["resource_id"]
    resource = tx.lock("resource", [id]).get(id)
    if resource is None:
        return
    recompute(tx, resource, rows_between(tx, id, resource["workdays_start_date"] or "", day_of(LAST)))
    fill(tx, resource, missing(tx, resource))


def recompute(tx: Transaction, resource: Row, rows: Collection[Row]) -> None:
    """Give rows the hours that the calendar says; what is right already is not written."""
    calendar = calendar_of(tx, resource, [row["date"] for row in rows])
    tx.update_many(tx.object("schedule"), [(row, calendar.hours(row["date"], row).columns()) for row in rows])


# ── deviations ──


def follow_deviations(tx: Transaction, changes: list[Change]) -> None:
    """The days that deviations and their rules concerned before, and concern now, are made anew."""
    telling = [change for change in changes if change.moves(*TELLING[change.name])]
    places = {change.row["resource_id"] for change in telling if change.name == DEVIATION}
    ids = {change.row["id" if change.name == DEVIATION else "start_schedule_deviation_id"] for change in telling}
    places |= {row["resource_id"] for row in tx.among(DEVIATION, "id", ids)}
    for resource in tx.lock("resource", places).values():
        deviations, rules = tx.among(DEVIATION, "id", ids), tx.among(RULE, "start_schedule_deviation_id", ids)
        states = (deviations, rules), (before(deviations, telling, DEVIATION), before(rules, telling, RULE))
        years = years_with_rows(tx, resource["id"])
        days = {day for state in states for day in concerned(resource, *state, years)}
        recompute(tx, resource, [row for row in rows_around(tx, resource, days) if row["date"] in days])


def before(rows: Iterable[Row], changes: Collection[Change], name: str) -> list[Row]:
    """The rows of one kind as they were before they changed."""
    found = {row["id"]: row for row in rows}
    for change in reversed([change for change in changes if change.name == name]):
        if change.old is None:
            found.pop(change.row["id"], None)
        else:
            found[change.row["id"]] = change.old
    return list(found.values())


def concerned(resource: Row, deviations: Iterable[Row], rules: Iterable[Row], years: Collection[str]) -> Iterator[str]:
    grouped = by_deviation(rules)
    for deviation in deviations:
        if deviation["resource_id"] == resource["id"]:
            yield from days_of(deviation, grouped.get(deviation["id"], ()), years)


def rows_around(tx: Transaction, resource: Row, days: Collection[str]) -> list[Row]:
    return rows_between(tx, resource["id"], min(days), max(days)) if days else []


# ── time goes by ──


def keep_horizon(tx: Transaction) -> None:
    """Leave work for the resources whose rows end too early."""
    least = day_of(horizon(tx).last - SPARE_DAYS)
    for id in resources_without(tx, least):
        tx.enqueue(EXTEND, key=id, resource_id=id)


def renew(tx: Transaction) -> None:
    """Leave work for every resource, because other days are free than before."""
    for id in all_resources(tx):
        tx.enqueue(REWRITE, key=id, resource_id=id)


def calendar_faults(settings: Settings) -> Iterator[str]:
    """What the settings say that no calendar can be made from, in sentences.

    >>> list(calendar_faults(Settings(holidays="NL"))), len(list(calendar_faults(Settings(holidays="?", schedule_years_ahead=-1))))
    ([], 2)
    """
    for name in ("schedule_years_back", "schedule_years_ahead"):
        if not 0 <= getattr(settings, name) <= MOST_YEARS:
            yield f"{name} must lie between 0 and {MOST_YEARS}"
    try:
        holidays_of(settings.holidays, 2026)
    except ValueError as error:
        yield str(error)
