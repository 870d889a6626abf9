"""A list is one statement; the indexes of the catalog carry the reads that people make, and no read walks what it need not."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import apsw
import orjson
import pytest
from tests.unit.store.shop import OBJECTS, TASK

from planwerk.catalog import ALL
from planwerk.describe import Many, Object, Place
from planwerk.fields import Boolean, Field, Integer, Number
from planwerk.plan import plan_read
from planwerk.query.operators import folded
from planwerk.query.parameters import parse_parameters
from planwerk.store.database import schema_script
from planwerk.store.select import Builder, ListStatements
from planwerk.store.statements import POSTGRESQL, SQLITE, Statement
from planwerk.store.statistics import statistics
from planwerk.store.tables import Tables

CATALOG = {described.name: described for described in ALL}
STORED = [described for described in ALL if described.is_stored]
ID = "00000000-0000-4000-8000-000000000001"


def page(described: Object, query: str = "", scope: dict[str, Any] | None = None, dialect: Any = SQLITE) -> ListStatements:
    objects = CATALOG if CATALOG.get(described.name) is described else OBJECTS
    return builder(objects is CATALOG, dialect).page(plan_read(described, parse_parameters(query), objects), scope or {})


@lru_cache
def builder(is_catalog: bool, dialect: Any) -> Builder:
    objects = CATALOG if is_catalog else OBJECTS
    return Builder(Tables(objects.values()), objects, dialect)


def texts(statements: ListStatements) -> list[str]:
    return [statement.text for statement in (statements.page, statements.counted) if statement is not None]


# ── one statement ──


@pytest.mark.parametrize("dialect", [SQLITE, POSTGRESQL], ids=lambda dialect: str(dialect.name))
@pytest.mark.parametrize("query", ["", "with=owner,parts.screws,labels", "filter=labels:has:,and,meta.a:eq:1&sort=name"])
def test_a_list_is_one_statement(dialect: Any, query: str) -> None:
    for text in texts(page(TASK, query, dialect=dialect)):
        assert text.startswith("SELECT ")
        assert ";" not in text


def test_only_sqlite_has_a_statement_for_the_page_alone() -> None:
    assert page(TASK).page is not None
    assert page(TASK, dialect=POSTGRESQL).page is None


def test_the_answer_depends_on_every_table_it_was_made_from() -> None:
    statements = page(TASK, "with=parts.screws,labels&filter=owner.name:eq:'Ada'")
    assert statements.tables == ("label", "part", "person", "screw", "task", "task_label")


def test_limit_and_offset_and_operands_are_bound_and_not_written() -> None:
    text = page(TASK, "limit=7&offset=9&filter=name:eq:'secret'").counted.text
    assert ":limit" in text
    assert ":offset" in text
    assert ":operand_0" in text
    assert "secret" not in text


def test_a_place_binds_its_parameters_and_fixes_its_nulls() -> None:
    text = page(OBJECTS["part"], scope={"task_id": ..., "code": None}).counted.text
    assert "task_id = :scope_task_id" in text
    assert "code IS NULL" in text


@pytest.mark.parametrize(("query", "key"), [("filter=id:gt:'a'&sort=id", 0), ("filter=id:gt:'a'&sort=name", None), ("", None)])
def test_a_list_read_by_key_tells_where_it_ended(query: str, key: int | None) -> None:
    statements = page(TASK, query)
    assert statements.key == key
    assert ("max(documents.id)" in statements.counted.text) == (key is not None)


def test_one_object_comes_with_its_version() -> None:
    statement, tables = Builder(Tables(OBJECTS.values()), OBJECTS, SQLITE).one(TASK, (), {"owner_id": ...})
    assert statement.text.startswith("SELECT t1.version, ")
    assert "owner_id = :scope_owner_id" in statement.text
    assert tables == ("task",)


@pytest.mark.parametrize(("archived", "words"), [("", "archived_at IS NULL"), ("&archived=only", "archived_at IS NOT NULL")])
def test_archived_objects_are_left_out_or_alone(archived: str, words: str) -> None:
    assert words in page(TASK, "limit=1" + archived).counted.text


def test_archived_objects_come_along_when_asked_for() -> None:
    assert "archived_at" not in page(TASK, "archived=true").counted.text


# ── order ──


def order(query: str) -> str:
    text = page(TASK, query).counted.text.replace("\n", " ")
    return text.partition("ORDER BY ")[2].partition(" LIMIT")[0].strip()


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("", "t1.id ASC"),
        ("sort=name", "t1.name ASC NULLS LAST, t1.id ASC"),
        ("sort=name:desc", "t1.name DESC NULLS FIRST, t1.id DESC"),
        ("sort=updated_at:desc", "t1.updated_at DESC, t1.id DESC"),
        ("sort=id:desc", "t1.id DESC"),
        ("sort=name&filter=name:gt:'a'", "t1.name ASC, t1.id ASC"),
        ("sort=name&filter=name:not:eq:'a'", "t1.name ASC NULLS LAST, t1.id ASC"),
        ("sort=name&filter=name:eq:null", "t1.name ASC NULLS LAST, t1.id ASC"),
        ("sort=name&filter=name:eq:a,or,kind:eq:saw", "t1.name ASC NULLS LAST, t1.id ASC"),
    ],
)
def test_every_order_ends_with_the_id_and_says_where_nulls_go_unless_there_are_none(query: str, keys: str) -> None:
    assert order(query) == keys


# ── the plans of SQLite ──


@lru_cache
def engine() -> apsw.Connection:
    """An engine that holds the catalog's empty tables and believes what a server teaches it."""
    connection, tables = apsw.Connection(":memory:"), Tables(ALL)
    connection.create_scalar_function("fold", lambda *values: folded(str(values[0])), 1, deterministic=True)
    for line in schema_script(tables, SQLITE):
        connection.execute(line)
    connection.execute("ANALYZE state")
    for row in statistics(tables, CATALOG):
        connection.execute("INSERT INTO sqlite_stat1 VALUES (?, ?, ?)", row)
    connection.execute("ANALYZE sqlite_schema")
    return connection


def steps(statement: Statement | None) -> list[str]:
    """How SQLite will go about a statement (sqlite.org/eqp.html)."""
    assert statement is not None
    rows: Sequence[Any] = engine().execute("EXPLAIN QUERY PLAN " + statement.text, Anything(statement.fixed)).fetchall()
    return [str(row[3]) for row in rows]


class Anything(dict[str, Any]):
    """Binds every parameter that is not given."""

    def __missing__(self, name: str) -> Any:
        return 1 if name in ("limit", "offset") else ID


def walks(statement: Statement | None) -> list[str]:
    """The steps that read a table without an index, or all of an environment."""
    return [step for step in steps(statement) if step.startswith("SCAN t") or " (environment_id=?)" in step]


def operand(field: Field) -> str:
    return "1" if isinstance(field, Integer | Number | Boolean) else "'2024-01-01'"


def indexed() -> Iterator[tuple[Object, tuple[str, ...]]]:
    for described in STORED:
        for key in (*described.unique, *described.index):
            if key and described.field[key[0]].is_shown:
                yield described, key


INDEXED = list(indexed())


@pytest.mark.parametrize(("described", "key"), INDEXED, ids=lambda part: part.name if isinstance(part, Object) else "_".join(part))
def test_a_filter_on_an_indexed_property_goes_by_its_index(described: Object, key: tuple[str, ...]) -> None:
    query = f"filter={key[0]}:eq:{operand(described.field[key[0]])}&archived=true"
    statements = page(described, query)
    assert walks(statements.page) == walks(statements.counted) == []


SORTED = [(described, key) for described in STORED for key in described.index if len(key) == 2]


@pytest.mark.parametrize(("described", "key"), SORTED, ids=lambda part: part.name if isinstance(part, Object) else "_".join(part))
def test_the_second_property_of_an_index_gives_the_order_without_sorting(described: Object, key: tuple[str, str]) -> None:
    first, second = (f"{name}:{word}:{operand(described.field[name])}" for name, word in zip(key, ("eq", "gte"), strict=True))
    statement = page(described, f"filter={first},and,{second}&sort={key[1]}:desc&archived=true").page
    assert [step for step in steps(statement) if "TEMP B-TREE" in step] == walks(statement) == []


PLACES = [(described, place) for described in STORED for place in described.places if place.parameters]


@pytest.mark.parametrize(("described", "place"), PLACES, ids=lambda part: part.path if isinstance(part, Place) else part.name)
def test_a_list_below_a_parent_goes_by_the_index_of_the_parent(described: Object, place: Place) -> None:
    scope = {**dict.fromkeys(place.parameters, ...), **place.fixed}
    assert walks(page(described, scope=scope).page) == []


@pytest.mark.parametrize("described", [described for described in STORED if described.relations], ids=lambda part: str(part.name))
def test_related_objects_are_found_by_index(described: Object) -> None:
    names = [relation.name for relation in described.relations]
    conditions = [f"{name}:has:,and,{name}.id:eq:{ID}" for name in names]
    for query in (f"with={','.join(names)}", f"filter={',and,'.join(conditions)}"):
        beside = [step for step in walks(page(described, query).page) if not step.startswith("SEARCH t1 ")]
        assert beside == [], f"{described.name}?{query} walks all of a related table; an index on the column of the relation is missing"


def test_a_plain_page_is_read_from_the_index_of_its_order() -> None:
    assert "USE TEMP B-TREE FOR ORDER BY" not in steps(page(CATALOG["order"]).page)
    assert "USE TEMP B-TREE FOR ORDER BY" not in steps(page(CATALOG["order"], "sort=updated_at:desc").page)


def test_every_owned_object_can_be_found_by_its_owner() -> None:
    lost = [
        f"{described.name}.{relation.name}"
        for described in STORED
        for relation in described.relations
        if isinstance(relation, Many)
        and relation.is_owned
        and not any(key[:1] == (relation.by,) for key in (*CATALOG[relation.to].index, *CATALOG[relation.to].unique))
    ]
    assert lost == []


# ── what the texts say ──


def test_a_page_of_nothing_is_an_empty_text() -> None:
    statement = page(CATALOG["order"]).page
    assert statement is not None
    values = {**statement.fixed, "environment": "none", "limit": 100, "offset": 0}
    assert engine().execute(statement.text, values).fetchall() == [("", None)]


def test_a_page_joins_the_texts_of_its_rows_with_those_of_related_ones() -> None:
    connection, tables = apsw.Connection(":memory:"), Tables(OBJECTS.values())
    for line in schema_script(tables, SQLITE):
        connection.execute(line)
    row = "INSERT INTO {} (environment_id, id, {}created_at, updated_at, version, document) VALUES ('e', {}'', '', 1, {})"
    connection.execute(row.format("task", "kind, is_urgent, ", "'1', 'saw', 0, ", """'{"id":"1"'"""))
    connection.execute(row.format("task", "kind, is_urgent, ", "'2', 'saw', 0, ", """'{"id":"2"'"""))
    connection.execute(row.format("part", "task_id, ", "'3', '2', ", """'{"id":"3"'"""))
    connection.execute("INSERT INTO task_label VALUES ('e', '2', '4', 1, 0, ',\"priority\":1')")
    connection.execute(row.format("label", "", "'4', ", """'{"id":"4"'"""))
    statement = page(TASK, "with=owner,parts,labels").counted
    values = {**statement.fixed, "environment": "e", "limit": 100, "offset": 0}
    [(text, last, total)] = connection.execute(statement.text, values).fetchall()
    assert (last, total) == (None, 2)
    assert orjson.loads(f"[{text!s}]") == [
        {"id": "1", "owner": None, "parts": [], "labels": []},
        {"id": "2", "owner": None, "parts": [{"id": "3"}], "labels": [{"id": "4", "priority": 1}]},
    ]
