"""PostgreSQL counts a list from an index alone, and does not count at all what the page shows to be all.

How to make them fail: let `take_stock` say ANALYZE only, leave `tend_tables` out of `upgrade`, or let `total_of` count always.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.server import OBJECTS, scratch_database

from planwerk.plan import operands, plan_read
from planwerk.query.parameters import parse_parameters
from planwerk.seeds.bench import seed_bench
from planwerk.settings import Settings
from planwerk.store.database import Database, open_database
from planwerk.store.environments import create_environment
from planwerk.store.migrations import upgrade
from planwerk.store.select import Builder
from planwerk.store.transaction import Transaction
from planwerk.store.visibility import OPTIONS

pytestmark = pytest.mark.parametrize("backend", ["postgresql"], indirect=True, scope="session")

ORDERS = 1200
LATE = "sort=promised_date:desc&filter=status:eq:new,and,promised_date:gte:2026-01-01"


@pytest.fixture
def database(backend: str, tmp_path: Path) -> Iterator[Database]:
    with scratch_database(backend, tmp_path) as url:
        database = open_database(Settings(database=url), OBJECTS)
        upgrade(database)
        yield database
        database.close()


@dataclass(frozen=True)
class OrderBook:
    """A database with many orders in one environment, seen behind the wall."""

    database: Database
    environment_id: str


@pytest.fixture(scope="module")
def book(backend: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OrderBook]:
    with scratch_database(backend, tmp_path_factory.mktemp("book")) as url:
        database = open_database(Settings(database=url), OBJECTS)
        upgrade(database)
        for table in database.tables.metadata.sorted_tables:  # what its ANALYZE sees while VACUUM runs is not noted as seen by everybody
            database.query(f'ALTER TABLE "{table.name}" SET (autovacuum_enabled = false)')
        environment = database.write_now("", lambda tx: create_environment(tx, "Workshop"))
        seed_bench(database, OBJECTS, environment.id, ORDERS)
        yield OrderBook(database, environment.id)
        database.close()


def plan(book: OrderBook, query: str) -> list[dict[str, Any]]:
    """The steps of a list of orders as they were done."""
    database, read = book.database, plan_read(OBJECTS["order"], parse_parameters(query), OBJECTS)
    statement = Builder(database.tables, OBJECTS, database.statements.dialect).page(read, {}).counted
    values = {f"operand_{index}": value for index, value in enumerate(operands(read))} | {
        **statement.fixed,
        "environment": book.environment_id,
    }
    values |= {"limit": read.limit, "offset": read.offset, "known": "", "answer_limit": 1_000_000}

    def explain(tx: Transaction) -> Any:
        return tx.connection.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement.text}", values)[0][0]

    return list(steps(database.write_now(book.environment_id, explain)[0]["Plan"]))


def steps(step: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield step
    for inner in step.get("Plans", ()):
        yield from steps(inner)


def on_orders(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What reads the table, the count first."""
    return [step for step in found if step.get("Relation Name") == "order"]


def test_after_many_rows_came_a_list_is_counted_without_a_look_at_one_of_them(book: OrderBook) -> None:
    found = plan(book, f"limit=10&{LATE}")
    counted, page = on_orders(found)
    assert (counted["Node Type"], counted["Heap Fetches"]) == ("Index Only Scan", 0)
    assert counted["Actual Rows"] > 10
    assert {step["Index Name"] for step in (counted, page)} == {"index_order_status_promised_date"}
    assert (page["Node Type"], page["Scan Direction"], page["Actual Rows"]) == ("Index Scan", "Backward", 10)
    assert not [step for step in found if "Sort" in step["Node Type"]]


@pytest.mark.parametrize(
    ("query", "is_counted"),
    [
        ("limit=1000&filter=external_ref:eq:ext-o-7", False),
        ("limit=1000&filter=external_ref:eq:ext-o-none", False),
        ("limit=1000&offset=500", False),
        ("limit=1&filter=external_ref:eq:ext-o-7", True),
        ("limit=1000&offset=1200", True),
        ("limit=1000", True),
    ],
)
def test_only_a_full_page_and_one_behind_the_end_are_counted(query: str, book: OrderBook, *, is_counted: bool) -> None:
    counted, _ = on_orders(plan(book, query))
    assert (counted["Actual Loops"] > 0) is is_counted


def settings_of(database: Database) -> dict[str, str]:
    """What is said about each table of the catalog."""
    rows = database.query("SELECT relname, coalesce(array_to_string(reloptions, ' '), '') FROM pg_class WHERE relkind = 'r'")
    return {name: text for name, text in rows if name in database.tables.metadata.tables}


def test_autovacuum_comes_to_every_table_soon_unless_somebody_has_said_otherwise(database: Database) -> None:
    assert all(f"{option}=0.02" in text for text in settings_of(database).values() for option in OPTIONS)
    database.query(f"ALTER TABLE card RESET ({', '.join(OPTIONS)})")
    database.query(f'ALTER TABLE "order" RESET ({OPTIONS[1]}), SET ({OPTIONS[0]} = 0.4)')
    assert upgrade(database) == []
    assert settings_of(database)["card"] == settings_of(database)["item"]
    assert settings_of(database)["order"] == f"{OPTIONS[0]}=0.4"


def test_taking_stock_has_all_the_time_it_needs_and_leaves_the_limit_as_it_was(database: Database) -> None:
    before = database.query("SHOW statement_timeout")
    database.take_stock()
    assert database.query("SHOW statement_timeout") == before
    assert before != [("0",)]
