"""A property of the catalog → its JSON Schema, as an answer shows it and as a body may hold it.

The two differ: an answer has null where nothing is known; a body leaves out what only the server sets, and takes the
empty text for null where `fields.Field.read` does. Nothing here knows an object.
"""

from collections.abc import Iterable
from typing import Any

from planwerk.fields import Field, Items, Record, or_null

Schema = dict[str, Any]

SCHEMAS = "#/components/schemas/"
BLANK: Schema = {"$ref": f"{SCHEMAS}Blank"}
DIGIT: Schema = {"$ref": f"{SCHEMAS}Digit"}
SERVER_MADE = frozenset({"id", "created_at", "updated_at"})  # every stored object has these; they are never null


def answer_schema(field: Field) -> Schema:
    """What an answer holds; `readOnly` marks what a body cannot set."""
    schema = typed(field, answer_record(field.fields) if isinstance(field, Record | Items) else None)
    if is_null_shown(field):
        schema = or_null(schema)
    return schema | annotations(field) | ({"readOnly": True} if field.read_only else {})


def once_schema(fields: Iterable[Field]) -> dict[str, Schema]:
    """What one answer shows besides, and no later one; `x-once` marks it."""
    return {field.name: typed(field, None) | annotations(field) | {"readOnly": True, "x-once": True} for field in fields}


def body_schema(field: Field) -> Schema:
    """What a body may hold."""
    schema = typed(field, nested_schema(field))
    if not field.takes_null or not schema:
        return schema | annotations(field)
    schema = or_null(schema)
    return ({"anyOf": [schema, BLANK]} if field.blank_is_null else schema) | annotations(field)


def nested_schema(field: Field) -> Schema | None:
    if isinstance(field, Items):
        known = {"id": {"type": ["string", "null"], "format": "uuid", "description": "Names the stored item that changes."}}
        record = body_record(inner for inner in field.fields if not inner.read_only)
        return record | {"properties": (known if field.is_identified else {}) | record["properties"]}
    return body_record(field.fields) if isinstance(field, Record) else None


def typed(field: Field, record: Schema | None) -> Schema:
    """The schema of the field's type, with our own reading of nested records in it."""
    if record is None:
        return dict(field.schema())
    return {**field.schema(), "items": record} if isinstance(field, Items) else record


def answer_record(fields: Iterable[Field]) -> Schema:
    """Every shown property; where some are required, only those are sure to be there."""
    shown = [field for field in fields if field.is_shown]
    schema: Schema = {"type": "object", "properties": {field.name: answer_schema(field) for field in shown}}
    required = [field.name for field in shown if field.required]
    return schema | ({"required": required} if required else {})


def body_record(fields: Iterable[Field]) -> Schema:
    taken = [field for field in fields if not field.hidden]
    schema: Schema = {"type": "object", "properties": {field.name: body_schema(field) for field in taken}}
    required = [field.name for field in taken if field.required]
    return schema | ({"required": required} if required else {})


def is_null_shown(field: Field) -> bool:
    return field.nullable or (field.default is None and not field.required and field.name not in SERVER_MADE)


def annotations(field: Field) -> Schema:
    """What a reader wants to know beside the type."""
    notes: Schema = {"description": field.note[:1].upper() + field.note[1:]} if field.note else {}
    if field.deprecated:
        notes["deprecated"] = True
    if field.default is not None:
        notes["default"] = list(field.default) if isinstance(field.default, tuple) else field.default
    return notes
