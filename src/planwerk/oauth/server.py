"""Authlib's authorization server inside one transaction of ours: what it decides and what it writes are committed together.

Comes in: a transaction of the user's environment, and the app, which lives in another one. Goes out: an `Outcome`. A refusal of
the protocol is an outcome like any other, so that what it must write (a stolen code ends its connection) is kept.
"""

import logging
from dataclasses import dataclass, field as attribute
from typing import Any

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AuthorizationServer

from planwerk.catalog.oauth_grant import OAUTH_GRANT
from planwerk.identity.tokens import oauth_token
from planwerk.oauth.clients import Client
from planwerk.oauth.connections import new_refresh_token
from planwerk.oauth.request import OAuthRequest
from planwerk.oauth.rfc6749_code import CodeGrant
from planwerk.oauth.rfc6749_refresh import RefreshGrant
from planwerk.oauth.rfc7009_revoke import Revocation
from planwerk.oauth.rfc7636_pkce import Pkce
from planwerk.store.transaction import Row, Transaction

logging.getLogger("authlib").setLevel(logging.INFO)  # its debug lines hold tokens


@dataclass(frozen=True)
class Outcome:
    """What an endpoint answers: the body of a success, or the error."""

    body: dict[str, Any] = attribute(default_factory=dict)
    error: OAuth2Error | None = None


class Server(AuthorizationServer):  # type: ignore[misc]  # Authlib is untyped
    """The authorization server for one request of one app; `client` is None if the app is not known."""

    def __init__(self, tx: Transaction, client: Client | None) -> None:
        super().__init__()
        self.tx = tx
        self.client = client
        self.register_grant(CodeGrant, [Pkce()])
        self.register_grant(RefreshGrant)
        self.register_endpoint(Revocation)

    def query_client(self, client_id: str) -> Client | None:
        return self.client if self.client is not None and self.client.id == client_id else None

    def grant_of(self, row: Row, client: Client) -> Row | None:
        """The connection that a code or token is of, if it is the app's; not locked, and perhaps revoked."""
        return self.tx.first(OAUTH_GRANT, id=row["grant_id"], client_id=client.id)

    def get_authorization_grant(self, request: OAuthRequest) -> CodeGrant:
        """There is one; it judges response_type itself, once the address to return to is proved."""
        grant = CodeGrant(request, self)
        Pkce()(grant)
        return grant

    def generate_token(self, *_: Any, user: Row, **__: Any) -> dict[str, Any]:
        """The tokens of a connection, which Authlib calls the user (RFC 6749, section 5.1)."""
        return {
            "access_token": oauth_token(self.tx, user),
            "token_type": "Bearer",
            "expires_in": self.tx.settings.access_token_seconds,
            "refresh_token": new_refresh_token(self.tx, user),
        }

    def save_token(self, token: dict[str, Any], request: OAuthRequest) -> None:
        """Making it has stored what is stored of it."""

    def send_signal(self, name: str, *args: Any, **named: Any) -> None:
        """Nobody listens."""

    def create_oauth2_request(self, request: OAuthRequest) -> OAuthRequest:
        return request

    def handle_response(self, status: int, body: Any, headers: Any) -> Outcome:  # noqa: ARG002
        return Outcome(body)

    def handle_error_response(self, request: OAuthRequest, error: OAuth2Error) -> Outcome:  # noqa: ARG002
        return Outcome(error=error)
