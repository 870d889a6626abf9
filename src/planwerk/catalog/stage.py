"""A stage: one step of a board's process, with the activities and resources that belong there."""

from planwerk.catalog.links import STAGE_ACTIVITY, STAGE_RESOURCE
from planwerk.describe import Link, Many, Object, One, Place, identity, timestamps
from planwerk.fields import Boolean, Integer, Ref, Text
from planwerk.rules.belonging import stage_keeps_board

STAGE = Object(
    name="stage",
    section="base",
    purpose="A process step or department of a board.",
    fields=(
        identity(),
        Ref("board_id", to="board", required=True),
        Text("name", required=True),
        Integer("priority", note="Sorts the stages of a board."),
        Boolean("capacity_notification", default=False, note="Shows how full the stage is."),
        Integer("capacity_notification_min", default=80, min=0, note="Percent."),
        Integer("capacity_notification_max", default=100, min=0, note="Percent."),
        Integer("delay_day", default=0, min=0, note="Working days kept free between this stage and the next."),
        Integer("efficiency", default=100, min=0, note="The percentage of planned time at which a resource counts as full."),
        Boolean("independent", default=False, note="Stands outside the order of the stages."),
        Integer("default_percentage", default=100, min=0, note="The share that a newly linked resource gets."),
        *timestamps(deleted=True),
    ),
    relations=(
        One("board", to="board", by="board_id", is_writable=False),
        Link("activities", to="activity", table=STAGE_ACTIVITY, by="stage_id", order=("priority",)),
        Link("resources", to="resource", table=STAGE_RESOURCE, by="stage_id"),
        Many("cards", to="card", by="stage_id", order=("position", "start_date"), is_writable=False),
    ),
    places=(Place("/stage"),),
    index=(("board_id", "priority"),),
    checks=(stage_keeps_board,),
)
