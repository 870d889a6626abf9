"""Background jobs on both databases: they belong to the transaction of their change, and nobody does one twice at once.

To see it fail: commit a job by itself, or leave SKIP LOCKED out of `SAME_JOB` or `TAKE`.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.client import Client, Loop
from tests.jobbing import entries, left, opened
from tests.server import scratch_database
from tests.world import World

from planwerk.jobs import run_due
from planwerk.store.database import Database
from planwerk.store.jobs import finish, next_due, take
from planwerk.store.transaction import Transaction

ONE = "one"  # an environment


@pytest.fixture
def jobs(backend: str, tmp_path: Path) -> Iterator[Database]:
    """A database of the small catalog; not started."""
    with scratch_database(backend, tmp_path) as url:
        database = opened(url)
        yield database
        database.close()


@pytest.fixture
def several(jobs: Database, backend: str) -> Database:
    """A database on which several transactions are under way at once."""
    if backend == "sqlite":
        pytest.skip("SQLite has one writer: what somebody does, the next finds done")
    return jobs


def leave(database: Database, name: str, key: str = "", **arguments: Any) -> str:
    return database.write_now(ONE, lambda tx: tx.enqueue(name, key, **arguments))


def due(database: Database) -> str | None:
    found = database.write_now("", next_due)
    return found and found[1]


@contextmanager
def under_way(database: Database, work: Callable[[Transaction], object]) -> Iterator[None]:
    """A transaction that has done its work and commits after the block."""
    is_done, may_end = threading.Event(), threading.Event()

    def whole(tx: Transaction) -> None:
        work(tx)
        is_done.set()
        assert may_end.wait(30)

    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(database.write_now, ONE, whole)
        try:
            assert is_done.wait(30) or running.exception() is None
            yield
        finally:
            may_end.set()
        running.result()


def doing(id: str) -> Callable[[Transaction], None]:
    def work(tx: Transaction) -> None:
        taken = take(tx, id)
        assert taken is not None
        finish(tx, taken)

    return work


# ── doing ──


def test_what_is_due_is_done_and_what_fails_waits(jobs: Database, loop: Loop) -> None:
    for name, text in (("note", "before"), ("fail", ""), ("note", "after"), ("fly", "")):
        leave(jobs, name, text=text)

    async def use() -> tuple[int, list[str], list[tuple[str, int]]]:
        await jobs.start()
        try:
            return await run_due(jobs), entries(jobs), left(jobs)
        finally:
            await jobs.stop()

    assert loop.run(use()) == (4, ["before", "after"], [("fail", 1), ("fly", 1)])


def test_a_refused_change_leaves_no_job(jobs: Database) -> None:
    def work(tx: Transaction) -> None:
        tx.enqueue("note", "a")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        jobs.write_now(ONE, work)
    assert left(jobs) == []


def test_of_jobs_with_one_key_one_waits(jobs: Database) -> None:
    assert leave(jobs, "note", "a")
    assert leave(jobs, "note", "a") == ""
    assert leave(jobs, "note", "b")
    assert left(jobs) == [("note", 0)] * 2


# ── at once ──


def test_a_job_that_is_being_done_does_not_count_as_one_that_waits(several: Database) -> None:
    first = leave(several, "note", "a")
    with under_way(several, doing(first)):
        second = leave(several, "note", "a")
        assert second
        assert due(several) == second
    assert due(several) == second


def test_a_job_that_is_being_done_is_nobody_else_s(several: Database) -> None:
    first, second = leave(several, "note"), leave(several, "note")
    with under_way(several, doing(first)):
        assert due(several) == second
        assert several.write_now(ONE, lambda tx: take(tx, first)) is None
    assert due(several) == second


def test_a_job_that_waits_is_not_begun_before_a_change_that_counts_on_it_is_there(several: Database) -> None:
    id = leave(several, "note", "a")

    def change(tx: Transaction) -> None:
        tx.insert(tx.object("entry"), {"text": "a change"})
        assert tx.enqueue("note", "a") == ""

    with under_way(several, change):
        assert due(several) is None
        assert several.write_now(ONE, lambda tx: take(tx, id)) is None
    assert (due(several), entries(several)) == (id, ["a change"])


def test_a_job_of_a_change_that_is_not_committed_is_not_there_yet(several: Database) -> None:
    with under_way(several, lambda tx: tx.enqueue("note")):
        assert due(several) is None
    assert due(several) is not None


# ── of requests ──


def waiting(world: World) -> list[str]:
    text = f"SELECT name FROM job WHERE environment_id = '{world.environment_id}' ORDER BY name"
    return [row[0] for row in world.server.database.query(text)]


@pytest.fixture
def planning(world: World, api: Client) -> str:
    """The path that plans a collection, with nothing else waiting."""
    board = api.post("/v1/board", {"name": "B", "stages": [{"name": "saw"}], "statuses": [{"name": "to do", "entry": True}]})
    collection = api.post("/v1/collection", {"name": "C", "board_id": board["id"]})
    world.server.work()
    return f"/v1/collection/{collection['id']}/board/{board['id']}"


def test_an_answer_to_a_change_comes_with_its_job_and_the_job_with_its_effect(planning: str, world: World, api: Client) -> None:
    api.post(planning, {}, expect=200)
    assert waiting(world) == ["collection.plan"]
    assert api.get("/v1/card")["count"] == 0
    assert world.server.work() == 1
    assert waiting(world) == []
    assert api.get("/v1/card")["count"] == 1
    assert world.server.work() == 0


@pytest.mark.parametrize("body", [{"start": "no day"}, {"stage_id": "00000000-0000-4000-8000-000000000000"}])
def test_a_refused_request_leaves_no_job(body: dict[str, Any], planning: str, world: World, api: Client) -> None:
    assert api.refused("POST", planning, body)[0] == 422
    assert waiting(world) == []


def test_a_request_that_is_sent_again_leaves_one_job(planning: str, world: World, api: Client) -> None:
    headers = {"idempotency-key": "one planning"}
    answers = [api.ask("POST", planning, {}, headers) for _ in range(3)]
    assert [answer.status for answer in answers] == [200] * 3
    assert waiting(world) == ["collection.plan"]


def test_jobs_of_another_environment_do_their_work_there(planning: str, world: World, other: World, api: Client) -> None:
    before = world.server.rows(other.environment_id)
    api.post(planning, {}, expect=200)
    world.server.work()
    assert world.server.rows(other.environment_id) == before
