"""API keys on the command line: making, listing, revoking. Each function returns JSON; a key is in it only when it is new."""

from typing import Any

import orjson

from planwerk.catalog.api_key import API_KEY
from planwerk.commands import Impossible
from planwerk.commands.opened import environment_of, existing
from planwerk.fields import Bad
from planwerk.identity.api_keys import create_key
from planwerk.rules.keys import faults_of_end, revoke
from planwerk.settings import Settings
from planwerk.store.transaction import Row, Transaction


def make_key(settings: Settings, environment: str | None, description: str, expires: str | None, *, is_read_only: bool) -> dict[str, Any]:
    """A new API key; a server that runs on the database knows it at once. A bare date stands for its midnight, UTC."""
    try:
        expires_at = None if expires is None else str(API_KEY.field["expires_at"].operand(expires))
    except Bad as bad:
        raise Impossible(f"--expires {bad.description}, or a date") from None
    try:
        API_KEY.field["description"].read(description)
    except Bad as bad:
        raise Impossible(f"--description {bad.description}") from None

    def work(tx: Transaction) -> tuple[str, Row]:
        for fault in faults_of_end(tx, expires_at):
            raise Impossible(fault.description)
        return create_key(tx, API_KEY, description, is_read_only=is_read_only, expires_at=expires_at)

    with existing(settings) as database:
        found = environment_of(database, environment)
        key, row = database.write_now(found.id, work)
    return {"api_env": found.hash, "api_key": key, "id": row["id"]}


def list_keys(settings: Settings, environment: str | None) -> list[dict[str, Any]]:
    """The keys of an environment as the API shows them, the oldest first."""
    with existing(settings) as database:
        found = environment_of(database, environment)
        return [shown(row) for row in database.write_now(found.id, lambda tx: tx.find(API_KEY, order=("created_at",)))]


def revoke_key(settings: Settings, environment: str | None, id: str) -> dict[str, Any]:
    """The key after it was revoked; a server that runs on the database refuses it at once."""
    with existing(settings) as database:
        found = environment_of(database, environment)
        return shown(database.write_now(found.id, lambda tx: revoke(tx, id)))


def shown(row: Row) -> dict[str, Any]:
    """A key as the API shows it."""
    item: dict[str, Any] = orjson.loads(row["document"] + "}")
    return item
