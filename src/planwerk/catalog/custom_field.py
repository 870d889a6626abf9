"""Custom fields: a board defines them, its collections and cards hold values for them. They live inside their owner."""

from planwerk.describe import identity
from planwerk.fields import Anything, Choice, DateTime, Field, Integer, Items, Map, Number, Record, Text, Uuid

TYPES = (
    "text",
    "number",
    "date",
    "checkbox",
    "email",
    "link",
    "phone",
    "list",
    "select",
    "address",
    "drawing",
    "textarea",
    "users",
)

COMPONENTS: tuple[Field, ...] = (
    Number("latitude", min=-90, max=90),
    Number("longitude", min=-180, max=180),
    Text("country"),
    Text("city"),
    Text("postal_code"),
    Text("street1"),
    Text("street2"),
)

ENTRY: tuple[Field, ...] = (Text("name"), Text("value"), Text("color"))

CUSTOM_FIELD: tuple[Field, ...] = (
    identity(),
    Text("name"),
    Choice("type", words=TYPES, default="text"),
    Choice("scope", words=("collection", "card")),
    Integer("priority", note="Sorts the fields of a board."),
    Anything("value", nullable=True, note="A text, number, boolean, list or object, as the type wants it."),
    Uuid("drawing_id"),
    Record("components", fields=COMPONENTS, note="The parts of an address."),
    Items("list", fields=ENTRY, note="The entries of a list."),
    Record("selected", fields=ENTRY, note="The chosen entry of a select."),
    Map("options", note="Settings of the types number, select and list."),
    DateTime("created_at", read_only=True),
    DateTime("updated_at", read_only=True),
)

CUSTOM_FIELD_VALUE: tuple[Field, ...] = (*CUSTOM_FIELD, Uuid("board_id", note="The board whose definition it follows."))
