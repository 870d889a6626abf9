"""A row of an order: an item, or an operation whose time goes to the order's collection."""

from planwerk.actor import Role
from planwerk.catalog.links import ORDER_ROW_SUPPLY, ORDER_SUPPLY
from planwerk.describe import Allow, Link, Object, One, Place, Sight, identity, timestamps
from planwerk.fields import Date, Integer, Number, Ref, Text

ORDER_ROW = Object(
    name="order_row",
    section="third_party",
    purpose="A line of an order: an item, or an operation that adds its time to the order's collection.",
    fields=(
        identity(),
        Text("code", max=50, nullable=True),
        Text("description", max=150),
        Ref("order_id", to="order", nullable=True),
        Ref("item_id", to="item", nullable=True),
        Ref("activity_id", to="activity", nullable=True),
        Text("transaction", max=36, nullable=True),
        Integer("position", min=0, max=4294967296, nullable=True),
        Text("type", max=50, nullable=True),
        Text("unit", max=50, note="Free; minutes, hours and days make quantity a time."),
        Text("item_code", max=50, nullable=True),
        Number("reserved", nullable=True),
        Number("quantity", nullable=True),
        Number("quantity_delivered", nullable=True),
        Number("quantity_backorder", nullable=True),
        Number("quantity_original", nullable=True),
        Text("status", max=32, nullable=True),
        Date("delivered_date"),
        Text("resource_ref", max=64, nullable=True),
        Text("external_ref", max=64, nullable=True),
        *timestamps(),
    ),
    relations=(
        One("order", to="order", by="order_id", is_writable=False),
        One("item", to="item", by="item_id"),
        One("activity", to="activity", by="activity_id"),
        Link("receives_order", to="order", table=ORDER_SUPPLY, by="order_row_id"),
        Link("supplies_order_rows", to="order_row", table=ORDER_ROW_SUPPLY, by="supplier_order_row_id"),
        Link("receives_order_rows", to="order_row", table=ORDER_ROW_SUPPLY, by="receiver_order_row_id"),
    ),
    places=(Place("/order/{order_id}/row"),),
    allow=Allow(create=Role.ORGANISER, update=Role.ORGANISER, delete=Role.ORGANISER),
    sight=Sight(through=("order",)),
    unique=(("external_ref",),),
    index=(("order_id", "position"), ("item_id",), ("activity_id",), ("updated_at",)),
)
