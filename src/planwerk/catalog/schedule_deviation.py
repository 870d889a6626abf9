"""A schedule deviation: days on which a resource departs from its workdays, and the rule that repeats them."""

from planwerk.actor import Role
from planwerk.describe import Allow, Many, Object, One, Place, identity, timestamps
from planwerk.fields import Choice, Date, Integer, LongText, Ref, Text

SCHEDULE_DEVIATION = Object(
    name="schedule_deviation",
    section="configuration",
    purpose="A period in which a resource is on leave, absent, under maintenance or away for another reason.",
    fields=(
        identity(),
        Ref("resource_id", to="resource", read_only=True),
        LongText("description"),
        Choice(
            "type",
            words=("leave", "holiday", "absence", "sick", "maintenance", "malfunction", "other"),
            default="other",
            note="leave and holiday count as hours_leave of the schedule, the others as hours_absence.",
        ),
        Date("start_date", note="The first day."),
        Date("end_date", note="The last day."),
        Integer("time", min=0, note="Minutes on each day; 0 and null are the whole day."),
        Text("external_ref", note="Unique within the resource."),
        Text("icon", read_only=True),
        Text("color", read_only=True),
        *timestamps(),
    ),
    relations=(
        One("resource", to="resource", by="resource_id", is_writable=False),
        Many(
            "schedule_deviation_recurring",
            to="schedule_deviation_recurring",
            by="start_schedule_deviation_id",
            is_owned=True,
            is_writable=False,
        ),
    ),
    places=(Place("/resource/{resource_id}/schedule_deviation"),),
    unique=(("resource_id", "external_ref"),),
    index=(("resource_id", "start_date"),),
    allow=Allow(create=Role.ORGANISER, update=Role.ORGANISER, delete=Role.ORGANISER),
)

SCHEDULE_DEVIATION_RECURRING = Object(
    name="schedule_deviation_recurring",
    section="configuration",
    purpose="The rule that repeats a schedule deviation.",
    fields=(
        identity(),
        Ref("start_schedule_deviation_id", to="schedule_deviation", note="The deviation that the series starts from."),
        Text("schedule", note="The step of the repetition, such as week."),
        Integer("interval", note="How many steps lie between two deviations."),
        Date("starts_at"),
        Date("ends_at"),
        Date("extend_after"),
        *timestamps(),
    ),
    relations=(One("start_schedule_deviation", to="schedule_deviation", by="start_schedule_deviation_id", is_writable=False),),
    index=(("start_schedule_deviation_id",),),
    allow=Allow(create=Role.ORGANISER, update=Role.ORGANISER, delete=Role.ORGANISER),
)
