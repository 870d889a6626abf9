"""An app lets nobody in for longer than its connection lasts: it makes no admins, sees no links, leads no mails elsewhere.

To see it fail: leave `keep_from_apps` out of `follow_people`, a `refuse_apps` out of rules/invitations.py or rules/second_factor.py,
or reveal the link to an app, too.
"""

from collections.abc import Callable
from typing import Any

import pytest
from tests.client import Answer, Client
from tests.connections import Connection, connected
from tests.inviting import accept, change, invited, path_of
from tests.people import person
from tests.server import Server
from tests.visiting import Browser
from tests.world import World

EVA = "eva@mill.example"


@pytest.fixture
def app(server: Server, world: World) -> Connection:
    """An app that an admin has connected."""
    return connected(server, world, "admin")


def put(app: Connection, id: str, **values: Any) -> Answer:
    return app.client.ask("PUT", f"/v1/user/{id}", values)


# ── what it may ──


@pytest.mark.parametrize("role", ["manager", "organiser", "member", "guest"])
def test_an_app_invites_whoever_is_no_admin_and_sees_no_link(role: str, app: Connection, world: World) -> None:
    user = invited(app.client, EVA, role)
    assert (user["status"], user["role"], "invite_link" in user) == ("invited", role, False)
    assert "invite_link" not in app.client.post(f"/v1/user/{user['id']}/invite", expect=200)


def test_the_link_that_an_app_does_not_see_is_made_by_an_admin(app: Connection, world: World) -> None:
    user = invited(app.client, EVA)
    link = world.client.post(f"/v1/user/{user['id']}/invite", expect=200)["invite_link"]
    assert accept(Browser(world.client), link).status == 200


def test_an_app_changes_what_opens_nothing(app: Connection, server: Server, world: World) -> None:
    for id in (app.user_id, person(server, world, "member").id):
        read = app.client.get(f"/v1/user/{id}")
        assert app.client.put(f"/v1/user/{id}", {**read, "firstname": "Eva", "language": "en"})["firstname"] == "Eva"
    assert put(app, id, role="manager").json["role"] == "manager"
    assert app.client.ask("POST", f"/v1/user/{id}/archive").status == 200
    assert app.client.ask("POST", f"/v1/user/{id}/restore").status == 200


# ── what it may not ──


def colleague(app: Connection, server: Server, world: World, role: str = "member", **values: Any) -> str:
    id = person(server, world, role).id
    change(server, world.environment_id, "user", id, **values)
    return id


LONG_AGO = "2026-01-01T00:00:00Z"
Attempt = Callable[[Connection, str], Answer]

ATTEMPTS: dict[str, tuple[Attempt, str, dict[str, Any], str | None]] = {  # the request, of whom (role, values), and what is named
    "a new admin": (lambda app, _: app.client.ask("POST", "/v1/user", {"email": EVA, "role": "admin"}), "member", {}, "role"),
    "a member made admin": (lambda app, id: put(app, id, role="admin"), "member", {}, "role"),
    "an archived member made admin": (lambda app, id: put(app, id, role="admin"), "member", {"archived_at": LONG_AGO}, "role"),
    "an archived admin restored": (
        lambda app, id: app.client.ask("POST", f"/v1/user/{id}/restore"),
        "admin",
        {"archived_at": LONG_AGO},
        "role",
    ),
    "an invited admin": (lambda app, id: app.client.ask("POST", f"/v1/user/{id}/invite"), "admin", {"status": "invited"}, "role"),
    "the email of an admin": (lambda app, id: put(app, id, email=EVA), "admin", {}, "email"),
    "the email of a member": (lambda app, id: put(app, id, email=EVA), "member", {}, "email"),
    "its own user's email": (lambda app, _: put(app, app.user_id, email=EVA), "member", {}, "email"),
    "a username": (lambda app, id: put(app, id, username=EVA), "member", {}, "username"),
    "the password of an admin": (lambda app, id: app.client.ask("POST", f"/v1/user/{id}/reset"), "admin", {}, None),
    "the password of a member": (lambda app, id: app.client.ask("POST", f"/v1/user/{id}/reset"), "member", {}, None),
    "a second factor": (lambda app, id: app.client.ask("POST", f"/v1/user/{id}/factor/off"), "admin", {"mfa_enabled": True}, None),
}


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_an_app_is_refused_what_would_open_an_account(attempt: str, app: Connection, server: Server, world: World) -> None:
    ask, role, values, named = ATTEMPTS[attempt]
    id = colleague(app, server, world, role, **values)
    before = world.server.rows(world.environment_id)
    answer = ask(app, id)
    assert (answer.status, answer.codes, answer.faults[0][0]) == (403, [10003], named), answer.body
    assert answer.faults[0][1].startswith("an app may not ")
    assert world.server.rows(world.environment_id) == before


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_an_admin_may_do_it_in_person(attempt: str, app: Connection, server: Server, world: World) -> None:
    ask, role, values, _ = ATTEMPTS[attempt]
    id, admin = colleague(app, server, world, role, **values), person(server, world, "admin")
    assert ask(Connection("", "", admin.id, "", admin.client), id).status in (200, 201)


def test_a_key_still_sees_links(world: World) -> None:
    assert path_of(invited(world.client, EVA, "admin")["invite_link"]).startswith("/invite/")


@pytest.mark.parametrize("role", ["manager", "guest"])
def test_an_app_of_somebody_else_invites_nobody(role: str, server: Server, world: World) -> None:
    client: Client = connected(server, world, role).client
    assert client.refused("POST", "/v1/user", {"email": EVA, "role": "guest"}) == (403, [10003])
