"""Failures are counted by kind and name; beyond the limit everything is refused, until the window ends.

To see them fail: raise the limits by one; count in `check`; drop the kind from the key.
"""

import threading
from typing import Any

import pytest

from planwerk.errors import Refusal
from planwerk.identity import throttle as module
from planwerk.identity.throttle import LIMITS, Throttle, neighbourhood


class Store:
    """Counts in windows of a clock that the test sets."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.counts: dict[str, tuple[int, float]] = {}

    def get(self, key: str) -> int:
        count, until = self.counts.get(key, (0, 0.0))
        return count if until > self.now else 0

    def incr(self, key: str, expiry: int) -> int:
        count = self.get(key) + 1
        self.counts[key] = (count, self.counts[key][1] if count > 1 else self.now + expiry)
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
