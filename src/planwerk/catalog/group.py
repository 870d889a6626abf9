"""A group: a named set of resources."""

from planwerk.catalog.links import GROUP_RESOURCE
from planwerk.describe import Link, Object, Place, identity, timestamps
from planwerk.fields import Text

GROUP = Object(
    name="group",
    section="configuration",
    purpose="A named set of resources, for filters and for the capacity of a group.",
    fields=(identity(), Text("name"), *timestamps()),
    relations=(Link("resources", to="resource", table=GROUP_RESOURCE, by="group_id"),),
    places=(Place("/group"),),
)
