"""The catalog → the OpenAPI 3.1 document: paths, schemas, parameters, answers. Pure; the same objects give the same bytes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from planwerk import __version__
from planwerk.actor import Role
from planwerk.describe import CREATE, UPDATE, Object
from planwerk.fields import Field, Ref
from planwerk.permissions import least_role
from planwerk.reference.answers import HEADERS, JSON, answers_of, shared_answers
from planwerk.reference.examples import body_example, example_of
from planwerk.reference.guide import guide
from planwerk.reference.operations import ARCHIVE, ATTACH, DETACH, RESTORE, Operation, operations
from planwerk.reference.parameters import SHARED, parameters_of
from planwerk.reference.properties import Schema, body_record, body_schema
from planwerk.reference.schemas import documented, given_by_path, object_schemas, reference_to, shared_schemas
from planwerk.reference.words import component, spaced, title

SECTIONS = {"base": "Base data", "third_party": "Third-party data", "configuration": "Configuration", "system": "System"}
EXTENSION = "An extension of Planwerk; the vPlan API has no such operation."
SECURITY_SCHEMES = {
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-Api-Key", "description": "The key: 64 letters and digits."},
    "apiEnvironment": {"type": "apiKey", "in": "header", "name": "X-Api-Env", "description": "The environment: 40 hex digits."},
    "accessToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "A token of a connected app, or a login."},
}


def build(objects: Sequence[Object], *, server_url: str = "/v1") -> dict[str, Any]:
    """The whole document. Relations to objects that are not given are left out."""
    known = {described.name: described for described in documented(objects)}
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations(objects):
        paths.setdefault(operation.path, {})[operation.method.lower()] = describe(operation, known)
    offered = [described for described in objects if described.places or described.actions]
    return {
        "openapi": "3.1.0",
        "info": {"title": "Planwerk API", "version": __version__, "description": guide(), "license": LICENSE},
        "servers": [{"url": server_url}],
        "security": [{"apiKey": [], "apiEnvironment": []}, {"accessToken": []}],
        "tags": [{"name": title(described.name), "description": introduction(described)} for described in offered],
        "x-tagGroups": groups(offered),
        "paths": paths,
        "components": {
            "securitySchemes": SECURITY_SCHEMES,
            "parameters": dict(SHARED),
            "headers": dict(HEADERS),
            "responses": shared_answers(),
            "schemas": shared_schemas() | schemas(known),
        },
    }


LICENSE = {"name": "Apache 2.0", "identifier": "Apache-2.0"}


def schemas(objects: Mapping[str, Object]) -> dict[str, Schema]:
    return {name: schema for described in objects.values() for name, schema in object_schemas(described, objects)}


def groups(objects: Iterable[Object]) -> list[dict[str, Any]]:
    """The sections of the reference, in the order of the catalog (`x-tagGroups`, read by Redoc)."""
    found: dict[str, list[str]] = {}
    for described in objects:
        found.setdefault(SECTIONS.get(described.section, title(described.section)), []).append(title(described.name))
    return [{"name": name, "tags": tags} for name, tags in found.items()]


def introduction(described: Object) -> str:
    """What the object is, and what holds for all of its operations."""
    return "\n\n".join([described.purpose, *([described.note] if described.note else []), *facts(described)])


def facts(described: Object) -> list[str]:
    found = []
    if described.unique:
        keys = ["(" + ", ".join(f"`{name}`" for name in key) + ")" for key in described.unique]
        found.append(f"**Unique:** {', '.join(keys)}. Null never clashes, and a deleted object frees its keys.")
    if described.always_with:
        found.append(f"**Comes without asking**, on a single object: {', '.join(f'`{name}`' for name in described.always_with)}.")
    if described.events:
        found.append("**Events:** " + ", ".join(f"`{described.name}.{event}`" for event in described.events) + ".")
    return found


def describe(operation: Operation, objects: Mapping[str, Object]) -> dict[str, Any]:
    """One operation of the document."""
    found: dict[str, Any] = {
        "operationId": operation.id,
        "summary": operation.summary,
        "tags": [title(operation.object.name)],
        "parameters": parameters_of(operation, objects),
        "responses": answers_of(operation, objects),
    }
    found["description"] = "\n\n".join(filter(None, (note_of(operation), role_of(operation))))
    if operation.place is not None and operation.place.deprecated:
        found["deprecated"] = True
    if body := body_of(operation, objects):
        found["requestBody"] = body
    return found


def role_of(operation: Operation) -> str:
    """The least role that may succeed."""
    least = least_role(operation.object, operation.kind, operation.relation, operation.action)
    return "**Role:** any." if least is Role.GUEST else f"**Role:** {least.name.lower()}{'' if least is Role.ADMIN else ' and above'}."


def note_of(operation: Operation) -> str:
    if operation.action is not None:
        return operation.action.note
    if operation.kind in (ARCHIVE, RESTORE):
        return f"{EXTENSION} Archived objects are left out of lists and keep their unique keys."
    if operation.kind in (ATTACH, DETACH):
        return f"{EXTENSION} The parent's `updated_at` stays as it is."
    if operation.place is None:
        return ""
    along = ", ".join(f"`{name}`" for name in operation.place.with_)
    return "\n\n".join([*filter(None, [operation.place.deprecated]), *([f"Comes with {along}."] if along else [])])


def body_of(operation: Operation, objects: Mapping[str, Object]) -> dict[str, Any]:
    """The body of a request; an upload may come as a form instead of JSON."""
    name, described = component(operation.object.name), operation.object
    if operation.kind == CREATE:
        media = {"schema": reference_to(f"{name}Create"), "example": body_example(described, objects)}
        return {"required": True, "content": {JSON: media} | form_of(described)}
    if operation.kind == UPDATE:
        example = dict(list(body_example(described, objects).items())[:2])
        return {"required": True, "content": {JSON: {"schema": reference_to(f"{name}Update"), "example": example}}}
    fields = operation.action.body if operation.action else operation.relation.table.pivot if operation.relation else ()
    if fields and operation.method in ("POST", "PUT"):
        return {"required": any(field.required for field in fields), "content": {JSON: values(fields)}}
    return {}


def values(fields: tuple[Field, ...]) -> dict[str, Any]:
    example = {field.name: example_of(field) for field in fields}
    return {
        "schema": body_record(fields),
        "example": {name: value for name, value in example.items() if value is not None},
    }


def form_of(described: Object) -> dict[str, Any]:
    """The form that carries a file, and beside it what the file is for."""
    if not described.has_uploads:
        return {}
    parts: dict[str, Schema] = {"file": {"type": "string", "format": "binary", "description": f"The {spaced(described.name)} itself."}}
    named = [field for field in described.writable if isinstance(field, Ref) or field.name == "external_ref"]
    beside = {field.name: body_schema(field) for field in named if field.name not in given_by_path(described)}
    return {"multipart/form-data": {"schema": {"type": "object", "required": ["file"], "properties": parts | beside}}}
