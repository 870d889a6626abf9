"""Single sign-on as a browser sees it: a whole login, and every answer of a provider that belongs to no login.

To see these fail: in identity/openid.py drop a line of `judge`; in identity/openid_users.py let `use_once` return at once; in
web/sso.py pass `next` on without `local_path`, or leave out `drop_cookie`.
"""

import re
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import httpx2
import pytest
import structlog
from tests.oauth.connecting import new_app
from tests.visiting import Browser
from tests.web.openid_provider import SECRET, OpenIdProvider
from tests.web.single_sign_on import EVA, Company, company, database_url, found_company, provider, refuses

from planwerk.identity.openid import parse_attempt
from planwerk.secret import seal, secret_of, unseal
from planwerk.settings import Settings
from planwerk.web.sso import PURPOSE, sso_faults

__all__ = ["company", "database_url", "found_company", "provider"]


def query_of(address: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(address).query))


def begin(browser: Browser, path: str = "/login/sso") -> str:
    """Where a login sends the browser."""
    return browser.open(path).answer.headers["location"]


# ── a whole login ──


@pytest.fixture
def independent_provider() -> Iterator[str]:
    """The issuer of a provider that others wrote."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it uses a module that its library has given up
        import oidc_provider_mock

        claims = {"email": "ada@example.com", "email_verified": True, "given_name": "Ada", "family_name": "Lovelace", "groups": ["planner"]}
        with oidc_provider_mock.run_server_in_thread(user_claims=[oidc_provider_mock.User(sub="ada", claims=claims)]) as http:
            yield f"http://localhost:{http.server_port}"


def test_a_person_logs_in_at_an_independent_provider(found_company: Callable[..., Company], independent_provider: str) -> None:
    company = found_company(oidc_issuer=independent_provider, oidc_client_id="planwerk", oidc_role_claim="groups")
    browser = company.browser()
    answer = httpx2.post(begin(browser, "/login/sso?next=/boards"), data={"sub": "ada"})
    page = browser.open(answer.headers["location"])
    visitor, user = company.visitor(browser), company.user("ada@example.com")
    assert page.address.endswith("/boards")
    assert visitor is not None
    assert (visitor.user_id, visitor.method, visitor.name, visitor.role) == (user["id"], "sso", "Ada Lovelace", "organiser")
    assert (user["idp_id"], user["idp_issuer"], user["is_sso"], user["status"]) == ("ada", independent_provider, 1, "active")


@pytest.mark.parametrize(
    ("asked", "landed"),
    [
        ("/boards?week=3", "/boards?week=3"),
        ("https://evil.example/", "/account"),
        ("//evil.example", "/account"),
        ("/" + "a" * 2000, "/account"),
    ],
    ids=["ours", "theirs", "theirs, too", "too long"],
)
def test_a_login_goes_on_to_a_page_of_this_server(company: Company, asked: str, landed: str) -> None:
    browser = company.browser()
    callback = company.provider.approve(begin(browser, f"/login/sso?next={quote(asked)}"), **EVA)
    answer = browser.exchange("GET", callback, b"", None)
    assert (answer.status, answer.headers["location"]) == (303, landed)


def test_a_request_of_an_app_that_is_too_long_for_the_cookie_goes_back_to_the_app(company: Company) -> None:
    """To see it fail: leave `sent_back` out of web/sso.py."""
    app = new_app(company.server, company.server.tenant())
    back = query_of(begin(company.browser(), f"/login/sso?next={quote(app.address(state='s' * 2500))}"))
    assert (back["error"], back["state"]) == ("invalid_request", "s" * 2500)
    forged = f"/login/sso?next={quote(app.address(state='s' * 2500, redirect_uri='https://evil.example/'))}"
    assert company.browser().open(forged).status == 400
    kept = f"/login/sso?next={quote(app.address(state='s' * 1500))}"
    assert begin(company.browser(), kept).startswith(company.provider.issuer)


def test_each_login_has_a_state_a_nonce_and_a_challenge_of_its_own(company: Company) -> None:
    browser = company.browser()
    first, second = query_of(begin(browser)), query_of(begin(browser))
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name]) >= 43
        assert first[name] != second[name]
    assert first["redirect_uri"] == "http://127.0.0.1:8080/login/sso/callback"
    assert first["scope"] == "openid email profile"


def test_the_cookie_of_a_login_says_nothing_and_goes_with_it(company: Company) -> None:
    browser = company.browser()
    page = browser.open("/login/sso")
    state, line = query_of(page.answer.headers["location"])["state"], page.answer.headers["set-cookie"]
    assert state not in line
    assert {"HttpOnly", "SameSite=lax", "Max-Age=600"} <= {part.strip() for part in line.split(";")}
    company.log_in(browser)
    assert "planwerk_sso" not in browser.cookies
    assert company.visitor(browser) is not None


def test_a_secret_is_posted_where_the_provider_takes_it_no_other_way(company: Company) -> None:
    company.provider.metadata["token_endpoint_auth_methods_supported"] = ["client_secret_post", "private_key_jwt"]
    browser = company.browser()
    company.log_in(browser)
    assert company.visitor(browser) is not None


def test_the_login_page_leads_to_the_provider_and_on(found_company: Callable[..., Company]) -> None:
    company = found_company(oidc_name="Example & Sons", oidc_default_role="guest")
    browser = company.browser()
    page = browser.open("/login?next=/account%3Fa%3D1%26b%3D2")
    link = re.search(r'href="(/login/sso[^"]*)"', page.answer.body.decode())
    assert link is not None
    assert "Log in with Example & Sons" in page.text
    callback = company.provider.approve(begin(browser, unescape(link[1])), **EVA)
    assert browser.exchange("GET", callback, b"", None).headers["location"] == "/account?a=1&b=2"


def test_without_a_provider_there_are_no_such_pages(found_company: Callable[..., Company]) -> None:
    browser = found_company(oidc_issuer="").browser()
    assert "/login/sso" not in browser.open("/login").answer.body.decode()
    assert [browser.open(path).status for path in ("/login/sso", "/login/sso/callback?code=1&state=2")] == [404, 404]


# ── answers that belong to no login ──


def test_an_answer_works_once(company: Company) -> None:
    company.provider.is_lax = True
    first = company.browser()
    callback = company.provider.approve(begin(first), **EVA)
    copied = company.browser()
    copied.cookies = dict(first.cookies)
    first.open(callback)
    assert company.visitor(first) is not None
    before = company.written()
    assert refuses(company, first.open(callback), before)
    assert refuses(company, copied.open(callback), before)


def test_of_many_who_bring_one_answer_at_once_one_is_logged_in(company: Company) -> None:
    company.provider.is_lax = True
    browsers = [company.browser() for _ in range(8)]
    callback = company.provider.approve(begin(browsers[0]), **EVA)
    barrier = threading.Barrier(len(browsers))

    def bring(browser: Browser) -> None:
        browser.cookies = dict(cookies)
        barrier.wait()
        browser.open(callback)

    cookies = dict(browsers[0].cookies)
    threads = [threading.Thread(target=bring, args=(browser,)) for browser in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [company.visitor(browser) is not None for browser in browsers].count(True) == 1
    assert company.server.count(company.environment_id, "session") == 1
    assert company.server.count(company.environment_id, "user") == 1


def test_an_answer_logs_in_the_browser_that_began_and_no_other(company: Company) -> None:
    attacker, victim = company.browser(), company.browser()
    callback = company.provider.approve(begin(attacker), **EVA)
    before = company.written()
    assert refuses(company, victim.open(callback), before)
    begin(victim)
    assert refuses(company, victim.open(callback), before)


def changed(callback: str, **changed: str | None) -> str:
    parts = {**query_of(callback), **changed}
    return f"{callback.partition('?')[0]}?{urlencode({name: value for name, value in parts.items() if value is not None})}"


WRONG_ANSWERS: dict[str, Callable[[str], str]] = {
    "another state": lambda callback: changed(callback, state="guessed"),
    "no state": lambda callback: changed(callback, state=None),
    "two states": lambda callback: callback.replace("?", "?state=guessed&"),
    "two codes": lambda callback: callback.replace("?", "?code=guessed&"),
    "no code": lambda callback: changed(callback, code=None),
    "an empty code": lambda callback: changed(callback, code=""),
    "a guessed code": lambda callback: changed(callback, code="guessed"),
    "an error": lambda callback: changed(callback, code=None, error="access_denied"),
    "an error beside a code": lambda callback: changed(callback, error="access_denied"),
    "another issuer": lambda callback: changed(callback, iss="https://evil.example"),
    "the issuer in capitals": lambda callback: changed(callback, iss=callback.upper()),
    "nothing": lambda callback: callback.partition("?")[0],
}


@pytest.mark.parametrize("wrong", WRONG_ANSWERS)
def test_a_wrong_answer_is_refused(company: Company, wrong: str) -> None:
    browser = company.browser()
    callback = company.provider.approve(begin(browser), **EVA)
    before = company.written()
    assert refuses(company, browser.open(WRONG_ANSWERS[wrong](callback)), before)
    assert "planwerk_sso" not in browser.cookies


def test_a_provider_that_promises_to_name_itself_must_do_so(company: Company) -> None:
    company.provider.metadata["authorization_response_iss_parameter_supported"] = True
    browser = company.browser()
    before = company.written()
    assert refuses(company, company.log_in(browser), before)
    callback = company.provider.approve(begin(browser), **EVA)
    browser.open(changed(callback, iss=company.provider.issuer))
    assert company.visitor(browser) is not None


@pytest.mark.parametrize(("seconds", "is_in"), [(599, True), (601, False)])
def test_a_login_that_takes_longer_than_ten_minutes_is_refused(company: Company, seconds: int, is_in: bool) -> None:
    secret, browser = secret_of(company.server.settings), company.browser()
    callback = company.provider.approve(begin(browser), **EVA)
    attempt = parse_attempt(unseal(secret, PURPOSE, browser.cookies["planwerk_sso"]))
    begun_earlier = replace(attempt, expires=attempt.expires - seconds)
    browser.cookies["planwerk_sso"] = seal(secret, PURPOSE, begun_earlier.text())
    before = company.written()
    page = browser.open(callback)
    assert (company.visitor(browser) is not None) == is_in
    assert refuses(company, page, before) != is_in


@pytest.mark.parametrize("cookie", ["", "guessed", "é", "gAAAAAB" + "A" * 200])
def test_a_cookie_that_this_server_did_not_seal_is_no_login(company: Company, cookie: str) -> None:
    browser = company.browser()
    callback = company.provider.approve(begin(browser), **EVA)
    browser.cookies["planwerk_sso"] = cookie
    before = company.written()
    assert refuses(company, browser.open(callback), before)


# ── what is told ──


def test_the_page_says_nothing_and_the_log_the_reason_without_secrets(company: Company, provider: OpenIdProvider) -> None:
    provider.spoil["nonce"] = "another"
    with structlog.testing.capture_logs() as lines:
        browser = company.browser()
        address = begin(browser)
        page = browser.open(provider.approve(address, **EVA))
    told = repr(lines)
    assert lines[0]["event"] == "single sign-on refused"
    assert lines[0]["reason"] == "the ID token is not valid: InvalidClaimError Invalid claim: 'nonce'"
    assert lines[0]["reference"] == page.answer.headers["reference-tag"]
    assert page.answer.headers["reference-tag"] in page.text
    assert "nonce" not in page.text
    asked = query_of(address)
    for secret in (SECRET, quote(SECRET), asked["state"], asked["nonce"], "eva@example.com", *provider.told):
        assert secret not in told
        assert secret not in page.answer.body.decode()


def test_a_reason_cannot_forge_lines_of_the_log(company: Company) -> None:
    browser = company.browser()
    callback = company.provider.approve(begin(browser), sub="s-1")
    with structlog.testing.capture_logs() as lines:
        browser.open(changed(callback, code=None, error="x\nplanwerk: all is well"))
    assert lines[0]["reason"] == "the provider refused"


# ── settings that could not be used safely ──


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"oidc_issuer": "http://id.example"}, "must begin with https://"),
        ({"oidc_issuer": "id.example"}, "must begin with https://"),
        ({"oidc_client_id": ""}, "oidc_client_id"),
        ({"oidc_scopes": "email"}, "oidc_scopes"),
        ({"oidc_default_role": "boss"}, "oidc_default_role"),
    ],
)
def test_a_server_does_not_start_with_unsafe_settings(found_company: Callable[..., Company], settings: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        found_company(**settings)
    assert [
        sentence in fault for fault in sso_faults(Settings(**{"oidc_issuer": "https://a.example", "oidc_client_id": "a", **settings}))
    ] == [True]


def test_settings_without_a_provider_have_no_faults() -> None:
    assert list(sso_faults(Settings(oidc_default_role="boss", oidc_scopes=""))) == []


def test_the_oldest_environment_is_meant_if_none_is_named(found_company: Callable[..., Company]) -> None:
    company = found_company(oidc_environment="", oidc_default_role="guest")
    oldest = company.server.database.query("SELECT id FROM environment ORDER BY id LIMIT 1")[0][0]
    browser = company.browser()
    company.log_in(browser, sub="oldest", email="oldest@example.com")
    visitor = company.visitor(browser)
    assert visitor is not None
    assert visitor.environment_id == oldest != company.environment_id


@pytest.mark.parametrize("status", ["suspended", "sign_up"])
def test_an_environment_that_is_not_active_lets_nobody_in(company: Company, status: str) -> None:
    company.log_in()
    company.set_status(status)
    before = company.written()
    assert refuses(company, company.log_in(), before)
    assert refuses(company, company.log_in(sub="s-2", email="new@example.com"), before)


def test_an_environment_that_is_not_there_lets_nobody_in(found_company: Callable[..., Company]) -> None:
    company = found_company(oidc_environment="nowhere", oidc_default_role="guest")
    before = company.written()
    assert refuses(company, company.log_in(), before)
