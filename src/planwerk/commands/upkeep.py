"""Commands that look after a database: migrate, backup, restore, maintenance, background work shown and done alone."""

import asyncio
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import apsw

from planwerk import housekeeping, jobs, log, mail, sender
from planwerk.commands import Impossible
from planwerk.commands.checked import value_faults
from planwerk.commands.lock import hold_lock
from planwerk.commands.opened import existing, opened, sqlite_path
from planwerk.edge.maintenance import set_maintenance
from planwerk.errors import Refusal
from planwerk.settings import Settings
from planwerk.store.jobs import Waiting, waiting
from planwerk.store.migrations import newest, upgrade

SHOWN_JOBS = 100
NAME_WIDTH = 24


def migrate(settings: Settings) -> list[str]:
    """Bring the schema up to date; the names of the steps. An SQLite database must not be served meanwhile."""
    with hold_lock(settings), opened(settings) as database:
        return upgrade(database)


def back_up(settings: Settings, path: Path) -> int:
    """A sound copy while others write; its size in bytes. An existing file is left alone."""
    if path.exists():
        raise Impossible(f"{path} exists already")
    with existing(settings) as database:
        try:
            database.backup(path)
        except subprocess.CalledProcessError as error:
            path.unlink(missing_ok=True)
            raise Impossible(f"pg_dump failed (exit {error.returncode})") from None
    sync(path)
    return path.stat().st_size


def restore(settings: Settings, path: Path) -> str:
    """Put a backup in the database's place; a sentence about what became of the old data."""
    if not path.is_file():
        raise Impossible(f"there is no backup {path}")
    with hold_lock(settings):
        target = sqlite_path(settings)
        return restore_server(settings, path) if target is None else restore_file(target, path)


def restore_file(target: Path, path: Path) -> str:
    check_backup(path)
    new, aside = Path(f"{target}.restoring"), Path(f"{target}.before-{time.strftime('%Y%m%d-%H%M%S')}")
    shutil.copyfile(path, new)
    sync(new)
    if target.exists():
        settle(target)
        target.rename(aside)
        for rest in ("-wal", "-shm"):
            Path(f"{target}{rest}").unlink(missing_ok=True)
    new.rename(target)
    sync(target.parent)
    return f"restored; the data of before is in {aside}" if aside.exists() else "restored"


def check_backup(path: Path) -> None:
    """Refuse a file that is no sound backup of a release up to this one."""
    try:
        copy = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        verdict = copy.execute("PRAGMA integrity_check(1)").fetchall()[0][0]
        schema = copy.execute("SELECT value FROM state WHERE name = 'schema'").fetchall()
        copy.close()
    except apsw.Error as error:
        raise Impossible(f"{path} is no backup of Planwerk: {error}") from None
    if verdict != "ok":
        raise Impossible(f"{path} is damaged: {verdict}")
    if not schema or str(schema[0][0]) > newest():
        raise Impossible(f"{path} was made by a newer release")


def settle(path: Path) -> None:
    """Bring what is still in the write-ahead log into the file itself; a file that is no database stays as it is."""
    try:
        connection = apsw.Connection(str(path))
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        connection.close()
    except apsw.Error:
        pass


def restore_server(settings: Settings, path: Path) -> str:
    options = ["--clean", "--if-exists", "--no-owner", "--single-transaction", "--exit-on-error", f"--dbname={settings.database}"]
    try:
        subprocess.run(["pg_restore", *options, str(path)], check=True)  # noqa: S603, S607
    except FileNotFoundError:
        raise Impossible("pg_restore is not installed here") from None
    except subprocess.CalledProcessError as error:
        raise Impossible(f"pg_restore failed (exit {error.returncode}); the database is as it was") from None
    with opened(settings) as database, suppress(Refusal):  # a backup tells nothing to planner and counts; autovacuum would, later
        database.take_stock()
    return "restored"


def sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def switch_maintenance(settings: Settings, *, is_on: bool) -> None:
    with existing(settings) as database:
        database.write_now("", lambda tx: set_maintenance(tx, is_on=is_on))


def background_work(settings: Settings) -> list[str]:
    """The jobs that wait, the first of them each on a line, then when each piece of housekeeping ran last."""
    with existing(settings) as database:
        count, jobs = database.write_now("", lambda tx: waiting(tx, SHOWN_JOBS))
        runs = database.write_now("", lambda tx: [(task.name, housekeeping.last_run(tx, task)) for task in housekeeping.TASKS])
    more = [f"and {count - len(jobs)} more"] if count > len(jobs) else []
    head = "no job waits" if not count else "1 job waits" if count == 1 else f"{count} jobs wait"
    return [head, *map(line_of_job, jobs), *more, *(f"{name:{NAME_WIDTH}} ran last: {moment or 'never'}" for name, moment in runs)]


def line_of_job(job: Waiting) -> str:
    """What a person sees of a job.

    >>> line_of_job(Waiting("order.collection", "a1", "2026-11-26T09:00:00Z", 2, "ValueError: no\\nsuch thing"))
    'order.collection         due 2026-11-26T09:00:00Z  attempts 2  key a1  ValueError: no such thing'
    """
    words = [f"{job.name:{NAME_WIDTH}} due {job.due_at}", f"attempts {job.attempts}", f"key {job.key or '-'}", " ".join(job.error.split())]
    return "  ".join(word for word in words if word)


def work(settings: Settings) -> None:
    """Background jobs, mails and housekeeping without a server, until SIGTERM or SIGINT."""
    log.configure()
    if fault := next(value_faults(settings), None):
        raise Impossible(fault)
    with existing(settings) as database:

        async def run() -> None:
            await database.start()
            limits = sender.WORKER[database.statements.dialect.name]
            works = (housekeeping.run(database), jobs.run(database), sender.run(database, limits), mail.run(database, settings))
            tasks = {asyncio.ensure_future(work) for work in works}
            stop_with_signals(lambda: [task.cancel() for task in tasks])
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)  # they end by being cancelled, or by a fault of our own
            for task in tasks:
                if not task.cancelling():  # who is told twice cannot finish what the first word made it begin
                    task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            await database.stop()
            for result in results:
                if isinstance(result, Exception):
                    raise result

        asyncio.run(run())


def stop_with_signals(stop: Callable[[], object]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
