"""Users over the API: inviting, changing, archiving, and what goes with it. The server of these tests sends no mails.

To see it fail: leave `void_links` out of `make_link`, `keep_an_admin` or `end_access` out of `follow_people`, or the lock out of
`keep_an_admin`.
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.client import Client
from tests.inviting import PASSWORD, accept, change, invited, path_of, row_of
from tests.people import person
from tests.server import OBJECTS, Server
from tests.visiting import Browser
from tests.world import LONG_AGO, World

from planwerk.store.transaction import Transaction

EVA = "eva@mill.example"


def rows(world: World, name: str, **equal: Any) -> list[dict[str, Any]]:
    return world.server.database.write_now(world.environment_id, lambda tx: tx.find(OBJECTS[name], **equal))


# ── inviting ──


def test_who_is_created_is_invited_and_the_answer_shows_the_link(world: World) -> None:
    user = invited(world.client, EVA, "organiser")
    assert (user["status"], user["role"], user["username"]) == ("invited", "organiser", EVA)
    (invitation,) = rows(world, "invitation", user_id=user["id"])
    assert invitation["id"] == user["invite_id"]
    assert invitation["purpose"] == "invite"
    assert user["invite_link"].startswith("http://127.0.0.1:8080/invite/")
    assert rows(world, "mail") == []


def test_a_link_is_shown_once_and_stored_nowhere(world: World) -> None:
    headers = {"idempotency-key": "once"}
    first = world.client.ask("POST", "/v1/user", {"email": EVA, "role": "member"}, headers)
    again = world.client.ask("POST", "/v1/user", {"email": EVA, "role": "member"}, headers)
    assert (first.status, again.status, again.headers["idempotency-replayed"]) == (201, 201, "true")
    token = first.json["invite_link"].rpartition("/")[2]
    assert "invite_link" not in again.json
    assert "invite_link" not in world.client.get(f"/v1/user/{first.json['id']}")
    assert token not in repr(world.server.rows(world.environment_id))


def test_an_invitation_says_who_asked_for_it(world: World, server: Server) -> None:
    admin = person(server, world, "admin")
    user = invited(admin.client, EVA)
    assert rows(world, "invitation", user_id=user["id"])[0]["inviter_id"] == admin.id
    other = invited(world.client, "ole@mill.example")
    assert rows(world, "invitation", user_id=other["id"])[0]["inviter_id"] is None


def test_an_email_address_is_invited_once(api: Client) -> None:
    invited(api, EVA)
    answer = api.ask("POST", "/v1/user", {"email": EVA, "role": "guest"})
    assert (answer.status, answer.codes, answer.faults[0][0]) == (422, [10008], "email")


def test_capitals_in_an_email_address_make_nobody_else_of_a_person(world: World, api: Client) -> None:
    """To see it fail: make `email` an `Email` in catalog/user.py."""
    user = invited(api, "Eva.Cap@Mill.Example")
    assert (user["email"], user["username"]) == ("eva.cap@mill.example",) * 2
    for email in ("eva.cap@mill.example", "EVA.CAP@mill.example"):
        answer = api.ask("POST", "/v1/user", {"email": email, "role": "guest"})
        assert (answer.status, answer.codes, answer.faults[0][0]) == (422, [10008], "email")
    found = api.get("/v1/user?filter=email:eq:'Eva.Cap@Mill.Example'")["data"]
    assert [item["id"] for item in found] == [user["id"]], "who looks for what was sent finds it"
    world.write("user", user["id"], updated_at=LONG_AGO)
    assert api.put(f"/v1/user/{user['id']}", {"email": "EVA.cap@mill.example"})["updated_at"] == LONG_AGO
    assert accept(browser := Browser(api), user["invite_link"]).status == 200
    assert "eva.cap@mill.example" in browser.open("/account").text


@pytest.mark.parametrize(
    ("body", "property"), [({"role": "member"}, "email"), ({"email": EVA}, "role"), ({"email": EVA, "role": "boss"}, "role")]
)
def test_an_invitation_needs_an_email_and_a_role(api: Client, body: dict[str, Any], property: str) -> None:
    answer = api.ask("POST", "/v1/user", body)
    assert (answer.status, [fault[0] for fault in answer.faults]) == (422, [property])


def test_a_body_sets_neither_status_nor_invitation_nor_password(world: World) -> None:
    user = invited(world.client, EVA, status="active", invite_id="mine", password_hash="x", mfa_enabled=True)
    assert (user["status"], user["mfa_enabled"]) == ("invited", False)
    assert user["invite_id"] != "mine"
    assert row_of(world.server, world.environment_id, "user", user["id"])["password_hash"] is None


def test_a_new_invitation_voids_those_before(world: World) -> None:
    user, browser = invited(world.client, EVA), Browser(world.client)
    again = world.client.post(f"/v1/user/{user['id']}/invite", expect=200)
    assert again["invite_id"] != user["invite_id"]
    assert browser.open(path_of(user["invite_link"])).status == 404
    assert browser.open(path_of(again["invite_link"])).status == 200


def test_another_email_address_voids_the_link_that_went_to_the_first(world: World) -> None:
    user = invited(world.client, "wrong@mill.example")
    world.client.put(f"/v1/user/{user['id']}", {"email": EVA})
    assert Browser(world.client).open(path_of(user["invite_link"])).status == 404


@pytest.mark.parametrize(
    ("action", "state", "status"),
    [
        ("invite", "active", 409),
        ("reset", "invited", 409),
        ("invite", "archived", 409),
        ("reset", "archived", 409),
        ("invite", "deleted", 404),
    ],
)
def test_a_link_is_made_only_where_it_would_help(world: World, action: str, state: str, status: int) -> None:
    user = invited(world.client, EVA)
    if state == "active":
        accept(Browser(world.client), user["invite_link"])
    elif state == "archived":
        world.client.post(f"/v1/user/{user['id']}/archive", expect=200)
    elif state == "deleted":
        world.client.delete(f"/v1/user/{user['id']}")
    before = world.server.rows(world.environment_id)
    assert world.client.refused("POST", f"/v1/user/{user['id']}/{action}")[0] == status
    assert world.server.rows(world.environment_id) == before


@pytest.mark.parametrize("action", ["invite", "reset"])
def test_links_of_another_environment_s_users_are_not_made(api: Client, other: World, action: str) -> None:
    assert api.refused("POST", f"/v1/user/{other.id('user')}/{action}") == (404, [10004])


@pytest.mark.parametrize("role", ["manager", "organiser", "member", "guest"])
def test_only_admins_invite_and_change_people(world: World, server: Server, role: str) -> None:
    user, caller = invited(world.client, EVA), person(server, world, role)
    tries: list[Any] = [
        ("POST", "/v1/user", {"email": "x@mill.example", "role": "admin"}),
        ("PUT", f"/v1/user/{caller.id}", {"role": "admin"}),
    ]
    tries += [("POST", f"/v1/user/{user['id']}/{action}", None) for action in ("invite", "reset", "archive")]
    for method, path, body in tries:
        assert caller.client.refused(method, path, body)[0] == 403, path


# ── changing ──


def test_role_sight_and_resource_change(world: World) -> None:
    user, resource = invited(world.client, EVA), world.id("resource")
    changed = world.client.put(f"/v1/user/{user['id']}", {"role": "manager", "card_visibility": "linked", "resource": {"id": resource}})
    assert (changed["role"], changed["card_visibility"], changed["resource_id"]) == ("manager", "linked", resource)
    assert "invite_link" not in changed
    assert world.client.put(f"/v1/user/{user['id']}", {"resource": None})["resource_id"] is None


def test_a_user_name_that_is_the_email_address_changes_with_it(api: Client) -> None:
    user = invited(api, "wrong@mill.example")
    changed = api.put(f"/v1/user/{user['id']}", {"email": EVA})
    assert (changed["email"], changed["username"]) == (EVA, EVA)
    assert api.put(f"/v1/user/{user['id']}", {"username": "eva@work.example"})["username"] == "eva@work.example"
    assert api.put(f"/v1/user/{user['id']}", {"email": "eva.smit@mill.example"})["username"] == "eva@work.example"


def test_a_time_zone_is_one_that_exists(api: Client) -> None:
    user = invited(api, EVA, timezone="Europe/Warsaw")
    answer = api.ask("PUT", f"/v1/user/{user['id']}", {"timezone": "Mars/Phobos"})
    assert (answer.status, answer.codes, answer.faults[0][0]) == (422, [10007], "timezone")
    assert api.get(f"/v1/user/{user['id']}")["timezone"] == "Europe/Warsaw"
    assert api.put(f"/v1/user/{user['id']}", {"timezone": None})["timezone"] is None


def test_a_resource_may_be_that_of_several_users(world: World) -> None:
    resource = world.id("resource")
    first, second = (invited(world.client, f"{name}@mill.example", resource={"id": resource}) for name in ("eva", "ole"))
    assert [user["resource_id"] for user in (first, second)] == [resource, resource]
    assert world.client.get(f"/v1/resource/{resource}?with=user")["user"]["id"] == first["id"]


# ── the last admin ──


def demote(api: Client, id: str) -> int:
    return api.ask("PUT", f"/v1/user/{id}", {"role": "manager"}).status


def archive(api: Client, id: str) -> int:
    return api.ask("POST", f"/v1/user/{id}/archive").status


def delete(api: Client, id: str) -> int:
    return api.ask("DELETE", f"/v1/user/{id}").status


@pytest.mark.parametrize("way", [demote, archive, delete])
def test_the_last_active_admin_stays(world: World, server: Server, way: Any) -> None:
    last = person(server, world, "admin")
    invited(world.client, EVA, "admin")  # who has not accepted is none yet
    before = world.client.get(f"/v1/user/{last.id}")
    assert way(world.client, last.id) == 409
    assert world.client.get(f"/v1/user/{last.id}") == before


@pytest.mark.parametrize("way", [demote, archive, delete])
def test_an_admin_may_go_while_another_is_there(world: World, server: Server, way: Any) -> None:
    person(server, world, "admin")
    assert way(world.client, person(server, world, "admin").id) in (200, 204)


def test_of_two_admins_who_demote_each_other_at_once_one_stays(world: World, server: Server) -> None:
    for _ in range(5):
        admins = [person(server, world, "admin").id for _ in range(2)]
        for row in rows(world, "user", role="admin"):
            if row["id"] not in admins:
                change(server, world.environment_id, "user", row["id"], role="guest")
        barrier = threading.Barrier(2)

        def demote_now(id: str, barrier: threading.Barrier = barrier) -> int:
            def work(tx: Transaction) -> None:
                user = tx.get(OBJECTS["user"], id)
                assert user is not None
                tx.update(OBJECTS["user"], user, {"role": "guest"})

            barrier.wait()
            try:
                server.database.write_now(world.environment_id, work)
            except Exception as error:
                return int(getattr(error, "status", 500))
            return 200

        with ThreadPoolExecutor(2) as threads:
            assert sorted(threads.map(demote_now, admins)) == [200, 409]


# ── leaving ──


@pytest.mark.parametrize("way", [archive, delete])
def test_who_leaves_is_logged_out_everywhere(world: World, server: Server, way: Any) -> None:
    eva = person(server, world, "member")
    link = world.client.post(f"/v1/user/{eva.id}/reset", expect=200)["reset_link"]
    values = {"user_id": eva.id, "client_id": eva.id, "client_environment_id": world.environment_id}
    server.database.write_now(world.environment_id, lambda tx: tx.insert(OBJECTS["oauth_grant"], values))
    eva.client.get("/v1/card")
    way(world.client, eva.id)
    assert rows(world, "session", user_id=eva.id) == []
    assert [grant["revoked_at"] is None for grant in rows(world, "oauth_grant", user_id=eva.id)] == [False]
    assert Browser(world.client).open(path_of(link)).status == 404
    world.client.ask("POST", f"/v1/user/{eva.id}/restore")
    assert rows(world, "session", user_id=eva.id) == []


def test_a_reset_link_of_an_admin_sets_the_password(world: World, server: Server) -> None:
    user, browser = invited(world.client, EVA), Browser(world.client)
    accept(browser, user["invite_link"])
    before = row_of(server, world.environment_id, "user", user["id"])["password_hash"]
    link = world.client.post(f"/v1/user/{user['id']}/reset", expect=200)["reset_link"]
    assert row_of(server, world.environment_id, "user", user["id"])["password_hash"] == before
    assert accept(Browser(world.client), link, PASSWORD + "!").status == 200
    assert row_of(server, world.environment_id, "user", user["id"])["password_hash"] != before
