"""An operation → its parameters: path, query string and headers.

Texts with a grammar of their own (`filter`, `sort`, `show`, `hide`, `with`) are plain strings; their grammar is told in
the guide.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from planwerk.describe import CREATE, DELETE, LIST, ONE, UPDATE, Link, Many, Object, Relation
from planwerk.fields import INTEGER_LIMIT
from planwerk.reference.operations import ACTION, ARCHIVE, ATTACH, DETACH, RESTORE, Operation
from planwerk.reference.properties import DIGIT, Schema, body_schema
from planwerk.reference.schemas import known_relations
from planwerk.reference.words import spaced

Parameter = dict[str, Any]

SHOWING = (LIST, ONE, CREATE, UPDATE, ARCHIVE, RESTORE)
COUNTED: Mapping[str, Schema] = {
    "year": {"type": "integer", "minimum": 1, "maximum": 9999},
    "month": {"type": "integer", "minimum": 1, "maximum": 12},
    "day": {"type": "integer", "minimum": 1, "maximum": 31},
}
UUID: Schema = {"type": "string", "format": "uuid"}
TEXT: Schema = {"type": "string"}
WORD: Schema = {"type": "string", "minLength": 1}
FLAG: Schema = {"anyOf": [{"type": "boolean"}, DIGIT], "default": False}


def query(name: str, schema: Schema, description: str) -> Parameter:
    """A parameter that acts as absent when it is empty."""
    found = {"name": name, "in": "query", "schema": schema, "description": description}
    return found if schema == TEXT else {**found, "allowEmptyValue": True}


def header(name: str, description: str) -> Parameter:
    return {"name": name, "in": "header", "schema": TEXT, "description": description}


SHARED: Mapping[str, Parameter] = {
    "limit": query(
        "limit",
        {"type": "integer", "minimum": 0, "default": 100},
        "How many to answer; more than 1000, or 0, means 1000. See *Pagination*.",
    ),
    "offset": query("offset", {"type": "integer", "minimum": 0, "maximum": INTEGER_LIMIT, "default": 0}, "How many to skip."),
    "sort": query("sort", TEXT, "`property:asc` or `property:desc`, several separated by commas. See *Sorting*."),
    "filter": query("filter", TEXT, "`property:operator:value`, joined by `,and,` and `,or,`. See *Filtering*."),
    "show": query("show", TEXT, "The properties to answer, separated by commas. See *Show and hide*."),
    "hide": query("hide", TEXT, "The properties to leave out, separated by commas. See *Show and hide*."),
    "archived": query(
        "archived",
        {"anyOf": [{"type": "string", "enum": ["true", "false", "only"]}, DIGIT], "default": "false"},
        "`true` adds the archived ones, `only` answers nothing else.",
    ),
    "update_without_delete_nested": query(
        "update_without_delete_nested", FLAG, "Nested objects that are not sent stay, links as well as objects of this one's own."
    ),
    "remove_missing": query("remove_missing", FLAG, "Nested objects that are not sent are deleted, also where they stay by default."),
    "If-None-Match": header("If-None-Match", "An `ETag` from before; 304 when the answer would be the same."),
    "If-Match": header("If-Match", "An `ETag` of the object; 412 when it has changed since."),
    "Last-Event-ID": header(
        "Last-Event-ID", "With `Accept: text/event-stream`: the position behind which the stream begins; it counts before `after`."
    ),
    "Idempotency-Key": {
        **header("Idempotency-Key", "A text of your choice; sent again within 24 hours it brings back the first answer."),
        "schema": {"type": "string", "maxLength": 255},
    },
}


def parameters_of(operation: Operation, objects: Mapping[str, Object]) -> list[Parameter]:
    """Every parameter of an operation, in the order of the path, the query and the headers."""
    return [
        *(path_parameter(name, operation) for name in operation.parameters),
        *(limit_of(operation) if name == "limit" else shared(name) for name in query_names(operation)),
        *with_parameter(operation, objects),
        *action_parameters(operation),
        *(shared(name) for name in header_names(operation)),
    ]


def shared(name: str) -> Parameter:
    return {"$ref": f"#/components/parameters/{name}"}


def limit_of(operation: Operation) -> Parameter:
    """`limit`, told in full where a list answers another number than usual by itself."""
    usual = SHARED["limit"]
    if operation.place is None or operation.place.limit == usual["schema"]["default"]:
        return shared("limit")
    return {**usual, "schema": {**usual["schema"], "default": operation.place.limit}}


def path_parameter(name: str, operation: Operation) -> Parameter:
    is_own = f"{operation.object.name}_id" == name or not name.endswith("_id")
    whose = f"The {spaced(name.removesuffix('_id'))}" + ("." if is_own else " it belongs to.")
    if operation.relation is not None and name == operation.parameters[-1]:
        whose = f"The {spaced(operation.relation.to)} to {operation.kind}."
    schema = COUNTED.get(name, UUID if name.endswith("_id") else WORD)
    return {"name": name, "in": "path", "required": True, "schema": schema, "description": whose}


def query_names(operation: Operation) -> Iterator[str]:
    if operation.kind == LIST:
        yield from ("limit", "offset", "sort", "filter")
        if operation.object.is_archivable:
            yield "archived"
    if shows_object(operation):
        yield from ("show", "hide")
    if operation.kind == UPDATE:
        yield from update_flags(operation.object)


def shows_object(operation: Operation) -> bool:
    """Whether the answer holds objects, of which the caller may choose the properties."""
    action = operation.action
    return operation.kind in SHOWING or bool(action and action.answer and action.method != "GET")


def update_flags(described: Object) -> Iterator[str]:
    writable = [relation for relation in described.relations if relation.is_writable and is_set(relation)]
    if writable:
        yield "update_without_delete_nested"
    if any(isinstance(relation, Many) and relation.keeps_missing for relation in writable):
        yield "remove_missing"


def is_set(relation: Relation) -> bool:
    """Whether a body may hold all of the related objects at once."""
    return isinstance(relation, Link) or (isinstance(relation, Many) and relation.is_owned)


def with_parameter(operation: Operation, objects: Mapping[str, Object]) -> Iterator[Parameter]:
    names = [f"`{relation.name}`" for relation in known_relations(operation.object, objects)]
    if shows_object(operation) and names:
        yield query("with", TEXT, f"Related objects to answer along: {', '.join(names)}; a dot leads further. See *With*.")


def action_parameters(operation: Operation) -> Iterator[Parameter]:
    """An action that is read takes its values from the query."""
    if operation.action is None or operation.method != "GET":
        return
    for field in operation.action.body:
        yield {**query(field.name, body_schema(field), field.note), "required": field.required}


def header_names(operation: Operation) -> Iterator[str]:
    if operation.method == "GET":
        yield "If-None-Match"
    if operation.action is not None and operation.action.is_feed:
        yield "Last-Event-ID"
    if operation.kind in (UPDATE, DELETE, ATTACH, DETACH):
        yield "If-Match"
    if operation.kind in (CREATE, ACTION) and operation.method == "POST":
        yield "Idempotency-Key"
