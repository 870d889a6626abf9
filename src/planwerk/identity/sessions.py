"""Sessions of the browser: opened by a login, found by the cookie, closed by whoever owns them.

The cookie is an opaque token, of which only the hash is stored. A session ends when it has not been used for
`session_hours`; its use is written down once an hour at most, and once in a 24th of that time where that is less.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from planwerk.fields import instant
from planwerk.identity.opaque import environment_in, new_token, token_hash
from planwerk.identity.passwords import mark_of
from planwerk.store.database import Database
from planwerk.store.statements import Statement
from planwerk.store.transaction import Row, Transaction

WRITTEN_EVERY = dt.timedelta(hours=1)
PARTS = 24  # of a short session, after each of which its use is written

FIND = Statement(
    "SELECT s.id, s.user_id, s.last_used_at, s.others, s.method, e.name, e.hash, u.email, u.role, u.fullname, u.password_hash"
    " FROM environment e JOIN session s ON s.environment_id = e.id AND s.token_hash = {hash} AND s.expires_at > {now}"
    " AND s.deleted_at IS NULL JOIN \"user\" u ON u.environment_id = e.id AND u.id = s.user_id AND u.status = 'active'"
    " AND u.archived_at IS NULL AND u.deleted_at IS NULL WHERE e.id = {tenant} AND e.status = 'active'",
    {},
)
# a login is no change of the user: the version that clients have read stays the same
NOTE_LOGIN = Statement('UPDATE "user" SET last_login_at = {now} WHERE environment_id = {environment} AND id = {id}', {})


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is logged in: one user of one environment, by one session. `others` are the same person's users elsewhere."""

    token: str
    session_id: str
    environment_id: str
    environment: str
    api_env: str
    user_id: str
    email: str
    role: str
    name: str
    has_password: bool
    method: str
    last_used_at: str
    others: tuple[dict[str, str], ...]
    mark: str  # of the password; see `passwords.mark_of`


def open_session(
    tx: Transaction, user: Row, *, method: str = "password", address: str = "", agent: str = "", others: Sequence[dict[str, str]] = ()
) -> str:
    """The cookie of a new session of the user, who has just proved who they are."""
    token = new_token(tx.environment_id)
    values: dict[str, Any] = {
        "user_id": user["id"],
        "token_hash": token_hash(token),
        "method": method,
        "address": address[:255],
        "agent": agent[:255],
        "others": orjson.dumps(list(others)).decode(),
        "last_used_at": tx.now,
        "expires_at": end_of_session(tx),
    }
    tx.insert(tx.object("session"), values)
    tx.run_named(NOTE_LOGIN, id=user["id"], now=tx.now)
    return token


def end_of_session(tx: Transaction) -> str:
    return instant(dt.datetime.fromisoformat(tx.now) + dt.timedelta(hours=tx.settings.session_hours))


async def find_visitor(database: Database, token: str, now: str) -> Visitor | None:
    """Who the cookie of a browser belongs to; None if to nobody any more. `now` is an API timestamp."""
    environment_id = environment_in(token)
    if environment_id is None:
        return None
    values = {"tenant": environment_id, "hash": token_hash(token), "now": now}
    row = await database.fetch(database.statements.named(FIND), values)
    if row is None:
        return None
    id, user_id, last_used_at, others, method, name, hash, email, role, fullname, password_hash = row
    return Visitor(
        token=token,
        session_id=id,
        environment_id=environment_id,
        environment=name,
        api_env=hash,
        user_id=user_id,
        email=email,
        role=role,
        name=fullname or email,
        has_password=bool(password_hash),
        method=method,
        last_used_at=last_used_at,
        others=tuple(orjson.loads(others or "[]")),
        mark=mark_of(password_hash),
    )


def use_session(tx: Transaction, visitor: Visitor) -> None:
    """Keep a session alive that is used; nothing is written shortly after the last time."""
    session = tx.get(tx.object("session"), visitor.session_id)
    if session is not None and is_written_long_ago(session["last_used_at"], tx.now, tx.settings.session_hours):
        tx.update(tx.object("session"), session, {"last_used_at": tx.now, "expires_at": end_of_session(tx)})


def is_written_long_ago(last_used_at: str, now: str, session_hours: int) -> bool:
    """Whether the use of a session is to be written down again."""
    written_every = min(WRITTEN_EVERY, dt.timedelta(hours=session_hours) / PARTS)
    return dt.datetime.fromisoformat(now) - dt.datetime.fromisoformat(last_used_at) >= written_every


def close_session(tx: Transaction, id: str) -> None:
    """End a session; nothing happens if it has ended."""
    session = tx.get(tx.object("session"), id)
    if session is not None:
        tx.delete(tx.object("session"), session)


def close_sessions(tx: Transaction, user_id: str, *, but: str = "") -> int:
    """End every session of a user except one; how many were ended."""
    sessions = [row for row in tx.find(tx.object("session"), user_id=user_id) if row["id"] != but]
    tx.delete_many(tx.object("session"), sessions)
    return len(sessions)
