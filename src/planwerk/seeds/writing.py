"""Writes bodies as the API would, inside one transaction: the same reading of the body, the same checks, the same rules."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from planwerk.describe import Object
from planwerk.query.body import Draft, parse_draft
from planwerk.run import Manner, run_create, run_update
from planwerk.seeds.work import workday
from planwerk.seeds.workshop import Body
from planwerk.store.transaction import Row, Transaction


class Writer:
    """Creates and changes objects by name. Raises the refusal that a client of the API would get."""

    def __init__(self, tx: Transaction, objects: Mapping[str, Object]) -> None:
        self.tx = tx
        self.objects = objects
        self.today = dt.date.fromisoformat(tx.now[:10])

    def day(self, number: int) -> str:
        """The day so many working days from today."""
        return workday(self.today, number).isoformat()

    def create(self, name: str, body: Body) -> str:
        """The id of the new object."""
        return str(run_create(self.tx, self.draft(name, body, is_create=True), {})["id"])

    def change(self, name: str, id: str, body: Body) -> None:
        """What the body leaves out stays, nested objects included."""
        run_update(self.tx, self.draft(name, body, is_create=False), self.row(name, id), Manner(keeps_nested=True))

    def put(self, name: str, id: str, values: Mapping[str, Any]) -> None:
        """Set values that no body may set."""
        self.tx.update(self.objects[name], self.row(name, id), values)

    def draft(self, name: str, body: Body, *, is_create: bool) -> Draft:
        draft, unknown = parse_draft(self.objects[name], body, self.objects, is_create=is_create)
        if unknown:
            raise ValueError(f"{name} has no property {', '.join(unknown)}")
        return draft

    def row(self, name: str, id: str) -> Row:
        row = self.tx.get(self.objects[name], id)
        assert row is not None
        return row

    def ids(self, name: str, key: str, **equal: Any) -> dict[str, str]:
        """The ids of the objects whose columns equal the given values, by their property `key`."""
        return {row[key]: row["id"] for row in self.tx.find(self.objects[name], **equal)}
