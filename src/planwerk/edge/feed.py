"""Server-Sent Events: the feed as answers that stay open (WHATWG HTML, section 9.2).

One watcher looks for what is new and wakes the streams of that environment; those that stand at the same position share one page. So a
thousand streams cost a thousand pieces of memory, not a thousand looks. Before a stream looks, its caller is found again.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial

import structlog

from planwerk.actor import Actor, viewer_of
from planwerk.errors import Refusal
from planwerk.rules.feed import begin, check_position, seen_events, shown_event, wanted
from planwerk.store.database import Database, happens
from planwerk.store.outbox import NEWEST, Kept, read_behind_writers, read_events
from planwerk.store.transaction import Transaction

LOOK_SECONDS = 1.0  # between two looks for the events of other processes
REST_SECONDS = 0.1  # after a look that woke streams, so that many commits wake them once
QUIET_SECONDS = 15.0  # then a comment is sent, so that nobody on the way takes silence for the end
RETRY_MILLISECONDS = 2000  # before a client opens the stream again
PAGE = 100  # events that are read at once

Confirm = Callable[[bool], Awaitable[Actor]]  # True: whatever is remembered of the caller


class Followed:
    """One environment with open streams, and what these share."""

    def __init__(self) -> None:
        self.newest = 0
        self.streams = 0
        self.moved = asyncio.Event()
        self.page: tuple[int, asyncio.Task[list[Kept]]] | None = None  # (position, the events behind it)

    def wake(self) -> None:
        """Let the streams look. A page that is being read may lack what they are woken for, so from now on nobody begins to share it."""
        self.page = None
        self.moved.set()
        self.moved = asyncio.Event()


class Feed:
    """The open streams of one process."""

    def __init__(self, database: Database, quiet_seconds: float = QUIET_SECONDS) -> None:
        self.database = database
        self.quiet_seconds = quiet_seconds
        self.followed: dict[str, Followed] = {}
        self.watcher: asyncio.Task[None] | None = None
        self.newest = database.statements.named(NEWEST)

    async def begin(self, environment_id: str) -> int:
        """The position of a stream that begins now: it will tell whatever is written from here on."""
        return await read_behind_writers(self.database, environment_id, begin)

    async def check(self, environment_id: str, after: int, name: str) -> None:
        """Refuse a position that nothing has had yet: its stream would stay silent."""
        await self.database.read(environment_id, partial(check_position, after=after, name=name))

    async def follow(self, environment_id: str, confirm: Confirm, after: int, types: frozenset[str]) -> AsyncGenerator[bytes, None]:
        """The stream behind a position. It ends when `confirm` refuses the caller, and when the process ends."""
        with self.following(environment_id) as followed:
            yield f"retry: {RETRY_MILLISECONDS}\nid: {after}\n\n".encode()
            clock = asyncio.get_running_loop().time
            told_at = clock()
            while not self.database.bell.is_last:
                moved = followed.moved
                try:
                    await confirm(False)
                    kept = await self.page(environment_id, followed, after)
                    events = wanted(kept, types)
                    if events:  # which may have happened after the caller lost its access
                        events = await self.seen(await confirm(True), events)
                except Refusal as refusal:
                    if refusal.status < 500:
                        return
                    await asyncio.sleep(LOOK_SECONDS)
                    kept, events = [], []
                for event in events:
                    yield framed(event)
                after = kept[-1].position if kept else after
                if events:
                    told_at = clock()
                if not kept:
                    await happens(moved, told_at + self.quiet_seconds - clock())
                if clock() - told_at >= self.quiet_seconds:
                    yield f": still here\nid: {after}\n\n".encode()  # what was passed over need not be passed over again
                    told_at = clock()

    # ── what streams share ──

    @contextmanager
    def following(self, environment_id: str) -> Iterator[Followed]:
        """Count one stream more; the first starts the watcher, the last ends it."""
        followed = self.followed.setdefault(environment_id, Followed())
        followed.streams += 1
        if self.watcher is None:
            self.watcher = asyncio.create_task(self.watch())
        try:
            yield followed
        finally:
            followed.streams -= 1
            if not followed.streams:
                del self.followed[environment_id]
            if not self.followed:
                self.watcher.cancel()
                self.watcher = None

    async def watch(self) -> None:
        """Wake the streams of an environment whenever it has something new; ends by being cancelled."""
        with self.database.bell.heard("events") as rung:
            while True:
                rung.clear()
                moved = [
                    followed for environment_id, followed in list(self.followed.items()) if await self.has_moved(environment_id, followed)
                ]
                for followed in moved:
                    followed.wake()
                await asyncio.sleep(REST_SECONDS if moved else 0)
                await happens(rung, LOOK_SECONDS)

    async def has_moved(self, environment_id: str, followed: Followed) -> bool:
        before = followed.newest
        try:
            row = await self.database.fetch(self.newest, {"environment": environment_id})
            followed.newest = row[0] if row else 0
        except Refusal:
            pass  # the streams find out themselves that the database is away
        except Exception as error:  # whatever it is, the streams must not fall silent
            structlog.get_logger("planwerk").error("looking for events failed", exc_info=error)
        return followed.newest != before or self.database.bell.is_last

    async def page(self, environment_id: str, followed: Followed, after: int) -> list[Kept]:
        """The next events of the environment, read once for all streams that stand there."""
        if followed.page is None or followed.page[0] != after or is_spent(followed.page[1]):
            reading = asyncio.create_task(read_behind_writers(self.database, environment_id, partial(read_events, after=after, limit=PAGE)))
            reading.add_done_callback(is_spent)  # which looks at its error, if nobody else is left to
            followed.page = after, reading
        return await asyncio.shield(followed.page[1])

    async def seen(self, actor: Actor, events: list[Kept]) -> list[Kept]:
        """Those of the events that the caller sees, which costs a look only if it does not see all."""
        if not events or viewer_of(actor) is None:
            return events

        def work(tx: Transaction) -> list[Kept]:
            tx.actor = actor
            return seen_events(tx, events)

        return await self.database.read(actor.environment_id, work)


def is_spent(page: "asyncio.Task[list[Kept]]") -> bool:
    """Whether a page that was read serves nobody any more: there was nothing on it, or it could not be read."""
    return page.done() and (page.cancelled() or page.exception() is not None or not page.result())


def framed(event: Kept) -> bytes:
    return f"id: {event.position}\nevent: {event.name}\ndata: {shown_event(event)}\n\n".encode()
