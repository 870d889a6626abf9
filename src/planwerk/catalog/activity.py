"""An activity: a kind of work, for which time is estimated and tracked."""

from planwerk.catalog.links import CARD_ACTIVITY, COLLECTION_ACTIVITY, RESOURCE_ACTIVITY, STAGE_ACTIVITY
from planwerk.describe import Link, Many, Object, One, Place, identity, timestamps
from planwerk.fields import Boolean, Choice, Integer, Ref, Text

ACTIVITY = Object(
    name="activity",
    section="base",
    purpose="A kind of work, such as sawing or assembly, for which time is estimated and tracked.",
    fields=(
        identity(),
        Ref("item_id", to="item", nullable=True),
        Text("external_ref", nullable=True),
        Text("transaction", nullable=True, read_only=True),
        Text("description", note="What people call it."),
        Text("code", default="", note="What another system calls it."),
        Choice("resource_type", words=("machine", "cell", "employee"), default="employee", note="Only resources of this type can do it."),
        Integer("default_duration", default=0, min=0, note="Minutes that a card gets when none are given."),
        Integer("day_max_duration", default=0, min=0, note="Minutes planned on one day at most; 0: no limit."),
        Boolean("billable", default=False),
        Integer("hourly_rate", default=0),
        *timestamps(archived=True, deleted=True),
    ),
    relations=(
        One("item", to="item", by="item_id", is_writable=False),
        Many("time_tracking", to="time_tracking", by="activity_id", order=("start",), is_writable=False),
        Many("order_rows", to="order_row", by="activity_id", is_writable=False),
        Link("stages", to="stage", table=STAGE_ACTIVITY, by="activity_id"),
        Link("resources", to="resource", table=RESOURCE_ACTIVITY, by="activity_id"),
        Link("collections", to="collection", table=COLLECTION_ACTIVITY, by="activity_id", is_writable=False),
        Link("cards", to="card", table=CARD_ACTIVITY, by="activity_id", is_writable=False),
    ),
    places=(Place("/activity"),),
    unique=(("external_ref",),),
    index=(("item_id",),),
)
