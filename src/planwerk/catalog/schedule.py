"""A schedule row: one day of one resource. The server makes the rows from the resource's workdays and deviations."""

from planwerk.actor import Role
from planwerk.describe import LIST, Action, Object, One, Place, identity, timestamps
from planwerk.fields import Date, Days, Items, Number, Ref
from planwerk.rules.schedule_periods import day_of_resource, narrow, update_period

YEAR, MONTH, DAY = ("year",), ("year", "month"), ("year", "month", "day")
WHOLE_YEAR = 1000  # rows that a list of a period answers by itself


def period(path: str, parts: tuple[str, ...]) -> Place:
    """The rows of a year, a month or a day, by date."""
    whole = "/".join([path, *(f"{{{part}}}" for part in parts)])
    return Place(whole, operations=(LIST,), narrow=narrow, narrowing=parts, sort="date", limit=WHOLE_YEAR)


SCHEDULE = Object(
    name="schedule",
    section="configuration",
    purpose="One calendar day of one resource: the hours it works, is away and is available.",
    fields=(
        identity(),
        Date("date", read_only=True),
        Number("hours_available", default=0, read_only=True, note="hours_work without leave and absence, at least 0."),
        Number("hours_work", default=0),
        Number("hours_leave", default=0),
        Number("hours_absence", default=0),
        Ref("resource_id", to="resource", read_only=True),
        *timestamps(),
    ),
    relations=(One("resource", to="resource", by="resource_id", is_writable=False),),
    places=(
        Place("/resource/{resource_id}/schedule", operations=(LIST,)),
        period("/resource/{resource_id}/schedule", YEAR),
        period("/resource/{resource_id}/schedule", MONTH),
        Place("/schedule", operations=(LIST,)),
        period("/schedule", YEAR),
        period("/schedule", MONTH),
        period("/schedule", DAY),
    ),
    actions=(
        Action(
            "GET",
            "/resource/{resource_id}/schedule/{year}/{month}/{day}",
            "get the schedule of a day",
            day_of_resource,
            answer="schedule",
        ),
        Action(
            "PUT",
            "/resource/{resource_id}/schedule",
            "update the schedule of a period",
            update_period,
            body=(
                Date("period_start", note="The first day; required."),
                Date("period_end", note="The last day, at most 5 years later; required."),
                Items(
                    "schedules",
                    fields=(
                        Number("hours_work", min=0, max=24, note="Without it the hours stay."),
                        Number("hours_leave", min=0, max=24, note="Without it the hours stay."),
                        Number("hours_absence", min=0, max=24, note="Without it the hours stay."),
                        Days("dates", note="Days of the period; without them every day of it."),
                    ),
                    note="Of two entries that name the same day the later counts.",
                ),
            ),
            status=204,
            role=Role.ORGANISER,
            note="Writes hours by hand. They stay until the resource is updated or a deviation of these days changes.",
        ),
    ),
    unique=(("resource_id", "date"),),
    index=(("date",),),
    note="Rows are made for the past year and the coming two, and made anew in the background after each update of the resource.",
)
