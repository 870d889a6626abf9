"""A card: one planned piece of a collection's work, on one stage of the board, with a status of its own."""

from planwerk.actor import Role
from planwerk.catalog.custom_field import CUSTOM_FIELD_VALUE
from planwerk.catalog.links import CARD_ACTIVITY, CARD_FOLLOWER, CARD_LABEL, CARD_RESOURCE
from planwerk.describe import READ_ONLY, Action, Allow, Link, Many, Object, One, Place, Sight, Upkeep, identity, timestamps
from planwerk.fields import Boolean, Date, DateTime, Integer, Items, LongText, Ref, Text, Time, Uuid
from planwerk.rules import cards, estimates
from planwerk.rules.belonging import place_of_card, same_board
from planwerk.rules.custom_fields import remove_by_name, set_by_name
from planwerk.rules.dependencies import follow_move
from planwerk.rules.ordering import rank_card
from planwerk.rules.splitting import lock, split, unlock

OF_COLLECTION = "/collection/{collection_id}/card"
BY_NAME = f"{OF_COLLECTION}/{{card_id}}/custom_fields/{{name}}"
ONE_CARD = f"{OF_COLLECTION}/{{card_id}}"
DATE_PART = (Date("date", required=True), Integer("time", required=True, min=0, note="Minutes."))
WRITTEN_BY_NAME = tuple(field for field in CUSTOM_FIELD_VALUE if not field.read_only and field.name != "name")

EXTENSION = "An extension of Planwerk; the vPlan API has no such operation."

CARD = Object(
    name="card",
    section="base",
    purpose="A planned piece of a collection's work on one stage of the board.",
    fields=(
        identity(),
        Text("name", note="Absent on create: the collection's name."),
        LongText("description"),
        Date("start_date", nullable=True),
        Time("start_time", nullable=True),
        Date("end_date", nullable=True),
        Time("end_time", nullable=True),
        Text("rank", default="aaa", read_only=True, note="Sorts the cards of a stage as text."),
        Integer("position", read_only=True),
        Integer("days_diff", read_only=True, note="Calendar days from start_date to end_date."),
        Integer("days_active", read_only=True, note="Working days of the board among them."),
        Boolean("locked", default=False, read_only=True, note="Its planning may not be changed by others."),
        Boolean("time_tracking_running", default=False, read_only=True),
        Items("custom_fields", fields=CUSTOM_FIELD_VALUE),
        Date("date", nullable=True, deprecated=True, note="Use start_date."),
        Date("start", nullable=True, deprecated=True, note="Use start_date."),
        Date("end", nullable=True, deprecated=True, note="Use end_date."),
        Integer("time", min=0, note="Estimated minutes; the sum of its activities where it has any."),
        Integer("time_remaining", read_only=True, note="Minutes still needed: the estimate without what was tracked."),
        Uuid("card_recurring_id", nullable=True),
        Ref("parent_card_id", to="card", nullable=True, note="The card of which this is a sub card."),
        Ref("collection_id", to="collection"),
        Ref("status_id", to="status", note="Absent on create: the status at which the board's cards begin."),
        Ref("stage_id", to="stage", note="Absent on create: the board's first stage."),
        Uuid("batch_id", nullable=True, read_only=True),
        Text("external_ref", nullable=True),
        DateTime("completed_at", nullable=True),
        Ref("board_id", to="board", read_only=True, note="The board of its collection."),
        *timestamps(deleted=True),
    ),
    relations=(
        One("collection", to="collection", by="collection_id", is_writable=False),
        One("board", to="board", by="board_id", is_writable=False),
        One("stage", to="stage", by="stage_id", is_writable=False),
        One("status", to="status", by="status_id", is_writable=False),
        One("parent_card", to="card", by="parent_card_id", is_writable=False),
        Many("cards", to="card", by="parent_card_id", order=("position", "start_date"), is_writable=False),
        Many("checklists", to="checklist", by="card_id", order=("position",), is_owned=True),
        Many("relations", to="card_relation", by="card_id", is_owned=True),
        Many("incoming_relations", to="card_relation", by="related_card_id", is_owned=True, is_writable=False),
        Many("comments", to="comment", by="card_id", is_writable=False),
        Many("attachments", to="attachment", by="card_id", is_writable=False),
        Many("time_tracking", to="time_tracking", by="card_id", order=("start",), is_writable=False),
        Link("activities", to="activity", table=CARD_ACTIVITY, by="card_id", order=("position",), is_open=True),
        Link("labels", to="label", table=CARD_LABEL, by="card_id", order=("priority",), is_open=True),
        Link("resources", to="resource", table=CARD_RESOURCE, by="card_id", is_open=True),
        Link("followers", to="user", table=CARD_FOLLOWER, by="card_id", is_open=True, own_role=Role.GUEST),
    ),
    places=(Place(OF_COLLECTION), Place("/card", operations=READ_ONLY)),
    unique=(("external_ref",),),
    index=(
        ("collection_id", "position", "start_date"),
        ("board_id", "start_date"),
        ("board_id", "rank"),
        ("stage_id",),
        ("status_id",),
        ("parent_card_id",),
        ("updated_at",),
    ),
    plain_with=("time", "custom_fields"),
    defaults=(place_of_card, cards.place_in_order),
    derives=(cards.keep_days, cards.keep_completion),
    checks=(same_board, cards.takes_cards, cards.stays_where_it_is, cards.days_in_order, cards.parent_fits),
    upkeep=(
        Upkeep(("card",), cards.free_sub_cards),
        Upkeep(("card", "board"), cards.keep_counted_days),
        Upkeep(estimates.WATCHES, estimates.keep_estimates),
    ),
    after=(follow_move,),
    actions=(
        Action("PUT", BY_NAME, "write a custom field by its name", set_by_name, body=WRITTEN_BY_NAME, answer="card", role=Role.MEMBER),
        Action("DELETE", BY_NAME, "remove a custom field by its name", remove_by_name, status=204, role=Role.MEMBER),
        Action(
            "POST",
            f"{ONE_CARD}/split",
            "split a card",
            split,
            body=(
                Items("date_parts", fields=DATE_PART, required=True, default=None, note="One for each resulting card."),
                Boolean("reverse", default=False, note="The card itself becomes the last of the parts instead of the first."),
            ),
            answer="card",
            role=Role.ORGANISER,
            note="The card becomes the first part and keeps what was tracked on it; the other parts are new cards of its collection.",
        ),
        Action(
            "PUT",
            f"{ONE_CARD}/rank",
            "rank a card",
            rank_card,
            body=(Ref("before", to="card", note="It comes right before this card."), Ref("after", to="card", note="Right after it.")),
            answer="card",
            role=Role.ORGANISER,
            note=EXTENSION,
        ),
        Action(
            "POST",
            f"{ONE_CARD}/lock",
            "lock a card",
            lock,
            answer="card",
            role=Role.ORGANISER,
            note=f"{EXTENSION} Its planning stays as it is until it is unlocked.",
        ),
        Action("POST", f"{ONE_CARD}/unlock", "unlock a card", unlock, answer="card", role=Role.ORGANISER, note=EXTENSION),
    ),
    allow=Allow(
        create=Role.ORGANISER,
        update=Role.ORGANISER,
        delete=Role.ORGANISER,
        part=Role.MEMBER,  # who does the work says how far it is
        parts=("status_id", "custom_fields"),
    ),
    sight=Sight(linked="resources"),
    events=(
        "created",
        "updated",
        "deleted",
        "updated.merged",
        "label.attached",
        "label.detached",
        "resource.attached",
        "resource.detached",
        "activity.attached",
        "activity.detached",
        "activity.updated",
    ),
)
