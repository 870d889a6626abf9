"""A session: one login of a user in one browser. It has no path; the browser's cookie opens it."""

from planwerk.actor import Role
from planwerk.describe import Allow, Object, identity, timestamps
from planwerk.fields import Anything, Choice, DateTime, Ref, Text

SESSION = Object(
    name="session",
    section="system",
    purpose="One login of a user in one browser.",
    fields=(
        identity(),
        Ref("user_id", to="user", required=True),
        Text("token_hash", max=64, hidden=True),  # SHA-256 of the cookie
        Choice("method", words=("password", "sso"), default="password", note="How the user proved who they are."),
        Text("address", note="The network address of the browser at the login."),
        Text("agent", max=255, note="What the browser called itself at the login."),
        Anything("others", hidden=True),  # the same person's users in other environments: [{environment_id, user_id, mark}]
        DateTime("last_used_at", nullable=True),
        DateTime("expires_at"),
        *timestamps(),
    ),
    unique=(("token_hash",),),
    index=(("user_id",),),
    allow=Allow(read=Role.ADMIN, create=Role.ADMIN, update=Role.ADMIN, delete=Role.ADMIN),
)
