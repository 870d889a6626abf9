"""Refresh tokens (RFC 6749, section 6): each works once, and gives way to a new one.

One that comes again ends the connection, for it may be stolen (RFC 9700, section 4.14.2); not within ten seconds, when it is
rather the same app that asked twice.
"""

import datetime as dt
from typing import Any

from authlib.oauth2.rfc6749 import InvalidGrantError, RefreshTokenGrant

from planwerk.catalog.oauth_grant import OAUTH_TOKEN
from planwerk.identity.opaque import token_hash
from planwerk.oauth.clients import Client
from planwerk.oauth.connections import hold, revoke
from planwerk.oauth.rfc6749_code import LIVES, METHODS
from planwerk.store.statements import Statement
from planwerk.store.transaction import Row

GRACE_SECONDS = 10

CLAIM = Statement(
    f"UPDATE oauth_token SET rotated_at = {{now}} WHERE environment_id = {{environment}} AND id = {{id}} AND rotated_at IS NULL{LIVES}", {}
)
NOT_VALID = "the refresh token is not valid: unknown, expired, used before, revoked, or of another app or user"


class RefreshToken:
    """A stored refresh token, as Authlib asks about it."""

    def __init__(self, row: Row) -> None:
        self.row = row

    def check_client(self, _: Client) -> bool:
        """True: it was looked up for this app."""
        return True

    def get_scope(self) -> str:
        return ""


class RefreshGrant(RefreshTokenGrant):  # type: ignore[misc]  # Authlib is untyped
    """Authlib's grant over our tables; `server` is the `Server` of one transaction."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS
    INCLUDE_NEW_REFRESH_TOKEN = True

    def _validate_token_scope(self, _: Any) -> None:
        """Scopes are ignored."""

    def authenticate_refresh_token(self, token: str) -> RefreshToken:
        """A token of the app, whether it is still good or not."""
        row = self.server.tx.first(OAUTH_TOKEN, token_hash=token_hash(token))
        if row is None or self.server.grant_of(row, self.request.client) is None:
            raise InvalidGrantError(NOT_VALID)
        return RefreshToken(row)

    def authenticate_user(self, token: RefreshToken) -> Row:
        """The connection that the token opens, to this request and no other."""
        tx = self.server.tx
        grant = hold(tx, token.row["grant_id"])
        if grant is not None and tx.run_named(CLAIM, id=token.row["id"], grant=grant["id"], now=tx.now):
            return grant
        now = tx.first(OAUTH_TOKEN, id=token.row["id"])
        if now is not None and now["rotated_at"] is not None and is_replay(now["rotated_at"], tx.now):
            revoke(tx, token.row["grant_id"], "a refresh token was used twice")
        raise InvalidGrantError(NOT_VALID)

    def revoke_old_credential(self, _: RefreshToken) -> None:
        """The claim has done it."""


def is_replay(rotated_at: str, now: str) -> bool:
    """Whether a token comes again so late that it was not the same app asking twice.

    >>> is_replay("2026-03-02T08:00:00Z", "2026-03-02T08:00:10Z"), is_replay("2026-03-02T08:00:00Z", "2026-03-02T08:00:11Z")
    (False, True)
    """
    return dt.datetime.fromisoformat(now) - dt.datetime.fromisoformat(rotated_at) > dt.timedelta(seconds=GRACE_SECONDS)
