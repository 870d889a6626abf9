"""Turning a second factor off: by the person with a code (`web.factor`), or by an admin where the device and the codes are lost."""

from collections.abc import Mapping
from typing import Any

from planwerk.actor import Actor
from planwerk.errors import CONFLICT, refuse
from planwerk.rules.apps import refuse_apps
from planwerk.rules.invitations import asked_user, inviter_of, name_of
from planwerk.rules.mails import send_mail
from planwerk.rules.people import end_sessions
from planwerk.store.environments import find_environment
from planwerk.store.transaction import Row, Transaction

TOLD = "factor_off"  # the template of the mail


def turn_off(tx: Transaction, user: Row) -> Row:
    """Logins ask for no code any more; the secret is forgotten."""
    values = {"mfa_enabled": False, "totp_secret": None, "totp_step": None, "recovery_hashes": "[]"}
    return tx.update(tx.object("user"), user, values)


def turn_off_factor(tx: Transaction, actor: Actor, path: Mapping[str, str], given: Any) -> Row:  # noqa: ARG001 (the signature of an action)
    """The action: `turn_off_lost` for those who may."""
    refuse_apps(actor, "turn off a second factor")
    return turn_off_lost(tx, asked_user(tx, path["user_id"]))


def turn_off_lost(tx: Transaction, user: Row) -> Row:
    """The user without a second factor, logged out everywhere, and told so by mail; refuses with 409 where it is not on."""
    if not user["mfa_enabled"]:
        raise refuse(CONFLICT, "this user has no second factor")
    changed = turn_off(tx, user)
    end_sessions(tx, user["id"])
    environment = find_environment(tx, id=tx.environment_id)
    told = {"environment": environment.name if environment else "", "admin": name_of(inviter_of(tx))}
    send_mail(tx, user["email"], TOLD, told)
    return changed
