"""SQLite finds what capacity and load read by indexes, however large the tables are believed to be."""

import re
from collections.abc import Iterator

import pytest
from tests.unit.rules.plant import opened

from planwerk.store.capacity import STATEMENTS
from planwerk.store.load import OVERLOADED
from planwerk.store.sqlite import SQLite
from planwerk.store.statements import Statement

STORED = ("card", "link", "schedule", "resource", "activity", "team", "stage", "board", "board_link")  # as the statements call them
ASKED = {
    "load": OVERLOADED["sqlite"],
    **{view: statement for (database, view), statement in STATEMENTS.items() if database == "sqlite"},
}


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SQLite]:
    """A database of the whole catalog whose planner knows the statistics it goes by."""
    database = opened(tmp_path_factory.mktemp("plans"))
    assert isinstance(database, SQLite)
    database.take_stock()
    yield database
    database.close()


@pytest.mark.parametrize("statement", ASKED.values(), ids=list(ASKED))
def test_no_table_is_walked_through(taught: SQLite, statement: Statement) -> None:
    text = taught.statements.named(statement).text
    steps = [row[3] for row in taught.query(f"EXPLAIN QUERY PLAN {text}", dict.fromkeys(re.findall(r":(\w+)", text), "[]"))]
    assert not [step for step in steps if re.fullmatch(rf"SCAN ({'|'.join(STORED)})\b.*", step)]
    assert any("index_card" in step or "sqlite_autoindex_card" in step for step in steps)
