"""What a database must be able to do, and how one is opened from its URL.

`fetch` runs one reading statement in one snapshot; `write` runs a function over a `Transaction` and commits before it
answers; `version` tells whether anything an answer was made from has changed since. Two databases do this today.
"""

import asyncio
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sqlalchemy import Dialect
from sqlalchemy.schema import CreateIndex, CreateSequence, CreateTable

from planwerk.describe import Object
from planwerk.errors import MEMORY_EXHAUSTED, SERVICE_UNAVAILABLE, Refusal, refuse
from planwerk.settings import Settings
from planwerk.store.identifiers import Identifiers
from planwerk.store.statements import Statement
from planwerk.store.tables import Tables
from planwerk.store.transaction import Statements, Transaction
from planwerk.store.walls import wall_script

Result = TypeVar("Result")

PROBE = Statement("UPDATE state SET value = {now} WHERE name = 'probe'", {})


class Database(Protocol):
    """One database with the tables of one catalog."""

    statements: Statements
    tables: Tables
    identifiers: Identifiers
    generation: int  # moves with `refresh` whenever something may have been committed; on PostgreSQL with every second
    bell: "Bell"  # rung, from any thread, after a commit that others wait for
    settings: Settings

    async def start(self) -> None:
        """Open what serving needs; raises `Unusable` with a sentence."""

    async def stop(self) -> None:
        """Finish the writes under way and close."""

    def close(self) -> None: ...

    async def fetch(self, statement: Statement, values: Mapping[str, Any]) -> Sequence[Any] | None:
        """The first row of a reading statement, None if there is none; a refusal when it takes too long.

        A statement that binds `environment` can read that environment only; any other is the server's own and reads them all.
        """

    def refresh(self) -> None:
        """Look, once at the beginning of a request, whether anything was committed: `version` answers as of this look."""

    def version(self, environment_id: str, tables: tuple[str, ...]) -> Hashable | None:
        """A value that moves whenever one of the tables changes in the environment; None if that is not known for free."""

    async def snapshot(self) -> Hashable | None:
        """The version of the whole database, at the price of a round trip; None where `version` does better."""

    async def read(self, environment_id: str, function: Callable[[Transaction], Result]) -> Result:
        """What the function returns, seen in one snapshot; it must not write."""

    async def write(self, environment_id: str, function: Callable[[Transaction], Result]) -> Result:
        """What the function returns, once its changes are on disk. What it raises undoes them all.

        The empty environment is the server's own work, across environments.
        """

    def write_now(self, environment_id: str, function: Callable[[Transaction], Result]) -> Result:
        """`write` for commands, without an event loop."""

    def run_script(self, statements: Sequence[str]) -> None:
        """Run statements that define the schema, in one transaction."""

    def query(self, text: str, values: Mapping[str, Any] | None = None) -> Sequence[Any]:
        """Rows of a statement of the server's own, for commands and checks."""

    def has_schema(self) -> bool: ...

    async def is_writable(self) -> bool:
        """Whether a write would succeed now; found out by one."""

    def take_stock(self) -> None:
        """Learn what planning and counting go by, at once instead of by and by; for when many rows have come."""

    def backup(self, path: Path) -> None:
        """A sound copy of everything committed before the call, made while others write."""


class Unusable(Exception):
    """The database cannot be used as it is; the text says why and what to do."""


class Bell:
    """Tells those who wait in this process what was committed: `jobs`, `deliveries` or `events`."""

    def __init__(self) -> None:
        self.ears: dict[str, set[Callable[[], None]]] = {"jobs": set(), "deliveries": set(), "events": set()}
        self.is_last = False  # the process ends: who follows events stops waiting for more

    @contextmanager
    def heard(self, name: str) -> Iterator[asyncio.Event]:
        """An event of the running loop that is set whenever there is something new of this kind."""
        loop, event = asyncio.get_running_loop(), asyncio.Event()

        def hear() -> None:
            loop.call_soon_threadsafe(event.set)

        self.ears[name].add(hear)
        try:
            yield event
        finally:
            self.ears[name].discard(hear)

    def ring(self, names: Iterable[str]) -> None:
        """Wake those who listen; called from any thread."""
        for name in names:
            for hear in tuple(self.ears[name]):
                hear()

    def ring_last(self) -> None:
        """Tell those who follow events that the process ends."""
        self.is_last = True
        self.ring(["events"])


async def happens(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, but not longer. `asyncio.wait_for` of Python 3.11 forgets that it is cancelled if the event comes just then."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


def unavailable(reason: str, seconds: int = 5) -> Refusal:
    return refuse(SERVICE_UNAVAILABLE, reason, retry_after=str(seconds))


def too_large() -> Refusal:
    return refuse(MEMORY_EXHAUSTED, "the answer is too large: use a smaller limit, a filter or fewer relations")


def write_probe(tx: Transaction) -> None:
    """A write that nobody misses, to see whether writing works. Its value is new each time: SQLite skips what is not."""
    tx.run_named(PROBE, now=tx.now)


def schema_script(tables: Tables, dialect: Dialect) -> list[str]:
    """The statements that make all tables and indexes of a catalog, and the walls between environments."""
    script = [str(CreateSequence(sequence).compile(dialect=dialect)) for sequence in tables.sequences if dialect.supports_sequences]
    for table in tables.metadata.sorted_tables:
        script.append(str(CreateTable(table).compile(dialect=dialect)))
        script.extend(str(CreateIndex(index).compile(dialect=dialect)) for index in sorted(table.indexes, key=lambda item: str(item.name)))
    return [*script, *wall_script(tables.metadata, dialect)]


def open_database(settings: Settings, objects: Mapping[str, Object], identifiers: Identifiers | None = None) -> Database:
    """The database of `settings.database`; raises `Unusable` for a URL of another kind."""
    url, identifiers = settings.database, identifiers or Identifiers()
    tables = Tables(objects.values())
    if url.startswith("sqlite:///"):
        from planwerk.store.sqlite import SQLite

        return SQLite(Path(url.removeprefix("sqlite:///")), tables, objects, identifiers, settings)
    if url.startswith(("postgresql://", "postgres://")):
        from planwerk.store.postgresql import PostgreSQL

        return PostgreSQL(url, tables, objects, identifiers, settings)
    raise Unusable(f"database {url}: must be sqlite:///path/file.db or postgresql://user@host:port/name")
