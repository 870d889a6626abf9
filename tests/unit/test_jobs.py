"""Doing background jobs: each in one transaction, whatever becomes of the others.

To see it fail: let `run_due` raise what a job raises, or look for jobs once a second only.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
import structlog
from tests.jobbing import ENTRY, entries, left, opened

from planwerk import jobs
from planwerk.catalog import ALL
from planwerk.errors import SERVICE_UNAVAILABLE, refuse
from planwerk.store.database import Database
from planwerk.store.jobs import next_due

Result = TypeVar("Result")
PATIENCE_SECONDS = 30.0  # for what is certain to come


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return opened(f"sqlite:///{tmp_path / 'jobs.db'}")


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as captured:
        yield captured


def served(database: Database, use: Callable[[], Awaitable[Result]]) -> Result:
    """What `use` returns while the database is started."""

    async def run() -> Result:
        await database.start()
        try:
            return await asyncio.wait_for(use(), PATIENCE_SECONDS)
        finally:
            await database.stop()

    return asyncio.run(run())


def leave(database: Database, name: str, key: str = "", **arguments: Any) -> None:
    database.write_now("one", lambda tx: tx.enqueue(name, key, **arguments))


def worked(database: Database) -> tuple[int, list[str], list[tuple[str, int]]]:
    """(how many jobs were tried, what they wrote down, what is left) after all that was due is done."""

    async def use() -> tuple[int, list[str], list[tuple[str, int]]]:
        return await jobs.run_due(database), entries(database), left(database)

    return served(database, use)


def test_a_catalog_s_jobs_are_known_by_name() -> None:
    assert jobs.jobs_of({"entry": ENTRY}).keys() == {"note", "fail", "halt", "follow"}


def test_no_two_objects_of_the_catalog_give_a_job_the_same_name() -> None:
    names = [job.name for described in ALL for job in described.jobs]
    assert sorted(set(names)) == sorted(names)


def test_where_nothing_is_due_nothing_is_done(database: Database) -> None:
    assert worked(database) == (0, [], [])


def test_what_is_due_is_done_in_its_order_and_gone(database: Database) -> None:
    for text in "abc":
        leave(database, "note", text=text)
    assert worked(database) == (3, ["a", "b", "c"], [])


def test_a_job_that_fails_changes_nothing_and_waits_while_the_others_go_on(database: Database, lines: list[Any]) -> None:
    leave(database, "note", text="before")
    leave(database, "fail", reason="no wood")
    leave(database, "note", text="after")
    assert worked(database) == (3, ["before", "after"], [("fail", 1)])
    assert [(line["event"], line["job"], line["attempt"], str(line["exc_info"])) for line in lines] == [
        ("background job failed", "fail", 1, "no wood")
    ]


def test_a_job_of_a_kind_that_is_not_known_waits_for_a_release_that_knows_it(database: Database) -> None:
    leave(database, "fly")
    assert worked(database) == (1, [], [("fly", 1)])


def test_a_job_may_leave_the_next_one_of_its_own_key(database: Database) -> None:
    leave(database, "follow", "the same", number=4)
    assert worked(database) == (4, ["4", "3", "2", "1"], [])


def test_a_job_that_somebody_else_has_done_meanwhile_is_not_done_again(database: Database) -> None:
    leave(database, "note", text="once")

    async def use() -> list[str]:
        found = await database.write("", next_due)
        assert found is not None
        for _ in range(2):
            await database.write(found[0], lambda tx: jobs.do(tx, jobs.jobs_of({"entry": ENTRY}), found[1]))
        return entries(database)

    assert served(database, use) == ["once"]


# ── beside a server ──


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.002)


def test_a_job_is_begun_when_it_is_left_not_at_the_next_look(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []
    run_due = jobs.run_due

    async def counted(database: Database) -> int:
        looks.append(await run_due(database))
        return looks[-1]

    monkeypatch.setattr(jobs, "LOOK_SECONDS", 1e9)
    monkeypatch.setattr(jobs, "run_due", counted)
    leave(database, "note", text="first")

    async def use() -> None:
        task = asyncio.ensure_future(jobs.run(database))
        await until(lambda: looks == [1])
        await database.write("one", lambda tx: tx.enqueue("note", text="second"))
        await until(lambda: entries(database) == ["first", "second"])
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()
        assert database.bell.ears["jobs"] == set()

    served(database, use)


@pytest.mark.parametrize(
    ("error", "event"),
    [
        (refuse(SERVICE_UNAVAILABLE, "the disk is full"), "background work postponed"),
        (ZeroDivisionError("a fault of ours"), "background work failed"),
    ],
)
def test_background_work_goes_on_after_whatever_stopped_it(
    error: Exception, event: str, database: Database, lines: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "LOOK_SECONDS", 0.001)
    tries: list[int] = []
    run_due = jobs.run_due

    async def failing_first(database: Database) -> int:
        tries.append(1)
        if len(tries) == 1:
            raise error
        return await run_due(database)

    monkeypatch.setattr(jobs, "run_due", failing_first)
    leave(database, "note", text="done")

    async def use() -> None:
        task = asyncio.ensure_future(jobs.run(database))
        await until(lambda: entries(database) == ["done"])
        task.cancel()

    served(database, use)
    assert [line["event"] for line in lines] == [event]
