"""An operation → its answers: statuses, headers, schemas; and the shared answers of every refusal.

Each refusal's text comes from the table in `errors`, so a new kind shows up here by itself.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from planwerk.describe import CREATE, DELETE, LIST, UPDATE, Object
from planwerk.errors import ALL as KINDS
from planwerk.reference.examples import error_example, list_example, object_example
from planwerk.reference.operations import ATTACH, DETACH, Operation
from planwerk.reference.properties import Schema, answer_record, once_schema
from planwerk.reference.schemas import answer, list_of, reference_to
from planwerk.reference.words import component

Answer = dict[str, Any]

JSON, STREAM = "application/json", "text/event-stream"
COUNT: Schema = {"type": "integer", "minimum": 0}
HEADERS: Mapping[str, Answer] = {
    "Reference-Tag": {"schema": {"type": "string", "format": "uuid"}, "required": True, "description": "Names this request in every log."},
    "ETag": {
        "schema": {"type": "string", "pattern": '^"[0-9a-f]{32}"$'},
        "required": True,
        "description": "The first half names the version of the object or page, the second the answer as it was sent.",
    },
    "RateLimit-Limit": {"schema": COUNT, "description": "Requests in a window."},
    "RateLimit-Remaining": {"schema": COUNT, "description": "Requests left in this window."},
    "RateLimit-Reset": {"schema": COUNT, "description": "Seconds until the next window."},
    "Retry-After": {"schema": COUNT, "required": True, "description": "Seconds to wait before the next attempt."},
    "Deprecated": {"schema": {"type": "string"}, "required": True, "description": "What goes away in a future version."},
    "Location": {"schema": {"type": "string"}, "required": True, "description": "A page for people; do not follow it in a program."},
    "Allow": {"schema": {"type": "string"}, "required": True, "description": "The methods of this path."},
}
EVERYWHERE = ("Reference-Tag", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
EXTRA_HEADERS: Mapping[int, tuple[str, ...]] = {405: ("Allow",), 429: ("Retry-After",), 503: ("Retry-After",)}
ALWAYS = (400, 401, 403, 414, 429, 431, 500, 503)
WITH_BODY = (413, 415, 422)


def headers(*names: str) -> dict[str, Answer]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def answers_of(operation: Operation, objects: Mapping[str, Object]) -> dict[str, Answer]:
    """Every documented status of an operation."""
    found = {str(status): answer for status, answer in successes(operation, objects)}
    if operation.method == "GET":
        found["304"] = {"$ref": "#/components/responses/NotModified"}
    found["303"] = {"$ref": "#/components/responses/SeeOther"}
    found |= {str(status): {"$ref": f"#/components/responses/Status{status}"} for status in refusals(operation)}
    return dict(sorted(found.items()))


def successes(operation: Operation, objects: Mapping[str, Object]) -> Iterator[tuple[int, Answer]]:
    name = component(operation.object.name)
    own = list(own_headers(operation))
    if operation.kind in (DELETE, ATTACH, DETACH) or (operation.action and operation.action.status == 204):
        yield 204, {"description": "Done; there is nothing to say.", "headers": headers(*own)}
    elif operation.kind == LIST:
        yield 200, content("A page of the list.", list_of(name), list_example(operation), own)
    elif operation.action is not None:
        yield operation.action.status, action_answer(operation, objects, own)
    elif operation.kind == CREATE and operation.object.reveals:
        yield 201, content("The whole object, and what is shown once.", reference_to(f"{name}Created"), None, own)
    else:
        status = 201 if operation.kind == CREATE else 200
        yield status, content("The whole object.", reference_to(name), object_example(operation.object), own)


def action_answer(operation: Operation, objects: Mapping[str, Object], own: list[str]) -> Answer:
    assert operation.action is not None
    described, reveals = objects.get(operation.action.answer), operation.action.reveals
    if described is None:
        shows = operation.action.shows
        record = answer_record(shows) if shows or reveals else {}
        return content("The result.", record | ({"properties": record["properties"] | once_schema(reveals)} if reveals else {}), None, own)
    if reveals:
        schema = answer(described, objects, reveals=reveals) | {"title": operation.action.name.capitalize()}
        return content("The object after it, and what is shown once.", schema, None, own)
    words = "The result." if operation.method == "GET" else "The object after it."
    found = content(words, reference_to(component(described.name)), object_example(described), own)
    return as_feed(found) if operation.action.is_feed else found


def as_feed(page: Answer) -> Answer:
    """The answer of a feed, whose page has a form that stays open, without an ETag."""
    media = page["content"][JSON]
    event = media["example"]["data"][0]
    text = f"id: {event['position']}\nevent: {event['event']}\ndata: {orjson.dumps(event).decode()}\n\n"
    stream = {"schema": {"type": "string", "description": "Server-Sent Events (WHATWG HTML, section 9.2)."}, "example": text}
    etag = {**HEADERS["ETag"], "required": False, "description": "Of a page; the stream has none."}
    return {
        "description": "A page of what has happened, or with `Accept: text/event-stream` all of it, as it happens.",
        "headers": page["headers"] | {"ETag": etag},
        "content": page["content"] | {STREAM: stream},
    }


def content(description: str, schema: Schema, example: Any, header_names: list[str]) -> Answer:
    media = {"schema": schema} | ({} if example is None else {"example": example})
    return {"description": description, "headers": headers(*header_names), "content": {JSON: media}}


def own_headers(operation: Operation) -> Iterator[str]:
    yield from EVERYWHERE
    if operation.method == "GET":
        yield "ETag"
    if operation.place is not None and operation.place.deprecated:
        yield "Deprecated"


def refusals(operation: Operation) -> Iterator[int]:
    yield from ALWAYS
    if "{" in operation.path:
        yield 404
    if operation.method != "GET":
        yield 409
    if operation.method in ("POST", "PUT"):
        yield from WITH_BODY
    if operation.kind in (UPDATE, DELETE, ATTACH, DETACH):
        yield 412


def shared_answers() -> dict[str, Answer]:
    """One answer for each status of the table of errors, and those without a body of their own."""
    found = {f"Status{status}": refusal(status) for status in sorted({kind.status for kind in KINDS})}
    found["NotModified"] = {"description": "The answer is the one you have.", "headers": headers(*EVERYWHERE, "ETag")}
    found["SeeOther"] = {
        "description": "Out of service; a page says for how long. Treat it as a failure and try again later.",
        "headers": headers("Location"),
    }
    return found


def refusal(status: int) -> Answer:
    kinds = [kind for kind in KINDS if kind.status == status]
    description = " · ".join(f"{kind.code} {kind.message}" for kind in kinds)
    return content(description, reference_to("Error"), error_example(kinds[0]), [*EVERYWHERE, *EXTRA_HEADERS.get(status, ())])
