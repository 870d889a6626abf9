"""A label: a coloured tag of a board for its collections and cards. It is written through the board."""

from planwerk.catalog.color import COLORS
from planwerk.catalog.links import CARD_LABEL, COLLECTION_LABEL
from planwerk.describe import Link, Object, One, identity, timestamps
from planwerk.fields import Choice, Integer, Ref, Text

LABEL = Object(
    name="label",
    section="base",
    purpose="A coloured tag of one board, put on its collections and cards.",
    fields=(
        identity(),
        Text("name"),
        Choice("color", words=COLORS, default="transparent"),
        Integer("priority", note="Sorts the labels of a board."),
        Ref("board_id", to="board"),
        *timestamps(),
    ),
    relations=(
        One("board", to="board", by="board_id", is_writable=False),
        Link("cards", to="card", table=CARD_LABEL, by="label_id", is_writable=False),
        Link("collections", to="collection", table=COLLECTION_LABEL, by="label_id", is_writable=False),
    ),
    index=(("board_id", "priority"),),
)
