"""The calendar of a capacity read: which days a range has, to which periods they add up, and which ranges are refused."""

import datetime as dt

import pytest

from planwerk.errors import Refusal
from planwerk.rules.capacity import FIRST_DAYS, calendar, span


@pytest.mark.parametrize(
    ("first", "last", "frame", "expected"),
    [
        ("2026-11-27", "2026-11-30", "day", ["2026-11-27", "2026-11-28", "2026-11-29", "2026-11-30"]),
        ("2026-11-29", "2026-11-30", "week", ["2026-11-23", "2026-11-30"]),
        ("2027-01-01", "2027-01-03", "week", ["2026-12-28"]),
        ("0001-01-01", "0001-01-08", "week", ["0001-01-01", "0001-01-08"]),
        ("2026-11-30", "2027-01-01", "month", ["2026-11-01", "2026-12-01", "2027-01-01"]),
        ("2026-03-31", "2026-12-31", "quarter", ["2026-01-01", "2026-04-01", "2026-07-01", "2026-10-01"]),
        ("2026-12-31", "2028-01-01", "year", ["2026-01-01", "2027-01-01", "2028-01-01"]),
        ("9999-12-31", "9999-12-31", "month", ["9999-12-01"]),
    ],
)
def test_a_period_is_named_by_its_first_day(first: str, last: str, frame: str, expected: list[str]) -> None:
    assert [name for _, name in calendar(*span(first, last), frame).periods] == expected


@pytest.mark.parametrize("frame", FIRST_DAYS)
def test_every_day_lies_in_one_period_and_days_are_numbered_one_by_one(frame: str) -> None:
    first, last = span("2026-11-27", "2031-11-26")
    found = calendar(first, last, frame)
    assert [day for day, _, _ in found.days] == [str(first + dt.timedelta(number)) for number in range((last - first).days + 1)]
    assert {place for _, place, _ in found.days} == {place for place, _ in found.periods} == set(range(len(found.periods)))
    assert [number % 7 == 0 for _, _, number in found.days] == [dt.date.fromisoformat(day).weekday() == 0 for day, _, _ in found.days]
    assert {number - found.days[0][2] for _, _, number in found.days} == set(range(len(found.days)))


@pytest.mark.parametrize(("start", "end"), [("2026-11-27", "2026-11-26"), ("2026-11-27", "2031-11-27"), ("2024-02-29", "2029-03-01")])
def test_a_range_runs_forward_and_no_longer_than_five_years(start: str, end: str) -> None:
    with pytest.raises(Refusal) as refused:
        span(start, end)
    assert (refused.value.status, refused.value.faults[0].property) == (400, "date_range_end")


@pytest.mark.parametrize(("start", "end"), [("2026-11-27", "2026-11-27"), ("2026-11-27", "2031-11-26"), ("2024-02-29", "2029-02-28")])
def test_one_day_and_five_years_are_ranges(start: str, end: str) -> None:
    assert span(start, end) == (dt.date.fromisoformat(start), dt.date.fromisoformat(end))
