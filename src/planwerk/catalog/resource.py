"""A resource: somebody or something that work is planned on, with a weekly pattern of working hours."""

from planwerk.catalog.links import (
    BOARD_RESOURCE,
    CARD_RESOURCE,
    GROUP_RESOURCE,
    RESOURCE_ACTIVITY,
    RESOURCE_RESOURCE,
    STAGE_RESOURCE,
)
from planwerk.describe import Job, Link, Many, Object, One, Place, identity, timestamps
from planwerk.fields import Boolean, Choice, Date, Field, HexColor, Integer, LongText, Record, Text, Url
from planwerk.rules.belonging import stages_of_boards
from planwerk.rules.schedules import EXTEND, REWRITE, extend, follow_resource, rewrite

WORKDAYS: tuple[Field, ...] = (
    Integer("1", nullable=True, min=0, max=24, default=8),
    Integer("2", nullable=True, min=0, max=24, default=8),
    Integer("3", nullable=True, min=0, max=24, default=8),
    Integer("4", nullable=True, min=0, max=24, default=8),
    Integer("5", nullable=True, min=0, max=24, default=8),
    Integer("6", nullable=True, min=0, max=24),
    Integer("7", nullable=True, min=0, max=24),
)

RESOURCE = Object(
    name="resource",
    section="configuration",
    purpose="An employee, a machine or a cell that work can be planned on.",
    fields=(
        identity(),
        Text("name"),
        Choice("type", words=("employee", "machine", "cell"), default="employee"),
        LongText("description"),
        Date("start_date", nullable=True, note="Its first day."),
        Date("end_date", nullable=True, note="Its last day."),
        Url("avatar", nullable=True, note="Written as a data URI, shown as the address of the picture."),
        Record(
            "workdays",
            fields=WORKDAYS,
            default={day.name: day.default for day in WORKDAYS},
            note="Hours of work on each weekday; 1 is Monday, null and 0 are a free day.",
        ),
        Boolean("integration_schedule", default=False, note="Another system keeps its working hours."),
        HexColor("color_hex", nullable=True, pattern=r"^#([0-9a-f]{3}){1,2}$"),
        Text("external_ref", nullable=True),
        Text("transaction", nullable=True, read_only=True),
        Date("workdays_start_date", nullable=True, note="The day from which workdays hold."),
        *timestamps(archived=True, deleted=True),
    ),
    relations=(
        Many("schedules", to="schedule", by="resource_id", order=("date",), is_owned=True, is_writable=False),
        Many("schedule_deviations", to="schedule_deviation", by="resource_id", order=("start_date",), is_owned=True),
        One("user", to="user", by="id", key="resource_id", is_writable=False),
        Link("activities", to="activity", table=RESOURCE_ACTIVITY, by="resource_id"),
        Link("resources", to="resource", table=RESOURCE_RESOURCE, by="resource_id"),
        Link("groups", to="group", table=GROUP_RESOURCE, by="resource_id"),
        Link("boards", to="board", table=BOARD_RESOURCE, by="resource_id"),
        Link("stages", to="stage", table=STAGE_RESOURCE, by="resource_id", order=("priority",)),
        Link("cards", to="card", table=CARD_RESOURCE, by="resource_id", order=("start_date",), is_writable=False),
    ),
    places=(Place("/resource"),),
    unique=(("external_ref",),),
    pictures=("avatar",),
    after=(stages_of_boards, follow_resource),
    jobs=(
        Job(REWRITE, rewrite, note="Makes the schedule rows of a resource anew."),
        Job(EXTEND, extend, note="Adds the schedule rows of days that have come into sight."),
    ),
)
