"""An environment of one's own: where it is allowed, made once, confirmed by its link, forgotten without.

To see it fail: leave `require_registration` out of a page, make the environment active at once, or let `UNCONFIRMED` ask for less.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.client import Loop
from tests.inviting import accept, change, links_in, mailed, mailing_server
from tests.people import person
from tests.server import OBJECTS, Server
from tests.visiting import Browser, Page
from tests.world import World

from planwerk.identity.registration import forget_unconfirmed
from planwerk.store.environments import Environment, find_environment, list_environments

EVA = "eva@mill.nl"
HOST = "plan.mill.nl"


@pytest.fixture
def mailing(backend: str, tmp_path: Path, loop: Loop) -> Iterator[Server]:
    """One for each test: what an address may register is counted by the server."""
    with mailing_server(backend, tmp_path, loop, registration=True) as server:
        yield server


@pytest.fixture
def silent(backend: str, tmp_path: Path, loop: Loop) -> Iterator[Server]:
    """A server that lets people register and sends no mails."""
    with mailing_server(backend, tmp_path, loop, registration=True, smtp="") as server:
        yield server


def register(browser: Browser, company: str = "The Mill", email: str = EVA) -> Page:
    browser.open("/register")
    return browser.submit(company=company, email=email)


def browser_of(server: Server) -> Browser:
    return Browser(server.client(server.tenant()), HOST)


def found(server: Server, name: str) -> Environment | None:
    return server.database.write_now("", lambda tx: find_environment(tx, name=name))


def names(server: Server) -> list[str]:
    environments = server.database.write_now("", list_environments)
    return [environment.name for environment in environments if not environment.name.startswith("tenant")]


# ── where it is allowed ──


def test_where_nobody_may_register_there_is_no_such_page(server: Server) -> None:
    browser = browser_of(server)
    assert [browser.open("/register").status, browser.post("/register", company="The Mill", email=EVA).status] == [404, 404]
    assert found(server, "The Mill") is None


def test_the_login_page_leads_to_the_registration_where_there_is_one(server: Server, silent: Server) -> None:
    assert "/register" in browser_of(silent).open("/login").answer.body.decode()
    assert "/register" not in browser_of(server).open("/login").answer.body.decode()


def test_who_registers_gets_a_mail_and_becomes_the_admin(mailing: Server) -> None:
    browser = browser_of(mailing)
    page = register(browser, "  The   Mill ")
    assert (page.status, f"on its way to {EVA}" in page.text, "/invite/" in page.answer.body.decode()) == (200, True, False)
    environment = found(mailing, "The Mill")
    assert environment is not None
    assert environment.status == "sign_up"
    (message,) = mailed(mailing)
    accept(browser, links_in(message.get_content())[0], firstname="Eva")
    assert browser.cookies["planwerk_session"]
    (user,) = mailing.database.write_now(environment.id, lambda tx: tx.find(OBJECTS["user"]))
    assert (user["role"], user["status"], user["email"]) == ("admin", "active", EVA)
    opened = found(mailing, "The Mill")
    assert opened is not None
    assert opened.status == "active"


def test_a_server_without_mails_shows_the_link(silent: Server) -> None:
    browser = browser_of(silent)
    page = register(browser)
    (link,) = links_in(page.answer.body.decode().replace('"', " "))
    accept(browser, link)
    opened = found(silent, "The Mill")
    assert opened is not None
    assert opened.status == "active"


def test_an_environment_that_waits_opens_to_nobody(mailing: Server) -> None:
    register(browser_of(mailing))
    environment = found(mailing, "The Mill")
    assert environment is not None
    waiting = World(mailing, mailing.client(mailing.tenant()), environment.id)
    assert person(mailing, waiting, "admin").client.refused("GET", "/v1/card")[0] == 401


# ── what is refused ──


@pytest.mark.parametrize(
    ("company", "email", "words"),
    [
        ("", EVA, "2 to 80 letters"),
        ("M", EVA, "2 to 80 letters"),
        ("M" * 81, EVA, "2 to 80 letters"),
        ("win at https://evil.example", EVA, "2 to 80 letters"),
        ("me@evil.example", EVA, "2 to 80 letters"),
        ("<b>Mill</b>", EVA, "2 to 80 letters"),
        ("The Mill", "", "This is not an email address."),
        ("The Mill", "eva", "This is not an email address."),
        ("The Mill", f"{'x' * 250}@mill.nl", "This is not an email address."),
    ],
)
def test_what_cannot_be_registered_is_said_and_nothing_is_made(silent: Server, company: str, email: str, words: str) -> None:
    page = register(browser_of(silent), company, email)
    assert (page.status, words in page.text) == (422, True), page.text
    assert page.form().fields["email"] == email
    assert names(silent) == []


def test_a_name_that_is_taken_is_said(silent: Server) -> None:
    browser = browser_of(silent)
    register(browser)
    page = register(browser, email="ole@mill.nl")
    assert (page.status, "an environment of that name already" in page.text) == (422, True)
    assert names(silent) == ["The Mill"]


def test_nothing_tells_whether_an_email_address_is_known(silent: Server) -> None:
    browser = browser_of(silent)
    first, second = register(browser, "Mill One"), register(browser, "Mill Two")
    assert (first.status, second.status) == (200, 200)
    assert second.text.replace("Mill Two", "Mill One") == first.text


def test_one_address_makes_a_few_environments_an_hour(silent: Server) -> None:
    browser = browser_of(silent)
    statuses = [register(browser, f"Mill {number}", f"eva.{number}@mill.nl").status for number in range(6)]
    assert statuses == [200] * 5 + [429]
    assert len(names(silent)) == 5
    assert int(browser.page.answer.headers["retry-after"]) > 0


def test_what_is_refused_is_no_registration(silent: Server) -> None:
    """To see it fail: count before the name and the address were looked at."""
    browser = browser_of(silent)
    register(browser)
    mistakes = [register(browser, *wrong).status for wrong in [("The Mill", "ole@mill.nl"), ("Mill", "eva"), ("/", EVA)] * 3]
    assert mistakes == [422] * 9
    assert [register(browser, f"Mill {number}", f"eva.{number}@mill.nl").status for number in range(5)] == [200] * 4 + [429]


def test_one_registration_too_many_keeps_what_was_typed(silent: Server) -> None:
    browser = browser_of(silent)
    for number in range(6):
        page = register(browser, f"Mill {number}", f"eva.{number}@mill.nl")
    assert (page.status, "Too many attempts; try again in" in page.text) == (429, True)
    assert [page.form().fields[name] for name in ("company", "email")] == ["Mill 5", "eva.5@mill.nl"]


def test_nobody_learns_the_names_of_many_environments(silent: Server) -> None:
    """To see it fail: leave out the count of names that are taken."""
    browser = browser_of(silent)
    register(browser)
    told = [register(browser, "The Mill", f"ole.{number}@mill.nl") for number in range(11)]
    assert [page.status for page in told] == [422] * 10 + [429]
    assert "of that name already" not in told[-1].text
    assert int(told[-1].answer.headers["retry-after"]) > 0


def test_who_has_registered_enough_learns_no_name_either(silent: Server) -> None:
    browser = browser_of(silent)
    for number in range(5):
        register(browser, f"Mill {number}", f"eva.{number}@mill.nl")
    assert register(browser, "Mill 0", "ole@mill.nl").status == 429


def test_a_name_that_is_taken_meanwhile_is_said(silent: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = browser_of(silent)
    register(browser)
    monkeypatch.setattr("planwerk.web.register.find_environment", lambda tx, name: None)
    assert "of that name already" in register(browser, email="ole@mill.nl").text
    monkeypatch.setattr("planwerk.identity.registration.find_environment", lambda tx, name: None)
    assert "of that name already" in register(browser, email="ole@mill.nl").text
    assert names(silent) == ["The Mill"]


def test_the_form_of_another_site_is_refused(silent: Server) -> None:
    assert browser_of(silent).post("/register", company="The Mill", email=EVA).status == 403
    assert names(silent) == []


# ── what is forgotten ──


def test_what_nobody_can_confirm_any_more_is_forgotten_with_all_it_holds(silent: Server) -> None:
    browser = browser_of(silent)
    for company in ("Late", "Waiting", "Opened"):
        link = links_in(register(browser, company).answer.body.decode().replace('"', " "))[0]
    accept(browser, link)
    for company in ("Late", "Opened"):
        environment = found(silent, company)
        assert environment is not None
        for row in silent.database.write_now(environment.id, lambda tx: tx.find(OBJECTS["invitation"])):
            change(silent, environment.id, "invitation", row["id"], expires_at="2026-01-01T00:00:00Z")
    late = found(silent, "Late")
    assert late is not None
    assert [silent.loop.run(forget_unconfirmed(silent.database)) for _ in range(2)] == [1, 0]
    assert names(silent) == ["Opened", "Waiting"]
    assert silent.rows(late.id) == {}
