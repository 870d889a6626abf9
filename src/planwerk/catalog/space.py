"""A space: boards that belong together, such as those of one department."""

from planwerk.catalog.links import SPACE_BOARD
from planwerk.describe import Link, Object, Place, identity, timestamps
from planwerk.fields import Boolean, Text

SPACE = Object(
    name="space",
    section="base",
    purpose="The boards of one team, department or business unit.",
    fields=(
        identity(),
        Text("name"),
        Boolean("shared_capacity", default=False, note="Its boards draw on the same time of a resource."),
        *timestamps(),
    ),
    relations=(Link("boards", to="board", table=SPACE_BOARD, by="space_id"),),
    places=(Place("/space"),),
)
