"""What the current credentials are, and to which environment they belong."""

from collections.abc import Mapping
from typing import Any

from planwerk.actor import Actor
from planwerk.errors import UNAUTHORIZED, refuse
from planwerk.fields import Record
from planwerk.store.environments import find_environment
from planwerk.store.transaction import Row, Transaction

HOST = "00000000-0000-4000-8000-000000000001"  # this server has one host; the API shows an id and a description


def me(tx: Transaction, actor: Actor, path: Mapping[str, str], body: Any) -> dict[str, Any]:  # noqa: ARG001 (the signature of an action)
    """The caller, in the shape that its kind of authentication has."""
    environment = find_environment(tx, id=actor.environment_id)
    if environment is None:
        raise refuse(UNAUTHORIZED, "the environment is not there any more")
    return {
        "type": actor.kind,
        "environment": {
            "id": environment.id,
            "hash": environment.hash,
            "customer": environment.name,
            "status": environment.status,
            "last_request_user": environment.last_request_user,
            "last_request_third_party": environment.last_request_third_party,
            "state_user": None,
            "state_third_party": None,
            "created_at": environment.created_at,
            "updated_at": environment.updated_at,
        },
        "host": {"id": HOST, "description": "Planwerk"},
        "ai_settings": {"general": False, "formula": False},
        **holder(tx, actor),
        "features": [],
        "settings": [],
        "board_permission_set": {},
        "permissions": {"role": actor.role.name.lower()},
        "organizations": [],
        "next": False,
        "show_nps": False,
    }


def holder(tx: Transaction, actor: Actor) -> dict[str, Any]:
    """The key, or the user and the app that acts for them. One who has gone since the request began is left out."""
    found = {}
    if actor.kind == "api-key":
        found["api-key"] = tx.first(tx.object("api_key"), id=actor.credential_id)
    if actor.user_id is not None:
        found["user"] = tx.first(tx.object("user"), id=actor.user_id)
    if actor.kind == "oauth":
        found["oauth"] = tx.first(tx.object("oauth_grant"), id=actor.credential_id)
    return {name: part(tx, name, row) for name, row in found.items() if row is not None}


def part(tx: Transaction, name: str, row: Row) -> dict[str, Any]:
    """Those properties of a row that the answer's member of that name has; null for one that is kept nowhere."""
    member = tx.object("me").field[name]
    assert isinstance(member, Record)
    return {field.name: field.render(row[field.name]) if field.name in row else None for field in member.fields}
