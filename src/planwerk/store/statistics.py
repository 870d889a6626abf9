"""What SQLite's planner shall believe about the tables of a catalog.

Comes in: the tables. Goes out: rows for `sqlite_stat1` (sqlite.org/fileformat2.html, section 2.6.4). Without statistics the
planner takes an environment for ten rows and walks the whole of it, even to find the rows of one order; with measured ones
its plans would depend on when somebody last ran ANALYZE. These are fixed: a plan is the same on every machine and on every day.
"""

from collections.abc import Iterable, Iterator, Mapping

from sqlalchemy import Table

from planwerk.describe import Object
from planwerk.fields import Boolean, Choice, Field, Ref
from planwerk.store.tables import Tables

ROWS = 1_000_000  # of every table, all of one environment
PER_REFERENCE = 1000  # rows that name the same other object
PER_VALUE = 100  # rows with the same text, number or day
PER_LINK = 30  # links of one object
WORDS = 5  # of a choice

Row = tuple[str, str, str]  # table, index, numbers


def statistics(tables: Tables, objects: Mapping[str, Object]) -> Iterator[Row]:
    """A row for every index of the catalog's tables, those of the primary keys included."""
    for name, table in tables.of.items():
        yield from table_statistics(table, objects[name].field)
    for table in tables.links.values():
        yield from table_statistics(table, {})


def table_statistics(table: Table, fields: Mapping[str, Field]) -> Iterator[Row]:
    yield table.name, f"sqlite_autoindex_{table.name}_1", numbers(table.primary_key.columns.keys(), fields, is_unique=True)
    for index in table.indexes:
        yield table.name, str(index.name), numbers(index.columns.keys(), fields, is_unique=index.unique)


def numbers(columns: Iterable[str], fields: Mapping[str, Field], *, is_unique: bool | None) -> str:
    """The rows of an index, then the rows that agree in its first column, in its first two, …

    >>> numbers(["environment_id", "order_id", "position", "id"], {"order_id": Ref("order_id")}, is_unique=False)
    '1000000 1000000 1000 30 1'
    """
    counts = [ROWS]
    for name in columns:
        counts.append(narrowed(counts[-1], name, fields.get(name)))
    if is_unique:
        counts[-1] = 1
    return " ".join(map(str, counts))


def narrowed(rows: int, name: str, field: Field | None) -> int:
    """How many of the rows agree in one column more."""
    if name == "environment_id":
        return rows
    if name == "id":
        return 1
    if isinstance(field, Choice | Boolean):
        return max(1, rows // WORDS)
    if field is None:
        return min(rows, PER_LINK)
    return min(rows, PER_REFERENCE if isinstance(field, Ref) else PER_VALUE)
