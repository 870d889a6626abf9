"""Who may ask, how often, how much, and when: authentication, quotas, limits, maintenance, and the pages beside the API.

To see it fail: look a key up without its environment, count requests after they are answered, or join the texts of an answer
before their size is known.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import orjson
import pytest
from tests.client import Client
from tests.server import Server, quoted, running
from tests.world import World

from planwerk.edge.maintenance import set_maintenance


@contextmanager
def sibling(server: Server, **chosen: Any) -> Iterator[Server]:
    """Another server on the same database, with other settings."""
    with running(server.loop, replace(server.settings, **chosen)) as other:
        yield other


# ── authentication ──


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-api-key": "{key}"},
        {"x-api-env": "{env}"},
        {"x-api-key": "{key}x", "x-api-env": "{env}"},
        {"x-api-key": "{key}", "x-api-env": "{env}x"},
        {"x-api-key": "", "x-api-env": "{env}"},
        {"x-api-key": "{key}", "x-api-env": "{stranger}"},
        {"x-api-key": "{KEY}", "x-api-env": "{env}"},
        {"x-api-key": "' OR 1=1 --", "x-api-env": "' OR 1=1 --"},
        {"authorization": "Bearer nonsense"},
    ],
)
@pytest.mark.parametrize("path", ["/v1/item", "/v1/me", "/v1/nothing"])
def test_without_a_key_of_the_environment_it_is_401(headers: dict[str, str], path: str, server: Server) -> None:
    tenant, stranger = server.tenant(), server.tenant()
    known = {"key": tenant.key, "KEY": tenant.key.swapcase(), "env": tenant.environment.hash, "stranger": stranger.environment.hash}
    client = replace(server.client(tenant), headers={name: text.format_map(known) for name, text in headers.items()})
    assert client.refused("GET", path) == (401, [10002])


def test_all_wrong_keys_get_one_answer(server: Server) -> None:
    tenant, stranger = server.tenant(), server.tenant()
    pairs = [("x" * 64, tenant.environment.hash), (tenant.key, "0" * 40), (tenant.key, stranger.environment.hash)]
    clients = [replace(server.client(tenant), headers={"x-api-key": key, "x-api-env": env}) for key, env in pairs]
    assert len({tuple(client.ask("GET", "/v1/item").faults) for client in clients}) == 1


@pytest.mark.parametrize("column", ["revoked_at", "expires_at", "deleted_at"])
def test_a_key_that_is_revoked_or_expired_opens_nothing(column: str, server: Server) -> None:
    tenant = server.tenant()
    database, described = server.database, server.database.statements.objects["api_key"]
    id = database.write_now(tenant.environment.id, lambda tx: tx.find(described)[0]["id"])
    database.write_now(
        tenant.environment.id, lambda tx: tx.update(described, tx.get(described, id) or {}, {column: "2020-01-01T00:00:00Z"})
    )
    assert server.client(tenant).refused("GET", "/v1/item") == (401, [10002])


def test_an_environment_has_several_keys_and_one_may_only_read(world: World, server: Server, api: Client) -> None:
    item = world.id("item")
    tenant = server.tenant()
    mine = {**api.headers, "x-api-key": server.new_key(replace(tenant.environment, id=world.environment_id), is_read_only=True)}
    reader = replace(api, headers=mine)
    assert reader.ids("/v1/item") == [item]
    for method, path in (
        ("POST", "/v1/item"),
        ("PUT", f"/v1/item/{item}"),
        ("DELETE", f"/v1/item/{item}"),
        ("POST", f"/v1/board/{item}/archive"),
    ):
        assert reader.refused(method, path, {}) == (403, [10003])
    assert api.ids("/v1/item") == [item]


def test_header_names_are_read_without_regard_to_case(server: Server) -> None:
    tenant = server.tenant()
    client = replace(server.client(tenant), headers={"X-API-KEY": tenant.key, "X-Api-Env": tenant.environment.hash})
    assert client.get("/v1/item")["count"] == 0


# ── quotas ──


def test_the_quota_is_counted_down_and_then_refuses(server: Server) -> None:
    with sibling(server, rate_limit="3/minute") as strict:
        tenant, stranger = strict.tenant(), strict.tenant()
        client = strict.client(tenant)
        answers = [client.ask("GET", path) for path in ("/v1/item", "/v1/item", "/v1/nothing", "/v1/item")]
        assert [answer.status for answer in answers] == [200, 200, 404, 429]
        assert [answer.headers["ratelimit-limit"] for answer in answers] == ["3"] * 4
        assert [answer.headers["ratelimit-remaining"] for answer in answers] == ["2", "1", "0", "0"]
        assert all(0 < int(answer.headers["ratelimit-reset"]) <= 60 for answer in answers)
        assert answers[3].codes == [10009]
        assert answers[3].headers["retry-after"] == answers[3].headers["ratelimit-reset"]
        assert strict.client(stranger).ask("GET", "/v1/item").status == 200
        second = {**tenant.headers, "x-api-key": strict.new_key(tenant.environment)}
        assert replace(client, headers=second).ask("GET", "/v1/item").status == 200


def test_a_quota_of_zero_counts_nothing(server: Server) -> None:
    with sibling(server, rate_limit="0") as free:
        assert "ratelimit-limit" not in free.client(free.tenant()).ask("GET", "/v1/item").headers


# ── sizes ──


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_beyond_the_limit_is_413(announced: bool, server: Server) -> None:
    with sibling(server, body_limit_bytes=100) as small:
        client = small.client(small.tenant())
        body = orjson.dumps({"code": "x" * 40, "note": "y" * 100})
        length = {"content-length": str(len(body))} if announced else {}
        assert client.refused("POST", "/v1/item", body, {"content-type": "application/json", **length}) == (413, [10016])
        assert client.get("/v1/item")["count"] == 0
        assert client.post("/v1/item", {"code": "x" * 40})


def test_an_answer_beyond_the_limit_is_10005_and_a_smaller_page_is_not(server: Server) -> None:
    with sibling(server, answer_limit_bytes=20_000) as small:
        client = small.client(small.tenant())
        for _ in range(10):
            client.post("/v1/item", {"note": "oak " * 1_000})
        assert client.refused("GET", "/v1/item") == (500, [10005])
        assert len(client.get("/v1/item", limit=2)["data"]) == 2
        assert client.refused("GET", "/v1/item") == (500, [10005])


# ── maintenance ──


@contextmanager
def maintenance(server: Server) -> Iterator[None]:
    """A server reads its state anew at its first request, so each of these gets servers of its own."""
    server.database.write_now("", lambda tx: set_maintenance(tx, is_on=True))
    try:
        yield
    finally:
        server.database.write_now("", lambda tx: set_maintenance(tx, is_on=False))


def test_in_maintenance_everything_is_503_with_a_time_to_come_back(server: Server) -> None:
    tenant = server.tenant()
    with maintenance(server), sibling(server) as shut:
        for method, path in (("GET", "/v1/item"), ("POST", "/v1/item"), ("GET", "/v1/nothing")):
            answer = shut.client(tenant).ask(method, path, {})
            assert (answer.status, answer.codes) == (503, [10010])
            assert int(answer.headers["retry-after"]) > 0
    with sibling(server) as open_again:
        assert open_again.client(tenant).get("/v1/item")["count"] == 0


def test_in_maintenance_people_are_sent_to_the_page_that_is_set(server: Server) -> None:
    tenant = server.tenant()
    with maintenance(server), sibling(server, unavailable_url="https://status.example.com/") as shut:
        answer = shut.client(tenant).ask("GET", "/v1/item")
        assert (answer.status, answer.headers["location"], answer.body) == (303, "https://status.example.com/", b"")
        assert "retry-after" not in answer.headers


# ── beside the API ──


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("/", 307, ""),
        ("/health/live", 200, "application/json"),
        ("/health/ready", 200, "application/json"),
        ("/openapi.json", 200, "application/json"),
        ("/docs", 200, "text/html"),
        ("/nothing", 404, "application/json"),
        ("/v1x", 404, "application/json"),
    ],
)
def test_the_pages_beside_the_api_need_no_key(path: str, status: int, kind: str, api: Client) -> None:
    answer = replace(api, headers={}).ask("GET", path)
    assert (answer.status, answer.headers.get("content-type", "").partition(";")[0]) == (status, kind)


def test_a_missing_page_has_the_shape_of_every_error(api: Client) -> None:
    answer = api.ask("GET", "/nothing")
    assert answer.codes == [10004]
    assert answer.json["reference"] == answer.headers["reference-tag"] == answer.json["errors"][0]["reference"]


def test_browsers_of_other_origins_are_let_in_only_when_named(server: Server) -> None:
    with sibling(server, cors_origins="https://erp.example.com") as wide:
        headers = {"origin": "https://erp.example.com", "access-control-request-method": "GET"}
        fields = [(name.encode(), value.encode()) for name, value in headers.items()]
        preflight = server.loop.run(wide.client(wide.tenant()).exchange("OPTIONS", "/v1/item", b"", fields, b""))
        assert (preflight.status, preflight.headers["access-control-allow-origin"]) == (200, "https://erp.example.com")
    answer = server.client(server.tenant()).ask("GET", "/v1/item", headers={"origin": "https://erp.example.com"})
    assert "access-control-allow-origin" not in answer.headers


def test_an_unforeseen_fault_is_10000_and_shows_nothing_of_the_inside(
    world: World, server: Server, api: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("the secret inside")

    item = world.id("item")
    monkeypatch.setattr(server.database, "fetch", broken)
    monkeypatch.setattr(server.database, "write", broken)
    for method, path in (("GET", f"/v1/item/{item}?show=id"), ("PUT", f"/v1/item/{item}")):
        answer = api.ask(method, path, {})
        assert (answer.status, answer.codes) == (500, [10000])
        assert b"secret" not in answer.body


def test_an_environment_that_is_not_active_is_401(server: Server) -> None:
    tenant = server.tenant()
    client = server.client(tenant)
    assert client.get("/v1/item")["count"] == 0
    server.database.query(f"UPDATE environment SET status = 'closed' WHERE id = {quoted(tenant.environment.id)}")
    with sibling(server) as fresh:
        assert fresh.client(tenant).refused("GET", "/v1/item") == (401, [10002])
