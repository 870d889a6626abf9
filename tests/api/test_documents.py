"""The text that each row carries is what its columns say, after every kind of write.

To see it fail: write a column in `store/transaction.py` without making the document anew.
"""

from typing import Any

import pytest
from tests.server import OBJECTS, Server
from tests.world import CREATED, STORED, World, place_of

from planwerk.describe import UPDATE, Link
from planwerk.store.transaction import Transaction, document_of, pivot_document


def test_every_document_can_be_rebuilt_from_its_columns(server: Server, other: World, world: World) -> None:
    for described in CREATED:
        world.id(described.name)
        if any(UPDATE in place.operations for place in described.places):
            place = place_of(described, UPDATE)
            if not described.pictures:
                world.client.put(world.one(described, place), world.body(described, place))
        if described.is_archivable:
            world.client.post(f"{world.one(described)}/archive", expect=200)
    for name in ("group", "space", "item"):
        world.client.delete(world.one(OBJECTS[name]))
    for environment_id in (world.environment_id, other.environment_id):
        assert server.database.write_now(environment_id, differences) == []


def differences(tx: Transaction) -> list[str]:
    """The rows whose document is not what their columns say."""
    found = []
    for described in STORED:
        columns = tx.statements.columns(described.name)
        for values in rows_of(tx, described.name):
            row = dict(zip(columns, values, strict=True))
            if row["document"] != document_of(described.shown, row):
                found.append(f"{described.name} {row['id']}: {row['document']}")
        for relation in described.relations:
            if isinstance(relation, Link):
                links = tx.statements.columns(relation.table.name)
                rows = (dict(zip(links, values, strict=True)) for values in rows_of(tx, relation.table.name))
                found += [f"{relation.table.name} {row}" for row in rows if row["document"] != pivot_document(relation.table, row)]
    return found


def rows_of(tx: Transaction, table: str) -> Any:
    columns = ", ".join(f'"{name}"' for name in tx.statements.columns(table))
    quoted = tx.environment_id.replace("'", "''")
    return tx.connection.execute(f"SELECT {columns} FROM \"{table}\" WHERE environment_id = '{quoted}'", {})


@pytest.mark.parametrize("described", CREATED, ids=lambda described: described.name)
def test_the_properties_come_in_the_order_of_the_catalog(described: Any, world: World) -> None:
    made = world.make(described)
    once = {field.name for field in described.reveals}
    assert [name for name in made if name in described.field and name not in once] == [field.name for field in described.shown]
