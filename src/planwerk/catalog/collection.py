"""A collection: the work behind an order or task. Planning it on a board yields its cards."""

from planwerk.actor import Role
from planwerk.catalog.custom_field import CUSTOM_FIELD_VALUE
from planwerk.catalog.links import COLLECTION_ACTIVITY, COLLECTION_FOLLOWER, COLLECTION_LABEL
from planwerk.describe import LIST, Action, Allow, Job, Link, Many, Object, One, Place, Sight, Upkeep, identity, timestamps
from planwerk.fields import Boolean, Choice, Date, HexColor, Ids, Integer, Items, LongText, Map, Ref, Text, Url, Uuid, Words
from planwerk.rules import backlog, concern
from planwerk.rules.belonging import first_board
from planwerk.rules.orders import delete_collection, note_edits
from planwerk.rules.planning import make_cards, plan_on_board
from planwerk.rules.recount import recount
from planwerk.rules.standing import keep_standing

DEPRECATED_DETAIL = "GET v1/collection/detail is deprecated and will be removed in future versions"

PLAN = (
    Date("start", note="The first day of the plan, or its last one with `reverse`. Absent: back from the due date, else from today."),
    Boolean("reverse", default=False, note="Plan backward: `start` is the end."),
    Ref("stage_id", to="stage", note="Only this stage gets a card."),
    Ids("force_stages", to="stage", note="Stages that get a card although they have none of the activities."),
    Ref("status_id", to="status", note="The status of the new cards; absent: where the board's cards begin."),
    Ids("resources", to="resource", note="Who does it: put on every card whose activities they can do."),
    Ref("before", to="card", note="The new cards rank right before this card."),
    Ref("after", to="card", note="The new cards rank right after this card."),
)
BACKLOG = (
    Integer("position", min=0, note="Its place in the backlog; absent: the last."),
    Ids("related_collections", to="collection", note="Collections that go along, to the places behind it."),
)

COLLECTION = Object(
    name="collection",
    section="base",
    purpose="A piece of work as a whole, such as an order or a project; it holds what its cards share.",
    fields=(
        identity(),
        Text("name", required=True),
        LongText("description", nullable=True),
        Date("start", nullable=True, read_only=True, note="The earliest start_date of its cards."),
        Date("end", nullable=True, read_only=True, note="The latest end_date of its cards."),
        Date("due_date", nullable=True),
        Map("meta", nullable=True, read_only=True, note="Facts of the order it was made from, such as relation and project."),
        Integer("position", nullable=True, read_only=True, note="Its place in the backlog; null while planned."),
        Choice("source_type", words=("custom", "order", "clone"), default="custom", read_only=True),
        Choice("status", words=("planned", "not_planned", "ignored"), default="not_planned"),
        Choice("progress", words=("open", "partial", "done"), default="open", read_only=True),
        Words("warnings", default=(), read_only=True, note="What is doubtful about its planning; empty if nothing is."),
        Items("custom_fields", fields=CUSTOM_FIELD_VALUE),
        Ref("board_id", to="board", note="Absent on create: the environment's first board."),
        Url("cover_image_url", nullable=True),
        Text("cover_image_checksum", nullable=True, max=64, pattern="^[a-fA-F0-9]{64}$", like="64 hexadecimal digits", note="The SHA-256."),
        Text("cover_image_signature", nullable=True, read_only=True),
        Integer("cover_image_bytes", min=0, read_only=True),
        HexColor("cover_color_hex", nullable=True),
        Text("external_ref", nullable=True),
        Uuid("batch_id", nullable=True, read_only=True),
        Words("edited_properties", default=(), hidden=True),  # changed by hand, so updates of the order leave them alone
        Words("order_activities", default=(), hidden=True),  # ids of the activities that came from rows of the order
        Date("planned_promised_date", nullable=True, hidden=True),  # the order's dates when it was planned
        Date("planned_desired_date", nullable=True, hidden=True),
        Text("planning", nullable=True, hidden=True),  # the job that makes its cards, until it is done
        *timestamps(deleted=True),
    ),
    relations=(
        One("board", to="board", by="board_id", is_writable=False),
        One("order", to="order", by="id", key="collection_id", is_writable=False),
        Many("cards", to="card", by="collection_id", order=("position", "start_date"), is_owned=True),
        Many("checklists", to="checklist", by="collection_id", order=("position",), is_owned=True, keeps_missing=True),
        Many("comments", to="comment", by="collection_id", is_owned=True, keeps_missing=True),
        Many("attachments", to="attachment", by="collection_id", is_owned=True, keeps_missing=True),
        Link("activities", to="activity", table=COLLECTION_ACTIVITY, by="collection_id", order=("position",), is_open=True),
        Link("labels", to="label", table=COLLECTION_LABEL, by="collection_id", order=("priority",), is_open=True),
        Link("followers", to="user", table=COLLECTION_FOLLOWER, by="collection_id", is_open=True, own_role=Role.GUEST),
    ),
    places=(
        Place("/collection"),
        Place(
            "/collection/detail",
            operations=(LIST,),
            deprecated=DEPRECATED_DETAIL,
            with_=("activities", "attachments", "cards", "checklists", "comments", "followers", "labels", "order"),
        ),
    ),
    unique=(("external_ref",),),
    index=(("board_id", "status", "position"), ("updated_at",)),
    allow=Allow(create=Role.ORGANISER, update=Role.ORGANISER, delete=Role.ORGANISER),
    sight=Sight(through=("cards",)),
    plain_with=("custom_fields",),
    defaults=(first_board, backlog.begin_in_backlog),
    derives=(note_edits, backlog.keep_position),
    checks=(backlog.status_by_hand, backlog.board_by_planning),
    removal=delete_collection,
    upkeep=(Upkeep(("card",), backlog.follow_cards), Upkeep(concern.WATCHED, keep_standing)),
    jobs=(
        Job("collection.plan", make_cards, "Makes the cards of a collection that was planned."),
        Job("collection.recount", recount, "After an update: what follows from the cards of all collections."),
    ),
    actions=(
        Action(
            "POST",
            "/collection/{collection_id}/board/{board_id}",
            "plan a collection on a board",
            plan_on_board,
            body=PLAN,
            answer="collection",
            note="Answers at once; the cards, `start` and `end` follow a moment later. On another board the open cards are replaced.",
        ),
        Action(
            "PUT",
            "/collection/{collection_id}/backlog",
            "move a collection to the backlog",
            backlog.to_backlog,
            body=BACKLOG,
            answer="collection",
            note="Its cards are removed; the time tracked on them stays.",
        ),
    ),
    events=(
        "created",
        "updated",
        "deleted",
        "label.attached",
        "label.detached",
        "follower.attached",
        "follower.detached",
        "activity.attached",
        "activity.detached",
        "activity.updated",
        "checklist.created",
        "checklist.updated",
        "checklist.deleted",
        "checklist.item.attached",
        "checklist.item.detached",
        "checklist.item.updated",
    ),
)
