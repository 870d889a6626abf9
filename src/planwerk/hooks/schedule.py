"""When a delivery is tried again: attempt number and answer → how many seconds to wait, or that it is over. Pure.

The pauses are those of docs/decisions; each is stretched or shortened by up to a fifth, so that receivers which come back are
not hit by everything at once.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

PAUSES = (5, 60, 300, 1800, 7200, 18_000, 36_000, 86_400)  # seconds: 5 s, 1 min, 5 min, 30 min, 2 h, 5 h, 10 h, 24 h
JITTER = 0.2
GONE = 410  # the receiver wants nothing more (RFC 9110, section 15.5.11): the webhook is switched off
SLOW_DOWN = (429, 502, 503, 504)  # whose Retry-After counts
WARN_AT, SUSPEND_AT = 100, 250  # failed messages in a row
SUSPENDED_HOURS = 24


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from an attempt. `pause_seconds` is None when there is no further one."""

    is_accepted: bool
    pause_seconds: float | None = None
    is_gone: bool = False


def judge(attempts: int, status: int | None, retry_after: str = "", *, now: dt.datetime, chance: Callable[[], float]) -> Verdict:
    """The verdict on attempt number `attempts` (the first is 1). `status` is None where no answer came; `chance` gives 0 to 1.

    A Retry-After is honoured between the planned pause and twice of it, as no receiver may hurry or stop the others.
    """
    if status is not None and 200 <= status <= 299:
        return Verdict(is_accepted=True)
    if status == GONE:
        return Verdict(is_accepted=False, is_gone=True)
    if attempts > len(PAUSES):
        return Verdict(is_accepted=False)
    planned = PAUSES[attempts - 1]
    pause = planned * (1 + JITTER * (2 * chance() - 1))
    if status in SLOW_DOWN and (asked := seconds_of(retry_after, now)) is not None:
        pause = min(max(asked, planned), 2 * planned)
    return Verdict(is_accepted=False, pause_seconds=pause)


def seconds_of(retry_after: str, now: dt.datetime) -> float | None:
    """A Retry-After header in seconds from now (RFC 9110, section 10.2.3); None for nonsense.

    >>> now = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)
    >>> seconds_of("120", now), seconds_of("Mon, 02 Mar 2026 08:01:00 GMT", now), seconds_of("soon", now), seconds_of("-3", now)
    (120.0, 60.0, None, None)
    """
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return max(0.0, (moment - now).total_seconds()) if moment.tzinfo else None
