"""A project: several orders that belong together, a search criterion of collections."""

from planwerk.actor import Role
from planwerk.describe import Allow, Many, Object, Place, identity, timestamps
from planwerk.fields import Text

PROJECT = Object(
    name="project",
    section="third_party",
    purpose="Several orders that belong together, so that their collections can be found by it.",
    fields=(
        identity(),
        Text("name", max=100, note="Goes to the collections of its orders."),
        Text("description", max=150, nullable=True),
        Text("code", max=50, nullable=True),
        Text("transaction", max=36, nullable=True),
        Text("external_ref", nullable=True),
        *timestamps(),
    ),
    relations=(Many("orders", to="order", by="project_id", is_writable=False),),
    places=(Place("/project"),),
    allow=Allow(create=Role.ORGANISER, update=Role.ORGANISER, delete=Role.ORGANISER),
    unique=(("external_ref",),),
)
