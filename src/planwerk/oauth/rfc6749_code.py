"""The authorization code grant (RFC 6749, section 4.1): what is right with the request of an app, and a code → tokens, once.

Which of many redemptions wins is decided by one conditional UPDATE. One that comes later ends the connection, for then
somebody else may have the code (section 4.1.2).
"""

from typing import Any

from authlib.oauth2.rfc6749 import AuthorizationCodeGrant, InvalidGrantError, InvalidRequestError, UnsupportedResponseTypeError

from planwerk.catalog.oauth_grant import OAUTH_CODE
from planwerk.identity.opaque import token_hash
from planwerk.oauth.clients import Client
from planwerk.oauth.connections import hold, revoke
from planwerk.store.statements import Statement
from planwerk.store.transaction import Row

METHODS = ["none", "client_secret_basic", "client_secret_post"]

# Whether the connection still lives, with its user and environment. The columns set by the claims are hidden, so no document moves.
LIVES = (
    " AND deleted_at IS NULL AND expires_at > {now} AND EXISTS (SELECT 1 FROM oauth_grant g JOIN environment e ON e.id = g.environment_id"
    " AND e.status = 'active' JOIN \"user\" u ON u.environment_id = g.environment_id AND u.id = g.user_id AND u.status = 'active'"
    " AND u.archived_at IS NULL AND u.deleted_at IS NULL WHERE g.environment_id = {environment} AND g.id = {grant}"
    " AND g.revoked_at IS NULL AND g.deleted_at IS NULL) RETURNING id"
)
CLAIM = Statement(
    f"UPDATE oauth_code SET used_at = {{now}} WHERE environment_id = {{environment}} AND id = {{id}} AND used_at IS NULL{LIVES}", {}
)
NOT_VALID = "the code is not valid: unknown, expired, used before, or made for another app, address or user"


class Code:
    """A stored code, as Authlib asks about it."""

    def __init__(self, row: Row) -> None:
        self.row = row
        self.code_challenge = row["code_challenge"]

    def get_redirect_uri(self) -> str:
        return str(self.row["redirect_uri"])

    def get_scope(self) -> str:
        return ""


class CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]  # Authlib is untyped
    """Authlib's grant over our tables; `server` is the `Server` of one transaction."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    def __init__(self, request: Any, server: Any) -> None:
        super().__init__(request, server)
        self.register_hook("before_validate_authorization_request_payload", require_code)

    @staticmethod
    def validate_authorization_redirect_uri(request: Any, client: Client) -> str:
        """The address to return to, which must be sent and be registered; until then no answer goes to it."""
        address = request.parameters.get("redirect_uri")
        if address is None:
            raise InvalidRequestError("redirect_uri is missing")
        if not client.check_redirect_uri(address):
            raise InvalidRequestError("redirect_uri is not registered for this app")
        return str(address)

    def query_authorization_code(self, code: str, client: Client) -> Code | None:
        """A code of the app, whether it is still good or not."""
        tx = self.server.tx
        row = tx.first(OAUTH_CODE, code_hash=token_hash(code))
        return None if row is None or self.server.grant_of(row, client) is None else Code(row)

    def authenticate_user(self, code: Code) -> Row:
        """The connection that the code opens, to this request and no other."""
        tx = self.server.tx
        grant = hold(tx, code.row["grant_id"])
        if grant is not None and tx.run_named(CLAIM, id=code.row["id"], grant=grant["id"], now=tx.now):
            return grant
        now = tx.first(OAUTH_CODE, id=code.row["id"])
        if now is not None and now["used_at"] is not None:
            revoke(tx, code.row["grant_id"], "a code was used twice")
        raise InvalidGrantError(NOT_VALID)

    def delete_authorization_code(self, _: Code) -> None:
        """The claim has done it."""


def require_code(grant: CodeGrant, _: str) -> None:
    """response_type must be code, the only one there is."""
    asked = grant.request.payload.response_type
    if asked is None:
        raise InvalidRequestError("response_type is missing")
    if asked != "code":
        raise UnsupportedResponseTypeError("other than code")
