"""A status: a step of progress that the cards of a board go through. It is written through the board."""

from planwerk.catalog.color import COLORS
from planwerk.describe import Many, Object, One, identity, timestamps
from planwerk.fields import Boolean, Choice, Integer, Ref, Text
from planwerk.rules.belonging import status_keeps_board

STATUS = Object(
    name="status",
    section="base",
    purpose="A step of progress of a board's cards, apart from the stage where the work is done.",
    fields=(
        identity(),
        Text("name"),
        Integer("priority", note="Sorts the statuses of a board."),
        Boolean("entry", default=False, note="Cards start here."),
        Boolean("exit", default=False, note="Cards are finished here."),
        Choice("color", words=COLORS, default="transparent"),
        Ref("board_id", to="board"),
        *timestamps(),
    ),
    relations=(
        One("board", to="board", by="board_id", is_writable=False),
        Many("cards", to="card", by="status_id", order=("position", "start_date"), is_writable=False),
    ),
    index=(("board_id", "priority"),),
    checks=(status_keeps_board,),
)
