"""SQLAlchemy expressions → text for one database, once, and kept.

A `Statement` is a text with named parameters and the values that are part of its shape; nothing is compiled on a hot path.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Dialect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import ClauseElement
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import String

SQLITE: Dialect = sqlite.dialect(paramstyle="named")
POSTGRESQL: Dialect = postgresql.dialect(paramstyle="pyformat")  # type: ignore[no-untyped-call]
# how a query ends that takes the rows which nobody else works on; SQLite has one writer anyway
SKIP_LOCKED = {"sqlite": "", "postgresql": " FOR UPDATE SKIP LOCKED"}


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """Text with named parameters; `fixed` holds the parameters that never vary. Compared by identity."""

    text: str
    fixed: Mapping[str, Any]


def compile_statement(expression: ClauseElement, dialect: Dialect) -> Statement:
    """The text of an expression; parameters without a value are left to the caller."""
    compiled = expression.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    return Statement(str(compiled), {name: value for name, value in (compiled.params or {}).items() if value is not None})


class join_texts(FunctionElement[str]):
    """All texts of a group in the order they come, with a separator between them; null for an empty group."""

    type = String()
    inherit_cache = True
    name = "join_texts"


@compiles(join_texts, "sqlite")
def join_texts_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"group_concat({compiler.process(element.clauses, **options)})"


@compiles(join_texts, "postgresql")
def join_texts_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    return f"string_agg({compiler.process(element.clauses, **options)})"


class json_text(FunctionElement[str]):
    """The value under a key of a JSON object in a text column, as text; null where it is absent or null."""

    type = String()
    inherit_cache = True
    name = "json_text"


@compiles(json_text, "sqlite")
def json_text_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    """By `json_each`, for the operators -> and ->> read some keys ("$x", "[0]") as paths."""
    column, key = (compiler.process(clause, **options) for clause in element.clauses)
    text = "CASE WHEN type IN ('true', 'false') THEN type ELSE CAST(value AS TEXT) END"
    return f"(SELECT {text} FROM json_each({column}) WHERE key = {key})"


@compiles(json_text, "postgresql")
def json_text_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    column, key = (compiler.process(clause, **options) for clause in element.clauses)
    return f'((({column})::jsonb ->> CAST({key} AS text)) COLLATE "C")'


class json_items(FunctionElement[Any]):
    """The items of a JSON list in a text column, as rows with one column `value` of JSON text."""

    inherit_cache = True
    name = "json_items"


@compiles(json_items, "sqlite")
def json_items_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **options)})"


@compiles(json_items, "postgresql")
def json_items_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    return f"jsonb_array_elements(({compiler.process(element.clauses, **options)})::jsonb)"
