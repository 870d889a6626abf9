"""SQLite: one writer thread with group commit, and readers on the event loop under a budget.

Reads run inline on one connection; a read that exceeds its budget is interrupted and runs again in a thread with the full
time limit. Waiting writes share one commit, each in its own savepoint. WAL with synchronous=FULL: an answer means on disk.
"""

import asyncio
import queue
import shutil
import threading
import time
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field as attribute
from pathlib import Path
from typing import Any, TypeVar

import apsw
import orjson

from planwerk.describe import Object
from planwerk.errors import Refusal
from planwerk.query.operators import folded
from planwerk.settings import Settings
from planwerk.store.database import Bell, Unusable, too_large, unavailable, write_probe
from planwerk.store.identifiers import Identifiers
from planwerk.store.statements import SQLITE, Statement
from planwerk.store.statistics import statistics
from planwerk.store.tables import Tables, key_name
from planwerk.store.transaction import Duplicate, Statements, Transaction
from planwerk.store.turns import OWN, Turns

Result = TypeVar("Result")

INLINE_SECONDS = 0.002  # the longest a read may hold the event loop (docs/decisions/0003)
HEAVY = 4  # threads that read; of them an environment alone has two (see `turns`)
STEPS = 2000  # virtual machine steps between two looks at the clock; about 50 µs
LOOK_SECONDS = 0.001
SPARE_BYTES = 1024 * 1024  # with less room on the disk the database counts as not writable
CHECKPOINT_PAGES = 8000  # 32 MB of log: a third of the time of a create with 100,000 orders went into checkpoints of 4 MB
BATCH = 64  # writes that share one commit at most
SOUND_VERSION = (3, 51, 3)  # first release without the WAL-reset bug (sqlite.org/wal.html)

BUMP = (
    "INSERT INTO change (environment_id, object, value) VALUES (:environment, :object, (SELECT coalesce(max(value), 0) + 1 FROM change))"
    " ON CONFLICT (environment_id, object) DO UPDATE SET value = excluded.value"
)


class Handle:
    """One connection: opens it with our pragmas and translates the engine's errors."""

    def __init__(self, path: Path, answer_limit_bytes: int, *, cache_kibibytes: int, is_reader: bool = True) -> None:
        self.deadline = float("inf")
        try:
            self.raw = apsw.Connection(str(path))
            self.raw.set_busy_timeout(10_000)  # first: switching to WAL may already have to wait
            role = "query_only=ON" if is_reader else f"wal_autocheckpoint={CHECKPOINT_PAGES}"
            for pragma in ("journal_mode=WAL", "synchronous=FULL", f"cache_size=-{cache_kibibytes}", "temp_store=MEMORY", role):
                self.raw.execute(f"PRAGMA {pragma}")
        except apsw.Error as error:
            raise Unusable(f"database {path}: {error}") from None
        self.raw.create_scalar_function("fold", fold, 1, deterministic=True)
        self.raw.limit(apsw.SQLITE_LIMIT_LENGTH, answer_limit_bytes)
        self.raw.set_progress_handler(self.is_late, STEPS)

    def is_late(self) -> bool:
        return time.monotonic() > self.deadline

    def execute(self, text: str, values: Mapping[str, Any] | None = None) -> list[Any]:
        try:
            return self.raw.execute(text, values).fetchall()
        except apsw.Error as error:
            raise translate(error) from None

    def execute_many(self, text: str, values: Iterable[Mapping[str, Any]]) -> int:
        before = self.raw.total_changes()
        try:
            self.raw.executemany(text, values)
        except apsw.Error as error:
            raise translate(error) from None
        return self.raw.total_changes() - before


def translate(error: apsw.Error) -> Exception:
    """The engine's error in the API's words; one that is our own fault, or an interrupt, stays what it is."""
    if isinstance(error, apsw.ConstraintError):
        return Duplicate(key_of(str(error)))
    if isinstance(error, apsw.TooBigError):
        return too_large()
    if isinstance(error, apsw.FullError | apsw.IOError | apsw.ReadOnlyError | apsw.CantOpenError | apsw.BusyError):
        return unavailable(f"the database cannot be written now ({type(error).__name__.removesuffix('Error')})")
    return error


def fold(*values: Any) -> Any:
    """The folding of case that contains, starts_with and ends_with compare with, in every database."""
    return folded(values[0]) if isinstance(values[0], str) else values[0]


def key_of(message: str) -> str:
    """The unique key that a constraint message speaks of.

    >>> key_of("UNIQUE constraint failed: order.environment_id, order.external_ref, order.type")
    'key_order_external_ref_type'
    """
    places = message.rpartition(": ")[2].split(", ")
    return key_name(places[0].split(".")[0], tuple(place.split(".")[-1] for place in places[1:]))


class SQLite:
    """The `Database` in one file."""

    def __init__(self, path: Path, tables: Tables, objects: Mapping[str, Object], identifiers: Identifiers, settings: Settings) -> None:
        version = tuple(int(part) for part in apsw.sqlite_lib_version().split("."))
        if version < SOUND_VERSION and not settings.allow_affected_sqlite:
            raise Unusable(f"SQLite {apsw.sqlite_lib_version()} can lose committed data; 3.51.3 or newer is needed")
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.tables = tables
        self.objects = objects
        self.identifiers = identifiers
        self.settings = settings
        self.statements = Statements(tables, objects, SQLITE)
        self.writer = Handle(path, settings.answer_limit_bytes, cache_kibibytes=32_000, is_reader=False)
        self.writing = threading.Lock()
        self.waiting: queue.SimpleQueue[Write | None] = queue.SimpleQueue()
        self.changes: dict[tuple[str, str], int] = {}
        self.seen = 0
        self.data_version = -1
        self.generation = 0
        self.commits = self.commits_seen = 0  # of our own writer
        self.look_again = 0.0
        self.bell = Bell()
        self.reader: Handle | None = None
        self.thread: threading.Thread | None = None
        self.turns = Turns(HEAVY, settings.statement_seconds)

    # ── life ──

    async def start(self) -> None:
        if self.has_schema():
            with suppress(Refusal):  # a full disk can still be read
                self.take_stock()
        self.reader = Handle(self.path, self.settings.answer_limit_bytes, cache_kibibytes=16_000)
        self.heavy = ThreadPoolExecutor(HEAVY, "reader", initializer=self.open_heavy)
        self.local = threading.local()
        self.thread = threading.Thread(target=self.write_all, name="writer", daemon=True)
        self.thread.start()

    def take_stock(self) -> None:
        """Write the statistics that the planner shall go by (they never change), unless they are there already."""
        wanted = sorted(statistics(self.tables, self.objects))
        self.query("ANALYZE state")  # makes the table of statistics; the table named here has a handful of rows
        if [tuple(row) for row in self.query("SELECT tbl, idx, stat FROM sqlite_stat1 WHERE tbl <> 'state' ORDER BY tbl, idx")] == wanted:
            return
        rows = orjson.dumps(wanted).decode()
        self.query("DELETE FROM sqlite_stat1")
        self.query("INSERT INTO sqlite_stat1 SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(:rows)", {"rows": rows})
        self.query("ANALYZE sqlite_schema")  # reads them

    async def stop(self) -> None:
        if self.thread is not None:
            self.waiting.put(None)
            await asyncio.to_thread(self.thread.join)
            self.heavy.shutdown()
            self.thread = None
        self.close()

    def close(self) -> None:
        if self.reader is not None:
            self.reader.raw.close()
        self.writer.raw.close()

    def open_heavy(self) -> None:
        self.local.handle = Handle(self.path, self.settings.answer_limit_bytes, cache_kibibytes=4_000)

    # ── reading ──

    async def fetch(self, statement: Statement, values: Mapping[str, Any]) -> Sequence[Any] | None:
        assert self.reader is not None, "start() comes first"
        bound = {**statement.fixed, **values} if statement.fixed else values
        self.reader.deadline = time.monotonic() + INLINE_SECONDS
        try:
            rows = self.reader.execute(statement.text, bound)
        except apsw.InterruptError:
            whose = values.get("environment", OWN)
            rows = await self.turns.run(self.heavy, whose, self.fetch_heavy, statement.text, bound)
        return rows[0] if rows else None

    def fetch_heavy(self, text: str, values: Mapping[str, Any]) -> list[Any]:
        handle: Handle = self.local.handle
        handle.deadline = time.monotonic() + self.settings.statement_seconds
        try:
            return handle.execute(text, values)
        except apsw.InterruptError:
            raise self.too_slow() from None

    def refresh(self) -> None:
        """Read the change counters that have moved. Our own commits are seen at once; those of other processes, which are
        commands, by a look at the file every millisecond at most (the look takes 3 µs)."""
        assert self.reader is not None, "start() comes first"
        now = time.monotonic()
        if self.commits == self.commits_seen and now < self.look_again:
            return
        self.commits_seen, self.look_again = self.commits, now + LOOK_SECONDS
        moved = self.reader.raw.pragma("data_version")  # the file control of this name sees nothing new until something is read
        if moved != self.data_version:
            self.generation += 1
            self.reader.deadline = float("inf")
            for environment, name, value in self.reader.execute(
                "SELECT environment_id, object, value FROM change WHERE value > :seen", {"seen": self.seen}
            ):
                self.changes[environment, name] = value
                self.seen = max(self.seen, value)
            self.data_version = moved

    def version(self, environment_id: str, tables: tuple[str, ...]) -> Hashable | None:
        """The change counters of the tables as of the last `refresh`."""
        return tuple([self.changes.get((environment_id, name), 0) for name in tables])

    async def snapshot(self) -> Hashable | None:
        return None

    async def read(self, environment_id: str, function: Callable[[Transaction], Result]) -> Result:
        return await self.turns.run(self.heavy, environment_id, self.read_heavy, environment_id, function)

    def read_heavy(self, environment_id: str, function: Callable[[Transaction], Result]) -> Result:
        handle: Handle = self.local.handle
        handle.deadline = time.monotonic() + self.settings.statement_seconds
        handle.execute("BEGIN")
        try:
            return function(Transaction(handle, self.statements, self.identifiers, environment_id, self.settings))
        except apsw.InterruptError:
            raise self.too_slow() from None
        finally:
            handle.raw.execute("ROLLBACK")

    def too_slow(self) -> Refusal:
        return unavailable(f"the query took longer than {self.settings.statement_seconds:g} seconds")

    # ── writing ──

    async def write(self, environment_id: str, function: Callable[[Transaction], Result]) -> Result:
        future = asyncio.get_running_loop().create_future()
        self.waiting.put(Write(environment_id, function, future))
        result: Result = await future
        return result

    def write_now(self, environment_id: str, function: Callable[[Transaction], Result]) -> Result:
        write = Write(environment_id, function)
        self.commit([write])
        if write.error is not None:
            raise write.error
        result: Result = write.result
        return result

    def write_all(self) -> None:
        """The writer thread: whatever waits is committed together."""
        while (first := self.waiting.get()) is not None:
            batch, is_last = [first], False
            while len(batch) < BATCH and not self.waiting.empty():
                following = self.waiting.get()
                if following is None:
                    is_last = True
                    break
                batch.append(following)
            self.commit(batch)
            settle(batch)
            if is_last:
                return

    def commit(self, batch: "list[Write]") -> None:
        """Run each write in its own savepoint and commit them together; a failed commit fails them all."""
        with self.writing:
            try:
                self.writer.execute("BEGIN IMMEDIATE")
                touched: set[tuple[str, str]] = set()
                for write in batch:
                    touched |= self.run(write)
                for environment_id, name in sorted(touched):
                    self.writer.execute(BUMP, {"environment": environment_id, "object": name})
                self.writer.execute("COMMIT")
                self.commits += 1
                self.bell.ring({name for write in batch for name in write.rings})
            except BaseException as error:
                with suppress(apsw.Error):  # the writer must go on; what cannot be undone now is undone before the next write
                    if self.writer.raw.in_transaction:
                        self.writer.raw.execute("ROLLBACK")
                for write in batch:
                    write.error = write.error or error

    def run(self, write: "Write") -> set[tuple[str, str]]:
        """Run one write; returns what it touched, as (environment, table). Its error is kept for its caller."""
        transaction = Transaction(self.writer, self.statements, self.identifiers, write.environment_id, self.settings)
        self.writer.execute("SAVEPOINT write")
        try:
            write.result = write.function(transaction)
            transaction.close()
        except BaseException as error:
            write.error = error
            if not self.writer.raw.in_transaction:  # the engine itself rolled everything back
                raise
            self.writer.execute("ROLLBACK TO write")
            self.writer.execute("RELEASE write")
            return set()
        self.writer.execute("RELEASE write")
        write.rings = transaction.rings
        return {(write.environment_id, name) for name in transaction.touched}

    # ── the rest ──

    def run_script(self, statements: Sequence[str]) -> None:
        with self.writing:
            self.writer.execute("BEGIN IMMEDIATE")
            try:
                for text in statements:
                    self.writer.execute(text)
                self.writer.execute("COMMIT")
            except BaseException:
                self.writer.raw.execute("ROLLBACK")
                raise

    def query(self, text: str, values: Mapping[str, Any] | None = None) -> list[Any]:
        """Rows of a statement of the server's own, for commands and checks."""
        with self.writing:
            return self.writer.execute(text, values)

    def has_schema(self) -> bool:
        return bool(self.query("SELECT 1 FROM sqlite_schema WHERE name = 'environment'"))

    async def is_writable(self) -> bool:
        """Whether a small write succeeds now, and there is room for larger ones."""
        try:
            await self.write("", write_probe)
        except Refusal:
            return False
        return shutil.disk_usage(self.path.parent).free >= SPARE_BYTES

    def backup(self, path: Path) -> None:
        """Copied in one step, so from one snapshot: between steps a write by another process would begin the copy anew."""
        source, copy = apsw.Connection(str(self.path)), apsw.Connection(str(path))
        with copy.backup("main", source, "main") as running:
            running.step()
        copy.close()
        source.close()


@dataclass(slots=True, eq=False)
class Write:
    """A write that waits for its commit."""

    environment_id: str
    function: Callable[[Transaction], Any]
    future: asyncio.Future[Any] | None = None  # None: its caller waits for the commit itself
    result: Any = None
    error: BaseException | None = None
    rings: set[str] = attribute(default_factory=set)


def settle(batch: list[Write]) -> None:
    """Hand the results to the event loop that waits for them, in one call."""
    future = batch[0].future
    assert future is not None
    future.get_loop().call_soon_threadsafe(settle_all, batch)


def settle_all(batch: list[Write]) -> None:
    for write in batch:
        if write.future is None or write.future.done():
            continue  # the client went away
        if write.error is not None:
            write.future.set_exception(write.error)
        else:
            write.future.set_result(write.result)
