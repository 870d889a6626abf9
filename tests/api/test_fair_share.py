"""An environment whose slow work holds every place that it may have holds up nobody else, on both databases.

To see it fail: let `Turns.may_begin` be `self.free > 0`; the last test: let `Turns.wait` wait without a limit.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.client import Client
from tests.server import Server

from planwerk.store import sqlite
from planwerk.store.statements import Statement
from planwerk.store.transaction import Transaction

ASKED = 24  # more than there are places of any kind
SLOW = {
    "sqlite": "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {steps}) SELECT {environment} FROM c ORDER BY n",
    "postgresql": "SELECT {environment} FROM (SELECT pg_sleep({steps} / 1000000)) AS slept",
}
LONG = 14_000_000  # on PostgreSQL as many microseconds; on SQLite a thread waits
SHORT = 10_000  # on SQLite too long for the event loop


class Shop:
    """Two environments of one server, of which the first has slow work."""

    def __init__(self, server: Server) -> None:
        self.server, self.database = server, server.database
        self.greedy, self.modest = server.tenant("greedy"), server.tenant("modest")
        self.slow = self.database.statements.named(Statement(SLOW[self.database.statements.dialect.name], {}))
        self.may_end = threading.Event()

    def client(self, *, is_greedy: bool) -> Client:
        return self.server.client(self.greedy if is_greedy else self.modest)

    def block(self, _: Transaction) -> None:
        assert self.may_end.wait(60)

    async def list(self) -> Any:
        return await self.database.fetch(self.slow, {"environment": self.greedy.environment.id, "steps": LONG})

    async def look(self) -> Any:
        return await self.database.read(self.greedy.environment.id, self.block)

    @asynccontextmanager
    async def held(self, work: "Work") -> AsyncIterator[None]:
        """While the first environment asks for more slow work than there are places; none of it may end meanwhile."""
        asked = [asyncio.create_task(work(self)) for _ in range(ASKED)]
        await asyncio.sleep(0)  # each has its place or waits for it
        try:
            yield
            assert not any(task.done() for task in asked)
        finally:
            self.may_end.set()
            for task in asked:
                task.cancel()
            await asyncio.gather(*asked, return_exceptions=True)


Work = Callable[[Shop], Coroutine[Any, Any, Any]]
EACH = pytest.mark.parametrize("work", [Shop.list, Shop.look], ids=["lists", "transactions"])


@pytest.fixture
def shop(server: Server, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """On SQLite every statement of some length runs in a thread, where those of the first environment wait."""
    shop, heavy = Shop(server), sqlite.SQLite.fetch_heavy

    def fetch_heavy(self: sqlite.SQLite, text: str, values: Any) -> list[Any]:
        if values.get("environment") == shop.greedy.environment.id:
            assert shop.may_end.wait(60)
            return []
        return heavy(self, text, values)

    monkeypatch.setattr(sqlite.SQLite, "fetch_heavy", fetch_heavy)
    monkeypatch.setattr(sqlite, "INLINE_SECONDS", 0.0)
    return shop


@EACH
def test_slow_work_of_one_environment_holds_up_no_other(work: Work, shop: Shop) -> None:
    client, id = shop.client(is_greedy=False), shop.modest.environment.id

    async def use() -> list[int]:
        async with shop.held(work):
            assert await shop.database.fetch(shop.slow, {"environment": id, "steps": SHORT}) is not None
            answers = [await client.ask_async("GET", path) for path in ("/v1/event", "/v1/board")]
            return [answer.status for answer in [*answers, await client.ask_async("POST", "/v1/board", {"name": "a board"})]]

    assert shop.server.loop.run(use()) == [200, 200, 201]


@EACH
def test_slow_work_of_every_environment_holds_up_none_of_the_servers_own(work: Work, shop: Shop) -> None:
    others = [shop.server.tenant().environment.id for _ in range(ASKED)]

    async def use() -> Any:
        async with shop.held(work):
            more = [asyncio.create_task(shop.database.read(id, shop.block)) for id in others]
            await asyncio.sleep(0)
            found = await shop.database.fetch(shop.slow, {"environment": "", "steps": SHORT})
            return found, await shop.database.read("", lambda _: "done"), [task.done() for task in more].count(True)

    found, read, ended = shop.server.loop.run(use())
    assert (tuple(found), read, ended) == (("",), "done", 0)


def test_who_has_waited_as_long_as_a_statement_may_take_is_told_to_come_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    client, turns = shop.client(is_greedy=True), [value for value in vars(shop.database).values() if hasattr(value, "may_begin")]

    async def use() -> Any:
        async with shop.held(Shop.look):
            for each in turns:
                monkeypatch.setattr(each, "seconds", 0)
            return await client.ask_async("GET", "/v1/event")

    answer = shop.server.loop.run(use())
    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
