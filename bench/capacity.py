"""What does a year of a large board's capacity cost? Milliseconds and size of each view, by day, week and month, on both databases.

The answers are asked of the database in this process, without HTTP: what is measured is the statement and its text.
"""

import argparse
import asyncio
import datetime as dt
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.page import table, write_section
from bench.postgresql import throw_away_cluster
from bench.processes import CannotRun
from planwerk.catalog import ALL
from planwerk.describe import Link, Object
from planwerk.rules.capacity import answer
from planwerk.settings import Settings
from planwerk.store.changes import Changes
from planwerk.store.database import Database, open_database, schema_script
from planwerk.store.load import overloaded_collections
from planwerk.store.transaction import Row, Transaction, pivot_document

OBJECTS: dict[str, Object] = {described.name: described for described in ALL}
ENVIRONMENT = "00000000-0000-4000-8000-00000000beac"
FIRST, LAST = dt.date(2026, 1, 1), dt.date(2026, 12, 31)
FRAMES, VIEWS = ("day", "week", "month"), ("stage", "resource_type", "resource", "group")
STAGES, GROUPS = 10, 20
TRIES = 5
CHUNK = 5000


@dataclass(frozen=True)
class Filled:
    board_id: str
    resource_ids: list[str]


@dataclass(frozen=True)
class Measured:
    """The median of some tries, in milliseconds, and the size of what came."""

    milliseconds: float
    size: int


# ── the data ──


class Filler:
    """Puts a board with its work into an empty environment; the same for the same sizes."""

    def __init__(self, tx: Transaction, resources: int, cards: int) -> None:
        tx.changes = Changes(())  # what follows from other rows is given here
        self.tx = tx
        self.random = random.Random(2026)
        self.resources, self.cards = resources, cards

    def fill(self) -> Filled:
        board_id = self.many("board", [{"name": "board"}])[0]["id"]
        stages = self.many("stage", [{"name": f"stage {n}", "board_id": board_id, "priority": n} for n in range(STAGES)])
        activities = self.many("activity", [{"code": str(n), "resource_type": ("employee", "machine", "cell")[n % 3]} for n in range(30)])
        resources = self.many("resource", [{"name": str(n), "type": ("employee", "machine")[n % 2]} for n in range(self.resources)])
        groups = self.many("group", [{"name": str(n)} for n in range(GROUPS)])
        self.link("group_resource", [(groups[n % GROUPS], resource, {}) for n, resource in enumerate(resources)])
        staffed = [
            (stages[(n + step) % STAGES], resource, {"percentage": 50, "active": True})
            for n, resource in enumerate(resources)
            for step in (0, 1)
        ]
        self.link("stage_resource", staffed)
        for resource in resources:
            self.many("schedule", self.days_of(resource))
        self.plan(board_id, stages, activities, resources)
        return Filled(board_id, [resource["id"] for resource in resources])

    def days_of(self, resource: Row) -> Iterator[dict[str, Any]]:
        for number in range((LAST - FIRST).days + 1):
            day = FIRST + dt.timedelta(number)
            hours = 8.0 if day.weekday() < 5 else 0.0
            leave = hours if self.random.random() < 0.05 else 0.0
            yield {
                "resource_id": resource["id"],
                "date": f"{day}",
                "hours_work": hours,
                "hours_leave": leave,
                "hours_available": hours - leave,
            }

    def plan(self, board_id: str, stages: list[Row], activities: list[Row], resources: list[Row]) -> None:
        """Cards of one to seven days, each on one or two resources, with one activity."""
        cards = self.many("card", (self.card(board_id, self.random.choice(stages)) for _ in range(self.cards)))
        staff = [(card, chosen) for card in cards for chosen in self.random.sample(resources, self.random.choice((1, 2)))]
        self.link("card_resource", [(card, chosen, {"time": card["time"], "time_remaining": card["time"] // 2}) for card, chosen in staff])
        self.link("card_activity", [(card, self.random.choice(activities), {"time": card["time"]}) for card in cards])

    def card(self, board_id: str, stage: Row) -> dict[str, Any]:
        start = FIRST + dt.timedelta(self.random.randrange(-5, 365))
        dates = {"start_date": f"{start}", "end_date": f"{start + dt.timedelta(self.random.randrange(7))}"}
        return {"name": "card", "board_id": board_id, "stage_id": stage["id"], "collection_id": self.tx.new_id(), "time": 487, **dates}

    def many(self, name: str, values: Any) -> list[Row]:
        return self.tx.insert_many(OBJECTS[name], values)

    def link(self, name: str, links: list[tuple[Row, Row, dict[str, Any]]]) -> None:
        """Rows of a link table, in bulk."""
        relations = (relation for described in OBJECTS.values() for relation in described.relations if isinstance(relation, Link))
        link = next(relation.table for relation in relations if relation.table.name == name)
        nothing = {field.name: None for field in link.pivot}
        rows = [
            {**nothing, **pivot, link.left: left["id"], link.right: right["id"], "environment_id": ENVIRONMENT}
            for left, right, pivot in links
        ]
        statement = self.tx.statements.link(name)
        for begin in range(0, len(rows), CHUNK):
            bound = [{**statement.fixed, **row, "document": pivot_document(link, row)} for row in rows[begin : begin + CHUNK]]
            self.tx.connection.execute_many(statement.text, bound)


@contextmanager
def databases(work: Path) -> Iterator[dict[str, str]]:
    """The URL of an empty database of each kind that can be had here."""
    folder = Path(tempfile.mkdtemp(prefix="capacity-", dir=work))
    urls = {"SQLite": f"sqlite:///{folder / 'planwerk.db'}"}
    try:
        with throw_away_cluster(work) as cluster:
            yield {**urls, "PostgreSQL": cluster.create_ordinary("capacity")}
    except CannotRun as reason:
        print(f"bench: without PostgreSQL, because {reason}")
        yield urls
    finally:
        shutil.rmtree(folder)


# ── the measurement ──


async def measure(url: str, resources: int, cards: int) -> dict[str, Measured]:
    """Every view by every time frame, and the question which collections overload a resource."""
    database = open_database(Settings(database=url, statement_seconds=600), OBJECTS)
    database.run_script(schema_script(database.tables, database.statements.dialect))
    await database.start()
    try:
        filled = await database.write(ENVIRONMENT, lambda tx: Filler(tx, resources, cards).fill())
        database.take_stock()
        found = {f"{view} by {frame}": await median(database, ask, view, frame, filled) for view in VIEWS for frame in FRAMES}
        return {**found, "overloaded collections of a resource": await median(database, overloaded, "", "", filled)}
    finally:
        await database.stop()


def ask(tx: Transaction, view: str, frame: str, filled: Filled) -> int:
    given = {"date_range_start": f"{FIRST}", "date_range_end": f"{LAST}", "time_frame": frame}
    return len(answer(tx, view, {"board_id": filled.board_id}, given))


def overloaded(tx: Transaction, view: str, frame: str, filled: Filled) -> int:  # noqa: ARG001 (asked like a view)
    return len(overloaded_collections(tx, filled.resource_ids[:1], f"{FIRST}", f"{LAST}"))


async def median(database: Database, question: Any, view: str, frame: str, filled: Filled) -> Measured:
    times, size = [], 0
    for _ in range(TRIES):
        start = time.perf_counter()
        size = await database.read(ENVIRONMENT, lambda tx: question(tx, view, frame, filled))
        times.append((time.perf_counter() - start) * 1000)
    return Measured(statistics.median(times), size)


def markdown(found: dict[str, dict[str, Measured]]) -> str:
    names = list(found)
    rows = [
        [what, *(f"{found[name][what].milliseconds:,.0f}" for name in names), size_of(what, found[names[0]][what])]
        for what in found[names[0]]
    ]
    return table(["a year, milliseconds", *names, "answer"], rows)


def size_of(what: str, measured: Measured) -> str:
    return f"{measured.size / 1e6:,.2f} MB" if " by " in what else f"{measured.size} collections"


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench/capacity", description="The time of a year of a large board's capacity.")
    parser.add_argument("--resources", type=int, default=200)
    parser.add_argument("--cards", type=int, default=20_000)
    parser.add_argument("--work", type=Path, default=Path("build/bench"), help="folder for the databases")
    parser.add_argument("--write", action="store_true", help="write the section of docs/benchmarks.md")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    with databases(options.work) as urls:
        found = {name: asyncio.run(measure(url, options.resources, options.cards)) for name, url in urls.items()}
    section = markdown(found)
    print(section)
    if options.write:
        write_section("capacity", section)


if __name__ == "__main__":
    main()
