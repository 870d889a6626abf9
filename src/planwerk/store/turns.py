"""Turns at what a process has few of, connections and threads: the slow work of one environment never takes them all.

Whoever asks next finds a place as long as few others are at work, and the server's own work always finds one. So an environment
that is alone has half of the places: of eight four; then a second one gets two, and a third one.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

from planwerk.store.database import unavailable

Result = TypeVar("Result")

OWN = ""  # the server's own work, across environments


class Turns:
    """A number of places, and who is at work in them; used on one event loop. What is not contended waits for nothing."""

    def __init__(self, places: int, seconds: float) -> None:
        self.free = places
        self.seconds = seconds  # the longest that anybody waits
        self.working: dict[str, int] = {}  # by environment; who has nothing under way is forgotten
        self.waiting: dict[str, deque[asyncio.Future[None]]] = {}  # who waits longest is the first; nobody who may begin waits

    def may_begin(self, environment_id: str) -> bool:
        """Whether an environment has less at work than there are places left; one place is kept for the server's own work."""
        if OWN in self.working:
            return self.working.get(environment_id, 0) < self.free
        return self.free > 0 if environment_id == OWN else self.working.get(environment_id, 0) < self.free - 1

    def begin(self, environment_id: str) -> bool:
        """Take a place, if the environment may have one now; `end` gives it back."""
        if not self.may_begin(environment_id):
            return False
        self.free -= 1
        self.working[environment_id] = self.working.get(environment_id, 0) + 1
        return True

    async def wait(self, environment_id: str) -> None:
        """Take a place once there is one for the environment; a refusal if that takes too long."""
        turn = asyncio.get_running_loop().create_future()
        self.waiting.setdefault(environment_id, deque()).append(turn)
        try:
            async with asyncio.timeout(self.seconds):
                await turn
        except BaseException as error:
            if not turn.cancelled():  # it came at the moment of giving up
                self.end(environment_id)
            self.forget(environment_id, turn)
            if isinstance(error, TimeoutError):
                raise unavailable("too much slow work is under way") from None
            raise

    def forget(self, environment_id: str, turn: asyncio.Future[None]) -> None:
        """Nobody waits for this turn any more."""
        turns = self.waiting.get(environment_id, deque())
        if turn in turns:
            turns.remove(turn)
            if not turns:
                del self.waiting[environment_id]

    def end(self, environment_id: str) -> None:
        """Give a place back, to the environment that has the least at work of those that wait."""
        self.free += 1
        self.working[environment_id] -= 1
        if not self.working[environment_id]:
            del self.working[environment_id]
        while self.waiting:
            following = min(self.waiting, key=lambda id: (self.working.get(id, 0), id != OWN))
            turn = self.waiting[following][0]
            if turn.cancelled():  # whoever gave up has not come to say so
                self.forget(following, turn)
                continue
            if not self.begin(following):
                return  # nor may any that has as much at work, or more
            self.forget(following, turn)
            if following in self.waiting:
                self.waiting[following] = self.waiting.pop(following)  # behind the others
            turn.set_result(None)

    async def run(self, threads: Executor | None, environment_id: str, function: Callable[..., Result], *given: object) -> Result:
        """What a function returns that runs in one of the threads, once it is the environment's turn."""
        if not self.begin(environment_id):
            await self.wait(environment_id)
        try:
            work = asyncio.get_running_loop().run_in_executor(threads, function, *given)
        except BaseException:
            self.end(environment_id)
            raise
        try:
            return await asyncio.shield(work)
        finally:
            if work.done():
                self.end(environment_id)
            else:  # who asked went away, but the thread is still at it
                work.add_done_callback(lambda _: self.end(environment_id))
