"""query/operators: one table; what the text operators mean is tried on an engine in memory, what PostgreSQL is told is read."""

import sqlite3

import pytest
from sqlalchemy import ColumnElement, bindparam, column
from sqlalchemy.dialects import postgresql, sqlite

from planwerk.fields import EQUALITY, ORDER, TEXT
from planwerk.query.operators import ALL, BY_NAME, folded


def expression(name: str) -> ColumnElement[bool]:
    return BY_NAME[name].expression(column("name"), bindparam("operand"))


def found(name: str, value: str | None, operand: str) -> bool | None:
    """What SQLite answers; None for null."""
    text = str(expression(name).compile(dialect=sqlite.dialect(paramstyle="named")))
    with sqlite3.connect(":memory:") as connection:
        connection.create_function("fold", 1, lambda text: None if text is None else folded(text))
        values = {"value": value, "operand": folded(operand)}
        answer = connection.execute(f"SELECT {text} FROM (SELECT :value AS name)", values).fetchone()[0]
    connection.close()
    return None if answer is None else bool(answer)


def written(name: str) -> str:
    return str(expression(name).compile(dialect=postgresql.dialect(paramstyle="pyformat")))  # type: ignore[no-untyped-call]


def test_the_table_holds_every_operator_that_a_field_may_name() -> None:
    assert {operator.name for operator in ALL} == EQUALITY | ORDER | TEXT | {"has"}


def test_no_spelling_means_two_operators() -> None:
    spellings = [spelling for operator in ALL for spelling in (operator.name, *operator.aliases)]
    assert len(spellings) == len(set(spellings)) == len(BY_NAME)


@pytest.mark.parametrize(("spelling", "name"), [("start_with", "starts_with"), ("end_with", "ends_with")])
def test_both_spellings_of_with_mean_the_same(spelling: str, name: str) -> None:
    assert BY_NAME[spelling] is BY_NAME[name]


@pytest.mark.parametrize(
    ("name", "value", "operand", "expected"),
    [
        ("contains", "Sägewerk", "GEWE", True),
        ("contains", "SÄGEWERK", "ä", True),
        ("contains", "Sägewerk", "aw", False),
        ("contains", "50%", "%", True),
        ("contains", "50", "%", False),
        ("contains", "ab", "a_", False),
        ("contains", "a", "abc", False),
        ("starts_with", "Sägewerk", "sÄ", True),
        ("starts_with", "Sägewerk", "ä", False),
        ("starts_with", "ab", "abc", False),
        ("starts_with", "abc", "_", False),
        ("ends_with", "STRAẞE", "ße", True),
        ("ends_with", "Größe", "E", True),
        ("ends_with", "Größe", "gr", False),
        ("ends_with", "ab", "cab", False),
        ("ends_with", "ab", "ccccab", False),
        ("ends_with", "😀x", "😀X", True),
    ],
)
def test_text_operators_compare_characters_whatever_their_case(name: str, value: str, operand: str, expected: bool) -> None:
    assert found(name, value, operand) is expected


@pytest.mark.parametrize("name", sorted(TEXT))
@pytest.mark.parametrize("value", ["", "abc"])
def test_an_empty_operand_is_found_in_every_text(name: str, value: str) -> None:
    assert found(name, value, "") is True


@pytest.mark.parametrize("name", sorted(TEXT))
def test_null_is_neither_found_nor_not_found(name: str) -> None:
    assert found(name, None, "") is None


@pytest.mark.parametrize(("name", "sign"), [("eq", "="), ("gt", ">"), ("gte", ">="), ("lt", "<"), ("lte", "<="), ("has", ">=")])
def test_comparisons_are_plain_sql(name: str, sign: str) -> None:
    assert written(name) == f"name {sign} %(operand)s"


FOLDED = 'lower((name) COLLATE "und-x-icu")'


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("contains", f"(strpos({FOLDED}, %(operand)s) > 0)"),
        ("starts_with", f"(left({FOLDED}, length(%(operand)s)) = %(operand)s)"),
        ("ends_with", f"(right({FOLDED}, length(%(operand)s)) = %(operand)s)"),
    ],
)
def test_postgresql_folds_with_icu_whatever_the_collation_of_the_database(name: str, text: str) -> None:
    assert written(name) == text
