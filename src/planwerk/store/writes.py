"""The catalog → the statements of a transaction for one kind of database; compiled on first use, then kept.

Comes in: tables, columns, the way of ordering. Goes out: a `Statement` whose parameters the transaction binds.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import Dialect, Table, bindparam, delete, insert, select, update

from planwerk.actor import View
from planwerk.describe import Object
from planwerk.fields import Field
from planwerk.plan import With
from planwerk.store.changes import upkeep_of
from planwerk.store.select import Builder, living_ids
from planwerk.store.statements import Statement, compile_statement
from planwerk.store.tables import Tables


def writer_of(fields: Iterable[Field]) -> Callable[[Mapping[str, Any]], str]:
    """A function from a row to the JSON text of these properties, left open at its end; made once, called for every row."""
    names, rendered = [], []
    for field in fields:
        names.append(field.name)
        if field.is_rendered:
            rendered.append((field.name, field.render))

    def write(row: Mapping[str, Any]) -> str:
        shown = {name: row[name] for name in names}
        for name, render in rendered:
            shown[name] = render(row[name])
        return orjson.dumps(shown)[:-1].decode()

    return write


def over(old: Mapping[str, Any], new: Mapping[str, Any], columns: Iterable[str]) -> dict[str, Any]:
    """What `Statements.overwrite` binds to put a row in the place of the one that was read."""
    return {f"new_{name}": new[name] for name in columns} | {"which": old["id"], "held_version": old["version"]}


def stored_default(field: Field) -> Any:
    return None if field.default is None else field.store(field.default)


SHOWN = 256  # ways of answering a write with relations that are kept; 13 kB each, measured
ASKED_BY_JSONB = "jsonb_array_elements_text(%(values)s::jsonb) AS asked (value)"


class Statements:
    """The compiled writes of a catalog for one kind of database; made on first use, then kept."""

    def __init__(self, tables: Tables, objects: Mapping[str, Object], dialect: Dialect) -> None:
        self.tables = tables
        self.objects = objects
        self.dialect = dialect
        self.builder = Builder(tables, objects, dialect)
        self.upkeep = upkeep_of(objects)
        self.closing = tuple(described.closing for described in objects.values() if described.closing is not None)
        self.watched = frozenset(name for upkeep in self.upkeep for name in upkeep.watches)
        self.get = lru_cache(None)(self.make_get)
        self.among = lru_cache(None)(self.make_among)
        self.find = lru_cache(4096)(self.make_find)
        self.defaults = lru_cache(None)(self.make_defaults)
        self.document = lru_cache(None)(lambda name: writer_of(objects[name].shown))
        self.insert = lru_cache(None)(self.make_insert)
        self.update = lru_cache(4096)(self.make_update)
        self.overwrite = lru_cache(4096)(self.make_overwrite)
        self.retire = lru_cache(None)(self.make_retire)
        self.alive = lru_cache(None)(self.make_alive)
        self.living = lru_cache(None)(self.make_living)
        self.bar = lru_cache(None)(self.make_bar)
        self.links = lru_cache(None)(self.make_links)
        self.link = lru_cache(None)(self.make_link)
        self.unlink = lru_cache(None)(self.make_unlink)
        self.named = lru_cache(None)(self.make_named)
        self.seen = lru_cache(None)(lambda name, view, is_living=True: self.builder.among(objects[name], view, is_living=is_living))
        self.one = lru_cache(SHOWN)(self.make_one)
        self.webhooks: dict[str, str] = {}  # environment → its active webhooks, as events met them last on PostgreSQL (`outbox`)

    def make_get(self, name: str) -> Statement:
        table = self.tables.of[name]
        statement = select(table).where(self.mine(table), table.c.id == bindparam("id"), table.c.deleted_at.is_(None))
        return compile_statement(statement.with_for_update(key_share=True), self.dialect)

    def make_among(self, table: Table, column: str, order: tuple[str, ...], *, is_one: bool, locks: bool) -> Statement:
        """The living rows of a table whose column is `:values`, or one of the texts in that JSON list.

        SQLite is told to begin with the list: its planner would rather walk the whole environment. A single value needs no
        list, which costs SQLite as much as four steps in an index (measured: 12 µs).
        """
        is_sqlite, quote = self.dialect.name == "sqlite", self.dialect.identifier_preparer.quote
        name = ":{}" if is_sqlite else "%({})s"
        listed = "json_each(:values) AS asked CROSS JOIN" if is_sqlite else f"{ASKED_BY_JSONB} JOIN"
        wanted = name.format("values") if is_one else "asked.value"
        conditions = [f"t.{quote(column)} = {wanted}", f"t.environment_id = {name.format('environment')}"]
        conditions += ["t.deleted_at IS NULL"] if "deleted_at" in table.c else []
        sort = ", ".join(f"t.{quote(key)} IS NULL, t.{quote(key)}" for key in order)
        text = (
            f"SELECT {', '.join(f't.{quote(item.name)}' for item in table.c)} FROM {'' if is_one else listed} {quote(table.name)} AS t"
            f" {'WHERE' if is_one else 'ON'} {' AND '.join(conditions)}"
            f"{f' ORDER BY {sort}' if sort else ''}{' FOR NO KEY UPDATE OF t' if locks and not is_sqlite else ''}"
        )
        return Statement(text, {})

    def make_alive(self, name: str, *, holds: bool = False) -> Statement:
        """The id `:id`, if it belongs to a living row; held as `make_living` does."""
        table = self.tables.of[name]
        found = select(table.c.id).where(self.mine(table), table.c.id == bindparam("id"), table.c.deleted_at.is_(None))
        return compile_statement(found.with_for_update(read=True, key_share=True) if holds else found, self.dialect)

    def make_living(self, name: str, *, holds: bool = False) -> Statement:
        """The ids among `:ids` (a JSON list) that belong to living rows. On PostgreSQL those that are held cannot be deleted until the
        transaction ends, as if a foreign key named them; they can be changed."""
        statement = living_ids(self.tables.of[name], self.dialect)
        locks = " FOR KEY SHARE OF t" if holds and self.dialect.name == "postgresql" else ""
        return Statement(statement.text + locks, statement.fixed)

    def make_bar(self, name: str) -> Statement:
        """Wait until nobody holds the row `:id`, and let nobody hold it any more."""
        table = self.tables.of[name]
        return compile_statement(select(table.c.id).where(self.mine(table), table.c.id == bindparam("id")).with_for_update(), self.dialect)

    def make_find(self, name: str, columns: tuple[str, ...], order: tuple[str, ...], nulls: tuple[str, ...]) -> Statement:
        table = self.tables.of[name]
        equal = (table.c[column].is_(None) if column in nulls else table.c[column] == bindparam(column) for column in columns)
        statement = select(table).where(self.mine(table), *equal, table.c.deleted_at.is_(None))
        return compile_statement(statement.order_by(*(table.c[column].nulls_last() for column in order), table.c.id), self.dialect)

    def make_defaults(self, name: str) -> Mapping[str, Any]:
        """What the columns of a new row hold unless something else is said."""
        return {field.name: stored_default(field) for field in self.objects[name].fields}

    def make_insert(self, name: str) -> Statement:
        table = self.tables.of[name]
        return compile_statement(insert(table).values({column.name: bindparam(column.name) for column in table.c}), self.dialect)

    def make_update(self, name: str, columns: tuple[str, ...]) -> Statement:
        table = self.tables.of[name]
        values: dict[str, Any] = {column: bindparam(f"new_{column}") for column in columns}
        statement = update(table).where(self.mine(table), table.c.id == bindparam("which")).values(values)
        return compile_statement(statement, self.dialect)

    def make_overwrite(self, name: str, columns: tuple[str, ...]) -> Statement:
        """`update`, if the row still has the version `:held_version` that was read.

        Two transactions that read the same row without a lock would else write the second's document over the first's columns.
        SQLite has one writer, which reads nothing that another could change before it commits.
        """
        plain = self.update(name, columns)
        return plain if self.dialect.name == "sqlite" else Statement(f"{plain.text} AND version = %(held_version)s", plain.fixed)

    def make_retire(self, name: str) -> Statement:
        """The soft deletion of the rows whose ids are in `:ids`, a JSON list; their documents stay as they are.

        On PostgreSQL the list is an array, which is made once and looked up by the key, whatever the statistics say of a table
        that was just filled; a join with it may go through the whole list for each row.
        """
        asked = "IN (SELECT value FROM json_each({ids}))"
        if self.dialect.name == "postgresql":
            asked = "= ANY (ARRAY (SELECT jsonb_array_elements_text({ids}::jsonb)))"
        table = self.dialect.identifier_preparer.quote(name)
        text = f"UPDATE {table} SET deleted_at = {{now}}, version = version + 1 WHERE environment_id = {{environment}}"
        return self.make_named(Statement(f"{text} AND id {asked}", {}))

    def make_one(self, name: str, with_: With, view: View | None = None) -> Statement:
        """(version, text) of the row `:id` that was just written; what comes along is what the caller sees."""
        return self.builder.one(self.objects[name], with_, {}, view, is_written=True)[0]

    def make_links(self, name: str, by: str) -> Statement:
        table = self.tables.links[name]
        return compile_statement(select(table).where(self.mine(table), table.c[by] == bindparam("id")), self.dialect)

    def make_link(self, name: str) -> Statement:
        table = self.tables.links[name]
        return compile_statement(insert(table).values({column.name: bindparam(column.name) for column in table.c}), self.dialect)

    def make_unlink(self, name: str, by: str, other: str) -> Statement:
        table = self.tables.links[name]
        statement = delete(table).where(self.mine(table), table.c[by] == bindparam("id"), table.c[other] == bindparam("other"))
        return compile_statement(statement.returning(*table.c), self.dialect)

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
