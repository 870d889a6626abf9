"""What every type of property has in common: how null is read, what a bad value is, and how the reference shows a property.

Comes in: JSON values. Goes out: values that a column holds, or `Bad` with the place inside the value.
"""

from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

from sqlalchemy.types import TypeEngine

Value = Any  # a JSON value, or what a column holds: str, int, float, bool or None
INTEGER_LIMIT = 2**53 - 1  # the largest integer every JSON reader keeps exactly (RFC 8259, section 6)
EQUALITY = frozenset({"eq"})
ORDER = frozenset({"gt", "gte", "lt", "lte"})
TEXT = frozenset({"contains", "starts_with", "ends_with"})


class Bad(ValueError):
    """A value that a field does not take; the text says what it takes. `at` leads to the place inside the value."""

    def __init__(self, description: str, at: str = "") -> None:
        super().__init__(description)
        self.description = description
        self.at = at


class ManyBad(Exception):
    """Several bad places inside one value."""

    def __init__(self, items: Iterable[Bad]) -> None:
        super().__init__("several bad values")
        self.items = tuple(items)


@dataclass(frozen=True)
class Field:
    """A property of an object.

    `required`: a create without it is refused. `read_only`: set by the server, ignored in a body.
    `hidden`: a column that is no property. `write_only`: taken from a body, never shown.
    """

    name: str
    _: KW_ONLY
    nullable: bool = False
    required: bool = False
    default: Value = None
    read_only: bool = False
    write_only: bool = False
    hidden: bool = False
    deprecated: bool = False
    note: str = ""

    operators: ClassVar[frozenset[str]] = EQUALITY | ORDER | TEXT
    blank_is_null: ClassVar[bool] = True
    is_rendered: ClassVar[bool] = False  # whether `render` does anything: most columns hold what an answer shows

    @property
    def takes_null(self) -> bool:
        """A property without a default is shown as null when absent, so null must be taken back."""
        return self.nullable or (self.default is None and not self.required)

    @property
    def is_shown(self) -> bool:
        return not self.hidden and not self.write_only

    def column(self) -> TypeEngine[Any]:
        raise NotImplementedError

    def read(self, raw: Value) -> Value:
        """The value of a property in a body, null handling included; raises `Bad` or `ManyBad`."""
        if raw == "" and self.blank_is_null:
            raw = None
        if raw is None:
            if not self.takes_null:
                raise Bad("may not be null")
            return None
        return self.parse(raw)

    def parse(self, raw: Value) -> Value:
        raise NotImplementedError

    def store(self, value: Value) -> Value:
        return value

    def render(self, stored: Value) -> Value:
        return stored

    def operand(self, text: str) -> Value:
        """The value a filter compares with, read from its text; raises `Bad`."""
        return self.parse(text)

    def schema(self) -> dict[str, Any]:
        raise NotImplementedError


def is_clean(text: str) -> bool:
    """Whether both databases can store the text: PostgreSQL refuses U+0000 and neither takes half of a surrogate pair."""
    return "\x00" not in text and not any("\ud800" <= char <= "\udfff" for char in text if char > "\ud7ff")


def join(place: str, inner: str) -> str:
    """The way to a place inside a value: `stages[0].name`.

    >>> join("stages", "[0]"), join("stages[0]", "name"), join("name", ""), join("", "name")
    ('stages[0]', 'stages[0].name', 'name', 'name')
    """
    return place + inner if inner.startswith("[") or not inner or not place else f"{place}.{inner}"


def record_schema(fields: Iterable[Field]) -> dict[str, Any]:
    """The JSON Schema of an object with these fields, as it is shown."""
    return {
        "type": "object",
        "properties": {field.name: shown_schema(field) for field in fields if field.is_shown},
    }


def shown_schema(field: Field) -> dict[str, Any]:
    """The JSON Schema of a property in an answer: null where it may be null, with its note."""
    schema = field.schema()
    if field.takes_null or field.read_only:
        schema = or_null(schema)
    if field.note:
        schema["description"] = field.note
    if field.deprecated:
        schema["deprecated"] = True
    if field.read_only:
        schema["readOnly"] = True
    if field.default is not None:
        schema["default"] = list(field.default) if isinstance(field.default, tuple) else field.default
    return schema


def or_null(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema that takes null, too."""
    if "type" not in schema:
        return schema
    schema = {**schema, "type": [schema["type"], "null"]}
    if "enum" in schema:
        schema["enum"] = [*schema["enum"], None]
    return schema
