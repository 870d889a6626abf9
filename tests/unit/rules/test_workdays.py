"""Counting in open days, against walking day by day."""

import datetime as dt

import pytest
from hypothesis import given, strategies as st

from planwerk.rules.workdays import BeyondCalendar, Workdays, workdays_of

WEEKS = st.tuples(*[st.booleans()] * 7).filter(any).map(Workdays)
DAYS = st.dates(dt.date(1999, 12, 1), dt.date(2032, 3, 1))
MONDAYS = Workdays((True, False, False, False, False, False, False))


def walk(week: Workdays, day: dt.date, count: int) -> dt.date:
    """The open day so many open days on, one day at a time."""
    step = dt.timedelta(days=1 if count >= 0 else -1)
    while not week.open(day.isoformat()):
        day += step
    for _ in range(abs(count)):
        day += step
        while not week.open(day.isoformat()):
            day += step
    return day


@given(week=WEEKS, day=DAYS, count=st.integers(-40, 40))
def test_a_step_over_open_days_is_what_walking_finds(week: Workdays, day: dt.date, count: int) -> None:
    assert week.add(day.isoformat(), count) == walk(week, day, count).isoformat()


@given(week=WEEKS, first=DAYS, length=st.integers(-3, 60))
def test_the_open_days_between_two_are_those_one_meets(week: Workdays, first: dt.date, length: int) -> None:
    last = first + dt.timedelta(days=length)
    met = sum(week.open((first + dt.timedelta(days=day)).isoformat()) for day in range(length + 1))
    assert week.between(first.isoformat(), last.isoformat()) == met


@given(week=WEEKS, day=DAYS)
def test_the_nearest_open_days_are_open_and_nearest(week: Workdays, day: dt.date) -> None:
    after, before = week.on_or_after(day.isoformat()), week.on_or_before(day.isoformat())
    assert before <= day.isoformat() <= after
    assert week.open(after)
    assert week.open(before)
    assert week.between(before, after) == (1 if before == after else 2)


@pytest.mark.parametrize(("day", "count"), [("9999-12-28", 1), ("9999-12-31", 0), ("0001-01-01", -1), ("2026-01-01", 10**9)])
def test_there_is_no_day_beyond_the_calendar(day: str, count: int) -> None:
    with pytest.raises(BeyondCalendar):
        MONDAYS.add(day, count)


def test_a_weekday_that_a_board_does_not_name_is_as_it_usually_is() -> None:
    assert workdays_of({"workdays": '{"6": true, "1": false, "2": null}'}).is_open == (False, True, True, True, True, True, False)
    assert workdays_of({"workdays": None}).is_open == (True, True, True, True, True, False, False)
