"""Environments: the tenants. Everything belongs to exactly one of them.

An environment is active; or it waits for the person who signed up for it, is suspended, or is being deleted, and then no
credential of it opens anything. A change of status is written in a transaction of the environment, so that a running server notices.
"""

import hashlib
import secrets
from dataclasses import dataclass
from functools import lru_cache

from planwerk.store.statements import Statement
from planwerk.store.transaction import Transaction
from planwerk.store.walls import walled

ACTIVE, SIGN_UP, SUSPENDED, DELETING = "active", "sign_up", "suspended", "deleting"
BATCH = 1000  # rows that are deleted in one transaction
NAME_CHARACTERS = 100

INSERT = Statement(
    "INSERT INTO environment (id, hash, name, status, created_at, updated_at) VALUES ({id}, {hash}, {name}, {status}, {now}, {now})", {}
)
SELECT = "SELECT id, hash, name, status, created_at, updated_at, last_request_user, last_request_third_party FROM environment"
BY_NAME = Statement(f"{SELECT} WHERE name = {{name}}", {})
BY_ID = Statement(f"{SELECT} WHERE id = {{id}}", {})
LOCK = {
    "sqlite": Statement("SELECT id FROM environment WHERE id = {environment}", {}),
    "postgresql": Statement("SELECT id FROM environment WHERE id = {environment} FOR NO KEY UPDATE", {}),
}
FIRST = Statement(f"{SELECT} ORDER BY id LIMIT 1", {})
ALL = Statement(f"{SELECT} ORDER BY name", {})
SET_STATUS = Statement("UPDATE environment SET status = {status}, updated_at = {now} WHERE id = {id}", {})
REMOVE = Statement("DELETE FROM environment WHERE id = {environment}", {})
# The highest counter stays, and that of the environment itself: a running server sees only what is above the last it has read.
FORGET = Statement(
    "DELETE FROM change WHERE environment_id = {environment} AND object <> 'environment' AND value < (SELECT max(value) FROM change)", {}
)
KEPT = ("change",)  # what `clear` leaves to `remove`


@dataclass(frozen=True, slots=True)
class Environment:
    """One tenant; `hash` is what clients send as X-Api-Env (40 hex digits)."""

    id: str
    hash: str
    name: str
    status: str
    created_at: str
    updated_at: str
    last_request_user: str | None = None
    last_request_third_party: str | None = None


def parse_name(text: str) -> str:
    """The name of an environment, without spaces around it; raises ValueError with a sentence.

    >>> parse_name(" Second hall ")
    'Second hall'
    >>> parse_name("two\\nlines")
    Traceback (most recent call last):
    ValueError: the name of an environment has 1 to 100 characters, all of them printable
    """
    name = text.strip()
    if not 1 <= len(name) <= NAME_CHARACTERS or not name.isprintable():
        raise ValueError(f"the name of an environment has 1 to {NAME_CHARACTERS} characters, all of them printable")
    return name


def create_environment(tx: Transaction, name: str, status: str = ACTIVE) -> Environment:
    """A new environment; raises `Duplicate` if the name is taken."""
    id, mark = tx.new_id(), hashlib.sha1(secrets.token_bytes(32), usedforsecurity=False).hexdigest()
    tx.run_named(INSERT, id=id, hash=mark, name=name, status=status, now=tx.now)
    return Environment(id, mark, name, status, tx.now, tx.now)


def find_environment(tx: Transaction, *, name: str | None = None, id: str | None = None) -> Environment | None:
    """The environment with this name or id; without either the oldest."""
    statement = BY_ID if id is not None else BY_NAME if name is not None else FIRST
    found = tx.run_named(statement, id=id, name=name)
    return Environment(*found[0]) if found else None


def list_environments(tx: Transaction) -> list[Environment]:
    """All of them, by name."""
    return [Environment(*row) for row in tx.run_named(ALL)]


def lock_environment(tx: Transaction) -> None:
    """From here on, transactions of the environment that call this come one after the other."""
    tx.run_named(LOCK[tx.statements.dialect.name])


def activate(tx: Transaction, id: str) -> None:
    """Let the credentials of an environment open it, whatever it waited for."""
    set_status(tx, id, ACTIVE)


def set_status(tx: Transaction, id: str, status: str) -> None:
    """Change what an environment is; in a transaction of its own, so that a running server forgets the credentials it knows."""
    tx.run_named(SET_STATUS, id=id, status=status, now=tx.now)
    tx.touched.add("environment")


def at_work(table: str) -> str:
    """The SQL condition that what a table has to do may be done: its environment is neither suspended nor being deleted.

    >>> at_work("job")
    "NOT EXISTS (SELECT 1 FROM environment e WHERE e.id = job.environment_id AND e.status IN ('suspended', 'deleting'))"
    """
    return f"NOT EXISTS (SELECT 1 FROM environment e WHERE e.id = {table}.environment_id AND e.status IN ('{SUSPENDED}', '{DELETING}'))"


# ── the end ──


def clear(tx: Transaction, batch: int = BATCH) -> int:
    """Delete up to so many rows of the environment, deleted ones included; how many they were. 0: only counters are left."""
    for table in walled(tx.statements.tables.metadata):
        rows = () if table in KEPT else tx.run_named(clearing(table, tx.statements.dialect.name), batch=batch)
        if rows:
            tx.touched.add(table)
            return len(rows)
    return 0


@lru_cache(None)
def clearing(table: str, dialect: str) -> Statement:
    """By where the rows lie, for neither database limits a DELETE."""
    found = f'FROM "{table}" WHERE environment_id = {{environment}} LIMIT {{batch}}'
    where = f"rowid IN (SELECT rowid {found})" if dialect == "sqlite" else f"ctid = ANY (ARRAY (SELECT ctid {found}))"
    return Statement(f'DELETE FROM "{table}" WHERE {where} RETURNING 1', {})


def remove(tx: Transaction) -> None:
    """Delete the environment itself, with what was written since it was cleared."""
    while clear(tx):
        pass
    tx.run_named(FORGET)
    tx.run_named(REMOVE)
    tx.touched.add("environment")
