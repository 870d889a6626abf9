"""How soon the cards of a planning call are there after its answer, on an idle server: `.venv/bin/python -m bench.planning`.

It starts `planwerk serve` on a new database of each kind, plans collections one after the other, and asks for their cards
every millisecond. It prints one line for each database and writes no page.
"""

import http.client
import json
import math
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import planwerk_commands as planwerk
from bench.postgresql import throw_away_cluster
from bench.processes import CannotRun, answers, free_port, run, running, wait_until

ROUNDS, WARM_UP = 50, 5
STAGES = 3  # of the board; each collection gets a card on each
LOOK_SECONDS = 0.001
PATIENCE_SECONDS = 30.0


@dataclass(frozen=True)
class Plant:
    """A connection to a server that has nothing else to do, and a board."""

    connection: http.client.HTTPConnection
    headers: dict[str, str]

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        content = None if body is None else json.dumps(body)
        self.connection.request(method, f"/v1{path}", content, {**self.headers, "Content-Type": "application/json"})
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise CannotRun(f"{method} {path} → {answer.status} {text[:200]!r}")
        return json.loads(text)

    def board(self) -> tuple[str, list[str]]:
        """(the id of a board, those of the activities of its stages)."""
        activities = [self.ask("POST", "/activity", {"name": f"activity {number}"})["id"] for number in range(STAGES)]
        stages = [{"name": f"stage {number}", "priority": number, "activities": [{"id": id}]} for number, id in enumerate(activities)]
        return self.ask("POST", "/board", {"name": "B", "stages": stages, "statuses": [{"name": "to do", "entry": True}]})["id"], activities

    def seconds_until_planned(self, board: str, activities: Sequence[str]) -> float:
        """Plan a new collection; the time from the answer to its cards."""
        collection = self.ask("POST", "/collection", {"name": "C", "board_id": board, "activities": [{"id": id} for id in activities]})[
            "id"
        ]
        self.ask("POST", f"/collection/{collection}/board/{board}", {})
        start = time.perf_counter()
        while time.perf_counter() - start < PATIENCE_SECONDS:
            if self.ask("GET", f"/collection/{collection}/card?limit=1&show=id")["count"] == STAGES:
                return time.perf_counter() - start
            time.sleep(LOOK_SECONDS)
        raise CannotRun("the cards did not come")


@contextmanager
def plant(database: str, folder: Path) -> Iterator[Plant]:
    made = json.loads(run([str(planwerk.COMMAND), "init", "--database", database, "--json"]))
    port, log = free_port(), folder / "log"
    with running(planwerk.serve_command(database, port), log=log, environment=planwerk.UNLIMITED, folder=folder) as process:
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/health/ready"), process, log)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
        yield Plant(connection, {"X-Api-Key": made["api_key"], "X-Api-Env": made["api_env"]})
        connection.close()


def measure(database: str, folder: Path) -> list[float]:
    """Seconds of each round, but for those that warm the server up."""
    with plant(database, folder) as server:
        board, activities = server.board()
        return [server.seconds_until_planned(board, activities) for _ in range(WARM_UP + ROUNDS)][WARM_UP:]


def line(name: str, seconds: Sequence[float]) -> str:
    """
    >>> line("SQLite", [0.004, 0.002, 0.003])
    'SQLite: median 3.0 ms, 99 % within 4.0 ms (3 plannings)'
    """
    ordered = sorted(seconds)
    most = ordered[math.ceil(0.99 * len(ordered)) - 1]
    return f"{name}: median {statistics.median(ordered) * 1000:.1f} ms, 99 % within {most * 1000:.1f} ms ({len(ordered)} plannings)"


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="planning-") as place:
        folder = Path(place)
        print(line("SQLite", measure(f"sqlite:///{folder / 'planwerk.db'}", folder)), flush=True)
        with throw_away_cluster(folder) as cluster:
            print(line("PostgreSQL", measure(cluster.create_ordinary("planning"), folder)), flush=True)


if __name__ == "__main__":
    main()
