"""How many webhook messages one worker delivers, and what that costs the API: `.venv/bin/python -m bench.delivery`.

A receiver on this machine, in a process of its own, answers at once. First `planwerk worker` sends a backlog to it, alone; then
`planwerk serve` sends one while a client asks for changes, in turns with the same client and nothing to send. It prints two
tables and writes no page.
"""

import argparse
import asyncio
import http.client
import json
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field as attribute
from pathlib import Path
from typing import Any

from bench.page import table
from bench.postgresql import throw_away_cluster
from bench.processes import CannotRun, answers, free_port, running, usage, wait_until
from planwerk.app import compose
from planwerk.catalog import ALL
from planwerk.identity.api_keys import create_key
from planwerk.settings import Settings
from planwerk.store.environments import Environment, create_environment
from planwerk.store.migrations import upgrade
from planwerk.store.transaction import Transaction

EVENTS, BATCH = 5000, 500
ROUNDS, ASKED = 8, 400  # of each side of the second table; requests in a round
PATIENCE_SECONDS = 300.0
ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"
OBJECTS = {described.name: described for described in ALL}
SPAWN = multiprocessing.get_context("spawn")
PLANWERK = Path(sys.executable).parent / "planwerk"


@dataclass
class Received:
    """What has come, shared with the process of the receiver: how many requests, and when the first came (`time.perf_counter`)."""

    count: Any = attribute(default_factory=lambda: SPAWN.Value("i", 0))
    began: Any = attribute(default_factory=lambda: SPAWN.Value("d", 0.0))

    def forget(self) -> None:
        self.count.value = 0


class Answering(asyncio.Protocol):
    """Answers every request at once."""

    def __init__(self, received: Received) -> None:
        self.received = received
        self.left = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.left += data
        while (end := self.left.find(b"\r\n\r\n")) >= 0:
            head = self.left[:end].lower()
            length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            if len(self.left) < end + 4 + length:
                return
            self.left = self.left[end + 4 + length :]
            if not self.received.count.value:
                self.received.began.value = time.perf_counter()
            self.received.count.value += 1
            self.transport.write(ANSWER)


def answer(port: int, received: Received) -> None:
    async def work() -> None:
        server = await asyncio.get_running_loop().create_server(lambda: Answering(received), "127.0.0.1", port)
        await server.serve_forever()

    asyncio.run(work())


@contextmanager
def receiving() -> Iterator[tuple[str, Received]]:
    """The address of a receiver, and what it counts."""
    port, received = free_port(), Received()
    process = SPAWN.Process(target=answer, args=(port, received), daemon=True)
    process.start()
    yield f"http://127.0.0.1:{port}/", received
    process.terminate()
    process.join()


@dataclass
class Plant:
    """A database with a webhook, and what its processes are started with."""

    name: str
    folder: Path
    settings: Settings
    database: Any
    environment: Environment
    key: str
    made: int = attribute(default=0)

    @property
    def variables(self) -> dict[str, str]:
        chosen = ("database", "files", "secret_file", "rate_limit", "webhook_allowed_networks")
        return {f"PLANWERK_{name.upper()}": str(getattr(self.settings, name)) for name in chosen}

    def write(self, count: int) -> None:
        """So many events, each of an object of its own."""
        for _ in range(count // BATCH):
            self.database.write_now(self.environment.id, insert_collections)
        self.made += count

    def waiting(self) -> int:
        return int(self.database.query("SELECT count(*) FROM webhook_delivery WHERE due_at IS NOT NULL")[0][0])

    def wait(self, process: Any) -> None:
        """Until everything is sent and written down."""
        end = time.monotonic() + PATIENCE_SECONDS
        while self.waiting():
            if time.monotonic() > end or process.poll() is not None:
                raise CannotRun(f"{self.waiting()} messages were not sent; see {self.folder}")
            time.sleep(0.05)


def insert_collections(tx: Transaction) -> None:
    for number in range(BATCH):
        tx.insert(tx.object("collection"), {"name": f"order {number}"})


def plant(name: str, url: str, folder: Path, receiver: str) -> Plant:
    files, secret = str(folder / "files"), str(folder / f"secret-{name}")
    settings = Settings(database=url, files=files, secret_file=secret, rate_limit="0", webhook_allowed_networks="127.0.0.0/8")
    database = compose(settings).database  # type: ignore[attr-defined]
    list(upgrade(database))
    environment = database.write_now("", lambda tx: create_environment(tx, "bench"))
    key = database.write_now(environment.id, lambda tx: create_key(tx, OBJECTS["api_key"], "bench", is_read_only=False)[0])

    def subscribe(tx: Transaction) -> None:
        from planwerk.rules.webhooks import first_secret

        values: dict[str, Any] = {"url": receiver, "event_types": json.dumps(["collection.created"])}
        first_secret(tx, values)
        tx.insert(tx.object("webhook"), values)

    database.write_now(environment.id, subscribe)
    return Plant(name, folder, settings, database, environment, key)


# ── how many ──


def measure_worker(made: Plant, received: Received) -> list[str]:
    """A worker that finds a backlog."""
    made.write(EVENTS)
    received.forget()
    with running([str(PLANWERK), "worker"], log=made.folder / "worker.log", environment=made.variables) as process:
        made.wait(process)
        seconds = time.perf_counter() - received.began.value
        spent = usage([process.pid]).cpu_seconds
    if received.count.value != EVENTS:
        raise CannotRun(f"{received.count.value} messages came for {EVENTS} events")
    return [made.name, str(EVENTS), f"{EVENTS / seconds:,.0f}", f"{spent / EVENTS * 1e6:.0f}"]


# ── what it costs the API ──


def measure_server(made: Plant) -> list[str]:
    port = free_port()
    command = [str(PLANWERK), "serve", "--port", str(port)]
    with running(command, log=made.folder / "serve.log", environment=made.variables) as process:
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/health/ready"), process, made.folder / "serve.log")
        quiet: list[float] = []
        busy: list[float] = []
        ask(made, port, ASKED)
        for _ in range(ROUNDS):
            made.wait(process)
            quiet += ask(made, port, ASKED)
            made.write(EVENTS)
            busy += ask(made, port, ASKED, while_=made)
        made.wait(process)
    first, second = (percentile(times, 99) for times in (quiet, busy))
    return [made.name, str(len(busy)), *(f"{percentile(times, 50):.2f}" for times in (quiet, busy)), f"{first:.2f}", f"{second:.2f}",
            f"{second / first:.2f}"]  # fmt: skip


def ask(made: Plant, port: int, count: int, while_: Plant | None = None) -> list[float]:
    """Milliseconds of changes that cause no message, one after the other; as long as something is being sent, if that is said."""
    connection, times = http.client.HTTPConnection("127.0.0.1", port), []
    headers = {"X-Api-Key": made.key, "X-Api-Env": made.environment.hash, "Content-Type": "application/json"}
    for number in range(count):
        if while_ is not None and number % 50 == 0 and not while_.waiting():
            break
        start = time.perf_counter()
        connection.request("POST", "/v1/relation", json.dumps({"name": f"relation {number}"}), headers)
        answer = connection.getresponse()
        answer.read()
        times.append((time.perf_counter() - start) * 1000)
        if answer.status != 201:
            raise CannotRun(f"POST /relation → {answer.status}")
    connection.close()
    return times


def percentile(times: list[float], percent: int) -> float:
    return statistics.quantiles(times, n=100)[percent - 1]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("databases", nargs="*", default=["SQLite", "PostgreSQL"], help="SQLite, PostgreSQL, or both")
    options.add_argument("--only", choices=("worker", "server"), help="one of the two tables")
    given = options.parse_args()
    many: list[list[str]] = []
    costs: list[list[str]] = []

    def measure(name: str, url: str) -> None:
        made = plant(name, url, folder, receiver)
        if given.only != "server":
            many.append(measure_worker(made, received))
        if given.only != "worker":
            costs.append(measure_server(made))
        made.database.close()

    with tempfile.TemporaryDirectory(prefix="delivery-") as place, receiving() as (receiver, received):
        folder = Path(place)
        if "SQLite" in given.databases:
            measure("SQLite", f"sqlite:///{folder / 'planwerk.db'}")
        if "PostgreSQL" in given.databases:
            with throw_away_cluster(folder) as cluster:
                measure("PostgreSQL", cluster.create_ordinary("delivery"))
    if many:
        print(table(["", "events", "delivered a second", "µs of processor each"], many))
    if costs:
        heads = ["", "requests", "p50 ms quiet", "p50 ms sending", "p99 ms quiet", "p99 ms sending", "ratio of p99 (bound 1.20)"]
        print(table(heads, costs))


if __name__ == "__main__":
    main()
