"""An invitation: lets one user set a password, once. It has no path; the link that opens it is signed, and stored nowhere."""

from planwerk.actor import Role
from planwerk.describe import Allow, Object, identity, timestamps
from planwerk.fields import Choice, DateTime, Ref

INVITATION = Object(
    name="invitation",
    section="system",
    purpose="A link by which a user sets a password, once: the first one, or a new one.",
    fields=(
        identity(),
        Ref("user_id", to="user", required=True),
        Choice("purpose", words=("invite", "reset"), default="invite"),
        Ref("inviter_id", to="user", nullable=True, note="The user who asked for it; null if an API key or a command did."),
        DateTime("expires_at"),
        DateTime("used_at", nullable=True),
        *timestamps(),
    ),
    index=(("user_id",),),
    allow=Allow(read=Role.ADMIN, create=Role.ADMIN, update=Role.ADMIN, delete=Role.ADMIN),
)
