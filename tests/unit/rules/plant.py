"""A database of the whole catalog, and an environment in it for each test."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from planwerk.catalog import ALL
from planwerk.settings import Settings
from planwerk.store.database import Database, open_database, schema_script
from planwerk.store.transaction import Row, Transaction

Result = TypeVar("Result")
OBJECTS = {described.name: described for described in ALL}


def opened(folder: Path) -> Database:
    """A database with the tables of the whole catalog."""
    database = open_database(Settings(database=f"sqlite:///{folder / 'plant.db'}"), OBJECTS)
    database.run_script(schema_script(database.tables, database.statements.dialect))
    return database


class Plant:
    """What rules are tried on. Every call is a transaction of its own in one environment."""

    def __init__(self, database: Database, environment_id: str) -> None:
        self.database = database
        self.environment_id = environment_id

    def work(self, function: Callable[[Transaction], Result]) -> Result:
        return self.database.write_now(self.environment_id, function)

    def add(self, name: str, /, **values: Any) -> Row:
        return self.work(lambda tx: tx.insert(OBJECTS[name], values))

    def get(self, name: str, id: str) -> Row:
        row = self.work(lambda tx: tx.get(OBJECTS[name], id))
        assert row is not None
        return row
