"""A mail that waits to be sent, or was. It has no path; links are put into it when it is sent, so none is stored."""

from planwerk.actor import Role
from planwerk.describe import Allow, Object, identity, timestamps
from planwerk.fields import DateTime, Email, Integer, Map, Text

MAIL = Object(
    name="mail",
    section="system",
    purpose="A mail to a user, written in the transaction of what it tells.",
    fields=(
        identity(),
        Email("recipient", required=True),
        Text("template", required=True, note="What it says; a template of that name."),
        Map("values", note="What the template tells: names and ids, no secrets."),
        DateTime("due_at", nullable=True, note="When it is sent, or tried again; null: it was sent or given up."),
        Integer("attempts", default=0),
        Text("error", nullable=True, max=500),
        DateTime("sent_at", nullable=True),
        *timestamps(),
    ),
    index=(("due_at",), ("recipient",)),
    allow=Allow(read=Role.ADMIN, create=Role.ADMIN, update=Role.ADMIN, delete=Role.ADMIN),
)
