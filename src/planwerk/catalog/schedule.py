"""A schedule row: one day of one resource. The server makes the rows from the resource's workdays and deviations."""

from planwerk.describe import LIST, Object, One, Place, identity, timestamps
from planwerk.fields import Date, Number, Ref

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
    places=(Place("/resource/{resource_id}/schedule", operations=(LIST,)), Place("/schedule", operations=(LIST,))),
    unique=(("resource_id", "date"),),
    index=(("date",),),
)
