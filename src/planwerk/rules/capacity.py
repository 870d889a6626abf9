"""The capacity of a board over a span of days: what is asked for → a calendar of periods → the text of the answer.

The calendar is worked out here, the figures in `store.capacity`. Nothing here writes.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from planwerk.actor import Actor
from planwerk.errors import BAD_REQUEST, NOT_FOUND, Refusal, refuse
from planwerk.fields import UUID
from planwerk.store.capacity import Calendar, capacity
from planwerk.store.transaction import Transaction

MOST_YEARS = 5
JULIAN = 1_721_425  # the Julian day before 0001-01-01, whose ordinal is 1


def of_stages(tx: Transaction, actor: Actor, path: Mapping[str, str], given: Mapping[str, Any]) -> str:  # noqa: ARG001 (an action)
    return answer(tx, "stage", path, given)


def of_resource_types(tx: Transaction, actor: Actor, path: Mapping[str, str], given: Mapping[str, Any]) -> str:  # noqa: ARG001
    return answer(tx, "resource_type", path, given)


def of_resources(tx: Transaction, actor: Actor, path: Mapping[str, str], given: Mapping[str, Any]) -> str:  # noqa: ARG001
    return answer(tx, "resource", path, given)


def of_groups(tx: Transaction, actor: Actor, path: Mapping[str, str], given: Mapping[str, Any]) -> str:  # noqa: ARG001
    return answer(tx, "group", path, given)


def answer(tx: Transaction, view: str, path: Mapping[str, str], given: Mapping[str, Any]) -> str:
    """The JSON text of a view; refuses a span or a stage that makes no sense."""
    first, last = span(given["date_range_start"], given["date_range_end"])
    board_id, stage_id = path["board_id"].lower(), given.get("stage_id") or ""
    if not UUID.fullmatch(board_id) or tx.first(tx.object("board"), id=board_id) is None:
        raise refuse(NOT_FOUND, "board not found")
    if stage_id and tx.first(tx.object("stage"), id=stage_id, board_id=board_id) is None:
        raise refuse(BAD_REQUEST, "stage_id names no stage of this board", "stage_id")
    return capacity(tx, view, board_id, stage_id, calendar(first, last, given.get("time_frame") or "day"))


def span(start: str, end: str) -> tuple[dt.date, dt.date]:
    """The first and the last day.

    >>> span("2026-11-01", "2031-10-31")
    (datetime.date(2026, 11, 1), datetime.date(2031, 10, 31))
    >>> span("2026-11-01", "2026-10-31")
    Traceback (most recent call last):
    planwerk.errors.Refusal: date_range_end must not lie before date_range_start
    >>> span("2026-11-01", "2031-11-01")
    Traceback (most recent call last):
    planwerk.errors.Refusal: date_range_end must lie within 5 years of date_range_start
    """
    first, last = dt.date.fromisoformat(start), dt.date.fromisoformat(end)
    if last < first:
        raise at_the_end("must not lie before date_range_start")
    if (last.year - MOST_YEARS, last.month, last.day) >= (first.year, first.month, first.day):
        raise at_the_end(f"must lie within {MOST_YEARS} years of date_range_start")
    return first, last


def at_the_end(sentence: str) -> Refusal:
    return refuse(BAD_REQUEST, f"date_range_end {sentence}", "date_range_end")


def calendar(first: dt.date, last: dt.date, time_frame: str) -> Calendar:
    """Every day with the place of its period, and the periods in order.

    >>> calendar(dt.date(2026, 12, 31), dt.date(2027, 1, 1), "month")
    Calendar(days=[('2026-12-31', 0, 2461406), ('2027-01-01', 1, 2461407)], periods=[(0, '2026-12-01'), (1, '2027-01-01')])
    >>> calendar(dt.date(2026, 12, 31), dt.date(2027, 1, 1), "week").periods
    [(0, '2026-12-28')]
    """
    days: list[tuple[str, int, int]] = []
    periods: list[tuple[int, str]] = []
    for day in days_from(first, last):
        name = FIRST_DAYS[time_frame](day).isoformat()
        if not periods or periods[-1][1] != name:
            periods.append((len(periods), name))
        days.append((day.isoformat(), periods[-1][0], day.toordinal() + JULIAN))
    return Calendar(days, periods)


def days_from(first: dt.date, last: dt.date) -> Iterator[dt.date]:
    return map(dt.date.fromordinal, range(first.toordinal(), last.toordinal() + 1))


FIRST_DAYS: Mapping[str, Callable[[dt.date], dt.date]] = {
    "day": lambda day: day,
    "week": lambda day: dt.date.fromordinal(day.toordinal() - day.weekday()),
    "month": lambda day: day.replace(day=1),
    "quarter": lambda day: day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1),
    "year": lambda day: day.replace(month=1, day=1),
}
