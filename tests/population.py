"""Rows for the parity tests: a handful of every object that one object is related to, with values that often meet.

The same seed gives the same rows with the same ids in every database; Python keeps a copy of what was written.
"""

import random
from dataclasses import dataclass, field as attribute
from typing import Any

from tests.server import OBJECTS, Server
from tests.strategies import CLOCKS, DAYS, IDS, KEYS, MOMENTS, TEXTS

from planwerk.describe import Link, Many, Object, One
from planwerk.fields import Boolean, Choice, Date, DateTime, Field, Integer, Items, Map, Number, Record, Text, Time, Uuid, Words
from planwerk.store.transaction import Transaction

ROWS = 12  # of the object in question
RELATED_ROWS = 6  # of each object it is related to

Row = dict[str, Any]


@dataclass
class Population:
    """What one tenant has: `tables` are living and deleted rows by object, `links` the pairs of each link table."""

    described: Object
    tables: dict[str, list[Row]] = attribute(default_factory=dict)
    links: dict[str, set[tuple[str, str]]] = attribute(default_factory=dict)

    def rows(self) -> list[Row]:
        """The living rows, each with its related rows under the name of the relation."""
        return [
            row | {relation.name: self.related(row, relation) for relation in self.described.relations}
            for row in self.living(self.described.name)
        ]

    def living(self, name: str) -> list[Row]:
        return [row for row in self.tables[name] if row["deleted_at"] is None]

    def related(self, row: Row, relation: Any) -> Any:
        others = self.living(relation.to)
        if isinstance(relation, One):
            return [other for other in others if other[relation.key] == row[relation.by]]
        if isinstance(relation, Many):
            return [other for other in others if other[relation.by] == row["id"]]
        return [other for other in others if (row["id"], other["id"]) in self.pairs(relation)]

    def pairs(self, link: Link) -> set[tuple[str, str]]:
        """The link's pairs, this object first."""
        pairs = self.links[link.table.name]
        return pairs if link.by == link.table.left else {(right, left) for left, right in pairs}


def populate(server: Server, environment_id: str, described: Object, seed: int) -> Population:
    """Write a population for one object into an environment."""
    chance, population = random.Random(seed), Population(described)
    for name in sorted({described.name, *(relation.to for relation in described.relations)}):
        number = ROWS if name == described.name else RELATED_ROWS
        population.tables[name] = [new_row(OBJECTS[name], place, chance) for place in range(number)]
    for relation in described.relations:
        if isinstance(relation, Link) and relation.table.name not in population.links:
            population.links[relation.table.name] = {(chance.choice(IDS[:8]), chance.choice(IDS[:8])) for _ in range(10)}
    server.database.write_now(environment_id, lambda tx: write(tx, population))
    return population


def write(tx: Transaction, population: Population) -> None:
    tx.changes.upkeep = ()  # the rows stay as they were drawn, also where one of them follows from others
    for name, rows in population.tables.items():
        for row in rows:
            values = {field.name: field.store(row[field.name]) for field in OBJECTS[name].fields if field.name in row}
            new = tx.insert(OBJECTS[name], values)
            times = {"created_at": row["created_at"], "updated_at": row["updated_at"]}
            tx.write(OBJECTS[name], new, times)
    written = set()
    for relation in population.described.relations:
        if isinstance(relation, Link) and relation.table.name not in written:
            written.add(relation.table.name)
            for mine, other in sorted(population.pairs(relation)):
                tx.attach(relation, mine, other, {})


def new_row(described: Object, place: int, chance: random.Random) -> Row:
    unique = {name for key in described.unique for name in key if name != "type"}
    row = {field.name: new_value(field, chance) for field in described.fields}
    row |= {name: f"{row[name]} {place}" for name in unique & set(row) if row[name] is not None and isinstance(described.field[name], Text)}
    row["id"] = IDS[place]
    row["deleted_at"] = chance.choice(MOMENTS) if chance.random() < 0.15 else None
    return row


def new_value(field: Field, chance: random.Random) -> Any:
    is_set_by_server = field.name in ("id", "created_at", "updated_at")
    if (field.takes_null or field.read_only) and not is_set_by_server and chance.random() < 0.25:
        return None
    return next(make(field, chance) for kind, make in MAKERS if isinstance(field, kind))


def plain(chance: random.Random) -> Any:
    return chance.choice((*TEXTS, None, True, False, 7, -1))


def some(chance: random.Random, pool: tuple[str, ...]) -> list[str]:
    return chance.sample(pool, chance.randrange(4) if len(pool) > 3 else 1)


MAKERS: tuple[tuple[type[Field], Any], ...] = (
    (Text, lambda field, chance: chance.choice(TEXTS)),
    (Uuid, lambda field, chance: chance.choice(IDS[:8])),
    (Choice, lambda field, chance: chance.choice(field.words)),
    (Integer, lambda field, chance: chance.choice((0, 1, 2, 7, 12))),
    (Number, lambda field, chance: chance.choice((0, 1, 1.5, 10))),
    (Boolean, lambda field, chance: chance.random() < 0.5),
    (Date, lambda field, chance: chance.choice(DAYS)),
    (Time, lambda field, chance: chance.choice(CLOCKS)),
    (DateTime, lambda field, chance: chance.choice(MOMENTS)),
    (Words, lambda field, chance: some(chance, field.words or TEXTS)),
    (Map, lambda field, chance: {key: plain(chance) for key in some(chance, KEYS)}),
    (Record, lambda field, chance: {inner.name: None for inner in field.fields}),
    (Items, lambda field, chance: [{"name": key, "value": plain(chance)} for key in some(chance, KEYS)]),
    (Field, lambda field, chance: plain(chance)),
)
