"""Nothing of one environment is visible to another, whoever asks: each object and operation with each kind of credential.

`test_isolation.py` tries an API key to the last property; here apps and people of every role ask for ids, values and pages of the
other tenant and for some that never existed. The answers must be the same to the byte, headers included, and the other tenant's
tables must not move. To see it fail: let `mine` in `store/writes.py` be true, or `permit` tell a foreign id from an unknown one.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from tests.client import MARKER, Answer, Client
from tests.connections import connected
from tests.contract.test_isolation import ASIDE, ROUTES, UNKNOWN, nested, object_of, parameters, path_with
from tests.logging_in import human, logged_in
from tests.people import bearer, read_only
from tests.server import OBJECTS, Server, Tenant
from tests.visiting import Browser
from tests.world import CREATED, PLACED, STORED, World, place_of

from planwerk.describe import LIST, Link, Many, Object, One, Relation
from planwerk.fields import Date, Field

ROLES = ("admin", "manager", "organiser", "member", "guest")
CREDENTIALS = ("key", "read-only key", "app of an admin", "app of a guest", *ROLES, "linked member")
VARYING = re.compile(rb'"reference":"[^"]*"|name="csrf" value="[^"]*"')
PASSING = ("reference-tag", "ratelimit-remaining", "ratelimit-reset", "date", "set-cookie")  # what no two answers have in common


@pytest.fixture(scope="module")
def tenant(server: Server, other: World) -> Tenant:
    return server.tenant()


@pytest.fixture(scope="module")
def mine(server: Server, tenant: Tenant) -> World:
    """One of everything, beside the other tenant's."""
    world = World(server, server.client(tenant), tenant.environment.id)
    for described in STORED:
        world.id(described.name)
    return world


@pytest.fixture(scope="module")
def bodies(mine: World) -> dict[str, dict[str, Any]]:
    """A body for each object that can be created; it may be sent again, for it is refused each time."""
    return {described.name: mine.body(described) for described in CREATED}


@pytest.fixture(scope="module", params=CREDENTIALS)
def caller(request: pytest.FixtureRequest, server: Server, tenant: Tenant, mine: World) -> Client:
    kind, _, role = str(request.param).rpartition(" ")
    if kind.startswith("app"):
        return connected(server, tenant, role).client
    if kind == "linked":
        return bearer(server, tenant, role, resource_id=mine.id("resource"), card_visibility="linked")
    if role == "key":
        return read_only(server, tenant) if kind else server.client(tenant)
    return bearer(server, tenant, role)


@pytest.fixture(autouse=True)
def _nothing_of_the_other_moves(server: Server, other: World) -> Iterator[None]:
    before = server.rows(other.environment_id)
    yield
    assert server.rows(other.environment_id) == before


def told(answer: Answer, id: str) -> tuple[int, dict[str, str], bytes]:
    """All that an answer tells, but what is new each time, and the id that was asked for."""
    headers = {name: value for name, value in answer.headers.items() if name not in PASSING}
    return answer.status, headers, VARYING.sub(b"", answer.body).replace(id.encode(), b"ID")


def ask_both(client: Client, method: str, path: str, foreign: str, body: Any = b"", **query: Any) -> int:
    """The status of a request with `ID` in its path, body or query, which is the same for a foreign id and for an unknown one."""
    answers = []
    for id in (UNKNOWN, foreign):
        asked: dict[str, Any] = {name: str(value).replace("ID", id) for name, value in query.items()}
        answers.append(told(client.ask(method, path.replace("ID", id), filled(body, id), **asked), id))
    assert answers[0] == answers[1], (method, path, body, query)
    return answers[0][0]


def filled(body: Any, id: str) -> Any:
    if isinstance(body, dict):
        return {name: filled(value, id) for name, value in body.items()}
    if isinstance(body, list):
        return [filled(value, id) for value in body]
    return id if body == "ID" else body


# ── ids in paths, bodies and queries ──


def test_a_foreign_id_in_a_path_is_like_one_that_never_existed(caller: Client, mine: World, other: World, bodies: dict[str, Any]) -> None:
    statuses = set()
    for route in ROUTES:
        names = [name for name in parameters(route) if name not in ASIDE]
        own = {name: mine.id(object_of(route, name)) for name in names}
        given = {field.name: given_for(field, mine) for field in route.action.body if field.required} if route.action else {}
        body: Any = bodies.get(route.object.name, {}) if route.kind == "create" else given if route.method in ("POST", "PUT") else b""
        for name in names:
            path, query = path_with(route, {**own, name: "ID"}), given if route.method == "GET" else {}
            status = ask_both(caller, route.method, path, other.id(object_of(route, name)), body, **query)
            assert status in ((200, 403) if route.kind == LIST else (403, 404)), (route.method, route.path, name, status)
            statuses.add(status)
    assert {200, 404} <= statuses


def given_for(field: Field, mine: World) -> Any:
    """What an action asks for; all days are the same, so that none ends before it begins."""
    return "2026-03-05" if isinstance(field, Date) else mine.value(field)


def relations_of(described: Object) -> list[Relation]:
    """The relations by which a body can name what there is already."""
    usable = (item for item in described.relations if item.is_writable and item.to in OBJECTS)
    return [item for item in usable if isinstance(item, One | Link) or (isinstance(item, Many) and item.is_owned)]


def test_a_foreign_id_in_a_body_is_like_one_that_never_existed(caller: Client, mine: World, other: World, bodies: dict[str, Any]) -> None:
    for described in CREATED:
        place = place_of(described)
        fixed = {*place.parameters, *place.fixed}
        named = [(field.name, "ID", field.to) for field in described.refs if not field.read_only and not field.hidden]
        named += [(relation.name, nested(relation, "ID"), relation.to) for relation in relations_of(described)]
        for name, value, to in named:
            if name not in fixed:
                status = ask_both(caller, "POST", mine.path(place), other.id(to), {**bodies[described.name], name: value})
                assert status in (403, 404, 422), (described.name, name, status)


def test_a_foreign_id_in_an_update_is_like_one_that_never_existed(caller: Client, mine: World, other: World) -> None:
    for described in {route.object.name: route.object for route in ROUTES if route.kind == "update"}.values():
        place = place_of(described, "update")
        for relation in relations_of(described):
            value = {relation.name: nested(relation, "ID")}
            status = ask_both(caller, "PUT", mine.one(described, place), other.id(relation.to), value)
            assert status in (403, 404, 422), (described.name, relation.name, status)


LISTED = [described for described in PLACED if any(LIST in place.operations for place in described.places)]


def test_a_foreign_id_or_text_in_a_query_finds_nothing(caller: Client, mine: World, other: World) -> None:
    """All conditions of an object in one, for each way to ask is compiled once; `test_isolation.py` tries them one by one."""
    for described in LISTED:
        path, known = (
            mine.path(place_of(described, LIST)),
            [item for item in described.relations if item.to in OBJECTS and item.to in other.ids],
        )
        texts = [f"{field.name}:contains:{MARKER}" for field in described.shown if "contains" in field.operators]
        for ids in (dict.fromkeys(other.ids, UNKNOWN), other.ids):
            named = [f"id:eq:{ids[described.name]}", *(f"{item.name}:has:{ids[item.to]}" for item in known)]
            for some in (named, texts, [f"{item.name}.id:eq:{ids[item.to]}" for item in known]):
                answer = caller.ask("GET", path, filter=",or,".join(some)) if some else None
                assert answer is None or answer.status == 403 or answer.json["count"] == 0, (described.name, some)


def test_nothing_of_the_other_tenant_comes_along(caller: Client, mine: World) -> None:
    """The client looks for the other tenant's marker in each answer."""
    for described in LISTED:
        names = [relation.name for relation in described.relations]
        answer = caller.ask("GET", mine.path(place_of(described, LIST)), with_=",".join(names))
        assert answer.status in (200, 403), (described.name, answer.body[:300])


# ── the other tenant's environment in a header ──


def test_a_credential_opens_no_other_environment(caller: Client, server: Server, other: World) -> None:
    """A key is refused as in an environment that does not exist; a token says itself where it belongs, whatever a header says."""
    known = other.client.headers["x-api-env"]
    answers = [told(caller.ask("GET", "/v1/board", headers={"x-api-env": mark}), mark) for mark in ("0" * 40, known)]
    assert answers[0] == answers[1]
    if "authorization" in caller.headers:
        assert told(caller.ask("GET", "/v1/board"), UNKNOWN) == answers[1]
    else:
        assert answers[1][0] == 401


# ── pages ──


@pytest.fixture(scope="module")
def browser(server: Server, tenant: Tenant) -> Browser:
    return logged_in(server, human(server, tenant, role="admin"))


PAGES: tuple[tuple[str, str, dict[str, str], str], ...] = (
    ("GET", "/developer/apps/ID", {}, "oauth_client"),
    ("POST", "/developer/apps/ID", {"name": "Mine now", "redirect_uris": "https://example.com/"}, "oauth_client"),
    ("POST", "/developer/apps/ID/secret", {}, "oauth_client"),
    ("POST", "/developer/apps/ID/delete", {}, "oauth_client"),
    ("POST", "/account/apps", {"app": "ID"}, "oauth_client"),
    ("POST", "/account/apps", {"user": "ID"}, "user"),
    ("POST", "/account/sessions/end", {"session": "ID"}, "session"),
    ("POST", "/account/sessions/end", {"id": "ID"}, "session"),
    ("POST", "/environments", {"user": "ID"}, "user"),
)


@pytest.mark.parametrize(("method", "path", "fields", "name"), PAGES)
def test_a_page_treats_a_foreign_id_like_one_that_never_existed(
    method: str, path: str, fields: dict[str, str], name: str, browser: Browser, other: World
) -> None:
    csrf = next(form.fields["csrf"] for form in browser.open("/account").forms if "csrf" in form.fields)
    pages = []
    for id in (UNKNOWN, other.id(name)):
        asked = path.replace("ID", id)
        sent: dict[str, Any] = {key: value.replace("ID", id) for key, value in fields.items()}
        page = browser.open(asked) if method == "GET" else browser.post(asked, csrf=csrf, **sent)
        pages.append((told(page.answer, id), page.address.replace(id, "ID")))
    assert pages[0] == pages[1]


@pytest.mark.parametrize("path", ["/account", "/account/apps", "/developer/apps", "/environments"])
def test_no_page_shows_what_belongs_to_the_other_tenant(path: str, browser: Browser, other: World) -> None:
    page = browser.open(path)
    assert page.status == 200
    assert not [id for id in other.ids.values() if id in page.answer.body.decode()]
