"""A board: where one team plans. It owns its stages, labels and statuses and says how planning behaves."""

from planwerk.catalog.color import COLORS
from planwerk.catalog.custom_field import CUSTOM_FIELD
from planwerk.catalog.links import BOARD_RESOURCE, SPACE_BOARD
from planwerk.describe import Link, Many, Object, Place, identity, timestamps
from planwerk.fields import Boolean, Choice, Field, Items, Record, Text, Uuid, Words

PERMISSION_SETS = ("board_admin", "editor", "executor", "comment_only")

WORKDAYS: tuple[Field, ...] = (
    Boolean("1", default=True),
    Boolean("2", default=True),
    Boolean("3", default=True),
    Boolean("4", default=True),
    Boolean("5", default=True),
    Boolean("6", default=False),
    Boolean("7", default=False),
)

BOARD = Object(
    name="board",
    section="base",
    purpose="A planning board of one team: stages, and the collections and cards planned on them.",
    fields=(
        identity(),
        Text("name", required=True),
        Record(
            "workdays",
            fields=WORKDAYS,
            default={day.name: day.default for day in WORKDAYS},
            note="The weekdays open for planning; 1 is Monday.",
        ),
        Choice("color", words=COLORS, default="transparent"),
        Boolean("split_cards_by_activity", default=False, note="One card for each activity of a stage instead of one for them all."),
        Boolean("own_backlog", default=False, note="Its unplanned collections are not shown on other boards."),
        Choice(
            "capacity_method",
            words=("estimated_time", "none", "remaining_time"),
            default="estimated_time",
            note="What a card takes from the capacity: its estimate, or what is left after tracked time.",
        ),
        Choice("visibility", words=("everyone", "restricted"), default="everyone"),
        Items(
            "restricted_users",
            fields=(Uuid("id", nullable=True, note="The user."), Choice("permission_set", words=PERMISSION_SETS)),
            note="Who may use a restricted board, and how.",
        ),
        Choice(
            "dependency_behavior",
            words=("notify", "push", "maintain"),
            default="notify",
            note="What a moved card does to those that depend on it: only warn, push them along, or keep the gap.",
        ),
        Items("custom_fields", fields=CUSTOM_FIELD, note="The custom fields that its collections and cards may have."),
        Words("card_lock_options", default=()),
        Choice("permission_set", words=PERMISSION_SETS, read_only=True, note="What the caller may do on this board."),
        *timestamps(archived=True, deleted=True),
    ),
    relations=(
        Many("stages", to="stage", by="board_id", order=("priority",), is_owned=True),
        Many("labels", to="label", by="board_id", order=("priority",), is_owned=True),
        Many("statuses", to="status", by="board_id", order=("priority",), is_owned=True),
        Many("board_views", to="board_view", by="board_id", order=("position",), is_owned=True, keeps_missing=True),
        Many("views", to="board_view", by="board_id", order=("position",), is_writable=False),
        Many("collections", to="collection", by="board_id", order=("position",), is_owned=True, keeps_missing=True),
        Many("cards", to="card", by="board_id", order=("position", "start_date"), is_writable=False),
        Link("resources", to="resource", table=BOARD_RESOURCE, by="board_id"),
        Link("spaces", to="space", table=SPACE_BOARD, by="board_id", is_writable=False),
    ),
    places=(Place("/board"),),
    always_with=("labels", "statuses"),
    plain_with=("custom_fields",),
)
