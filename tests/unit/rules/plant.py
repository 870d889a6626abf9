"""A board with a stage, a status and a collection with a card, in a database of the whole catalog."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from planwerk.catalog import ALL
from planwerk.settings import Settings
from planwerk.store.database import Database, open_database, schema_script
from planwerk.store.transaction import Row, Transaction

Result = TypeVar("Result")
OBJECTS = {described.name: described for described in ALL}


class Plant:
    """What rules are tried on. Every call is a transaction of its own in the same environment."""

    def __init__(self, folder: Path) -> None:
        self.database: Database = open_database(Settings(database=f"sqlite:///{folder / 'plant.db'}"), OBJECTS)
        self.database.run_script(schema_script(self.database.tables, self.database.statements.dialect))
        self.environment_id = "environment"

    def work(self, function: Callable[[Transaction], Result]) -> Result:
        return self.database.write_now(self.environment_id, function)

    def add(self, name: str, **values: Any) -> Row:
        return self.work(lambda tx: tx.insert(OBJECTS[name], values))

    def get(self, name: str, id: str) -> Row:
        row = self.work(lambda tx: tx.get(OBJECTS[name], id))
        assert row is not None
        return row
