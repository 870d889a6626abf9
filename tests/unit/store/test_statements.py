"""Expressions become text once; what we add to SQLAlchemy says the same in both databases' words."""

from typing import Any

import apsw
import pytest
from sqlalchemy import bindparam, column, func, literal, literal_column, select
from tests.unit.store.shop import OBJECTS

from planwerk.actor import Role, View
from planwerk.store.statements import POSTGRESQL, SQLITE, Statement, compile_statement, join_texts, json_items, json_text
from planwerk.store.tables import Tables
from planwerk.store.transaction import Statements

META = '{"a":"x","b":5,"c":2.5,"d":true,"e":false,"f":null,"$x":"dollar","[0]":"bracket","g.h":"dot","i":[1],"j":{"k":1}}'


def test_a_parameter_without_a_value_is_left_to_the_caller() -> None:
    statement = compile_statement(select(bindparam("id"), literal("a")), SQLITE)
    assert statement.text.replace("\n", "") == "SELECT :id AS anon_1, :param_1 AS anon_2"
    assert statement.fixed == {"param_1": "a"}


def test_statements_are_compared_by_identity() -> None:
    assert Statement("SELECT 1", {}) != Statement("SELECT 1", {})


def answer(expression: Any) -> Any:
    """What SQLite answers to an expression."""
    statement = compile_statement(select(expression), SQLITE)
    return apsw.Connection(":memory:").execute(statement.text, dict(statement.fixed)).fetchall()[0][0]


@pytest.mark.parametrize(
    ("key", "value"),
    [("a", "x"), ("b", "5"), ("c", "2.5"), ("d", "true"), ("e", "false"), ("f", None), ("z", None), ("$x", "dollar"), ("[0]", "bracket")],
)
def test_the_value_of_a_key_is_a_text_whatever_it_is_and_however_it_is_called(key: str, value: str | None) -> None:
    assert answer(json_text(literal(META), literal(key))) == value


def test_a_key_is_no_path() -> None:
    assert answer(json_text(literal(META), literal("g.h"))) == "dot"
    assert answer(json_text(literal(META), literal("j.k"))) is None


def test_texts_are_joined_in_order_and_none_are_null() -> None:
    texts = json_items(literal('["b","a","c"]')).table_valued("value")
    assert answer(select(join_texts(texts.c.value, literal_column("','"))).scalar_subquery()) == "b,a,c"
    nothing = json_items(literal("[]")).table_valued("value")
    assert answer(select(join_texts(nothing.c.value, literal_column("','"))).scalar_subquery()) is None


def test_the_items_of_a_list_are_rows() -> None:
    items = json_items(literal('[{"a":1},{"a":2}]')).table_valued("value")
    assert answer(select(func.count()).select_from(items).scalar_subquery()) == 2


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        (join_texts(column("document"), literal_column("','")), "string_agg(document, ',')"),
        (json_text(column("meta"), literal_column("'a'")), "(((meta)::jsonb ->> CAST('a' AS text)) COLLATE \"C\")"),
        (json_items(column("meta")), "jsonb_array_elements((meta)::jsonb)"),
    ],
)
def test_postgresql_is_asked_in_its_own_words(expression: Any, words: str) -> None:
    assert compile_statement(expression, POSTGRESQL).text == words


@pytest.mark.parametrize(("dialect", "text"), [(SQLITE, "SELECT :name, ':x'"), (POSTGRESQL, "SELECT %(name)s, ':x'")])
def test_a_statement_written_once_is_named_for_each_database(dialect: Any, text: str) -> None:
    statements = Statements(Tables(OBJECTS.values()), OBJECTS, dialect)
    assert statements.named(Statement("SELECT {name}, ':x'", {})).text == text


def test_a_statement_is_made_once_for_each_shape() -> None:
    statements = Statements(Tables(OBJECTS.values()), OBJECTS, SQLITE)
    assert statements.update("task", ("name",)) is statements.update("task", ("name",))
    assert statements.update("task", ("name",)) is not statements.update("task", ("name", "kind"))


@pytest.mark.parametrize("dialect", [SQLITE, POSTGRESQL], ids=lambda dialect: str(dialect.name))
def test_every_statement_on_a_table_names_the_environment(dialect: Any) -> None:
    made = Statements(Tables(OBJECTS.values()), OBJECTS, dialect)
    statements = [
        made.get("task"),
        made.find("task", ("name", "kind"), ("name",), ("kind",)),
        made.insert("task"),
        made.update("task", ("name",)),
        made.living("task"),
        made.one("task", ()),
        made.one("task", (), View(Role.GUEST, is_linked=True)),
        made.seen("task", View(Role.GUEST, is_linked=True)),
        made.links("task_label", "task_id"),
        made.link("task_label"),
        made.unlink("task_label", "task_id", "label_id"),
    ]
    assert [statement.text for statement in statements if "environment_id" not in statement.text] == []


def test_only_postgresql_locks_the_row_it_gets() -> None:
    tables = Tables(OBJECTS.values())
    assert "FOR NO KEY UPDATE" in Statements(tables, OBJECTS, POSTGRESQL).get("task").text
    assert "UPDATE" not in Statements(tables, OBJECTS, SQLITE).get("task").text
