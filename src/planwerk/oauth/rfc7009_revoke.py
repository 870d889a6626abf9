"""Revocation (RFC 7009): an app gives back a refresh or an access token, and with it the whole connection.

A token that is unknown, over already or another app's changes nothing, and the answer is the same.
"""

from typing import Any

from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oauth2.rfc7009 import RevocationEndpoint

from planwerk.catalog.oauth_grant import OAUTH_TOKEN
from planwerk.identity.opaque import token_hash
from planwerk.oauth.clients import Client
from planwerk.oauth.connections import revoke
from planwerk.oauth.rfc6749_code import METHODS
from planwerk.store.transaction import Row


class Revocation(RevocationEndpoint):  # type: ignore[misc]  # Authlib is untyped
    """Authlib's endpoint over our tables."""

    CLIENT_AUTH_METHODS = METHODS

    def authenticate_token(self, request: Any, client: Client) -> Row | None:
        """The connection that the token is of. The hint is not needed: the two kinds cannot be mistaken for each other."""
        token = request.parameters.get("token")
        if token is None:
            raise InvalidRequestError("token is missing")
        if request.grant_id is not None:  # of an access token, whose signature was judged before
            return self.server.grant_of({"grant_id": request.grant_id}, client)  # type: ignore[no-any-return]
        row: Row | None = self.server.tx.first(OAUTH_TOKEN, token_hash=token_hash(token))
        return None if row is None else self.server.grant_of(row, client)

    def revoke_token(self, grant: Row, _: Any) -> None:
        revoke(self.server.tx, grant["id"], "the app gave its token back")
