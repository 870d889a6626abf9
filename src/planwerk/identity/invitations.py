"""What a link of an invitation opens: looked up for the page, used once by the form.

Comes in: the token of an address, and later a password's hash. Goes out: whom the link is for, and an active user. Whatever is
wrong with a link, the answer is None and tells nothing of the reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from planwerk.describe import Object
from planwerk.identity.sessions import close_sessions
from planwerk.rules.invitations import INVITE, RESET, make_link
from planwerk.rules.links import read_token
from planwerk.rules.mails import can_reach
from planwerk.rules.people import names_of_user
from planwerk.store.database import Database
from planwerk.store.environments import ACTIVE, SIGN_UP, activate, find_environment
from planwerk.store.statements import Statement
from planwerk.store.transaction import Row, Transaction

STATUS = {INVITE: "invited", RESET: "active"}  # that a user has until such a link is used
OPEN = (ACTIVE, SIGN_UP)  # environments whose links open
MOST = 20  # users of one email address who get a mail

# who gets a link by asking for one: a user who logs in elsewhere has no password here
ASKING = Statement(
    'SELECT e.id, u.id FROM environment e JOIN "user" u ON u.environment_id = e.id AND u.email IN ({email}, {lower})'
    " AND u.status = 'active' AND u.password_hash IS NOT NULL AND u.archived_at IS NULL AND u.deleted_at IS NULL"
    f" WHERE e.status = '{ACTIVE}' ORDER BY e.id, u.id LIMIT {MOST}",
    {},
)


@dataclass(frozen=True, slots=True)
class Invitation:
    """A link that opens: for whom, to which environment, and who has invited (empty where that was no user)."""

    id: str
    environment_id: str
    environment: str
    user_id: str
    email: str
    role: str
    firstname: str
    lastname: str
    inviter: str


async def find_invitation(database: Database, secret: bytes, token: str, purpose: str) -> Invitation | None:
    """What the token of an address opens; None if nothing (any more)."""
    named = read_token(secret, token)
    if named is None:
        return None
    environment_id, id = named
    return await database.read(environment_id, lambda tx: describe(tx, tx.first(tx.object("invitation"), id=id), purpose))


def describe(tx: Transaction, row: Row | None, purpose: str) -> Invitation | None:
    """The invitation of a row, if it opens now."""
    if row is None or row["purpose"] != purpose or row["used_at"] is not None or row["expires_at"] <= tx.now:
        return None
    environment = find_environment(tx, id=tx.environment_id)
    user, inviter = (tx.first(tx.object("user"), id=row[name]) if row[name] else None for name in ("user_id", "inviter_id"))
    if environment is None or environment.status not in OPEN:
        return None
    if user is None or user["archived_at"] is not None or user["status"] != STATUS[purpose]:
        return None
    names = {name: user[name] or "" for name in ("email", "role", "firstname", "lastname")}
    by = "" if inviter is None else inviter["fullname"] or inviter["email"]
    return Invitation(row["id"], environment.id, environment.name, user["id"], inviter=by, **names)


def use(tx: Transaction, id: str, purpose: str) -> Row | None:
    """The user of an invitation, which is used up by this; None if it does not open.

    The row is locked before it is judged, so of many who use a link at once one gets the user.
    """
    described: Object = tx.object("invitation")
    row = tx.get(described, id)
    opened = describe(tx, row, purpose)
    user = tx.get(tx.object("user"), opened.user_id) if opened else None
    if row is None or opened is None or user is None:
        return None
    tx.update(described, row, {"used_at": tx.now})
    return user


def accept(tx: Transaction, id: str, password_hash: str, names: Mapping[str, str]) -> Row | None:
    """The user who was invited, active now; None if the link does not open. `names` are `firstname` and `lastname`.

    An environment that waited for this is active from now on.
    """
    user = use(tx, id, INVITE)
    if user is None:
        return None
    values: dict[str, Any] = {"status": "active", "password_hash": password_hash, **{name: text for name, text in names.items() if text}}
    names_of_user(tx, values, user)
    environment = find_environment(tx, id=tx.environment_id)
    if environment is not None and environment.status == SIGN_UP:
        activate(tx, environment.id)
    return tx.update(tx.object("user"), user, values)


def set_password(tx: Transaction, id: str, password_hash: str) -> Row | None:
    """The user with another password and without sessions; None if the link does not open. A second factor stays."""
    user = use(tx, id, RESET)
    if user is None:
        return None
    close_sessions(tx, user["id"])
    return tx.update(tx.object("user"), user, {"password_hash": password_hash})


async def users_asking(database: Database, email: str) -> list[tuple[str, str]]:
    """(environment, user) of everybody with that email address who logs in with a password."""
    rows = await database.read("", lambda tx: tx.run_named(ASKING, email=email, lower=email.lower()))
    return [(row[0], row[1]) for row in rows]


def leave_reset(tx: Transaction, user_id: str) -> None:
    """A mail with a link by which the user sets another password.

    Nothing happens where no mail arrives: the links that are out, which an admin has handed over, would be void in vain.
    """
    user = tx.get(tx.object("user"), user_id)
    if user is not None and can_reach(tx, user["email"]):
        make_link(tx, user, RESET)
