"""What the current credentials are, and to which environment they belong."""

from collections.abc import Mapping
from typing import Any

from planwerk.actor import Actor
from planwerk.store.environments import find_environment
from planwerk.store.transaction import Transaction

HOST = "00000000-0000-4000-8000-000000000001"  # this server has one host; the API shows an id and a description


def me(tx: Transaction, actor: Actor, path: Mapping[str, str], body: Any) -> dict[str, Any]:  # noqa: ARG001 (the signature of an action)
    """The caller, in the shape that its kind of authentication has."""
    environment = find_environment(tx, id=actor.environment_id)
    assert environment is not None
    return {
        "type": actor.kind,
        "environment": {
            "id": environment.id,
            "hash": environment.hash,
            "customer": environment.name,
            "status": environment.status,
            "last_request_user": None,
            "last_request_third_party": None,
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
    """The key or the user behind the credentials."""
    row = tx.first(tx.object("api_key"), id=actor.credential_id) if actor.kind == "api-key" else None
    if row is None:
        return {}
    names = ("id", "description", "is_read_only", "expires_at", "created_at")
    return {"api-key": {name: bool(row[name]) if name == "is_read_only" else row[name] for name in names}}
