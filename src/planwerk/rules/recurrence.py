"""Days as periods, and the rules that repeat them; pure.

Comes in: `YYYY-MM-DD` texts and a rule of day, week, month or year steps. Goes out: the days. The steps are those of RFC 5545: a
rule that begins on the 31st skips the months without one. Inside, days are ordinals, so that no period leaves the calendar.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from dateutil.relativedelta import relativedelta
from dateutil.rrule import DAILY, MONTHLY, WEEKLY, YEARLY, rrule

from planwerk.rules.workdays import LAST, day_of, ordinal

STEPS: Mapping[str, Literal[0, 1, 2, 3]] = {"day": DAILY, "week": WEEKLY, "month": MONTHLY, "year": YEARLY}
LONGEST_YEARS = 5  # of a period in a body


@dataclass(frozen=True, slots=True)
class Period:
    """The days from the first to the last, both included; none if they are reversed.

    >>> list(Period.of("2026-12-30", "2027-01-01").days())
    ['2026-12-30', '2026-12-31', '2027-01-01']
    """

    first: int
    last: int

    @classmethod
    def of(cls, first: str, last: str) -> "Period":
        return cls(ordinal(first), ordinal(last))

    def within(self, other: "Period") -> "Period":
        """The days that both have."""
        return Period(max(self.first, other.first), min(self.last, other.last))

    def days(self) -> Iterator[str]:
        return (day_of(number) for number in range(self.first, self.last + 1))


@dataclass(frozen=True, slots=True)
class Series:
    """A rule that names days: every `interval` days, weeks, months or years from the first day on, until the last one.

    >>> monthly = Series("month", 1, "2026-01-31")
    >>> [day_of(day) for day in monthly.starts(Period.of("2026-02-01", "2026-06-30"))]
    ['2026-03-31', '2026-05-31']
    """

    step: str
    interval: int
    first: str
    until: str | None = None

    def starts(self, period: Period) -> list[int]:
        """The days of the rule that lie in the period."""
        first = max(ordinal(self.first), period.first)
        last = min(ordinal(self.until) if self.until else LAST, period.last)
        if first > last:
            return []
        rule = rrule(STEPS[self.step], self.begin(first), self.interval, until=dt.datetime.fromordinal(last), **self.place())
        return [day for day in (found.toordinal() for found in rule) if day >= first]

    def begin(self, day: int) -> dt.datetime:
        """The last step not after the given day, to count from: a rule as old as the calendar costs no more than a new one."""
        first, now = dt.date.fromisoformat(self.first), dt.date.fromordinal(day)
        if self.step == "year":
            return dt.datetime(self.stepped(first.year, now.year), 1, 1)
        if self.step == "month":
            year, month = divmod(self.stepped(first.year * 12 + first.month - 1, now.year * 12 + now.month - 1), 12)
            return dt.datetime(year, month + 1, 1)
        weeks = 7 if self.step == "week" else 1
        return dt.datetime.fromordinal(first.toordinal() + self.stepped(0, (day - first.toordinal()) // weeks) * weeks)

    def stepped(self, first: int, now: int) -> int:
        return first + (now - first) // self.interval * self.interval

    def place(self) -> dict[str, Any]:
        """Where in a month or a year the days lie."""
        first = dt.date.fromisoformat(self.first)
        return {"month": {"bymonthday": first.day}, "year": {"bymonth": first.month, "bymonthday": first.day}}.get(self.step, {})


def days_away(away: Period, series: Series | None, window: Period) -> set[str]:
    """The days of a period and of its repetitions, each as long as itself, as far as they lie in the window.

    >>> sorted(days_away(Period.of("2026-11-26", "2026-11-27"), Series("week", 2, "2026-11-26"), Period.of("2026-11-27", "2026-12-11")))
    ['2026-11-27', '2026-12-10', '2026-12-11']
    """
    length = away.last - away.first
    seen = Period(max(1, window.first - length), window.last)
    starts = {away.first, *(series.starts(seen) if series else ())}
    return {day for start in starts for day in Period(start, start + length).within(window).days()}


def years_from(day: str, years: int) -> str:
    """The same day so many years later or, if negative, earlier; the calendar's end where it has none.

    >>> years_from("2028-02-29", 1), years_from("2026-11-26", -1), years_from("9998-01-01", 5)
    ('2029-02-28', '2025-11-26', '9999-12-31')
    """
    try:
        return (dt.date.fromisoformat(day) + relativedelta(years=years)).isoformat()
    except (ValueError, OverflowError):
        return day_of(LAST if years > 0 else 1)


def is_too_long(first: str, last: str) -> bool:
    """
    >>> is_too_long("2026-01-01", "2031-01-01"), is_too_long("2026-01-01", "2031-01-02")
    (False, True)
    """
    return last > years_from(first, LONGEST_YEARS)
