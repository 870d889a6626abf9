"""The planner of SQLite is told the same of every database, and told again when somebody measured."""

from pathlib import Path

import pytest
from tests.unit.store.shop import OBJECTS, opened, served

from planwerk.fields import Boolean, Choice, Ref, Text
from planwerk.store.sqlite import SQLite
from planwerk.store.statistics import PER_LINK, PER_REFERENCE, PER_VALUE, ROWS, WORDS, numbers, statistics
from planwerk.store.tables import Tables

FIELDS = {"owner_id": Ref("owner_id"), "kind": Choice("kind"), "is_urgent": Boolean("is_urgent"), "name": Text("name")}


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (["environment_id"], [ROWS, ROWS]),
        (["environment_id", "owner_id"], [ROWS, ROWS, PER_REFERENCE]),
        (["environment_id", "name"], [ROWS, ROWS, PER_VALUE]),
        (["environment_id", "name", "owner_id"], [ROWS, ROWS, PER_VALUE, PER_VALUE]),
        (["environment_id", "kind", "is_urgent"], [ROWS, ROWS, ROWS // WORDS, ROWS // WORDS**2]),
        (["environment_id", "owner_id", "id", "deleted_at"], [ROWS, ROWS, PER_REFERENCE, 1, 1]),
        (["environment_id", "label_id"], [ROWS, ROWS, PER_LINK]),
    ],
)
def test_each_column_more_narrows_the_rows(columns: list[str], expected: list[int]) -> None:
    assert numbers(columns, FIELDS, is_unique=False) == " ".join(map(str, expected))


def test_a_unique_index_ends_with_one_row() -> None:
    assert numbers(["environment_id", "kind"], FIELDS, is_unique=True).endswith(" 1")


def told(database: SQLite) -> list[tuple[str, str, str]]:
    return [tuple(row) for row in database.query("SELECT tbl, idx, stat FROM sqlite_stat1 ORDER BY tbl, idx")]


async def nothing() -> None:
    pass


def test_a_start_teaches_the_planner_about_every_index(tmp_path: Path) -> None:
    served(opened(tmp_path), nothing)
    database = opened(tmp_path)
    assert told(database) == sorted(statistics(Tables(OBJECTS.values()), OBJECTS))
    database.close()


def test_what_was_measured_is_forgotten_at_the_next_start(tmp_path: Path) -> None:
    database = opened(tmp_path)
    database.query("ANALYZE")
    measured = told(database)
    served(database, nothing)
    database = opened(tmp_path)
    assert told(database) != measured
    database.close()


def test_every_index_of_the_database_is_known_by_its_name(database: SQLite) -> None:
    indexes = database.query(
        "SELECT name FROM sqlite_schema WHERE type = 'index'"
        " AND tbl_name NOT IN ('environment', 'idempotency', 'change', 'job', 'state', 'signing_key', 'event')"
    )
    assert sorted(name for (name,) in indexes) == sorted(name for _, name, _ in statistics(Tables(OBJECTS.values()), OBJECTS))
