"""The table of filter operators: name, other spellings, words for the docs, and what each is in SQL.

Text operators ignore case: `fold` folds the column in the database, the operand is folded once in Python (`folded`) before
it is bound. They compare characters, so `%` and `_` mean nothing, and an empty operand is found in every text.
"""

from collections.abc import Callable
from dataclasses import dataclass
from operator import eq, ge, gt, le, lt
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Boolean, String


@dataclass(frozen=True, slots=True)
class Operator:
    """`expression(column, operand)` is null where the column is null. For `has` the column is the number of related rows."""

    name: str
    words: str
    expression: Callable[[ColumnElement[Any], ColumnElement[Any]], ColumnElement[bool]]
    aliases: tuple[str, ...] = ()


def folded(text: str) -> str:
    """The text in the one case in which text operators compare: what the SQL function `fold` must answer."""
    return text.lower()


class fold(FunctionElement[str]):
    """A text in the case of `folded`. SQLite needs a function of this name; PostgreSQL asks ICU, which knows the same letters."""

    type = String()
    inherit_cache = True
    name = "fold"


@compiles(fold, "sqlite")
def fold_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"fold({compiler.process(element.clauses, **options)})"


@compiles(fold, "postgresql")
def fold_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    return f'lower(({compiler.process(element.clauses, **options)}) COLLATE "und-x-icu")'


class TextTest(FunctionElement[bool]):
    """Two texts compared: the folded column, then the folded operand. The forms are written with `{0}` and `{1}`."""

    type = Boolean()
    inherit_cache = True
    sqlite = ""
    postgresql = ""


class contains(TextTest):
    inherit_cache = True
    sqlite = "(instr({0}, {1}) > 0)"
    postgresql = "(strpos({0}, {1}) > 0)"


class starts_with(TextTest):
    inherit_cache = True
    sqlite = "(substr({0}, 1, length({1})) = {1})"
    postgresql = "(left({0}, length({1})) = {1})"


class ends_with(TextTest):
    inherit_cache = True
    sqlite = "(substr({0}, length({0}) - length({1}) + 1) = {1})"
    postgresql = "(right({0}, length({1})) = {1})"


@compiles(TextTest, "sqlite")
def text_test_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return str(element.sqlite).format(*(compiler.process(clause, **options) for clause in element.clauses))


@compiles(TextTest, "postgresql")
def text_test_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    return str(element.postgresql).format(*(compiler.process(clause, **options) for clause in element.clauses))


def on_text(test: type[TextTest]) -> Callable[[ColumnElement[Any], ColumnElement[Any]], ColumnElement[bool]]:
    """The expression of a text operator: the column folded in the database, the operand as it is bound."""
    return lambda column, operand: test(fold(column), operand)


ALL = (
    Operator("eq", "is equal to", eq),
    Operator("gt", "is greater or later than", gt),
    Operator("gte", "is greater or later than, or equal to", ge),
    Operator("lt", "is less or earlier than", lt),
    Operator("lte", "is less or earlier than, or equal to", le),
    Operator("contains", "holds the text, whatever its case", on_text(contains)),
    Operator("starts_with", "begins with the text, whatever its case", on_text(starts_with), ("start_with",)),
    Operator("ends_with", "ends with the text, whatever its case", on_text(ends_with), ("end_with",)),
    Operator("has", "has related objects: one, a number of them, or a certain one", ge),
)

BY_NAME = {spelling: operator for operator in ALL for spelling in (operator.name, *operator.aliases)}
