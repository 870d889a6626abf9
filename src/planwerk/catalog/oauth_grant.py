"""What a user has allowed an app, and the codes and refresh tokens that came of it; none of them has a path.

One grant is one family of tokens (RFC 9700, section 4.14.2): when it is revoked, all that came of it is.
"""

from planwerk.actor import Role
from planwerk.describe import Allow, Object, Upkeep, identity, timestamps
from planwerk.fields import DateTime, Ref, Text, Uuid
from planwerk.rules.apps import follow_connections

NOBODY = Allow(read=Role.ADMIN, create=Role.ADMIN, update=Role.ADMIN, delete=Role.ADMIN)

OAUTH_GRANT = Object(
    name="oauth_grant",
    section="system",
    purpose="A user has let an app act in their name; lives in the environment of the user.",
    fields=(
        identity(),
        Uuid("client_id"),
        Uuid("client_environment_id", hidden=True),  # where the client is registered
        Ref("user_id", to="user", required=True),
        DateTime("last_used_at", nullable=True),
        DateTime("expires_at", nullable=True, hidden=True),  # when the last of its codes and refresh tokens does
        DateTime("revoked_at", nullable=True),
        Text("reason", nullable=True, note="Why it was revoked."),
        *timestamps(),
    ),
    index=(("user_id",), ("client_id",)),
    allow=NOBODY,
    upkeep=(Upkeep(("oauth_grant", "user"), follow_connections),),
)

OAUTH_CODE = Object(
    name="oauth_code",
    section="system",
    purpose="An authorization code: given once to an app, for tokens, within a minute.",
    fields=(
        identity(),
        Text("code_hash", max=64, hidden=True),  # SHA-256 in hexadecimal digits
        Ref("grant_id", to="oauth_grant", required=True),
        Text("redirect_uri", max=2048, hidden=True),
        Text("code_challenge", max=128, nullable=True, hidden=True),
        DateTime("expires_at"),
        DateTime("used_at", nullable=True, hidden=True),
        *timestamps(),
    ),
    unique=(("code_hash",),),
    allow=NOBODY,
)

OAUTH_TOKEN = Object(
    name="oauth_token",
    section="system",
    purpose="A refresh token: exchanged once for new tokens.",
    fields=(
        identity(),
        Text("token_hash", max=64, hidden=True),  # SHA-256 in hexadecimal digits
        Ref("grant_id", to="oauth_grant", required=True),
        DateTime("expires_at"),
        DateTime("rotated_at", nullable=True, hidden=True),
        *timestamps(),
    ),
    unique=(("token_hash",),),
    index=(("grant_id",),),
    allow=NOBODY,
)
