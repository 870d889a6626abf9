"""The sender loses nothing: each event at least once, those of one object in their order, whoever sends them and however that ends.

To see it fail: keep outcomes without a look at `HELD`, take without `held_up`, leave `ALONE` out of `take_deliveries`, drop outcomes
that cannot be written now, or end a sender without `give_back`.
"""

import asyncio
import os
from collections import defaultdict
from dataclasses import replace
from typing import Any

import orjson
import pytest
from tests.client import Loop
from tests.delivering import CREATED, STATUS, UNHURRIED, Mill, document_of, sending, until
from tests.process.receiving import Gate, answering, hold, receiving
from tests.server import OBJECTS

from planwerk import sender as sender_module
from planwerk.errors import SERVICE_UNAVAILABLE, refuse
from planwerk.rules import outcomes, sending as sending_rules
from planwerk.sender import Sender

IS_LONG = os.environ.get("PLANWERK_LONG") == "1"
MANY = 10_000 if IS_LONG else 2_000  # events for two senders


# ── in order ──


def test_a_later_event_of_an_object_is_sent_when_the_earlier_one_was_answered(mill: Mill, loop: Loop) -> None:
    gate = Gate(500)
    with receiving(loop, gate) as receiver, receiving(loop, answering()) as other:
        hook, quick = mill.hook(receiver, *CREATED, "collection.updated"), mill.hook(other, *CREATED, "collection.updated")
        mill.write(1)

        async def work() -> None:
            async with sending(mill.server, UNHURRIED, count=2):
                await until(lambda: receiver.messages)
                await asyncio.to_thread(change_all, mill, mill.rows("collection"), 1)
                await until(lambda: mill.tried(quick) == 2)  # the webhook beside is not held up
                assert len(receiver.messages) == 1
                gate.opened.set()
                await until(lambda: mill.tried(hook) == 2)  # and one that failed holds up nothing

        loop.run(work())
    assert [orjson.loads(message.body)["event"] for message in receiver.messages] == ["collection.created", "collection.updated"]


def test_events_of_one_object_come_in_their_order_whoever_sends_them(mill: Mill, loop: Loop) -> None:
    objects, changes = 12, 15
    with receiving(loop, answering()) as receiver:
        hook = mill.hook(receiver, *CREATED, "collection.updated")
        mill.write(objects)
        rows = mill.rows("collection")

        async def work() -> None:
            async with sending(mill.server, UNHURRIED, count=2):
                for number in range(changes):
                    await asyncio.to_thread(change_all, mill, rows, number)
                await until(lambda: mill.tried(hook) == objects * (changes + 1))

        loop.run(work())
    heard: dict[str, list[str]] = defaultdict(list)
    for message in receiver.messages:
        current = orjson.loads(message.body)["data"]["current"]
        heard[current["id"]].append(current["description"])
    assert list(heard.values()) == [[None, *(f"change {number}" for number in range(changes))]] * objects


def change_all(mill: Mill, rows: list[dict[str, Any]], number: int) -> None:
    def work(tx: Any) -> None:
        for row in rows:
            tx.update(OBJECTS["collection"], tx.get(OBJECTS["collection"], row["id"]), {"description": f"change {number}"})

    mill.server.database.write_now(mill.world.environment_id, work)


def test_many_events_of_one_object_are_sent_one_after_the_other_in_one_go(mill: Mill, loop: Loop) -> None:
    """More than are taken at once, so that what is left out must not be overtaken by what is due again."""
    with receiving(loop, answering()) as receiver:
        hook = mill.hook(receiver, "collection.updated")
        mill.write(1)
        rows = mill.rows("collection")
        for number in range(80):
            change_all(mill, rows, number)
        mill.send_all(hook, limits=UNHURRIED)
    assert receiver.most == 1
    described = [orjson.loads(message.body)["data"]["current"]["description"] for message in receiver.messages]
    assert described == [f"change {number}" for number in range(80)]


def test_two_senders_share_the_events_and_send_none_twice(mill: Mill, loop: Loop) -> None:
    with receiving(loop, answering()) as receiver:
        hook = mill.hook(receiver)
        for _ in range(MANY // 500):
            mill.write(500)

        async def work() -> None:
            async with sending(mill.server, UNHURRIED, count=2) as senders:
                await until(lambda: len(receiver.messages) >= MANY)
                await until(lambda: not mill.rows("webhook_delivery", webhook_id=hook, status="started"))
                assert all(not sender.outcomes for sender in senders)

        loop.run(work())
    assert receiver.ids == dict.fromkeys(mill.events(), 1)


def test_no_transaction_takes_or_writes_more_than_it_may(mill: Mill, loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the requests beside it wait for no long one."""
    sizes: list[int] = []

    def exchange(tx: Any, **given: Any) -> Any:
        sizes.extend([len(given["outcomes"]), *given["wanted"].values()])
        return sending_rules.exchange(tx, **given)

    monkeypatch.setattr(sender_module, "exchange", exchange)
    with receiving(loop, answering()) as receiver:
        hook = mill.hook(receiver)
        mill.write(100)
        mill.send_all(hook, limits=replace(UNHURRIED, at_once=7))
    assert max(sizes) == 7
    assert receiver.ids == dict.fromkeys(mill.events(), 1)


# ── nothing is lost ──


def test_what_somebody_has_is_left_to_them_until_the_lease_ends(mill: Mill, loop: Loop) -> None:
    with receiving(loop, answering()) as receiver:
        hook = mill.hook(receiver)
        mill.write(2)
        exchange = sending_rules.exchange
        (parcel,), _ = mill.server.database.write_now(mill.world.environment_id, lambda tx: exchange(tx, [], {hook: 1}, 30))
        mill.send_until(lambda: mill.tried(hook) == 1)
        (first, second) = mill.deliveries(hook)
        assert (first["attempts"], first["lease_until"], second["attempts"]) == (0, parcel.lease_until, 1)
        mill.let_leases_end()
        mill.send_all(hook)
    assert receiver.ids == dict.fromkeys(mill.events(), 1)


def test_a_sender_that_ends_gives_back_what_it_has_not_sent(mill: Mill, loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender_module, "STOP_SECONDS", 0.0)
    with receiving(loop, hold) as receiver:
        hook = mill.hook(receiver)
        mill.write(20)
        mill.send_until(lambda: receiver.open == 4, replace(UNHURRIED, per_webhook=4))
        assert {(row["attempts"], row["lease_until"]) for row in mill.deliveries(hook)} == {(0, None)}
    with receiving(loop, answering()) as receiver:
        mill.world.client.put(f"/v1/webhook/{hook}", {"url": receiver.url})
        mill.send_all(hook)
    assert receiver.ids == dict.fromkeys(mill.events(), 1)


def test_calls_under_way_may_end_when_a_sender_is_to(mill: Mill, loop: Loop) -> None:
    gate = Gate()
    with receiving(loop, gate) as receiver:
        hook = mill.hook(receiver)
        mill.write(1)

        async def work() -> None:
            async with Sender(mill.server.database, limits=UNHURRIED) as sender:
                task = asyncio.ensure_future(sender.run())
                await until(lambda: receiver.messages)
                task.cancel()
                asyncio.get_running_loop().call_later(0.05, gate.opened.set)

        loop.run(work())
    assert mill.deliveries(hook)[0]["status"] == "successful"


def test_a_delivery_that_is_sent_again_meanwhile_is_sent_again(mill: Mill, loop: Loop) -> None:
    gate = Gate()
    with receiving(loop, gate) as receiver:
        hook = mill.hook(receiver)
        mill.write(1)
        (row,) = mill.deliveries(hook)

        async def work() -> None:
            async with sending(mill.server, UNHURRIED):
                await until(lambda: receiver.messages)
                await mill.world.client.ask_async("POST", f"/v1/webhook/{hook}/delivery/{row['id']}/resend")
                await until(lambda: len(receiver.messages) == 2)
                gate.opened.set()
                await until(lambda: mill.deliveries(hook)[0]["status"] == "successful")

        loop.run(work())
    assert (mill.tried(hook), len(receiver.ids)) == (1, 1)


def test_outcomes_wait_while_the_database_cannot_be_written(mill: Mill, loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender_module, "POSTPONE_SECONDS", 0.05)
    keep, refusals = outcomes.keep_outcomes, iter(range(3))

    def refused(tx: Any, kept: Any) -> Any:
        if next(refusals, None) is not None:
            raise refuse(SERVICE_UNAVAILABLE, "the disk is full")
        return keep(tx, kept)

    monkeypatch.setattr(sending_rules, "keep_outcomes", refused)
    with receiving(loop, answering()) as receiver:
        hook = mill.hook(receiver)
        mill.write(3)
        mill.send_all(hook)
    assert next(refusals, None) is None
    assert receiver.ids == dict.fromkeys(mill.events(), 1)


def test_outcomes_whose_commit_is_not_confirmed_count_once(mill: Mill, loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender_module, "POSTPONE_SECONDS", 0.05)
    write = mill.server.database.write
    unconfirmed: list[outcomes.Outcome] = []
    confirmed: list[outcomes.Outcome] = []

    async def lose_an_answer(environment_id: str, work: Any) -> Any:
        result = await write(environment_id, work)
        kept = getattr(work, "keywords", {}).get("outcomes", ())
        if kept and not unconfirmed:
            unconfirmed.extend(kept)
            raise refuse(SERVICE_UNAVAILABLE, "the database cannot be reached")
        confirmed.extend(kept)
        return result

    monkeypatch.setattr(mill.server.database, "write", lose_an_answer)
    with receiving(loop, answering(500)) as receiver:
        hook = mill.hook(receiver)
        mill.write(3)
        mill.send_until(lambda: len(confirmed) >= 3)
    assert unconfirmed
    assert mill.webhook(hook)["fail_streak"] == mill.tried(hook)


def test_a_worker_which_hears_of_no_event_looks_by_itself_within_a_quarter_of_a_second(
    mill: Mill, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To see it fail: leave `look_seconds` out of `WORKER`."""
    waits = []

    async def pass_by(_: asyncio.Event, seconds: float) -> None:
        waits.append(seconds)

    async def work(hook: str) -> None:
        async with sending(mill.server, sender_module.WORKER[mill.server.database.statements.dialect.name]):
            await asyncio.to_thread(mill.write, 1)
            await until(lambda: mill.deliveries(hook)[0]["status"] == "successful")

    monkeypatch.setattr(sender_module, "happens", pass_by)
    with receiving(loop, answering()) as receiver:
        loop.run(work(mill.hook(receiver)))
    assert set(waits) == {0.2}


def test_an_event_that_is_no_longer_kept_is_given_up(mill: Mill, loop: Loop) -> None:
    with receiving(loop, answering()) as receiver:
        hook = mill.hook(receiver)
        mill.write(1)
        mill.server.database.query(f"DELETE FROM event WHERE environment_id = '{mill.world.environment_id}'")
        mill.send_all(hook)
    (row,) = mill.deliveries(hook)
    assert (row["status"], row["due_at"], row["error"], receiver.messages) == ("failed", None, sender_module.NO_EVENT, [])


def test_a_suspended_environment_waits(mill: Mill, loop: Loop) -> None:
    with receiving(loop, answering()) as receiver:
        hook = mill.hook(receiver)
        mill.write(2)
        mill.run(STATUS, status="suspended")
        other = mill.neighbour()
        beside = other.hook(receiver)
        other.write(1)
        other.send_all(beside)
        assert mill.tried(hook) == 0
        mill.run(STATUS, status="active")
        mill.send_all(hook)
    assert len(receiver.ids) == 3


def test_the_text_of_each_delivery_says_what_its_columns_say(mill: Mill, loop: Loop) -> None:
    """They are written by statements of the sender's own."""
    with receiving(loop, answering(200, b"a: b\r\n", b"ok")) as good, receiving(loop, answering(429, b"retry-after: 7\r\n")) as bad:
        hooks = [mill.hook(good), mill.hook(bad)]
        mill.write(5)
        mill.send_all(*hooks)
    for row in (row for id in hooks for row in mill.deliveries(id)):
        assert row == document_of(row)
        assert row["version"] == 2
