"""Whether slow and hostile receivers harm anybody: `.venv/bin/python -m bench.slow_receivers`.

Each event goes to four receivers, which run in a process of their own: one answers at once, one takes the request and never
answers, one sends a byte a second for ever, one closes at once. A client asks at a steady pace: a change that is an event, then a
read and a change that are timed, in turns with the webhooks on and off. It prints one table and writes no page.
"""

import argparse
import asyncio
import itertools
import json
import multiprocessing
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field as attribute
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from bench.delivery import PLANWERK, Plant, percentile, plant
from bench.page import table
from bench.postgresql import throw_away_cluster
from bench.processes import CannotRun, answers, free_port, running, usage, wait_until

ROUNDS, EVENTS = 4, 250  # of each side; events in a round, and as many requests that are timed
PACE_SECONDS = 0.01  # from one request to the next
LAST_SECONDS = 2  # for the quick one to get the last event of a round
SETTLE_SECONDS = 12  # after a round with receivers: what is under way ends at 10 s
SPAWN = multiprocessing.get_context("spawn")
BYTE_EACH_SECOND = b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n"


# ── the receivers ──


async def at_once(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")


async def never(_: asyncio.StreamWriter) -> None:
    await asyncio.sleep(3600)


async def drip(writer: asyncio.StreamWriter) -> None:
    for byte in BYTE_EACH_SECOND + b"x" * 3600:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(1)


async def close(writer: asyncio.StreamWriter) -> None:
    writer.close()


BEHAVIOURS: tuple[Callable[[asyncio.StreamWriter], Awaitable[None]], ...] = (at_once, never, drip, close)


def receive(ports: list[int], came: Any) -> None:
    """Serve all of them; (name of the collection, moment) of what the first one gets goes into the queue `came`."""

    async def serve(behave: Callable[[asyncio.StreamWriter], Awaitable[None]], reader: Any, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                body = await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
                if behave is at_once:
                    came.put((json.loads(body)["data"]["current"]["name"], time.perf_counter()))
                await behave(writer)

    async def work() -> None:
        for port, behave in zip(ports, BEHAVIOURS, strict=True):
            await asyncio.start_server(lambda reader, writer, behave=behave: serve(behave, reader, writer), "127.0.0.1", port)  # type: ignore[misc]
        await asyncio.Event().wait()

    asyncio.run(work())


@contextmanager
def receivers() -> Iterator[tuple[list[str], Any]]:
    """Their addresses, and the queue of what the first one gets."""
    ports, came = [free_port() for _ in BEHAVIOURS], SPAWN.Queue()
    process = SPAWN.Process(target=receive, args=(ports, came), daemon=True)
    process.start()
    yield [f"http://127.0.0.1:{port}/" for port in ports], came
    process.kill()
    process.join()


# ── the client ──


class Client:
    """One connection to the server."""

    def __init__(self, made: Plant, port: int) -> None:
        self.connection = HTTPConnection("127.0.0.1", port)
        self.headers = {"X-Api-Key": made.key, "X-Api-Env": made.environment.hash, "Content-Type": "application/json"}

    def ask(self, method: str, path: str, body: Any = None) -> tuple[float, Any]:
        """(milliseconds, JSON) of an answer that must be a success."""
        start = time.perf_counter()
        self.connection.request(method, f"/v1{path}", json.dumps(body), self.headers)
        answer = self.connection.getresponse()
        text = answer.read()
        milliseconds = (time.perf_counter() - start) * 1000
        if answer.status >= 300:
            raise CannotRun(f"{method} {path} → {answer.status} {text[:200]!r}")
        return milliseconds, json.loads(text or "null")


@dataclass
class Times:
    """Milliseconds of the timed requests."""

    read: list[float] = attribute(default_factory=list)
    change: list[float] = attribute(default_factory=list)


def one_round(client: Client, numbers: Iterator[int], times: Times, written: dict[str, float]) -> None:
    """`written` gets when each event's request was answered, by the name of its collection."""
    due = time.perf_counter()
    for _ in range(EVENTS):
        name = f"order {next(numbers)}"
        made = client.ask("POST", "/collection", {"name": name})[1]
        written[name] = time.perf_counter()
        pause(due := due + PACE_SECONDS)
        times.read.append(client.ask("GET", f"/collection/{made['id']}")[0])
        pause(due := due + PACE_SECONDS)
        times.change.append(client.ask("POST", "/relation", {"name": name})[0])
        pause(due := due + PACE_SECONDS)


def pause(until: float) -> None:
    time.sleep(max(0.0, until - time.perf_counter()))


def measure(made: Plant, urls: list[str], came: Any) -> list[list[str]]:
    port = free_port()
    with running([str(PLANWERK), "serve", "--port", str(port)], log=made.folder / "serve.log", environment=made.variables) as process:
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/health/ready"), process, made.folder / "serve.log")
        client, numbers = Client(made, port), itertools.count()
        client.ask("POST", "/board", {"name": "hall"})
        hooks = [client.ask("GET", "/webhook")[1]["data"][0]["id"]]
        hooks += [client.ask("POST", "/webhook", {"url": url, "event_types": ["collection.created"]})[1]["id"] for url in urls[1:]]
        quiet, busy = Times(), Times()
        written: dict[str, float] = {}
        for hook in hooks:
            client.ask("PUT", f"/webhook/{hook}", {"active": False})
        one_round(client, numbers, Times(), {})
        before = usage([process.pid]).memory_mib
        for _ in range(ROUNDS):
            one_round(client, numbers, quiet, {})
            for hook in hooks:
                client.ask("PUT", f"/webhook/{hook}", {"active": True})
            one_round(client, numbers, busy, written)
            time.sleep(LAST_SECONDS)
            for hook in hooks:
                client.ask("PUT", f"/webhook/{hook}", {"active": False})
            time.sleep(SETTLE_SECONDS)
        grown = usage([process.pid]).memory_mib - before
    arrived = dict(came.get() for _ in range(came.qsize()))
    late = percentile([(arrived[name] - moment) * 1000 for name, moment in written.items()], 99)
    last = [f"{late:.0f}", f"{grown:.0f}"]
    return [
        [made.name, "read", *compared(quiet.read, busy.read), *last],
        [made.name, "change", *compared(quiet.change, busy.change), *last],
    ]


def compared(quiet: list[float], busy: list[float]) -> list[str]:
    """The medians, the 99th percentiles and their ratio."""
    figures = [percentile(times, percent) for percent in (50, 99) for times in (quiet, busy)]
    return [*(f"{figure:.2f}" for figure in figures), f"{figures[3] / figures[2]:.2f}"]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("databases", nargs="*", default=["SQLite", "PostgreSQL"], help="SQLite, PostgreSQL, or both")
    options.add_argument("--folder", help="where the databases are made, such as one in memory, where no disk makes anybody wait")
    given, rows = options.parse_args(), list[list[str]]()
    with tempfile.TemporaryDirectory(prefix="slow-", dir=given.folder) as place:
        folder = Path(place)
        if "SQLite" in given.databases:
            with receivers() as (urls, came):
                rows += measure(plant("SQLite", f"sqlite:///{folder / 'planwerk.db'}", folder, urls[0]), urls, came)
        if "PostgreSQL" in given.databases:
            with throw_away_cluster(folder) as cluster, receivers() as (urls, came):
                rows += measure(plant("PostgreSQL", cluster.create_ordinary("slow"), folder, urls[0]), urls, came)
    bounds = ["ratio of p99 (bound 1.20)", "ms to the quick one, 99 % (bound 1,000)", "MiB more (bound 50)"]
    print(table(["", "request", "p50 ms off", "p50 ms on", "p99 ms off", "p99 ms on", *bounds], rows))


if __name__ == "__main__":
    main()
