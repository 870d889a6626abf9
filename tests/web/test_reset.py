"""A lost password: everybody is told the same, the right one gets a mail, and its link works once.

To see it fail: answer differently for nobody, leave `close_sessions` or `void_links` out of `set_password`, or let `ASKING` take
users without a password.
"""

import datetime as dt
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import pytest
from tests.client import Loop
from tests.inviting import PASSWORD, accept, change, links_in, mailed, mailing_server, path_of, row_of
from tests.people import Person, person
from tests.server import OBJECTS, Server
from tests.visiting import Browser, Page
from tests.world import World

from planwerk.identity.invitations import set_password
from planwerk.identity.passwords import Passwords
from planwerk.rules.mails import LINKS_PER_HOUR
from planwerk.store.statements import Statement

HOST = "plan.mill.nl"
NUMBERS = count(1)
SUSPEND = Statement("UPDATE environment SET status = 'suspended' WHERE id = {environment}", {})


@pytest.fixture(scope="module")
def mailing(backend: str, tmp_path_factory: pytest.TempPathFactory, loop: Loop) -> Iterator[Server]:
    with mailing_server(backend, tmp_path_factory.mktemp("reset"), loop) as server:
        yield server


@pytest.fixture
def world(mailing: Server) -> World:
    tenant = mailing.tenant()
    return World(mailing, mailing.client(tenant), tenant.environment.id)


@pytest.fixture
def browser(world: World) -> Browser:
    return Browser(world.client, HOST)


def member(world: World, **values: Any) -> Person:
    """A user with an address at which mails arrive, logged in once."""
    eva = person(world.server, world, "member")
    email = f"eva.{next(NUMBERS)}@mill.nl"
    change(world.server, world.environment_id, "user", eva.id, **{"email": email, "username": email, **values})
    return Person(eva.id, email, eva.cookie, eva.client)


def ask(browser: Browser, email: str) -> Page:
    browser.open("/reset")
    return browser.submit(email=email)


def link_for(world: World, browser: Browser, eva: Person) -> str:
    """The path of the link that a mail brings."""
    ask(browser, eva.email)
    messages = [message for message in mailed(world.server) if message["To"] == eva.email]
    return links_in(messages[-1].get_content())[0]


# ── asking ──


def test_who_asks_is_told_the_same_whether_there_is_such_a_user_or_not(world: World, browser: Browser) -> None:
    eva = member(world)
    known, unknown, nonsense = (ask(browser, email) for email in (eva.email, "nobody@mill.nl", "nobody"))
    assert known.status == unknown.status == nonsense.status == 200
    assert known.answer.body == unknown.answer.body == nonsense.answer.body
    assert [message["To"] for message in mailed(world.server)] == [eva.email]


def test_the_address_may_be_typed_in_capitals(world: World, browser: Browser) -> None:
    eva = member(world)
    ask(browser, f"  {eva.email.upper()} ")
    assert [message["To"] for message in mailed(world.server)] == [eva.email]


@pytest.mark.parametrize(
    "values",
    [{"status": "invited"}, {"password_hash": None}, {"archived_at": "2026-01-01T00:00:00Z"}, {"deleted_at": "2026-01-01T00:00:00Z"}],
    ids=lambda values: next(iter(values)),
)
def test_who_has_no_password_here_gets_no_mail(world: World, browser: Browser, values: dict[str, Any]) -> None:
    ask(browser, member(world, **values).email)
    assert mailed(world.server) == []


def test_a_suspended_environment_sends_no_mail(world: World, browser: Browser) -> None:
    eva = member(world)
    world.server.database.write_now(world.environment_id, lambda tx: tx.run_named(SUSPEND))
    ask(browser, eva.email)
    assert world.server.count(world.environment_id, "mail") == 0


def test_a_person_of_two_environments_gets_a_mail_for_each(world: World, mailing: Server, browser: Browser) -> None:
    tenant = mailing.tenant()
    second = World(mailing, mailing.client(tenant), tenant.environment.id)
    eva = member(world)
    member(second, email=eva.email, username=eva.email)
    ask(browser, eva.email)
    assert [message["To"] for message in mailed(world.server)] == [eva.email] * 2


def test_too_many_questions_about_one_address_are_refused_for_known_and_unknown_alike(world: World, browser: Browser) -> None:
    eva = member(world)
    for email in (eva.email, f"nobody.{next(NUMBERS)}@mill.nl"):
        statuses = [ask(browser, email).status for _ in range(6)]
        assert statuses == [200] * 5 + [429], email
        assert int(browser.page.answer.headers["retry-after"]) > 0
    assert world.server.count(world.environment_id, "mail") == LINKS_PER_HOUR


def test_who_has_got_enough_mails_gets_no_more_and_the_page_does_not_tell(world: World, browser: Browser) -> None:
    eva = member(world)
    for _ in range(LINKS_PER_HOUR):
        world.client.post(f"/v1/user/{eva.id}/reset", expect=200)
    assert "on its way" in ask(browser, eva.email).text
    assert world.server.count(world.environment_id, "mail") == LINKS_PER_HOUR


def test_who_can_get_no_mail_keeps_the_link_that_an_admin_has_handed_over(world: World, browser: Browser) -> None:
    """To see it fail: let `leave_reset` make a link for an address that is never mailed."""
    eva = person(world.server, world, "member")
    assert eva.email.endswith("@example.com")
    link = world.client.post(f"/v1/user/{eva.id}/reset", expect=200)["reset_link"]
    assert "on its way" in ask(browser, eva.email).text
    assert browser.open(path_of(link)).status == 200


def test_a_server_without_mails_says_whom_to_ask(server: Server) -> None:
    page = Browser(server.client(server.tenant())).open("/reset")
    assert "Ask an admin" in page.text
    assert page.forms == []


# ── the link ──


def test_the_link_sets_the_password_and_logs_out_everywhere(world: World, browser: Browser) -> None:
    eva = member(world, mfa_enabled=True, totp_secret="sealed")
    page = accept(browser, link_for(world, browser, eva))
    assert (page.status, "The new password is set" in page.text) == (200, True)
    row = row_of(world.server, world.environment_id, "user", eva.id)
    assert Passwords().fits(row["password_hash"], PASSWORD)
    assert (bool(row["mfa_enabled"]), row["totp_secret"]) == (True, "sealed"), "a second factor stays"
    assert eva.client.refused("GET", "/v1/card")[0] == 401
    assert "planwerk_session" not in browser.cookies, "a link alone logs nobody in"
    assert accept_again(browser) == 404


def accept_again(browser: Browser) -> int:
    return browser.open(browser.page.address).status


def test_a_newer_link_replaces_an_older_one(world: World, browser: Browser) -> None:
    eva = member(world)
    first, second = link_for(world, browser, eva), link_for(world, browser, eva)
    assert [browser.open(link).status for link in (first, second)] == [404, 200]


def test_a_password_that_was_changed_voids_the_link(world: World, browser: Browser) -> None:
    eva = member(world)
    link = link_for(world, browser, eva)
    change(world.server, world.environment_id, "user", eva.id, password_hash="that of another password")
    assert browser.open(link).status == 404


def test_a_link_works_for_an_hour(world: World, browser: Browser) -> None:
    eva = member(world)
    link = link_for(world, browser, eva)
    (row,) = world.server.database.write_now(world.environment_id, lambda tx: tx.find(OBJECTS["invitation"], user_id=eva.id))
    made, expires = (dt.datetime.fromisoformat(row[name]) for name in ("created_at", "expires_at"))
    assert expires - made == dt.timedelta(hours=1)
    change(world.server, world.environment_id, "invitation", row["id"], expires_at=world.server.database.identifiers.now())
    assert browser.open(link).status == 404


def test_a_password_that_is_no_good_is_refused_and_the_link_stays(world: World, browser: Browser) -> None:
    eva = member(world)
    link = link_for(world, browser, eva)
    for password, again in (("short", "short"), (eva.email, eva.email), ("password1", "password1"), (PASSWORD, "other")):
        assert accept(browser, link, password, again).status == 422, password
    assert accept(browser, link).status == 200


def test_of_twenty_who_use_a_link_at_once_one_sets_the_password(world: World) -> None:
    eva, barrier = member(world), threading.Barrier(20)
    world.client.post(f"/v1/user/{eva.id}/reset", expect=200)
    (row,) = world.server.database.write_now(world.environment_id, lambda tx: tx.find(OBJECTS["invitation"], user_id=eva.id))

    def use_now(number: int) -> bool:
        barrier.wait()
        return world.server.database.write_now(world.environment_id, lambda tx: set_password(tx, row["id"], f"{number}")) is not None

    with ThreadPoolExecutor(20) as threads:
        assert sum(threads.map(use_now, range(20))) == 1


def test_the_form_of_another_site_is_refused(world: World, browser: Browser) -> None:
    assert browser.post("/reset", email=member(world).email).status == 403
    assert mailed(world.server) == []
