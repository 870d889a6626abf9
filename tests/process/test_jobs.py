"""Background jobs in processes of their own: killed in the middle, several at once, beside a server and inside it.

To see it fail: commit after each write of a job, delete a job before its work is committed, leave out FOR UPDATE in
`store/jobs.py`, or start `jobs.run` whatever PLANWERK_BACKGROUND_WORK says.
"""

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from tests.jobbing import entries, left, opened
from tests.process.asking import Asker
from tests.process.running import PATIENCE_SECONDS, wait_until
from tests.process.serving import Place, Serving
from tests.server import scratch_database

from planwerk.store.database import Database

ROOT = Path(__file__).parent.parent.parent
JOBS = 200  # for two workers
ROUNDS = 50  # of so many jobs, until both have begun


# ── workers of the small catalog ──


@dataclass
class Shop:
    """A database of the small catalog, and the folder in which its workers leave their signs."""

    url: str
    folder: Path
    database: Database

    @contextmanager
    def worker(self) -> Iterator["subprocess.Popen[bytes]"]:
        """A worker that is ready; it begins when it is told to."""
        command = [sys.executable, "-m", "tests.jobbing", self.url, str(self.folder)]
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        try:
            wait_until(lambda: (self.folder / f"ready-{process.pid}").exists() or process.poll() is not None, "the worker is ready")
            assert process.poll() is None, (self.folder / "log").read_text()
            yield process
        finally:
            process.kill()
            process.wait(PATIENCE_SECONDS)

    def leave(self, name: str, count: int = 1, **arguments: Any) -> None:
        def work(tx: Any) -> None:
            for number in range(count):
                tx.enqueue(name, **{"text": str(number), **arguments})

        self.database.write_now("one", work)

    def tell(self, word: str) -> None:
        (self.folder / word).touch()


@pytest.fixture
def shop(backend: str, tmp_path: Path) -> Iterator[Shop]:
    with scratch_database(backend, tmp_path) as url:
        shop = Shop(url, tmp_path, opened(url))
        yield shop
        shop.database.close()


def test_a_job_whose_process_is_killed_in_the_middle_is_done_again_and_its_effect_is_there_once(shop: Shop) -> None:
    shop.leave("halt", folder=str(shop.folder))
    shop.leave("note")
    shop.tell("start")
    with shop.worker() as worker:
        wait_until((shop.folder / "half").exists, "one half of the job is written")
        worker.send_signal(signal.SIGKILL)
        assert worker.wait(PATIENCE_SECONDS) == -signal.SIGKILL
    assert (entries(shop.database), left(shop.database)) == ([], [("halt", 0), ("note", 0)])
    shop.tell("go")
    with shop.worker():
        wait_until(lambda: left(shop.database) == [], "all jobs are done")
    assert entries(shop.database) == ["first half", "second half", "0"]


def test_jobs_survive_kill_after_kill_and_each_is_done_once(shop: Shop) -> None:
    shop.leave("note", JOBS)
    shop.tell("start")
    for goal in (20, 60, 120):
        with shop.worker() as worker:
            wait_until(lambda goal=goal: len(entries(shop.database)) >= goal, "some jobs are done")
            worker.send_signal(signal.SIGKILL)
    with shop.worker():
        wait_until(lambda: left(shop.database) == [], "all jobs are done")
    assert Counter(entries(shop.database)) == Counter(map(str, range(JOBS)))


def test_two_workers_share_the_jobs_and_do_none_twice(shop: Shop) -> None:
    """However slow the second one is to begin, there are jobs until it has done some."""
    rounds = 0

    def doers() -> set[str]:
        return {row[0] for row in shop.database.query("SELECT DISTINCT process FROM entry")}

    with shop.worker() as first, shop.worker() as second:
        shop.tell("start")
        while doers() != {str(first.pid), str(second.pid)}:
            rounds += 1
            assert rounds <= ROUNDS, f"only {doers()} of two workers did anything"
            shop.leave("note", JOBS)
            wait_until(lambda: left(shop.database) == [], "all jobs are done")
    assert Counter(entries(shop.database)) == Counter(rounds * [str(number) for number in range(JOBS)])


def test_a_job_that_fails_holds_up_nothing_for_other_workers(shop: Shop) -> None:
    shop.leave("fail")
    shop.leave("note", 5)
    shop.tell("start")
    with shop.worker(), shop.worker():
        wait_until(lambda: len(entries(shop.database)) == 5, "the other jobs are done")
        wait_until(lambda: left(shop.database)[0][1] >= 2, "the job that fails is tried again")
    assert [name for name, _ in left(shop.database)] == ["fail"]


# ── the real commands ──


def planned(asker: Asker) -> str:
    """The path of the cards of a collection that is planned."""
    board = asker.value("POST", "/v1/board", {"name": "B", "stages": [{"name": "saw"}], "statuses": [{"name": "to do", "entry": True}]})
    collection = asker.value("POST", "/v1/collection", {"name": "C", "board_id": board["id"]})
    assert asker.value("POST", f"/v1/collection/{collection['id']}/board/{board['id']}", {})["status"] == "planned"
    return f"/v1/collection/{collection['id']}/card"


def without_background_work(place: Place) -> Place:
    return replace(place, chosen={**place.chosen, "background_work": "false"})


def shown_jobs(place: Place) -> list[str]:
    """The lines of `planwerk jobs` about jobs."""
    result = place.command("jobs")
    assert result.returncode == 0, result.stderr
    return [line for line in result.stdout.splitlines() if "ran last" not in line]


def has_cards(server: Serving, path: str) -> bool:
    with server.client() as asker:
        return bool(asker.value("GET", path)["count"] == 1)


def test_a_server_does_its_jobs_by_itself(place: Place) -> None:
    with place.serving() as server, server.client() as asker:
        path = planned(asker)
        wait_until(lambda: has_cards(server, path), "the planned cards are there")
        wait_until(lambda: shown_jobs(place) == ["no job waits"], "no job waits")


def test_without_background_work_a_server_leaves_its_jobs_to_a_worker_beside_it(place: Place) -> None:
    with without_background_work(place).serving() as server, server.client() as asker:
        path = planned(asker)
        [head, line] = shown_jobs(place)
        assert head == "1 job waits"
        assert line.startswith("collection.plan ")
        assert "attempts 0" in line
        assert not has_cards(server, path)
        with place.working() as worker:
            wait_until(lambda: has_cards(server, path), "the worker has done the job, and the server sees it")
            with server.client() as another:  # a server closes a connection that has been idle for long
                path = planned(another)
            wait_until(lambda: has_cards(server, path), "the worker does what is left while it runs")
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(PATIENCE_SECONDS) == 0
        assert shown_jobs(place) == ["no job waits"]


def test_jobs_left_by_a_server_that_was_killed_are_done_by_the_next(place: Place) -> None:
    with without_background_work(place).serving() as server, server.client() as asker:
        path = planned(asker)
        server.kill()
    with place.serving() as server:
        wait_until(lambda: has_cards(server, path), "the planned cards are there")


def test_a_worker_and_a_server_on_one_database_do_each_job_once(place: Place) -> None:
    with place.serving() as server, place.working(), server.client() as asker:
        paths = [planned(asker) for _ in range(20)]
        wait_until(lambda: shown_jobs(place) == ["no job waits"], "all jobs are done")
        assert [asker.value("GET", path)["count"] for path in paths] == [1] * len(paths)


def test_several_processes_of_a_server_do_each_job_once(backend: str, place: Place) -> None:
    if backend == "sqlite":
        pytest.skip("an SQLite database has one server process")
    with place.serving("--workers", "2") as server:
        paths = []
        for _ in range(20):  # each on a connection of its own, so that both processes are asked
            with server.client() as asker:
                paths.append(planned(asker))
        wait_until(lambda: shown_jobs(place) == ["no job waits"], "all jobs are done")
        assert [has_cards(server, path) for path in paths] == [True] * len(paths)


def test_a_worker_ends_with_the_signal_that_asks_it_to(place: Place) -> None:
    with place.working() as worker:
        wait_until(lambda: not lines_of(place, "never"), "the worker has tidied up")
        worker.send_signal(signal.SIGINT)
        assert worker.wait(PATIENCE_SECONDS) == 0


def lines_of(place: Place, word: str) -> list[str]:
    return [line for line in place.command("jobs").stdout.splitlines() if word in line]
