"""A connection that PostgreSQL ends is no fault of ours: the caller is told to come again, and nothing of it is kept.

To see it fail: leave `IdleInTransactionSessionTimeout` out of `LOST`, or the replaced connection in `opened`.
"""

import asyncio
import select
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.client import Client, Loop
from tests.server import Server, running, scratch_database, settings_for

from planwerk.store.postgresql import PostgreSQL, translate
from planwerk.store.transaction import Transaction

pytestmark = pytest.mark.parametrize("backend", ["postgresql"], indirect=True, scope="session")


def test_a_transaction_that_idled_too_long_is_to_be_tried_again(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """It idles before it inserts, until the server has ended it."""
    insert = Transaction.insert

    def idle(self: Any, *given: Any) -> Any:
        self.connection.execute("SET LOCAL idle_in_transaction_session_timeout = 1")
        assert select.select([self.connection.raw.fileno()], [], [], 60)[0], "the server says nothing"
        return insert(self, *given)

    with monkeypatch.context() as patch:
        patch.setattr(Transaction, "insert", idle)
        answer = api.ask("POST", "/v1/item", {"code": "A"})
    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    assert api.get("/v1/item")["data"] == []
    assert api.post("/v1/item", {"code": "A"})["code"] == "A"


def lose(tx: Transaction) -> None:
    tx.connection.execute("SELECT pg_terminate_backend(pg_backend_pid())", {})


def test_a_connection_that_was_replaced_is_forgotten(server: Server) -> None:
    database = server.database
    assert isinstance(database, PostgreSQL)
    database.query("SELECT 1")
    before = len(database.opened)
    for _ in range(3):
        with pytest.raises(Exception, match="cannot be reached"):
            database.write_now("", lose)
        assert database.query("SELECT 1")[0][0] == 1
    assert len(database.opened) == before


def lose_all(database: PostgreSQL) -> None:
    """As if the server had been started anew while nobody asked."""
    database.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")


def test_connections_that_were_lost_while_they_were_idle_cost_nobody_an_answer(
    backend: str, tmp_path: Path, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To see it fail: let `ask` be `ask_once`, or `attempt` take `handle` for `ready`."""
    monkeypatch.setattr("planwerk.store.postgresql.IDLE_SECONDS", 0.0)
    with scratch_database(backend, tmp_path) as url, running(loop, settings_for(url, tmp_path)) as server:
        ask_while_connections_are_lost(server, server.client(server.tenant()))


def ask_while_connections_are_lost(server: Server, api: Client) -> None:
    assert isinstance(server.database, PostgreSQL)
    for number in range(3):
        many = [api.ask_async("POST", "/v1/item", {"code": f"{number} {place}"}) for place in range(6)]

        async def ask_all(many: Any = many) -> list[int]:
            return [answer.status for answer in await asyncio.gather(*many)]

        assert set(api.loop.run(ask_all())) == {201}
        lose_all(server.database)
        assert api.ask("GET", "/v1/item").status == 200
        assert api.ask("POST", "/v1/item", {"code": str(number)}).status == 201


def test_a_server_that_is_not_there_is_asked_once(api: Client, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    database, tries = server.database, []
    assert isinstance(database, PostgreSQL)

    async def fail(*_: Any) -> Any:
        tries.append(1)
        raise translate(psycopg.OperationalError("no server"))

    monkeypatch.setattr(database, "connect", fail)
    monkeypatch.setattr(database, "idle", [])
    assert api.refused("GET", "/v1/item")[0] == 503
    assert len(tries) == 1
