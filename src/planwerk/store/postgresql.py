"""PostgreSQL: a pool of connections that read on the event loop, and threads with their own connections that write.

Each connection works for one environment at a time and remembers which (see `walls`), so that one tenant pays nothing for it.
Time limits are set per connection; a transaction that others got in the way of is tried again; the engine's errors are
translated here and nowhere else.
"""

import asyncio
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Callable, Hashable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from psycopg import errors as engine
from psycopg.conninfo import make_conninfo
from psycopg.pq import TransactionStatus

from planwerk.describe import Object
from planwerk.errors import Refusal
from planwerk.settings import Settings
from planwerk.store.database import Bell, Unusable, too_large, unavailable, write_probe
from planwerk.store.identifiers import Identifiers
from planwerk.store.statements import POSTGRESQL, Statement
from planwerk.store.tables import Tables
from planwerk.store.transaction import Duplicate, Overtaken, Statements, Transaction
from planwerk.store.turns import OWN, Turns
from planwerk.store.visibility import TABLES
from planwerk.store.walls import CHOOSE, EVERYTHING, SETTING, scope_of

Result = TypeVar("Result")

READERS = 8  # connections that read, per process; of them an environment alone has four (see `turns`)
WRITERS = 16  # threads that write, per process; of them eight
IDLE_SECONDS = 1.0  # after that a connection is tried before a transaction begins; 54 µs, measured
TRIES = 8  # of a transaction that others got in the way of; of as many that change the same rows one gets through at each
SNAPSHOT = Statement("SELECT pg_current_snapshot()::text", {})
LOST = (psycopg.OperationalError, psycopg.InterfaceError, engine.IdleInTransactionSessionTimeout, engine.TransactionTimeout)


def options(settings: Settings) -> str:
    """Limits of a connection: a statement, waiting for a lock, and idling inside a transaction."""
    milliseconds = int(settings.statement_seconds * 1000)
    limits = f"-c statement_timeout={milliseconds} -c lock_timeout=5000 -c idle_in_transaction_session_timeout=10000"
    return f"{limits} -c timezone=UTC -c default_transaction_isolation=read\\ committed -c jit=off"


def translate(error: psycopg.Error) -> Exception:
    """The engine's error in the API's words; an error that is our own fault stays what it is."""
    if isinstance(error, engine.UniqueViolation):
        return Duplicate(error.diag.constraint_name or "")
    if isinstance(error, engine.QueryCanceled | engine.LockNotAvailable):
        return unavailable("the query took too long")
    if isinstance(error, engine.DiskFull | engine.ReadOnlySqlTransaction | engine.TooManyConnections | engine.CannotConnectNow):
        return unavailable("the database cannot be written now")
    if isinstance(error, engine.ProgramLimitExceeded | engine.OutOfMemory):
        return too_large()
    if isinstance(error, LOST) and not isinstance(error, engine.SerializationFailure | engine.DeadlockDetected):
        return Lost(*unavailable("the database cannot be reached").faults, headers={"retry-after": "5"})
    return error


class Lost(Refusal):
    """A connection to the database was lost, or there is none."""


@dataclass(slots=True, eq=False)
class Reader:
    """A connection that reads on the event loop, and what it works for; an empty scope sees nothing."""

    raw: psycopg.AsyncConnection[Any]
    scope: str = ""

    async def choose(self, scope: str) -> None:
        """Work for another environment from now on."""
        self.scope = ""  # until the server has taken it
        await self.raw.execute(CHOOSE, {"scope": scope})
        self.scope = scope


class Handle:
    """A connection in the shape that a transaction expects, and what it works for; an empty scope sees nothing."""

    def __init__(self, raw: psycopg.Connection[Any]) -> None:
        self.raw = raw
        self.scope = ""

    def choose(self, scope: str) -> None:
        """Work for an environment from now on; never within a transaction, which was begun for another one."""
        if scope == self.scope:
            return
        if self.raw.info.transaction_status != TransactionStatus.IDLE:
            raise RuntimeError("an environment is chosen before a transaction begins")
        self.scope = ""  # until the server has taken it
        self.execute(CHOOSE, {"scope": scope})
        self.scope = scope

    def execute(self, text: str, values: Mapping[str, Any] | None = None) -> Sequence[Any]:
        try:
            cursor = self.raw.execute(text, values)
            return cursor.fetchall() if cursor.description else ()
        except (engine.SerializationFailure, engine.DeadlockDetected):
            raise
        except psycopg.Error as error:
            raise translate(error) from error

    def execute_many(self, text: str, values: Iterable[Mapping[str, Any]]) -> int:
        rows = list(values)
        try:
            if len(rows) == 1:  # not worth a pipeline
                return self.raw.execute(text, rows[0]).rowcount
            cursor = self.raw.cursor()
            cursor.executemany(text, rows)
            return cursor.rowcount
        except (engine.SerializationFailure, engine.DeadlockDetected):
            raise
        except psycopg.Error as error:
            raise translate(error) from error


class PostgreSQL:
    """The `Database` on a PostgreSQL server."""

    def __init__(self, url: str, tables: Tables, objects: Mapping[str, Object], identifiers: Identifiers, settings: Settings) -> None:
        self.url = url
        self.tables = tables
        self.identifiers = identifiers
        self.settings = settings
        self.statements = Statements(tables, objects, POSTGRESQL)
        self.local = threading.local()
        self.opened: set[psycopg.Connection[Any]] = set()
        self.threads: ThreadPoolExecutor | None = None
        self.generation = 0
        self.bell = Bell()
        self.idle: list[Reader] = []  # the one that was used last is the last
        self.readers = 0  # idle and busy
        self.reading = Turns(READERS, settings.statement_seconds)
        self.working = Turns(WRITERS, settings.statement_seconds)  # in the threads

    # ── life ──

    async def start(self) -> None:
        await asyncio.to_thread(self.check)
        self.threads = ThreadPoolExecutor(WRITERS, "writer")

    def check(self) -> None:
        """Refuse a server that may forget what it has confirmed."""
        for name in ("fsync", "full_page_writes"):
            if self.query(f"SHOW {name}")[0][0] == "off":
                raise Unusable(f"PostgreSQL runs with {name}=off: a crash could destroy the data")
        if self.query("SHOW server_encoding")[0][0] != "UTF8":
            raise Unusable("the PostgreSQL database must have the encoding UTF8")

    async def stop(self) -> None:
        if self.threads is not None:
            await asyncio.to_thread(self.threads.shutdown)
            self.threads = None
        for reader in self.idle:
            await reader.raw.close()
        self.idle.clear()
        self.readers = 0
        self.close()

    def close(self) -> None:
        for connection in tuple(self.opened):
            connection.close()
        self.opened.clear()

    # ── reading ──

    async def fetch(self, statement: Statement, values: Mapping[str, Any]) -> Sequence[Any] | None:
        return await self.ask(statement, values, scope_of(values.get("environment", "")))

    async def ask(self, statement: Statement, values: Mapping[str, Any], scope: str | None) -> Sequence[Any] | None:
        """The first row; without a scope the statement may read no table. If a connection was lost since its last use, others were, too:
        all are made anew, and it is asked once more."""
        was_idle = bool(self.idle)
        try:
            return await self.ask_once(statement, values, scope)
        except Lost:
            if not self.idle and not was_idle:
                raise
            for reader in self.idle:
                await reader.raw.close()
            self.readers -= len(self.idle)
            self.idle.clear()
            return await self.ask_once(statement, values, scope)

    async def ask_once(self, statement: Statement, values: Mapping[str, Any], scope: str | None) -> Sequence[Any] | None:
        async with self.borrow(scope) as connection:
            cursor = await connection.execute(statement.text, {**statement.fixed, **values})
            row: Sequence[Any] | None = await cursor.fetchone()
        if row and any(isinstance(value, str) and len(value) > self.settings.answer_limit_bytes for value in row):
            raise too_large()
        return row

    @asynccontextmanager
    async def borrow(self, scope: str | None) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """A reading connection that works for a scope; one that broke is dropped and replaced at its next use. Errors are translated."""
        whose = OWN if scope is None or scope == EVERYTHING else scope
        if not self.reading.begin(whose):
            await self.reading.wait(whose)
        try:
            reader = self.nearest(scope) or await self.connect()
            try:
                if scope is not None and reader.scope != scope:
                    await reader.choose(scope)
                yield reader.raw
            except psycopg.Error as error:
                raise translate(error) from error
            finally:
                await self.give_back(reader)
        finally:
            self.reading.end(whose)

    def nearest(self, scope: str | None) -> Reader | None:
        """An idle connection: one that works for the scope; else, once there are enough, the one that was used longest ago."""
        for place in range(len(self.idle) - 1, -1, -1):
            if scope is None or self.idle[place].scope == scope:
                return self.idle.pop(place)
        return self.idle.pop(0) if self.idle and self.readers >= READERS else None

    async def give_back(self, reader: Reader) -> None:
        if reader.raw.closed or reader.raw.broken or self.threads is None:  # the last: we were stopped meanwhile
            self.readers -= 1
            await reader.raw.close()
        else:
            self.idle.append(reader)

    async def connect(self) -> Reader:
        self.readers += 1  # before anything is waited for: others count, too
        try:
            connection = await psycopg.AsyncConnection.connect(self.url, autocommit=True, options=options(self.settings), connect_timeout=5)
        except BaseException as error:
            self.readers -= 1
            raise translate(error) if isinstance(error, psycopg.Error) else error from None
        connection.prepare_threshold = 2
        return Reader(connection)

    def refresh(self) -> None:
        """Nothing is known for free (see `snapshot`), so everything may have changed with every second."""
        self.generation = int(time.monotonic())

    def version(self, environment_id: str, tables: tuple[str, ...]) -> Hashable | None:  # noqa: ARG002
        """Other processes write, too: nothing is known for free."""
        return None

    async def snapshot(self) -> Hashable | None:
        row = await self.ask(SNAPSHOT, {}, None)
        return row and row[0]

    async def read(self, environment_id: str, function: Callable[[Transaction], Result]) -> Result:
        return await self.working.run(self.threads, environment_id, self.read_now, environment_id, function)

    def read_now(self, environment_id: str, function: Callable[[Transaction], Result]) -> Result:
        handle = self.ready(scope_of(environment_id))
        try:
            with handle.raw.transaction():
                handle.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                return function(Transaction(handle, self.statements, self.identifiers, environment_id, self.settings))
        except psycopg.Error as error:
            raise translate(error) from error

    # ── writing ──

    async def write(self, environment_id: str, function: Callable[[Transaction], Result]) -> Result:
        return await self.working.run(self.threads, environment_id, self.write_now, environment_id, function)

    def write_now(self, environment_id: str, function: Callable[[Transaction], Result]) -> Result:
        for attempt in range(1, TRIES + 1):
            try:
                return self.attempt(environment_id, function)
            except (engine.SerializationFailure, engine.DeadlockDetected, Overtaken):
                if attempt == TRIES:
                    raise unavailable("too many others are changing the same data", 1) from None
        raise AssertionError("unreachable")

    def attempt(self, environment_id: str, function: Callable[[Transaction], Result]) -> Result:
        handle = self.ready(scope_of(environment_id))
        transaction = Transaction(handle, self.statements, self.identifiers, environment_id, self.settings)
        try:
            with handle.raw.transaction():
                result = function(transaction)
                transaction.close()
        except (engine.SerializationFailure, engine.DeadlockDetected):
            raise
        except psycopg.Error as error:
            raise translate(error) from error
        self.bell.ring(transaction.rings)
        return result

    def ready(self, scope: str) -> Handle:
        """`handle`, sure to be alive: one that was idle for long may have been lost meanwhile, with nothing begun that could be."""
        now, last = time.monotonic(), getattr(self.local, "used", 0.0)
        self.local.used = now
        if now - last < IDLE_SECONDS:
            return self.handle(scope)
        try:
            handle = self.handle(scope)
            handle.execute("")
        except Lost:
            handle = self.handle(scope)
        return handle

    def handle(self, scope: str) -> Handle:
        """The connection of this thread, which works for a scope; a broken one is replaced."""
        handle: Handle | None = getattr(self.local, "handle", None)
        if handle is None or handle.raw.closed or handle.raw.broken:
            if handle is not None:
                self.opened.discard(handle.raw)
                handle.raw.close()
            self.local.handle = handle = self.open()
        handle.choose(scope)
        return handle

    def open(self) -> Handle:
        try:
            raw = psycopg.connect(self.url, autocommit=True, options=options(self.settings), connect_timeout=5)
        except psycopg.Error as error:
            raise translate(error) from error
        raw.prepare_threshold = 2
        self.opened.add(raw)
        return Handle(raw)

    # ── the rest ──

    def run_script(self, statements: Sequence[str]) -> None:
        handle = self.handle(EVERYTHING)
        with handle.raw.transaction():
            for text in statements:
                handle.raw.execute(text.encode())

    def query(self, text: str, values: Mapping[str, Any] | None = None) -> Sequence[Any]:
        """Rows of a statement of the server's own, for commands and checks."""
        return self.handle(EVERYTHING).execute(text, values)

    def has_schema(self) -> bool:
        return bool(self.query("SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'environment'"))

    async def is_writable(self) -> bool:
        """Whether a small write succeeds now."""
        try:
            await self.write("", write_probe)
        except Refusal:
            return False
        return True

    def take_stock(self) -> None:
        """See `visibility`. It takes as long as it takes."""
        self.query("SET statement_timeout = 0")
        try:
            self.query(f"VACUUM (ANALYZE) {self.query(TABLES)[0][0]}")
        finally:
            self.query("RESET statement_timeout")  # to what the connection began with

    def backup(self, path: Path) -> None:
        """A custom-format dump by pg_dump, which must be on the PATH; it reads what a connection for everything sees."""
        place = make_conninfo(self.url, options=f"-c {SETTING}={EVERYTHING}")
        try:
            subprocess.run(["pg_dump", "--enable-row-security", "--format=custom", f"--file={path}", f"--dbname={place}"], check=True)  # noqa: S603, S607
        except FileNotFoundError:
            raise Unusable("pg_dump is not installed here") from None
