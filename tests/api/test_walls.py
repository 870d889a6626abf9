"""The second wall: PostgreSQL itself keeps environments apart, whatever a statement forgets.

All tests on PostgreSQL run behind it, as an ordinary role; these try the wall alone. To see them fail: let `wall` in
`store/walls.py` leave out FORCE, or let `Handle.choose` return without a word to the server.
"""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import errors as engine
from sqlalchemy import Column, String
from tests.server import OBJECTS, Server, quoted, scratch_database, with_name
from tests.world import STORED, World

from planwerk.commands.doctor import OK, PROBLEM, WARNING, check_walls
from planwerk.settings import Settings
from planwerk.store import migrations
from planwerk.store.database import Database, open_database
from planwerk.store.migrations import upgrade
from planwerk.store.statements import Statement
from planwerk.store.tables import Tables
from planwerk.store.transaction import Transaction
from planwerk.store.walls import missing_walls, raise_walls, walled

pytestmark = pytest.mark.parametrize("backend", ["postgresql"], indirect=True, scope="session")

TABLES = walled(Tables(OBJECTS.values()).metadata)
EACH = pytest.mark.parametrize("table", TABLES)
OPENED = Statement(
    "SELECT count(DISTINCT environment_id), min(environment_id) FROM (SELECT environment_id FROM label UNION ALL"
    " SELECT environment_id FROM item) AS found WHERE {environment} = {environment}",
    {},
)


@dataclass(frozen=True)
class Tenant:
    """An environment with a row in every table, by its id."""

    server: Server
    environment_id: str


def made(server: Server) -> Tenant:
    """One of everything that the catalog describes, and a senseless row in each table that is still empty."""
    tenant = server.tenant()
    world = World(server, server.client(tenant), tenant.environment.id)
    for described in STORED:
        world.id(described.name)
    for name in TABLES:
        columns = server.database.tables.metadata.tables[name].c
        values = [quoted(world.environment_id if column.name == "environment_id" else value_for(column)) for column in columns]
        where = f'WHERE NOT EXISTS (SELECT 1 FROM "{name}" WHERE environment_id = {quoted(world.environment_id)})'
        names = ", ".join(f'"{column.name}"' for column in columns)
        server.database.query(f'INSERT INTO "{name}" ({names}) SELECT {", ".join(values)} {where}')
    return Tenant(server, world.environment_id)


def value_for(column: Column[Any]) -> str:
    """Something that the column takes; a job of it is never due."""
    return "x" if isinstance(column.type, String) else "0"


@pytest.fixture(scope="module")
def mine(server: Server) -> Tenant:
    return made(server)


@pytest.fixture(scope="module")
def theirs(server: Server) -> Tenant:
    return made(server)


def run(tenant: Tenant, text: str, **values: Any) -> list[Any]:
    """The rows of a statement that forgot the environment, in a transaction of the tenant's."""
    return list(tenant.server.database.write_now(tenant.environment_id, lambda tx: tx.connection.execute(text, values)))


# ── no environment, one, all ──


@EACH
def test_a_connection_that_names_no_environment_sees_nothing(table: str, server: Server, theirs: Tenant) -> None:
    with psycopg.connect(server.settings.database, autocommit=True) as connection:
        assert connection.execute(f'SELECT count(*) FROM "{table}"'.encode()).fetchall() == [(0,)]
        connection.execute("SELECT set_config('planwerk.environment_id', '', false)")
        assert connection.execute(f'SELECT count(*) FROM "{table}"'.encode()).fetchall() == [(0,)]


@EACH
def test_a_statement_that_forgets_the_environment_sees_its_own_rows_only(table: str, mine: Tenant, theirs: Tenant) -> None:
    text = f'SELECT environment_id, count(*) FROM "{table}" GROUP BY environment_id'
    everything = dict(mine.server.database.query(text))
    assert {mine.environment_id, theirs.environment_id} <= set(everything)
    assert run(mine, text) == [(mine.environment_id, everything[mine.environment_id])]


def test_the_servers_own_work_sees_every_environment(mine: Tenant, theirs: Tenant) -> None:
    found = mine.server.database.write_now("", lambda tx: tx.connection.execute("SELECT DISTINCT environment_id FROM card", {}))
    assert {(mine.environment_id,), (theirs.environment_id,)} <= set(found)


def test_a_read_and_a_fetch_stay_within_their_environment(mine: Tenant, theirs: Tenant) -> None:
    database = mine.server.database
    text = "SELECT DISTINCT environment_id FROM card"
    read = mine.server.loop.run(database.read(mine.environment_id, lambda tx: tx.connection.execute(text, {})))
    statement = database.statements.named(OPENED)
    fetched = mine.server.loop.run(database.fetch(statement, {"environment": theirs.environment_id}))
    assert ([*read], fetched) == ([(mine.environment_id,)], (1, theirs.environment_id))


# ── writing across ──


@EACH
def test_what_is_not_seen_cannot_be_changed_or_deleted(table: str, mine: Tenant, theirs: Tenant) -> None:
    before = theirs.server.rows(theirs.environment_id)
    where = f"WHERE environment_id = {quoted(theirs.environment_id)}"
    assert run(mine, f'UPDATE "{table}" SET environment_id = environment_id {where} RETURNING 1') == []
    assert run(mine, f'DELETE FROM "{table}" {where} RETURNING 1') == []
    assert theirs.server.rows(theirs.environment_id) == before


def test_no_row_can_be_put_into_another_environment(mine: Tenant, theirs: Tenant) -> None:
    """Neither by giving one away nor by making one there."""
    columns = ", ".join(f'"{column.name}"' for column in mine.server.database.tables.of["label"].c if column.name != "environment_id")
    copy = f"INSERT INTO label (environment_id, {columns}) SELECT {quoted(theirs.environment_id)}, {columns} FROM label"
    for text in (f"UPDATE label SET environment_id = {quoted(theirs.environment_id)}", copy):
        with pytest.raises(engine.InsufficientPrivilege):
            run(mine, text)


# ── one connection after another environment ──


def environments_seen(database: Database, environment_id: str) -> set[str]:
    def work(tx: Transaction) -> set[str]:
        return {row[0] for row in tx.connection.execute("SELECT environment_id FROM card", {})}

    return database.write_now(environment_id, work)


def test_a_connection_works_for_one_environment_after_another(mine: Tenant, theirs: Tenant) -> None:
    database = mine.server.database
    for id in (mine.environment_id, theirs.environment_id, theirs.environment_id, mine.environment_id):
        assert environments_seen(database, id) == {id}
    assert environments_seen(database, "") >= {mine.environment_id, theirs.environment_id}
    assert environments_seen(database, mine.environment_id) == {mine.environment_id}


def fail(_: Transaction) -> None:
    raise LookupError


def lose_connection(tx: Transaction) -> None:
    tx.connection.execute("SELECT pg_terminate_backend(pg_backend_pid())", {})


@pytest.mark.parametrize("end", [fail, lose_connection])
def test_a_failed_transaction_leaves_the_next_one_in_its_own_environment(
    end: Callable[[Transaction], None], mine: Tenant, theirs: Tenant
) -> None:
    database = mine.server.database
    environments_seen(database, theirs.environment_id)
    with pytest.raises(Exception):  # noqa: B017, PT011 (either the refusal or the error above)
        database.write_now(mine.environment_id, end)
    for id in (mine.environment_id, theirs.environment_id):
        assert environments_seen(database, id) == {id}


def test_no_other_environment_is_chosen_within_a_transaction(mine: Tenant) -> None:
    """It would open the wall for the rest of it."""
    database = mine.server.database
    with pytest.raises(RuntimeError, match="before a transaction begins"):
        database.write_now(mine.environment_id, lambda _: database.query("SELECT 1"))


def test_reads_of_many_environments_at_once_keep_apart(server: Server) -> None:
    """More of them than there are connections."""
    worlds = [World(server, server.client(tenant), tenant.environment.id) for tenant in (server.tenant() for _ in range(12))]
    for world in worlds:
        world.id("label")
    ids = [world.environment_id for world in worlds] * 20
    statement = server.database.statements.named(OPENED)

    async def ask() -> list[Any]:
        return list(await asyncio.gather(*(server.database.fetch(statement, {"environment": id}) for id in ids)))

    assert server.loop.run(ask()) == [(1, id) for id in ids]


# ── the wall stands ──


STANDING = (
    "SELECT c.relname FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid WHERE c.relnamespace = 'public'::regnamespace"
    " AND c.relrowsecurity AND c.relforcerowsecurity AND p.polpermissive AND p.polcmd = '*' AND p.polroles = '{0}'"
)
NEEDED = "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'environment_id'"


@pytest.fixture
def database(backend: str, tmp_path: Path) -> Iterator[Database]:
    """A database of its own, brought up to date."""
    with scratch_database(backend, tmp_path) as url:
        database = open_database(Settings(database=url, secret_file=str(tmp_path / "secret")), OBJECTS)
        upgrade(database)
        yield database
        database.close()


def test_every_table_with_an_environment_has_one_wall(database: Database, server: Server) -> None:
    """In a database that was brought up to date, and in one that the tests make."""
    for each in (database, server.database):
        needed = sorted(row[0] for row in each.query(NEEDED))
        assert sorted(row[0] for row in each.query(STANDING)) == needed == sorted(TABLES)


@pytest.mark.parametrize(
    "text",
    [
        "ALTER TABLE card DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE card NO FORCE ROW LEVEL SECURITY",
        "DROP POLICY own_environment ON card",
    ],
)
def test_a_wall_that_fell_is_raised_at_the_next_start(text: str, database: Database) -> None:
    database.run_script([text])
    assert database.write_now("", missing_walls) == ["card"]
    assert [finding.state for finding in check_walls(database)] == [PROBLEM]
    assert upgrade(database) == []
    assert database.write_now("", missing_walls) == []
    assert database.write_now("", raise_walls) == []


def fill(tx: Transaction) -> None:
    """The tables as the steps make them, without walls, and one row."""
    for step in migrations.steps():
        migrations.run(tx, migrations.script(step, tx))
    tx.connection.execute("INSERT INTO job VALUES ('e', 'j', 'n', '', '{}', '', 0, NULL, '')", {})


def test_a_database_from_before_the_walls_gets_them_and_keeps_its_rows(backend: str, tmp_path: Path) -> None:
    with scratch_database(backend, tmp_path) as url, closing(open_database(Settings(database=url), OBJECTS)) as old:
        old.write_now("", fill)
        assert sorted(old.write_now("", missing_walls)) == sorted(TABLES)
        assert sorted(old.write_now("", raise_walls)) == sorted(TABLES)
        assert old.write_now("", missing_walls) == []
        counted = [old.write_now(id, lambda tx: tx.connection.execute("SELECT count(*) FROM job", {})[0][0]) for id in ("e", "other", "")]
    assert counted == [1, 0, 1]


def test_the_doctor_says_whether_the_wall_stands_and_whom_it_does_not_hold_back(database: Database, backend: str) -> None:
    assert [finding.state for finding in check_walls(database)] == [OK]
    name = str(database.query("SELECT current_database()")[0][0])
    mighty = open_database(Settings(database=with_name(os.environ["PLANWERK_TEST_POSTGRESQL"], name)), OBJECTS)
    with closing(mighty):
        first, second = check_walls(mighty)
    assert (first.state, "connect as an ordinary role" in first.text, second.state) == (WARNING, True, OK)


# ── what it costs ──


@EACH
def test_an_index_serves_behind_the_wall_as_before(table: str, mine: Tenant) -> None:
    """A condition reaches an index only if its operator tells nothing of rows that are not seen (leakproof)."""
    keys = [column.name for column in mine.server.database.tables.metadata.tables[table].primary_key]
    where = " AND ".join(f"\"{name}\" = 'x'" for name in keys)

    def plan(tx: Transaction) -> str:
        tx.connection.execute("SET LOCAL enable_seqscan = off", {})
        return "\n".join(row[0] for row in tx.connection.execute(f'EXPLAIN SELECT * FROM "{table}" WHERE {where}', {}))

    text = mine.server.database.write_now(mine.environment_id, plan)
    condition = next(line for line in text.splitlines() if "Index Cond" in line)
    assert all(name in condition for name in keys), text
    assert text.count("InitPlan") == 2, "the setting is read once a statement"
