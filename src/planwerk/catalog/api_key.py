"""An API key: gives an integration access without a user. It has no path; the key itself is stored nowhere."""

from planwerk.actor import Role
from planwerk.describe import Allow, Object, identity, timestamps
from planwerk.fields import Boolean, DateTime, Text

API_KEY = Object(
    name="api_key",
    section="system",
    purpose="A static key of the environment, sent as X-Api-Key.",
    fields=(
        identity(),
        Text("description"),
        Text("key_hash", max=64, hidden=True),  # SHA-256 in hexadecimal digits
        Boolean("is_read_only", default=False, note="It may only read."),
        DateTime("expires_at", nullable=True),
        DateTime("last_used_at", nullable=True, read_only=True),
        DateTime("revoked_at", nullable=True, read_only=True),
        *timestamps(),
    ),
    unique=(("key_hash",),),
    allow=Allow(read=Role.ADMIN, create=Role.ADMIN, update=Role.ADMIN, delete=Role.ADMIN),
)
