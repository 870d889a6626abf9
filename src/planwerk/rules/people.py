"""What follows from the properties of users and webhooks."""

from collections.abc import Mapping
from typing import Any

from planwerk.store.transaction import Transaction

PARTS = ("firstname", "infix", "lastname")
FULLNAME_CHARACTERS = 255


def names_of_user(_: Transaction, values: dict[str, Any], row: Mapping[str, Any] | None) -> None:
    """A user logs in by mail address; the full name is put together from its parts unless it is given."""
    if row is None and values.get("username") is None:
        values["username"] = values.get("email")
    if values.get("fullname") is None and not values.keys().isdisjoint(PARTS):
        known = {**(row or {}), **values}
        values["fullname"] = " ".join(known[part] for part in PARTS if known.get(part))[:FULLNAME_CHARACTERS] or None


def made_by(tx: Transaction, values: dict[str, Any]) -> None:
    """A webhook belongs to the API key that made it."""
    if tx.actor is not None and tx.actor.kind == "api-key":
        values |= {"api_key_id": tx.actor.credential_id, "third_party": True}


def can_send(_: Transaction, values: dict[str, Any], row: Mapping[str, Any] | None) -> None:
    """A webhook may send when it is active and not suspended."""
    is_active = values.get("active", row["active"] if row else True)
    values["can_send"] = bool(is_active) and not (row and row["disabled_until"])
