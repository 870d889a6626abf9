"""A description → a believable example: the same one every time, valid by its own schema, made from types and names."""

import hashlib
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from planwerk.describe import Link, Many, Object
from planwerk.errors import Kind
from planwerk.fields import (
    Anything,
    Boolean,
    Choice,
    Date,
    DateTime,
    Days,
    Field,
    Integer,
    Items,
    Map,
    Number,
    Record,
    Text,
    Time,
    Uuid,
    Words,
)
from planwerk.reference.operations import Operation
from planwerk.reference.properties import is_null_shown
from planwerk.reference.schemas import given_by_path
from planwerk.reference.words import spaced

TEXTS: Mapping[str, str] = {
    "name": "Oak staircase",
    "code": "1042",
    "external_ref": "erp-1042",
    "description": "Staircase of oak, two flights",
    "note": "Deliver to the back door",
    "email": "anna@example.com",
    "firstname": "Anna",
    "lastname": "Visser",
    "fullname": "Anna Visser",
    "unit": "minutes",
    "timezone": "Europe/Amsterdam",
    "language": "en",
    "city": "Utrecht",
    "street1": "Workshop Lane 1",
    "postal_code": "3511 AB",
    "country": "NL",
    "text": "The oak has arrived.",
    "filename": "drawing.pdf",
    "file": "https://example.com/drawing.pdf",
    "event": "card.updated",
}
NAMES: Mapping[str, str] = {
    "board": "Workshop",
    "stage": "Sawing",
    "activity": "Sawing",
    "status": "In progress",
    "label": "Rush",
    "resource": "Panel saw",
    "group": "Machine room",
    "space": "Ground floor",
    "relation": "Visser Houses",
    "project": "Canal house",
    "item": "Oak plank",
    "warehouse": "Main store",
    "checklist": "Before delivery",
}
PATTERNED = ("#2f6fde", "https://example.com/planwerk", "anna@example.com", "2f6fde")  # one of them fits each pattern in use
DAYS: Mapping[str, str] = {"start": "2026-03-16", "start_date": "2026-03-16", "end": "2026-03-18", "end_date": "2026-03-18"}


def example_id(name: str) -> str:
    """The id that stands for an object in every example.

    >>> example_id("order") == example_id("order") != example_id("card")
    True
    """
    return str(uuid.UUID(bytes=hashlib.sha256(name.encode()).digest()[:16], version=4))


def example_of(field: Field) -> Any:
    """A value that the field takes and shows."""
    if field.default is not None and not isinstance(field, Items):
        return list(field.default) if isinstance(field.default, tuple) else field.default
    for kind, make in MAKERS:
        if isinstance(field, kind):
            return make(field)
    return None


def text_example(field: Text) -> str | None:
    candidates = (TEXTS.get(field.name, spaced(field.name).capitalize()), *PATTERNED)
    return next((text for text in candidates if is_taken(field, text)), None)


def is_taken(field: Text, text: str) -> bool:
    try:
        return bool(field.parse(text) == text)
    except ValueError:
        return False


def id_example(field: Uuid) -> str:
    return example_id(getattr(field, "to", "") or field.name.removesuffix("_id"))


def number_example(field: Integer | Number) -> float:
    return min(max(60, field.min), field.max)


def map_example(field: Map) -> dict[str, Any]:
    """What an event tells, or what integrations keep of their own."""
    if field.name != "data":
        return {"source": "erp"}
    current = {"id": example_id("card"), "name": "Treads", "start_date": DAYS["start_date"]}
    return {"new": {"name": "Treads"}, "old": {"name": "Steps"}, "current": current}


def items_example(field: Items) -> list[Any]:
    return [record_example(field.fields)]


def record_example(fields: Iterable[Field]) -> dict[str, Any]:
    return {field.name: example_of(field) for field in fields if field.is_shown}


MAKERS: tuple[tuple[type[Field], Any], ...] = (
    (Text, text_example),
    (Uuid, id_example),
    (Choice, lambda field: field.words[0]),
    (Integer, number_example),
    (Number, number_example),
    (Boolean, lambda _: False),
    (Date, lambda field: DAYS.get(field.name, "2026-03-20")),
    (Days, lambda _: ["2026-03-20"]),
    (Time, lambda field: "16:30" if field.name.startswith("end") else "08:00"),
    (DateTime, lambda _: "2026-03-02T08:30:00Z"),
    (Words, lambda field: list(field.words[:2]) or ["saw"]),
    (Map, map_example),
    (Anything, lambda _: "Oak"),
    (Record, lambda field: record_example(field.fields)),
    (Items, items_example),
)


def object_example(described: Object) -> dict[str, Any]:
    """A whole object as GET answers it."""
    found = {field.name: None if is_left_empty(field) else example_of(field) for field in described.shown}
    if "id" in found:
        found["id"] = example_id(described.name)
    return found | own_name(described)


def own_name(described: Object) -> dict[str, str]:
    """A name that suits the kind of object, where it has one."""
    return {"name": NAMES[described.name]} if described.name in NAMES and "name" in described.field else {}


def is_left_empty(field: Field) -> bool:
    """An example shows a living object: neither archived nor deleted, and nothing in doubt."""
    return field.name in ("archived_at", "deleted_at") or (field.deprecated and is_null_shown(field))


def list_example(operation: Operation) -> dict[str, Any]:
    data = object_example(operation.object)
    if operation.place is not None:
        data |= {name: [] for name in operation.place.with_ if isinstance(operation.object.relation.get(name), Many | Link)}
    return {"count": 1, "limit": 100, "offset": 0, "data": [data]}


def body_example(described: Object, objects: Mapping[str, Object]) -> dict[str, Any]:
    """A body that creates an object, with one related object of each kind that may be nested."""
    found = scalar_example(described, given_by_path(described))
    for relation in described.relations:
        if relation.to not in objects or not relation.is_writable:
            continue
        if isinstance(relation, Link):
            found[relation.name] = [{"id": example_id(relation.to), **{field.name: example_of(field) for field in relation.table.pivot}}]
        elif isinstance(relation, Many) and relation.is_owned:
            found[relation.name] = [scalar_example(objects[relation.to], {relation.by})]
    return found


def scalar_example(described: Object, given: Iterable[str]) -> dict[str, Any]:
    """The properties of a new object that a caller would usually send."""
    chosen = [field for field in described.writable if field.name not in set(given) and field.name != "id" and not field.deprecated]
    values = {field.name: body_value(field) for field in chosen}
    sent = {name: value for name, value in values.items() if value is not None and name not in described.pictures}
    return sent | own_name(described)


def body_value(field: Field) -> Any:
    if isinstance(field, Items):
        return [{inner.name: example_of(inner) for inner in field.fields if not inner.read_only and not inner.hidden}]
    return example_of(field)


def error_example(kind: Kind) -> dict[str, Any]:
    reference = example_id("reference")
    fault = {"code": kind.code, "message": kind.message, "description": "What is wrong here.", "property": None, "reference": reference}
    return {"reference": reference, "errors": [fault]}
