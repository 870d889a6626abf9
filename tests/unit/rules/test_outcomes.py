"""How a webhook fares after one attempt and another: warned, suspended, forgiven, switched off.

To see it fail: compare with > instead of >=, forgive less, mail again while it is suspended, or let `count_failure` suspend anew
what is suspended already.
"""

from typing import Any

import pytest

from planwerk.hooks.schedule import SUSPEND_AT, WARN_AT, Verdict
from planwerk.rules.outcomes import GONE, SUSPENDED, WARNING, judged_by

NOW, EARLIER, LATER = "2026-03-02T08:00:00Z", "2026-03-01T08:00:00Z", "2026-03-03T08:00:00Z"
GOOD, BAD, OVER = Verdict(is_accepted=True), Verdict(is_accepted=False, pause_seconds=5), Verdict(is_accepted=False, is_gone=True)
SOUND: dict[str, Any] = {
    "active": True,
    "can_send": True,
    "fail_streak": 0,
    "fail_streak_started_at": None,
    "last_failed_at": None,
    "mailed_warning_at": None,
    "mailed_disabled_at": None,
    "disabled_until": None,
}
FAILING = {"fail_streak_started_at": EARLIER, "last_failed_at": EARLIER}
WARNED = {**FAILING, "mailed_warning_at": EARLIER}
DOWN = {**WARNED, "fail_streak": 250, "mailed_disabled_at": EARLIER}


@pytest.mark.parametrize(
    ("before", "verdicts", "after", "letters"),
    [
        # (what differs from a sound webhook, what came, what differs from that afterwards, mails)
        ({}, [], {}, []),
        ({}, [GOOD], {}, []),
        ({}, [BAD], {"fail_streak": 1, "fail_streak_started_at": NOW, "last_failed_at": NOW}, []),
        ({**FAILING, "fail_streak": 1}, [BAD, BAD], {"fail_streak": 3, "last_failed_at": NOW}, []),
        ({**FAILING, "fail_streak": 98}, [BAD], {"fail_streak": 99, "last_failed_at": NOW}, []),
        ({**FAILING, "fail_streak": 99}, [BAD], {"fail_streak": 100, "last_failed_at": NOW, "mailed_warning_at": NOW}, [WARNING]),
        ({**WARNED, "fail_streak": 100}, [BAD], {"fail_streak": 101, "last_failed_at": NOW}, []),
        ({**WARNED, "fail_streak": 248}, [BAD], {"fail_streak": 249, "last_failed_at": NOW}, []),
        (
            {**WARNED, "fail_streak": 249},
            [BAD],
            {"fail_streak": 250, "last_failed_at": NOW, "disabled_until": LATER, "mailed_disabled_at": NOW, "can_send": False},
            [SUSPENDED],
        ),
        ({**DOWN, "disabled_until": LATER, "can_send": False}, [BAD], {"fail_streak": 251, "last_failed_at": NOW}, []),  # was under way
        (DOWN, [BAD], {"fail_streak": 251, "last_failed_at": NOW, "disabled_until": LATER, "can_send": False}, []),  # after a suspension
        (
            {**DOWN, "disabled_until": LATER, "can_send": False},
            [GOOD],
            {**{name: SOUND[name] for name in DOWN if name != "last_failed_at"}, "disabled_until": None, "can_send": True},
            [],
        ),
        (
            {**WARNED, "fail_streak": 120},
            [GOOD],
            {**{name: SOUND[name] for name in WARNED if name != "last_failed_at"}, "fail_streak": 0},
            [],
        ),
        ({**FAILING, "fail_streak": 7}, [GOOD, BAD], {"fail_streak": 1, "fail_streak_started_at": NOW, "last_failed_at": NOW}, []),
        ({**FAILING, "fail_streak": 99}, [BAD, GOOD], {"fail_streak": 0, "fail_streak_started_at": None, "last_failed_at": NOW}, []),
        (
            {},
            [OVER],
            {"fail_streak": 1, "fail_streak_started_at": NOW, "last_failed_at": NOW, "active": False, "can_send": False},
            [GONE],
        ),
        (
            {},
            [OVER, OVER],
            {"fail_streak": 2, "fail_streak_started_at": NOW, "last_failed_at": NOW, "active": False, "can_send": False},
            [GONE],
        ),
        ({"active": False, "can_send": False}, [GOOD], {}, []),  # a success does not switch it on
    ],
)
def test_how_a_webhook_fares(before: dict[str, Any], verdicts: list[Verdict], after: dict[str, Any], letters: list[str]) -> None:
    webhook = {**SOUND, **before}
    assert judged_by(webhook, verdicts, NOW) == ({**webhook, **after}, letters)


def test_failures_in_a_row_lead_to_one_warning_and_one_suspension_until_a_success() -> None:
    """The first failure after a suspension suspends again, without another mail."""
    webhook, told = dict(SOUND), []
    for number in range(1, 1001):
        row, letters = judged_by(webhook, [BAD], NOW)
        told += [(number, letter) for letter in letters]
        webhook = {**row, "disabled_until": None} if number % 300 == 0 else row
    assert told == [(WARN_AT, WARNING), (SUSPEND_AT, SUSPENDED)]
    forgiven, _ = judged_by(webhook, [GOOD], NOW)
    _, letters = judged_by(forgiven, [BAD] * SUSPEND_AT, NOW)
    assert letters == [WARNING, SUSPENDED]
    assert (WARN_AT, SUSPEND_AT) == (100, 250)
