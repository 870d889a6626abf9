"""Connections of users with apps: the rows of `oauth_grant`, each the head of one family of codes and refresh tokens.

A connection begins when a user allows an app, and is over when it is revoked: then nothing of its family works any more.
Whoever redeems a code or a token, or revokes, locks the connection first; so only one of them happens at a time.
"""

import datetime as dt
from dataclasses import dataclass

from planwerk.catalog.oauth_client import OAUTH_CLIENT
from planwerk.catalog.oauth_grant import OAUTH_CODE, OAUTH_GRANT, OAUTH_TOKEN
from planwerk.errors import NOT_FOUND, refuse
from planwerk.fields import instant
from planwerk.identity.opaque import new_token, token_hash
from planwerk.oauth.clients import Client
from planwerk.store.database import Database
from planwerk.store.statements import Statement
from planwerk.store.transaction import Row, Transaction

CODE_SECONDS = 60
REFRESH_DAYS = 30

# Apps are registered in other environments, so this list is the server's own work and names its environment {tenant}.
LIST = Statement(
    "SELECT g.id, g.client_id, c.name, o.name, u.id, u.email, g.created_at, g.last_used_at FROM oauth_grant g"
    " JOIN oauth_client c ON c.environment_id = g.client_environment_id AND c.id = g.client_id AND c.deleted_at IS NULL"
    ' JOIN environment o ON o.id = c.environment_id JOIN "user" u ON u.environment_id = g.environment_id AND u.id = g.user_id'
    " AND u.deleted_at IS NULL WHERE g.environment_id = {tenant} AND g.deleted_at IS NULL AND g.revoked_at IS NULL"
    " AND (g.expires_at IS NULL OR g.expires_at > {now}) ORDER BY u.email, c.name, g.client_id, g.id",
    {},
)
HOLDERS = Statement(
    "SELECT DISTINCT g.environment_id FROM environment e JOIN oauth_grant g ON g.environment_id = e.id AND g.client_id = {client}"
    " AND g.deleted_at IS NULL AND g.revoked_at IS NULL",
    {},
)
CONNECTED_ELSEWHERE = Statement(
    "SELECT DISTINCT g.environment_id, g.client_id FROM environment e JOIN oauth_grant g ON g.environment_id = e.id"
    " AND g.client_environment_id = {owner} AND g.deleted_at IS NULL AND g.revoked_at IS NULL WHERE e.id <> {owner}",
    {},
)


@dataclass(frozen=True)
class Connection:
    """What one user has with one app: since when, and when tokens were fetched last (null: not yet)."""

    client_id: str
    app: str
    owner: str
    user_id: str
    email: str
    since: str
    last_used_at: str | None


def connect(tx: Transaction, client: Client, user_id: str) -> Row:
    """A user allows an app: a connection that lapses with its code unless the app fetches tokens."""
    values = {"client_id": client.id, "client_environment_id": client.owner_id, "user_id": user_id}
    return tx.insert(OAUTH_GRANT, {**values, "expires_at": after(tx, seconds=CODE_SECONDS)})


def new_code(tx: Transaction, grant: Row, redirect_uri: str, challenge: str | None) -> str:
    """A code for a connection, good for a minute and for this address and challenge only."""
    code = new_token(tx.environment_id)
    values = {"code_hash": token_hash(code), "grant_id": grant["id"], "redirect_uri": redirect_uri, "code_challenge": challenge}
    tx.insert(OAUTH_CODE, {**values, "expires_at": grant["expires_at"]})
    return code


def new_refresh_token(tx: Transaction, grant: Row) -> str:
    """A refresh token of a connection, good for thirty days; the connection lives as long."""
    token, until = new_token(tx.environment_id), after(tx, days=REFRESH_DAYS)
    tx.insert(OAUTH_TOKEN, {"token_hash": token_hash(token), "grant_id": grant["id"], "expires_at": until})
    tx.write(OAUTH_GRANT, grant, {"last_used_at": tx.now, "expires_at": until})
    return token


def hold(tx: Transaction, id: str) -> Row | None:
    """The connection, locked until the transaction ends; None if it is revoked or gone."""
    grant = tx.get(OAUTH_GRANT, id)
    return None if grant is None or grant["revoked_at"] is not None else grant


def revoke(tx: Transaction, id: str, reason: str) -> bool:
    """End a connection; False if it was over."""
    grant = hold(tx, id)
    if grant is not None:
        tx.update(OAUTH_GRANT, grant, {"revoked_at": tx.now, "reason": reason})
    return grant is not None


def revoke_all(tx: Transaction, reason: str, *, client_id: str, user_id: str | None = None) -> int:
    """End the connections of an app in the environment, all or those of one user; how many there were."""
    found = tx.find(OAUTH_GRANT, client_id=client_id, revoked_at=None)
    return sum(revoke(tx, grant["id"], reason) for grant in found if user_id in (None, grant["user_id"]))


def list_connections(tx: Transaction, environment_id: str) -> list[Connection]:
    """The living connections of an environment's users, one for each user and app; to be read outside the walls."""
    merged: dict[tuple[str, str], Connection] = {}
    for _, client_id, app, owner, user_id, email, since, used in tx.run_named(LIST, tenant=environment_id, now=tx.now):
        known = merged.get((user_id, client_id))
        last = max(filter(None, (used, known and known.last_used_at)), default=None)
        merged[user_id, client_id] = Connection(client_id, app, owner, user_id, email, known.since if known else since, last)
    return list(merged.values())


def environments_with(tx: Transaction, client_id: str) -> list[str]:
    """The environments in which somebody has connected an app; to be read outside the walls."""
    return [row[0] for row in tx.run_named(HOLDERS, client=client_id)]


def connected_elsewhere(tx: Transaction, environment_id: str) -> list[tuple[str, str]]:
    """(another environment, app) for each app of an environment that somebody has connected there; to be read outside the walls."""
    return [(holder, client_id) for holder, client_id in tx.run_named(CONNECTED_ELSEWHERE, owner=environment_id)]


async def delete_client(database: Database, environment_id: str, client_id: str) -> int:
    """Delete an app of an environment, and end its connections everywhere; how many there were. Refuses with 404.

    With the app itself all its tokens are void already (`identity.tokens`), so the connections may end one environment at a time.
    """

    def delete(tx: Transaction) -> None:
        client = tx.get(OAUTH_CLIENT, client_id)
        if client is None:
            raise refuse(NOT_FOUND, "there is no such app")
        tx.delete(OAUTH_CLIENT, client)

    await database.write(environment_id, delete)
    holders = await database.read("", lambda tx: environments_with(tx, client_id))
    ended = [await database.write(holder, lambda tx: revoke_all(tx, "the app was deleted", client_id=client_id)) for holder in holders]
    return sum(ended)


def after(tx: Transaction, **time: int) -> str:
    return instant(dt.datetime.fromisoformat(tx.now) + dt.timedelta(**time))
