"""The database of a command: opened from the settings, checked for what the command needs, closed afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from planwerk.catalog import ALL
from planwerk.commands import Impossible
from planwerk.rules.schedules import calendar_faults
from planwerk.settings import Settings
from planwerk.store.database import Database, open_database
from planwerk.store.environments import Environment, find_environment
from planwerk.store.migrations import require_current

NAMED = {described.name: described for described in ALL}


def sqlite_path(settings: Settings) -> Path | None:
    """The file of an SQLite database, None for a server."""
    kind, _, path = settings.database.partition(":///")
    return Path(path) if kind == "sqlite" else None


@contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """The database, whatever is in it; an SQLite file is made if it is missing."""
    database = open_database(settings, NAMED)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def existing(settings: Settings) -> Iterator[Database]:
    """The database with the tables of this release; a sentence if it is not ready for use."""
    path = sqlite_path(settings)
    if path is not None and not path.is_file():
        raise Impossible(f"there is no database {path}; `planwerk init` makes one")
    if fault := next(calendar_faults(settings), None):
        raise Impossible(fault)
    with opened(settings) as database:
        require_current(database)
        yield database


def environment_of(database: Database, name: str | None) -> Environment:
    """The environment with this name; without a name the oldest. An empty name is one that no environment has."""
    found = database.write_now("", lambda tx: find_environment(tx, name=name))
    if found is None:
        yet = "there is no environment yet; `planwerk init` makes one"
        raise Impossible(yet if name is None else f"there is no environment {name or repr(name)}")
    return found
