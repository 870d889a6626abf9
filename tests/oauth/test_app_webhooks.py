"""The webhooks of an app are switched off with the last connection that an admin of the environment has with it.

To see it fail: leave `follow_connections` out of catalog/oauth_grant.py, the look at `CONNECTED` or the lock out of `switch_off`, the
role out of `CONNECTED`, `end_lapsed` out of housekeeping, or the look at `revoked_at` out of `client_of`.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import pytest
from tests.client import Client
from tests.connections import connected
from tests.oauth.connecting import App, Visit, new_app, new_visit, nobody
from tests.people import person
from tests.server import Server
from tests.world import World

from planwerk.housekeeping import tidy_all
from planwerk.oauth.connections import delete_client, revoke_all
from planwerk.store.statements import Statement

Tokens = dict[str, Any]
URL = "https://example.com/hook"
LONG_AGO = "2026-01-01T00:00:00Z"


@dataclass
class Mill:
    """An environment whose admin has connected an app, which has made a webhook."""

    server: Server
    world: World
    app: App
    visit: Visit
    tokens: Tokens
    hook: str

    def client(self, tokens: Tokens) -> Client:
        return replace(nobody(self.server), headers={"authorization": f"Bearer {tokens['access_token']}"})

    def is_on(self, id: str = "") -> bool:
        found = self.world.client.get(f"/v1/webhook/{id or self.hook}")
        assert found["active"] == found["can_send"]
        return bool(found["active"])

    def end(self, visit: Visit) -> None:
        self.server.database.write_now(
            self.world.environment_id, lambda tx: revoke_all(tx, "a test", client_id=self.app.id, user_id=visit.user.id)
        )


def hook(client: Client) -> str:
    return str(client.post("/v1/webhook", {"url": URL, "event_types": ["card.created"]})["id"])


@pytest.fixture
def mill(server: Server, world: World) -> Mill:
    app, visit = new_app(server, server.tenant("developer")), new_visit(server, world, "admin")
    tokens = visit.tokens(app)
    mill = Mill(server, world, app, visit, tokens, "")
    mill.hook = hook(mill.client(tokens))
    assert mill.is_on()
    return mill


# ── what ends a connection ──


def by_the_user(mill: Mill) -> None:
    csrf = mill.visit.browser.open("/account/apps").forms[0].fields["csrf"]
    mill.visit.browser.post("/account/apps", csrf=csrf, app=mill.app.id)


def by_an_admin(mill: Mill) -> None:
    admin = new_visit(mill.server, mill.world, "admin")
    csrf = admin.browser.open("/account/apps").forms[0].fields["csrf"]
    admin.browser.post("/account/apps", csrf=csrf, app=mill.app.id, user=mill.visit.user.id)


def by_the_app(mill: Mill) -> None:
    mill.app.revoke(mill.tokens["refresh_token"])


def refresh_token_used_twice(mill: Mill) -> None:
    mill.app.refresh(mill.tokens["refresh_token"])
    mill.visit.write(f"UPDATE oauth_token SET rotated_at = '{LONG_AGO}' WHERE environment_id = {{environment}} AND rotated_at IS NOT NULL")
    mill.app.refresh(mill.tokens["refresh_token"])


def code_used_twice(mill: Mill) -> None:
    mill.end(mill.visit)
    code = mill.visit.code(mill.app)
    mill.app.exchange(code)
    mill.world.client.put(f"/v1/webhook/{mill.hook}", {"active": True})
    mill.app.exchange(code)


def user_archived(mill: Mill) -> None:
    mill.world.client.post(f"/v1/user/{mill.visit.user.id}/archive", expect=200)


def user_deleted(mill: Mill) -> None:
    mill.world.client.delete(f"/v1/user/{mill.visit.user.id}")


def user_demoted(mill: Mill) -> None:
    mill.world.client.put(f"/v1/user/{mill.visit.user.id}", {"role": "manager"})


def app_deleted(mill: Mill) -> None:
    [[owner]] = mill.server.database.query(f"SELECT environment_id FROM oauth_client WHERE id = '{mill.app.id}'")
    mill.server.loop.run(delete_client(mill.server.database, owner, mill.app.id))


def not_renewed(mill: Mill) -> None:
    whose = f"environment_id = {{environment}} AND user_id = '{mill.visit.user.id}'"
    mill.visit.write(f"UPDATE oauth_grant SET expires_at = created_at WHERE {whose}")
    never_run = Statement("DELETE FROM state WHERE substr(name, 1, 12) = 'housekeeping'", {})
    mill.server.database.write_now("", lambda tx: tx.run_named(never_run))
    mill.server.loop.run(tidy_all(mill.server.database))
    assert mill.visit.reasons() == ["it was not renewed", None]


ENDINGS = (
    by_the_user,
    by_an_admin,
    by_the_app,
    refresh_token_used_twice,
    code_used_twice,
    user_archived,
    user_deleted,
    user_demoted,
    app_deleted,
    not_renewed,
)


@pytest.mark.parametrize("ending", ENDINGS, ids=lambda ending: ending.__name__)
def test_with_the_connection_the_webhooks_of_the_app_end_and_no_others(ending: Callable[[Mill], None], mill: Mill) -> None:
    person(mill.server, mill.world, "admin")  # an environment keeps one
    second, other = hook(mill.client(mill.tokens)), connected(mill.server, mill.world, "admin", mill.server.tenant())
    kept = [hook(other.client), hook(mill.world.client), hook(person(mill.server, mill.world, "admin").client)]
    ending(mill)
    assert [mill.is_on(id) for id in (mill.hook, second, *kept)] == [False, False, *[True] * len(kept)]


def test_what_is_off_is_switched_on_by_an_admin(mill: Mill) -> None:
    mill.end(mill.visit)
    assert mill.world.client.put(f"/v1/webhook/{mill.hook}", {"active": True})["can_send"] is True


# ── who has connected it, too ──


@pytest.mark.parametrize(("role", "stays"), [("admin", True), ("manager", False), ("guest", False)])
def test_they_stay_on_while_another_admin_has_connected_the_app(role: str, stays: bool, mill: Mill) -> None:
    other = new_visit(mill.server, mill.world, role)
    other.tokens(mill.app)
    mill.end(mill.visit)
    assert mill.is_on() is stays
    mill.end(other)
    assert not mill.is_on()


def test_one_of_two_connections_of_a_user_is_enough(mill: Mill) -> None:
    second = mill.visit.tokens(mill.app)
    mill.app.revoke(mill.tokens["refresh_token"])
    assert mill.is_on()
    mill.app.revoke(second["refresh_token"])
    assert not mill.is_on()


def test_an_admin_of_another_environment_does_not_count(mill: Mill) -> None:
    new_visit(mill.server, mill.server.tenant(), "admin").tokens(mill.app)
    mill.end(mill.visit)
    assert not mill.is_on()


def test_the_end_elsewhere_ends_nothing_here(mill: Mill) -> None:
    stranger = new_visit(mill.server, mill.server.tenant(), "admin")
    tokens = stranger.tokens(mill.app)
    mill.app.revoke(tokens["refresh_token"])
    assert mill.is_on()


def test_when_the_last_two_connections_end_at_once_the_webhook_is_off(mill: Mill) -> None:
    for _ in range(10):
        visits = [new_visit(mill.server, mill.world, "admin") for _ in range(2)]
        for visit in visits:
            visit.tokens(mill.app)
        mill.end(mill.visit)
        mill.world.client.put(f"/v1/webhook/{mill.hook}", {"active": True})
        barrier = threading.Barrier(2)

        def end(visit: Visit, barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            mill.end(visit)

        with ThreadPoolExecutor(2) as threads:
            list(threads.map(end, visits))
        assert not mill.is_on()


# ── what the app does meanwhile ──


def test_an_app_whose_connection_has_just_ended_writes_no_webhook(mill: Mill) -> None:
    """On PostgreSQL a token is known for a second after its connection has ended; the rule looks again."""
    client = mill.client(mill.tokens)
    client.get("/v1/webhook")
    mill.end(mill.visit)
    before = mill.server.count(mill.world.environment_id, "webhook")
    assert client.refused("POST", "/v1/webhook", {"url": URL}) == (401, [10002])
    assert client.refused("PUT", f"/v1/webhook/{mill.hook}", {"active": True}) == (401, [10002])
    assert mill.server.count(mill.world.environment_id, "webhook") == before
    assert not mill.is_on()


def test_an_app_changes_its_own_webhooks_and_no_others(mill: Mill) -> None:
    """Else it could lead one of somebody else to an address of its own, which goes on sending when its connection is over."""
    client, colleague = mill.client(mill.tokens), new_visit(mill.server, mill.world, "admin")
    assert client.put(f"/v1/webhook/{mill.hook}", {"url": "https://example.org/"})["url"] == "https://example.org/"
    client.post(f"/v1/webhook/{mill.hook}/secret", expect=200)
    assert mill.client(colleague.tokens(mill.app)).put(f"/v1/webhook/{mill.hook}", {"active": False})["active"] is False
    for other in (hook(mill.world.client), hook(connected(mill.server, mill.world, "admin").client)):
        assert client.get(f"/v1/webhook/{other}")["url"] == URL
        assert client.refused("PUT", f"/v1/webhook/{other}", {"url": "https://example.org/"}) == (403, [10003])
        assert client.refused("POST", f"/v1/webhook/{other}/secret") == (403, [10003])


def test_an_app_deletes_and_calls_its_own_webhooks_and_no_others(mill: Mill) -> None:
    """To see it fail: leave `keep_from_others` out of `remove_webhook`, `send_test`, `resend` or `resend_failed`."""
    client = mill.client(mill.tokens)
    calls = ("test", "resend", "delivery/{}/resend")
    for other in (hook(mill.world.client), hook(person(mill.server, mill.world, "admin").client)):
        sent = mill.world.client.post(f"/v1/webhook/{other}/test", expect=200)["id"]
        for call in calls:
            assert client.refused("POST", f"/v1/webhook/{other}/{call.format(sent)}") == (403, [10003])
        assert client.refused("DELETE", f"/v1/webhook/{other}") == (403, [10003])
        assert [row["id"] for row in client.get(f"/v1/webhook/{other}/delivery")["data"]] == [sent]
    sent = client.post(f"/v1/webhook/{mill.hook}/test", expect=200)["id"]
    for call in calls:
        client.post(f"/v1/webhook/{mill.hook}/{call.format(sent)}", expect=200)
    client.delete(f"/v1/webhook/{mill.hook}")
