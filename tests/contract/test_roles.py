"""Every operation and every role, made from the catalog: who may is not refused, who may not gets 403 and changes nothing.

A new object or operation is in the matrix when it is described. What the product says about its roles is pinned in `FACTS`, apart
from the catalog. To see it fail: drop `permit` from the hot path, or give a line of `allow` another role.
"""

from dataclasses import dataclass
from typing import Any

import pytest
from tests.client import Client
from tests.contract.test_isolation import ROUTES, object_of, parameters, path_with
from tests.people import Person, person, read_only
from tests.server import OBJECTS, Server, Tenant
from tests.world import World

from planwerk.actor import Role
from planwerk.catalog import ALL
from planwerk.describe import Object
from planwerk.permissions import least_role
from planwerk.reference.operations import operations
from planwerk.routes import Route
from planwerk.store.transaction import Transaction

NAMES = sorted({route.object.name for route in ROUTES})
NOT_THERE = (  # the checklist of a world hangs on its collection, and its board defines no custom field of that name
    "/collection/{collection_id}/card/{card_id}/checklist/{id}",
    "/collection/{collection_id}/card/{card_id}/custom_fields/{name}",
)
EACH = pytest.mark.parametrize("name", NAMES)
UNTOUCHED = frozenset({"session", "api_key", "signing_key", "mail"})  # tables that move when somebody asks at all


def test_every_operation_is_in_the_matrix() -> None:
    """The reference lists the operations on its own way from the catalog."""
    described = {operation.method + " " + shape(operation.path) for operation in operations(ALL)}
    assert described == {route.method + " " + shape(route.path) for route in ROUTES if route.object.name in NAMES}
    assert len(ROUTES) * len(Role) > 700


def least(route: Route) -> Role:
    return least_role(route.object, route.kind, route.link, route.action)


def shape(path: str) -> str:
    """A path without the names of its parameters."""
    return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))


# ── what the product says ──

FACTS: list[tuple[Any, ...]] = [  # the least role, and what it is the first to do
    (Role.GUEST, "GET /card", "GET /collection", "GET /board", "GET /me", "POST /collection/{}/comment"),
    (Role.GUEST, "PUT /collection/{}/follower/{}", "DELETE /collection/{}/card/{}/follower/{}"),
    (Role.MEMBER, "PUT /collection/{}/card/{}", "PUT /collection/{}/card/{}/custom_fields/{}", "GET /time_tracking"),
    (Role.MEMBER, "POST /time_tracking", "POST /time_tracking/{}/stop", "POST /collection/{}/attachment"),
    (Role.MEMBER, "PUT /collection/{}/card/{}/checklist/{}"),
    (Role.ORGANISER, "POST /collection", "PUT /collection/{}", "DELETE /collection/{}", "POST /collection/{}/board/{}"),
    (Role.ORGANISER, "POST /collection/{}/card", "DELETE /collection/{}/card/{}", "PUT /collection/{}/card/{}/label/{}"),
    (Role.ORGANISER, "PUT /collection/{}/card/{}/resource/{}", "DELETE /collection/{}/activity/{}", "POST /card_relation"),
    (Role.ORGANISER, "POST /order", "PUT /order/{}", "POST /resource/{}/schedule_deviation", "PUT /resource/{}/schedule"),
    (Role.MANAGER, "POST /board", "DELETE /board/{}", "POST /board/{}/archive", "POST /stage", "POST /resource", "PUT /resource/{}"),
    (Role.MANAGER, "POST /activity", "PUT /activity/{}", "POST /group", "POST /space"),
    (Role.ADMIN, "POST /user", "PUT /user/{}", "DELETE /user/{}", "GET /webhook", "POST /webhook", "DELETE /webhook/{}"),
]


@pytest.mark.parametrize(("role", "operation"), [(role, operation) for role, *all in FACTS for operation in all])
def test_the_roles_are_those_of_the_product(role: Role, operation: str) -> None:
    found = [least(route) for route in ROUTES if f"{route.method} {shape(route.path)}" == operation]
    assert found == [role]


# ── the matrix ──


@dataclass
class Matrix:
    """A tenant with something of everything, and a person of each role."""

    server: Server
    world: World
    people: dict[Role, Person]
    reader: Client

    def asks(self, route: Route, who: Person | None, client: Client) -> tuple[int, list[int]]:
        """(status, codes) of a request that makes sense; `who` owns what it asks for."""
        path = self.path(route, who)
        if route.kind == "detach":
            self.world.client.put(path, expect=204)
        answer = self.answer(client, route, path, self.given(route))
        if route.action is not None and route.method != "GET":
            self.world.ids.clear()  # an action may have taken away what the next one needs
        return answer

    def path(self, route: Route, who: Person | None = None) -> str:
        named = (parameter for parameter in parameters(route) if object_of(route, parameter) in OBJECTS)
        return path_with(route, {parameter: self.id(route, parameter, who) for parameter in named})

    def answer(self, client: Client, route: Route, path: str, given: tuple[Any, ...]) -> tuple[int, list[int]]:
        query = given[0] if given and route.method == "GET" else {}
        answer = client.ask(route.method, path, *(() if query else given), **query)
        return answer.status, answer.codes if answer.status >= 400 else []

    def id(self, route: Route, parameter: str, who: Person | None) -> str:
        name = object_of(route, parameter)
        if parameter == "other_id" and name == "user" and who is not None:
            return who.id
        described = OBJECTS[name]
        is_aim = described is route.object and parameter != "other_id"
        id = self.world.make(described)["id"] if is_aim and route.kind == "delete" else self.world.id(name)
        if is_aim and who is not None and (own := described.allow.own or described.sight.own):
            self.server.database.write_now(self.world.environment_id, lambda tx: give(tx, described, id, {own: who.id}))
        return id

    def given(self, route: Route) -> tuple[Any, ...]:
        """The body, or the query of an action, as the last argument of a request."""
        if route.kind == "create":
            own = route.object.allow.own or route.object.sight.own  # absent: it belongs to who asks
            return ({name: value for name, value in self.world.body(route.object, route.place).items() if name != own},)
        if route.action is not None and route.method != "DELETE":
            return ({field.name: self.world.value(field) for field in route.action.body if field.required},)
        return ({},) if route.kind == "update" else ()

    def rows(self) -> dict[str, list[Any]]:
        return {name: rows for name, rows in self.server.rows(self.world.environment_id).items() if name not in UNTOUCHED}


def give(tx: Transaction, described: Object, id: str, values: dict[str, str]) -> None:
    row = tx.get(described, id)
    assert row is not None
    tx.write(described, row, values)


@pytest.fixture(scope="module")
def matrix(server: Server) -> Matrix:
    tenant: Tenant = server.tenant()
    world = World(server, server.client(tenant), tenant.environment.id)
    people = {role: person(server, tenant, role.name.lower()) for role in Role}
    return Matrix(server, world, people, read_only(server, tenant))


@EACH
def test_who_may_not_is_refused_and_changes_nothing(name: str, matrix: Matrix) -> None:
    asked = [route for route in ROUTES if route.object.name == name and least(route) > Role.GUEST]
    ready = [(route, matrix.path(route), matrix.given(route)) for route in asked]  # what they need is there before the tables are looked at
    before = matrix.rows()
    for route, path, given in ready:
        for role in (role for role in Role if role < least(route)):
            found = matrix.answer(matrix.people[role].client, route, path, given)
            assert found == (403, [10003]), (route.method, route.path, role)
    assert matrix.rows() == before


@EACH
def test_who_may_is_not_refused(name: str, matrix: Matrix) -> None:
    for route in (route for route in ROUTES if route.object.name == name):
        for role in (role for role in Role if role >= least(route)):
            who = matrix.people[role]
            status, codes = matrix.asks(route, who, who.client)
            assert status not in (401, 403, 405), (route.method, route.path, role, status, codes)
            assert (status == 404) == (route.path in NOT_THERE), (route.method, route.path, role)


@EACH
def test_a_key_that_may_only_read_reads_everything_and_changes_nothing(name: str, matrix: Matrix) -> None:
    for route in (route for route in ROUTES if route.object.name == name):
        status, codes = matrix.asks(route, None, matrix.reader)
        if route.method == "GET":
            assert status == (404 if route.path in NOT_THERE else 200), (route.path, status, codes)
        else:
            assert (status, codes) == (403, [10003]), (route.method, route.path)
