"""SQLite: writes share commits without sharing their fate, reads never hold the event loop, and an answer means on disk."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import pytest
from tests.unit.store.shop import HERE, TASK, failing_insert, inserting, kind_of, opened, served

from planwerk.errors import SERVICE_UNAVAILABLE, Refusal
from planwerk.store import sqlite
from planwerk.store.database import Unusable, unavailable, write_probe
from planwerk.store.sqlite import SQLite, fold
from planwerk.store.statements import Statement
from planwerk.store.transaction import Transaction


def names(database: SQLite) -> list[str]:
    return [row[0] for row in database.query('SELECT name FROM "task" ORDER BY id')]


@pytest.fixture
def commits(database: SQLite) -> list[None]:
    """Grows with every commit."""
    made: list[None] = []

    def note() -> bool:
        made.append(None)
        return False  # True would turn the commit into a rollback

    database.writer.raw.set_commit_hook(note)
    return made


class Gate:
    """A write that holds the writer until the gate is opened, so that those behind it have to wait together."""

    def __init__(self) -> None:
        self.is_reached, self.is_open = threading.Event(), threading.Event()

    def __call__(self, tx: Transaction) -> None:
        self.is_reached.set()
        assert self.is_open.wait(10)


async def together(database: SQLite, *functions: Callable[[Transaction], Any]) -> list[Any]:
    """What becomes of writes that wait at the same time."""
    gate = Gate()
    first = asyncio.create_task(database.write(HERE, gate))
    await asyncio.to_thread(gate.is_reached.wait, 10)
    waiting = [asyncio.create_task(database.write(HERE, function)) for function in functions]
    await asyncio.sleep(0)
    gate.is_open.set()
    await first
    return await asyncio.gather(*waiting, return_exceptions=True)


# ── writing ──


def test_waiting_writes_share_one_commit(database: SQLite, commits: list[None]) -> None:
    async def use() -> None:
        commits.clear()
        await together(database, *(inserting(f"task {number}") for number in range(20)))
        assert len(commits) == 2

    served(database, use)


def test_a_write_that_fails_undoes_itself_and_nothing_else(database: SQLite) -> None:
    async def use() -> tuple[list[Any], list[str]]:
        return await together(database, inserting("a"), failing_insert, inserting("a"), inserting("b")), names(database)

    (first, failed, duplicate, last), found = served(database, use)
    assert found == ["a", "b"]
    assert [isinstance(id, str) for id in (first, last)] == [True, True]
    assert isinstance(failed, ZeroDivisionError)
    assert isinstance(duplicate, Refusal)
    assert duplicate.status == 422


def test_no_more_writes_than_a_batch_share_a_commit(database: SQLite, commits: list[None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BATCH", 4)

    async def use() -> None:
        commits.clear()
        await together(database, *(inserting(f"task {number}") for number in range(8)))
        assert len(commits) == 3

    served(database, use)


def test_a_commit_that_fails_fails_every_write_of_it(database: SQLite) -> None:
    async def use() -> list[Any]:
        database.writer.raw.set_commit_hook(lambda: True)
        found = await asyncio.gather(*(database.write(HERE, inserting(name)) for name in "ab"), return_exceptions=True)
        database.writer.raw.set_commit_hook(None)
        await database.write(HERE, inserting("c"))
        return [*found, names(database)]

    first, second, found = served(database, use)
    assert isinstance(first, BaseException)
    assert isinstance(second, BaseException)
    assert found == ["c"]


def test_when_the_engine_undoes_a_whole_transaction_no_write_of_it_is_answered_as_done(database: SQLite) -> None:
    def lose(tx: Transaction) -> None:
        tx.connection.execute("ROLLBACK", {})
        raise ZeroDivisionError

    async def use() -> list[Any]:
        return [
            *await together(database, inserting("a"), lose, inserting("b")),
            await database.write(HERE, inserting("c")),
            names(database),
        ]

    first, lost, behind, _, found = served(database, use)
    assert [isinstance(error, ZeroDivisionError) for error in (first, lost, behind)] == [True, True, True]
    assert found == ["c"]


def test_a_full_disk_is_unavailable_and_the_next_write_is_served(database: SQLite) -> None:
    async def use() -> list[Any]:
        database.query(f"PRAGMA max_page_count={database.query('PRAGMA page_count')[0][0]}")
        big = asyncio.create_task(database.write(HERE, lambda tx: tx.insert(TASK, {"name": "x" * 1_000_000})))
        [refused] = await asyncio.gather(big, return_exceptions=True)
        database.query("PRAGMA max_page_count=1000000")
        await database.write(HERE, inserting("small"))
        return [refused, names(database)]

    refused, found = served(database, use)
    assert kind_of(refused) is SERVICE_UNAVAILABLE
    assert refused.headers == {"retry-after": "5"}
    assert found == ["small"]


def test_a_client_that_goes_away_neither_loses_its_write_nor_harms_the_others(database: SQLite) -> None:
    async def use() -> tuple[bool, str, list[str]]:
        gate = Gate()
        first = asyncio.create_task(database.write(HERE, gate))
        await asyncio.to_thread(gate.is_reached.wait, 10)
        gone, stays = (asyncio.create_task(database.write(HERE, inserting(name))) for name in ("gone", "stays"))
        await asyncio.sleep(0)
        gone.cancel()
        gate.is_open.set()
        await first
        return gone.cancelled() or gone.cancelling() > 0, await stays, names(database)

    is_gone, id, found = served(database, use)
    assert is_gone
    assert id
    assert found == ["gone", "stays"]


def test_stopping_finishes_the_writes_that_wait(tmp_path: Path) -> None:
    async def use() -> list[Any]:
        database = opened(tmp_path)
        await database.start()
        gate = Gate()
        tasks = [asyncio.create_task(database.write(HERE, function)) for function in (gate, inserting("a"), inserting("b"))]
        await asyncio.to_thread(gate.is_reached.wait, 10)
        stop = asyncio.create_task(database.stop())
        await asyncio.sleep(0)
        gate.is_open.set()
        await stop
        return await asyncio.gather(*tasks)

    assert [bool(id) for id in asyncio.run(use())] == [False, True, True]


def test_a_command_writes_without_an_event_loop_and_hears_of_its_error(database: SQLite) -> None:
    assert database.write_now(HERE, inserting("a"))
    with pytest.raises(ZeroDivisionError):
        database.write_now(HERE, failing_insert)
    assert names(database) == ["a"]


# ── opening ──


def test_what_is_answered_is_on_disk(database: SQLite) -> None:
    pragmas = [database.query(f"PRAGMA {name}")[0][0] for name in ("journal_mode", "synchronous")]
    assert pragmas == ["wal", 2]  # 2 is FULL


def test_a_path_that_is_no_database_is_unusable_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "shop.db").mkdir()
    with pytest.raises(Unusable, match=r"database .*shop\.db: "):
        opened(tmp_path)


def test_a_file_of_another_kind_is_unusable(tmp_path: Path) -> None:
    (tmp_path / "shop.db").write_bytes(b"This is no database at all. " * 100)
    with pytest.raises(Unusable, match="file is not a database"):
        opened(tmp_path)


def test_an_engine_that_can_lose_data_is_refused_unless_the_operator_insists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apsw, "sqlite_lib_version", lambda: "3.51.2")
    with pytest.raises(Unusable, match=r"SQLite 3\.51\.2 can lose committed data"):
        opened(tmp_path)
    opened(tmp_path, allow_affected_sqlite=True).close()


def test_the_folder_of_the_file_is_made(tmp_path: Path) -> None:
    database = opened(tmp_path / "deep" / "deeper")
    assert database.path.exists()
    database.close()


def test_a_disk_that_is_full_at_the_start_does_not_keep_the_server_from_reading(database: SQLite, monkeypatch: pytest.MonkeyPatch) -> None:
    database.write_now(HERE, inserting("a"))

    def full(self: SQLite) -> None:
        raise unavailable("the disk is full")

    monkeypatch.setattr(SQLite, "take_stock", full)

    async def use() -> Any:
        return await database.fetch(Statement('SELECT name FROM "task"', {}), {})

    assert tuple(served(database, use)) == ("a",)


# ── the rest ──


def test_a_script_is_run_whole_or_not_at_all(database: SQLite) -> None:
    with pytest.raises(apsw.SQLError):
        database.run_script(["CREATE TABLE first (id)", "CREATE TABLE nonsense"])
    assert database.query("SELECT name FROM sqlite_schema WHERE name = 'first'") == []


def test_a_database_without_tables_has_no_schema(tmp_path: Path, database: SQLite) -> None:
    assert database.has_schema()
    database.query("DROP TABLE environment")
    assert not database.has_schema()


def test_writing_is_possible_until_it_is_not(database: SQLite, monkeypatch: pytest.MonkeyPatch) -> None:
    async def use() -> list[bool]:
        found = [await database.is_writable()]
        database.query("PRAGMA query_only=ON")
        found.append(await database.is_writable())
        database.query("PRAGMA query_only=OFF")
        monkeypatch.setattr(sqlite, "SPARE_BYTES", float("inf"))
        return [*found, await database.is_writable()]

    assert served(database, use) == [True, False, False]


def test_the_probe_writes_and_touches_nothing_that_is_remembered(database: SQLite) -> None:
    def probe(tx: Transaction) -> set[str]:
        write_probe(tx)
        return tx.touched

    assert database.write_now("", probe) == set()


def test_a_backup_made_while_others_write_is_sound(database: SQLite, tmp_path: Path) -> None:
    database.write_now(HERE, inserting("a"))
    database.backup(tmp_path / "copy.db")
    database.write_now(HERE, inserting("b"))
    copy = apsw.Connection(str(tmp_path / "copy.db"))
    assert copy.execute('SELECT name FROM "task"').fetchall() == [("a",)]
    assert copy.pragma("integrity_check") == "ok"
    copy.close()


def test_text_is_folded_and_nothing_else_is() -> None:
    assert [fold(value) for value in ("ÄÖÜ ẞ", None, 5)] == ["äöü ß", None, 5]


def test_the_engine_folds_as_we_do(database: SQLite) -> None:
    assert database.query("SELECT fold('ÀÉÎ'), fold(NULL)") == [("àéî", None)]
