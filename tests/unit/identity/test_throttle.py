"""Failures are counted by kind and name; beyond the limit everything is refused, until the window ends.

To see them fail: raise the limits by one; count in `check`; drop the kind from the key.
"""

import asyncio
import threading
from typing import Any

import pytest

from planwerk.errors import Refusal
from planwerk.identity import throttle as module
from planwerk.identity.throttle import LIMITS, LINE_SECONDS, LONGEST_LINE, Lines, Throttle, neighbourhood


class Store:
    """Counts in windows of a clock that the test sets."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.counts: dict[str, tuple[int, float]] = {}

    def get(self, key: str) -> int:
        count, until = self.counts.get(key, (0, 0.0))
        return count if until > self.now else 0

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        count = self.get(key) + amount
        self.counts[key] = (count, self.counts[key][1] if count != amount else self.now + expiry)
        return count

    def get_expiry(self, key: str) -> float:
        return self.counts[key][1]

    def clear(self, key: str) -> None:
        self.counts.pop(key, None)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    store = Store()
    monkeypatch.setattr(module, "storage_from_string", lambda _: store)
    return store


@pytest.fixture
def throttle(store: Store) -> Throttle:
    return Throttle("memory://", lambda: store.now)


def refused(act: Any, kind: str, name: str) -> str:
    """The Retry-After of a refusal."""
    with pytest.raises(Refusal) as caught:
        act(kind, name)
    assert caught.value.status == 429
    return caught.value.headers["retry-after"]


@pytest.mark.parametrize("kind", LIMITS)
def test_as_many_failures_as_the_limit_says_are_possible(kind: str, throttle: Throttle) -> None:
    for _ in range(LIMITS[kind].amount):
        throttle.check(kind, "ann")
        throttle.fail(kind, "ann")
    refused(throttle.check, kind, "ann")
    refused(throttle.fail, kind, "ann")


def test_a_window_begins_with_its_first_failure_and_the_refusal_says_when_it_ends(throttle: Throttle, store: Store) -> None:
    for _ in range(5):
        throttle.fail("factor", "ann")
        store.now += 100
    assert refused(throttle.check, "factor", "ann") == "401"
    store.now += 400
    throttle.check("factor", "ann")
    throttle.fail("factor", "ann")


def test_kinds_and_names_are_counted_apart(throttle: Throttle) -> None:
    for _ in range(5):
        throttle.fail("factor", "ann")
    throttle.check("factor", "bob")
    throttle.check("account", "ann")
    throttle.fail("mail", "ann")


def test_looking_counts_nothing_and_a_success_forgets(throttle: Throttle) -> None:
    for _ in range(50):
        throttle.check("factor", "ann")
    for _ in range(5):
        throttle.fail("factor", "ann")
    throttle.clear("factor", "ann")
    throttle.check("factor", "ann")


def test_what_is_taken_back_is_one_failure_less_and_moves_no_window(throttle: Throttle, store: Store) -> None:
    for _ in range(5):
        throttle.fail("factor", "ann")
    store.now += 100
    throttle.take_back("factor", "ann")
    throttle.fail("factor", "ann")
    assert refused(throttle.check, "factor", "ann") == "801"


def test_the_stores_of_limits_take_back_what_they_counted() -> None:
    throttle = Throttle("memory://")
    for _ in range(20):
        throttle.fail("factor", "ann")
        throttle.take_back("factor", "ann")
    for _ in range(5):
        throttle.fail("factor", "ann")
    refused(throttle.fail, "factor", "ann")


def test_of_each_name_one_works_at_a_time_in_the_order_of_coming() -> None:
    lines, done = Lines(), []

    async def work(name: str, number: int) -> None:
        async with lines.turn(name):
            done.append((name, number, "begun"))
            await asyncio.sleep(0)
            done.append((name, number, "over"))

    async def all_at_once() -> None:
        await asyncio.gather(*(work(name, number) for number in range(3) for name in "ab"))

    asyncio.run(all_at_once())
    for name in "ab":
        assert [item[1:] for item in done if item[0] == name] == [(number, what) for number in range(3) for what in ("begun", "over")]
    assert done[:2] == [("a", 0, "begun"), ("b", 0, "begun")]
    assert lines.of == {}


def test_a_line_that_is_too_long_is_refused_at_once_and_forgotten_when_it_is_empty() -> None:
    lines = Lines()

    async def stand(until: asyncio.Event) -> None:
        async with lines.turn("a"):
            await until.wait()

    async def crowd() -> str:
        until = asyncio.Event()
        tasks = [asyncio.ensure_future(stand(until)) for _ in range(LONGEST_LINE)]
        await asyncio.sleep(0)
        with pytest.raises(Refusal) as caught:
            await stand(until)
        async with lines.turn("b"):
            tasks.pop().cancel()  # who goes away leaves the line
        until.set()
        await asyncio.gather(*tasks)
        return caught.value.headers["retry-after"]

    assert asyncio.run(crowd()) == str(LINE_SECONDS)
    assert lines.of == {}


def test_no_name_reaches_the_store_in_clear(throttle: Throttle, store: Store) -> None:
    throttle.fail("account", "ann@example.com")
    assert "ann" not in repr(store.counts)


def test_of_many_at_once_no_more_than_the_limit_get_through() -> None:
    throttle, start, lock, through = Throttle("memory://"), threading.Barrier(20), threading.Lock(), []

    def attempt() -> None:
        start.wait(10)
        try:
            throttle.fail("factor", "ann")
        except Refusal:
            return
        with lock:
            through.append(1)

    threads = [threading.Thread(target=attempt) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(through) == LIMITS["factor"].amount


def test_an_ipv6_household_is_one_address() -> None:
    assert neighbourhood("2001:db8:1:2:3::4") == neighbourhood("2001:db8:1:2:ffff::") != neighbourhood("2001:db8:1:3::")
