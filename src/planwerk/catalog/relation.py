"""A relation: a customer or supplier that orders refer to."""

from planwerk.actor import Role
from planwerk.describe import Allow, Many, Object, Place, identity, timestamps
from planwerk.fields import Email, LongText, Text, Url

RELATION = Object(
    name="relation",
    section="third_party",
    purpose="A customer or supplier that orders refer to.",
    fields=(
        identity(),
        Text("name", max=100, note="Goes to the collections of its orders."),
        Text("description", max=150, nullable=True),
        Text("type", max=255, nullable=True),
        LongText("note", nullable=True),
        Text("phone", max=25, nullable=True),
        Text("fax", max=25, nullable=True),
        Email("email", nullable=True),
        Url("website", max=512, nullable=True),
        Text("external_ref", nullable=True),
        *timestamps(),
    ),
    relations=(Many("orders", to="order", by="relation_id", is_writable=False),),
    places=(Place("/relation"),),
    allow=Allow(create=Role.ORGANISER, update=Role.ORGANISER, delete=Role.ORGANISER),
    unique=(("external_ref",),),
    index=(("updated_at",),),
)
