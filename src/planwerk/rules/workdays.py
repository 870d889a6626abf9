"""The days of a board that are open for planning, and counting in them; pure.

Days are `YYYY-MM-DD` texts outside and ordinals inside (1 is 0001-01-01, a Monday), so that a step over any number of weeks
costs the same. A day beyond the year 9999 raises `BeyondCalendar`.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from planwerk.fields import load

LAST = dt.date.max.toordinal()


class BeyondCalendar(Exception):
    """A day that the calendar does not have."""


@dataclass(frozen=True)
class Workdays:
    """Which weekdays are open, Monday first.

    >>> week = Workdays((True, True, True, True, True, False, False))
    >>> week.add("2026-11-27", 1), week.add("2026-11-28", 0), week.add("2026-11-30", -1)
    ('2026-11-30', '2026-11-30', '2026-11-27')
    >>> week.between("2026-11-27", "2026-12-01"), week.between("2026-11-28", "2026-11-29")
    (3, 0)
    """

    is_open: tuple[bool, ...]

    @cached_property
    def offsets(self) -> list[int]:
        """The open weekdays, 0 for Monday."""
        return [weekday for weekday, is_open in enumerate(self.is_open) if is_open]

    @property
    def is_closed(self) -> bool:
        """Whether no day is open at all."""
        return not self.offsets

    def number(self, day: int) -> int:
        """How many open days lie before the day with this ordinal."""
        weeks, weekday = divmod(day - 1, 7)
        return weeks * len(self.offsets) + sum(self.is_open[:weekday])

    def open(self, day: str) -> bool:
        return self.is_open[dt.date.fromisoformat(day).weekday()]

    def between(self, first: str, last: str) -> int:
        """The open days from the first to the last, both included; 0 if they are reversed."""
        return max(0, self.number(ordinal(last) + 1) - self.number(ordinal(first)))

    def add(self, day: str, count: int) -> str:
        """The open day `count` open days later (earlier if negative); a closed day counts as the next open one (the last)."""
        number = self.number(ordinal(day) if count >= 0 else ordinal(day) + 1) - (0 if count >= 0 else 1)
        return self.nth(number + count)

    def on_or_after(self, day: str) -> str:
        return self.add(day, 0)

    def on_or_before(self, day: str) -> str:
        return self.nth(self.number(ordinal(day) + 1) - 1)

    def nth(self, number: int) -> str:
        """The open day that has `number` open days before it."""
        weeks, place = divmod(number, len(self.offsets))
        return day_of(weeks * 7 + self.offsets[place] + 1)


def workdays_of(board: Mapping[str, Any]) -> Workdays:
    """The workdays of a board's row; a weekday that is not named is as the default has it."""
    named = load(board["workdays"]) or {}
    defaults = (True, True, True, True, True, False, False)
    return Workdays(tuple(bool(default if named.get(str(day)) is None else named[str(day)]) for day, default in enumerate(defaults, 1)))


def ordinal(day: str) -> int:
    return dt.date.fromisoformat(day).toordinal()


def day_of(number: int) -> str:
    if not 1 <= number <= LAST:
        raise BeyondCalendar("the day lies beyond the calendar")
    return dt.date.fromordinal(number).isoformat()


def days_between(first: str, last: str) -> int:
    """Calendar days from one day to another."""
    return ordinal(last) - ordinal(first)
