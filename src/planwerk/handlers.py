"""List, one, create, update, delete, archive, attach: each is parse → plan → run → shape.

Comes in: a `Request` whose caller is known. Goes out: a `Reply`. Knows no object by name, writes no error body, and never
commits: that is the database's work, before the first byte of the reply is made.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson

from planwerk.actor import Viewer, viewer_of
from planwerk.describe import Object
from planwerk.etags import etag_of
from planwerk.fields import UUID
from planwerk.idempotency import Claim, FirstAnswer, claim_request, keep_answer
from planwerk.notes import Note, note_unknown, write_notes
from planwerk.permissions import permit_links
from planwerk.plan import Read, operands
from planwerk.query.body import parse_draft, parse_given
from planwerk.query.parameters import parse_values
from planwerk.run import Manner, examine_given, match_version, not_found, pivot_values, run_create, run_delete, run_update, seen_rows
from planwerk.service import TOTAL_BYTES, Plan, Reply, Request, Service
from planwerk.shape import Shape
from planwerk.store.database import too_large
from planwerk.store.memory import ENTRY_BYTES, Answer
from planwerk.store.outbox import read_behind_writers
from planwerk.store.select import ListStatements
from planwerk.store.statements import Statement
from planwerk.store.transaction import Row, Transaction

REPLAYED = (b"idempotency-replayed", b"true")


# ── reading ──


async def list_objects(service: Service, request: Request) -> Reply:
    """One page of the living objects of a place, with the total."""
    place = request.route.place
    plan = service.plan(request.route, request.query, place.narrow(request.values) if place.narrow else "")
    viewer = viewer_for(service, request, plan)
    shape, statements = service.page(plan, place, viewer.view if viewer else None)
    if not plan.is_clear:
        note_unknown(request.notes, plan.wish.unknown, plan.shape)
    key = (request.actor.environment_id, request.path, request.query, viewer)
    version, answer = await recall(service, key, statements.tables)
    if answer is None:
        text, total, version = await fetch_page(service, request, plan, viewer, shape, statements, version)
        if plan.shape is not None:
            text = b",".join(orjson.dumps(plan.shape.apply(item)) for item in orjson.loads(f"[{text}]")).decode()
        body = f'{{"count":{total},"limit":{plan.read.limit},"offset":{plan.read.offset},"data":[{text}]}}'.encode()
        answer = Answer(body, etag_of(None, "", body))
        remember(service, plan, key, version, answer)
    if plan.read.asked_limit > plan.read.limit:
        note_limit(request, plan.read, answer.body)
    return Reply(200, answer.body, answer.etag)


def viewer_for(service: Service, request: Request, plan: Plan) -> Viewer | None:
    """The caller, if the plan shows it less than who sees everything; the others share statements and answers."""
    viewer = viewer_of(request.actor)
    return viewer if viewer is not None and service.narrowed(plan, viewer.view) else None


Key = tuple[str, str, str, Viewer | None]  # what an answer is remembered by: environment, path, query, who sees less


async def recall(service: Service, key: Key, tables: tuple[str, ...]) -> tuple[Hashable | None, Answer | None]:
    """(the version of the tables if it is known, the answer remembered for a request if it is still true)."""
    version = service.database.version(key[0], tables)
    if version is None and key in service.answers:
        version = await service.database.snapshot()
    return version, service.answers.get(key, version)


def remember(service: Service, plan: Plan, key: Key, version: Hashable | None, answer: Answer) -> None:
    """Offer an answer to the memory, with the size of all that is held of it; that of a long query is not worth its key."""
    if plan.is_kept:
        service.answers.offer(key, version, answer, size=len(answer.body) + len(key[1]) + len(key[2]) + ENTRY_BYTES)


async def fetch_page(
    service: Service,
    request: Request,
    plan: Plan,
    viewer: Viewer | None,
    shape: Hashable,
    statements: ListStatements,
    version: Hashable | None,
) -> tuple[str, int, Hashable]:
    """(joined texts, total, version); the total is remembered, else counted in the same snapshot as the page."""
    read, environment, compared, scope = plan.read, request.actor.environment_id, operands(plan.read), scope_values(request)
    values = {f"operand_{index}": value for index, value in enumerate(compared)}
    values |= {"environment": environment, "limit": read.limit, "offset": read.offset, **scope, **bound(viewer)}
    key = (environment, shape, viewer, *scope.values())
    known = service.totals.peek((*key, *compared))
    if statements.page is not None and known is not None and known[0] == version:
        text, last = await fetch(service, statements.page, values)
        total = known[1]
    elif statements.page is not None:
        text, last, total = await fetch(service, statements.counted, values)
    else:
        limits = {"known": known[0] if known else "", "answer_limit": service.answer_limit_bytes}
        text, last, counted, version = await fetch(service, statements.counted, {**values, **limits})
        total = known[1] if counted is None and known is not None else counted
    if not plan.is_kept:
        return text, total, version
    size = 1 + len(request.query) // TOTAL_BYTES
    service.totals.keep((*key, *compared), version, total, size=size)
    if statements.key is not None and read.offset == 0 and total > read.limit:
        following = (*compared[: statements.key], last, *compared[statements.key + 1 :])
        service.totals.keep((*key, *following), version, total - read.limit, size=size)
    return text, total, version


async def fetch(service: Service, statement: Statement, values: Mapping[str, Any]) -> Sequence[Any]:
    """The row of a list; refuses with 500 (code 10005) a text that PostgreSQL held back because it is too large."""
    row = await service.database.fetch(statement, values)
    assert row is not None, "an aggregate has a row"
    if row[0] is None:
        raise too_large()
    return row


def note_limit(request: Request, read: Read, body: bytes) -> None:
    count = body[9 : body.index(b",")].decode()
    text = f"limit={read.asked_limit}, greater than max ({read.limit}), count {count}"
    request.notes.append(Note("warning", "RESULT_GT_100", text))


async def get_object(service: Service, request: Request) -> Reply:
    """One living object, archived or not."""
    plan = service.plan(request.route, request.query)
    viewer = viewer_for(service, request, plan)
    statement, tables = service.one(plan, request.route.place, viewer.view if viewer else None)
    if not plan.is_clear:
        note_unknown(request.notes, plan.wish.unknown, plan.shape)
    actor, id = request.actor, valid_id(request.values["id"], request.route.object.name)
    key = (actor.environment_id, request.path, request.query, viewer)
    version = service.database.version(actor.environment_id, tables)
    answer = service.answers.get(key, version)
    if answer is None:
        values = {"environment": actor.environment_id, "id": id, **scope_values(request), **bound(viewer)}
        row = await service.database.fetch(statement, values)
        if row is None:
            raise not_found(request.route.object.name)
        answer = shaped(plan.shape, id, row[0], row[1])
        if version is not None:
            remember(service, plan, key, version, answer)
    return Reply(200, answer.body, answer.etag)


def shaped(shape: Shape | None, id: str, version: int, text: str) -> Answer:
    body = text.encode() if shape is None else orjson.dumps(shape.apply(orjson.loads(text)))
    return Answer(body, etag_of(version, id, body))


# ── writing ──


async def create_object(service: Service, request: Request) -> Reply:
    """A new object with all that is nested in it: 201 and the object."""
    plan = service.plan(request.route, request.query)
    draft, unknown = parse_draft(request.route.object, request.body, service.objects, is_create=True)
    note_unknown(request.notes, plan.wish.unknown, plan.shape, unknown)

    def work(tx: Transaction) -> Reply:
        given = place_values(service, tx, request)
        return reply(tx, plan, run_create(tx, draft, given), 201)

    return await write(service, request, work)


async def update_object(service: Service, request: Request) -> Reply:
    """The object changed: 200 and the whole of it."""
    plan = service.plan(request.route, request.query)
    draft, unknown = parse_draft(request.route.object, request.body, service.objects, is_create=False)
    for name in request.route.place.parameters:
        draft.values.pop(name, None)  # the path says where the object is; a body cannot move it
    note_unknown(request.notes, plan.wish.unknown, plan.shape, unknown)
    flags = plan.wish.flags
    manner = Manner(bool(flags.get("update_without_delete_nested")), bool(flags.get("remove_missing")))

    def work(tx: Transaction) -> Reply:
        row = row_of(tx, request)
        return reply(tx, plan, run_update(tx, draft, row, manner), 200)

    return await write(service, request, work)


async def delete_object(service: Service, request: Request) -> Reply:
    """The object and all it owns are gone: 204."""

    def work(tx: Transaction) -> Reply:
        run_delete(tx, request.route.object, row_of(tx, request))
        return Reply(204)

    return await write(service, request, work)


async def archive_object(service: Service, request: Request) -> Reply:
    """The object leaves the lists, or returns to them: 200 and the object."""
    plan = service.plan(request.route, request.query)
    is_archive = request.route.kind == "archive"

    def work(tx: Transaction) -> Reply:
        row = row_of(tx, request)
        wanted = (row["archived_at"] or tx.now) if is_archive else None
        return reply(tx, plan, tx.update(request.route.object, row, {"archived_at": wanted}), 200)

    return await write(service, request, work)


async def link_object(service: Service, request: Request) -> Reply:
    """One link is made, changed or undone; the object itself does not change: 204."""
    link = request.route.link
    assert link is not None
    other = valid_id(request.values["other_id"], link.to)
    draft = None
    if request.route.kind == "attach" and request.body is not None:
        body = {link.name: [{**request.body, "id": other}]} if isinstance(request.body, dict) else request.body
        draft = parse_draft(request.route.object, body, service.objects, is_create=False)[0]

    def work(tx: Transaction) -> Reply:
        row = row_of(tx, request)
        permit_links(tx.actor, request.route.object, link, {other}, "")
        known = seen_rows(tx, link.to, tx.links(link, row["id"])).get(other)
        if request.route.kind == "detach":
            if known is None:
                raise not_found(link.to)
            tx.detach(link, row["id"], other)
        else:
            if not tx.hold(link.to, [other]):
                raise not_found(link.to)
            values = draft.links[link.name][0].values if draft else {}
            tx.attach(link, row["id"], other, pivot_values(link, values), known)
        return Reply(204)

    return await write(service, request, work)


async def run_action(service: Service, request: Request) -> Reply:
    """Something that is no plain read or write; the rule named by the description does it."""
    action = request.route.action
    assert action is not None
    if action.method == "GET":
        given, unknown = parse_values(action.body, request.query)
        note_unknown(request.notes, unknown, None)
        plan = None
    else:
        plan = service.plan(request.route, request.query)
        given, unknown = parse_given(action, request.body)
        note_unknown(request.notes, plan.wish.unknown, plan.shape, unknown)

    def work(tx: Transaction) -> Reply:
        tx.actor = request.actor
        find_named(service, tx, request)
        examine_given(tx, action.body, given)
        answer = action.run(tx, request.actor, request.values, given)
        if plan is not None and action.answer and answer is not None:
            return reply(tx, plan, answer, action.status)
        body = b"" if answer is None else answer.encode() if isinstance(answer, str) else orjson.dumps(answer)
        return Reply(action.status, body, etag_of(None, "", body) if action.method == "GET" else "")

    if action.method == "GET":
        if action.is_feed:
            return await read_behind_writers(service.database, request.actor.environment_id, work)
        return await service.database.read(request.actor.environment_id, work)
    return await write(service, request, work)


# ── shared steps of writing ──


async def write(service: Service, request: Request, work: Callable[[Transaction], Reply]) -> Reply:
    """Run a write, with its notes and its idempotency key in the same transaction."""

    def whole(tx: Transaction) -> Reply:
        tx.actor = request.actor
        if not request.idempotency_key:
            done = work(tx)
        else:
            claim = Claim(
                request.actor.credential_id, f"{request.route.method} {request.path} {request.idempotency_key}", request.body_hash
            )
            first = claim_request(tx, claim)
            if first is not None:
                return Reply(first.status, first.body, first.etag, (REPLAYED,))
            done = work(tx)
            keep_answer(tx, claim, FirstAnswer(done.status, done.etag, done.body))
        if request.notes:
            write_notes(tx, service.objects["api_message"], request.route.method, request.path, request.query, request.notes)
        return replace(done, body=with_members(done.body, tx.revealed)) if tx.revealed else done

    return await service.database.write(request.actor.environment_id, whole)


def with_members(body: bytes, members: Mapping[str, Any]) -> bytes:
    """A JSON object with more members at its end.

    >>> with_members(b'{"id":1}', {"key": "abc"}), with_members(b"", {"key": "abc"})
    (b'{"id":1,"key":"abc"}', b'{"key":"abc"}')
    """
    return body[:-1] + b"," + orjson.dumps(members)[1:] if body else orjson.dumps(members)


def find_named(service: Service, tx: Transaction, request: Request) -> None:
    """Refuse with 404 the path of an action that leads through a row which the caller does not see; the rules see every row."""
    for parameter, value in request.values.items() if tx.viewer is not None else ():
        described = service.objects.get(parameter.removesuffix("_id"))
        if described is not None and not seen_rows(tx, described.name, {valid_id(value, described.name): {}}):
            raise not_found(described.name)


def place_values(service: Service, tx: Transaction, request: Request) -> dict[str, Any]:
    """What the path gives a new object; a parent that is not there is 404."""
    place = request.route.place
    given: dict[str, Any] = {}
    for name in place.parameters:
        parent = service.objects[name.removesuffix("_id")]
        row = seen_row(tx, parent, valid_id(request.values[name], parent.name))
        if row is None or any(row[column] != value for column, value in given.items() if column in row and column != "id"):
            raise not_found(parent.name)
        given[name] = row["id"]
    return {**given, **place.fixed}


def row_of(tx: Transaction, request: Request) -> Row:
    """The row that the path means, at a version the caller has seen; 404 and 412."""
    described, place = request.route.object, request.route.place
    row = seen_row(tx, described, valid_id(request.values["id"], described.name))
    expected = {**{name: request.values[name].lower() for name in place.parameters}, **place.fixed}
    if row is None or any(row[name] != value for name, value in expected.items()):
        raise not_found(described.name)
    match_version(row, request.versions)
    return row


def seen_row(tx: Transaction, described: Object, id: str) -> Row | None:
    """The living row, locked until the transaction ends; None if there is none that the caller sees."""
    row = tx.get(described, id)
    return row if row is not None and seen_rows(tx, described.name, {id: row}) else None


def bound(viewer: Viewer | None) -> dict[str, str]:
    return {} if viewer is None else viewer.values


def scope_values(request: Request) -> dict[str, Any]:
    return {f"scope_{name}": valid_id(request.values[name], name.removesuffix("_id")) for name in request.route.place.parameters}


def valid_id(text: str, name: str) -> str:
    """An id of a path in lower case; what is none belongs to no object and is 404."""
    lower = text.lower()
    if not UUID.fullmatch(lower):
        raise not_found(name)
    return lower


def reply(tx: Transaction, plan: Plan, row: Row, status: int) -> Reply:
    """The object as it is now, in the transaction that wrote it."""
    tx.settle()
    row = tx.latest(plan.read.object, row)
    if not plan.read.with_:
        answer = shaped(plan.shape, row["id"], row["version"], row["document"] + "}")
    else:
        found = tx.shown(plan.read.object, row["id"], plan.read.with_)
        assert found is not None
        answer = shaped(plan.shape, row["id"], *found)
    return Reply(status, answer.body, answer.etag)


Handler = Callable[[Service, Request], Any]

HANDLERS: dict[str, Handler] = {
    "list": list_objects,
    "one": get_object,
    "create": create_object,
    "update": update_object,
    "delete": delete_object,
    "archive": archive_object,
    "restore": archive_object,
    "attach": link_object,
    "detach": link_object,
    "action": run_action,
}
