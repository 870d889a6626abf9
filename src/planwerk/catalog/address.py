"""An address of an order. Its path is an addition to the API, which shows addresses on orders only."""

from planwerk.actor import Role
from planwerk.describe import Allow, Many, Object, Place, identity, timestamps
from planwerk.fields import Number, Text

ADDRESS = Object(
    name="address",
    section="third_party",
    purpose="Where an order goes.",
    fields=(
        identity(),
        Text("name", nullable=True),
        Text("street1", nullable=True),
        Text("street2", nullable=True),
        Text("postal_code", nullable=True),
        Text("city", nullable=True),
        Text("country", nullable=True),
        Number("latitude", min=-90, max=90, nullable=True),
        Number("longitude", min=-180, max=180, nullable=True),
        Text("external_ref", nullable=True),
        *timestamps(),
    ),
    relations=(Many("orders", to="order", by="address_id", is_writable=False),),
    places=(Place("/address"),),
    allow=Allow(create=Role.ORGANISER, update=Role.ORGANISER, delete=Role.ORGANISER),
    unique=(("external_ref",),),
)
