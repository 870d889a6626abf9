"""Requests are counted by credential in fixed windows; beyond the limit they are refused until the window ends."""

import asyncio
from typing import Any

import pytest

from planwerk.edge import quota as module
from planwerk.edge.quota import Quota
from planwerk.errors import TOO_MANY_REQUESTS, Refusal


class Store:
    """Counts in windows of a clock that the test sets."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.counts: dict[str, tuple[int, float]] = {}

    def incr(self, key: str, expiry: int) -> int:
        count, until = self.counts.get(key, (0, 0.0))
        count, until = (count + 1, until) if until > self.now else (1, self.now + expiry)
        self.counts[key] = count, until
        return count

    def get_expiry(self, key: str) -> float:
        return self.counts[key][1]

    def clock(self) -> float:
        return self.now


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    store = Store()
    monkeypatch.setattr(module, "storage_from_string", lambda _: store)
    return store


def made(store: Store, notation: str = "2/minute", storage: str = "memory://") -> Quota:
    return Quota(notation, storage, store.clock)


def hit(quota: Quota, credential: str = "key") -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in asyncio.run(quota.hit(credential))}


def refused(quota: Quota, credential: str = "key") -> Refusal:
    with pytest.raises(Refusal) as caught:
        asyncio.run(quota.hit(credential))
    return caught.value


def test_an_answer_tells_the_limit_what_is_left_and_for_how_long(store: Store) -> None:
    assert hit(made(store)) == {"ratelimit-limit": "2", "ratelimit-remaining": "1", "ratelimit-reset": "61"}


def test_seconds_run_down_within_the_window(store: Store) -> None:
    quota = made(store)
    hit(quota)
    store.now += 59.5
    assert hit(quota) == {"ratelimit-limit": "2", "ratelimit-remaining": "0", "ratelimit-reset": "1"}


def test_a_request_beyond_the_limit_is_refused_and_told_when_to_return(store: Store) -> None:
    quota = made(store)
    for _ in range(2):
        hit(quota)
    refusal = refused(quota)
    assert refusal.faults[0].kind is TOO_MANY_REQUESTS
    assert refusal.headers == {"retry-after": "61", "ratelimit-limit": "2", "ratelimit-remaining": "0", "ratelimit-reset": "61"}
    assert str(refusal) == "at most 2 requests in 60 seconds"


def test_a_refused_request_leaves_nothing_below_zero(store: Store) -> None:
    quota = made(store, "1/second")
    hit(quota)
    refused(quota)
    assert refused(quota).headers["ratelimit-remaining"] == "0"


def test_the_next_window_begins_anew(store: Store) -> None:
    quota = made(store, "1/minute")
    hit(quota)
    store.now += 60
    assert hit(quota)["ratelimit-reset"] == "61"


def test_each_credential_has_a_count_of_its_own(store: Store) -> None:
    quota = made(store, "1/minute")
    hit(quota, "a")
    assert hit(quota, "b")["ratelimit-remaining"] == "0"


@pytest.mark.parametrize("notation", ["0", " 0 ", ""])
def test_a_limit_that_is_off_counts_nothing_and_tells_nothing(store: Store, notation: str) -> None:
    quota = made(store, notation)
    assert [hit(quota) for _ in range(5)] == [{}] * 5
    assert store.counts == {}


def test_a_shared_store_is_asked_in_a_thread_and_counts_the_same(store: Store) -> None:
    quota = made(store, storage="redis://somewhere")
    assert [hit(quota)["ratelimit-remaining"] for _ in range(2)] == ["1", "0"]
    refused(quota)


def test_no_more_windows_are_remembered_than_the_bound(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CREDENTIALS", 3)
    quota = made(store)
    for number in range(10):
        hit(quota, str(number))
        assert len(quota.ends) <= 4


def test_the_store_of_the_package_is_one_of_ours() -> None:
    quota = Quota("5/hour", "memory://")
    found: Any = hit(quota)
    assert (found["ratelimit-limit"], found["ratelimit-remaining"]) == ("5", "4")
    assert 3600 <= int(found["ratelimit-reset"]) + 1 <= 3602


def test_a_notation_that_means_nothing_stops_the_start() -> None:
    with pytest.raises(ValueError, match="many"):
        Quota("many", "memory://")
