"""Who am I, in the three shapes. To see it fail: show the grant's hidden columns, or leave out the user of an app."""

import pytest
from tests.client import Client
from tests.connections import connected
from tests.people import person
from tests.server import Server
from tests.world import World

SHAPES = {"api-key": {"api-key"}, "user": {"user"}, "oauth": {"user", "oauth"}}
HOLDERS = {"api-key", "user", "oauth"}


def test_a_key_sees_itself(api: Client) -> None:
    made = api.post("/v1/api_key", {"description": "ERP", "expires_at": "2999-01-01T00:00:00Z"})
    found = api.ask("GET", "/v1/me", headers={"x-api-key": made["key"]}).json
    assert (found["type"], HOLDERS & found.keys()) == ("api-key", SHAPES["api-key"])
    assert found["api-key"] == {name: made[name] for name in ("id", "description", "is_read_only", "expires_at", "created_at")}
    assert found["permissions"] == {"role": "admin"}


@pytest.mark.parametrize("role", ["admin", "member"])
def test_a_user_sees_their_own_properties(server: Server, world: World, api: Client, role: str) -> None:
    someone = person(server, world, role)
    found = someone.client.get("/v1/me")
    assert (found["type"], HOLDERS & found.keys()) == ("user", SHAPES["user"])
    shown = api.get(f"/v1/user/{someone.id}")
    assert found["user"] == {name: shown.get(name) for name in found["user"]}
    assert (found["user"]["email"], found["permissions"]) == (someone.email, {"role": role})


def test_an_app_sees_its_user_and_its_connection(server: Server, world: World, api: Client) -> None:
    connection = connected(server, world, "organiser")
    found = connection.client.get("/v1/me")
    assert (found["type"], HOLDERS & found.keys()) == ("oauth", SHAPES["oauth"])
    assert (found["user"]["id"], found["permissions"]) == (connection.user_id, {"role": "organiser"})
    assert (found["oauth"]["id"], found["oauth"]["client_id"]) == (connection.grant_id, connection.client_id)


def test_each_sees_the_environment_it_belongs_to(server: Server, world: World, api: Client) -> None:
    clients = (api, person(server, world, "guest").client, connected(server, world, "guest").client)
    shown = [client.get("/v1/me")["environment"] for client in clients]
    assert [environment["id"] for environment in shown] == [world.environment_id] * 3
