"""SQLite: writes share commits without sharing their fate, reads never hold the event loop, and an answer means on disk."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import pytest
from tests.unit.store.shop import TASK, opened, served

from planwerk.errors import MEMORY_EXHAUSTED, SERVICE_UNAVAILABLE, Kind, Refusal
from planwerk.store import sqlite
from planwerk.store.database import Unusable, unavailable, write_probe
from planwerk.store.sqlite import SQLite, fold
from planwerk.store.statements import Statement
from planwerk.store.transaction import Transaction

HERE = "environment"
ONE = Statement("SELECT :value", {})
LONG = Statement("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < :steps) SELECT max(n) FROM c", {})
WIDE = Statement("SELECT hex(zeroblob(:bytes))", {})


def insert(name: str) -> Callable[[Transaction], str]:
    return lambda tx: str(tx.insert(TASK, {"name": name, "external_ref": name})["id"])


def fail(tx: Transaction) -> None:
    tx.insert(TASK, {"name": "half"})
    raise ZeroDivisionError


def names(database: SQLite) -> list[str]:
    return [row[0] for row in database.query('SELECT name FROM "task" ORDER BY id')]


def kind_of(error: BaseException | None) -> Kind:
    assert isinstance(error, Refusal)
    return error.faults[0].kind


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
        await together(database, *(insert(f"task {number}") for number in range(20)))
        assert len(commits) == 2

    served(database, use)


def test_a_write_that_fails_undoes_itself_and_nothing_else(database: SQLite) -> None:
    async def use() -> tuple[list[Any], list[str]]:
        return await together(database, insert("a"), fail, insert("a"), insert("b")), names(database)

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
        await together(database, *(insert(f"task {number}") for number in range(8)))
        assert len(commits) == 3

    served(database, use)


def test_a_commit_that_fails_fails_every_write_of_it(database: SQLite) -> None:
    async def use() -> list[Any]:
        database.writer.raw.set_commit_hook(lambda: True)
        found = await asyncio.gather(*(database.write(HERE, insert(name)) for name in "ab"), return_exceptions=True)
        database.writer.raw.set_commit_hook(None)
        await database.write(HERE, insert("c"))
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
        return [*await together(database, insert("a"), lose, insert("b")), await database.write(HERE, insert("c")), names(database)]

    first, lost, behind, _, found = served(database, use)
    assert [isinstance(error, ZeroDivisionError) for error in (first, lost, behind)] == [True, True, True]
    assert found == ["c"]


def test_a_full_disk_is_unavailable_and_the_next_write_is_served(database: SQLite) -> None:
    async def use() -> list[Any]:
        database.query(f"PRAGMA max_page_count={database.query('PRAGMA page_count')[0][0]}")
        big = asyncio.create_task(database.write(HERE, lambda tx: tx.insert(TASK, {"name": "x" * 1_000_000})))
        [refused] = await asyncio.gather(big, return_exceptions=True)
        database.query("PRAGMA max_page_count=1000000")
        await database.write(HERE, insert("small"))
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
        gone, stays = (asyncio.create_task(database.write(HERE, insert(name))) for name in ("gone", "stays"))
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
        tasks = [asyncio.create_task(database.write(HERE, function)) for function in (gate, insert("a"), insert("b"))]
        await asyncio.to_thread(gate.is_reached.wait, 10)
        stop = asyncio.create_task(database.stop())
        await asyncio.sleep(0)
        gate.is_open.set()
        await stop
        return await asyncio.gather(*tasks)

    assert [bool(id) for id in asyncio.run(use())] == [False, True, True]


def test_a_command_writes_without_an_event_loop_and_hears_of_its_error(database: SQLite) -> None:
    assert database.write_now(HERE, insert("a"))
    with pytest.raises(ZeroDivisionError):
        database.write_now(HERE, fail)
    assert names(database) == ["a"]


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
    barrier = threading.Barrier(2)

    def handle() -> sqlite.Handle:
        barrier.wait(10)
        found: sqlite.Handle = database.local.handle
        return found

    futures = [database.heavy.submit(handle) for _ in range(2)]
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
    database.write_now(HERE, insert("a"))

    def look(tx: Transaction) -> tuple[int, int]:
        before = len(tx.find(TASK))
        database.write_now(HERE, insert("b"))
        return before, len(tx.find(TASK))

    async def use() -> list[Any]:
        return [await database.read(HERE, look), *await asyncio.gather(database.read(HERE, insert("c")), return_exceptions=True)]

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
        await database.write(HERE, insert("a"))
        return [old != new for old, new in zip(before, versions(), strict=True)]

    assert served(database, use) == [True, False, False, True]


def test_a_version_stays_when_a_write_fails_or_changes_nothing(database: SQLite) -> None:
    async def use() -> tuple[Any, Any]:
        await database.write(HERE, insert("a"))
        database.refresh()
        before = database.version(HERE, ("task",))
        await asyncio.gather(database.write(HERE, fail), return_exceptions=True)
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
        other.write_now(HERE, insert("a"))
        other.close()
        database.refresh()
        return before, database.version(HERE, ("task",))

    before, after = served(database, use)
    assert before != after


def test_a_version_is_known_for_free_so_there_is_no_snapshot_to_ask_for(database: SQLite) -> None:
    assert served(database, database.snapshot) is None


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
    database.write_now(HERE, insert("a"))

    def full(self: SQLite) -> None:
        raise unavailable("the disk is full")

    monkeypatch.setattr(SQLite, "teach_planner", full)

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
    database.write_now(HERE, insert("a"))
    database.backup(tmp_path / "copy.db")
    database.write_now(HERE, insert("b"))
    copy = apsw.Connection(str(tmp_path / "copy.db"))
    assert copy.execute('SELECT name FROM "task"').fetchall() == [("a",)]
    assert copy.pragma("integrity_check") == "ok"
    copy.close()


def test_text_is_folded_and_nothing_else_is() -> None:
    assert [fold(value) for value in ("ÄÖÜ ẞ", None, 5)] == ["äöü ß", None, 5]


def test_the_engine_folds_as_we_do(database: SQLite) -> None:
    assert database.query("SELECT fold('ÀÉÎ'), fold(NULL)") == [("àéî", None)]
