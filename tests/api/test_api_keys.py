"""API keys through the API: shown once, refused the moment they end, made and ended by people and keys but not by apps.

To see it fail: drop `refuse_apps` from a rule of `rules/keys.py`, keep the answer with the key for a repeated Idempotency-Key
(`keep_answer` after `with_members`), or leave `revoked_at` out of `api_keys.FIND`.
"""

from dataclasses import replace
from typing import Any

import pytest
from tests.client import Client
from tests.connections import connected
from tests.people import bearer, read_only
from tests.server import Server, Tenant
from tests.world import World

from planwerk.actor import Role
from planwerk.rules.keys import key_hash
from planwerk.store.postgresql import PostgreSQL

KEY = {"description": "ERP"}
PAST, FUTURE = "2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z"


def with_key(api: Client, key: str) -> Client:
    """A client that shows another key of the same environment."""
    return replace(api, headers={**api.headers, "x-api-key": key})


def status(client: Client) -> int:
    """The status of a read, on PostgreSQL in the second after: there a key may be remembered for the rest of this one."""
    server: Any = client.app
    if isinstance(server.database, PostgreSQL):
        server.api.callers.keys.generation = -1
    return client.ask("GET", "/v1/order").status


def test_a_new_key_opens_the_environment_and_is_never_shown_again(api: Client) -> None:
    made = api.post("/v1/api_key", KEY)
    assert status(with_key(api, made["key"])) == 200
    shown = api.get(f"/v1/api_key/{made['id']}")
    assert {name: value for name, value in made.items() if name not in ("key", "last_used_at")}.items() <= shown.items()
    assert "key" not in shown
    for path in ("/v1/api_key", f"/v1/api_key/{made['id']}", "/v1/me"):
        answer = with_key(api, made["key"]).ask("GET", path)
        assert made["key"].encode() not in answer.body
        assert key_hash(made["key"].encode()).encode() not in answer.body


def test_a_body_cannot_choose_the_key(api: Client, server: Server) -> None:
    chosen = "a" * 64
    made = api.post("/v1/api_key", {**KEY, "key": chosen, "key_hash": key_hash(chosen.encode()), "id": made_id(api)})
    assert made["key"] != chosen
    assert status(with_key(api, chosen)) == 401


def made_id(api: Client) -> str:
    id: str = api.post("/v1/api_key", KEY)["id"]
    return id


def test_a_repeated_idempotency_key_gets_the_answer_without_the_key(api: Client, server: Server, world: World) -> None:
    first, second = (api.ask("POST", "/v1/api_key", KEY, {"Idempotency-Key": "once"}) for _ in range(2))
    assert (first.status, second.status, second.headers["idempotency-replayed"]) == (201, 201, "true")
    assert second.json == {name: value for name, value in first.json.items() if name != "key"}
    assert first.json["key"] not in repr(server.rows(world.environment_id))


def test_a_key_can_be_renamed_and_given_an_end(api: Client) -> None:
    id = made_id(api)
    changed = api.put(f"/v1/api_key/{id}", {"description": "PLM", "is_read_only": True, "expires_at": FUTURE})
    assert [changed[name] for name in ("description", "is_read_only", "expires_at")] == ["PLM", True, FUTURE]
    assert "key" not in changed


def test_a_key_that_may_only_read_from_now_on_may_only_read(api: Client) -> None:
    made = api.post("/v1/api_key", KEY)
    other = with_key(api, made["key"])
    other.post("/v1/warehouse", {"name": "A"})
    api.put(f"/v1/api_key/{made['id']}", {"is_read_only": True})
    assert status(other) == 200
    assert other.refused("POST", "/v1/warehouse", {"name": "B"}) == (403, [10003])


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_an_end_in_the_past_is_refused(api: Client, method: str) -> None:
    path = "/v1/api_key" if method == "POST" else f"/v1/api_key/{made_id(api)}"
    answer = api.ask(method, path, {"expires_at": PAST})
    assert (answer.status, answer.faults) == (422, [("expires_at", "expires_at must lie in the future")])


def end(world: World, id: str, moment: str) -> None:
    """Let a key end at a moment that no body may say."""

    def work(tx: Any) -> None:
        tx.update(tx.object("api_key"), tx.get(tx.object("api_key"), id), {"expires_at": moment})

    world.server.database.write_now(world.environment_id, work)


def test_an_expired_key_is_refused_and_can_be_sent_back_as_it_was_read(api: Client, world: World) -> None:
    made = api.post("/v1/api_key", KEY)
    end(world, made["id"], PAST)
    assert status(with_key(api, made["key"])) == 401
    read = api.get(f"/v1/api_key/{made['id']}")
    assert api.put(f"/v1/api_key/{made['id']}", {**read, "description": "old"})["expires_at"] == PAST
    api.put(f"/v1/api_key/{made['id']}", {"expires_at": None})
    assert status(with_key(api, made["key"])) == 200


def test_a_revoked_key_is_refused_at_once_and_stays_in_the_list(api: Client) -> None:
    made = api.post("/v1/api_key", KEY)
    other = with_key(api, made["key"])
    assert status(other) == 200
    first = api.post(f"/v1/api_key/{made['id']}/revoke", expect=200)
    assert status(other) == 401
    assert first["revoked_at"] is not None
    assert api.post(f"/v1/api_key/{made['id']}/revoke", expect=200)["revoked_at"] == first["revoked_at"]
    assert made["id"] in api.ids("/v1/api_key")


def test_a_deleted_key_is_refused_at_once_and_gone(api: Client) -> None:
    made = api.post("/v1/api_key", KEY)
    other = with_key(api, made["key"])
    assert status(other) == 200
    api.delete(f"/v1/api_key/{made['id']}")
    assert status(other) == 401
    assert made["id"] not in api.ids("/v1/api_key")
    assert api.ask("POST", f"/v1/api_key/{made['id']}/revoke").status == 404


def test_a_key_may_end_itself(api: Client) -> None:
    made = api.post("/v1/api_key", KEY)
    other = with_key(api, made["key"])
    other.post(f"/v1/api_key/{made['id']}/revoke", expect=200)
    assert status(other) == 401


def writes(id: str) -> list[tuple[str, str, Any]]:
    return [
        ("POST", "/v1/api_key", KEY),
        ("PUT", f"/v1/api_key/{id}", {"description": "mine"}),
        ("POST", f"/v1/api_key/{id}/revoke", b""),
        ("DELETE", f"/v1/api_key/{id}", b""),
    ]


def all_refused(client: Client, api: Client) -> None:
    """Every write is refused with 403, and no key moves."""
    id = made_id(api)
    before = api.get("/v1/api_key", hide="last_used_at")
    for method, path, body in writes(id):
        assert client.refused(method, path, body) == (403, [10003]), (method, path)
    assert api.get("/v1/api_key", hide="last_used_at") == before


def test_an_app_may_not_make_change_or_end_a_key_though_its_user_may(server: Server, world: World, api: Client) -> None:
    all_refused(connected(server, world, "admin").client, api)


def test_a_key_that_may_only_read_ends_no_key(server: Server) -> None:
    tenant: Tenant = server.tenant()
    all_refused(read_only(server, tenant), server.client(tenant))


@pytest.mark.parametrize("role", [role.name.lower() for role in Role if role is not Role.ADMIN])
def test_only_admins_see_and_write_keys(server: Server, world: World, api: Client, role: str) -> None:
    client = bearer(server, world, role)
    assert client.refused("GET", "/v1/api_key") == (403, [10003])
    all_refused(client, api)


def test_an_admin_may_do_it_all(server: Server, world: World) -> None:
    admin = bearer(server, world, "admin")
    for method, path, body in writes(made_id(admin)):
        assert admin.ask(method, path, body).status in (200, 201, 204), (method, path)
