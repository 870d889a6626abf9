"""Environments: the tenants. Everything belongs to exactly one of them."""

import hashlib
import secrets
from dataclasses import dataclass

from planwerk.store.statements import Statement
from planwerk.store.transaction import Transaction

INSERT = Statement(
    "INSERT INTO environment (id, hash, name, status, created_at, updated_at) VALUES ({id}, {hash}, {name}, 'active', {now}, {now})", {}
)
BY_NAME = Statement("SELECT id, hash, name, status, created_at, updated_at FROM environment WHERE name = {name}", {})
BY_ID = Statement("SELECT id, hash, name, status, created_at, updated_at FROM environment WHERE id = {id}", {})
FIRST = Statement("SELECT id, hash, name, status, created_at, updated_at FROM environment ORDER BY id LIMIT 1", {})


@dataclass(frozen=True, slots=True)
class Environment:
    """One tenant; `hash` is what clients send as X-Api-Env (40 hex digits)."""

    id: str
    hash: str
    name: str
    status: str
    created_at: str
    updated_at: str


def create_environment(tx: Transaction, name: str) -> Environment:
    """A new environment; raises `Duplicate` if the name is taken."""
    id, mark = tx.new_id(), hashlib.sha1(secrets.token_bytes(32), usedforsecurity=False).hexdigest()
    tx.run_named(INSERT, id=id, hash=mark, name=name, now=tx.now)
    return Environment(id, mark, name, "active", tx.now, tx.now)


def find_environment(tx: Transaction, *, name: str | None = None, id: str | None = None) -> Environment | None:
    """The environment with this name or id; without either the oldest."""
    statement = BY_ID if id is not None else BY_NAME if name is not None else FIRST
    found = tx.run_named(statement, id=id, name=name)
    return Environment(*found[0]) if found else None
