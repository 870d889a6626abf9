"""API keys: how one is made, who may make or end one, and when it ends.

A key is 64 random letters and digits. It is shown in the answer that makes it; only its SHA-256 is stored, since a random
secret needs no slow hash.
"""

import hashlib
import secrets
import string
from collections.abc import Iterator, Mapping
from typing import Any

from planwerk.actor import Actor
from planwerk.errors import NOT_FOUND, VALIDATION_FAILED, Fault, refuse
from planwerk.rules.apps import refuse_apps
from planwerk.store.transaction import Row, Transaction

ALPHABET = string.ascii_letters + string.digits
CHARACTERS = 64
NOT_BY_APPS = "make, change or revoke API keys"  # a key would outlive its connection


def new_key() -> str:
    """A key nobody can guess: about 381 random bits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(CHARACTERS))


def key_hash(key: bytes) -> str:
    """What is stored of a key: 64 hex digits."""
    return hashlib.sha256(key).hexdigest()


def fill_key(tx: Transaction, values: dict[str, Any]) -> None:
    """A new key gets its secret, which the answer shows and nothing keeps."""
    key = new_key()
    values["key_hash"] = key_hash(key.encode())
    tx.reveal(key=key)


def may_write_key(tx: Transaction, values: Mapping[str, Any], row: Mapping[str, Any] | None) -> Iterator[Fault]:
    """Refuse apps with 403; an end that has passed already is a fault, unless the key has it."""
    refuse_apps(tx.actor, NOT_BY_APPS)
    if row is None or values.get("expires_at") != row["expires_at"]:
        yield from faults_of_end(tx, values.get("expires_at"))


def faults_of_end(tx: Transaction, expires_at: str | None) -> Iterator[Fault]:
    """What is wrong with the end of a key; None is no end."""
    if expires_at is not None and expires_at <= tx.now:
        yield Fault(VALIDATION_FAILED, "expires_at must lie in the future", "expires_at")


def remove_key(tx: Transaction, row: Row) -> None:
    """A deleted key is refused from now on, and listed no more."""
    refuse_apps(tx.actor, NOT_BY_APPS)
    tx.delete(tx.object("api_key"), row)


def revoke_key(tx: Transaction, actor: Actor, path: Mapping[str, str], given: Mapping[str, Any]) -> Row:  # noqa: ARG001 (see Action)
    """The action: `revoke` for those who may."""
    refuse_apps(actor, NOT_BY_APPS)
    return revoke(tx, path["api_key_id"].lower())


def revoke(tx: Transaction, id: str) -> Row:
    """The key, refused from now on; it stays in the list, and the first revocation counts. Refuses with 404 one that is none."""
    row = tx.get(tx.object("api_key"), id)
    if row is None:
        raise refuse(NOT_FOUND, "api_key not found")
    return tx.update(tx.object("api_key"), row, {"revoked_at": row["revoked_at"] or tx.now})
