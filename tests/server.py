"""The whole server on a scratch database, in memory: tenants, clients, and a look at the tables behind its back."""

import asyncio
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field as attribute
from functools import lru_cache
from pathlib import Path
from typing import Any

import psycopg
from tests.client import Client, Loop
from tests.conform import Conformity

from planwerk.app import compose
from planwerk.catalog import ALL
from planwerk.describe import Object
from planwerk.identity.api_keys import create_key
from planwerk.jobs import run_due
from planwerk.reference.openapi import build
from planwerk.settings import Settings
from planwerk.store.database import Database, schema_script
from planwerk.store.environments import Environment, create_environment
from planwerk.store.transaction import Transaction

OBJECTS: dict[str, Object] = {described.name: described for described in ALL}
WIDE = "100000000/minute"  # a rate limit that no test reaches by accident
NUMBERS = itertools.count(1)
USED = {"api_key": {"last_used_at", "version", "document"}}  # what any request moves once a minute


@dataclass(frozen=True)
class Tenant:
    """One environment and a key to it."""

    environment: Environment
    key: str

    @property
    def headers(self) -> dict[str, str]:
        return {"x-api-key": self.key, "x-api-env": self.environment.hash}


@dataclass
class Server:
    """One application on one database, inside a loop."""

    loop: Loop
    settings: Settings
    app: Any = None
    inbox: "asyncio.Queue[Any]" = attribute(default_factory=asyncio.Queue)
    outbox: "asyncio.Queue[Any]" = attribute(default_factory=asyncio.Queue)
    life: Any = None

    @property
    def database(self) -> Database:
        database: Database = getattr(self.app, "app", self.app).database  # CORS stands around the application
        return database

    def start(self) -> None:
        self.app = compose(self.settings)
        if not self.database.has_schema():
            script = schema_script(self.database.tables, self.database.statements.dialect)
            self.database.run_script([*script, "INSERT INTO state (name, value) VALUES ('probe', '1')"])
        self.life = asyncio.run_coroutine_threadsafe(self.live(), self.loop.loop)
        message = self.loop.run(self.turn("lifespan.startup"))
        assert message["type"] == "lifespan.startup.complete", message

    async def live(self) -> None:
        await self.app({"type": "lifespan"}, self.inbox.get, self.outbox.put)

    async def turn(self, kind: str) -> Any:
        await self.inbox.put({"type": kind})
        return await self.outbox.get()

    def stop(self) -> None:
        self.loop.run(self.turn("lifespan.shutdown"))
        self.life.result(timeout=30)

    def work(self) -> int:
        """Do the background jobs that are due, as a worker would; how many were tried."""
        return self.loop.run(run_due(self.database))

    # ── tenants ──

    def tenant(self, name: str = "tenant") -> Tenant:
        """A new environment with nothing in it but its key."""
        unique = f"{name} {os.getpid()}-{next(NUMBERS)}"
        environment = self.database.write_now("", lambda tx: create_environment(tx, unique))
        return Tenant(environment, self.new_key(environment))

    def new_key(self, environment: Environment, *, is_read_only: bool = False) -> str:
        def work(tx: Transaction) -> str:
            return create_key(tx, OBJECTS["api_key"], "a key of the tests", is_read_only=is_read_only)[0]

        return self.database.write_now(environment.id, work)

    def client(self, tenant: Tenant, *, sees_marker: bool = False) -> Client:
        return Client(self.app, self.loop, conformity(), tenant.headers, sees_marker)

    # ── behind its back ──

    def rows(self, environment_id: str) -> dict[str, list[Any]]:
        """Every row of an environment, by table; what two of these have in common did not change. That a key was used is no change."""
        found = {}
        for table in self.database.tables.metadata.sorted_tables:
            if "environment_id" in table.c and table.name != "change":
                columns = ", ".join(f'"{column.name}"' for column in table.c if column.name not in USED.get(table.name, ()))
                text = f'SELECT {columns} FROM "{table.name}" WHERE environment_id = {quoted(environment_id)}'
                found[table.name] = sorted(map(repr, self.database.query(text)))
        return {name: rows for name, rows in found.items() if rows}

    def count(self, environment_id: str, name: str) -> int:
        """The living rows of an object's table."""
        text = f'SELECT count(*) FROM "{name}" WHERE environment_id = {quoted(environment_id)} AND deleted_at IS NULL'
        return int(self.database.query(text)[0][0])


def quoted(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


@lru_cache
def conformity() -> Conformity:
    return Conformity(build(ALL))


def settings_for(url: str, folder: Path, **chosen: Any) -> Settings:
    common = {"files": str(folder / "files"), "secret_file": str(folder / "secret"), "rate_limit": WIDE}
    return Settings(**{"database": url, **common, **chosen})


@contextmanager
def running(loop: Loop, settings: Settings) -> Iterator[Server]:
    server = Server(loop, settings)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def scratch_database(backend: str, folder: Path) -> Iterator[str]:
    """The URL of an empty database of its own, gone afterwards.

    On PostgreSQL its owner is an ordinary role, made with it: the walls between environments do not hold a superuser back.
    """
    if backend == "sqlite":
        yield f"sqlite:///{folder / 'planwerk.db'}"
        return
    base, name = os.environ["PLANWERK_TEST_POSTGRESQL"], f"planwerk_{os.getpid()}_{next(NUMBERS)}"
    run_outside(base, f"CREATE ROLE {name} LOGIN PASSWORD '{name}'")
    try:
        run_outside(base, f"CREATE DATABASE {name} OWNER {name}")
        yield with_user(with_name(base, name), name)
    finally:
        run_outside(base, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        run_outside(base, f"DROP ROLE {name}")


def with_user(url: str, name: str) -> str:
    """The URL of the same database for a role whose password is its name.

    >>> with_user("postgresql://tester@/mine?host=/run", "me"), with_user("postgresql://127.0.0.1:5432/mine", "me")
    ('postgresql://me:me@/mine?host=/run', 'postgresql://me:me@127.0.0.1:5432/mine')
    """
    scheme, separator, rest = url.partition("://")
    server, slash, path = rest.partition("/")
    return f"{scheme}{separator}{name}:{name}@{server.rpartition('@')[2]}{slash}{path}"


def with_name(url: str, name: str) -> str:
    """The URL of another database of the same server.

    >>> with_name("postgresql://tester@/postgres?host=/run", "mine")
    'postgresql://tester@/mine?host=/run'
    """
    before, mark, options = url.partition("?")
    return before.rpartition("/")[0] + "/" + name + mark + options


def run_outside(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())
