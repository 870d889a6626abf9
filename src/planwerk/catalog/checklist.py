"""A checklist: items to tick off, on a collection or on one of its cards. The items live inside it."""

from planwerk.actor import Role
from planwerk.describe import Allow, Object, One, Place, Sight, identity, timestamps
from planwerk.fields import Boolean, DateTime, Field, Integer, Items, LongText, Ref, Text, Uuid
from planwerk.rules.belonging import card_of_collection, collection_of_card

CHECKLIST_ITEM: tuple[Field, ...] = (
    identity(),
    Uuid("checklist_id", read_only=True),
    LongText("description"),
    Integer("position"),
    Boolean("checked", default=False),
    DateTime("created_at", read_only=True),
    DateTime("updated_at", read_only=True),
)

CHECKLIST = Object(
    name="checklist",
    section="base",
    purpose="A named list of items to tick off, on a collection or on one of its cards.",
    fields=(
        identity(),
        Text("name"),
        Boolean("editable", default=True),
        Integer("position"),
        Items("items", fields=CHECKLIST_ITEM),
        Ref("collection_id", to="collection"),
        Ref("card_id", to="card", nullable=True, note="null on a checklist of the collection."),
        Uuid("board_checklist_id", nullable=True, note="The checklist of the board it was copied from."),
        Text("external_ref", nullable=True),
        *timestamps(),
    ),
    relations=(
        One("collection", to="collection", by="collection_id", is_writable=False),
        One("card", to="card", by="card_id", is_writable=False),
    ),
    places=(
        Place("/collection/{collection_id}/checklist", fixed={"card_id": None}),
        Place("/collection/{collection_id}/card/{card_id}/checklist"),
    ),
    unique=(("external_ref",),),
    index=(("collection_id", "position"), ("card_id", "position")),
    allow=Allow(
        create=Role.ORGANISER,
        update=Role.ORGANISER,
        delete=Role.ORGANISER,
        part=Role.MEMBER,  # who does the work ticks it off
        parts=("items.checked",),
    ),
    sight=Sight(through=("card", "collection")),
    defaults=(collection_of_card,),
    checks=(card_of_collection,),
)
