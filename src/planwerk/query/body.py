"""JSON → values by the properties of an object; all faults in one answer; nested objects.

Comes in: the text of a body. Goes out: a `Draft`, a tree of what shall be written. No database: whether an id exists is
judged when the draft is run. Unknown properties are dropped and named, read-only ones are dropped silently.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field as attribute
from typing import Any

import orjson

from planwerk.describe import Action, Link, Many, Object, One, Relation
from planwerk.errors import BAD_REQUEST, VALIDATION_FAILED, Fault, Refusal, refuse
from planwerk.fields import Bad, Field, ManyBad, Uuid, join, parse_record

MAX_DEPTH = 8  # levels of nested objects; the deepest useful body has four
MAX_FAULTS = 100


@dataclass(slots=True)
class Draft:
    """What shall be written to one object: `values` are typed, `ones`, `manys` and `links` hold what is nested.

    `id` is set when an existing object is meant. `place` leads to it inside the body.
    """

    object: Object
    id: str | None = None
    place: str = ""
    values: dict[str, Any] = attribute(default_factory=dict)
    ones: dict[str, "Draft | None"] = attribute(default_factory=dict)
    manys: dict[str, list["Draft"]] = attribute(default_factory=dict)
    links: dict[str, list["Draft"]] = attribute(default_factory=dict)


@dataclass(slots=True)
class Reading:
    """The state of reading one body: the catalog, and what was found on the way."""

    objects: Mapping[str, Object]
    faults: list[Fault] = attribute(default_factory=list)
    unknown: list[str] = attribute(default_factory=list)

    def fault(self, place: str, description: str) -> None:
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(Fault(VALIDATION_FAILED, f"{place} {description}" if place else description, place or None))


def parse_json(body: bytes) -> Any:
    """The JSON value of a body (RFC 8259); refuses with 400 what is none.

    >>> parse_json(b'{"name": "saw"}')
    {'name': 'saw'}
    >>> parse_json(b'[NaN]')  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    planwerk.errors.Refusal: the body is no JSON: ... at line 1 column 2
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        reason = f"{error.msg.partition(':')[0]} at line {error.lineno} column {error.colno}" if body else "it is empty"
        raise refuse(BAD_REQUEST, f"the body is no JSON: {reason}") from None


def parse_draft(described: Object, raw: Any, objects: Mapping[str, Object], *, is_create: bool) -> tuple[Draft, list[str]]:
    """The draft of a body, and the names of the properties that the object does not have; refuses with every fault."""
    if not isinstance(raw, dict):
        raise refuse(BAD_REQUEST, "the body must be a JSON object")
    reading = Reading(objects)
    draft = read_object(described, raw, reading, "", is_create=is_create)
    if reading.faults:
        raise Refusal(*reading.faults)
    return draft, reading.unknown


def parse_given(action: Action, raw: Any) -> tuple[dict[str, Any], list[str]]:
    """What a body gives an action, typed, and the names that mean nothing; refuses with every fault. No body gives nothing."""
    if raw is None:
        raw = {}
    if not isinstance(raw, dict):
        raise refuse(BAD_REQUEST, "the body must be a JSON object")
    try:
        given = parse_record(raw, action.body, defaults=False)
    except ManyBad as many:
        raise Refusal(*(Fault(VALIDATION_FAILED, f"{bad.at} {bad.description}", bad.at) for bad in many.items[:MAX_FAULTS])) from None
    return given, [name for name in raw if name not in {field.name for field in action.body}]


def read_object(
    described: Object, raw: Mapping[str, Any], reading: Reading, place: str, *, is_create: bool, given: tuple[str, ...] = (), depth: int = 1
) -> Draft:
    """One object of a body. `given` names the properties that its parent provides."""
    draft = Draft(described, place=place)
    for name, value in raw.items():
        field = described.field.get(name)
        if field is not None:
            read_field(field, value, draft.values, reading, join(place, name))
            continue
        relation = relation_of(described, name)
        if relation is None:
            reading.unknown.append(join(place, name))
        elif relation.is_writable:
            read_relation(relation, value, draft, reading, join(place, name), depth + 1)
    if is_create:
        for field in described.writable:
            if field.required and field.name not in raw and field.name not in given and not is_provided(field, described, draft):
                reading.fault(join(place, field.name), "is required")
    return draft


def is_provided(field: Field, described: Object, draft: Draft) -> bool:
    """A reference may come as a nested object instead."""
    ones = (relation for relation in described.relations if isinstance(relation, One) and relation.by == field.name)
    return any(draft.ones.get(relation.name) is not None for relation in ones)


def read_field(field: Field, value: Any, values: dict[str, Any], reading: Reading, place: str) -> None:
    if field.read_only or field.hidden:
        return
    try:
        values[field.name] = field.read(value)
    except Bad as bad:
        reading.fault(join(place, bad.at) if bad.at else place, bad.description)
    except ManyBad as many:
        for item in many.items:
            reading.fault(join(place, item.at), item.description)


def relation_of(described: Object, name: str) -> Relation | None:
    """The relation a body or a query means; the API's older camelCase spelling is read, too."""
    return described.relation.get(name) or described.relation.get(snake_case(name))


def snake_case(name: str) -> str:
    """
    >>> snake_case("orderRows"), snake_case("order_rows")
    ('order_rows', 'order_rows')
    """
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda found: "_" + found.group(1).lower(), name)


def read_relation(relation: Relation, value: Any, draft: Draft, reading: Reading, place: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        reading.fault(place, f"is nested deeper than {MAX_DEPTH} levels")
    elif isinstance(relation, One):
        draft.ones[relation.name] = read_one(relation, value, reading, place, depth)
    elif not isinstance(value, list):
        reading.fault(place, "must be a list")
    elif isinstance(relation, Link):
        draft.links[relation.name] = read_links(relation, flat(value), reading, place)
    elif isinstance(relation, Many) and relation.is_owned:
        draft.manys[relation.name] = read_many(relation, value, reading, place, depth)


def flat(items: list[Any]) -> list[Any]:
    """The documentation shows `[[{id}]]` where `[{id}]` is meant; both are read."""
    return [inner for item in items for inner in (item if isinstance(item, list) else [item])]


def read_one(relation: One, value: Any, reading: Reading, place: str, depth: int) -> Draft | None:
    if value is None or value == "":
        return None
    target = reading.objects[relation.to]
    if not isinstance(value, dict):
        reading.fault(place, "must be an object")
        return None
    if "id" in value:
        return Draft(target, id=read_id(value, reading, place), place=place)
    return read_object(target, value, reading, place, is_create=True, depth=depth)


def read_many(relation: Many, items: list[Any], reading: Reading, place: str, depth: int) -> list[Draft]:
    target, drafts = reading.objects[relation.to], []
    for index, item in enumerate(items):
        here = f"{place}[{index}]"
        if not isinstance(item, dict):
            reading.fault(here, "must be an object")
            continue
        is_new = item.get("id") is None
        draft = read_object(target, item, reading, here, is_create=is_new, given=(relation.by,), depth=depth)
        draft.id = None if is_new else read_id(item, reading, here)
        draft.values.pop(relation.by, None)
        drafts.append(draft)
    return drafts


def read_links(relation: Link, items: list[Any], reading: Reading, place: str) -> list[Draft]:
    """Linked objects: `{id, …pivot}`, or the bare id."""
    target, drafts = reading.objects[relation.to], []
    for index, item in enumerate(items):
        here = f"{place}[{index}]"
        value = {"id": item} if isinstance(item, str) else item
        if not isinstance(value, dict):
            reading.fault(here, "must be an object with an id")
            continue
        draft = Draft(target, id=read_id(value, reading, here), place=here)
        for field in relation.table.pivot:
            if field.name in value:
                read_field(field, value[field.name], draft.values, reading, join(here, field.name))
        drafts.append(draft)
    return drafts


def read_id(value: Mapping[str, Any], reading: Reading, place: str) -> str | None:
    try:
        found: str = Uuid("id").parse(value.get("id"))
    except Bad as bad:
        reading.fault(join(place, "id"), bad.description)
        return None
    return found
