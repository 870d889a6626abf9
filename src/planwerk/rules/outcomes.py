"""What came of attempts to deliver: kept in the delivery, and in how its webhook fares.

A webhook whose messages fail is warned about at 100 in a row, and suspended for a day at 250. One success forgives everything.
"""

import datetime as dt
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field as attribute, replace
from typing import Any

import orjson

from planwerk.fields import instant
from planwerk.hooks.schedule import SUSPEND_AT, SUSPENDED_HOURS, WARN_AT, Verdict, judge
from planwerk.rules.mails import send_mail
from planwerk.store.deliveries import keep_deliveries, unsettled
from planwerk.store.environments import find_environment
from planwerk.store.transaction import Row, Transaction

ERROR_CHARACTERS = 255
BATCH = 500  # deliveries that follow a suspension in one transaction
FOLLOW = "webhook.follow"  # the job that does it

WARNING, SUSPENDED, GONE = "webhook_fails", "webhook_suspended", "webhook_gone"  # the templates of mails
FORGIVEN: Mapping[str, Any] = {
    "fail_streak": 0,
    "fail_streak_started_at": None,
    "mailed_warning_at": None,
    "mailed_disabled_at": None,
    "disabled_until": None,
}
MAILED = {WARNING: "mailed_warning_at", SUSPENDED: "mailed_disabled_at"}  # what says that a mail went out
FARES = (*FORGIVEN, "last_failed_at", "active", "can_send")  # what follows from verdicts


@dataclass(frozen=True, slots=True)
class Outcome:
    """One attempt: how long it took, what was answered (None: nothing), or why there was no answer."""

    delivery: Row  # as it was taken
    attempted_at: str
    duration: int  # milliseconds
    status_code: int | None = None
    headers: dict[str, str] = attribute(default_factory=dict)
    answer: str | None = None
    error: str | None = None
    is_last: bool = False  # whatever came of it, there is no further attempt

    @property
    def attempts(self) -> int:
        """This one included."""
        return int(self.delivery["attempts"]) + 1

    @property
    def is_test(self) -> bool:
        """Whether it happened to the webhook itself: then its failure is none of the webhook's."""
        return bool(self.delivery["object_id"] == self.delivery["webhook_id"])


def keep_outcomes(tx: Transaction, outcomes: Sequence[Outcome], chance: Callable[[], float] = random.random) -> list[Row]:
    """Write down what came of attempts, and what follows for their webhooks; those that are suspended by it.

    A delivery that is gone, or that somebody else has taken or reset meanwhile, stays as it is, and counts for nothing; so does
    one whose outcome was written before, such as by a commit that was not confirmed.
    """
    webhooks = tx.lock("webhook", {outcome.delivery["webhook_id"] for outcome in outcomes})
    now = dt.datetime.fromisoformat(tx.now)
    judged = [(outcome, verdict_on(outcome, now, chance)) for outcome in outcomes]
    kept = keep_deliveries(tx, ((outcome.delivery, values_of(outcome, verdict, now)) for outcome, verdict in judged))
    judged = [(outcome, verdict) for outcome, verdict in judged if outcome.delivery["id"] in kept]
    suspended = []
    for id, webhook in webhooks.items():
        verdicts = [verdict for outcome, verdict in judged if outcome.delivery["webhook_id"] == id and counts(outcome, verdict)]
        changed = fare(tx, webhook, verdicts)
        if is_suspended(changed, tx.now) and changed["disabled_until"] != webhook["disabled_until"]:
            suspended.append(changed)
    return suspended


def verdict_on(outcome: Outcome, now: dt.datetime, chance: Callable[[], float]) -> Verdict:
    verdict = judge(outcome.attempts, outcome.status_code, outcome.headers.get("retry-after", ""), now=now, chance=chance)
    return replace(verdict, pause_seconds=None) if outcome.is_last or outcome.is_test else verdict


def counts(outcome: Outcome, verdict: Verdict) -> bool:
    """Whether it says something about the webhook: a test that succeeds does, one that fails does not."""
    return verdict.is_accepted or not outcome.is_test


def values_of(outcome: Outcome, verdict: Verdict, now: dt.datetime) -> dict[str, Any]:
    """What a delivery keeps of an attempt."""
    due = None if verdict.pause_seconds is None else instant(now + dt.timedelta(seconds=verdict.pause_seconds))
    return {
        "status": "successful" if verdict.is_accepted else "failed",
        "attempts": outcome.attempts,
        "due_at": due,
        "attempted_at": outcome.attempted_at,
        "duration": outcome.duration,
        "status_code": outcome.status_code,
        "error": outcome.error and outcome.error[:ERROR_CHARACTERS],
        "answer_headers": orjson.dumps(outcome.headers).decode() if outcome.headers else None,
        "answer": outcome.answer,
        "lease_until": None,
    }


# ── the webhook ──


def fare(tx: Transaction, webhook: Row, verdicts: Sequence[Verdict]) -> Row:
    """Mail what the admins must know, and write down how a webhook fares; the webhook as it is then."""
    values, letters = judged_by(webhook, verdicts, tx.now)
    for letter in letters:
        if not tell_admins(tx, {**webhook, **values}, letter) and letter in MAILED:
            values[MAILED[letter]] = None  # so that it is mailed once somebody can be reached
    changed = tx.update(tx.object("webhook"), webhook, values)
    is_tried_again = any(verdict.pause_seconds is not None for verdict in verdicts)  # such as a call that was under way
    if changed["disabled_until"] != webhook["disabled_until"] or (is_tried_again and is_suspended(changed, tx.now)):
        tx.enqueue(FOLLOW, webhook["id"], webhook_id=webhook["id"])
    return changed


def judged_by(webhook: Mapping[str, Any], verdicts: Sequence[Verdict], now: str) -> tuple[dict[str, Any], list[str]]:
    """(what becomes of a webhook, the mails about it). Failures in a row are counted, a success forgives them."""
    row = {name: webhook[name] for name in FARES}
    letters: list[str] = []
    for verdict in verdicts:
        if verdict.is_accepted:
            row |= FORGIVEN
            letters.clear()
        else:
            letters += count_failure(row, now)
        if verdict.is_gone and row["active"]:
            row["active"] = False
            letters.append(GONE)
    row["can_send"] = bool(row["active"]) and not is_suspended(row, now)
    return row, letters


def count_failure(row: dict[str, Any], now: str) -> list[str]:
    """One more failure in a row, and what it leads to: nothing, a warning, a suspension. Each is mailed once until a success."""
    letters = []
    row |= {"fail_streak": row["fail_streak"] + 1, "last_failed_at": now}
    row["fail_streak_started_at"] = row["fail_streak_started_at"] or now
    if row["fail_streak"] >= WARN_AT and row["mailed_warning_at"] is None:
        row["mailed_warning_at"] = now
        letters.append(WARNING)
    if row["fail_streak"] >= SUSPEND_AT and not is_suspended(row, now):
        row["disabled_until"] = instant(dt.datetime.fromisoformat(now) + dt.timedelta(hours=SUSPENDED_HOURS))
        if row["mailed_disabled_at"] is None:
            row["mailed_disabled_at"] = now
            letters.append(SUSPENDED)
    return letters


def is_suspended(webhook: Mapping[str, Any], now: str) -> bool:
    return webhook["disabled_until"] is not None and bool(webhook["disabled_until"] > now)


def tell_admins(tx: Transaction, webhook: Row, template: str) -> bool:
    """A mail to every admin who can log in; whether there was one to send. The query of the address is left out: many keep a
    password there."""
    environment = find_environment(tx, id=tx.environment_id)
    told = {
        "environment": environment.name if environment else "",
        "url": webhook["url"].partition("?")[0],
        "streak": webhook["fail_streak"],
        "since": shown(webhook["fail_streak_started_at"]),
        "until": shown(webhook["disabled_until"]),
    }
    admins = tx.find(tx.object("user"), role="admin", status="active", archived_at=None)
    sent = [send_mail(tx, user["email"], template, told) for user in admins]
    return any(sent)


def shown(moment: str | None) -> str:
    """A moment as a person reads it.

    >>> shown("2026-03-02T08:00:00Z"), shown(None)
    ('2026-03-02 08:00 UTC', '')
    """
    return f"{moment[:10]} {moment[11:16]} UTC" if moment else ""


# ── what waits ──


def follow_webhook(tx: Transaction, arguments: Mapping[str, Any]) -> None:
    """The deliveries of a webhook that wait say `suspended` while it is, and wait until it is no more. A job; some at a time."""
    webhook = tx.first(tx.object("webhook"), id=arguments["webhook_id"])
    if webhook is None:
        return
    until = webhook["disabled_until"] if is_suspended(webhook, tx.now) else None
    rows = tx.lock("webhook_delivery", unsettled(tx, webhook["id"], until, BATCH))
    tx.update_many(tx.object("webhook_delivery"), [(row, waiting_values(row, until, tx.now)) for row in rows.values()])
    if len(rows) == BATCH:
        tx.enqueue(FOLLOW, webhook["id"], **arguments)
    tx.rings.add("deliveries")


def waiting_values(row: Row, until: str | None, now: str) -> dict[str, Any]:
    if until is not None:
        return {"status": "suspended", "due_at": until}
    return {"status": "failed" if row["attempts"] else "started", "due_at": now}
