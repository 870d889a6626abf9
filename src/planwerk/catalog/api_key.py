"""An API key: gives an integration access without a user. The key itself is shown once and stored nowhere."""

from planwerk.actor import Role
from planwerk.describe import Action, Allow, Object, Place, identity, timestamps
from planwerk.fields import Boolean, DateTime, Text
from planwerk.rules.keys import CHARACTERS, fill_key, may_write_key, remove_key, revoke_key

API_KEY = Object(
    name="api_key",
    section="system",
    purpose="A static key of the environment, sent as X-Api-Key.",
    fields=(
        identity(),
        Text("description", note="Who or what uses it."),
        Text("key_hash", max=64, hidden=True),  # SHA-256 in hexadecimal digits
        Boolean("is_read_only", default=False, note="It may only read."),
        DateTime("expires_at", nullable=True, note="The key is refused from then on; null: it does not expire."),
        DateTime("last_used_at", nullable=True, read_only=True, note="Right to a minute."),
        DateTime("revoked_at", nullable=True, read_only=True, note="The key is refused since then."),
        *timestamps(),
    ),
    places=(Place("/api_key"),),
    actions=(
        Action(
            "POST",
            "/api_key/{api_key_id}/revoke",
            "revoke an API key",
            revoke_key,
            answer="api_key",
            role=Role.ADMIN,
            note="An extension of Planwerk. The key is refused at once and stays in the list.",
        ),
    ),
    unique=(("key_hash",),),
    reveals=(Text("key", max=CHARACTERS, note="The key itself: shown this once, not again to a repeated Idempotency-Key."),),
    allow=Allow(read=Role.ADMIN, create=Role.ADMIN, update=Role.ADMIN, delete=Role.ADMIN),
    defaults=(fill_key,),
    checks=(may_write_key,),
    removal=remove_key,
    note="A key acts with the rights of an admin. Users with that role and API keys may make, change and revoke keys; apps may not.",
)
