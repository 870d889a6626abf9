"""An OAuth client: an app that users connect. Its id is the client_id; it has no path, and its secret is stored nowhere.

A client is registered in one environment, that of its developer, and may be connected by users of every environment.
"""

from planwerk.actor import Role
from planwerk.describe import Allow, Object, identity, timestamps
from planwerk.fields import Boolean, DateTime, Text, Words

OAUTH_CLIENT = Object(
    name="oauth_client",
    section="system",
    purpose="An app that reaches the API in the name of users, through OAuth 2.",
    fields=(
        identity(),
        Text("name", required=True),
        Text("secret_hash", nullable=True, max=64, hidden=True),  # SHA-256 in hexadecimal digits; null: it is public
        DateTime("secret_created_at", nullable=True, read_only=True),
        Words("redirect_uris", default=(), note="The addresses to which a user may be sent back."),
        Boolean("is_public", default=False, note="It cannot keep a secret and proves itself by PKCE alone."),
        Boolean("require_pkce", default=True, note="Whether it is refused without PKCE (RFC 7636)."),
        *timestamps(),
    ),
    allow=Allow(read=Role.ADMIN, create=Role.ADMIN, update=Role.ADMIN, delete=Role.ADMIN),
)
