"""Webhooks as their owners handle them: what may be made and changed, by whom, and what is left of one that is deleted.

To see it fail: parse addresses by `urllib` in `faults_of`; leave `delivery_of` without a look at the webhook of the path; leave out
the job of `forget_log` (the rest of a long log stays), or its statement (the log outlives its webhook).
"""

from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook
from tests.addresses import hostile
from tests.client import Client
from tests.connections import connected
from tests.hooking import NEVER, URL, deliveries, hook, logged
from tests.people import bearer, read_only
from tests.sending import HERE, Receiver, sending, tried
from tests.server import Server, Tenant
from tests.world import World

from planwerk.actor import Role
from planwerk.hooks.address import PRIVATE, USER, WRONG_HOST, WRONG_PORT, WRONG_URL
from planwerk.rules.webhooks import BATCH

WORDS = {f"url {words}" for words in (PRIVATE, USER, WRONG_HOST, WRONG_PORT, WRONG_URL)}
MOMENTS = ("fail_streak_started_at", "last_failed_at", "mailed_warning_at", "mailed_disabled_at", "disabled_until")


# ── making one ──


def test_a_webhook_is_made_with_what_the_body_says_and_nothing_else(api: Client) -> None:
    given: dict[str, Any] = {"description": "ERP", "active": False, "event_types": ["card.created", "card.label.attached"]}
    forged: dict[str, Any] = {
        "third_party": False,
        "fail_streak": 9,
        "can_send": True,
        "disabled_until": "2999-01-01T00:00:00Z",
        "old_secret": "x",
    }
    made = hook(api, **given, **forged)
    assert {name: made[name] for name in given} == given
    assert [made[name] for name in ("third_party", "fail_streak", "can_send", "disabled_until")] == [True, 0, False, None]
    assert "old_secret" not in made


def test_http_is_taken_as_well_as_https(api: Client) -> None:
    assert hook(api, "http://example.com")["url"] == "http://example.com"


def test_the_scheme_may_be_written_in_capitals(api: Client) -> None:
    """RFC 3986, section 3.1. To see it fail: ask for small letters in `fields.URL`."""
    assert hook(api, "HTTPS://EXAMPLE.com/H")["url"] == "HTTPS://EXAMPLE.com/H"


def test_an_address_that_must_not_be_called_is_refused_in_words_that_tell_nothing(api: Client) -> None:
    known = hook(api)
    for url in hostile():
        for method, path in (("POST", "/v1/webhook"), ("PUT", f"/v1/webhook/{known['id']}")):
            answer = api.ask(method, path, {"url": url})
            assert answer.status == 422, f"{method} {url!r} → {answer.status}"
            assert {name for name, _ in answer.faults} == {"url"}
            assert {words for _, words in answer.faults} <= WORDS
    assert api.get(f"/v1/webhook/{known['id']}")["url"] == URL


@pytest.mark.parametrize(
    ("body", "property"),
    [
        ({}, "url"),
        ({"url": None}, "url"),
        ({"url": "example.com"}, "url"),
        ({"url": "https://example.com/" + "a" * 512}, "url"),
        ({"url": URL, "event_types": ["card.exploded"]}, "event_types"),
        ({"url": URL, "event_types": "card.created"}, "event_types"),
        ({"url": URL, "description": "a" * 151}, "description"),
        ({"url": URL, "active": "perhaps"}, "active"),
    ],
)
def test_a_bad_body_is_refused_with_the_property(body: Any, property: str, api: Client) -> None:
    answer = api.ask("POST", "/v1/webhook", body)
    assert (answer.status, [(name or "").partition("[")[0] for name, _ in answer.faults]) == (422, [property])


@pytest.mark.parametrize(
    ("word", "end"),
    [
        ("card.exploded", ", not card.exploded"),
        ("card." + "x" * 200, ", not card." + "x" * 95),
        (5, "time_tracking.deleted"),
        (None, "time_tracking.deleted"),
        (["card.created"], "time_tracking.deleted"),
        ("", "time_tracking.deleted"),
        ("a\x00b", "time_tracking.deleted"),
    ],
)
def test_an_unknown_event_is_repeated_as_far_as_it_is_a_text(word: Any, end: str, api: Client) -> None:
    answer = api.ask("POST", "/v1/webhook", {"url": URL, "event_types": ["card.created", word]})
    ((property, sentence),) = answer.faults
    assert (answer.status, property) == (422, "event_types[1]")
    assert sentence.startswith("event_types[1] must be one of card.created, ")
    assert sentence.endswith(end)


def test_whose_a_webhook_is_says_its_answer(api: Client, world: World, server: Server) -> None:
    app = connected(server, world, "admin")
    owners = ("third_party", "api_key_id", "developer_client_id")
    by_app, by_user, by_key = hook(app.client), hook(bearer(server, world, "admin")), hook(api)
    assert [by_app[name] for name in owners] == [True, None, app.client_id]
    assert [by_user[name] for name in owners] == [False, None, None]
    assert [by_key[name] for name in owners] == [True, by_key["api_key_id"], None]
    assert by_key["api_key_id"] in api.ids("/v1/api_key")


# ── changing and deleting one ──


def test_an_update_changes_what_it_names_and_nothing_that_only_the_server_may(api: Client) -> None:
    made = hook(api)
    changed = api.put(f"/v1/webhook/{made['id']}", {"url": "https://example.org/", "event_types": [], "active": False})
    assert [changed[name] for name in ("url", "event_types", "active", "can_send")] == ["https://example.org/", [], False, False]
    later = dict.fromkeys(MOMENTS, "2999-01-01T00:00:00Z")
    forged = later | {"fail_streak": 7, "can_send": False, "api_key_id": NEVER, "third_party": False}
    again = api.put(f"/v1/webhook/{made['id']}", {**forged, "active": True})
    assert {name: again[name] for name in forged} == {name: made[name] for name in forged}
    assert "secret" not in again


def test_an_address_that_has_become_forbidden_does_not_stop_other_changes(api: Client, world: World) -> None:
    made = hook(api)
    world.write("webhook", made["id"], url="http://127.0.0.1:9/")
    assert api.put(f"/v1/webhook/{made['id']}", {"url": "http://127.0.0.1:9/", "active": False})["active"] is False


def test_a_deleted_webhook_is_gone_with_its_log(api: Client, world: World, server: Server) -> None:
    made, other = hook(api), hook(api)
    (gone,), (kept,) = logged(world, made, {"status": "failed"}), logged(world, other, {"status": "failed"})
    api.delete(f"/v1/webhook/{made['id']}")
    one = f"/v1/webhook/{made['id']}"
    for method, path in (
        ("GET", one),
        ("PUT", one),
        ("DELETE", one),
        ("GET", f"{one}/delivery/{gone}"),
        ("GET", f"{one}/delivery/{gone}/request"),
        *(("POST", f"{one}/{rest}") for rest in ("secret", "test", "resend", f"delivery/{gone}/resend")),
    ):
        assert api.refused(method, path, {} if method == "PUT" else b"") == (404, [10004]), f"{method} {path}"
    assert deliveries(api, made) == []
    assert [row["id"] for row in deliveries(api, other)] == [kept]
    assert server.count(world.environment_id, "webhook_delivery") == 1


def test_a_long_log_goes_in_the_background(api: Client, world: World, server: Server) -> None:
    made, other = hook(api), hook(api)
    logged(world, made, *({"position": number} for number in range(2 * BATCH + 1)))
    logged(world, other, {})
    left = []
    api.delete(f"/v1/webhook/{made['id']}")
    while server.count(world.environment_id, "webhook_delivery") > 1:
        left.append(server.count(world.environment_id, "webhook_delivery"))
        assert server.work()
    assert left[0] == BATCH + 2
    assert len(deliveries(api, other)) == 1


def test_nothing_is_sent_for_a_deleted_webhook(api: Client, world: World) -> None:
    with Receiver().listening() as receiver:
        gone, other = hook(api), hook(api)
        for made in (gone, other):
            world.write("webhook", made["id"], url=receiver.url)
            api.post(f"/v1/webhook/{made['id']}/test", expect=200)
        api.delete(f"/v1/webhook/{gone['id']}")
        with sending(world, allowed=HERE):
            tried(api, other["id"])
    assert [Webhook(other["secret"]).verify(call.body, dict(call.headers))["data"] for call in receiver.calls] == [
        {"webhook_id": other["id"]}
    ]


# ── who may ──

PATHS: tuple[tuple[str, str, Any], ...] = (
    ("GET", "", b""),
    ("PUT", "", {"description": "x"}),
    ("DELETE", "", b""),
    ("POST", "/secret", b""),
    ("POST", "/test", b""),
    ("POST", "/resend", b""),
    ("GET", "/delivery/{delivery}", b""),
    ("GET", "/delivery/{delivery}/request", b""),
    ("POST", "/delivery/{delivery}/resend", b""),
)


@pytest.mark.parametrize(("method", "rest", "body"), PATHS)
def test_what_is_another_tenants_is_not_there(method: str, rest: str, body: Any, api: Client, world: World, other: World) -> None:
    theirs, row = other.id("webhook"), other.id("webhook_delivery")
    before = world.server.rows(other.environment_id)
    assert api.refused(method, f"/v1/webhook/{theirs}{rest}".replace("{delivery}", row), body) == (404, [10004])
    if "{delivery}" in rest:
        mine = hook(api)
        assert api.refused(method, f"/v1/webhook/{mine['id']}{rest}".replace("{delivery}", row), body) == (404, [10004])
    assert world.server.rows(other.environment_id) == before


@pytest.mark.parametrize(("method", "rest", "body"), PATHS)
@pytest.mark.parametrize("id", [NEVER, "nothing", "%00"])
def test_what_does_not_exist_is_not_found(id: str, method: str, rest: str, body: Any, api: Client) -> None:
    path = f"/v1/webhook/{id}{rest}".replace("{delivery}", NEVER)
    assert api.refused(method, path, body) == (404, [10004])
    if "{delivery}" in rest:
        assert api.refused(method, f"/v1/webhook/{hook(api)['id']}{rest}".replace("{delivery}", id), body) == (404, [10004])


@pytest.mark.parametrize(("method", "rest", "body"), [item for item in PATHS if "{delivery}" in item[1]])
def test_a_delivery_of_another_webhook_is_not_found(method: str, rest: str, body: Any, api: Client, world: World) -> None:
    made, other = hook(api), hook(api)
    (id,) = logged(world, other, {"status": "failed"})
    assert api.refused(method, f"/v1/webhook/{made['id']}{rest}".replace("{delivery}", id), body) == (404, [10004])
    assert [row["status"] for row in deliveries(api, other)] == ["failed"]


def test_ids_in_capitals_name_the_same(api: Client, world: World) -> None:
    made = hook(api)
    (id,) = logged(world, made, {"status": "failed"})
    path = f"/v1/webhook/{made['id'].upper()}/delivery/{id.upper()}"
    assert api.post(f"{path}/resend", expect=200)["id"] == id
    assert api.get(f"{path}/request")["url"] == URL


@pytest.mark.parametrize("role", [role.name.lower() for role in Role if role is not Role.ADMIN])
def test_only_an_admin_handles_webhooks(role: str, api: Client, world: World, server: Server) -> None:
    made = hook(api)
    (id,) = logged(world, made, {"status": "failed"})
    before = server.rows(world.environment_id)["webhook"]
    for client in (bearer(server, world, role), connected(server, world, role).client):
        for method, rest, body in PATHS:
            path = f"/v1/webhook/{made['id']}{rest}".replace("{delivery}", id)
            assert client.refused(method, path, body) == (403, [10003]), f"{method} {path}"
        assert client.refused("GET", "/v1/webhook") == client.refused("POST", "/v1/webhook", {"url": URL}) == (403, [10003])
        assert client.refused("GET", f"/v1/webhook/{made['id']}/delivery") == (403, [10003])
    assert server.rows(world.environment_id)["webhook"] == before


def test_a_key_that_may_only_read_reads_and_changes_nothing(server: Server) -> None:
    tenant: Tenant = server.tenant()
    made = hook(server.client(tenant))
    reader = read_only(server, tenant)
    assert reader.get(f"/v1/webhook/{made['id']}")["url"] == URL
    for method, rest, body in PATHS:
        if method != "GET" and "{delivery}" not in rest:
            assert reader.refused(method, f"/v1/webhook/{made['id']}{rest}", body) == (403, [10003]), f"{method} {rest}"
    assert reader.refused("POST", "/v1/webhook", {"url": URL}) == (403, [10003])
