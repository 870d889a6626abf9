"""Time tracking: time that a user spent on a card, with its approval."""

from planwerk.actor import Role
from planwerk.describe import Allow, Object, One, Place, identity, timestamps
from planwerk.fields import Boolean, Choice, DateTime, Integer, LongText, Ref, Text

TIME_TRACKING = Object(
    name="time_tracking",
    section="base",
    purpose="A stretch of time that a user spent on a card, mostly on one activity.",
    fields=(
        identity(),
        DateTime("start"),
        DateTime("end"),
        Integer("duration", min=0, note="Minutes."),
        Choice("status", words=("draft", "pending", "approved", "rejected"), default="draft"),
        Boolean("locked", default=False),
        LongText("note", nullable=True),
        Boolean("running", default=False, read_only=True, note="Its timer runs."),
        Ref("card_id", to="card", required=True),
        Ref("activity_id", to="activity"),
        Ref("user_id", to="user", note="Absent on create: the user who is logged in."),
        LongText("external_note"),
        Boolean("external_failed", default=False, note="Another system did not take it."),
        Text("external_ref", nullable=True),
        DateTime("synchronized_at", nullable=True, note="When another system took it, or was last asked to."),
        *timestamps(),
    ),
    relations=(
        One("card", to="card", by="card_id", is_writable=False),
        One("activity", to="activity", by="activity_id", is_writable=False),
        One("user", to="user", by="user_id", is_writable=False),
    ),
    places=(Place("/time_tracking"),),
    unique=(("external_ref",),),
    index=(("card_id", "start"), ("user_id", "start"), ("activity_id",), ("updated_at",)),
    allow=Allow(read=Role.MEMBER, create=Role.MEMBER, update=Role.MEMBER, delete=Role.MEMBER),
    events=("created", "updated", "deleted"),
)
