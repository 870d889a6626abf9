"""An item: an article that orders and their rows refer to."""

from planwerk.actor import Role
from planwerk.describe import Allow, Many, Object, Place, identity, timestamps
from planwerk.fields import Boolean, LongText, Text

ITEM = Object(
    name="item",
    section="third_party",
    purpose="An article that orders and order rows refer to.",
    fields=(
        identity(),
        Text("description", max=150),
        Text("code", max=50),
        Text("type"),
        Text("external_ref", nullable=True),
        Boolean("stockmanagement"),
        Text("unit", nullable=True),
        LongText("note", nullable=True),
        Text("location", nullable=True),
        *timestamps(),
    ),
    relations=(
        Many("orders", to="order", by="item_id", is_writable=False),
        Many("order_rows", to="order_row", by="item_id", is_writable=False),
        Many("activities", to="activity", by="item_id", is_writable=False),
    ),
    places=(Place("/item"),),
    allow=Allow(create=Role.ORGANISER, update=Role.ORGANISER, delete=Role.ORGANISER),
    unique=(("external_ref",),),
    index=(("updated_at",),),
)
