"""The page on which a user allows an app: what it shows, what it refuses, and where the browser goes from there.

To see it fail: let `turned_away` follow the address of the request, or take the state from a form field instead of the address.
"""

from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from tests.logging_in import browser_of, human, log_in
from tests.oauth.connecting import BACK, App, Visit, challenge, new_app, new_visit, nobody, returned
from tests.people import person
from tests.server import Server
from tests.visiting import Browser
from tests.world import World

from planwerk.identity.passwords import mark_of
from planwerk.identity.sessions import open_session
from planwerk.oauth.clients import register
from planwerk.web.site import SESSION_COOKIE

ISSUER = "http://127.0.0.1:8080"


@pytest.fixture
def app(server: Server) -> App:
    return new_app(server, server.tenant("developer"))


@pytest.fixture
def visit(server: Server, world: World) -> Visit:
    return new_visit(server, world)


def test_the_page_says_who_wants_what_where_and_as_whom(app: App, visit: Visit, server: Server) -> None:
    page = visit.browser.open(app.address())
    names = {row[0] for row in server.database.query(f"SELECT name FROM environment WHERE id = '{visit.environment_id}'")}
    assert page.status == 200
    for words in ("Some app", "developer ", names.pop(), visit.user.email, "member", BACK):
        assert words in page.text
    policy = page.answer.headers["content-security-policy"]
    assert policy.endswith("form-action 'self' https://app.example")
    assert "frame-ancestors 'none'" in policy
    assert (page.answer.headers["x-frame-options"], page.answer.headers["cache-control"]) == ("DENY", "no-store")


def test_it_asks_every_time(app: App, visit: Visit) -> None:
    visit.code(app)
    assert "Allow" in visit.browser.open(app.address()).text


def test_who_allows_is_sent_back_with_a_code_the_state_and_our_name(app: App, visit: Visit) -> None:
    """RFC 9207."""
    back = visit.decide(app)
    assert set(back) == {"code", "state", "iss"}
    assert (back["state"], back["iss"]) == ("xyz", ISSUER)
    assert visit.browser.page.answer.headers["location"].startswith(f"{BACK}?code=")


def test_who_refuses_is_sent_back_without_a_code(app: App, visit: Visit) -> None:
    back = visit.decide(app, "refuse")
    assert (back.pop("error"), back.pop("state"), back.pop("iss")) == ("access_denied", "xyz", ISSUER)
    assert set(back) == {"error_description"}
    assert visit.reasons() == []


STATES = ("a b", "a+b", "%2F%252e", "é€😀", "a&b=c#d?e", "line\nbreak\r\n", '"<script>', "x" * 4000)


@pytest.mark.parametrize("state", STATES)
def test_the_state_comes_back_untouched(state: str, app: App, visit: Visit) -> None:
    assert visit.decide(app, state=state)["state"] == state
    assert visit.decide(app, "refuse", state=state)["state"] == state


@pytest.mark.parametrize("state", ["s" * 2500, "ä" * 1200, "s" * 12_000], ids=len)
def test_a_login_leads_back_to_a_long_request(state: str, app: App, server: Server) -> None:
    """To see it fail: let `login.following_of` take no more than 2000 characters."""
    who = human(server, server.tenant())
    page = log_in(browser := browser_of(server), who.email, path=app.address(state=state))
    assert (page.status, "Allow" in page.text) == (200, True)
    browser.submit(button=("decision", "refuse"))
    assert returned(browser.page)["state"] == state


def test_a_request_that_no_login_can_carry_goes_back_to_the_app(app: App, server: Server) -> None:
    """To see it fail: compare nothing with `ADDRESS_BYTES` in `Consent.to_login`."""
    back = returned(browser_of(server).open(app.address(state="%" * 5000)))
    assert (back["error"], back["state"], back["iss"]) == ("invalid_request", "%" * 5000, ISSUER)
    assert "send a shorter state" in back["error_description"]
    unproved = browser_of(server).open(app.address(state="%" * 4900, redirect_uri="https://evil.example/"))
    assert (unproved.status, "location" in unproved.answer.headers) == (400, False)


def test_no_state_comes_back_where_none_was_sent(app: App, visit: Visit) -> None:
    assert "state" not in visit.decide(app, state=None)
    assert "state" not in visit.decide(app, state="")


def test_the_query_of_an_address_stays_as_it_is(server: Server, visit: Visit) -> None:
    """RFC 6749, section 3.1.2."""
    app = new_app(server, server.tenant("developer"), "https://app.example/back?a=%7Eb+c&flag")
    visit.decide(app)
    assert visit.browser.page.answer.headers["location"].startswith("https://app.example/back?a=%7Eb+c&flag&code=")


def test_who_is_not_logged_in_logs_in_first_and_comes_back(app: App, server: Server) -> None:
    browser = Browser(nobody(server))
    answer = browser.exchange("GET", app.address(state="a&b é"), b"", None)
    assert (answer.status, answer.headers["location"].partition("?")[0]) == (303, "/login")
    following = parse_qs(urlsplit(answer.headers["location"]).query)["next"][0]
    assert following.startswith("/v1/oauth/authorize?")
    assert parse_qs(urlsplit(following).query)["state"] == ["a&b é"]


# ── before the address is proved there is a page, after it the app is told ──

PAGES: dict[str, dict[str, str | None]] = {
    "no app": {"client_id": None},
    "an app that is none": {"client_id": "x\x00é"},
    "an unknown app": {"client_id": "00000000-0000-4000-8000-000000000001"},
    "no address": {"redirect_uri": None},
    "an empty address": {"redirect_uri": ""},
    "another address": {"redirect_uri": "https://evil.example/back"},
    "one character less": {"redirect_uri": BACK[:-1]},
    "letters of another case": {"redirect_uri": BACK.replace("back", "Back")},
    "a host of another case": {"redirect_uri": BACK.replace("app", "App")},
    "a slash more": {"redirect_uri": BACK + "/"},
    "an escaped character": {"redirect_uri": BACK.replace(".", "%2e")},
    "a path that goes up": {"redirect_uri": BACK + "/../back"},
    "a query more": {"redirect_uri": BACK + "?x=1"},
    "a fragment more": {"redirect_uri": BACK + "#x"},
    "http instead of https": {"redirect_uri": BACK.replace("https", "http")},
    "a port more": {"redirect_uri": BACK.replace("example", "example:443")},
    "a user more": {"redirect_uri": BACK.replace("//", "//app.example@")},
    "quotes and umlauts": {"redirect_uri": 'https://app.example/"ä'},
    "a script": {"redirect_uri": "javascript:alert(1)"},
    "a wrong response_type, too": {"redirect_uri": "https://evil.example", "response_type": "token"},
}


@pytest.mark.parametrize("scenario", PAGES)
def test_nothing_goes_to_an_address_that_is_not_proved(scenario: str, app: App, visit: Visit) -> None:
    page = visit.browser.open(app.address(**PAGES[scenario]))
    assert page.status == 400
    assert "location" not in page.answer.headers
    assert page.answer.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "state", "response_type", "code_challenge", "unheard_of"])
def test_a_parameter_that_comes_twice_is_refused(name: str, app: App, visit: Visit) -> None:
    page = visit.browser.open(app.address() + f"&{name}=1&{name}=2")
    assert (page.status, "location" in page.answer.headers) == (400, False)


@pytest.mark.parametrize("query", ["state=%FF", "state=é", "&".join(f"x{number}=1" for number in range(200))])
def test_what_cannot_be_read_is_refused(query: str, app: App, visit: Visit) -> None:
    answer = visit.browser.client.loop.run(
        visit.browser.client.exchange("GET", "/v1/oauth/authorize", f"{app.address().partition('?')[2]}&{query}".encode("latin-1"), [], b"")
    )
    assert answer.status == 400


RETURNED: dict[str, tuple[dict[str, str | None], str]] = {
    "no response_type": ({"response_type": None}, "invalid_request"),
    "the implicit grant": ({"response_type": "token"}, "unsupported_response_type"),
    "two response_types": ({"response_type": "code token"}, "unsupported_response_type"),
    "a response_type of quotes": ({"response_type": '"é\\'}, "unsupported_response_type"),
    "plain": ({"code_challenge_method": "plain"}, "invalid_request"),
    "no method, which means plain": ({"code_challenge_method": None}, "invalid_request"),
    "another method": ({"code_challenge_method": "s256"}, "invalid_request"),
    "no challenge": ({"code_challenge": None}, "invalid_request"),
    "neither": ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    "a short challenge": ({"code_challenge": challenge()[:-1]}, "invalid_request"),
    "a long challenge": ({"code_challenge": challenge() + "A"}, "invalid_request"),
    "a challenge of other characters": ({"code_challenge": challenge()[:-1] + "="}, "invalid_request"),
    "a challenge and a line end": ({"code_challenge": challenge() + "\n"}, "invalid_request"),
}


@pytest.mark.parametrize("scenario", RETURNED)
def test_an_app_is_told_what_was_wrong(scenario: str, app: App, visit: Visit) -> None:
    changed, error = RETURNED[scenario]
    back = returned(visit.browser.open(app.address(**changed)))
    assert (back["error"], back["state"], back["iss"]) == (error, "xyz", ISSUER)
    assert "code" not in back


def test_scopes_are_ignored(app: App, visit: Visit) -> None:
    assert "code" in visit.decide(app, scope='every"thing é')


@pytest.mark.parametrize("is_public", [True, False])
def test_pkce_is_needed_by_public_apps_and_by_those_registered_so(is_public: bool, server: Server, visit: Visit) -> None:
    app = new_app(server, server.tenant("developer"), is_public=is_public, require_pkce=False)
    back = returned(visit.browser.open(app.address(code_challenge=None, code_challenge_method=None))) if is_public else None
    assert back is None or back["error"] == "invalid_request"
    if not is_public:
        assert "code" in visit.decide(app, code_challenge=None, code_challenge_method=None)


PORTS = {
    "http://127.0.0.1:49152/back": True,
    "http://127.0.0.1/back": True,
    "http://127.0.0.1:49152/other": False,
    "http://127.0.0.1:49152.evil.example/back": False,
    "http://127.0.0.1:49152@evil.example/back": False,
    "http://localhost:49152/back": False,
    "https://127.0.0.1:49152/back": False,
}


@pytest.mark.parametrize("address", PORTS)
def test_the_port_on_the_users_own_machine_is_free_for_public_apps(address: str, server: Server, visit: Visit) -> None:
    """RFC 8252, section 7.3."""
    app = new_app(server, server.tenant("developer"), "http://127.0.0.1:8000/back", is_public=True)
    assert visit.browser.open(app.address(redirect_uri=address)).status == (200 if PORTS[address] else 400)


def test_a_confidential_app_has_no_free_port(server: Server, visit: Visit) -> None:
    app = new_app(server, server.tenant("developer"), "http://127.0.0.1:8000/back")
    assert visit.browser.open(app.address(redirect_uri="http://127.0.0.1:8001/back")).status == 400
    assert visit.browser.open(app.address()).status == 200


def test_an_app_of_a_suspended_environment_is_unknown(server: Server, visit: Visit) -> None:
    tenant = server.tenant("developer")
    app = new_app(server, tenant)
    new_visit(server, tenant).write("UPDATE environment SET status = 'suspended' WHERE id = {environment}")
    assert visit.browser.open(app.address()).status == 400


# ── the form ──


def test_a_form_of_another_site_allows_nothing(app: App, visit: Visit) -> None:
    visit.browser.open(app.address())
    fields = visit.browser.page.form().fields | {"decision": "allow"}
    for changed, headers in (({"csrf": "x"}, {}), ({}, {"origin": "https://evil.example"}), ({}, {"sec-fetch-site": "cross-site"})):
        page = visit.browser.post(app.address(), headers, **{**fields, **changed})
        assert page.status == 403
    assert visit.reasons() == []


def test_what_the_app_asks_is_examined_again_with_the_answer(app: App, visit: Visit) -> None:
    visit.browser.open(app.address())
    fields = visit.browser.page.form().fields | {"decision": "allow"}
    assert visit.browser.post(app.address(redirect_uri="https://evil.example"), None, **fields).status == 400
    assert returned(visit.browser.post(app.address(code_challenge_method="plain"), None, **fields))["error"] == "invalid_request"
    assert visit.reasons() == []


def test_an_answer_without_a_button_allows_nothing(app: App, visit: Visit) -> None:
    visit.browser.open(app.address())
    assert returned(visit.browser.submit())["error"] == "access_denied"


def test_nobody_can_allow_in_the_name_of_another(app: App, visit: Visit, server: Server, world: World) -> None:
    colleague, stranger = person(server, world, "admin"), person(server, server.tenant(), "admin")
    for user in (colleague, stranger):
        visit.browser.open(app.address())
        assert visit.browser.submit(button=("decision", "allow"), user=user.id).status == 403
    assert visit.reasons() == []


def test_whose_session_ended_meanwhile_logs_in_again(app: App, visit: Visit) -> None:
    visit.browser.open(app.address())
    fields = visit.browser.page.form().fields | {"decision": "allow"}
    visit.write("UPDATE session SET deleted_at = created_at WHERE environment_id = {environment}")
    visit.browser.post(app.address(), None, **fields)
    assert visit.browser.page.address.startswith("http://127.0.0.1:8080/login?next=" + quote("/v1/oauth/authorize?", safe=""))


# ── several environments ──


def in_two(server: Server, world: World, **second: Any) -> tuple[Visit, str, str]:
    """(a visit of somebody who is a user of two environments, the id of the other environment, and of the user there)."""
    elsewhere = server.tenant("elsewhere")
    here, there = person(server, world, "member"), person(server, elsewhere, "manager")

    def change(tx: Any) -> str:
        row = tx.update(tx.object("user"), tx.get(tx.object("user"), there.id), second)
        return mark_of(row["password_hash"])

    mark = server.database.write_now(elsewhere.environment.id, change)
    others = [{"environment_id": elsewhere.environment.id, "user_id": there.id, "mark": mark}]

    def enter(tx: Any) -> str:
        return open_session(tx, tx.get(tx.object("user"), here.id), others=others)

    visit = Visit(server, world.environment_id, here)
    visit.browser.cookies[SESSION_COOKIE] = server.database.write_now(world.environment_id, enter)
    return visit, elsewhere.environment.id, there.id


def test_a_person_chooses_for_which_environment(app: App, server: Server, world: World) -> None:
    visit, elsewhere, user_id = in_two(server, world)
    page = visit.browser.open(app.address())
    assert "elsewhere" in page.text
    assert "manager" in page.text
    tokens = app.exchange(visit.decide(app, fields={"user": user_id})["code"]).json
    assert app.status(tokens) == 200
    text = "SELECT environment_id, user_id, client_environment_id <> environment_id FROM oauth_grant WHERE client_id"
    assert [tuple(row) for row in server.database.query(f"{text} = '{app.id}'")] == [(elsewhere, user_id, 1)]


def test_an_environment_that_asks_for_a_code_is_entered_first(app: App, server: Server, world: World) -> None:
    visit, _, user_id = in_two(server, world, mfa_enabled=True)
    page = visit.browser.open(app.address())
    assert "/environments?next=%2Fv1%2Foauth%2Fauthorize%3F" in page.answer.body.decode()
    assert visit.browser.submit(button=("decision", "allow"), user=user_id).status == 403


def test_a_changed_password_takes_the_choice_away(app: App, server: Server, world: World) -> None:
    visit, elsewhere, user_id = in_two(server, world)
    visit.browser.open(app.address())
    changed = f"UPDATE \"user\" SET password_hash = 'another' WHERE environment_id = '{elsewhere}'"
    server.database.write_now(elsewhere, lambda tx: tx.connection.execute(changed, {}))
    assert visit.browser.submit(button=("decision", "allow"), user=user_id).status == 403


def test_what_an_app_calls_itself_is_text(server: Server, visit: Visit) -> None:
    tenant = server.tenant("developer")

    def work(tx: Any) -> Any:
        return register(tx, "<script>alert(1)</script>", [BACK], is_public=False)

    row, secret = server.database.write_now(tenant.environment.id, work)
    page = visit.browser.open(App(server, row["id"], secret).address())
    assert b"<script" not in page.answer.body
    assert "<script>alert(1)</script>" in page.text
