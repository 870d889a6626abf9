"""The page of an invitation: whoever holds the link becomes a user, once.

To see it fail: leave `used_at` out of `describe`, read with `tx.first` in `use`, or let `read_token` take any signature.
"""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.client import Client
from tests.inviting import PASSWORD, accept, change, invited, path_of, row_of
from tests.people import person
from tests.server import Server
from tests.visiting import Browser
from tests.world import World

from planwerk.identity.invitations import accept as accept_now
from planwerk.identity.passwords import Passwords
from planwerk.rules.links import link_token
from planwerk.secret import secret_of
from planwerk.store.statements import Statement

EVA = "eva@mill.example"
DEAD = "This link does not open"
ARCHIVE = Statement('UPDATE "user" SET archived_at = {now} WHERE environment_id = {environment} AND id = {id} RETURNING id', {})
SUSPEND = Statement("UPDATE environment SET status = {status} WHERE id = {environment} RETURNING id", {})


@pytest.fixture
def browser(api: Client) -> Browser:
    return Browser(api)


def invitation_of(world: World, user: dict[str, Any]) -> dict[str, Any]:
    return row_of(world.server, world.environment_id, "invitation", user["invite_id"])


def set_status(world: World, status: str) -> None:
    def work(tx: Any) -> None:
        assert tx.run_named(SUSPEND, status=status)
        tx.touched.add("environment")

    world.server.database.write_now(world.environment_id, work)


# ── a link that opens ──


def test_the_page_says_who_invites_whom_to_what(world: World, server: Server, browser: Browser) -> None:
    admin = person(server, world, "admin")
    change(server, world.environment_id, "user", admin.id, fullname="Ada Muster")
    page = browser.open(path_of(invited(admin.client, EVA, "organiser")["invite_link"]))
    assert page.status == 200
    assert re.search("Ada Muster invites you to tenant .* with the role organiser", page.text)
    assert page.form().fields["email"] == EVA


def test_an_invitation_by_a_key_names_nobody(api: Client, browser: Browser) -> None:
    assert "You are invited to tenant" in browser.open(path_of(invited(api, EVA)["invite_link"])).text


def test_who_accepts_is_active_and_logged_in(world: World, browser: Browser) -> None:
    user = invited(world.client, EVA)
    accept(browser, user["invite_link"], firstname=" Eva ", lastname="Molen")
    assert browser.cookies["planwerk_session"]
    known = world.client.get(f"/v1/user/{user['id']}")
    assert (known["status"], known["firstname"], known["fullname"]) == ("active", "Eva", "Eva Molen")
    row = row_of(world.server, world.environment_id, "user", user["id"])
    assert Passwords().fits(row["password_hash"], PASSWORD)
    assert row["last_login_at"] is not None


def test_a_name_that_is_left_empty_stays_as_it_was(world: World, browser: Browser) -> None:
    user = invited(world.client, EVA, firstname="Eva", lastname="Molen")
    accept(browser, user["invite_link"], firstname="", lastname="")
    assert world.client.get(f"/v1/user/{user['id']}")["fullname"] == "Eva Molen"


def test_looking_at_a_link_uses_nothing_up(api: Client, browser: Browser) -> None:
    path = path_of(invited(api, EVA)["invite_link"])
    assert [browser.open(path).status for _ in range(3)] == [200, 200, 200]


def test_an_environment_that_waits_opens_with_its_first_user(world: World, browser: Browser) -> None:
    user = invited(world.client, EVA, "admin")
    set_status(world, "sign_up")
    accept(browser, user["invite_link"])
    assert world.client.get("/v1/me")["environment"]["status"] == "active"


# ── passwords ──


@pytest.mark.parametrize(
    ("password", "again", "words"),
    [
        ("short", "short", "8 to 1024 characters"),
        ("x" * 1025, "x" * 1025, "8 to 1024 characters"),
        (EVA, EVA, "must not be your email address"),
        ("EVA@Mill.Example", "EVA@Mill.Example", "must not be your email address"),
        ("Eva Molen", "Eva Molen", "or your name"),
        ("Welcome2026!", "Welcome2026!", "one of the first"),
        ("12345678", "12345678", "one of the first"),
        ("bbbbbbbbbb", "bbbbbbbbbb", "one of the first"),
        (PASSWORD, PASSWORD + " ", "two passwords differ"),
        ("", "", "8 to 1024 characters"),
    ],
)
def test_a_password_that_is_no_good_is_refused_and_the_link_stays(
    world: World, browser: Browser, password: str, again: str, words: str
) -> None:
    user = invited(world.client, EVA)
    page = accept(browser, user["invite_link"], password, again, firstname="Eva", lastname="Molen")
    assert (page.status, words in page.text) == (422, True)
    assert page.form().fields | {"csrf": ""} == {
        "csrf": "",
        "email": EVA,
        "firstname": "Eva",
        "lastname": "Molen",
        "password": "",
        "again": "",
    }
    assert password not in page.text.replace(EVA, "").replace("Eva Molen", "") or not password
    assert invitation_of(world, user)["used_at"] is None
    assert "planwerk_session" not in browser.cookies


# ── a link that does not open ──


def use_it(world: World, user: dict[str, Any]) -> None:
    accept(Browser(world.client), user["invite_link"])


def let_it_expire(world: World, user: dict[str, Any]) -> None:
    change(world.server, world.environment_id, "invitation", user["invite_id"], expires_at=world.server.database.identifiers.now())


def void_it(world: World, user: dict[str, Any]) -> None:
    world.client.post(f"/v1/user/{user['id']}/invite", expect=200)


def archive_the_user(world: World, user: dict[str, Any]) -> None:
    world.client.post(f"/v1/user/{user['id']}/archive", expect=200)


def delete_the_user(world: World, user: dict[str, Any]) -> None:
    world.client.delete(f"/v1/user/{user['id']}")


def suspend_the_environment(world: World, user: dict[str, Any]) -> None:
    set_status(world, "suspended")


def mark_it_used(world: World, user: dict[str, Any]) -> None:
    """The user is still invited: what was used tells by itself."""
    change(world.server, world.environment_id, "invitation", user["invite_id"], used_at=world.server.database.identifiers.now())


def make_it_a_reset(world: World, user: dict[str, Any]) -> None:
    change(world.server, world.environment_id, "invitation", user["invite_id"], purpose="reset")


def archive_unseen(world: World, user: dict[str, Any]) -> None:
    """The user is archived and the invitation is not void."""
    write = world.server.database.write_now
    assert write(world.environment_id, lambda tx: tx.run_named(ARCHIVE, id=user["id"], now=tx.now))


SPOILING = (use_it, let_it_expire, void_it, archive_the_user, delete_the_user, suspend_the_environment)
SPOILING_ALONE = (mark_it_used, make_it_a_reset, archive_unseen)  # one reason, where the life of a user brings two


@pytest.mark.parametrize("spoil", [*SPOILING, *SPOILING_ALONE])
def test_a_link_that_does_not_open_leads_to_one_page(world: World, browser: Browser, spoil: Any) -> None:
    user = invited(world.client, EVA)
    path = path_of(user["invite_link"])
    browser.open(path)
    form = browser.page.form()
    spoil(world, user)
    before = world.server.rows(world.environment_id)
    filled: dict[str, Any] = {**form.fields, "password": PASSWORD, "again": PASSWORD}
    sent = browser.post(path, **filled)
    opened = browser.open(path)
    unknown = browser.open("/invite/guess")
    assert (sent.status, opened.status, unknown.status) == (404, 404, 404)
    assert sent.answer.body == opened.answer.body == unknown.answer.body
    assert DEAD in opened.text
    assert "planwerk_session" not in browser.cookies
    assert world.server.rows(world.environment_id) == before


def test_a_token_that_was_tampered_with_opens_nothing(world: World, browser: Browser) -> None:
    token = invited(world.client, EVA)["invite_link"].rpartition("/")[2]
    for place in range(0, len(token) - 1, 5):  # the last character holds two bits only
        other = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        assert browser.open(f"/invite/{other}").status == 404, place
    for other in (token[:-1], token + "A", token + "=", "A" * 86, "%00" * 86, "é" * 86, token.upper()):
        assert browser.open(f"/invite/{other}").status == 404, other


def test_a_token_of_another_secret_or_another_environment_opens_nothing(
    world: World, server: Server, other: World, browser: Browser
) -> None:
    invite_id, mine = invited(world.client, EVA)["invite_id"], secret_of(server.settings)
    assert browser.open(f"/invite/{link_token(b'k' * 32, world.environment_id, invite_id)}").status == 404
    assert browser.open(f"/invite/{link_token(mine, other.environment_id, invite_id)}").status == 404
    assert browser.open(f"/invite/{link_token(mine, world.environment_id, invite_id)}").status == 200


def test_an_invitation_is_no_reset(world: World, browser: Browser) -> None:
    user = invited(world.client, EVA)
    assert browser.open(path_of(user["invite_link"]).replace("/invite/", "/reset/")).status == 404
    accept(browser, user["invite_link"])
    reset = path_of(world.client.post(f"/v1/user/{user['id']}/reset", expect=200)["reset_link"])
    assert browser.open(reset.replace("/reset/", "/invite/")).status == 404


def test_the_form_of_another_site_is_refused(world: World, browser: Browser) -> None:
    user = invited(world.client, EVA)
    path = path_of(user["invite_link"])
    assert Browser(world.client).post(path, password=PASSWORD, again=PASSWORD).status == 403
    form = browser.open(path).form()
    fields = {**form.fields, "password": PASSWORD, "again": PASSWORD}
    assert browser.post(path, {"origin": "https://evil.example"}, **fields).status == 403
    assert invitation_of(world, user)["used_at"] is None


def test_of_twenty_who_use_a_link_at_once_one_gets_in(world: World) -> None:
    user, barrier = invited(world.client, EVA), threading.Barrier(20)

    def use_now(number: int) -> bool:
        barrier.wait()
        write = world.server.database.write_now
        return write(world.environment_id, lambda tx: accept_now(tx, user["invite_id"], f"hash {number}", {})) is not None

    with ThreadPoolExecutor(20) as threads:
        assert sum(threads.map(use_now, range(20))) == 1


def test_the_page_is_not_stored_and_does_not_tell_its_address(api: Client, browser: Browser) -> None:
    headers = browser.open(path_of(invited(api, EVA)["invite_link"])).answer.headers
    assert (headers["cache-control"], headers["referrer-policy"]) == ("no-store", "same-origin")


def test_a_name_in_the_page_is_text(world: World, browser: Browser) -> None:
    page = browser.open(path_of(invited(world.client, EVA, firstname='"><script>x</script>')["invite_link"]))
    assert b"<script>" not in page.answer.body
