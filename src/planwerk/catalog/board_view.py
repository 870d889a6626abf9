"""A board view: one user's way of looking at a board. The API gives it no path; it is read through board and user."""

from planwerk.actor import Role
from planwerk.describe import Allow, Object, One, identity, timestamps
from planwerk.fields import Choice, Integer, Map, Ref, Text

BOARD_VIEW = Object(
    name="board_view",
    section="base",
    purpose="A saved way of showing a board, with filters and preferences of its own.",
    fields=(
        identity(),
        Text("name", required=True),
        Choice("type", words=("list", "calendar", "kanban", "timeline", "capacity", "backlog", "analytics"), default="kanban"),
        Integer("position", note="Sorts the views of a board."),
        Ref("board_id", to="board", required=True),
        Ref("user_id", to="user", nullable=True, note="Whose view it is; null: everybody's."),
        Map("settings", nullable=True, note="Filters, preview and what else belongs to the type."),
        *timestamps(),
    ),
    relations=(
        One("board", to="board", by="board_id", is_writable=False),
        One("user", to="user", by="user_id", is_writable=False),
    ),
    index=(("board_id", "position"), ("user_id", "position")),
    allow=Allow(create=Role.MEMBER, own="user_id"),
)
