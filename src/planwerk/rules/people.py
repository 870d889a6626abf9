"""What follows from the properties of users and webhooks, and from their change."""

from collections.abc import Iterable, Mapping
from typing import Any

from planwerk.errors import CONFLICT, refuse
from planwerk.rules.invitations import void_links
from planwerk.store.changes import Change, Row
from planwerk.store.statements import Statement
from planwerk.store.transaction import Transaction

PARTS = ("firstname", "infix", "lastname")
FULLNAME_CHARACTERS = 255

ALONE = {  # two admins who demote each other at once come one after the other
    "sqlite": Statement("SELECT id FROM environment WHERE id = {environment}", {}),
    "postgresql": Statement("SELECT id FROM environment WHERE id = {environment} FOR NO KEY UPDATE", {}),
}
ADMINS = Statement(
    "SELECT id FROM \"user\" WHERE environment_id = {environment} AND role = 'admin' AND status = 'active' AND archived_at IS NULL"
    " AND deleted_at IS NULL LIMIT 1",
    {},
)


def names_of_user(_: Transaction, values: dict[str, Any], row: Mapping[str, Any] | None) -> None:
    """A user logs in by mail address; the full name is put together from its parts unless it is given."""
    if row is None and values.get("username") is None:
        values["username"] = values.get("email")
    if values.get("fullname") is None and not values.keys().isdisjoint(PARTS):
        known = {**(row or {}), **values}
        values["fullname"] = " ".join(known[part] for part in PARTS if known.get(part))[:FULLNAME_CHARACTERS] or None


def follow_people(tx: Transaction, changes: Iterable[Change]) -> None:
    """What a change of users takes with it, whoever makes it.

    One who is archived or deleted is logged out everywhere, and so are their apps. Links that are out are void once the user has
    another email address or another password. An environment that has an active admin keeps one: 409.
    """
    for change in changes:
        old, new = change.old, change.new
        if old is None:
            continue
        if is_present(old) and not is_present(new):
            end_access(tx, old["id"], "the user was deleted" if new is None else "the user was archived")
        elif change.moves("email", "password_hash"):
            void_links(tx, old["id"])
        if is_admin(old) and not is_admin(new):
            keep_an_admin(tx)


def is_present(user: Row | None) -> bool:
    return user is not None and user["deleted_at"] is None and user["archived_at"] is None


def is_admin(user: Row | None) -> bool:
    """Whether a user can act as an admin now."""
    return user is not None and is_present(user) and user["role"] == "admin" and user["status"] == "active"


def keep_an_admin(tx: Transaction) -> None:
    tx.run_named(ALONE[tx.statements.dialect.name])
    if not tx.run_named(ADMINS):
        raise refuse(CONFLICT, "this is the last active admin: make another user admin first", "role")


def end_access(tx: Transaction, user_id: str, reason: str) -> None:
    """End a user's sessions, the apps that act in their name, and the links that would let them in."""
    session, grant = tx.object("session"), tx.object("oauth_grant")
    tx.delete_many(session, tx.find(session, user_id=user_id))
    for row in tx.find(grant, user_id=user_id, revoked_at=None):
        tx.update(grant, row, {"revoked_at": tx.now, "reason": reason})
    void_links(tx, user_id)


def made_by(tx: Transaction, values: dict[str, Any]) -> None:
    """A webhook belongs to the API key or the app that made it; one that a user has made is no third party's."""
    if tx.actor is not None and tx.actor.kind == "api-key":
        values |= {"api_key_id": tx.actor.credential_id, "third_party": True}
    elif tx.actor is not None and tx.actor.kind == "oauth":
        grant = tx.get(tx.object("oauth_grant"), tx.actor.credential_id)
        values |= {"developer_client_id": grant and grant["client_id"], "third_party": True}


def can_send(_: Transaction, values: dict[str, Any], row: Mapping[str, Any] | None) -> None:
    """A webhook may send when it is active and not suspended."""
    is_active = values.get("active", row["active"] if row else True)
    values["can_send"] = bool(is_active) and not (row and row["disabled_until"])
