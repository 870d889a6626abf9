"""A warehouse: a place where items are stored, a search criterion of orders."""

from planwerk.actor import Role
from planwerk.describe import Allow, Many, Object, Place, identity, timestamps
from planwerk.fields import Text

WAREHOUSE = Object(
    name="warehouse",
    section="third_party",
    purpose="A place where items are stored, used on orders as a search criterion.",
    fields=(
        identity(),
        Text("name"),
        Text("code"),
        Text("external_ref", nullable=True),
        *timestamps(),
    ),
    relations=(Many("orders", to="order", by="warehouse_id", is_writable=False),),
    places=(Place("/warehouse"),),
    allow=Allow(create=Role.ORGANISER, update=Role.ORGANISER, delete=Role.ORGANISER),
    unique=(("external_ref",),),
)
