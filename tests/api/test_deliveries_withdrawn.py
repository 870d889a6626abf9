"""What was taken to be sent is not sent any more once its webhook, or its environment, has said so; nothing of it is lost.

To see it fail: let `Sender.stands` be true, leave the environment out of `STANDS` or `exchange`, or `put_back` out of `send`.
"""

from collections.abc import Callable
from typing import Any

import pytest
from tests.client import Loop
from tests.delivering import FREE, LONG_AGO, STATUS, UNHURRIED, Mill, sending, until
from tests.process.receiving import Gate, Receiver, answering, receiving
from tests.server import OBJECTS

from planwerk import sender as sender_module
from planwerk.errors import SERVICE_UNAVAILABLE, refuse

EVENTS = 5
TYPES = ("collection.created", "collection.updated")
Said = Callable[[Mill, str], Any]


@pytest.fixture(autouse=True)
def each_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender_module, "STALE_SECONDS", 0.0)


def happen(mill: Mill) -> None:
    """Events of one object, which are taken together and sent one after the other."""
    database, environment_id, described = mill.server.database, mill.world.environment_id, OBJECTS["collection"]
    id = database.write_now(environment_id, lambda tx: tx.insert(described, {"name": "order"}))["id"]
    for number in range(1, EVENTS):
        mill.change("collection", id, description=str(number))


def send_while(mill: Mill, loop: Loop, hook: str, receiver: Receiver, gate: Gate, said: Said) -> None:
    """Say something while the first of several messages is under way, and send until the sender has nothing in its hands."""

    async def work() -> None:
        async with sending(mill.server, UNHURRIED) as (sender,):
            await until(lambda: receiver.messages)
            answer = said(mill, hook)
            if answer is not None:
                assert (await answer).status in (200, 204)
            gate.opened.set()
            await until(lambda: not sender.calls and not sender.waiting and not sender.outcomes and not sender.desks)

    happen(mill)
    loop.run(work())


def ask(method: str, *body: Any) -> Said:
    return lambda mill, hook: mill.world.client.ask_async(method, f"/v1/webhook/{hook}", *body)


def suspend(mill: Mill, _: str) -> None:
    mill.run(STATUS, status="suspended")


@pytest.mark.parametrize("said", [ask("DELETE"), ask("PUT", {"active": False}), suspend], ids=["deleted", "off", "suspended"])
def test_no_message_is_begun_after_it_was_said(said: Said, mill: Mill, loop: Loop) -> None:
    with receiving(loop, gate := Gate()) as receiver:
        hook = mill.hook(receiver, *TYPES)
        send_while(mill, loop, hook, receiver, gate, said)
        assert len(receiver.messages) == 1
    assert [row["lease_until"] for row in mill.deliveries(hook) if row["lease_until"]] == []


@pytest.mark.parametrize(
    ("off", "on"),
    [
        (ask("PUT", {"active": False}), lambda mill, hook: mill.world.client.put(f"/v1/webhook/{hook}", {"active": True})),
        (suspend, lambda mill, _: mill.run(STATUS, status="active")),
    ],
    ids=["off", "suspended"],
)
def test_the_rest_is_sent_once_it_is_on_again(off: Said, on: Said, mill: Mill, loop: Loop) -> None:
    with receiving(loop, gate := Gate()) as receiver:
        hook = mill.hook(receiver, *TYPES)
        send_while(mill, loop, hook, receiver, gate, off)
        on(mill, hook)
        mill.send_all(hook)
    assert receiver.ids == dict.fromkeys(mill.events(), 1)


def test_the_rest_goes_to_the_new_address(mill: Mill, loop: Loop) -> None:
    with receiving(loop, gate := Gate()) as old, receiving(loop, answering()) as new:
        hook = mill.hook(old, *TYPES)
        send_while(mill, loop, hook, old, gate, ask("PUT", {"url": new.url}))
        mill.send_all(hook)
        assert (len(old.messages), len(new.messages)) == (1, EVENTS - 1)
    assert {**old.ids, **new.ids} == dict.fromkeys(mill.events(), 1)


def test_while_it_cannot_be_known_nothing_is_sent_nor_kept_in_hand(mill: Mill, loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    """To see it fail: let `send` pass on what `stands` raises."""

    async def work() -> None:
        async with sending(mill.server, UNHURRIED) as (sender,):

            async def fail(*_: Any) -> Any:
                raise refuse(SERVICE_UNAVAILABLE, "the database cannot be reached")

            await until(lambda: receiver.messages)
            with monkeypatch.context() as patch:
                patch.setattr(sender, "stands", fail)
                gate.opened.set()
                await until(lambda: not sender.calls and not sender.outcomes and not sender.desks)
            assert (len(receiver.messages), sender.held[hook]) == (1, 0)

    with receiving(loop, gate := Gate()) as receiver:
        hook = mill.hook(receiver, *TYPES)
        happen(mill)
        loop.run(work())
        mill.run(FREE, until=LONG_AGO)
        mill.send_all(hook)
    assert receiver.ids == dict.fromkeys(mill.events(), 1)


def test_a_receiver_that_refuses_is_no_quick_one(mill: Mill, loop: Loop) -> None:
    """So that no more is taken ahead of it than it has connections, when it is suspended."""

    async def work(hook: str) -> None:
        async with sending(mill.server, UNHURRIED) as (sender,):
            await until(lambda: all(row["attempts"] for row in mill.deliveries(hook)))
            assert sender.earned[hook] == 0

    with receiving(loop, answering(500)) as receiver:
        hook = mill.hook(receiver)
        mill.write(EVENTS)
        loop.run(work(hook))
