"""The table of jobs: what is left in it, what is taken from it, and how long a job waits that failed.

To see it fail: look for a job of the same key without its environment, or order what is due by id alone.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.jobbing import opened
from tests.unit.store.shop import Clock

from planwerk.store.database import Database
from planwerk.store.identifiers import Identifiers
from planwerk.store.jobs import Taken, Waiting, finish, next_due, postpone, take, waiting
from planwerk.store.transaction import Transaction

START = "2023-11-14T22:13:20Z"  # the clock's


@pytest.fixture
def jobs(tmp_path: Path, clock: Clock) -> Iterator[Database]:
    database = opened(f"sqlite:///{tmp_path / 'jobs.db'}", Identifiers(clock))
    yield database
    database.close()


def leave(database: Database, name: str, key: str = "", environment: str = "one", **arguments: Any) -> str:
    return database.write_now(environment, lambda tx: tx.enqueue(name, key, **arguments))


def due(database: Database) -> str | None:
    """The id of the job that is to be done next."""
    found = database.write_now("", next_due)
    return found and found[1]


def done(database: Database, id: str, environment: str = "one") -> Taken | None:
    def work(tx: Transaction) -> Taken | None:
        taken = take(tx, id)
        if taken is not None:
            finish(tx, taken)
        return taken

    return database.write_now(environment, work)


def seen(database: Database, limit: int = 10) -> tuple[int, list[Waiting]]:
    count, found = database.write_now("", lambda tx: waiting(tx, limit))
    return count, list(found)


# ── leaving ──


def test_a_job_is_found_with_its_name_and_arguments(jobs: Database) -> None:
    id = leave(jobs, "note", number=3, text="é")
    assert jobs.write_now("", next_due) == ("one", id)
    assert done(jobs, id) == Taken(id, "note", {"number": 3, "text": "é"}, 0)


def test_a_refused_change_leaves_no_job(jobs: Database) -> None:
    def work(tx: Transaction) -> None:
        tx.enqueue("note")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        jobs.write_now("one", work)
    assert due(jobs) is None


@pytest.mark.parametrize(
    ("second", "count"),
    [
        (("note", "a", "one"), 1),
        (("note", "b", "one"), 2),
        (("fail", "a", "one"), 2),
        (("note", "a", "two"), 2),
        (("note", "", "one"), 2),
    ],
)
def test_of_jobs_with_one_name_and_key_in_an_environment_one_waits(second: tuple[str, str, str], count: int, jobs: Database) -> None:
    leave(jobs, "note", "a", "one")
    assert bool(leave(jobs, *second)) == (count == 2)
    assert seen(jobs)[0] == count


def test_jobs_without_a_key_all_wait(jobs: Database) -> None:
    assert leave(jobs, "note")
    assert leave(jobs, "note")
    assert seen(jobs)[0] == 2


def test_a_job_that_is_done_makes_room_for_the_next_of_its_key(jobs: Database) -> None:
    done(jobs, leave(jobs, "note", "a"))
    assert leave(jobs, "note", "a")


def test_a_job_that_waits_after_a_failure_is_tried_at_once_when_it_is_wanted_again(jobs: Database, clock: Clock) -> None:
    id = leave(jobs, "note", "a")
    jobs.write_now("one", partial(postpone, id=id, error="no"))
    assert due(jobs) is None
    assert leave(jobs, "note", "a") == ""
    assert due(jobs) == id
    assert [(job.attempts, job.error) for job in seen(jobs)[1]] == [(1, "no")]


def test_who_leaves_a_job_rings_and_who_leaves_none_does_not(jobs: Database) -> None:
    rung: list[int] = []
    jobs.bell.ears["jobs"].add(lambda: rung.append(1))
    jobs.write_now("one", lambda tx: tx.insert(tx.object("entry"), {"text": "no job"}))
    assert rung == []
    id = leave(jobs, "note", "a")
    assert rung == [1]
    leave(jobs, "note", "a")
    assert rung == [1]
    jobs.write_now("one", partial(postpone, id=id, error="no"))
    leave(jobs, "note", "a")
    assert rung == [1, 1]


# ── taking ──


def test_what_is_due_first_is_done_first(jobs: Database, clock: Clock) -> None:
    first = leave(jobs, "note")
    clock.now += 1
    second = leave(jobs, "note")
    jobs.write_now("one", partial(postpone, id=first, error="no"))  # due two seconds later
    assert due(jobs) == second
    clock.now += 2
    done(jobs, second)
    assert due(jobs) == first


def test_a_job_that_is_done_is_nobody_s(jobs: Database) -> None:
    id = leave(jobs, "note")
    assert done(jobs, id) is not None
    assert done(jobs, id) is None
    assert jobs.write_now("one", partial(postpone, id=id, error="no")) is None


def test_a_job_is_taken_in_its_own_environment_only(jobs: Database) -> None:
    id = leave(jobs, "note", environment="one")
    assert done(jobs, id, "two") is None
    assert due(jobs) == id


# ── failing ──


def test_each_failure_doubles_the_pause(jobs: Database, clock: Clock) -> None:
    id, pauses = leave(jobs, "note"), []
    for _ in range(13):
        jobs.write_now("one", partial(postpone, id=id, error="no"))
        before = clock.now
        while due(jobs) is None:
            clock.now += 1
        pauses.append(clock.now - before)
    assert pauses == [2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600, 3600]


@pytest.mark.parametrize(("error", "kept"), [("é", "é"), ("a\x00b\ud800c", "ab?c"), ("x" * 900, "x" * 500)])
def test_the_error_of_a_job_is_kept_whatever_it_says(error: str, kept: str, jobs: Database) -> None:
    id = leave(jobs, "note", "a")
    jobs.write_now("one", partial(postpone, id=id, error=error))
    assert seen(jobs)[1] == [Waiting("note", "a", "2023-11-14T22:13:22Z", 1, kept)]


def test_all_environments_are_shown_and_no_more_than_asked_for(jobs: Database) -> None:
    for environment in ("one", "two", "three"):
        leave(jobs, "note", environment, environment)
    count, found = seen(jobs, 2)
    assert (count, found) == (3, [Waiting("note", key, START, 0, "") for key in ("one", "two")])
