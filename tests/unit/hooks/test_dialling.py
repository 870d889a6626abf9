"""The gate before a connection: a name with one forbidden address is refused as a whole, and so is the socket for one.

To see it fail: judge only the first address in `Gate.resolve`, or nothing in `Gate.open_socket`; run lookups in the loop's own
threads (the test of names that hang waits for ever).
"""

import asyncio
import socket
import threading
from typing import Any

import pytest

from planwerk.hooks.address import networks_of
from planwerk.hooks.dialling import NOT_ALLOWED, Forbidden, Gate

FOUR, SIX = socket.AF_INET, socket.AF_INET6
PUBLIC, PUBLIC_SIX, LOCAL, LOCAL_SIX = "8.8.8.8", "2606:4700::1111", "127.0.0.1", "::1"


def answer(address: str) -> Any:
    six = ":" in address
    return (SIX if six else FOUR, socket.SOCK_STREAM, 6, "", (address, 443, 0, 0) if six else (address, 443))


def resolved(*addresses: str, allowed: str = "") -> list[str]:
    gate = Gate(networks_of(allowed), lambda *_: [answer(address) for address in addresses])
    return [found["host"] for found in asyncio.run(gate.resolve("hooks.example", 443))]


def test_every_address_of_a_public_name_is_given() -> None:
    assert resolved(PUBLIC, PUBLIC_SIX) == [PUBLIC, PUBLIC_SIX]


@pytest.mark.parametrize("addresses", [(LOCAL,), (PUBLIC, LOCAL), (PUBLIC_SIX, LOCAL_SIX, PUBLIC), ("fe80::1%eth0", PUBLIC)])
def test_a_name_with_one_forbidden_address_is_refused_and_nothing_of_it_told(addresses: tuple[str, ...]) -> None:
    with pytest.raises(Forbidden) as refusal:
        resolved(*addresses)
    assert str(refusal.value) == NOT_ALLOWED


def test_what_the_operator_has_named_is_given() -> None:
    assert resolved(PUBLIC, LOCAL, allowed="127.0.0.1") == [PUBLIC, LOCAL]
    with pytest.raises(Forbidden):
        resolved(LOCAL, LOCAL_SIX, allowed="127.0.0.1")


def test_a_name_is_asked_for_again_each_time() -> None:
    answers = [[answer(PUBLIC)], [answer(LOCAL)]]
    gate = Gate((), lambda *_: answers.pop(0))
    assert asyncio.run(gate.resolve("rebinding.example"))[0]["host"] == PUBLIC
    with pytest.raises(Forbidden):
        asyncio.run(gate.resolve("rebinding.example"))


def test_a_name_that_nobody_knows_is_an_error_of_the_system() -> None:
    def ask(*_: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    with pytest.raises(socket.gaierror):
        asyncio.run(Gate((), ask).resolve("nowhere.example"))


@pytest.mark.parametrize("address", [LOCAL, LOCAL_SIX, "::ffff:127.0.0.1", "64:ff9b::7f00:1", "fe80::1%eth0"])
def test_no_socket_is_opened_for_a_forbidden_address(address: str) -> None:
    with pytest.raises(Forbidden):
        Gate(()).open_socket(answer(address))


def test_a_socket_is_opened_for_another() -> None:
    for gate, address in ((Gate(()), PUBLIC), (Gate(networks_of("127.0.0.1")), LOCAL)):
        with gate.open_socket(answer(address)) as opened:
            assert opened.family == FOUR


def test_names_that_hang_hold_up_no_other_and_nobody_waits_for_them_at_the_end() -> None:
    release, asked = threading.Event(), threading.Semaphore(0)

    def ask(host: str, *_: Any) -> Any:
        if host == "slow.example":
            asked.release()
            release.wait()
        return [answer(PUBLIC)]

    async def work() -> None:
        gate = Gate((), ask)
        slow = [asyncio.ensure_future(gate.resolve("slow.example")) for _ in range(100)]
        assert (await gate.resolve("fast.example"))[0]["host"] == PUBLIC
        assert not any(task.done() for task in slow)
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)

    asyncio.run(work())  # it ends although the lookups have not
    assert asked.acquire(timeout=60)
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "name lookup")
    release.set()
