"""Time tracking: time that a user spent on a card, with its approval."""

from planwerk.actor import Role
from planwerk.describe import Action, Allow, Object, One, Place, Sight, identity, timestamps
from planwerk.fields import Boolean, Choice, Date, DateTime, Integer, Items, LongText, Ref, Text, Uuid
from planwerk.rules import timers

STATUSES = ("draft", "pending", "approved", "rejected")
CALENDAR_MINUTES = 3_652_059 * 1440  # of all days that a date can name
MOST_GROUPS = 1_000_000  # of an export
PERIOD = (
    Choice("group_by", words=tuple(timers.GROUP_KEYS), default="days"),
    Date("start", note="The first day; absent: all days to the end."),
    Date("end", note="The last day; absent: all days from the start."),
)
GROUP = (
    Date("date", note="Grouped by days: the day on which the entries start."),
    Text("week", note="Grouped by weeks: the week of ISO 8601, such as 2026-W10."),
    Uuid("activity_id", note="Grouped by activities; null: time without one."),
    Uuid("collection_id", note="Grouped by collections."),
    Uuid("board_id", note="Grouped by boards."),
    Choice("status", words=STATUSES, note="Grouped by statuses."),
    Uuid("user_id", note="Grouped by users."),
    LongText("name", required=True, nullable=True, note="What people call the group."),
    Integer("duration", min=0, required=True, note="Minutes."),
    Integer("entries", min=0, required=True, note="How many entries there are; running timers count, with no minutes."),
)
EXPORTED = (Items("data", fields=GROUP, most=MOST_GROUPS), Integer("total", min=0, note="Minutes of all groups."), *PERIOD[1:], PERIOD[0])

TIME_TRACKING = Object(
    name="time_tracking",
    section="base",
    purpose="A stretch of time that a user spent on a card, mostly on one activity.",
    fields=(
        identity(),
        DateTime("start", note="With neither end nor duration its timer runs."),
        DateTime("end", note="Follows from start and duration, or the duration from both."),
        Integer("duration", min=0, max=CALENDAR_MINUTES, note="Minutes."),
        Choice("status", words=STATUSES, default="draft", note="Organisers, managers and admins approve or reject what is pending."),
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
    allow=Allow(read=Role.MEMBER, create=Role.MEMBER, update=Role.MEMBER, delete=Role.MEMBER),  # the checks say whose, and when
    sight=Sight(through=("card",), own="user_id"),
    defaults=(timers.user_of_caller,),
    checks=(timers.allowed_change, timers.allowed_status, timers.fitting_times),
    derives=(timers.complete_times,),
    removal=timers.remove,
    actions=(
        Action("GET", "/time_tracking/export", "export tracked time", timers.export, body=PERIOD, shows=EXPORTED),
        Action("POST", "/time_tracking/{time_tracking_id}/stop", "stop a running timer", timers.stop, answer="time_tracking"),
    ),
    events=("created", "updated", "deleted"),
)
