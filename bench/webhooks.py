"""What events and their deliveries cost a write: `.venv/bin/python -m bench.webhooks`.

The application is asked in this process and the database lies in memory, so that no wait hides the work: the ratio on a disk is
smaller. No sender runs. The same writes go to one environment, in turns without a webhook and with one that wants every event
they cause. It prints one table and writes no page. It also runs on sources that know no events: `PYTHONPATH=…/src`.
"""

import argparse
import asyncio
import itertools
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field as attribute
from pathlib import Path
from typing import Any

import orjson

from bench.page import table
from bench.postgresql import throw_away_cluster
from bench.processes import CannotRun
from planwerk.app import compose
from planwerk.catalog import ALL
from planwerk.identity.api_keys import create_key
from planwerk.settings import Settings
from planwerk.store.database import schema_script
from planwerk.store.environments import create_environment
from planwerk.store.transaction import Transaction

ROUNDS, WARM_UP = 20, 2  # of each side
REQUESTS = 50  # of each kind in a round
TOGETHER = 8  # requests under way at once, in the second half of the table
BOUND = 1.15  # with a webhook at most so many times as long as without
EVENTS = ["card.created", "card.updated", "collection.created", "collection.updated"]
MEMORY = Path("/dev/shm")
WITHOUT, WITH = "without", "with"
OBJECTS = {described.name: described for described in ALL}


@dataclass
class Plant:
    """An application on an empty database, and what the writes need to be there."""

    app: Any
    headers: list[tuple[bytes, bytes]]
    numbers: Iterator[int] = attribute(default_factory=itertools.count)
    collections: list[str] = attribute(default_factory=list)
    cards: list[tuple[str, str]] = attribute(default_factory=list)  # (collection, card)

    async def ask(self, method: str, path: str, body: Any) -> Any:
        """The JSON of an answer that must be a success."""
        scope = {"type": "http", "method": method, "path": f"/v1{path}", "query_string": b"", "headers": self.headers}
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": orjson.dumps(body)}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        if sent[0]["status"] >= 300:
            raise CannotRun(f"{method} {path} → {sent[0]['status']} {sent[1]['body'][:200]!r}")
        return orjson.loads(sent[1]["body"])

    # ── the four kinds of writes; each leaves what the next one needs ──

    async def create_collection(self) -> None:
        self.collections.append((await self.ask("POST", "/collection", {"name": f"order {next(self.numbers)}"}))["id"])

    async def update_collection(self) -> None:
        number = next(self.numbers)
        await self.ask("PUT", f"/collection/{self.collections[number % len(self.collections)]}", {"description": f"note {number}"})

    async def create_card(self) -> None:
        collection = self.collections.pop(0)  # none gets two, so that no round has more to do than another
        self.cards.append((collection, (await self.ask("POST", f"/collection/{collection}/card", {"name": "saw"}))["id"]))

    async def update_card(self) -> None:
        number = next(self.numbers)
        collection, card = self.cards[number % len(self.cards)]
        await self.ask("PUT", f"/collection/{collection}/card/{card}", {"description": f"note {number}"})

    @property
    def kinds(self) -> dict[str, Callable[[], Awaitable[None]]]:
        return {
            "create a collection": self.create_collection,
            "update a collection": self.update_collection,
            "create a card": self.create_card,
            "update a card": self.update_card,
        }


@asynccontextmanager
async def plant(url: str, folder: Path) -> AsyncIterator[Plant]:
    settings = Settings(database=url, files=str(folder / "files"), secret_file=str(folder / "secret"), rate_limit="0")
    app: Any = compose(settings)
    database = app.database
    database.run_script([*schema_script(database.tables, database.statements.dialect)])
    environment = database.write_now("", lambda tx: create_environment(tx, "bench"))

    def key(tx: Transaction) -> str:
        return create_key(tx, OBJECTS["api_key"], "bench", is_read_only=False)[0]

    headers = [(b"x-api-key", database.write_now(environment.id, key).encode()), (b"x-api-env", environment.hash.encode())]
    await database.start()
    try:
        made = Plant(app, [*headers, (b"content-type", b"application/json")])
        statuses = [{"name": "to do", "priority": 0, "entry": True}, {"name": "done", "priority": 1, "exit": True}]
        await made.ask("POST", "/board", {"name": "B", "stages": [{"name": "saw", "priority": 0}], "statuses": statuses})
        yield made
    finally:
        await database.stop()


async def measure(made: Plant, together: int) -> dict[str, dict[str, list[float]]]:
    """kind → side → microseconds of a request in each round. The sides take turns, so that both see the same machine."""
    webhook = (await made.ask("POST", "/webhook", {"url": "https://example.com/", "active": False, "event_types": EVENTS}))["id"]
    found: dict[str, dict[str, list[float]]] = {kind: {WITHOUT: [], WITH: []} for kind in made.kinds}
    for number in range(ROUNDS + WARM_UP):
        for side in (WITHOUT, WITH) if number % 2 else (WITH, WITHOUT):
            await made.ask("PUT", f"/webhook/{webhook}", {"active": side == WITH})
            for kind, work in made.kinds.items():
                found[kind][side].append(await one_round(work, together))
    await made.ask("PUT", f"/webhook/{webhook}", {"active": False})
    return {kind: {side: times[WARM_UP:] for side, times in sides.items()} for kind, sides in found.items()}


async def one_round(work: Callable[[], Awaitable[None]], together: int) -> float:
    """Microseconds of a request."""

    async def some() -> None:
        for _ in range(REQUESTS // together):
            await work()

    start = time.perf_counter()
    await asyncio.gather(*(some() for _ in range(together)))
    return (time.perf_counter() - start) / (REQUESTS // together * together) * 1e6


def rows_of(name: str, together: int, found: dict[str, dict[str, list[float]]]) -> list[list[str]]:
    return [[name, str(together), kind, *figures(sides)] for kind, sides in found.items()]


def figures(sides: dict[str, list[float]]) -> list[str]:
    """Microseconds of a request in the quicker quarter of the rounds, which others disturb least, and their ratio.

    >>> figures({"without": [100, 300, 102, 200], "with": [110, 210, 111, 500]})
    ['100', '110', '1.10']
    """
    quick = {side: statistics.mean(sorted(times)[: max(1, len(times) // 4)]) for side, times in sides.items()}
    return [f"{quick[WITHOUT]:.0f}", f"{quick[WITH]:.0f}", f"{quick[WITH] / quick[WITHOUT]:.2f}"]


async def measure_all(name: str, url: str, folder: Path) -> list[list[str]]:
    async with plant(url, folder) as made:
        return [row for together in (1, TOGETHER) for row in rows_of(name, together, await measure(made, together))]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("databases", nargs="*", default=["SQLite", "PostgreSQL"], help="SQLite, PostgreSQL, or both")
    options.add_argument("--folder", default=MEMORY if MEMORY.is_dir() else None, help="where the databases are made")
    given = options.parse_args()
    rows: list[list[str]] = []
    with tempfile.TemporaryDirectory(prefix="webhooks-", dir=given.folder) as place:
        folder = Path(place)
        if "SQLite" in given.databases:
            rows += asyncio.run(measure_all("SQLite", f"sqlite:///{folder / 'planwerk.db'}", folder))
        if "PostgreSQL" in given.databases:
            with throw_away_cluster(folder) as cluster:
                rows += asyncio.run(measure_all("PostgreSQL", cluster.create_ordinary("webhooks"), folder))
    print(table(["", "at once", "write", "µs without a webhook", "µs with one", f"ratio (bound {BOUND})"], rows))


if __name__ == "__main__":
    main()
