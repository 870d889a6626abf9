"""Read plan → one statement whose column is the JSON text of the answer.

A list is one statement that picks rows by index and joins their stored texts; `with` splices the texts of related rows in
the same statement. No row becomes a Python object on the way. Nothing here runs a statement.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Dialect,
    Label,
    Select,
    Table,
    and_,
    bindparam,
    case,
    func,
    literal,
    literal_column,
    not_,
    null,
    or_,
    select,
    text,
)
from sqlalchemy.sql.selectable import FromClause, NamedFromClause

from planwerk.actor import View
from planwerk.describe import Link, Many, Object, One, Relation
from planwerk.fields import Items, Map
from planwerk.plan import Read, With, values
from planwerk.query.conditions import All, AnyOf, Has, Node, Test
from planwerk.query.operators import BY_NAME
from planwerk.store.statements import Statement, compile_statement, join_texts, json_items, json_text
from planwerk.store.tables import Tables

SNAPSHOT: ColumnElement[str] = literal_column("pg_current_snapshot()::text")  # equal texts see the same committed rows

Scope = Mapping[str, Any]  # property → value that every row of a place has; a value of None is part of the shape


@dataclass(frozen=True, slots=True)
class ListStatements:
    """The statements of one list shape.

    On SQLite `page` gives (text, last) and `counted` (text, last, total). PostgreSQL has only `counted`, which gives (text,
    last, total, snapshot): the text is null if it is larger than `:answer_limit`, and the total is null if the snapshot is
    still the one bound as `:known`, so that nothing was committed since. `last` is the id of the page's last row if the
    list is read by key (`filter=id:gt:'…'&sort=id`); `key` is then the number of the operand that holds the key.
    """

    page: Statement | None
    counted: Statement
    tables: tuple[str, ...]  # what the answer depends on
    key: int | None = None


class Builder:
    """Builds the statements of one catalog for one kind of database."""

    def __init__(self, tables: Tables, objects: Mapping[str, Object], dialect: Dialect) -> None:
        self.tables = tables
        self.objects = objects
        self.dialect = dialect
        self.is_sqlite = dialect.name == "sqlite"

    def one(
        self, described: Object, with_: With, scope: Scope, view: View | None = None, *, is_written: bool = False
    ) -> tuple[Statement, tuple[str, ...]]:
        """(version, text) of the row with `:id`. What a caller has just written is shown whether or not it still sees it."""
        shape = Shape(self, view)
        row = shape.alias(described)
        conditions = [*within(row, scope), row.c.id == bindparam("id"), row.c.deleted_at.is_(None)]
        conditions += () if is_written else shape.visible(described, row)
        statement = select(row.c.version, shape.document(row, with_)).where(*conditions)
        return compile_statement(statement, self.dialect), tuple(sorted(shape.seen))

    def among(self, described: Object, view: View, *, is_living: bool) -> Statement:
        """The ids in `:ids` (a JSON list) that belong to rows which a caller with that view sees; to living ones only, or also to those
        that are gone and which the caller would see if they were there."""
        shape = Shape(self, view)
        row = shape.alias(described)
        listed = "json_each(:ids)" if self.is_sqlite else "jsonb_array_elements_text(CAST(:ids AS jsonb)) AS asked (value)"
        conditions = [*within(row, {}), *shape.visible(described, row)]
        conditions += [row.c.deleted_at.is_(None)] if is_living else []
        return compile_statement(select(row.c.id).where(row.c.id.in_(text(f"SELECT value FROM {listed}")), *conditions), self.dialect)

    def page(self, read: Read, scope: Scope, view: View | None = None) -> ListStatements:
        shape = Shape(self, view)
        documents = self.documents(shape, read, scope).subquery("documents")
        joined = func.coalesce(join_texts(documents.c.document, literal_column("','")), literal_column("''"))
        counter = Shape(self, view)
        row = counter.alias(read.object)
        every = select(func.count()).select_from(row).where(*counter.conditions(read, row, scope))
        total = total_of(documents, every.scalar_subquery())
        tables, key = tuple(sorted(shape.seen | counter.seen)), key_operand(read)
        last = null() if key is None else func.max(documents.c.id)
        if self.is_sqlite:
            page = compile_statement(select(joined, last).select_from(documents), self.dialect)
            counted = compile_statement(select(joined, last, total).select_from(documents), self.dialect)
            return ListStatements(page, counted, tables, key)
        unless_known = case((bindparam("known") == SNAPSHOT, null()), else_=total)
        unless_large = case((func.octet_length(joined) > bindparam("answer_limit"), null()), else_=joined)
        counted = compile_statement(select(unless_large, last, unless_known, SNAPSHOT).select_from(documents), self.dialect)
        return ListStatements(None, counted, tables, key)

    def documents(self, shape: "Shape", read: Read, scope: Scope) -> Select[Any]:
        """The texts of a page's rows, in order. On SQLite the page is picked by row number first, so that sorting and
        skipping never touch the wide rows; PostgreSQL delays the texts until after the limit by itself."""
        row = shape.alias(read.object)
        conditions, order = shape.conditions(read, row, scope), list(shape.order(read, row))
        if not self.is_sqlite:
            document = shape.document(row, read.with_).label("document")
            return select(document, row.c.id).where(*conditions).order_by(*order).limit(bindparam("limit")).offset(bindparam("offset"))
        place: Label[Any] = literal_column(f"{row.name}.rowid").label("place")
        page = select(place).select_from(row).where(*conditions).order_by(*order)
        chosen = page.limit(bindparam("limit")).offset(bindparam("offset")).subquery("chosen")
        wide = shape.alias(read.object)
        joined = chosen.join(wide, literal_column(f"{wide.name}.rowid") == chosen.c.place)
        return select(shape.document(wide, read.with_).label("document"), wide.c.id).select_from(joined)


def total_of(documents: FromClause, every: ColumnElement[int]) -> ColumnElement[int]:
    """How many rows a list has: known from a page that is not full, unless it lies behind the end; `every` counts them."""
    found: ColumnElement[int] = func.count(documents.c.id)
    offset: ColumnElement[int] = bindparam("offset")
    return case((and_(found < bindparam("limit"), or_(found > 0, offset == 0)), offset + found), else_=every)


def key_operand(read: Read) -> int | None:
    """The number of the operand X in a list of `id > X` that is sorted by id; None for any other list."""
    if read.sort not in ((), (("id", False),)):
        return None
    number = 0
    for item in read.filter.items if isinstance(read.filter, All) else (read.filter,):
        if isinstance(item, Test) and item.column == "id" and item.operator == "gt" and not item.is_negated and item.relation is None:
            return number
        number += len(list(values(item)))
    return None


def within(row: FromClause, scope: Scope) -> Iterator[ColumnElement[bool]]:
    yield row.c.environment_id == bindparam("environment")
    for name, value in scope.items():
        yield row.c[name].is_(None) if value is None else row.c[name] == bindparam(f"scope_{name}")


class Shape:
    """One statement under construction: numbers its aliases and operands and remembers the tables it reads.

    Every row that it meets, of the object itself or along a relation, passes `visible` for the view it is made for.
    """

    def __init__(self, builder: Builder, view: View | None = None) -> None:
        self.builder = builder
        self.view = view
        self.seen: set[str] = set()
        self.operands = 0
        self.aliases = 0

    def alias(self, described: Object) -> NamedFromClause:
        self.seen.add(described.name)
        return self.named(self.builder.tables.of[described.name])

    def named(self, table: Table) -> NamedFromClause:
        self.aliases += 1
        return table.alias(f"t{self.aliases}")

    def operand(self) -> ColumnElement[Any]:
        self.operands += 1
        return bindparam(f"operand_{self.operands - 1}")

    # ── the rows ──

    def conditions(self, read: Read, row: FromClause, scope: Scope) -> list[ColumnElement[bool]]:
        conditions = [*within(row, scope), row.c.deleted_at.is_(None), *self.visible(read.object, row)]
        if read.object.is_archivable and read.archived != "true":
            archived = row.c.archived_at
            conditions.append(archived.is_not(None) if read.archived == "only" else archived.is_(None))
        if read.filter is not None:
            conditions.append(self.condition(read.filter, row))
        return conditions

    def order(self, read: Read, row: FromClause) -> Iterator[ColumnElement[Any]]:
        """The sort keys, then id in the direction of the last of them, so that one index can serve both."""
        never_null = set(compared(read.filter)) | {"id", "created_at", "updated_at"}
        is_descending = False
        for name, is_descending in read.sort:
            column = row.c[name].desc() if is_descending else row.c[name].asc()
            if name not in never_null:
                column = column.nulls_first() if is_descending else column.nulls_last()
            yield column
        if "id" not in dict(read.sort):
            yield row.c.id.desc() if is_descending else row.c.id.asc()

    def condition(self, node: Node, row: FromClause) -> ColumnElement[bool]:
        if isinstance(node, All):
            return and_(*(self.condition(item, row) for item in node.items))
        if isinstance(node, AnyOf):
            return or_(*(self.condition(item, row) for item in node.items))
        if isinstance(node, Has):
            return self.has(node, row)
        assert isinstance(node, Test)
        return self.test(node, row)

    def test(self, test: Test, row: FromClause) -> ColumnElement[bool]:
        if test.relation is None:
            found = self.compare(test, row)
        else:
            related, joined = self.related(test.relation, row)
            found = select(literal(1)).select_from(related.source).where(*joined, self.compare(test, related.alias)).exists()
        return not_(func.coalesce(found, literal_column("false"))) if test.is_negated else found

    def compare(self, test: Test, row: FromClause) -> ColumnElement[bool]:
        column: ColumnElement[Any] = row.c[test.column]
        if isinstance(test.field, Map):
            column = json_text(column, literal(test.key))
        elif isinstance(test.field, Items):
            return self.compare_item(test, column)
        if test.is_null:
            return column.is_(None)
        return BY_NAME[test.operator].expression(column, self.operand())

    def compare_item(self, test: Test, column: ColumnElement[Any]) -> ColumnElement[bool]:
        """A property of a list such as custom_fields: an item with this name whose value compares; null: no such item."""
        items = json_items(column).table_valued("value")
        value = json_text(items.c.value, literal("value"))
        is_named = json_text(items.c.value, literal("name")) == literal(test.key)
        compared = value.is_not(None) if test.is_null else BY_NAME[test.operator].expression(value, self.operand())
        found = select(literal(1)).select_from(items).where(is_named, compared).exists()
        return not_(found) if test.is_null else found

    def has(self, has: Has, row: FromClause) -> ColumnElement[bool]:
        related, joined = self.related(has.relation, row)
        if has.id is not None:
            joined = [*joined, related.alias.c.id == self.operand()]
        found: ColumnElement[bool]
        if has.least > 1 or has.least == 0:
            found = select(func.count()).select_from(related.source).where(*joined).scalar_subquery() >= literal(has.least)
        else:
            found = select(literal(1)).select_from(related.source).where(*joined).exists()
        return not_(found) if has.is_negated else found

    # ── what the caller sees ──

    def visible(self, described: Object, row: FromClause) -> Iterator[ColumnElement[bool]]:
        """What a row must fulfil so that the caller sees it; nothing for one who sees all."""
        view, sight = self.view, described.sight
        if view is None:
            return
        if view.role < described.allow.read:
            yield literal_column("false")
        if sight.own and view.role < sight.others:
            yield row.c[sight.own] == bindparam("viewer_user")
        if view.is_linked and sight.linked:
            yield self.has_viewer(described.link[sight.linked], row)
        if view.is_linked:
            yield from (self.leads_on(described.relation[name], row) for name in sight.through)

    def has_viewer(self, relation: Link, row: FromClause) -> ColumnElement[bool]:
        """Whether the row is linked to the caller's resource."""
        self.seen.add(relation.table.name)
        link = self.named(self.builder.tables.links[relation.table.name])
        mine = link.c.environment_id == row.c.environment_id, link.c[relation.by] == row.c.id
        theirs = link.c[relation.table.other(relation.by)] == bindparam("viewer_resource")
        return by_itself(select(literal(1)).where(*mine, theirs)).exists()

    def leads_on(self, relation: Relation, row: FromClause) -> ColumnElement[bool]:
        """Whether a relation leads to something that the caller sees; a card that is gone is still whose it was."""
        related, joined = self.related(relation, row, is_living=not isinstance(relation, One))
        found = by_itself(select(literal(1)).select_from(related.source).where(*joined)).exists()
        return or_(row.c[relation.by].is_(None), found) if isinstance(relation, One) else found

    # ── the texts ──

    def document(self, row: FromClause, with_: With) -> ColumnElement[Any]:
        """The row's stored text, the texts of the relations asked for, and the closing brace."""
        whole: ColumnElement[Any] = row.c.document
        for relation, inner in with_:
            whole = whole + self.member(relation, row, inner)
        return whole + literal_column("'}'")

    def member(self, relation: Relation, row: FromClause, inner: With) -> ColumnElement[Any]:
        """`,"name":` and the related object, or the list of them."""
        related, joined = self.related(relation, row)
        document = self.document(related.alias, inner) if related.link is None else self.linked(relation, related, inner)
        chosen = select(document.label("document")).select_from(related.source).where(*joined)
        if isinstance(relation, One):
            first = chosen if relation.key == "id" else chosen.order_by(related.alias.c.id).limit(literal_column("1"))
            found = first.correlate(row).scalar_subquery()
            return literal_column(f"',\"{relation.name}\":'") + func.coalesce(found, literal_column("'null'"))
        ordered = chosen.order_by(*self.natural_order(relation, related)).correlate(row).subquery(f"d{self.aliases}")
        joined_texts = select(join_texts(ordered.c.document, literal_column("','"))).correlate(row).scalar_subquery()
        return literal_column(f"',\"{relation.name}\":['") + func.coalesce(joined_texts, literal_column("''")) + literal_column("']'")

    def linked(self, relation: Relation, related: "Joined", inner: With) -> ColumnElement[Any]:
        """The related row's text with the pivot properties of the link behind its own."""
        assert related.link is not None
        whole: ColumnElement[Any] = related.alias.c.document
        if not clashing(relation, self.builder.objects[relation.to], inner):
            whole = whole + related.link.c.document
        for relation, deeper in inner:
            whole = whole + self.member(relation, related.alias, deeper)
        return whole + literal_column("'}'")

    def natural_order(self, relation: Relation, related: "Joined") -> Iterator[ColumnElement[Any]]:
        for name in relation.order:
            source = related.link if related.link is not None and name in related.link.c else related.alias
            yield source.c[name].asc().nulls_last()
        yield related.alias.c.id.asc()

    def related(self, relation: Relation, row: FromClause, *, is_living: bool = True) -> tuple["Joined", list[ColumnElement[bool]]]:
        """The table behind a relation, and what joins its living rows to `row`."""
        target = self.builder.objects[relation.to]
        other = self.alias(target)
        joined: list[ColumnElement[bool]] = [other.c.environment_id == row.c.environment_id, *self.visible(target, other)]
        joined += [other.c.deleted_at.is_(None)] if is_living else []
        if isinstance(relation, One):
            return Joined(other), [*joined, other.c[relation.key] == row.c[relation.by]]
        if isinstance(relation, Many):
            return Joined(other), [*joined, other.c[relation.by] == row.c.id]
        assert isinstance(relation, Link)
        self.seen.add(relation.table.name)
        link = self.named(self.builder.tables.links[relation.table.name])
        mine, theirs = link.c[relation.by], link.c[relation.table.other(relation.by)]
        return Joined(other, link), [*joined, link.c.environment_id == row.c.environment_id, mine == row.c.id, theirs == other.c.id]


@dataclass(frozen=True, slots=True)
class Joined:
    """A related table, with its link table where there is one."""

    alias: NamedFromClause
    link: NamedFromClause | None = None

    @property
    def source(self) -> FromClause:
        return self.alias if self.link is None else self.link.join(self.alias, literal_column("true"))


def by_itself(statement: Select[Any]) -> Select[Any]:
    """A subquery that stays one, asked for each row: PostgreSQL would make a join of it, which walks all pairs of two tables
    as long as it does not know how large they are."""
    return statement.offset(literal_column("0"))


def clashing(relation: Relation, target: Object, inner: With) -> bool:
    """Whether a pivot property has the name of something the related object shows itself; then the object wins."""
    assert isinstance(relation, Link)
    shown = {field.name for field in target.shown} | {deeper.name for deeper, _ in inner}
    return any(field.name in shown for field in relation.table.pivot)


def compared(node: Node | None) -> Iterator[str]:
    """The columns that a filter keeps from being null: those of plain comparisons that must all hold."""
    if isinstance(node, All):
        for item in node.items:
            yield from compared(item)
    elif isinstance(node, Test) and node.relation is None and not node.is_negated and not node.is_null and not node.key:
        yield node.column


def living_ids(table: Table, dialect: Dialect) -> Statement:
    """The ids among `:ids` (a JSON list) that belong to living rows.

    SQLite is told to begin with the list: its planner would rather walk the whole environment.
    """
    listed = (
        "json_each(:ids) AS asked CROSS JOIN {table} AS t ON t.id = asked.value"
        if dialect.name == "sqlite"
        else "jsonb_array_elements_text(%(ids)s::jsonb) AS asked (value) JOIN {table} AS t ON t.id = asked.value"
    )
    name, environment = dialect.identifier_preparer.quote(table.name), ":environment" if dialect.name == "sqlite" else "%(environment)s"
    return Statement(f"SELECT t.id FROM {listed.format(table=name)} AND t.environment_id = {environment} WHERE t.deleted_at IS NULL", {})
