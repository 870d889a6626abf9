"""The hot path of `/v1`: limits → maintenance → caller → quota → route → body → handler → headers → bytes.

One short ASGI function. Whatever goes wrong on the way becomes an error body in one place.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, MutableMapping
from functools import partial
from typing import Any

import xxhash

from planwerk.actor import Actor
from planwerk.edge.accept import prefers_stream
from planwerk.edge.conditional import ENCODED_BYTES, accepts_gzip, encode, is_unchanged
from planwerk.edge.feed import Feed
from planwerk.edge.limits import Receive, check_head, read_body
from planwerk.edge.maintenance import Maintenance
from planwerk.edge.problems import Headers, problem
from planwerk.edge.quota import Quota
from planwerk.edge.reference import new_reference
from planwerk.edge.stream import Send, send_stream
from planwerk.edge.uploads import Uploads
from planwerk.errors import (
    BAD_REQUEST,
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    SERVICE_UNAVAILABLE,
    UNSUPPORTED_MEDIA_TYPE,
    VALIDATION_FAILED,
    Refusal,
    refuse,
)
from planwerk.etags import versions_of
from planwerk.handlers import HANDLERS, REPLAYED
from planwerk.identity.callers import Callers
from planwerk.identity.uses import Use, Uses, write_use
from planwerk.notes import Note, write_notes
from planwerk.permissions import permit
from planwerk.query.body import parse_json
from planwerk.query.parameters import parse_values
from planwerk.routes import Node, Route, Router, values_of
from planwerk.rules.feed import types_of
from planwerk.service import Reply, Request, Service
from planwerk.store.transaction import Transaction

Scope = MutableMapping[str, Any]
KEY_CHARACTERS = 255  # of an Idempotency-Key
JSON = (b"content-type", b"application/json")
LAST_EVENT_ID = re.compile(rb"\d{1,16}", re.ASCII)


class Api:
    """The ASGI application of the API itself."""

    def __init__(
        self,
        service: Service,
        router: Router,
        callers: Callers,
        quota: Quota,
        maintenance: Maintenance,
        uploads: Uploads,
        body_limit_bytes: int,
    ) -> None:
        self.service = service
        self.router = router
        self.callers = callers
        self.quota = quota
        self.maintenance = maintenance
        self.uploads = uploads
        self.body_limit_bytes = body_limit_bytes
        self.feed = Feed(service.database)
        self.uses = Uses()
        self.tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        reference = new_reference()
        fields: Headers = []
        try:
            reply = await self.answer(scope, receive, fields)
        except Exception as error:
            status, body, extra = problem(error, reference, f"{scope['method']} {scope['path']}")
            reply = Reply(status, body)
            fields += [field for field in extra if field not in fields]
        fields += reply.headers
        if reply.stream is not None:
            await send_stream(reply.stream, fields, reference, receive, send, is_head=scope["method"] == "HEAD")
            return
        if reply.etag:
            fields.append((b"etag", f'"{reply.etag}"'.encode()))
        if reply.body:
            fields.append(JSON)
        if reply.status not in (204, 304):
            fields.append((b"content-length", b"%d" % len(reply.body)))
        fields.append((b"reference-tag", reference.encode()))
        await send({"type": "http.response.start", "status": reply.status, "headers": fields})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else reply.body})

    async def follow(self, request: Request, headers: dict[bytes, bytes]) -> AsyncGenerator[bytes, None]:
        """The feed as Server-Sent Events, behind `Last-Event-ID`, else `after`, else from now on. The caller is found again before
        every look at the feed and before anything is told, but counted against its quota only once."""
        assert request.route.action is not None
        given, _ = parse_values(request.route.action.body, request.query)
        types = types_of(given.get("types"), self.service.objects)
        environment_id, after, name = request.actor.environment_id, last_event_id(headers.get(b"last-event-id", b"")), "Last-Event-ID"
        if after is None:
            after, name = given.get("after"), "after"
        if after is None:
            after = await self.feed.begin(environment_id)
        else:
            await self.feed.check(environment_id, after, name)

        async def confirm(is_afresh: bool) -> Actor:
            self.service.database.refresh()
            if is_afresh:
                self.callers.forget(headers)
            if await self.maintenance.check():
                raise refuse(SERVICE_UNAVAILABLE, "the server is in maintenance")
            actor = await self.callers.actor(headers)
            permit(actor, request.route)
            return actor

        return self.feed.follow(environment_id, confirm, after, types)

    async def answer(self, scope: Scope, receive: Receive, fields: Headers) -> Reply:
        path, query = scope["path"], scope["query_string"]
        headers = dict(scope["headers"])
        check_head(path, query, headers)
        self.service.database.refresh()
        if page := await self.maintenance.check():
            return Reply(303, headers=((b"location", page.encode()),))
        actor = await self.callers.actor(headers)
        if self.uses.is_due(actor):
            self.later(actor, partial(write_use, use=Use(actor, scope["method"], path, query.decode("latin-1"))))
        if actor.quota is not None:
            fields += await self.quota.hit(actor.quota)
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        route, values = self.find(path, method)
        permit(actor, route)
        request = Request(actor, route, values, query.decode("latin-1"), path.lstrip("/"))
        if route.place.deprecated:
            fields += [(b"deprecated", route.place.deprecated.encode()), (b"deprecation", b"@1735689600")]
            request.notes.append(Note("warning", "DEPRECATED", route.place.deprecated))
        if route.action is not None and route.action.is_feed:
            fields.append((b"vary", b"accept"))
            if prefers_stream(headers.get(b"accept", b"")):
                return Reply(200, stream=await self.follow(request, headers))
        if method != "GET":
            return await self.change(request, receive, headers)
        reply: Reply = await HANDLERS[route.kind](self.service, request)
        return self.conditional(reply, request, headers)

    async def change(self, request: Request, receive: Receive, headers: dict[bytes, bytes]) -> Reply:
        """A write; files that came with one that surely was not made are taken away again.

        One that was broken off, or not confirmed in time, may have been made all the same: SQLite's writer goes on with what it was
        given, and the answer to a commit may be lost on its way. Its files stay, for a row that leads nowhere is worse.
        """
        try:
            await self.prepare(request, receive, headers)
        except BaseException:
            await self.uploads.discard(request)
            raise
        try:
            reply: Reply = await HANDLERS[request.route.kind](self.service, request)
        except Refusal as refusal:
            if refusal.status < 500:
                await self.uploads.discard(request)
            raise
        if REPLAYED in reply.headers:
            await self.uploads.discard(request)
        return reply

    def find(self, path: str, method: str) -> tuple[Route, dict[str, Any]]:
        """The route of a path below /v1; 404 for no such path, 405 with Allow for another method."""
        found = self.router.find(path[3:]) if "\x00" not in path else None
        if found is None:
            raise refuse(NOT_FOUND, "there is no such endpoint")
        node, values = found
        route = node.routes.get(method)
        if route is None:
            raise refuse(METHOD_NOT_ALLOWED, f"{method} is not possible here", allow=", ".join(allowed(node)))
        return route, values_of(node, method, values)

    async def prepare(self, request: Request, receive: Receive, headers: dict[bytes, bytes]) -> None:
        """Everything a write needs: the body, If-Match, the Idempotency-Key."""
        if request.route.method in ("PUT", "DELETE") and b"if-match" in headers and "id" in request.values:
            request.versions = versions_of(headers[b"if-match"].decode("latin-1"), request.values["id"].lower())
        if request.route.method == "POST" and b"idempotency-key" in headers:
            request.idempotency_key = idempotency_key(headers[b"idempotency-key"])
        kind, length = headers.get(b"content-type", b""), headers.get(b"content-length", b"")
        if request.route.object.has_uploads and request.route.kind == "create" and kind.lower().startswith(b"multipart/form-data"):
            request.body = await self.uploads.receive(request, kind.decode("latin-1"), receive, length)
            request.body_hash = upload_hash(request.body)
            return
        body = await read_body(receive, length, self.body_limit_bytes)
        request.body_hash = xxhash.xxh3_128_hexdigest(body) if request.idempotency_key else ""
        if request.route.method != "DELETE" and (body or request.route.kind in ("create", "update")):
            request.body = read_json(body, kind, request.notes)
            if request.body is None:  # null; a body that is absent is no body
                raise refuse(BAD_REQUEST, "the body must be a JSON object")
            request.body = await self.uploads.unpack(request)

    def conditional(self, reply: Reply, request: Request, headers: dict[bytes, bytes]) -> Reply:
        """Compress if the caller likes, answer 304 if it has the answer already, tell it what else there is to know."""
        if request.notes:
            self.tell(request)
        if b"accept-encoding" in headers and len(reply.body) >= ENCODED_BYTES and accepts_gzip(headers[b"accept-encoding"]):
            body, etag = encode(reply.body, reply.etag)
            reply = Reply(reply.status, body, etag, (*reply.headers, (b"content-encoding", b"gzip"), (b"vary", b"accept-encoding")))
        if b"if-none-match" in headers and reply.etag and is_unchanged(headers[b"if-none-match"], reply.etag):
            return Reply(304, b"", reply.etag, reply.headers)
        return reply

    def tell(self, request: Request) -> None:
        """Write the notes of a read once it is answered."""
        described = self.service.objects["api_message"]
        place = request.route.method, request.path, request.query, request.notes
        self.later(request.actor, lambda tx: write_notes(tx, described, *place))

    def later(self, actor: Actor, work: Callable[[Transaction], None]) -> None:
        """Write something in the caller's environment that the answer does not wait for."""
        task = asyncio.get_running_loop().create_task(self.write(actor.environment_id, work))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def write(self, environment_id: str, work: Callable[[Transaction], None]) -> None:
        try:
            await self.service.database.write(environment_id, work)
        except Refusal:
            pass  # the database is not writable now, which its own log line tells; the request itself was answered


def last_event_id(header: bytes) -> int | None:
    """The position that a client has come to; None if it does not say."""
    if not header.strip():
        return None
    if not LAST_EVENT_ID.fullmatch(header.strip()):
        raise refuse(BAD_REQUEST, "Last-Event-ID must be the position of an event", "Last-Event-ID")
    return int(header)


def allowed(node: Node) -> list[str]:
    return sorted({*node.routes, *(["HEAD"] if "GET" in node.routes else [])})


def idempotency_key(header: bytes) -> str:
    key = header.decode("latin-1")
    if len(key) > KEY_CHARACTERS or not (key.isascii() and key.isprintable()):
        raise refuse(VALIDATION_FAILED, f"must have at most {KEY_CHARACTERS} printable ASCII characters", "Idempotency-Key")
    return key


def upload_hash(body: dict[str, Any]) -> str:
    """What two uploads have in common that are the same: all but the addresses the server gave the file."""
    given = {name: value for name, value in body.items() if name not in ("file", "signature") and not name.startswith("thumbnail")}
    return xxhash.xxh3_128_hexdigest(repr(sorted(given.items())).encode())


def read_json(body: bytes, kind: bytes, notes: list[Note]) -> Any:
    """The JSON value of a body. Without a Content-Type it is tried and noted; another type is refused with 415."""
    name, _, options = kind.decode("latin-1").lower().partition(";")
    name = name.strip()
    if name in ("application/json", "text/json") or name.endswith("+json"):
        if "charset" in options and "utf-8" not in options and "utf8" not in options:
            raise refuse(UNSUPPORTED_MEDIA_TYPE, "send JSON in UTF-8")
        return parse_json(body)
    if name:
        raise refuse(UNSUPPORTED_MEDIA_TYPE, f"send application/json, not {name}"[:200])
    try:
        value = parse_json(body)
    except Refusal:
        raise refuse(BAD_REQUEST if not body else UNSUPPORTED_MEDIA_TYPE, "send a JSON body with Content-Type: application/json") from None
    notes.append(Note("warning", "CONTENT_TYPE_MISSING", "the body was read as JSON; send Content-Type: application/json"))
    return value
