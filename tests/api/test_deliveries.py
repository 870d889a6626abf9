"""The sender and its receivers: whatever one of them does is written down, and harms nobody else.

To see it fail: leave `asyncio.timeout` out of `Caller.call`, read the answer with one `read`, leave `is_crowded` out, let the HTTP
client ask for compressed answers, let `has_connection` ask for nothing but the total, or let `Sender.write` pass its errors on.
"""

import asyncio
import threading
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any

import orjson
import pytest
from tests.client import Loop
from tests.delivering import SHORT, UNHURRIED, Mill, sending, until
from tests.process.receiving import Behaviour, Receiver, answering, close, dripping, flood, hold, in_pieces, packing, receiving

from planwerk import sender as sender_module
from planwerk.hooks import calls
from planwerk.hooks.calls import ANSWER_BYTES
from planwerk.hooks.dialling import Gate as Dialling
from planwerk.rules import outcomes, sending as sending_rules, webhooks
from planwerk.sender import Sender

SYSTEM_BYTES = 16_000_000  # more than the system itself takes in for a connection that nobody reads
HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n"


# ── what a receiver can do ──


@pytest.mark.parametrize(
    ("behave", "status", "error", "answer"),
    [
        (answering(204), 204, None, ""),
        (answering(200, b"x-a: b\r\n", b"thanks"), 200, None, "thanks"),
        (answering(299), 299, None, ""),
        (packing(b"thanks"), 200, None, "thanks"),
        (answering(302, b"location: /\r\n"), 302, None, ""),
        (answering(500, b"", b"o\x00h \xff"), 500, None, "oh �"),
        (in_pieces(b"one ", b"two ", b"three"), 200, None, "one two three"),
        (hold, None, "no answer within 0.5 seconds", None),
        (dripping(b"a", 0.05), None, "the receiver broke off", None),
        (dripping(b"HTTP/1.1 200 OK\r\nx-a: ", 0.05), None, "no answer within 0.5 seconds", None),
        (dripping(HEAD, 0.05), None, "no answer within 0.5 seconds", None),
        (close, None, "the receiver broke off", None),
        (dripping(b"GET / HTTP/1.1\r\n\r\n", 0.05), None, "the receiver broke off", None),
        (flood, 200, None, "b" * ANSWER_BYTES),
    ],
)
def test_what_a_receiver_did_is_written_down(
    behave: Behaviour, status: int | None, error: str | None, answer: str | None, mill: Mill, loop: Loop
) -> None:
    with receiving(loop, behave) as receiver:
        hook = mill.hook(receiver)
        mill.write(1)
        mill.send_all(hook)
        loop.run(until(partial(is_left, receiver)))  # also while the receiver would go on
    (row,) = mill.deliveries(hook)
    is_accepted = status is not None and 200 <= status <= 299
    assert (row["status_code"], row["error"], row["answer"]) == (status, error, answer)
    assert (row["status"], row["attempts"], row["lease_until"]) == ("successful" if is_accepted else "failed", 1, None)
    assert (row["due_at"] is None) is is_accepted
    assert receiver.sent < SYSTEM_BYTES, "an endless answer is read no further than it is kept"


def test_a_message_is_what_the_event_says_on_every_attempt(mill: Mill, loop: Loop) -> None:
    with receiving(loop, answering(500)) as receiver:
        hook = mill.hook(receiver)
        mill.write(1)
        for attempts in (1, 2, 3):
            mill.let_retries_be_due()
            mill.send_until(partial(have_tried, mill, [hook], attempts))
    ((id, body),) = mill.events().items()
    assert [(message.id, message.body.decode()) for message in receiver.messages] == [(id, body)] * 3
    assert orjson.loads(body)["event"] == "collection.created"
    assert receiver.messages[0].headers["content-type"] == "application/json"


def test_headers_of_an_answer_are_kept_as_far_as_they_are_text(mill: Mill, loop: Loop) -> None:
    headers = b"x-odd: \xff\xfe\r\nx-long: " + b"l" * 5000 + b"\r\n" + b"".join(b"x-%d: y\r\n" % number for number in range(50))
    with receiving(loop, answering(200, headers)) as receiver:
        hook = mill.hook(receiver)
        mill.write(1)
        mill.send_all(hook)
    kept = orjson.loads(mill.deliveries(hook)[0]["answer_headers"])
    assert kept["x-odd"] == "��"
    assert len(kept["x-long"]) == calls.VALUE_CHARACTERS
    assert len(kept) == calls.HEADERS


def test_nobody_at_the_address_and_no_such_name_are_told_apart(mill: Mill, loop: Loop) -> None:
    with receiving(loop, hold) as gone:
        pass
    nobody = mill.hook(gone)
    unknown = mill.hook(gone, url="http://nobody.invalid:8080/")
    mill.write(1)
    mill.send_all(nobody, unknown, limits=replace(SHORT, connect_seconds=20, whole_seconds=20))
    assert [mill.deliveries(id)[0]["error"] for id in (nobody, unknown)] == ["no connection", "the name of the address is not known"]


def test_a_name_server_that_does_not_answer_takes_no_longer_than_a_connection_may(mill: Mill, loop: Loop) -> None:
    may_answer = threading.Event()

    def ask(*_: Any) -> Any:
        may_answer.wait(60)
        raise OSError

    async def work() -> None:
        async with Sender(mill.server.database, Dialling((), ask), SHORT) as sender:
            task = asyncio.ensure_future(sender.run())
            await until(lambda: mill.tried(hook) == 1)
            task.cancel()

    with receiving(loop, hold) as receiver:
        hook = mill.hook(receiver, url="http://slow.example.com/")
        mill.write(1)
        loop.run(work())
    may_answer.set()
    assert mill.deliveries(hook)[0]["error"] == "no connection within 0.3 seconds"


def is_left(receiver: Receiver) -> bool:
    return receiver.open == 0


def have_tried(mill: Mill, hooks: list[str], count: int) -> bool:
    return all(mill.tried(id) == count for id in hooks)


# ── nobody harms anybody else ──


def test_a_fast_receiver_gets_everything_while_others_hang_drip_and_break_off(mill: Mill, loop: Loop) -> None:
    limits = replace(UNHURRIED, connections=40, per_webhook=8, per_environment=32)
    with ExitStack() as stack:
        behaviours: tuple[Behaviour, ...] = (answering(), hold, dripping(HEAD, 1.0), close)
        fast, silent, slow, closing = (stack.enter_context(receiving(loop, behave)) for behave in behaviours)
        hooks = [mill.hook(receiver) for receiver in (fast, silent, slow, closing)]
        mill.write(1000)

        async def work() -> None:
            async with sending(mill.server, limits):
                await until(lambda: len(fast.ids) == 1000 and mill.tried(hooks[3]) >= 250)
                assert (mill.tried(hooks[1]), mill.tried(hooks[2])) == (0, 0), "no slow attempt has ended yet"
                await until(lambda: mill.tried(hooks[0]) == 1000)

        loop.run(work())
    assert fast.ids == dict.fromkeys(mill.events(), 1)
    assert [receiver.most <= limits.per_webhook for receiver in (fast, silent, slow, closing)] == [True] * 4
    assert mill.webhook(hooks[3])["disabled_until"] is not None, "one that only fails is suspended"


def test_the_webhooks_of_one_environment_leave_connections_to_the_others(mill: Mill, loop: Loop) -> None:
    limits = replace(UNHURRIED, connections=12, per_webhook=4, per_environment=8)
    neighbour = mill.neighbour()
    with receiving(loop, hold) as silent, receiving(loop, answering()) as fast:
        for _ in range(5):
            mill.hook(silent)
        mill.write(20)
        hook = neighbour.hook(fast)

        async def work() -> None:
            async with sending(mill.server, limits):
                await until(lambda: silent.open == limits.per_environment)
                await asyncio.to_thread(neighbour.write, 50)
                await until(lambda: neighbour.tried(hook) == 50)

        loop.run(work())
    assert silent.most == limits.per_environment


def test_connections_that_wait_for_their_next_call_are_bounded(mill: Mill, loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "IDLE_SOCKETS", 3)
    with ExitStack() as stack:
        receivers = [stack.enter_context(receiving(loop, answering())) for _ in range(12)]
        hooks = [mill.hook(receiver) for receiver in receivers]

        async def work() -> None:
            async with sending(mill.server, replace(UNHURRIED, connections=2)):
                for count in (1, 2):
                    await asyncio.to_thread(mill.write, 1)
                    await until(partial(have_tried, mill, hooks, count))
                await until(lambda: 0 < sum(receiver.open for receiver in receivers) <= 3 + 2)

        loop.run(work())


def test_an_outcome_that_cannot_be_kept_counts_and_harms_no_other(mill: Mill, loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    keep = outcomes.keep_outcomes

    def fail(tx: Any, kept: Any) -> Any:
        if any(outcome.answer == "poison" for outcome in kept):
            raise ZeroDivisionError
        return keep(tx, kept)

    monkeypatch.setattr(sending_rules, "keep_outcomes", fail)
    with receiving(loop, answering(200, b"", b"poison")) as bad, receiving(loop, answering()) as good:
        hooks = [mill.hook(bad), mill.hook(good)]
        mill.write(1)
        mill.send_all(*hooks)
    rows = [mill.deliveries(id)[0] for id in hooks]
    assert [(row["status"], row["attempts"], row["error"]) for row in rows] == [
        ("successful", 1, sender_module.UNKEPT),
        ("successful", 1, None),
    ]


def test_a_webhook_that_cannot_be_read_holds_up_no_other(mill: Mill, loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = webhooks.valid_secrets

    def fail(tx: Any, webhook: Any) -> Any:
        if webhook["description"] == "broken":
            raise ZeroDivisionError
        return secrets(tx, webhook)

    monkeypatch.setattr(sending_rules, "valid_secrets", fail)
    with receiving(loop, answering()) as receiver:
        broken, sound = mill.hook(receiver, description="broken"), mill.hook(receiver)
        mill.write(3)
        mill.send_all(sound)
    assert (mill.tried(broken), len(receiver.messages)) == (0, 3)
