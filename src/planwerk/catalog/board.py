"""A board: where one team plans. It owns its stages, labels and statuses and says how planning behaves."""

from planwerk.actor import Role
from planwerk.catalog.color import COLORS
from planwerk.catalog.custom_field import CUSTOM_FIELD
from planwerk.catalog.links import BOARD_RESOURCE, SPACE_BOARD
from planwerk.describe import Action, Allow, Link, Many, Object, Place, identity, timestamps
from planwerk.fields import Boolean, Choice, Date, Field, Integer, Items, Record, Text, Uuid, Words
from planwerk.rules import capacity

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

AUTO_PLAN: tuple[Field, ...] = (
    Words("order_types", words=("Production", "Project", "Purchase", "Quotation", "Sales", "none"), default=(), note="Empty: every type."),
    Choice(
        "anchor_date",
        words=("promised_date", "desired_date", "due_date", "created_at"),
        default="promised_date",
        note="The order's day that the plan ends on; created_at: begins on.",
    ),
    Integer("offset_workdays", min=-10_000, max=10_000, default=0, note="Working days after that day; negative: before it."),
)

CAPACITY = "/board/{board_id}/capacity"
SPAN = (
    Date("date_range_start", required=True, note="The first day."),
    Date("date_range_end", required=True, note="The last day, at most five years later."),
    Choice("time_frame", words=tuple(capacity.FIRST_DAYS), default="day", note="What the days are added up to."),
    Uuid("stage_id", note="Only this stage of the board, its resources and its cards."),
)
AVAILABLE = Integer("time_available", note="Minutes that the linked resources work, by their percentages.")
OFF = Integer("time_off", note="Minutes of leave and absence.")
PLANNED = Integer("time_planned", note="Minutes of the cards, counted by the board's capacity_method.")
RESOURCE_TYPE = (Choice("type", words=("employee", "machine", "cell")), AVAILABLE, PLANNED)


def periods_of(name: str, *fields: Field) -> tuple[Field, ...]:
    """The answer of a capacity read: every period, and in each of them every element of the list `name`."""
    elements = Items(name, fields=(Uuid("id"), *fields), most=1_000_000)
    return (Items("data", fields=(Date("date", note="The first day of the period."), elements), most=2_000),)


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
        Record(
            "auto_plan",
            nullable=True,
            fields=AUTO_PLAN,
            note="Plans the collections of new orders; null: none.",
        ),
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
    actions=(
        Action(
            "GET",
            f"{CAPACITY}/stage",
            "capacity of the stages",
            capacity.of_stages,
            body=SPAN,
            shows=periods_of("stage", AVAILABLE, PLANNED),
        ),
        Action(
            "GET",
            f"{CAPACITY}/resource_type/stage",
            "capacity of the stages by type of resource",
            capacity.of_resource_types,
            body=SPAN,
            shows=periods_of("stage", Items("resource_type", fields=RESOURCE_TYPE)),
        ),
        Action(
            "GET",
            f"{CAPACITY}/resource",
            "capacity of the resources",
            capacity.of_resources,
            body=SPAN,
            shows=periods_of("resource", AVAILABLE, OFF, PLANNED),
        ),
        Action(
            "GET",
            f"{CAPACITY}/group",
            "capacity of the groups",
            capacity.of_groups,
            body=SPAN,
            shows=periods_of("group", AVAILABLE, OFF, PLANNED),
        ),
    ),
    always_with=("labels", "statuses"),
    allow=Allow(part=Role.MEMBER),  # none of its own properties, but the views of it that are the user's are written through it
    plain_with=("custom_fields",),
)
