"""SQLite reads: quick ones on the event loop, heavy ones in a thread, none for ever, and versions that tell what has changed."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from tests.unit.store.shop import HERE, TASK, failing_insert, inserting, kind_of, opened, served

from planwerk.errors import MEMORY_EXHAUSTED, SERVICE_UNAVAILABLE
from planwerk.store import sqlite
from planwerk.store.sqlite import SQLite
from planwerk.store.statements import Statement
from planwerk.store.transaction import Transaction

ONE = Statement("SELECT :value", {})
LONG = Statement("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < :steps) SELECT max(n) FROM c", {})
WIDE = Statement("SELECT hex(zeroblob(:bytes))", {})


# ── reading ──


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the threads that run heavy reads."""
    used: list[str] = []
    heavy = SQLite.fetch_heavy

    def noted(self: SQLite, *given: Any) -> list[Any]:
        used.append(threading.current_thread().name)
        return heavy(self, *given)

    monkeypatch.setattr(SQLite, "fetch_heavy", noted)
    return used


def test_a_quick_read_runs_on_the_event_loop(database: SQLite, threads: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "INLINE_SECONDS", 10.0)

    async def use() -> Any:
        return await database.fetch(ONE, {"value": "x"})

    assert tuple(served(database, use)) == ("x",)
    assert threads == []


def test_a_read_that_exceeds_its_budget_starts_again_in_a_thread(
    database: SQLite, threads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "INLINE_SECONDS", 0.0)

    async def use() -> Any:
        return await database.fetch(LONG, {"steps": 10_000})

    assert tuple(served(database, use)) == (10_000,)
    assert threads == ["reader_0"]


def test_the_event_loop_is_free_while_a_heavy_read_runs(database: SQLite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "INLINE_SECONDS", 0.0)
    is_running, is_noticed = threading.Event(), threading.Event()

    def wait(*_: Any) -> bool:
        """Holds the statement until the event loop has shown that it runs."""
        is_running.set()
        return is_noticed.wait(10)

    async def use() -> Any:
        await database.fetch(LONG, {"steps": 10_000})
        for handle in await asyncio.to_thread(heavy_handles, database):
            handle.raw.create_scalar_function("wait", wait)
        statement = Statement(f"SELECT wait() FROM ({LONG.text})", {})
        database.reader.raw.create_scalar_function("wait", lambda *_: True)  # type: ignore[union-attr]
        read = asyncio.create_task(database.fetch(statement, {"steps": 10_000}))
        await asyncio.to_thread(is_running.wait, 10)
        is_noticed.set()
        return await read

    assert tuple(served(database, use)) == (1,)


def heavy_handles(database: SQLite) -> list[sqlite.Handle]:
    barrier = threading.Barrier(sqlite.HEAVY)

    def handle() -> sqlite.Handle:
        barrier.wait(10)
        found: sqlite.Handle = database.local.handle
        return found

    futures = [database.heavy.submit(handle) for _ in range(sqlite.HEAVY)]
    return [future.result() for future in futures]


def test_a_read_that_exceeds_the_time_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "INLINE_SECONDS", 0.0)
    database = opened(tmp_path, statement_seconds=0.0)

    async def use() -> list[Any]:
        heavy = database.fetch(LONG, {"steps": 10**9})
        work = database.read(HERE, lambda tx: tx.execute(LONG, steps=10**9))
        return [*await asyncio.gather(heavy, work, return_exceptions=True), await database.fetch(ONE, {"value": "x"})]

    *refused, after = served(database, use)
    assert [kind_of(error) for error in refused] == [SERVICE_UNAVAILABLE] * 2
    assert str(refused[0]) == "the query took longer than 0 seconds"
    assert tuple(after) == ("x",)


def test_an_answer_over_the_limit_is_refused_before_it_is_made(tmp_path: Path) -> None:
    database = opened(tmp_path, answer_limit_bytes=100_000)

    async def use() -> Any:
        assert await database.fetch(WIDE, {"bytes": 49_000}) is not None
        return await asyncio.gather(database.fetch(WIDE, {"bytes": 51_000}), return_exceptions=True)

    [refused] = served(database, use)
    assert kind_of(refused) is MEMORY_EXHAUSTED


def test_nothing_found_is_none(database: SQLite) -> None:
    async def use() -> Any:
        return await database.fetch(Statement("SELECT 1 WHERE false", {}), {})

    assert served(database, use) is None


def test_a_rule_reads_in_one_snapshot_and_may_not_write(database: SQLite) -> None:
    database.write_now(HERE, inserting("a"))

    def look(tx: Transaction) -> tuple[int, int]:
        before = len(tx.find(TASK))
        database.write_now(HERE, inserting("b"))
        return before, len(tx.find(TASK))

    async def use() -> list[Any]:
        return [await database.read(HERE, look), *await asyncio.gather(database.read(HERE, inserting("c")), return_exceptions=True)]

    seen, refused = served(database, use)
    assert seen == (1, 1)
    assert kind_of(refused) is SERVICE_UNAVAILABLE


# ── versions ──


def test_a_version_moves_with_every_table_that_was_touched_and_no_other(database: SQLite) -> None:
    async def use() -> list[bool]:
        def versions() -> list[Any]:
            database.refresh()
            return [
                database.version(*of) for of in ((HERE, ("task",)), (HERE, ("label",)), ("other", ("task",)), (HERE, ("label", "task")))
            ]

        before = versions()
        await database.write(HERE, inserting("a"))
        return [old != new for old, new in zip(before, versions(), strict=True)]

    assert served(database, use) == [True, False, False, True]


def test_a_version_stays_when_a_write_fails_or_changes_nothing(database: SQLite) -> None:
    async def use() -> tuple[Any, Any]:
        await database.write(HERE, inserting("a"))
        database.refresh()
        before = database.version(HERE, ("task",))
        await asyncio.gather(database.write(HERE, failing_insert), return_exceptions=True)
        await database.write(HERE, lambda tx: tx.find(TASK))
        database.refresh()
        return before, database.version(HERE, ("task",))

    before, after = served(database, use)
    assert before == after


def test_what_another_process_commits_moves_the_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "LOOK_SECONDS", 0.0)
    database = opened(tmp_path)

    async def use() -> tuple[Any, Any]:
        database.refresh()
        before = database.version(HERE, ("task",))
        other = opened(tmp_path)  # to the file, a second connection is what a second process is
        other.write_now(HERE, inserting("a"))
        other.close()
        database.refresh()
        return before, database.version(HERE, ("task",))

    before, after = served(database, use)
    assert before != after


def test_a_version_is_known_for_free_so_there_is_no_snapshot_to_ask_for(database: SQLite) -> None:
    assert served(database, database.snapshot) is None
