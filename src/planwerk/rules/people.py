"""What follows from the properties of users, and from their change; and when a webhook may send."""

from collections.abc import Iterable, Mapping
from typing import Any

from planwerk.errors import CONFLICT, refuse
from planwerk.rules.apps import refuse_apps
from planwerk.rules.invitations import void_links
from planwerk.store.changes import Change, Row
from planwerk.store.environments import lock_environment
from planwerk.store.statements import Statement
from planwerk.store.transaction import Transaction

PARTS = ("firstname", "infix", "lastname")
FULLNAME_CHARACTERS = 255

ADMINS = Statement(
    "SELECT id FROM \"user\" WHERE environment_id = {environment} AND role = 'admin' AND status = 'active' AND archived_at IS NULL"
    " AND deleted_at IS NULL LIMIT 1",
    {},
)


def names_of_user(_: Transaction, values: dict[str, Any], row: Mapping[str, Any] | None) -> None:
    """The user name is the mail address unless it is given; so is the full name what its parts make."""
    if row is None and values.get("username") is None:
        values["username"] = values.get("email")
    elif row is not None and "email" in values and follows_address(values, row):
        values["username"] = values["email"]
    if sends_back_fullname(values, row):
        del values["fullname"]
    if values.get("fullname") is None and not values.keys().isdisjoint(PARTS):
        known = {**(row or {}), **values}
        values["fullname"] = " ".join(known[part] for part in PARTS if known.get(part))[:FULLNAME_CHARACTERS] or None


def follows_address(values: Mapping[str, Any], user: Mapping[str, Any]) -> bool:
    """Whether a user gets another mail address whose user name is the one of before; clients send back the name that they got."""
    is_address = str(user["username"] or "").lower() == str(user["email"]).lower()
    return is_address and values["email"] != user["email"] and values.get("username", user["username"]) == user["username"]


def sends_back_fullname(values: Mapping[str, Any], user: Mapping[str, Any] | None) -> bool:
    """Whether a part of the name changes and the full name is the one that the client got."""
    if user is None or "fullname" not in values or values["fullname"] != user["fullname"]:
        return False
    return any(values[part] != user[part] for part in PARTS if part in values)


def follow_people(tx: Transaction, changes: Iterable[Change]) -> None:
    """What a change of users takes with it, whoever makes it.

    One who is archived or deleted is logged out everywhere, and so are their apps. Links that are out are void once the user has
    another email address or another password. An environment that has an active admin keeps one: 409. An app makes no admins and
    gives nobody another email address: 403.
    """
    for change in changes:
        old, new = change.old, change.new
        if new is not None:
            keep_from_apps(tx, old, new)
        if old is None:
            continue
        if is_present(old) and not is_present(new):
            end_access(tx, old["id"], "the user was deleted" if new is None else "the user was archived")
        elif change.moves("email", "password_hash"):
            void_links(tx, old["id"])
        if is_admin(old) and not is_admin(new):
            keep_an_admin(tx)


def keep_from_apps(tx: Transaction, old: Row | None, new: Row) -> None:
    """Refuse an app to make an admin, or to lead a user's mails elsewhere, where a link to a new password is sent."""
    is_raised = old is None or old["role"] != "admin" or (is_present(new) and not is_present(old))
    if new["role"] == "admin" and is_raised:
        refuse_apps(tx.actor, "make anybody an admin", "role")
    for name in ("email", "username"):
        if old is not None and old[name] != new[name]:
            refuse_apps(tx.actor, f"change the {name} of a user", name)


def follow_resources(tx: Transaction, changes: Iterable[Change]) -> None:
    """Whoever was a resource that is deleted is none any more: one who sees linked cards only sees none then."""
    user, gone = tx.object("user"), {change.row["id"] for change in changes if change.new is None}
    tx.update_many(user, [(row, {"resource_id": None}) for row in tx.among("user", "resource_id", gone)])


def is_present(user: Row | None) -> bool:
    return user is not None and user["deleted_at"] is None and user["archived_at"] is None


def is_admin(user: Row | None) -> bool:
    """Whether a user can act as an admin now."""
    return user is not None and is_present(user) and user["role"] == "admin" and user["status"] == "active"


def keep_an_admin(tx: Transaction) -> None:
    lock_environment(tx)  # two admins who demote each other at once come one after the other
    if not tx.run_named(ADMINS):
        raise refuse(CONFLICT, "this is the last active admin: make another user admin first", "role")


def end_access(tx: Transaction, user_id: str, reason: str) -> None:
    """End a user's sessions, the apps that act in their name, and the links that would let them in."""
    grant = tx.object("oauth_grant")
    end_sessions(tx, user_id)
    for row in tx.find(grant, user_id=user_id, revoked_at=None):
        tx.update(grant, row, {"revoked_at": tx.now, "reason": reason})
    void_links(tx, user_id)


def end_sessions(tx: Transaction, user_id: str) -> None:
    """Log a user out everywhere."""
    session = tx.object("session")
    tx.delete_many(session, tx.find(session, user_id=user_id))


def can_send(_: Transaction, values: dict[str, Any], row: Mapping[str, Any] | None) -> None:
    """A webhook may send when it is active and not suspended."""
    is_active = values.get("active", row["active"] if row else True)
    values["can_send"] = bool(is_active) and not (row and row["disabled_until"])
