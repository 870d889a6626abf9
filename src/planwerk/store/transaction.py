"""One transaction, scoped to one environment: find, get, insert, update, delete, link.

Rules and handlers see the database only through this. Every statement carries the environment, every write keeps the
row's `document`, `version` and timestamps right and notes what it changed. Nobody here commits.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import orjson

from planwerk.actor import Actor, Viewer, viewer_of
from planwerk.describe import Link, LinkTable, Many, Object
from planwerk.errors import CONFLICT, DUPLICATE_ENTRY, Refusal, refuse
from planwerk.fields import Field, instant
from planwerk.plan import With
from planwerk.settings import Settings
from planwerk.store.changes import Change, Changes, Row
from planwerk.store.identifiers import Identifiers
from planwerk.store.statements import SKIP_LOCKED, Statement
from planwerk.store.tables import Tables
from planwerk.store.writes import Statements, over, stored_default, writer_of

__all__ = ["Change", "Connection", "Duplicate", "Row", "Statements", "Transaction", "document_of"]

DEFAULT_SETTINGS = Settings()
SAME_JOB = {
    name: Statement(f"SELECT id, due_at FROM job WHERE environment_id = {{environment}} AND name = {{name}} AND key = {{key}}{ending}", {})
    for name, ending in SKIP_LOCKED.items()  # one that is being done does not count
}
HURRY = Statement("UPDATE job SET due_at = {now} WHERE environment_id = {environment} AND id = {id}", {})
ENQUEUE = Statement(
    "INSERT INTO job (environment_id, id, name, key, arguments, due_at, attempts, created_at)"
    " VALUES ({environment}, {id}, {name}, {key}, {arguments}, {now}, 0, {now})",
    {},
)


class Connection(Protocol):
    """What a transaction needs of a database connection."""

    def execute(self, text: str, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """The rows a statement returns; raises `Duplicate` when a unique key refuses it."""

    def execute_many(self, text: str, values: Iterable[Mapping[str, Any]]) -> int:
        """Run a writing statement once for each set of values; how many rows it wrote; raises `Duplicate`, too."""


class Overtaken(Exception):
    """A row is no longer as it was read: another transaction has changed it. Whoever runs this one begins it anew."""


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
    return writer_of(fields)(row)


class Transaction:
    """Reads and writes of one environment. `now` is one moment for the whole transaction."""

    def __init__(
        self,
        connection: Connection,
        statements: Statements,
        identifiers: Identifiers,
        environment_id: str,
        settings: Settings = DEFAULT_SETTINGS,
    ) -> None:
        self.connection = connection
        self.statements = statements
        self.identifiers = identifiers
        self.environment_id = environment_id
        self.settings = settings
        self.now = identifiers.now()
        self.touched: set[str] = set()
        self.changes = Changes(statements.upkeep)
        self.rings: set[str] = set()  # who is told after the commit (`store.database.Bell`)
        self.revealed: dict[str, Any] = {}  # what its answer alone shows
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

    def reveal(self, **members: Any) -> None:
        """Show something once, such as a new key: in the answer to this request, which is stored nowhere."""
        self.revealed |= members

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

    def among(self, name: str, column: str, values: Iterable[str], *, order: tuple[str, ...] = ("id",)) -> list[Row]:
        """The living rows of an object whose column is one of the values, by `order`; or the rows of a link table, with `order=()`."""
        return self.fetch_among(name, column, values, order, locks=False)

    def lock(self, name: str, ids: Iterable[str]) -> dict[str, Row]:
        """The living rows with these ids, locked in the order of their ids until the transaction ends."""
        return {row["id"]: row for row in self.fetch_among(name, "id", ids, ("id",), locks=True)}

    def fetch_among(self, name: str, column: str, values: Iterable[str], order: tuple[str, ...], *, locks: bool) -> list[Row]:
        asked, tables = sorted(set(values)), self.statements.tables
        if not asked:
            return []
        table = tables.of[name] if name in tables.of else tables.links[name]
        is_one, columns = len(asked) == 1, self.statements.columns(name)
        statement = self.statements.among(table, column, order, is_one=is_one, locks=locks)
        rows = self.execute(statement, values=asked[0] if is_one else orjson.dumps(asked).decode())
        return [dict(zip(columns, row, strict=True)) for row in rows]

    def living(self, name: str, ids: Iterable[str], *, holds: bool = False) -> set[str]:
        """Those of the ids that belong to living rows of an object; `holds`: nobody deletes them until this transaction ends."""
        asked = sorted(ids)
        if len(asked) == 1:
            return {row[0] for row in self.execute(self.statements.alive(name, holds=holds), id=asked[0])}
        return {row[0] for row in self.execute(self.statements.living(name, holds=holds), ids=orjson.dumps(asked).decode())}

    def hold(self, name: str, ids: Iterable[str]) -> set[str]:
        """Those of the ids that belong to living rows which the caller sees, and which nobody deletes until this transaction ends."""
        viewer = self.viewer
        is_narrow = viewer is not None and self.object(name).is_narrow(viewer.view)
        return self.living(name, self.seen(name, ids) if is_narrow else ids, holds=True)

    @property
    def viewer(self) -> Viewer | None:
        """Who asked for it, if not all rows are to be seen; rules see all of them all the same."""
        return viewer_of(self.actor)

    def seen(self, name: str, ids: Iterable[str], *, is_living: bool = True) -> set[str]:
        """Those of the ids that belong to living rows which the caller sees: to a caller, the others do not exist.

        Without `is_living` rows that are gone count as well, if a caller who does not see all would see them.
        """
        viewer = self.viewer
        if viewer is None or not self.object(name).is_narrow(viewer.view):
            return self.living(name, ids)
        listed = orjson.dumps(sorted(ids)).decode()
        return {row[0] for row in self.execute(self.statements.seen(name, viewer.view, is_living), ids=listed, **viewer.values)}

    def shown(self, described: Object, id: str, with_: With) -> tuple[int, str] | None:
        """(version, JSON text) of a living row with the relations asked for, as far as the caller sees them."""
        viewer = self.viewer
        statement = self.statements.one(described.name, with_, viewer and viewer.view)
        found = self.execute(statement, id=id, **(viewer.values if viewer else {}))
        return (found[0][0], found[0][1]) if found else None

    # ── writing ──

    def insert(self, described: Object, values: Mapping[str, Any]) -> Row:
        """A new row; absent properties take their defaults. Raises a duplicate-entry refusal."""
        row = self.new_row(described, values)
        self.run(described, self.statements.insert(described.name), row)
        self.changes.note(described.name, None, row)
        self.changes.keep(described.name, row)
        return row

    def insert_many(self, described: Object, values: Iterable[Mapping[str, Any]]) -> list[Row]:
        """`insert` for many rows at once."""
        rows = [self.new_row(described, item) for item in values]
        self.run_many(described, self.statements.insert(described.name), rows)
        self.note_inserted(described, rows)
        return rows

    def note_inserted(self, described: Object, rows: Iterable[Row]) -> None:
        """Note rows that are in the database by now, such as those that a statement of a rule's own has inserted."""
        self.touched.add(described.name)
        for row in rows:
            self.changes.note(described.name, None, row)

    def update_many(self, described: Object, changed: Iterable[tuple[Row, Mapping[str, Any]]]) -> int:
        """`update` for many rows at once, each given once, that get values for the same properties; how many of them differed."""
        latest = [(self.latest(described, row), values) for row, values in changed]
        differing = [(row, values) for row, values in latest if any(row[name] != value for name, value in values.items())]
        pairs = [(row, self.changed_row(described, row, self.moved(row, values))) for row, values in differing]
        if pairs:
            columns = (*differing[0][1], "updated_at", "version", "document")
            written = self.run_many(described, self.statements.overwrite(described.name, columns), [over(*pair, columns) for pair in pairs])
            if written != len(pairs):
                raise Overtaken(described.name)
        for old, new in pairs:
            self.changes.note(described.name, old, new)
            self.changes.keep(described.name, new)
        return len(pairs)

    def new_row(self, described: Object, values: Mapping[str, Any]) -> Row:
        row: Row = {**self.statements.defaults(described.name), **values}
        row["id"] = values.get("id") or self.new_id()
        row["created_at"] = row["updated_at"] = self.now
        row["environment_id"], row["version"] = self.environment_id, 1
        row["document"] = self.statements.document(described.name)(row)
        return row

    def changed_row(self, described: Object, row: Row, changed: Mapping[str, Any]) -> Row:
        new = {**row, **changed, "version": row["version"] + 1}
        new["document"] = self.statements.document(described.name)(new)
        return new

    def update(self, described: Object, row: Row, values: Mapping[str, Any], *, is_touched: bool = True) -> Row:
        """The row with new values, and a new `updated_at` if that is touched; the row as it is if nothing differs. Refuses duplicates."""
        row = self.latest(described, row)
        changed = {name: value for name, value in values.items() if row[name] != value}
        if not changed:
            return row
        return self.write(described, row, self.moved(row, changed) if is_touched else changed)

    def moved(self, row: Row, changed: Mapping[str, Any]) -> dict[str, Any]:
        """What changes of a row, its `updated_at` included, which never goes back, even if the clock does."""
        return {**changed, "updated_at": max(self.now, row["updated_at"])}

    def write(self, described: Object, row: Row, changed: Mapping[str, Any]) -> Row:
        """The row with new values, without a look at whether they are new, and with the timestamps it had.

        Raises `Overtaken` if it is not in the database as it was read, which only a row that was not locked can be.
        """
        row = self.latest(described, row)
        new = self.changed_row(described, row, changed)
        columns = (*changed, "version", "document")
        if not self.run_many(described, self.statements.overwrite(described.name, columns), [over(row, new, columns)]):
            raise Overtaken(described.name)
        self.changes.note(described.name, row, new if new["deleted_at"] is None else None)
        self.changes.keep(described.name, new)
        return new

    def latest(self, described: Object, row: Row) -> Row:
        """The row as this transaction has written it last."""
        return self.changes.latest(described.name, row)

    def touch(self, described: Object, row: Row) -> Row:
        """Count a change that lies in what the row owns: its version moves, its timestamps do not."""
        return self.write(described, row, {})

    def delete(self, described: Object, row: Row) -> None:
        """Soft deletion, with everything the row owns, also what others are making for it just now."""
        if self.statements.dialect.name == "postgresql":
            self.execute(self.statements.bar(described.name), id=row["id"])
        for relation in described.relations:
            if isinstance(relation, Many) and relation.is_owned:
                owned = self.statements.objects[relation.to]
                self.delete_many(owned, self.find(owned, **{relation.by: row["id"]}))
        self.write(described, row, {"deleted_at": self.now})

    def delete_many(self, described: Object, rows: Iterable[Row]) -> None:
        """`delete` for many rows; those that own nothing, such as the thousand days of a resource, go in one statement."""
        owns = any(isinstance(relation, Many) and relation.is_owned for relation in described.relations)
        if owns or not described.field["deleted_at"].hidden:  # what is shown has to be written into each document
            for row in rows:
                self.delete(described, row)
            return
        living = [self.latest(described, row) for row in rows]
        if living:
            ids = orjson.dumps([row["id"] for row in living]).decode()
            self.run(described, self.statements.retire(described.name), {"ids": ids, "now": self.now})
        for row in living:
            self.changes.note(described.name, row, None)
            self.changes.keep(described.name, {**row, "deleted_at": self.now, "version": row["version"] + 1})

    def run(self, described: Object, statement: Statement, values: Mapping[str, Any]) -> None:
        self.touched.add(described.name)
        try:
            self.connection.execute(statement.text, {**statement.fixed, "environment": self.environment_id, **values})
        except Duplicate as duplicate:
            raise duplicate_entry(self.statements.tables, described, duplicate) from None

    def run_many(self, described: Object, statement: Statement, values: Iterable[Mapping[str, Any]]) -> int:
        """How many rows it wrote."""
        self.touched.add(described.name)
        common = {**statement.fixed, "environment": self.environment_id}
        try:
            return self.connection.execute_many(statement.text, [{**common, **item} for item in values])
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
            self.unlink(link, id, other)
        self.touched.add(table.name)
        statement = self.statements.link(table.name)
        try:
            self.connection.execute(statement.text, {**statement.fixed, **row})
        except Duplicate:
            raise refuse(CONFLICT, "the two were linked by somebody else at the same time") from None
        self.changes.note(table.name, old, row)
        return True

    def detach(self, link: Link, id: str, other: str) -> None:
        columns = self.statements.columns(link.table.name)
        for row in self.unlink(link, id, other):
            self.changes.note(link.table.name, dict(zip(columns, row, strict=True)), None)

    def unlink(self, link: Link, id: str, other: str) -> Sequence[Sequence[Any]]:
        """Delete the row that links two objects; the rows that went, one or none."""
        self.touched.add(link.table.name)
        return self.execute(self.statements.unlink(link.table.name, link.by, link.table.other(link.by)), id=id, other=other)

    # ── what follows ──

    def settle(self) -> None:
        """Bring the values that follow from other rows up to date with everything written so far."""
        self.changes.settle(self)

    def close(self) -> None:
        """What comes last, once everything has settled: the database calls it before it commits."""
        self.settle()
        if self.changes.log:
            for closing in self.statements.closing:
                closing(self)

    def enqueue(self, name: str, key: str = "", **arguments: Any) -> str:
        """Leave a job for the background, which does it once this transaction is committed; its id.

        Of two jobs that wait with the same name and key one is enough: then nothing is left, and the id is empty. One that has
        failed is tried again at once, for what it failed of may have been changed.
        """
        same = self.run_named(SAME_JOB[self.statements.dialect.name], name=name, key=key) if key else ()
        for waiting_id, due_at in same:
            if due_at > self.now:
                self.run_named(HURRY, id=waiting_id, now=self.now)
                self.rings.add("jobs")
        if same:
            return ""
        id = self.new_id()
        self.run_named(ENQUEUE, id=id, name=name, key=key, arguments=orjson.dumps(arguments).decode(), now=self.now)
        self.rings.add("jobs")
        return id


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
