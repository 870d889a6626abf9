"""Boards, stages, resources, days and cards put straight into a tenant's tables, with exactly the figures a test names.

Nothing that follows from other rows is worked out here: what a card's resources take of it, and which hours a day has, stand as
they are given, whatever the rules of the day make of cards that come through the API.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from tests.server import OBJECTS, Server

from planwerk.describe import Link
from planwerk.store.changes import Changes
from planwerk.store.transaction import Transaction

Result = TypeVar("Result")

LINKS = {
    relation.table.name: (described, relation)
    for described in OBJECTS.values()
    for relation in described.relations
    if isinstance(relation, Link) and relation.by == relation.table.left
}


@dataclass
class Shopfloor:
    """One tenant's tables."""

    server: Server
    environment_id: str

    def work(self, function: Callable[[Transaction], Result]) -> Result:
        """Run a function in a transaction in which nothing follows from what it writes."""

        def alone(tx: Transaction) -> Result:
            tx.changes = Changes(())
            return function(tx)

        return self.server.database.write_now(self.environment_id, alone)

    def add(self, name: str, /, **values: Any) -> str:
        """The id of a new row; values are given as the API has them."""
        described = OBJECTS[name]
        stored = {key: described.field[key].store(value) for key, value in values.items() if key != "id"}
        given = {"id": values["id"]} if "id" in values else {}
        return str(self.work(lambda tx: tx.insert(described, stored | given))["id"])

    def change(self, name: str, id: str, **values: Any) -> None:
        described = OBJECTS[name]
        stored = {key: described.field[key].store(value) for key, value in values.items()}

        def work(tx: Transaction) -> None:
            row = tx.get(described, id)
            assert row is not None
            tx.write(described, row, stored)

        self.work(work)

    def link(self, name: str, left: str, right: str, **pivot: Any) -> None:
        """A link with the given pivot values; `left` and `right` as the link table has them."""
        relation = LINKS[name][1]
        stored = {field.name: field.store(pivot[field.name]) for field in relation.table.pivot if field.name in pivot}
        self.work(lambda tx: tx.attach(relation, left, right, stored))

    def days(self, resource_id: str, dates: Sequence[str], **hours: Any) -> None:
        """A schedule row of a resource for each date; hours are those of every day, or a list with those of each."""
        each = {name: value if isinstance(value, list) else [value] * len(dates) for name, value in hours.items()}
        rows = [
            {"resource_id": resource_id, "date": date, **{name: float(values[place]) for name, values in each.items()}}
            for place, date in enumerate(dates)
        ]
        self.work(lambda tx: tx.insert_many(OBJECTS["schedule"], rows))
