"""The objects of the catalog → the schemas of their answers and bodies.

`Order` is an answer, `OrderCreate` and `OrderUpdate` are bodies, `OrderNested` is an order inside another body,
`ActivityOfCard` is an activity as a card shows it, with the values of the link, and `ApiKeyCreated` is a new key with what
is shown once.
"""

from collections.abc import Iterable, Iterator, Mapping

from planwerk.describe import CREATE, UPDATE, Link, Many, Object, One, Relation
from planwerk.errors import ALL as KINDS
from planwerk.fields import Field
from planwerk.reference.properties import BLANK, SCHEMAS, Schema, answer_schema, body_record, body_schema, once_schema
from planwerk.reference.words import component, singular, spaced, title

UUID: Schema = {"type": "string", "format": "uuid"}
PICTURE: Schema = {
    "type": ["string", "null"],
    "description": "A picture as a data URI (`data:image/png;base64,…`), or the address it was given before.",
}
BARE_LINK: Schema = {"$ref": f"{SCHEMAS}BareLink"}


def reference_to(name: str) -> Schema:
    return {"$ref": f"{SCHEMAS}{name}"}


def shared_schemas() -> dict[str, Schema]:
    """The schemas that belong to no object."""
    identified: Schema = {"type": "object", "required": ["id"], "properties": {"id": UUID}}
    return {
        "Error": error_schema(),
        "Blank": {"type": "string", "maxLength": 0, "description": "The empty text, read as null."},
        "Digit": {"type": "integer", "enum": [0, 1], "description": "In the query: 1 for true, 0 for false."},
        "BareLink": {
            "description": "Other spellings of a linked object: its id alone, or a list around it.",
            "anyOf": [UUID, {"type": "array", "items": {"anyOf": [UUID, identified]}}],
        },
    }


def error_schema() -> Schema:
    """The one shape of every refusal."""
    fault = {
        "code": {"type": "integer", "enum": [kind.code for kind in KINDS], "description": "Stays the same for ever; see *Errors*."},
        "message": {"type": "string", "description": "The kind of fault."},
        "description": {"type": "string", "description": "What is wrong here, and what would be right."},
        "property": {"type": ["string", "null"], "description": "Where in the body: `order_rows[0].quantity`."},
        "reference": UUID,
    }
    item: Schema = {"type": "object", "properties": fault, "required": list(fault)}
    properties = {
        "reference": {**UUID, "description": "Equals the header `Reference-Tag`; name it when you ask for help."},
        "errors": {"type": "array", "items": item, "minItems": 1},
    }
    return {"type": "object", "properties": properties, "required": list(properties)}


def documented(objects: Iterable[Object]) -> list[Object]:
    """The objects that a caller meets: by a path of their own, or through a relation of one that has a path."""
    every = list(objects)
    offered = [described for described in every if described.places or described.actions]
    reached = {relation.to for described in offered for relation in described.relations}
    return [described for described in every if described in offered or described.name in reached]


def object_schemas(described: Object, objects: Mapping[str, Object]) -> Iterator[tuple[str, Schema]]:
    """Every schema of one object; relations to objects that are not offered are left out."""
    name = component(described.name)
    offered = {place_kind for place in described.places for place_kind in place.operations}
    yield name, answer(described, objects)
    for relation in pivots(described, objects):
        as_linked = answer(objects[relation.to], objects, relation.table.pivot)
        yield pivot_name(described, relation), as_linked | {"title": f"{as_linked['title']} of {spaced(described.name)}"}
    if CREATE in offered:
        yield f"{name}Create", body(described, objects, is_create=True)
        if described.reveals:
            new = answer(described, objects, reveals=described.reveals)
            yield f"{name}Created", new | {"title": f"{new['title']}, just made"}
    if UPDATE in offered:
        yield f"{name}Update", body(described, objects, is_create=False)
    yield f"{name}Nested", nested(described, objects)


def answer(described: Object, objects: Mapping[str, Object], pivot: Iterable[Field] = (), reveals: Iterable[Field] = ()) -> Schema:
    """An object as it is shown; `show`, `hide` and `with` decide which of the properties are there, but for what it reveals."""
    properties = {field.name: answer_schema(field) for field in (*described.shown, *pivot)}
    for relation in known_relations(described, objects):
        properties.setdefault(relation.name, answer_relation(described, relation))
    properties |= once_schema(reveals)
    schema: Schema = {"type": "object", "title": title(described.name), "description": described.purpose, "properties": properties}
    if not described.is_stored:
        schema["required"] = [field.name for field in described.shown if field.required]
    return schema


def answer_relation(described: Object, relation: Relation) -> Schema:
    note = {"description": f"With `with={relation.name}`.", "readOnly": True, "x-relation": relation.to}
    if isinstance(relation, Link) and relation.table.pivot:
        return {"type": "array", "items": reference_to(pivot_name(described, relation))} | note
    target = reference_to(component(relation.to))
    if isinstance(relation, One):
        return {"anyOf": [target, {"type": "null"}]} | note
    return {"type": "array", "items": target} | note


def body(described: Object, objects: Mapping[str, Object], *, is_create: bool) -> Schema:
    """What POST or PUT takes. Properties that the path gives are not part of the body."""
    given = given_by_path(described)
    record = body_record(field for field in described.writable if field.name not in given)
    record["properties"] |= dict.fromkeys(described.pictures, PICTURE) | body_relations(described, objects)
    if not is_create:
        record.pop("required", None)
    return {"title": f"{title(described.name)}, {'new' if is_create else 'changed'}", **record}


def given_by_path(described: Object) -> frozenset[str]:
    return frozenset(name for place in described.places for name in (*place.parameters, *place.fixed))


def nested(described: Object, objects: Mapping[str, Object]) -> Schema:
    """An object inside another body: with its id it is the stored one, without it a new one."""
    required = [f"`{field.name}`" for field in described.writable if field.required]
    identity = {"type": ["string", "null"], "format": "uuid", "description": "Names a stored object; without it a new one is made."}
    return {
        "type": "object",
        "title": f"{title(described.name)}, nested",
        "description": f"A new one needs {', '.join(required)}, unless its parent gives it." if required else described.purpose,
        "properties": {
            "id": identity,
            **{field.name: body_schema(field) for field in described.writable if field.name != "id"},
            **body_relations(described, objects),
        },
    }


def body_relations(described: Object, objects: Mapping[str, Object]) -> dict[str, Schema]:
    """The related objects that may be written inside this one."""
    return {
        relation.name: body_relation(relation)
        for relation in known_relations(described, objects)
        if relation.is_writable and not (isinstance(relation, Many) and not relation.is_owned)
    }


def body_relation(relation: Relation) -> Schema:
    target, name = reference_to(f"{component(relation.to)}Nested"), spaced(relation.to)
    if isinstance(relation, One):
        note = f"`{{id}}` links {name}, an object without id is created, null unlinks."
        return {"anyOf": [target, {"type": "null"}, BLANK], "description": note}
    if isinstance(relation, Link):
        return {
            "type": "array",
            "items": {"anyOf": [linked(relation), BARE_LINK]},
            "description": "The linked objects. On PUT they replace those there are.",
        }
    keeps = "stay, unless `remove_missing=true`" if isinstance(relation, Many) and relation.keeps_missing else "are deleted"
    return {"type": "array", "items": target, "description": f"Created and changed with this object. On PUT those left out {keeps}."}


def linked(relation: Link) -> Schema:
    values = {field.name: body_schema(field) for field in relation.table.pivot}
    return {"type": "object", "required": ["id"], "properties": {"id": UUID, **values}}


def list_of(name: str) -> Schema:
    """The envelope of a list."""
    counted: Schema = {"type": "integer", "minimum": 0}
    properties = {
        "count": {**counted, "description": "How many match, on all pages."},
        "limit": {**counted, "description": "The limit in force."},
        "offset": {**counted, "description": "The offset in force."},
        "data": {"type": "array", "items": reference_to(name)},
    }
    return {"type": "object", "properties": properties, "required": list(properties)}


def known_relations(described: Object, objects: Mapping[str, Object]) -> Iterator[Relation]:
    return (relation for relation in described.relations if relation.to in objects)


def pivots(described: Object, objects: Mapping[str, Object]) -> Iterator[Link]:
    for relation in known_relations(described, objects):
        if isinstance(relation, Link) and relation.table.pivot:
            yield relation


def pivot_name(described: Object, relation: Link) -> str:
    return f"{component(singular(relation.name))}Of{component(described.name)}"
