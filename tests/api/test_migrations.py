"""The schema on both databases: the steps make what the catalog describes, a broken one leaves nothing, documents follow.

How to make them fail: add a property to the catalog without `make migration`, or run steps outside a transaction.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.server import OBJECTS, scratch_database

from planwerk.settings import Settings
from planwerk.store import migrations
from planwerk.store.database import Database, Unusable, open_database
from planwerk.store.environments import create_environment
from planwerk.store.migrations import KEEP, newest, require_current, schema_of, steps, upgrade
from planwerk.store.statements import Statement
from planwerk.store.transaction import Transaction

COLUMNS = (
    "SELECT table_name, column_name, data_type, character_maximum_length, is_nullable, collation_name, numeric_precision"
    " FROM information_schema.columns WHERE table_schema = 'public'"
)
INDEXES = "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"


@pytest.fixture
def database(backend: str, tmp_path: Path) -> Iterator[Database]:
    """An empty database."""
    with scratch_database(backend, tmp_path) as url:
        yield from opened(url)


@pytest.fixture
def other(backend: str, tmp_path: Path) -> Iterator[Database]:
    """A second empty database."""
    (tmp_path / "other").mkdir()
    with scratch_database(backend, tmp_path / "other") as url:
        yield from opened(url)


def opened(url: str) -> Iterator[Database]:
    database = open_database(Settings(database=url), OBJECTS)
    yield database
    database.close()


def schema(database: Database) -> list[Any]:
    """Tables, columns and indexes in a form in which equal schemas are equal."""
    if database.statements.dialect.name == "postgresql":
        return sorted(map(repr, [*database.query(COLUMNS), *database.query(INDEXES)]))
    tables = [row[0] for row in database.query("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    found = [(name, row[1:]) for name in tables for row in database.query(f'PRAGMA table_info("{name}")')]
    indexes = database.query("SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL")
    keys = [(name, len(database.query(f'PRAGMA index_list("{name}")'))) for name in tables]
    return sorted(map(repr, [*found, *indexes, *keys]))


def run_steps(tx: Transaction) -> None:
    for step in steps():
        migrations.run(tx, migrations.script(step, tx))


def test_the_steps_from_nothing_make_what_the_catalog_describes(database: Database, other: Database) -> None:
    upgrade(database)
    other.write_now("", run_steps)
    assert schema(other) == schema(database), 'the catalog has changed: make migration MESSAGE="what changed"'


def test_an_empty_database_gets_the_whole_schema_and_a_second_time_nothing(database: Database) -> None:
    assert schema_of(database) is None
    assert upgrade(database) == ["schema"]
    assert upgrade(database) == []
    assert schema_of(database) == newest()
    require_current(database)


def test_a_database_of_a_newer_release_is_refused(database: Database) -> None:
    upgrade(database)
    database.write_now("", lambda tx: tx.run_named(KEEP, name="schema", value="9999"))
    with pytest.raises(Unusable, match="schema 9999"):
        upgrade(database)
    with pytest.raises(Unusable, match="use a newer release"):
        require_current(database)


def test_an_empty_database_is_not_current(database: Database) -> None:
    with pytest.raises(Unusable, match="planwerk init"):
        require_current(database)


def test_a_database_that_is_behind_takes_the_missing_steps(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    upgrade(database)
    add_step(monkeypatch, ["CREATE TABLE later (id INTEGER)"])
    with pytest.raises(Unusable, match="planwerk migrate"):
        require_current(database)
    assert upgrade(database) == ["9000_later"]
    assert database.query("SELECT count(*) FROM later")[0][0] == 0
    assert schema_of(database) == "9000"


def test_a_step_that_fails_leaves_the_database_as_it_was(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    upgrade(database)
    before = schema(database)
    add_step(monkeypatch, ["CREATE TABLE later (id INTEGER)", "INSERT INTO nowhere VALUES (1)"])
    with pytest.raises(Exception, match="nowhere"):
        upgrade(database)
    assert schema(database) == before
    add_step(monkeypatch, ["CREATE TABLE later (id INTEGER)"])
    assert upgrade(database) == ["9000_later"]


def add_step(monkeypatch: pytest.MonkeyPatch, texts: list[str]) -> None:
    """A release with one more step."""
    known = [step for step in steps() if step != "9000_later"]
    monkeypatch.setattr(migrations, "steps", lambda: [*known, "9000_later"])
    monkeypatch.setattr(migrations, "script", lambda step, tx: texts)


def test_documents_that_are_no_longer_what_the_catalog_says_are_made_again(database: Database) -> None:
    upgrade(database)
    environment = database.write_now("", lambda tx: create_environment(tx, "Workshop"))
    made = database.write_now(environment.id, fill)
    wanted = texts(database)

    def spoil(tx: Transaction) -> None:
        for table in ("warehouse", "board", "resource", "board_resource"):
            tx.execute(Statement(f"UPDATE {table} SET document = 'of an older release'", {}))
        for name in ("warehouse", "board", "resource"):
            tx.run_named(KEEP, name=f"document {name}", value="another")

    database.write_now("", spoil)
    assert texts(database) != wanted
    assert upgrade(database) == []
    assert texts(database) == wanted
    assert len(wanted) > made


def fill(tx: Transaction) -> int:
    """Rows enough for more than one batch, one of them deleted, and a link with pivot properties."""
    warehouse, count = tx.object("warehouse"), 2 * 1000 + 1
    rows = [tx.insert(warehouse, {"description": f"shed {number}"}) for number in range(count)]
    tx.delete(warehouse, rows[0])
    board, resource = tx.insert(tx.object("board"), {"name": "Production"}), tx.insert(tx.object("resource"), {})
    link: Any = tx.object("board").relation["resources"]
    tx.attach(link, board["id"], resource["id"], {})
    return count


def texts(database: Database) -> list[Any]:
    tables = ("warehouse", "board", "resource", "board_resource")
    return sorted(row[0] for table in tables for row in database.query(f"SELECT document FROM {table}"))
