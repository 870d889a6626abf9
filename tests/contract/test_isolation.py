"""Nothing of one environment is visible to another: the matrix of objects and operations, made from the catalog.

Each operation is tried with what belongs to the other tenant and with what never existed; the answers must be the same to the
byte, and the other tenant's tables must not move. Besides, the test client searches every answer of every test for the other
tenant's marker. To see it fail: drop the environment from one select of `store/`, or answer 403 where 404 is meant.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.client import MARKER, Answer, Client
from tests.server import OBJECTS, Server
from tests.world import CREATED, PERIOD, PLACED, World, place_of

from planwerk.describe import LIST, Link, Many, Object, One
from planwerk.routes import Route, routes_of

UNKNOWN = "00000000-0000-4000-8000-000000000000"
ASIDE = {"name": "anything", **PERIOD}  # what a path takes besides ids
MINE = {"api_key": 1}  # what a new tenant has: the key that asks
ROUTES = list(routes_of(OBJECTS.values()))
REACHED = {route.object.name for route in ROUTES}
EACH = pytest.mark.parametrize("name", sorted(REACHED))
EACH_CREATED = pytest.mark.parametrize("described", CREATED, ids=lambda described: described.name)
EACH_LISTED = pytest.mark.parametrize(
    "described", [described for described in PLACED if described.name != "api_message"], ids=lambda described: described.name
)


def same(mine: Answer, theirs: Answer) -> bool:
    """Whether two answers differ in nothing but the reference of the request."""
    if mine.status != theirs.status or len(mine.body) != len(theirs.body):
        return False
    return mine.body == theirs.body if mine.status < 400 else (mine.codes, mine.faults) == (theirs.codes, theirs.faults)


@pytest.fixture(autouse=True)
def _nothing_of_the_other_moves(server: Server, other: World) -> Iterator[None]:
    before = server.rows(other.environment_id)
    yield
    assert server.rows(other.environment_id) == before


def test_the_other_tenant_has_one_of_everything_and_its_mark_is_in_its_texts(server: Server, other: World) -> None:
    assert set(other.ids) == {described.name for described in OBJECTS.values() if described.is_stored}
    unmarked = [name for name in other.ids if MARKER not in repr(server.rows(other.environment_id)[name])]
    assert set(unmarked) <= {"schedule", "card_relation", "schedule_deviation_recurring", "invitation"}, "these have no text of their own"


def test_every_object_with_a_place_is_in_the_matrix() -> None:
    assert {described.name for described in PLACED} <= REACHED


# ── ids in the path ──


def parameters(route: Route) -> list[str]:
    return [part[1:-1] for part in route.path.split("/") if part.startswith("{")]


def object_of(route: Route, parameter: str) -> str:
    """The object that a path's parameter names."""
    if parameter == "id":
        return route.object.name
    return route.link.to if route.link is not None and parameter == "other_id" else parameter.removesuffix("_id")


def path_with(route: Route, ids: dict[str, str]) -> str:
    return "/v1" + route.path.format_map({**ASIDE, **ids})


@EACH
def test_a_foreign_id_in_a_path_is_like_one_that_never_existed(name: str, world: World, other: World, api: Client) -> None:
    for route in (route for route in ROUTES if route.object.name == name):
        names = [parameter for parameter in parameters(route) if parameter not in ASIDE]
        mine = {parameter: world.id(object_of(route, parameter)) for parameter in names}
        given = {field.name: world.value(field) for field in route.action.body if field.required} if route.action else {}
        body: Any = given if route.method in ("POST", "PUT") else b""
        query = given if route.method == "GET" else {}
        if route.kind == "create":
            body = world.body(route.object, route.place)
        for parameter in names:
            answers = [
                api.ask(route.method, path_with(route, {**mine, parameter: id}), body, **query)
                for id in (UNKNOWN, other.id(object_of(route, parameter)))
            ]
            assert same(*answers), (route.method, route.path, parameter, answers)
            assert answers[0].status == (200 if route.kind == LIST else 404), (route.method, route.path, parameter)


@EACH
def test_a_list_holds_nothing_of_the_other_tenant(name: str, world: World, api: Client) -> None:
    for route in (route for route in ROUTES if route.object.name == name and route.kind == LIST and not parameters(route)):
        queries: tuple[dict[str, Any], ...] = ({}, {"archived": "true"}, {"sort": "id:desc"})
        for query in queries:
            assert api.get(path_with(route, {}), **query)["count"] == MINE.get(name, 0)


# ── ids and values in a body ──


@EACH_CREATED
def test_a_foreign_id_in_a_body_is_like_one_that_never_existed(described: Object, world: World, other: World, api: Client) -> None:
    place = place_of(described)
    path, body = world.path(place), world.body(described)
    for field in described.refs:
        if not field.read_only and not field.hidden and field.name not in {*place.parameters, *place.fixed}:
            answers = [api.ask("POST", path, {**body, field.name: id}) for id in (UNKNOWN, other.id(field.to))]
            assert same(*answers), (field.name, answers)
            assert answers[0].status == 422, field.name
    for relation in described.relations:
        if (
            relation.is_writable
            and relation.to in OBJECTS
            and (isinstance(relation, One | Link) or (isinstance(relation, Many) and relation.is_owned))
        ):
            answers = [api.ask("POST", path, {**body, relation.name: nested(relation, id)}) for id in (UNKNOWN, other.id(relation.to))]
            assert same(*answers), (relation.name, answers)
            assert answers[0].status == 422, relation.name


@EACH_CREATED
def test_a_foreign_id_in_an_update_is_like_one_that_never_existed(described: Object, world: World, other: World, api: Client) -> None:
    if "update" not in {route.kind for route in ROUTES if route.object is described}:
        pytest.skip("cannot be changed")
    path = world.one(described)
    before = api.get(path)
    for relation in described.relations:
        if (
            relation.is_writable
            and relation.to in OBJECTS
            and (isinstance(relation, One | Link) or (isinstance(relation, Many) and relation.is_owned))
        ):
            answers = [api.ask("PUT", path, {relation.name: nested(relation, id)}) for id in (UNKNOWN, other.id(relation.to))]
            assert same(*answers), (relation.name, answers)
            assert answers[0].status == 422, relation.name
    assert api.get(path) == before


def nested(relation: Any, id: str) -> Any:
    return {"id": id} if isinstance(relation, One) else [{"id": id}]


@EACH_CREATED
def test_a_unique_value_of_the_other_tenant_is_free(described: Object, world: World, other: World, server: Server, api: Client) -> None:
    names = {name for key in described.unique for name in key if not name.endswith("_id")}
    row = server.database.write_now(other.environment_id, lambda tx: tx.get(described, other.id(described.name)))
    assert row is not None
    values = {name: row[name] for name in names if described.field[name] in described.writable}
    answer = world.client.ask("POST", world.path(place_of(described)), {**world.body(described), **values}, show="id")
    assert answer.status == 201, answer.body


# ── ids and texts in a query ──


@EACH_LISTED
def test_a_filter_finds_nothing_of_the_other_tenant(described: Object, world: World, other: World, api: Client) -> None:
    place = place_of(described, LIST)
    path = world.path(place)
    if described.name in {item.name for item in CREATED}:
        world.id(described.name)
    for field in described.shown:
        if "contains" in field.operators:
            answer = api.ask("GET", path, filter=f"{field.name}:contains:{MARKER}")
            assert answer.json["count"] == 0, field.name
    texts = [f"id:eq:{other.id(described.name)}"]
    for relation in described.relations:
        if relation.to in OBJECTS and relation.to in other.ids:
            texts += [f"{relation.name}:has:{other.id(relation.to)}", f"{relation.name}.id:eq:{other.id(relation.to)}"]
    for text in texts:
        assert api.get(path, filter=text)["count"] == 0, text


@EACH_LISTED
def test_nothing_of_the_other_tenant_comes_along(described: Object, world: World, other: World, server: Server, api: Client) -> None:
    """Even where a row of this tenant points at the other's, which no request can bring about."""
    if described.name not in {item.name for item in CREATED}:
        pytest.skip("nobody can create one")
    mine = world.id(described.name)
    given = {*place_of(described).parameters, *place_of(described).fixed}
    foreign = {field.name: other.id(field.to) for field in described.refs if field.name not in given}
    server.database.write_now(world.environment_id, lambda tx: tx.write(described, tx.get(described, mine) or {}, foreign))
    names = [relation.name for relation in described.relations if isinstance(relation, One) and relation.by in foreign]
    found = api.get(f"{world.path(place_of(described, 'one'))}/{mine}", with_=",".join(names))
    assert all(found[name] is None for name in names)
