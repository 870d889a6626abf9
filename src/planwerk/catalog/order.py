"""An order: a business document that an integration pushes in; a collection is made from it and kept in step."""

from planwerk.actor import Role
from planwerk.catalog.links import ORDER_SUPPLY
from planwerk.describe import Allow, Job, Link, Many, Object, One, Place, Sight, Upkeep, identity, timestamps
from planwerk.fields import Choice, Date, LongText, Map, Number, Ref, Text, Url
from planwerk.rules.orders import auto_plan, bring_up_to_date, collection_of_order, delete_order, follow_order, note_orders, release_orders

ORDER = Object(
    name="order",
    section="third_party",
    purpose="A business document of another system; a collection is made from it and kept in step with it.",
    fields=(
        identity(),
        Ref("project_id", to="project", nullable=True),
        Ref("warehouse_id", to="warehouse", nullable=True),
        Ref("relation_id", to="relation", nullable=True),
        Ref("item_id", to="item", nullable=True),
        Ref("address_id", to="address", nullable=True),
        Ref("collection_id", to="collection", note="The collection that follows it; absent on create: a new one is made."),
        Map("meta", nullable=True),
        Text("transaction", max=36, nullable=True),
        Text("code", max=100, note="Becomes the name of the collection."),
        Choice(
            "type",
            words=("Production", "Project", "Purchase", "Quotation", "Sales", "none"),
            nullable=True,
            note="null takes the order out of the uniqueness of external_ref; none does not.",
        ),
        Text("sub_type", max=25, nullable=True),
        Text("status", max=10, nullable=True),
        LongText("note", nullable=True),
        Text("description", max=150),
        Text("contact", max=100, nullable=True),
        Date("date", nullable=True),
        Date("promised_date", nullable=True, note="Becomes the due date of the collection."),
        Date("desired_date", nullable=True, note="Becomes the due date if nothing is promised."),
        Date("delivered_date", nullable=True),
        Number("quantity", nullable=True),
        Text("relation_ref", nullable=True),
        Text("external_ref", nullable=True, note="Unique together with type and sub_type."),
        Url("external_url", nullable=True),
        Ref("board_id", to="board", write_only=True, note="The board whose backlog takes the collection; absent: the first board."),
        *timestamps(),
    ),
    relations=(
        One("address", to="address", by="address_id"),
        One("item", to="item", by="item_id"),
        One("project", to="project", by="project_id"),
        One("relation", to="relation", by="relation_id"),
        One("warehouse", to="warehouse", by="warehouse_id"),
        One("collection", to="collection", by="collection_id", is_writable=False),
        One("board", to="board", by="board_id", is_writable=False),
        Many("order_rows", to="order_row", by="order_id", order=("position",), is_owned=True, keeps_missing=True),
        Link("supplies_order_rows", to="order_row", table=ORDER_SUPPLY, by="order_id"),
    ),
    places=(Place("/order"),),
    allow=Allow(create=Role.ORGANISER, update=Role.ORGANISER, delete=Role.ORGANISER),
    sight=Sight(through=("collection",)),
    unique=(("external_ref", "type", "sub_type"),),
    index=(
        ("status", "promised_date"),
        ("promised_date",),
        ("updated_at",),
        ("relation_id",),
        ("project_id",),
        ("item_id",),
        ("warehouse_id",),
        ("address_id",),
        ("collection_id",),
    ),
    defaults=(collection_of_order,),
    after=(follow_order,),
    removal=delete_order,
    upkeep=(Upkeep(("order", "order_row"), note_orders), Upkeep(("collection",), release_orders)),
    note=(
        "A change reaches the collection in the background, but for name, description and due date that a person has set"
        " there; activities follow the rows while the collection is in the backlog. With an order goes its collection, unless"
        " it is planned: then it stays, as if a person had made it."
    ),
    jobs=(
        Job("order.collection", bring_up_to_date, note="Brings a collection up to date with its changed order."),
        Job("collection.auto_plan", auto_plan, note="Plans the collection of a new order on a board that does so by itself."),
    ),
)
