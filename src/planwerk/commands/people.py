"""Users on the command line: invite, reset, turn off a second factor, list, archive. Each function returns what is shown, as JSON keys.

Links are in what is returned where no mail is sent; they are shown once.
"""

from collections.abc import Callable
from typing import Any

from planwerk.catalog.user import USER
from planwerk.commands import Impossible
from planwerk.commands.opened import environment_of, existing
from planwerk.fields import Bad
from planwerk.identity.registration import invite_user
from planwerk.rules.invitations import RESET, make_link, renew_invitation
from planwerk.rules.second_factor import turn_off_lost
from planwerk.settings import Settings
from planwerk.start import read_email
from planwerk.store.transaction import Row, Transaction

SHOWN = ("id", "email", "fullname", "role", "status", "last_login_at", "archived_at")


def invite(settings: Settings, environment: str | None, email: str, role: str) -> dict[str, Any]:
    """A new user with an invitation; for one who was invited before, another invitation, to the role that is given now."""
    try:
        address = read_email(email)
        USER.field["role"].read(role)
    except Bad as bad:
        raise Impossible(f"{email} {bad.description}") from None

    def work(tx: Transaction) -> Row:
        known = tx.first(USER, email=address)
        if known is not None and known["status"] != "invited":
            raise Impossible(f"{address} is a user already; `planwerk user reset` makes a link for a lost password")
        if known is None:
            return invite_user(tx, {"email": address, "role": role})
        return renew_invitation(tx, tx.update(USER, present(known), {"role": role}))

    return written(settings, environment, work, "invite_link")


def reset(settings: Settings, environment: str | None, email: str) -> dict[str, Any]:
    """A link by which the user sets a new password."""

    def work(tx: Transaction) -> Row:
        user = present(user_of(tx, email))
        if user["status"] != "active":
            raise Impossible(f"{email} has not accepted the invitation; `planwerk user invite` makes another one")
        make_link(tx, user, RESET)
        return user

    return written(settings, environment, work, "reset_link")


def factor_off(settings: Settings, environment: str | None, email: str) -> dict[str, Any]:
    """The user logs in without a code from now on, and is logged out everywhere; refuses one who has no second factor."""
    return written(settings, environment, lambda tx: turn_off_lost(tx, present(user_of(tx, email))))


def archive(settings: Settings, environment: str | None, email: str) -> dict[str, Any]:
    """The user is logged out everywhere and cannot log in again until restored; refuses the last active admin."""

    def work(tx: Transaction) -> Row:
        user = user_of(tx, email)
        return tx.update(USER, user, {"archived_at": user["archived_at"] or tx.now})

    return written(settings, environment, work)


def users(settings: Settings, environment: str | None) -> list[dict[str, Any]]:
    """Everybody in the environment, archived users included, by email address."""
    with existing(settings) as database:
        found = environment_of(database, environment)
        rows = database.write_now(found.id, lambda tx: tx.find(USER, order=("email",)))
    return [{name: row[name] for name in SHOWN} for row in rows]


def user_of(tx: Transaction, email: str) -> Row:
    found = tx.first(USER, email=email) or tx.first(USER, email=email.lower())
    if found is None:
        raise Impossible(f"there is no user {email}")
    return found


def present(user: Row) -> Row:
    if user["archived_at"] is not None:
        raise Impossible(f"{user['email']} is archived")
    return user


def written(settings: Settings, environment: str | None, work: Callable[[Transaction], Row], link: str = "") -> dict[str, Any]:
    """What became of the user, and the link, or that it was mailed."""
    with existing(settings) as database:
        found = environment_of(database, environment)

        def whole(tx: Transaction) -> dict[str, Any]:
            user = work(tx)
            about = {"id": user["id"], "email": user["email"], "role": user["role"], "environment": found.name}
            return {**about, link: tx.revealed[link]} if link in tx.revealed else {**about, "is_mailed": True} if link else about

        return database.write_now(found.id, whole)
