"""Of what a process has few of, slow work of one environment leaves something for the others, and the last place to the server itself.

To see it fail: let `may_begin` ask for a free place alone, or give a place back to whoever has waited longest.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.unit.store.shop import kind_of

from planwerk.errors import SERVICE_UNAVAILABLE, Refusal
from planwerk.store.turns import OWN, Turns


def begun(turns: Turns, asked: Iterable[str]) -> list[str]:
    """Who gets a place at once, of those who ask one after another."""
    return [environment_id for environment_id in asked if turns.begin(environment_id)]


@pytest.mark.parametrize(
    ("places", "asked", "expected"),
    [
        (8, "a" * 9, "aaaa"),
        (8, "a" * 9 + "b" * 9, "aaaabb"),
        (8, "a" * 9 + "b" * 9 + "c" * 9, "aaaabbc"),
        (8, "abcdefgh", "abcdefg"),  # the last is the server's own
        (4, "a" * 9 + "b" * 9 + "c", "aab"),
    ],
)
def test_an_environment_has_no_more_places_than_it_leaves(places: int, asked: str, expected: str) -> None:
    turns = Turns(places, 60)
    assert "".join(begun(turns, asked)) == expected
    assert turns.begin(OWN)


def test_the_servers_own_work_leaves_places_too() -> None:
    turns = Turns(8, 60)
    assert len(begun(turns, [OWN] * 9)) == 4
    assert begun(turns, "aaa") == ["a", "a"]


def test_the_one_place_of_the_server_is_kept_for_it_once_its_own_work_has_ended() -> None:
    turns = Turns(3, 60)
    assert begun(turns, [OWN, "a", "b", "c"]) == [OWN, "a", "b"]
    turns.end(OWN)
    assert begun(turns, "cd") == []
    assert turns.begin(OWN)


def waited(use: Callable[[Turns, list[str]], Awaitable[None]], *, places: int, seconds: float = 60) -> list[str]:
    """Who got a place that had to wait, in this order; nothing may be remembered at the end."""
    turns, came = Turns(places, seconds), list[str]()

    async def run() -> None:
        await use(turns, came)
        assert (turns.free, turns.working, turns.waiting) == (places, {}, {})

    asyncio.run(run())
    return came


async def queue(turns: Turns, came: list[str], environment_id: str) -> None:
    """Wait, note it, and give the place back at once."""
    await turns.wait(environment_id)
    came.append(environment_id)
    turns.end(environment_id)


async def queued(turns: Turns, came: list[str], asked: Iterable[str]) -> list["asyncio.Task[None]"]:
    tasks = [asyncio.create_task(queue(turns, came, environment_id)) for environment_id in asked]
    await asyncio.sleep(0)
    return tasks


def test_a_place_goes_to_who_has_the_least_at_work() -> None:
    async def use(turns: Turns, came: list[str]) -> None:
        assert begun(turns, "aab") == ["a", "a", "b"]
        tasks = await queued(turns, came, "abc")
        for environment_id in "aab":
            turns.end(environment_id)
        await asyncio.gather(*tasks)

    assert waited(use, places=4) == ["c", "a", "b"]


def test_those_with_as_little_at_work_come_in_turn() -> None:
    async def use(turns: Turns, came: list[str]) -> None:
        assert turns.begin("a")
        tasks = await queued(turns, came, "bbbcc")
        turns.end("a")
        await asyncio.gather(*tasks)

    assert waited(use, places=2) == ["b", "c", "b", "c", "b"]


def test_the_servers_own_work_waits_for_no_environment() -> None:
    async def use(turns: Turns, came: list[str]) -> None:
        assert begun(turns, [OWN, "a"]) == [OWN, "a"]
        tasks = await queued(turns, came, ["b", OWN])
        turns.end(OWN)
        await tasks[1]
        assert came == [OWN]
        turns.end("a")
        await asyncio.gather(*tasks)

    assert waited(use, places=2) == [OWN, "b"]


def test_who_waits_too_long_is_refused_and_told_when_to_come_again() -> None:
    async def use(turns: Turns, came: list[str]) -> None:
        turns.begin("a")
        with pytest.raises(Refusal) as refused:
            await turns.wait("a")
        assert kind_of(refused.value) is SERVICE_UNAVAILABLE
        assert refused.value.headers["retry-after"] == "5"
        turns.end("a")

    assert waited(use, places=2, seconds=0) == []


def test_who_goes_away_while_it_waits_leaves_no_trace() -> None:
    """Before its turn, when its turn has just come, and when its turn comes just after."""

    async def use(turns: Turns, came: list[str]) -> None:
        turns.begin("a")
        before, chosen, after, last = await queued(turns, came, "aaaa")
        before.cancel()
        await asyncio.gather(before, return_exceptions=True)
        after.cancel()
        turns.end("a")  # calls `chosen`
        chosen.cancel()
        await asyncio.gather(chosen, after, last, return_exceptions=True)

    assert waited(use, places=2) == ["a"]


def test_a_thread_that_works_for_someone_who_went_away_keeps_its_place() -> None:
    is_running, may_end = threading.Event(), threading.Event()

    def work() -> None:
        is_running.set()
        assert may_end.wait(10)

    async def use(turns: Turns, came: list[str]) -> None:
        with ThreadPoolExecutor(1) as threads:
            asked = asyncio.create_task(turns.run(threads, "a", work))
            await asyncio.to_thread(is_running.wait, 10)
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)
            assert not turns.begin("a")
            may_end.set()
            came.append(await turns.run(threads, "a", lambda: "next"))

    assert waited(use, places=2) == ["next"]


def test_what_a_thread_raises_is_raised_and_its_place_given_back() -> None:
    async def use(turns: Turns, came: list[str]) -> None:
        with ThreadPoolExecutor(1) as threads, pytest.raises(ZeroDivisionError):
            await turns.run(threads, "a", lambda: 1 // 0)
        with pytest.raises(RuntimeError):
            await turns.run(threads, "a", lambda: 1)  # they are shut down

    assert waited(use, places=2) == []
