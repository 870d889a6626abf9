"""A step of Alembic operations → the SQL statements it stands for, without a connection."""

from collections.abc import Callable
from typing import Any

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Dialect


class Collector:
    """Takes the statements that Alembic writes, one by one."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def write(self, text: str) -> None:
        self.texts.append(text.strip().removesuffix(";"))

    def flush(self) -> None:
        """Nothing is held back."""


def statements_of(step: Callable[[], Any], dialect: Dialect) -> list[str]:
    """The statements of a step, in order."""
    collector = Collector()
    context = MigrationContext.configure(dialect=dialect, opts={"as_sql": True, "output_buffer": collector})
    with Operations.context(context):
        step()
    return collector.texts
