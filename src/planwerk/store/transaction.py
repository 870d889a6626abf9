"""One transaction, scoped to one environment: find, get, insert, update, delete, link.

Rules and handlers see the database only through this. Every statement carries the environment, every write keeps the
row's `document`, `version` and timestamps right and notes which tables it touched. Nobody here commits.
"""

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol

import orjson
from sqlalchemy import Dialect, Table, bindparam, delete, insert, select, update

from planwerk.actor import Actor
from planwerk.describe import Link, LinkTable, Many, Object
from planwerk.errors import CONFLICT, DUPLICATE_ENTRY, Refusal, refuse
from planwerk.fields import Field, instant
from planwerk.plan import With
from planwerk.store.identifiers import Identifiers
from planwerk.store.select import Builder, living_ids
from planwerk.store.statements import Statement, compile_statement
from planwerk.store.tables import Tables

Row = dict[str, Any]  # column name → stored value


class Connection(Protocol):
    """What a transaction needs of a database connection."""

    def execute(self, text: str, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """The rows a statement returns; raises `Duplicate` when a unique key refuses it."""


class Duplicate(Exception):
    """A unique key refused a row; `key` is the index's name, or the text that the database gave."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def document_of(fields: Iterable[Field], row: Mapping[str, Any]) -> str:
    """The JSON text of the shown properties, left open at its end.

    >>> from planwerk.fields import Boolean, Text
    >>> document_of((Text("name"), Boolean("locked")), {"name": "saw", "locked": 0})
    '{"name":"saw","locked":false'
    """
    return orjson.dumps({field.name: field.render(row[field.name]) for field in fields})[:-1].decode()


class Statements:
    """The compiled writes of a catalog for one kind of database; made on first use, then kept."""

    def __init__(self, tables: Tables, objects: Mapping[str, Object], dialect: Dialect) -> None:
        self.tables = tables
        self.objects = objects
        self.dialect = dialect
        self.builder = Builder(tables, objects, dialect)
        self.get = lru_cache(None)(self.make_get)
        self.find = lru_cache(4096)(self.make_find)
        self.insert = lru_cache(None)(self.make_insert)
        self.update = lru_cache(4096)(self.make_update)
        self.living = lru_cache(None)(lambda name: living_ids(tables.of[name], dialect))
        self.links = lru_cache(None)(self.make_links)
        self.link = lru_cache(None)(self.make_link)
        self.unlink = lru_cache(None)(self.make_unlink)
        self.named = lru_cache(None)(self.make_named)
        self.one = lru_cache(4096)(lambda name, with_: self.builder.one(objects[name], with_, {})[0])

    def make_get(self, name: str) -> Statement:
        table = self.tables.of[name]
        statement = select(table).where(self.mine(table), table.c.id == bindparam("id"), table.c.deleted_at.is_(None))
        return compile_statement(statement.with_for_update(), self.dialect)

    def make_find(self, name: str, columns: tuple[str, ...], order: tuple[str, ...], nulls: tuple[str, ...]) -> Statement:
        table = self.tables.of[name]
        equal = (table.c[column].is_(None) if column in nulls else table.c[column] == bindparam(column) for column in columns)
        statement = select(table).where(self.mine(table), *equal, table.c.deleted_at.is_(None))
        return compile_statement(statement.order_by(*(table.c[column] for column in order), table.c.id), self.dialect)

    def make_insert(self, name: str) -> Statement:
        table = self.tables.of[name]
        return compile_statement(insert(table).values({column.name: bindparam(column.name) for column in table.c}), self.dialect)

    def make_update(self, name: str, columns: tuple[str, ...]) -> Statement:
        table = self.tables.of[name]
        values: dict[str, Any] = {column: bindparam(f"new_{column}") for column in columns}
        statement = update(table).where(self.mine(table), table.c.id == bindparam("which")).values(values)
        return compile_statement(statement, self.dialect)

    def make_links(self, name: str, by: str) -> Statement:
        table = self.tables.links[name]
        return compile_statement(select(table).where(self.mine(table), table.c[by] == bindparam("id")), self.dialect)

    def make_link(self, name: str) -> Statement:
        table = self.tables.links[name]
        return compile_statement(insert(table).values({column.name: bindparam(column.name) for column in table.c}), self.dialect)

    def make_unlink(self, name: str, by: str, other: str) -> Statement:
        table = self.tables.links[name]
        statement = delete(table).where(self.mine(table), table.c[by] == bindparam("id"), table.c[other] == bindparam("other"))
        return compile_statement(statement, self.dialect)

    def make_named(self, statement: Statement) -> Statement:
        style = ":{}" if self.dialect.paramstyle == "named" else "%({})s"
        return Statement(re.sub(r"{(\w+)}", lambda name: style.format(name.group(1)), statement.text), {})

    @staticmethod
    def mine(table: Table) -> Any:
        return table.c.environment_id == bindparam("environment")

    @lru_cache(None)  # noqa: B019 (one instance lives as long as the process)
    def columns(self, name: str) -> tuple[str, ...]:
        table = self.tables.of.get(name)
        return tuple(column.name for column in (self.tables.links[name] if table is None else table).c)


class Transaction:
    """Reads and writes of one environment. `now` is one moment for the whole transaction."""

    def __init__(self, connection: Connection, statements: Statements, identifiers: Identifiers, environment_id: str) -> None:
        self.connection = connection
        self.statements = statements
        self.identifiers = identifiers
        self.environment_id = environment_id
        self.now = identifiers.now()
        self.touched: set[str] = set()
        self.actor: Actor | None = None  # who asked for it; None for the server's own work

    def execute(self, statement: Statement, **values: Any) -> Sequence[Sequence[Any]]:
        """Run a statement that names the environment itself; for rules that compute in the database."""
        return self.connection.execute(statement.text, {**statement.fixed, "environment": self.environment_id, **values})

    def run_named(self, statement: Statement, **values: Any) -> Sequence[Sequence[Any]]:
        """Run a statement of the server's own, written once with `{name}` where a parameter stands."""
        return self.execute(self.statements.named(statement), **values)

    def ago(self, *, hours: int) -> str:
        """The moment so many hours before now."""
        return instant(dt.datetime.fromisoformat(self.now) - dt.timedelta(hours=hours))

    def object(self, name: str) -> Object:
        """The description of an object, for rules, which import none."""
        return self.statements.objects[name]

    def new_id(self) -> str:
        return self.identifiers.new()

    # ── reading ──

    def get(self, described: Object, id: str) -> Row | None:
        """The living row, locked until the transaction ends; None if there is none."""
        found = self.execute(self.statements.get(described.name), id=id)
        return dict(zip(self.statements.columns(described.name), found[0], strict=True)) if found else None

    def find(self, described: Object, *, order: tuple[str, ...] = (), **equal: Any) -> list[Row]:
        """The living rows whose columns equal the given values, by `order` and then id."""
        nulls = tuple(name for name, value in equal.items() if value is None)
        statement = self.statements.find(described.name, tuple(equal), order, nulls)
        columns = self.statements.columns(described.name)
        return [dict(zip(columns, row, strict=True)) for row in self.execute(statement, **equal)]

    def first(self, described: Object, *, order: tuple[str, ...] = (), **equal: Any) -> Row | None:
        return next(iter(self.find(described, order=order, **equal)), None)

    def living(self, name: str, ids: Iterable[str]) -> set[str]:
        """Those of the ids that belong to living rows of an object."""
        asked = orjson.dumps(sorted(ids)).decode()
        return {row[0] for row in self.execute(self.statements.living(name), ids=asked)}

    def shown(self, described: Object, id: str, with_: With) -> tuple[int, str] | None:
        """(version, JSON text) of a living row with the relations asked for."""
        found = self.execute(self.statements.one(described.name, with_), id=id)
        return (found[0][0], found[0][1]) if found else None

    # ── writing ──

    def insert(self, described: Object, values: Mapping[str, Any]) -> Row:
        """A new row; absent properties take their defaults. Raises a duplicate-entry refusal."""
        row: Row = {field.name: values[field.name] if field.name in values else stored_default(field) for field in described.fields}
        row["id"] = values.get("id") or self.new_id()
        row["created_at"] = row["updated_at"] = self.now
        row["environment_id"], row["version"] = self.environment_id, 1
        row["document"] = document_of(described.shown, row)
        self.run(described, self.statements.insert(described.name), row)
        return row

    def update(self, described: Object, row: Row, values: Mapping[str, Any]) -> Row:
        """The row with new values; the same row if nothing differs. Raises a duplicate-entry refusal."""
        changed = {name: value for name, value in values.items() if row[name] != value}
        if not changed:
            return row
        return self.write(described, row, {**changed, "updated_at": max(self.now, row["updated_at"])})

    def write(self, described: Object, row: Row, changed: Mapping[str, Any]) -> Row:
        new = {**row, **changed, "version": row["version"] + 1}
        new["document"] = document_of(described.shown, new)
        columns = (*changed, "version", "document")
        statement = self.statements.update(described.name, columns)
        self.run(described, statement, {f"new_{name}": new[name] for name in columns} | {"which": row["id"]})
        return new

    def touch(self, described: Object, row: Row) -> Row:
        """Count a change that lies in what the row owns: its version moves, its timestamps do not."""
        return self.write(described, row, {})

    def delete(self, described: Object, row: Row) -> None:
        """Soft deletion, with everything the row owns."""
        for relation in described.relations:
            if isinstance(relation, Many) and relation.is_owned:
                owned = self.statements.objects[relation.to]
                for child in self.find(owned, **{relation.by: row["id"]}):
                    self.delete(owned, child)
        self.write(described, row, {"deleted_at": self.now})

    def run(self, described: Object, statement: Statement, values: Mapping[str, Any]) -> None:
        self.touched.add(described.name)
        try:
            self.connection.execute(statement.text, {**statement.fixed, "environment": self.environment_id, **values})
        except Duplicate as duplicate:
            raise duplicate_entry(self.statements.tables, described, duplicate) from None

    # ── links ──

    def links(self, link: Link, id: str) -> dict[str, Row]:
        """The link rows of an object, by the id at their other end."""
        columns = self.statements.columns(link.table.name)
        rows = (dict(zip(columns, row, strict=True)) for row in self.execute(self.statements.links(link.table.name, link.by), id=id))
        return {row[link.table.other(link.by)]: row for row in rows}

    def attach(self, link: Link, id: str, other: str, pivot: Mapping[str, Any], old: Row | None = None) -> bool:
        """Link two objects, or change the pivot values of the link there is; False if there was nothing to do."""
        table = link.table
        base = old or {field.name: stored_default(field) for field in table.pivot}
        row = {field.name: base[field.name] for field in table.pivot} | dict(pivot)
        row |= {"environment_id": self.environment_id, link.by: id, table.other(link.by): other}
        row["document"] = pivot_document(table, row)
        if old is not None and old["document"] == row["document"]:
            return False
        if old is not None:
            self.detach(link, id, other)
        self.touched.add(table.name)
        statement = self.statements.link(table.name)
        try:
            self.connection.execute(statement.text, {**statement.fixed, **row})
        except Duplicate:
            raise refuse(CONFLICT, "the two were linked by somebody else at the same time") from None
        return True

    def detach(self, link: Link, id: str, other: str) -> None:
        self.touched.add(link.table.name)
        self.execute(self.statements.unlink(link.table.name, link.by, link.table.other(link.by)), id=id, other=other)


def stored_default(field: Field) -> Any:
    return None if field.default is None else field.store(field.default)


def pivot_document(table: LinkTable, row: Mapping[str, Any]) -> str:
    """The pivot properties as JSON text that continues an open document.

    >>> from planwerk.fields import Integer
    >>> pivot_document(LinkTable("card_activity", "card_id", "activity_id", (Integer("time"),)), {"time": 90})
    ',"time":90'
    """
    return "," + document_of(table.pivot, row)[1:] if table.pivot else ""


def duplicate_entry(tables: Tables, described: Object, duplicate: Duplicate) -> Refusal:
    name, key = tables.unique.get(duplicate.key, (described.name, ("id",)))
    words = " with ".join((key[0], " and ".join(key[1:]))) if len(key) > 1 else key[0]
    return refuse(DUPLICATE_ENTRY, f"Duplicate entry: another {name} has this {words}", key[0])
