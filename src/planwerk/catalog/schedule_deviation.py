"""A schedule deviation: days on which a resource departs from its workdays, and the rule that repeats them."""

from planwerk.actor import Role
from planwerk.describe import Allow, Many, Object, One, Place, Upkeep, identity, timestamps
from planwerk.fields import Choice, Date, Integer, LongText, Ref, Text
from planwerk.rules.deviations import OTHER, TYPES, first_of_series, look, one_rule, sound_dates, sound_series, whole_dates
from planwerk.rules.recurrence import STEPS
from planwerk.rules.schedules import follow_deviations

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
            words=TYPES,
            default=OTHER,
            note="leave and holiday count as hours_leave of the schedule, the others as hours_absence.",
        ),
        Date("start_date", note="The first day; without one the last day."),
        Date("end_date", note="The last day, at most 5 years later; without one the first day."),
        Integer("time", min=0, note="Minutes on each day; 0 and null are the whole day."),
        Text("external_ref", note="Unique within the resource."),
        Text("icon", read_only=True, note="Follows from the type."),
        Text("color", read_only=True, note="Follows from the type."),
        *timestamps(),
    ),
    relations=(
        One("resource", to="resource", by="resource_id", is_writable=False),
        Many(
            "schedule_deviation_recurring",
            to="schedule_deviation_recurring",
            by="start_schedule_deviation_id",
            is_owned=True,
        ),
    ),
    places=(Place("/resource/{resource_id}/schedule_deviation"),),
    unique=(("resource_id", "external_ref"),),
    index=(("resource_id", "start_date"),),
    allow=Allow(create=Role.ORGANISER, update=Role.ORGANISER, delete=Role.ORGANISER),
    derives=(whole_dates, look),
    checks=(sound_dates,),
    after=(one_rule,),
    upkeep=(Upkeep(("schedule_deviation", "schedule_deviation_recurring"), follow_deviations),),
    note="Shortens the days of its resource's schedule, at once; hand-made hours of these days are lost, those of others stay.",
)

SCHEDULE_DEVIATION_RECURRING = Object(
    name="schedule_deviation_recurring",
    section="configuration",
    purpose="The rule that repeats a schedule deviation; a deviation has one at most, written inside it.",
    fields=(
        identity(),
        Ref("start_schedule_deviation_id", to="schedule_deviation", note="The deviation that the series starts from."),
        Choice("schedule", words=tuple(STEPS), required=True, note="The step of the repetition."),
        Integer("interval", min=1, max=1000, default=1, note="How many steps lie between two repetitions."),
        Date("starts_at", note="The day from which to count; without one the deviation's first day."),
        Date("ends_at", note="The last day on which a repetition may start; without one there is no end."),
        Date("extend_after", note="Kept as it is written; repetitions reach as far as there are schedule rows."),
        *timestamps(),
    ),
    relations=(One("start_schedule_deviation", to="schedule_deviation", by="start_schedule_deviation_id", is_writable=False),),
    index=(("start_schedule_deviation_id",),),
    allow=Allow(create=Role.ORGANISER, update=Role.ORGANISER, delete=Role.ORGANISER),
    derives=(first_of_series,),
    checks=(sound_series,),
)
