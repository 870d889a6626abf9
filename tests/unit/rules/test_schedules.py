"""The calendar's arithmetic: periods, repetitions, hours, holidays; and the deletion of many rows at once.

To see it fail: count `Series.begin` from the day after, or let absence take what leave has taken already.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import given, strategies as some
from tests.unit.rules.plant import OBJECTS, Plant

from planwerk.commands.doctor import setting_faults
from planwerk.errors import Refusal
from planwerk.rules.deviations import Away, Hours, period_of, series_of, shortened
from planwerk.rules.holidays import holidays_of
from planwerk.rules.recurrence import STEPS, Period, Series, days_away
from planwerk.rules.schedule_periods import days_named, hours_wanted
from planwerk.rules.schedules import Calendar, calendar_faults, extend, follow_resource, rewrite
from planwerk.rules.workdays import day_of
from planwerk.settings import Settings
from planwerk.store.changes import Change
from planwerk.store.transaction import Transaction

Job = Callable[[Transaction, Mapping[str, Any]], None]
DAYS = some.dates(dt.date(2020, 1, 1), dt.date(2030, 12, 31)).map(dt.date.isoformat)
AWAY = some.lists(some.builds(Away, some.booleans(), some.integers(0, 1500)), max_size=5)


# ── repetitions ──


@pytest.mark.parametrize(
    ("series", "first", "last", "expected"),
    [
        (Series("day", 3, "2026-01-01"), "2026-01-05", "2026-01-12", ["2026-01-07", "2026-01-10"]),
        (Series("week", 2, "2026-01-01"), "2026-01-10", "2026-02-01", ["2026-01-15", "2026-01-29"]),
        (Series("month", 1, "2026-01-31"), "2026-02-01", "2026-05-31", ["2026-03-31", "2026-05-31"]),
        (Series("month", 2, "2026-01-15"), "2026-01-01", "2026-06-01", ["2026-01-15", "2026-03-15", "2026-05-15"]),
        (Series("year", 1, "2024-02-29"), "2025-01-01", "2029-01-01", ["2028-02-29"]),
        (Series("week", 1, "2026-01-01", "2026-01-14"), "2026-01-02", "2026-02-01", ["2026-01-08"]),
        (Series("week", 1, "2026-01-01", "2025-01-01"), "2026-01-01", "2026-02-01", []),
        (Series("week", 1, "2027-01-01"), "2026-01-01", "2026-02-01", []),
        (Series("day", 1, "0001-01-01"), "9999-12-30", "9999-12-31", ["9999-12-30", "9999-12-31"]),
        (Series("year", 1000, "9500-01-01"), "9000-01-01", "9999-12-31", ["9500-01-01"]),
    ],
)
def test_a_series_names_the_days_of_its_steps(series: Series, first: str, last: str, expected: list[str]) -> None:
    assert [day_of(day) for day in series.starts(Period.of(first, last))] == expected


@given(some.sampled_from(sorted(STEPS)), some.integers(1, 40), DAYS, DAYS, some.integers(0, 400))
def test_a_window_shows_what_the_whole_series_has_there(step: str, interval: int, begin: str, first: str, length: int) -> None:
    series, window = Series(step, interval, begin), Period.of(first, first)
    window = Period(window.first, window.first + length)
    whole = series.starts(Period.of("2020-01-01", "2033-01-01"))
    assert series.starts(window) == [day for day in whole if window.first <= day <= window.last]


@given(DAYS, some.integers(0, 20), some.sampled_from(sorted(STEPS)), some.integers(1, 9), DAYS, some.integers(0, 60))
def test_a_day_is_away_if_a_repetition_that_began_before_reaches_it(
    first: str, length: int, step: str, interval: int, window_first: str, window_length: int
) -> None:
    away = Period(Period.of(first, first).first, Period.of(first, first).first + length)
    window = Period(Period.of(window_first, window_first).first, Period.of(window_first, window_first).first + window_length)
    starts = Series(step, interval, first).starts(Period.of("2020-01-01", "2032-01-01"))
    reached = {day for day in range(window.first, window.last + 1) if any(start <= day <= start + length for start in starts)}
    assert days_away(away, Series(step, interval, first), window) == {day_of(day) for day in reached}


def deviation(**values: Any) -> dict[str, Any]:
    return {"start_date": None, "end_date": None, **values}


def test_a_deviation_without_dates_has_no_days_and_no_series() -> None:
    rule = {"schedule": "week", "interval": 1, "starts_at": None, "ends_at": None}
    assert period_of(deviation()) is None
    assert series_of(rule, deviation()) is None
    assert series_of(None, deviation(start_date="2026-01-01")) is None
    assert series_of(rule, deviation(start_date="2026-01-01")) == Series("week", 1, "2026-01-01")
    assert period_of(deviation(end_date="2026-01-02")) == Period.of("2026-01-02", "2026-01-02")


# ── hours ──


@given(some.integers(0, 24), AWAY)
def test_what_is_away_and_what_is_left_make_up_the_work(work: int, away: list[Away]) -> None:
    found = shortened(float(work), away)
    assert found.leave >= 0
    assert found.absence >= 0
    assert found.leave + found.absence <= work + 1e-9
    assert found.columns()["hours_available"] == pytest.approx(work - found.leave - found.absence)


@given(some.integers(0, 24), AWAY)
def test_leave_does_not_depend_on_absence(work: int, away: list[Away]) -> None:
    assert shortened(float(work), away).leave == shortened(float(work), [item for item in away if item.is_leave]).leave


@pytest.mark.parametrize(
    ("day", "row", "expected"),
    [
        ("2026-03-01", None, 0.0),
        ("2026-03-02", {"hours_work": 5}, 5.0),
        ("2026-03-03", {"hours_work": 5}, 8.0),
        ("2026-03-05", None, 0.0),
    ],
)
def test_workdays_hold_from_their_day_on_and_within_the_days_of_the_resource(day: str, row: Any, expected: float) -> None:
    calendar = Calendar((8.0,) * 7, "2026-01-01", "2026-03-04", "2026-03-03", {})
    assert calendar.hours(day, row) == Hours(expected)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"year": "2028"}, ("2028-01-01", "2028-12-31")),
        ({"year": "2028", "month": "02"}, ("2028-02-01", "2028-02-29")),
        ({"year": "2028", "month": "12", "day": "1"}, ("2028-12-01", "2028-12-01")),
        ({"year": "9999"}, ("9999-01-01", "9999-12-31")),
        ({"year": "1", "month": "1", "day": "1"}, ("0001-01-01", "0001-01-01")),
    ],
)
def test_a_path_names_a_year_a_month_or_a_day(values: dict[str, str], expected: tuple[str, str]) -> None:
    assert tuple(map(str, days_named(values))) == expected


@pytest.mark.parametrize("parts", [("0000",), ("2026", "13"), ("2026", "2", "29"), ("10000",), ("2026", ""), ("2026", "1", "32"), ("x",)])
def test_what_no_calendar_has_is_not_found(parts: tuple[str, ...]) -> None:
    with pytest.raises(Refusal) as refused:
        days_named(dict(zip(("year", "month", "day"), parts, strict=False)))
    assert refused.value.status == 404


def test_of_two_entries_for_a_day_the_later_counts_and_the_rest_of_the_earlier_stays() -> None:
    empty = {"hours_work": None, "hours_leave": None, "hours_absence": None, "dates": ["2026-12-01"]}
    entries = [{**empty, "hours_work": 6.0, "hours_leave": 1.0}, {**empty, "hours_work": 0.0}]
    wanted = hours_wanted({"period_start": "2026-12-01", "period_end": "2026-12-02", "schedules": entries})
    assert wanted == {"2026-12-01": {"hours_work": 0.0, "hours_leave": 1.0}}


# ── holidays and settings ──


def test_a_part_of_a_country_has_holidays_of_its_own() -> None:
    assert "2026-01-06" in holidays_of("de-by", 2026) - holidays_of("DE", 2026)
    assert holidays_of(" ", 2026) == frozenset()


@pytest.mark.parametrize("code", ["XX", "NL-QQ", "Netherlands!", "-"])
def test_a_country_that_nobody_knows_is_refused_with_a_sentence(code: str) -> None:
    assert list(calendar_faults(Settings(holidays=code))) == [
        f"holidays: there is no calendar for {code}; write a country such as NL, or a part of one such as DE-BY"
    ]
    assert any("no calendar" in fault for fault in setting_faults(Settings(holidays=code)))


@pytest.mark.parametrize("name", ["schedule_years_back", "schedule_years_ahead"])
@pytest.mark.parametrize("years", [-1, 21, 10_000])
def test_a_horizon_is_neither_reversed_nor_endless(name: str, years: int) -> None:
    chosen: dict[str, Any] = {name: years}
    assert list(calendar_faults(replace(Settings(), **chosen))) == [f"{name} must lie between 0 and 20"]


# ── in a database ──


def new_resource(tx: Transaction) -> dict[str, Any]:
    row = tx.insert(OBJECTS["resource"], {"name": "saw"})
    follow_resource(tx, row, None)
    return row


def test_many_rows_are_deleted_in_one_statement_and_everybody_hears_of_each(plant: Plant) -> None:
    resource = plant.work(new_resource)

    def work(tx: Transaction) -> list[Change]:
        tx.delete(OBJECTS["resource"], resource)
        return tx.changes.log

    changes = [change for change in plant.work(work) if change.name == "schedule"]
    assert len(changes) > 1000
    assert all(change.old is not None and change.new is None for change in changes)
    assert plant.work(lambda tx: tx.find(OBJECTS["schedule"], resource_id=resource["id"])) == []


def test_a_job_about_a_resource_that_is_gone_does_nothing(plant: Plant) -> None:
    for job in (rewrite, extend):
        plant.work(partial(job, arguments={"resource_id": "gone"}))
    assert plant.work(lambda tx: tx.find(OBJECTS["schedule"])) == []


def test_a_job_that_is_done_twice_writes_once(plant: Plant) -> None:
    id = plant.add("resource", name="saw")["id"]

    def changes(tx: Transaction, job: Job) -> int:
        job(tx, {"resource_id": id})
        return len(tx.changes.log)

    counts = [plant.work(partial(changes, job=job)) for job in (extend, extend, rewrite, rewrite)]
    assert counts[0] > 1000
    assert counts[1:] == [0, 0, 0]


@pytest.mark.parametrize("step", sorted(STEPS))
def test_a_rule_as_old_as_the_calendar_is_counted_from_near_by(step: str) -> None:
    begin = Series(step, 7, "0001-01-31").begin(Period.of("2026-11-26", "2026-11-26").first)
    assert dt.datetime(2019, 11, 1) < begin <= dt.datetime(2026, 11, 26)
