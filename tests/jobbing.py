"""A small catalog whose jobs leave traces that tests can read, and a worker of it: `python -m tests.jobbing URL FOLDER`.

The worker says in the folder that it is ready, and begins when the file `start` is there.
"""

import asyncio
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from planwerk import jobs
from planwerk.describe import Job, Object, identity, timestamps
from planwerk.fields import Text
from planwerk.settings import Settings
from planwerk.store.database import Database, open_database, schema_script
from planwerk.store.identifiers import Identifiers
from planwerk.store.transaction import Transaction

Arguments = Mapping[str, Any]
LOOK_SECONDS = 0.005  # between two looks for a file


def note(tx: Transaction, arguments: Arguments) -> None:
    """Write down what was to be done, and which process did it."""
    tx.insert(tx.object("entry"), {"text": arguments["text"], "process": str(os.getpid())})


def fail(tx: Transaction, arguments: Arguments) -> None:
    """Write down something, then fail."""
    note(tx, {"text": "half of what failed"})
    raise ValueError(arguments.get("reason", "it cannot be done"))


def halt(tx: Transaction, arguments: Arguments) -> None:
    """Write down one half, say so, and write the other once the file `go` is in the folder."""
    folder = Path(arguments["folder"])
    note(tx, {"text": "first half"})
    (folder / "half").touch()
    wait_for(folder / "go")
    note(tx, {"text": "second half"})


def follow(tx: Transaction, arguments: Arguments) -> None:
    """Write down a number and leave the next one, under the same key."""
    note(tx, {"text": str(arguments["number"])})
    if arguments["number"] > 1:
        tx.enqueue("follow", key="the same", number=arguments["number"] - 1)


def wait_for(path: Path) -> None:
    while not path.exists():
        time.sleep(LOOK_SECONDS)


ENTRY = Object(
    name="entry",
    section="base",
    purpose="What a job has done.",
    fields=(identity(), Text("text"), Text("process"), *timestamps()),
    jobs=(Job("note", note), Job("fail", fail), Job("halt", halt), Job("follow", follow)),
)


def opened(url: str, identifiers: Identifiers | None = None) -> Database:
    """The database of the small catalog, with its tables; not started."""
    database = open_database(Settings(database=url), {"entry": ENTRY}, identifiers)
    if not database.has_schema():
        database.run_script(schema_script(database.tables, database.statements.dialect))
    return database


def entries(database: Database) -> list[str]:
    """What was written down, in the order of the ids."""
    return [row[0] for row in database.query("SELECT text FROM entry ORDER BY id")]


def left(database: Database) -> list[tuple[str, int]]:
    """(name, attempts) of every job that waits."""
    return [(row[0], row[1]) for row in database.query("SELECT name, attempts FROM job ORDER BY id")]


async def work(url: str, folder: Path) -> None:
    database = opened(url)
    await database.start()
    (folder / f"ready-{os.getpid()}").touch()
    wait_for(folder / "start")
    await jobs.run(database)


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], Path(sys.argv[2])))
