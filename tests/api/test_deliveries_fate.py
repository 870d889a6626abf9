"""How a webhook fares: retries, the warning, the suspension and its end, 410, switched off, deleted. Time passes behind its back.

To see it fail: leave `send_mail` out of `tell_admins`, mail every user, let `DUE` forget a suspension that is over, leave the job out
of `fare`, let tests wait for the end of a suspension, or count their failures.
"""

import datetime as dt
from functools import partial

import orjson
from structlog.testing import capture_logs
from tests.client import Loop
from tests.delivering import FAR_OFF, LONG_AGO, Mill, document_of
from tests.inviting import mailed
from tests.people import person
from tests.process.receiving import answering, receiving
from tests.server import Server

from planwerk.fields import instant
from planwerk.hooks.schedule import JITTER, PAUSES
from planwerk.rules.outcomes import Outcome, keep_outcomes
from planwerk.rules.sending import exchange


def moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def test_what_failed_is_due_again_after_the_pauses_and_then_given_up(mill: Mill, loop: Loop) -> None:
    with receiving(loop, answering(500)) as receiver:
        hook = mill.hook(receiver)
        mill.write(1)
        for attempts, pause in enumerate((*PAUSES, None), start=1):
            mill.let_retries_be_due()
            mill.send_until(lambda attempts=attempts: mill.tried(hook) == attempts)  # type: ignore[misc]
            (row,) = mill.deliveries(hook)
            assert row["status"] == "failed"
            if pause is None:
                assert row["due_at"] is None
            else:
                waits = (moment(row["due_at"]) - moment(row["updated_at"])).total_seconds()
                assert pause * (1 - JITTER) - 1 <= waits <= pause * (1 + JITTER)
    assert len(receiver.messages) == len(PAUSES) + 1
    assert mill.webhook(hook)["fail_streak"] == len(PAUSES) + 1


def test_a_success_ends_it_and_forgives(mill: Mill, loop: Loop) -> None:
    with receiving(loop, answering(503, b"retry-after: 7\r\n")) as receiver:
        hook = mill.hook(receiver)
        mill.write(3)
        mill.send_all(hook)
        assert mill.webhook(hook)["fail_streak"] == 3
        (row, *_) = mill.deliveries(hook)
        assert moment(row["due_at"]) - moment(row["updated_at"]) == dt.timedelta(seconds=7)
        receiver.behave = answering()
        mill.let_retries_be_due()
        mill.send_until(lambda: mill.tried(hook) == 6)
    assert {(row["status"], row["due_at"]) for row in mill.deliveries(hook)} == {("successful", None)}
    after = mill.webhook(hook)
    assert (after["fail_streak"], after["fail_streak_started_at"], after["can_send"]) == (0, None, True)
    assert after["last_failed_at"] is not None


def failed_attempts(mill: Mill, hook: str, lease_seconds: float = 30) -> list[Outcome]:
    """A sender takes what is due, and each attempt fails."""
    database, id = mill.server.database, mill.world.environment_id
    parcels, _ = database.write_now(id, partial(exchange, outcomes=[], wanted={hook: 10}, lease_seconds=lease_seconds))
    return [Outcome(taken.row, taken.row["created_at"], 5, 500) for parcel in parcels for taken in parcel.deliveries]


def keep(mill: Mill, outcomes: list[Outcome]) -> None:
    mill.server.database.write_now(mill.world.environment_id, partial(keep_outcomes, outcomes=outcomes))


def test_an_attempt_that_is_written_down_again_counts_once(mill: Mill, loop: Loop) -> None:
    """As when a commit was not confirmed. To see it fail: let `keep_outcomes` judge all that it is given."""
    with receiving(loop, answering()) as receiver:
        hook = mill.hook(receiver)
    mill.write(3)
    first, *others = failed_attempts(mill, hook)
    keep(mill, [first])
    keep(mill, [first, *others])
    keep(mill, [first, *others])
    assert (mill.tried(hook), mill.webhook(hook)["fail_streak"]) == (3, 3)
    assert all(row == document_of(row) for row in mill.deliveries(hook))


def test_an_attempt_whose_delivery_somebody_else_has_taken_counts_for_nothing(mill: Mill, loop: Loop) -> None:
    with receiving(loop, answering()) as receiver:
        hook = mill.hook(receiver)
    mill.write(2)
    late = failed_attempts(mill, hook)
    mill.let_leases_end()
    assert len(failed_attempts(mill, hook, 60)) == 2
    keep(mill, late)
    assert (mill.tried(hook), mill.webhook(hook)["fail_streak"]) == (0, 0)


# ── warned, suspended ──


def test_admins_are_warned_once_and_told_of_the_suspension_once(mill: Mill, delivering: Server, loop: Loop) -> None:
    boss, second = (person(delivering, mill.world, "admin").id for _ in range(2))
    for id, email in ((boss, "boss@mill.nl"), (second, "second@mill.nl")):
        mill.change("user", id, email=email)
    mill.change("user", person(delivering, mill.world, "admin").id, email="left@mill.nl", archived_at=LONG_AGO)
    mill.change("user", person(delivering, mill.world, "admin").id, email="invited@mill.nl", status="invited")
    mill.change("user", person(delivering, mill.world, "manager").id, email="manager@mill.nl")
    with receiving(loop, answering(500)) as receiver:
        hook = mill.hook(receiver, url=f"{receiver.url}?token=hidden")
        for streak, subjects in ((98, []), (99, ["fails"] * 2), (100, []), (248, []), (249, ["is suspended"] * 2)):
            mill.change("webhook", hook, fail_streak=streak)
            mill.write(1)
            mill.send_all(hook)
            mill.let_retries_wait()
            letters = mailed(delivering)
            assert sorted(letter["Subject"].partition("tenant")[2].split(" ", 2)[2] for letter in letters) == subjects
            assert [letter["To"] for letter in letters] == ["boss@mill.nl", "second@mill.nl"] * (len(subjects) // 2)
    text = letters[0].get_content()
    assert receiver.url in text
    assert "250 times in a row" in text
    assert "hidden" not in text
    after = mill.webhook(hook)
    assert after["mailed_warning_at"] <= after["mailed_disabled_at"]
    assert moment(after["disabled_until"]) - moment(after["mailed_disabled_at"]) == dt.timedelta(hours=24)
    assert (after["can_send"], after["active"]) == (False, True)


def suspended(mill: Mill, hook: str, until: str = FAR_OFF) -> None:
    mill.change("webhook", hook, fail_streak=250, fail_streak_started_at=LONG_AGO, mailed_disabled_at=LONG_AGO, disabled_until=until)
    mill.change("webhook", hook, can_send=False)


def test_what_waits_says_that_it_is_suspended_and_so_does_what_is_new(mill: Mill, delivering: Server, loop: Loop) -> None:
    with receiving(loop, answering(500)) as receiver:
        hook = mill.hook(receiver)
        mill.write(600)  # more than follow in one transaction
        mill.change("webhook", hook, fail_streak=249)
        mill.send_until(lambda: mill.webhook(hook)["disabled_until"])
        delivering.work()
        mill.write(1)
    until, rows = mill.webhook(hook)["disabled_until"], mill.deliveries(hook)
    assert len(rows) == 601
    assert {(row["status"], row["due_at"]) for row in rows} == {("suspended", until)}


def test_a_call_that_was_under_way_when_a_suspension_began_waits_for_its_end(mill: Mill, delivering: Server, loop: Loop) -> None:
    """To see it fail: leave `is_tried_again` out of `fare`."""
    database, environment_id = delivering.database, mill.world.environment_id
    with receiving(loop, answering(503)) as receiver:
        hook = mill.hook(receiver)
    mill.write(2)
    mill.change("webhook", hook, fail_streak=249)
    (parcel,), _ = database.write_now(environment_id, partial(exchange, outcomes=[], wanted={hook: 2}, lease_seconds=60))
    for delivery in parcel.deliveries:
        outcome = Outcome(delivery.row, attempted_at=LONG_AGO, duration=1000, status_code=503)
        database.write_now(environment_id, partial(keep_outcomes, outcomes=[outcome]))
        delivering.work()
    until, rows = mill.webhook(hook)["disabled_until"], mill.deliveries(hook)
    assert until is not None
    assert [(row["status"], row["due_at"], row["attempts"]) for row in rows] == [("suspended", until, 1)] * 2


def test_it_says_that_a_mail_went_out_only_if_one_did_and_the_log_tells_of_the_suspension(
    mill: Mill, delivering: Server, loop: Loop
) -> None:
    """The only admin has an address that nobody can have. To see it fail: leave `MAILED` out of `fare`."""
    boss = person(delivering, mill.world, "admin").id
    assert mill.rows("user", id=boss)[0]["email"].endswith("example.com")
    with receiving(loop, answering(500)) as receiver:
        hook = mill.hook(receiver)
        for email, streak, is_mailed in (("boss@mill.example", 249, False), ("boss@mill.nl", 250, True), ("boss@mill.nl", 251, True)):
            mill.change("user", boss, email=email)
            mill.change("webhook", hook, fail_streak=streak, disabled_until=None, can_send=True)
            before = mill.webhook(hook)
            mill.write(1)
            with capture_logs() as lines:
                mill.send_all(hook)
            mill.let_retries_wait()
            after = mill.webhook(hook)
            assert [after[name] is not None for name in ("mailed_warning_at", "mailed_disabled_at")] == [is_mailed] * 2
            assert len(mailed(delivering)) == (2 if is_mailed and before["mailed_disabled_at"] is None else 0)
            told = {"environment": mill.world.environment_id, "webhook": hook, "until": after["disabled_until"], "is_mailed": is_mailed}
            assert {"event": "a webhook is suspended", "log_level": "warning", **told} in lines


def test_it_goes_on_by_itself_when_the_suspension_is_over(mill: Mill, loop: Loop) -> None:
    with receiving(loop, answering()) as receiver:
        hook, other = mill.hook(receiver), mill.hook(receiver, url=f"{receiver.url}/other")
        suspended(mill, hook)
        mill.write(3)
        mill.send_all(other)
        assert mill.tried(hook) == 0
        suspended(mill, hook, LONG_AGO)
        mill.let_retries_be_due()  # they were due when it ended
        mill.send_all(hook)
    after = mill.webhook(hook)
    assert (after["disabled_until"], after["can_send"], after["fail_streak"]) == (None, True, 0)
    assert {row["status"] for row in mill.deliveries(hook)} == {"successful"}


def test_a_suspension_that_is_over_ends_also_where_nothing_waits(mill: Mill, loop: Loop) -> None:
    with receiving(loop, answering()) as receiver:
        hook = mill.hook(receiver)
        suspended(mill, hook, LONG_AGO)
        mill.send_until(lambda: mill.webhook(hook)["can_send"])
    assert (mill.webhook(hook)["disabled_until"], mill.webhook(hook)["fail_streak"]) == (None, 250)


def test_the_first_failure_after_a_suspension_suspends_again_without_a_mail(mill: Mill, delivering: Server, loop: Loop) -> None:
    mill.change("user", person(delivering, mill.world, "admin").id, email="boss@mill.nl")
    with receiving(loop, answering(500)) as receiver:
        hook = mill.hook(receiver)
        mill.change("webhook", hook, mailed_warning_at=LONG_AGO)
        suspended(mill, hook, LONG_AGO)
        mill.write(1)
        mill.let_retries_be_due()
        mill.send_all(hook)
    after = mill.webhook(hook)
    assert (after["fail_streak"], after["can_send"]) == (251, False)
    assert after["disabled_until"] > instant(dt.datetime.now(dt.UTC) + dt.timedelta(hours=23))
    assert mailed(delivering) == []


def test_a_test_that_succeeds_ends_a_suspension_and_what_waited_is_sent(mill: Mill, delivering: Server, loop: Loop) -> None:
    with receiving(loop, answering(500)) as receiver:
        hook = mill.hook(receiver)
        mill.write(2)  # they do not say yet that they are suspended
        suspended(mill, hook)
        mill.write(1)
        test = mill.world.client.post(f"/v1/webhook/{hook}/test", expect=200)
        mill.send_until(lambda: mill.tried(hook) == 1)
        (tried,) = mill.rows("webhook_delivery", id=test["id"])
        assert (tried["status"], tried["attempts"], tried["due_at"]) == ("failed", 1, None)
        assert (mill.webhook(hook)["fail_streak"], mill.webhook(hook)["disabled_until"]) == (250, FAR_OFF), "a test that fails counts not"
        receiver.behave = answering()
        mill.world.client.post(f"/v1/webhook/{hook}/test", expect=200)
        mill.send_until(lambda: mill.tried(hook) == 2)
        assert (mill.webhook(hook)["fail_streak"], mill.webhook(hook)["can_send"]) == (0, True)
        delivering.work()
        mill.send_all(hook)
    assert sorted(orjson.loads(message.body)["event"] for message in receiver.messages) == ["collection.created"] * 3 + ["webhook.test"] * 2


def test_a_test_does_not_wait_for_the_end_of_a_suspension(mill: Mill, delivering: Server, loop: Loop) -> None:
    with receiving(loop, answering()) as receiver:
        hook = mill.hook(receiver)
        mill.write(1)
        mill.world.client.post(f"/v1/webhook/{hook}/test", expect=200)
        suspended(mill, hook)
        mill.follow(hook)
        delivering.work()
        assert [row["status"] for row in mill.deliveries(hook)] == ["suspended", "started"]
        mill.send_until(lambda: mill.tried(hook) == 1)
    assert [orjson.loads(message.body)["event"] for message in receiver.messages] == ["webhook.test"]


# ── off, on, gone ──


def test_410_switches_a_webhook_off_and_tells_the_admins(mill: Mill, delivering: Server, loop: Loop) -> None:
    mill.change("user", person(delivering, mill.world, "admin").id, email="boss@mill.nl")
    with receiving(loop, answering(410)) as receiver:
        hook = mill.hook(receiver)
        mill.write(1)
        mill.send_all(hook)
        (row,) = mill.deliveries(hook)
        assert (row["status"], row["due_at"]) == ("failed", None)
        assert (mill.webhook(hook)["active"], mill.webhook(hook)["can_send"]) == (False, False)
        mill.write(1)
    assert len(mill.deliveries(hook)) == 1, "what happens while it is off is not sent to it"
    assert [letter["Subject"].rpartition("is ")[2] for letter in mailed(delivering)] == ["switched off"]


def test_what_waits_of_a_webhook_that_is_off_is_sent_once_it_is_on_again(mill: Mill, loop: Loop) -> None:
    with receiving(loop, answering()) as receiver:
        hook, other = mill.hook(receiver), mill.hook(receiver, url=f"{receiver.url}/other")
        mill.write(2)
        mill.world.client.put(f"/v1/webhook/{hook}", {"active": False})
        mill.send_all(other)
        assert mill.tried(hook) == 0
        mill.world.client.put(f"/v1/webhook/{hook}", {"active": True})
        mill.send_all(hook)
    assert set(receiver.ids.values()) == {2}


def test_a_deleted_webhook_sends_nothing_more(mill: Mill, loop: Loop) -> None:
    with receiving(loop, answering()) as receiver, receiving(loop, answering()) as kept:
        hook, other = mill.hook(receiver), mill.hook(kept)
        mill.write(2)
        mill.world.client.delete(f"/v1/webhook/{hook}")
        mill.send_all(other)
    assert (len(receiver.messages), len(kept.messages)) == (0, 2)
