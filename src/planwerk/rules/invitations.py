"""Inviting people, and letting them set a new password: an invitation, and a mail with its link.

Where no mail can be sent the answer to the request shows the link, once; it is stored nowhere. An app sees no link: it would open
an account when the app's connection is over. Of several invitations of a user for the same purpose the newest alone opens.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from planwerk.actor import Actor
from planwerk.errors import CONFLICT, NOT_FOUND, TOO_MANY_REQUESTS, refuse
from planwerk.fields import instant
from planwerk.rules.apps import is_app, refuse_apps
from planwerk.rules.links import link_to
from planwerk.rules.mails import can_reach, has_enough, send_mail
from planwerk.store.environments import find_environment
from planwerk.store.transaction import Row, Transaction

INVITE, RESET = "invite", "reset"
HOURS = {INVITE: 7 * 24, RESET: 1}  # for which a link opens


# ── what a request does ──


def name_invitation(tx: Transaction, values: dict[str, Any]) -> None:
    """A new user is invited; `invite_id` is the id of the invitation that `invite` makes."""
    values["invite_id"] = tx.new_id()


def invite(tx: Transaction, user: Row, old: Row | None) -> None:
    """Whoever is new gets an invitation."""
    if old is None:
        make_link(tx, user, INVITE, user["invite_id"])


def invite_again(tx: Transaction, actor: Actor, path: Mapping[str, str], given: Any) -> Row:  # noqa: ARG001 (the signature of an action)
    """A new invitation for a user who has not accepted one yet; those before it open nothing any more."""
    user = asked_user(tx, path["user_id"])
    if user["role"] == "admin":
        refuse_apps(actor, "invite an admin", "role")
    if user["status"] != "invited":
        raise refuse(CONFLICT, "this user has accepted an invitation; a lost password is replaced by POST /user/{user_id}/reset")
    return renew_invitation(tx, user)


def reset_password(tx: Transaction, actor: Actor, path: Mapping[str, str], given: Any) -> Row:  # noqa: ARG001
    """A link by which a user who has lost the password sets another; the old one holds until then."""
    refuse_apps(actor, "let a user set another password")
    user = asked_user(tx, path["user_id"])
    if user["status"] != "active":
        raise refuse(CONFLICT, "this user has not accepted the invitation; POST /user/{user_id}/invite makes another one")
    make_link(tx, user, RESET)
    return user


def asked_user(tx: Transaction, id: str) -> Row:
    """The user that a path names; 404 if there is none, 409 for one who is archived."""
    user = tx.get(tx.object("user"), id.lower())
    if user is None:
        raise refuse(NOT_FOUND, "user not found")
    if user["archived_at"] is not None:
        raise refuse(CONFLICT, "this user is archived; restore the user first")
    return user


# ── links ──


def renew_invitation(tx: Transaction, user: Row) -> Row:
    """The user with another invitation."""
    id = tx.new_id()
    make_link(tx, user, INVITE, id)
    return tx.update(tx.object("user"), user, {"invite_id": id})


def make_link(tx: Transaction, user: Row, purpose: str, id: str | None = None) -> None:
    """A link for the user, mailed or else revealed as `invite_link` or `reset_link`, though not to an app.

    Refuses with 429 when the recipient has got five such mails within an hour.
    """
    is_mailed = can_reach(tx, user["email"])
    if is_mailed and has_enough(tx, user["email"]):
        raise refuse(TOO_MANY_REQUESTS, f"{user['email']} has got enough of these mails; try again in an hour", "email", retry_after="3600")
    void_links(tx, user["id"], purpose)
    inviter = inviter_of(tx)
    expires = dt.datetime.fromisoformat(tx.now) + dt.timedelta(hours=HOURS[purpose])
    values = {"user_id": user["id"], "purpose": purpose, "inviter_id": inviter and inviter["id"], "expires_at": instant(expires)}
    invitation = tx.insert(tx.object("invitation"), values | ({"id": id} if id else {}))
    if is_mailed:
        environment = find_environment(tx, id=tx.environment_id)
        told = {"environment": environment.name if environment else "", "inviter": name_of(inviter), "role": user["role"]}
        send_mail(tx, user["email"], purpose, {"invitation_id": invitation["id"], **told})
    elif not is_app(tx.actor):
        tx.reveal(**{f"{purpose}_link": link_to(tx.settings, tx.environment_id, invitation["id"], purpose)})


def void_links(tx: Transaction, user_id: str, *purposes: str) -> None:
    """The links of a user that nobody has used open nothing any more; without purposes all of them."""
    invitation = tx.object("invitation")
    found = tx.find(invitation, user_id=user_id, used_at=None)
    tx.delete_many(invitation, [row for row in found if not purposes or row["purpose"] in purposes])


def inviter_of(tx: Transaction) -> Row | None:
    """The user in whose name the request came; None for an API key and the command line."""
    id = tx.actor.user_id if tx.actor else None
    return tx.first(tx.object("user"), id=id) if id else None


def name_of(user: Row | None) -> str:
    return "" if user is None else str(user["fullname"] or user["email"])
