"""A person with users in several environments: one login, a choice, and no way from one to another that was not proved.

To see them fail: compare no mark in `logins.membership` and `proved_user`; remember users whose password did not fit; ask for no
code in `logins.enter`.
"""

import pytest
from limits import parse
from tests.logging_in import (
    WEAK,
    Human,
    browser_of,
    change,
    code_of,
    human,
    log_in,
    logged_in,
    sessions,
    suspend,
    with_factor,
)
from tests.server import Server
from tests.visiting import Browser

from planwerk.identity.throttle import LIMITS
from planwerk.web.site import SESSION_COOKIE


@pytest.fixture
def here(server: Server) -> Human:
    return human(server, server.tenant("Here"), role="admin")


@pytest.fixture
def there(server: Server, here: Human) -> Human:
    return human(server, server.tenant("There"), here.email, role="guest")


@pytest.fixture
def browser(server: Server) -> Browser:
    return browser_of(server)


def where(browser: Browser) -> str:
    """The first word of the environment that the account page shows."""
    return browser.open("/account").text.partition(" in ")[2].split()[0]


def go_to(browser: Browser, who: Human, **fields: str) -> int:
    """The status after pressing the button of a user's environment."""
    page = browser.open("/environments")
    form = next(form for form in page.forms if form.fields.get("user") == who.id)
    return browser.post("/environments", None, **{**form.fields, **fields}).status


def test_a_password_that_opens_several_leads_to_a_choice_and_then_on(server: Server, browser: Browser, here: Human, there: Human) -> None:
    page = log_in(browser, here.email, path="/login?next=/account/factor")
    assert page.address.endswith("/environments?next=%2Faccount%2Ffactor")
    assert {form.fields["user"] for form in page.forms if "user" in form.fields} == {here.id, there.id}
    other = there if len(sessions(server, here)) == 1 else here
    form = next(form for form in page.forms if form.fields.get("user") == other.id)
    assert browser.post("/environments", None, **form.fields).address.endswith("/account/factor")
    assert len(sessions(server, other)) == 1


def test_the_environment_used_last_comes_first(server: Server, browser: Browser, here: Human, there: Human) -> None:
    change(server, here, last_login_at="2026-01-02T00:00:00Z")
    change(server, there, last_login_at="2026-01-01T00:00:00Z")
    log_in(browser, here.email)
    assert where(browser) == "Here"
    change(server, there, last_login_at="2100-01-01T00:00:00Z")
    log_in(second := browser_of(server), here.email)
    assert where(second) == "There"


def test_one_goes_there_and_back_with_one_session_at_a_time(server: Server, browser: Browser, here: Human, there: Human) -> None:
    change(server, here, last_login_at="2026-01-02T00:00:00Z")
    log_in(browser, here.email)
    cookie = browser.cookies[SESSION_COOKIE]
    assert (go_to(browser, there), where(browser)) == (200, "There")
    assert browser.cookies[SESSION_COOKIE] != cookie
    assert (len(sessions(server, here)), len(sessions(server, there))) == (0, 1)
    assert (go_to(browser, here), where(browser)) == (200, "Here")
    assert (len(sessions(server, here)), len(sessions(server, there))) == (1, 0)
    assert go_to(browser, here) == 200, "staying is possible, too"


def test_another_password_opens_the_environment_that_it_is_for(server: Server, browser: Browser, here: Human, there: Human) -> None:
    change(server, there, password_hash=WEAK.hash("the password there"))
    assert log_in(browser, here.email).address.endswith("/account")
    assert where(browser) == "Here"
    assert go_nowhere(browser, there) == 404
    log_in(second := browser_of(server), here.email, "the password there")
    assert where(second) == "There"


def go_nowhere(browser: Browser, who: Human) -> int:
    """The status of a choice that the page does not offer."""
    browser.open("/account")
    csrf = browser.page.form("/logout").fields["csrf"]
    page = browser.open("/environments")
    assert who.id not in page.answer.body.decode()
    return browser.post("/environments", csrf=csrf, user=who.id).status


VOID: dict[str, dict[str, str | None]] = {
    "the password was changed": {"password_hash": WEAK.hash("something else")},
    "the password was taken away": {"password_hash": None},
    "the user is archived": {"archived_at": "2026-01-01T00:00:00Z"},
    "the user is deleted": {"deleted_at": "2026-01-01T00:00:00Z"},
    "the user is invited again": {"status": "invited"},
}


@pytest.mark.parametrize("what", [*VOID, "the environment is suspended"])
def test_the_way_to_another_environment_closes_when(what: str, server: Server, browser: Browser, here: Human, there: Human) -> None:
    change(server, here, last_login_at="2026-01-02T00:00:00Z")
    log_in(browser, here.email)
    if what in VOID:
        change(server, there, **VOID[what])
    else:
        suspend(server, there.environment_id)
    assert go_nowhere(browser, there) == 404
    assert len(sessions(server, there)) == 0


def test_the_user_of_somebody_else_is_not_found(server: Server, here: Human) -> None:
    stranger = human(server, server.tenant())
    assert go_nowhere(logged_in(server, here), stranger) == 404


def test_an_environment_with_a_second_factor_asks_for_its_code(server: Server, browser: Browser, here: Human, there: Human) -> None:
    change(server, here, last_login_at="2026-01-02T00:00:00Z")
    secret, _ = with_factor(server, there)
    log_in(browser, here.email)
    assert where(browser) == "Here"
    assert go_to(browser, there, code="000000") == 403
    assert go_to(browser, there, code="") == 403
    assert where(browser) == "Here"
    assert (go_to(browser, there, code=code_of(secret)), where(browser)) == (200, "There")


def test_a_password_opens_what_needs_no_code_first(server: Server, browser: Browser, here: Human, there: Human) -> None:
    """Else somebody without the second factor of the environment used last would get into none."""
    change(server, there, last_login_at="2100-01-01T00:00:00Z")
    secret, _ = with_factor(server, there)
    assert log_in(browser, here.email, path="/login?next=/account/factor").address.endswith("/environments?next=%2Faccount%2Ffactor")
    assert (where(browser), sessions(server, there)) == ("Here", [])
    assert go_to(browser, there, code="000000") == 403
    assert (go_to(browser, there, code=code_of(secret)), where(browser)) == (200, "There")


def test_where_every_environment_needs_a_code_the_one_used_last_asks_for_it(
    server: Server, browser: Browser, here: Human, there: Human
) -> None:
    change(server, there, last_login_at="2100-01-01T00:00:00Z")
    with_factor(server, here)
    secret, _ = with_factor(server, there)
    assert "/login/code" in log_in(browser, here.email).address
    assert (browser.submit("/login/code", code=code_of(secret)).status, where(browser)) == (200, "There")


def test_wrong_codes_count_against_the_network_address_as_at_the_login(
    server: Server, browser: Browser, here: Human, there: Human, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LIMITS, "address", parse("3 per 15 minutes"))
    change(server, here, last_login_at="2026-01-02T00:00:00Z")
    secret, _ = with_factor(server, there)
    log_in(browser, here.email)
    assert [go_to(browser, there, code="000000") for _ in range(4)] == [403] * 3 + [429]
    browser.cookies.pop(SESSION_COOKIE)
    assert log_in(browser, here.email).status == 429
    log_in(second := browser_of(server), here.email)
    assert go_to(second, there, code=code_of(secret)) == 200


def test_wrong_codes_are_counted_here_as_at_the_login(server: Server, browser: Browser, here: Human, there: Human) -> None:
    change(server, here, last_login_at="2026-01-02T00:00:00Z")
    secret, _ = with_factor(server, there)
    log_in(browser, here.email)
    assert [go_to(browser, there, code="000000") for _ in range(6)] == [403] * 5 + [429]
    assert go_to(browser, there, code=code_of(secret)) == 429


def test_nobody_chooses_without_a_session(browser: Browser) -> None:
    assert browser.open("/environments").address.endswith("/login?next=%2Fenvironments")
