"""What is written down beside an answer: when a key was used last, who asked last, which keys are old.

To see it fail: let `Uses.is_due` answer True or False always, use `tx.update` for `tx.write` in `use_key`, leave out the
second look in `write_use`, or tell of old keys without `is_told`.
"""

import asyncio
import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from tests.client import Client
from tests.connections import connected
from tests.people import bearer
from tests.server import Server, Tenant
from tests.world import World

from planwerk.actor import Actor
from planwerk.fields import instant
from planwerk.identity.uses import Use, Uses, write_use
from planwerk.store.transaction import Transaction


def finish(server: Server) -> None:
    """Wait for what is done beside the answers."""

    async def rest() -> None:
        await asyncio.gather(*server.app.api.tasks)

    server.loop.run(rest())


def test_a_key_that_was_used_says_when_and_is_not_changed_by_it(server: Server, world: World, api: Client) -> None:
    made = api.post("/v1/api_key", {"description": "ERP"})
    assert made["last_used_at"] is None
    world.write("api_key", made["id"], updated_at=(before := ago(days=3)))
    replace(api, headers={**api.headers, "x-api-key": made["key"]}).get("/v1/order")
    finish(server)
    used = api.get(f"/v1/api_key/{made['id']}")
    assert used["last_used_at"] >= made["created_at"]
    assert used["updated_at"] == before


def test_a_refused_request_of_a_known_key_is_a_use(server: Server, api: Client) -> None:
    made = api.post("/v1/api_key", {"is_read_only": True})
    assert replace(api, headers={**api.headers, "x-api-key": made["key"]}).ask("POST", "/v1/order", {}).status == 403
    finish(server)
    assert api.get(f"/v1/api_key/{made['id']}")["last_used_at"] is not None


def client_of(server: Server, tenant: Tenant, kind: str) -> Client:
    if kind == "key":
        return server.client(tenant)
    return connected(server, tenant, "guest").client if kind == "app" else bearer(server, tenant, "guest")


MOVED = {"key": "last_request_third_party", "app": "last_request_third_party", "person": "last_request_user"}


@pytest.mark.parametrize("kind", MOVED)
def test_the_environment_tells_who_asked_last(server: Server, kind: str) -> None:
    client = client_of(server, server.tenant(), kind)
    client.get("/v1/board")
    finish(server)
    shown = client.get("/v1/me")["environment"]
    assert [name for name in ("last_request_user", "last_request_third_party") if shown[name] is not None] == [MOVED[kind]]


def use(server: Server, world: World, id: str) -> None:
    """The key is used, as another process of the server sees it that remembers nothing."""
    actor = Actor(world.environment_id, "api-key", id)
    server.database.write_now(world.environment_id, lambda tx: write_use(tx, Use(actor, "GET", "/v1/order", "limit=1")))


def ago(**spans: float) -> str:
    return instant(dt.datetime.now(dt.UTC) - dt.timedelta(**spans))


@pytest.mark.parametrize(("seconds", "is_written"), [(30, False), (90, True)])
def test_several_processes_write_once_a_minute(server: Server, world: World, api: Client, seconds: int, is_written: bool) -> None:
    id, before = api.post("/v1/api_key", {})["id"], ago(seconds=seconds)
    world.write("api_key", id, last_used_at=before)
    use(server, world, id)
    assert (api.get(f"/v1/api_key/{id}")["last_used_at"] != before) is is_written


@pytest.mark.parametrize(("seconds", "is_written"), [(30, False), (90, True)])
def test_the_environment_is_written_once_a_minute(server: Server, world: World, seconds: int, is_written: bool) -> None:
    before = ago(seconds=seconds)
    server.database.query(f"UPDATE environment SET last_request_third_party = '{before}' WHERE id = '{world.environment_id}' RETURNING id")
    use(server, world, "00000000-0000-4000-8000-000000000000")
    text = f"SELECT last_request_third_party FROM environment WHERE id = '{world.environment_id}'"
    assert (server.database.query(text)[0][0] != before) is is_written


def told(api: Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get("/v1/api_message", filter="message_code:eq:API_KEY_OLD")["data"]
    return found


@pytest.mark.parametrize(("days", "is_old"), [(181, False), (183, True)])
def test_a_key_older_than_six_months_is_told_about(server: Server, world: World, api: Client, days: int, is_old: bool) -> None:
    id = api.post("/v1/api_key", {"description": "ERP"})["id"]
    world.write("api_key", id, created_at=ago(days=days))
    use(server, world, id)
    expected = [(f"API key ERP ({id}) is 6 months old: make a new one and revoke this one", "warning", "v1/order")]
    assert [(entry["message"], entry["log_level"], entry["endpoint"]) for entry in told(api)] == (expected if is_old else [])


def test_a_use_of_a_path_that_no_database_keeps_is_written_down(server: Server, world: World, api: Client) -> None:
    """PostgreSQL refused the entry and the use with it, in the background, for each request of an old key with such a path."""
    made = api.post("/v1/api_key", {"description": "ERP"})
    world.write("api_key", made["id"], created_at=ago(days=400))
    assert replace(api, headers={**api.headers, "x-api-key": made["key"]}).refused("GET", "/v1/x\x00y") == (404, [10004])
    finish(server)
    assert api.get(f"/v1/api_key/{made['id']}")["last_used_at"] is not None
    assert [entry["endpoint"] for entry in told(api)] == ["v1/xy"]


def test_a_key_is_told_about_once_a_day(server: Server, world: World, api: Client) -> None:
    id = api.post("/v1/api_key", {})["id"]

    def use_again() -> str:
        world.write("api_key", id, created_at=ago(days=400), last_used_at=None)
        use(server, world, id)
        [entry] = told(api)
        return str(entry["updated_at"])

    def set_back(tx: Transaction) -> None:
        described = tx.object("api_message")
        tx.write(described, tx.first(described, message_code="API_KEY_OLD") or {}, {"updated_at": hours})

    use_again()
    for hours, moves in ((ago(hours=23), False), (ago(hours=25), True)):
        server.database.write_now(world.environment_id, set_back)
        assert (use_again() != hours) is moves


def test_each_old_key_is_told_about(server: Server, world: World, api: Client) -> None:
    for id in (api.post("/v1/api_key", {})["id"] for _ in range(2)):
        world.write("api_key", id, created_at=ago(days=400))
        use(server, world, id)
    assert len(told(api)) == 2


# ── what is remembered ──

KEY, PERSON, COLLEAGUE = Actor("e", "api-key", "k"), Actor("e", "user", "s"), Actor("e", "user", "t")


def test_within_a_minute_nothing_is_due_again() -> None:
    now = [1000.0]
    uses = Uses(lambda: now[0])
    seen = []
    for seconds in (0, 59.9, 0.2, 30):
        now[0] += seconds
        seen.append(uses.is_due(KEY))
    assert seen == [True, False, True, False]


def test_people_count_by_environment_and_programs_each() -> None:
    uses = Uses(lambda: 0.0)
    assert [uses.is_due(actor) for actor in (KEY, PERSON, COLLEAGUE, replace(KEY, credential_id="l"))] == [True, True, False, True]


def test_no_more_is_remembered_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("planwerk.identity.uses.REMEMBERED", 2)
    uses = Uses(lambda: 0.0)
    for number in range(5):
        uses.is_due(replace(KEY, credential_id=str(number)))
        assert len(uses.due) <= 2
