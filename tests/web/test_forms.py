"""No other site, no other browser and no older session can send a form in somebody's name: every page that takes one, in turn.

To see them fail: answer True in `Site.is_own_form`; sign only the mark of the browser; leave out the comparison of the origin.
"""

from collections.abc import Iterator
from urllib.parse import unquote, urlencode

import pytest
from starlette.routing import Route
from tests.client import Loop
from tests.logging_in import PASSWORD, Human, human, logged_in
from tests.server import Server, running, scratch_database, settings_for
from tests.visiting import Browser

FOR_APPS = ("/session/token", "/oauth/token", "/oauth/revoke")  # these take no form of a page; their own tests say why that is safe
LARGEST = 64 * 1024


@pytest.fixture(scope="module")
def server(loop: Loop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One on which all pages are on; the kind of database does not matter here."""
    folder = tmp_path_factory.mktemp("forms")
    with scratch_database("sqlite", folder) as url, running(loop, settings_for(url, folder, registration=True)) as server:
        yield server


@pytest.fixture(scope="module")
def ann(server: Server) -> Human:
    return human(server, server.tenant(), role="admin")


@pytest.fixture
def browser(server: Server, ann: Human) -> Browser:
    return logged_in(server, ann)


def taking_forms(server: Server) -> Iterator[str]:
    """The path of every page that takes a form, with something in the place of its parameters."""
    for route in server.app.pages.routes:
        if isinstance(route, Route) and "POST" in (route.methods or ()) and not route.path.endswith(FOR_APPS):
            yield "/".join("x" if part.startswith("{") else part for part in route.path.split("/"))


def token_of(browser: Browser) -> str:
    browser.open("/account")
    return browser.page.form("/logout").fields["csrf"]


def refusals(server: Server, browser: Browser, headers: dict[str, str] | None = None, **fields: str) -> set[int]:
    """The statuses of one form sent to every page."""
    paths = list(taking_forms(server))
    assert {"/login", "/login/code", "/logout", "/environments", "/account/password", "/account/factor/off"} <= set(paths)
    return {browser.post(path, headers, **fields).status for path in paths}


def test_a_form_without_a_token_is_refused(server: Server, browser: Browser) -> None:
    token_of(browser)
    assert refusals(server, browser, password=PASSWORD) == {403}


def test_a_form_with_the_token_of_another_browser_is_refused(server: Server, browser: Browser, ann: Human) -> None:
    other = token_of(logged_in(server, ann))
    token_of(browser)
    assert refusals(server, browser, csrf=other) == {403}


def test_a_form_of_the_session_before_is_refused(server: Server, browser: Browser, ann: Human) -> None:
    old = token_of(browser)
    browser.cookies["planwerk_session"] = logged_in(server, ann).cookies["planwerk_session"]
    assert refusals(server, browser, csrf=old) == {403}


def test_a_form_from_a_browser_without_our_cookie_is_refused(server: Server, browser: Browser) -> None:
    token = token_of(browser)
    del browser.cookies["planwerk_form"]
    assert refusals(server, browser, csrf=token) == {403}


FOREIGN = [
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "http://127.0.0.1:8081"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=lambda headers: " ".join(*headers.items()))
def test_a_form_from_elsewhere_is_refused_even_with_the_token(headers: dict[str, str], server: Server, browser: Browser) -> None:
    assert refusals(server, browser, headers, csrf=token_of(browser)) == {403}


@pytest.mark.parametrize("kind", ["text/plain", "application/json", "multipart/form-data; boundary=x", ""])
def test_a_form_in_another_notation_is_refused(kind: str, server: Server, browser: Browser) -> None:
    assert refusals(server, browser, {"content-type": kind}, csrf=token_of(browser)) == {400}


def test_a_form_without_end_is_refused(server: Server, browser: Browser) -> None:
    assert refusals(server, browser, csrf=token_of(browser), email="x" * LARGEST) == {413}


HOLDERS = {  # the page that holds a form, where that is not at the path of the form itself
    "/account/profile": "/account",
    "/account/password": "/account",
    "/account/sessions/end": "/account",
    "/account/factor/propose": "/account/factor",
    "/account/factor/confirm": "/account/factor",
    "/account/factor/off": "/account/factor",
    "/developer/apps/x/secret": "/developer/apps/x",
    "/developer/apps/x/delete": "/developer/apps/x",
}


def test_a_form_sent_after_the_session_has_ended_leads_on_to_its_page(server: Server, browser: Browser, ann: Human) -> None:
    """To see it fail: let `to_login` come back to the path of the form, which answers 405 to a look at it."""
    token, led = token_of(browser), {}
    server.database.query("DELETE FROM session")
    for path in taking_forms(server):
        answer = browser.exchange("POST", f"http://{browser.host}{path}", urlencode({"csrf": token}).encode(), None)
        where, _, following = answer.headers.get("location", "").partition("?next=")
        if where == "/login" and following:
            led[path] = unquote(following).removesuffix("?")
    assert {"/account/apps", "/developer/apps", "/environments"} <= set(led)
    del led["/login/code"]  # there is no page to come back to
    assert led == {path: HOLDERS.get(path, path) for path in led}
    assert set(HOLDERS) <= set(led)
    again = logged_in(server, ann)
    assert 405 not in {again.open(path).status for path in led.values()}


def test_a_refused_form_says_so_on_a_page(browser: Browser) -> None:
    page = browser.post("/logout")
    assert "this form does not come from a page of this browser; load the page again" in page.text
    assert page.answer.headers["content-type"].startswith("text/html")
    assert "reference-tag" in page.answer.headers
    assert browser.open("/account").address.endswith("/account")


def test_pages_tell_browsers_to_be_careful(browser: Browser) -> None:
    headers = browser.open("/account").answer.headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert (policy["style-src"], policy["form-action"]) == ("'self'", "'self'")
