"""Email and password → the users they open. A person may be a user of several environments, each with a password of its own.

Comes in: what was typed at the login, or a visitor. Goes out: users that were proved, and sessions of them. A user who is
proved but not the one of the session is remembered with the mark of its password, so that a changed password voids it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field as attribute, replace
from typing import Any

from planwerk.identity.passwords import Passwords, mark_of
from planwerk.identity.sessions import Visitor, close_session, open_session
from planwerk.identity.totp import take_code
from planwerk.store.database import Database
from planwerk.store.statements import Statement
from planwerk.store.transaction import Row, Transaction

MOST = 10  # users of one email that a login tries; those that were used last come first
CHECKS = 3  # of a login that fails, at least: of how many users an email is, up to so many, its time does not tell

LIVES = "e.status = 'active' AND u.status = 'active' AND u.archived_at IS NULL AND u.deleted_at IS NULL"
FIND = Statement(
    'SELECT e.id, u.id, u.password_hash, u.mfa_enabled FROM environment e JOIN "user" u ON u.environment_id = e.id'
    f" AND u.email IN ({{email}}, {{lower}}) WHERE {LIVES} AND u.password_hash IS NOT NULL"
    f" ORDER BY u.last_login_at IS NULL, u.last_login_at DESC, e.id, u.id LIMIT {MOST}",
    {},
)
LOOK = Statement(
    'SELECT e.name, u.role, u.password_hash, u.mfa_enabled FROM environment e JOIN "user" u ON u.environment_id = e.id'
    f" AND u.id = {{id}} WHERE e.id = {{tenant}} AND {LIVES}",
    {},
)
UPGRADE = Statement(
    'UPDATE "user" SET password_hash = {new} WHERE environment_id = {environment} AND id = {id} AND password_hash = {old}', {}
)


@dataclass(frozen=True, slots=True)
class Login:
    """A user who was proved by a password. `asks_code`: a second factor has to follow."""

    environment_id: str
    user_id: str
    mark: str
    asks_code: bool = False
    hash: str = attribute(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Proof:
    """What a password opened, the user last logged in first; `is_whole` if it fitted every user of the email."""

    logins: tuple[Login, ...]
    is_whole: bool


async def prove(database: Database, passwords: Passwords, email: str, password: str) -> Proof:
    """The users of an email whose password it is; if there are none, after the time of `CHECKS` at least, whoever is asked for."""
    rows = await database.read("", lambda tx: tx.run_named(FIND, email=email, lower=email.lower()))
    known = [Login(row[0], row[1], mark_of(row[2]), bool(row[3]), row[2]) for row in rows]
    fitting = [login for login in known if await passwords.apart(passwords.fits, login.hash, password)]
    if not fitting:
        for _ in range(CHECKS - len(known)):
            await passwords.apart(passwords.fits, None, password)
    logins = [await with_strong_hash(database, passwords, login, password) for login in fitting]
    return Proof(tuple(logins), bool(logins) and len(logins) == len(known))


async def with_strong_hash(database: Database, passwords: Passwords, login: Login, password: str) -> Login:
    """The login, after its hash was made anew if it was weaker than new ones are."""
    new = await passwords.apart(passwords.renewed, login.hash, password)
    if new == login.hash:
        return login
    await database.write(login.environment_id, lambda tx: tx.run_named(UPGRADE, id=login.user_id, old=login.hash, new=new))
    return replace(login, hash=new, mark=mark_of(new))


def enter(tx: Transaction, login: Login, others: Iterable[Login], *, code: str = "", address: str = "", agent: str = "") -> str | None:
    """The cookie of a new session of a proved user; None if the user's code is wrong, or nothing is to be entered any more."""
    user = proved_user(tx, login)
    if user is None or (user["mfa_enabled"] and not take_code(tx, user, code)):
        return None
    return open_session(
        tx, user, address=address, agent=agent, others=[remembered(other) for other in others if other.user_id != login.user_id]
    )


def proved_user(tx: Transaction, login: Login) -> Row | None:
    """The living user of a login, unless the password was changed since."""
    user = tx.get(tx.object("user"), login.user_id)
    if user is None or user["status"] != "active" or user["archived_at"] is not None:
        return None
    return user if login.mark and mark_of(user["password_hash"]) == login.mark else None


def remembered(login: Login) -> dict[str, str]:
    """A login as a session remembers it."""
    return {"environment_id": login.environment_id, "user_id": login.user_id, "mark": login.mark}


def recalled(other: Mapping[str, str]) -> Login:
    """What `remembered` gave, as a login again."""
    return Login(other["environment_id"], other["user_id"], other["mark"])


# ── several environments ──


@dataclass(frozen=True, slots=True)
class Membership:
    """A user of the person who visits, with the name of its environment. `is_current`: it is the session's."""

    login: Login
    environment: str
    role: str
    is_current: bool

    @property
    def environment_id(self) -> str:
        return self.login.environment_id

    @property
    def user_id(self) -> str:
        return self.login.user_id


async def users_of(database: Database, visitor: Visitor) -> list[Membership]:
    """The living users of the person who visits, by the names of their environments.

    One whose login asks for a code (`login.asks_code`) is proved by its password only: let the person go through
    /environments before anything is done in its name.
    """
    logins = [Login(visitor.environment_id, visitor.user_id, visitor.mark), *map(recalled, visitor.others)]
    found = [await membership(database, login, is_current=not place) for place, login in enumerate(logins)]
    return sorted((item for item in found if item is not None), key=lambda item: (item.environment.casefold(), item.user_id))


async def membership(database: Database, login: Login, *, is_current: bool) -> Membership | None:
    row: Any = await database.fetch(database.statements.named(LOOK), {"tenant": login.environment_id, "id": login.user_id})
    if row is None or mark_of(row[2]) != login.mark:
        return None
    asks_code = bool(row[3]) and not is_current
    return Membership(replace(login, asks_code=asks_code), row[0], row[1], is_current)


async def switch(database: Database, visitor: Visitor, target: Login, *, code: str = "", address: str = "", agent: str = "") -> str | None:
    """The cookie of a session of another user of the same person, in place of the one there is; None as for `enter`."""
    current = Login(visitor.environment_id, visitor.user_id, visitor.mark)
    rest = [current, *map(recalled, visitor.others)]
    cookie = await database.write(target.environment_id, lambda tx: enter(tx, target, rest, code=code, address=address, agent=agent))
    if cookie is not None:
        await database.write(visitor.environment_id, lambda tx: close_session(tx, visitor.session_id))
    return cookie
