"""When a delivery is tried again: every attempt, every answer that means something of its own, and a clock that stands still.

To see it fail: change a pause, leave out the jitter or its bounds, honour Retry-After without bounds, or go on after the last.
"""

import datetime as dt
from itertools import pairwise

import pytest
from hypothesis import given, strategies as some

from planwerk.hooks.schedule import JITTER, PAUSES, judge, seconds_of

NOW = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)
MIDDLE = 0.5  # of chance: no jitter
GOOD, GONE = 204, 410
LAST = len(PAUSES) + 1


def pause(attempts: int, status: int | None = 500, retry_after: str = "", chance: float = MIDDLE) -> float | None:
    return judge(attempts, status, retry_after, now=NOW, chance=lambda: chance).pause_seconds


def test_a_message_is_tried_nine_times_within_three_days() -> None:
    assert [pause(attempts) for attempts in range(1, LAST)] == [5, 60, 300, 1800, 7200, 18_000, 36_000, 86_400]
    assert pause(LAST) is None
    assert sum(PAUSES) < 3 * 86_400


@pytest.mark.parametrize("attempts", range(1, LAST))
def test_each_pause_is_moved_by_a_fifth_at_most(attempts: int) -> None:
    planned = PAUSES[attempts - 1]
    moved = [pause(attempts, chance=chance / 10) for chance in range(11)]
    assert moved[0] == pytest.approx(planned * (1 - JITTER))
    assert moved[10] == pytest.approx(planned * (1 + JITTER))
    assert all(earlier < later for earlier, later in pairwise(value or 0 for value in moved))
    assert JITTER == 0.2


@pytest.mark.parametrize("status", [200, 201, 204, 250, 299])
def test_any_2xx_accepts_whatever_attempt_it_is(status: int) -> None:
    for attempts in range(1, LAST + 2):
        verdict = judge(attempts, status, "60", now=NOW, chance=lambda: MIDDLE)
        assert (verdict.is_accepted, verdict.pause_seconds, verdict.is_gone) == (True, None, False)


@pytest.mark.parametrize("status", [None, 100, 199, 300, 301, 302, 304, 307, 308, 400, 401, 404, 429, 499, 500, 503, 599])
def test_everything_else_is_tried_again(status: int | None) -> None:
    verdict = judge(1, status, now=NOW, chance=lambda: MIDDLE)
    assert (verdict.is_accepted, verdict.pause_seconds, verdict.is_gone) == (False, 5, False)


@pytest.mark.parametrize("attempts", [1, 5, LAST])
def test_410_ends_it(attempts: int) -> None:
    verdict = judge(attempts, GONE, "60", now=NOW, chance=lambda: MIDDLE)
    assert (verdict.is_accepted, verdict.pause_seconds, verdict.is_gone) == (False, None, True)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
@pytest.mark.parametrize(
    ("retry_after", "expected"),
    [
        ("0", 60),
        ("59", 60),
        ("61", 61),
        ("120", 120),
        ("121", 120),
        ("1000000000", 120),
        ("9" * 5000, 120),
        (" 90 ", 90),
        ("Mon, 02 Mar 2026 08:01:30 GMT", 90),
        ("Mon, 02 Mar 2026 09:01:30 +0100", 90),
        ("Monday, 02-Mar-26 08:01:30 GMT", 90),
        ("Sun, 01 Mar 2026 08:00:00 GMT", 60),
        ("Mon, 02 Mar 2099 08:00:00 GMT", 120),
        ("", None),
        ("soon", None),
        ("-3", None),
        ("1e3", None),
        ("1.5", None),
        ("٣", None),
        ("2026-03-02T08:01:30Z", None),
        ("Mon, 02 Mar 2026 08:01:30", None),
        ("Mon, 02 Mar 99999999999999 08:01:30 GMT", None),
        ("Mon, 02 Mar 2026 08:01:30 +99999999999999999999", None),
        ("Fri, 31 Dec 9999 23:59:59 -2359", 120),
    ],
)
def test_retry_after_counts_between_the_planned_pause_and_twice_of_it(status: int, retry_after: str, expected: float | None) -> None:
    for chance in (0.0, MIDDLE, 1.0):
        found = pause(2, status, retry_after, chance)
        assert found == (expected if expected is not None else pytest.approx(60 * (0.8 + 0.4 * chance)))


@pytest.mark.parametrize("status", [None, 400, 500, 501])
def test_retry_after_of_other_answers_does_not_count(status: int | None) -> None:
    assert pause(2, status, "120") == 60


def test_retry_after_does_not_add_an_attempt() -> None:
    assert pause(LAST, 429, "120") is None


@given(text=some.text(max_size=60) | some.from_regex(r"\A\w{3}, \d{1,9} \w{3} \d{1,20} \d{1,9}:\d\d:\d\d( GMT| [+-]\d{1,20})?\Z"))
def test_whatever_a_receiver_writes_into_it_a_pause_comes_out(text: str) -> None:
    seconds = seconds_of(text, NOW)
    assert seconds is None or seconds >= 0
    assert 48 <= (pause(2, 503, text) or 0) <= 120
