"""Who waits in a process is woken by what is committed, and can be ended at any moment.

To see it fail: use `asyncio.wait_for` in `happens` (on Python 3.11), or leave `discard` out of `heard`.
"""

import asyncio

from planwerk.store.database import Bell, happens


def test_who_waits_is_woken_by_its_own_kind_alone() -> None:
    async def wait() -> tuple[bool, bool]:
        bell = Bell()
        with bell.heard("jobs") as jobs, bell.heard("events") as events:
            bell.ring(["jobs"])
            await happens(jobs, 60)
            return jobs.is_set(), events.is_set()

    assert asyncio.run(wait()) == (True, False)


def test_who_has_stopped_listening_is_forgotten() -> None:
    async def listen() -> Bell:
        bell = Bell()
        with bell.heard("deliveries"):
            pass
        return bell

    assert asyncio.run(listen()).ears["deliveries"] == set()


def test_a_wait_that_is_ended_at_the_moment_something_happens_ends() -> None:
    async def wait_again_and_again(event: asyncio.Event) -> None:
        while True:
            await happens(event, 60)
            event.clear()

    async def end_at_that_moment() -> bool:
        event = asyncio.Event()
        waiting = asyncio.create_task(wait_again_and_again(event))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        event.set()
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting], timeout=1)
        is_ended = waiting.cancelled()
        waiting.cancel()
        return is_ended

    assert asyncio.run(end_at_that_moment())
