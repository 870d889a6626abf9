"""The second factor: turned on with a password and a code, asked for at each login, and each code works once.

To see them fail: read the step and then write it instead of `totp.TAKE`; keep the recovery code that was used; open a session
before the code; let `propose` replace a secret that counts.
"""

import threading
import time
from collections.abc import Callable

import pytest
from tests.logging_in import (
    PASSWORD,
    Human,
    browser_of,
    change,
    code_of,
    forget_step,
    human,
    log_in,
    logged_in,
    row,
    sessions,
    suspend,
    value,
    with_factor,
)
from tests.people import person
from tests.server import Server
from tests.visiting import Browser, Page

from planwerk.identity.totp import take_code
from planwerk.secret import secret_of, unseal
from planwerk.web.login import HALF_COOKIE, HALF_SECONDS
from planwerk.web.site import SESSION_COOKIE

AT_ONCE = 20
NOT_RIGHT = "The code is not right, or it was used already."


@pytest.fixture
def ann(server: Server) -> Human:
    return human(server, server.tenant("Secured"))


@pytest.fixture
def browser(server: Server) -> Browser:
    return browser_of(server)


def begin(browser: Browser, who: Human, path: str = "/login") -> Page:
    """The page that asks for the code."""
    page = log_in(browser, who.email, path=path)
    assert (page.status, page.address.partition("?")[0][-11:]) == (200, "/login/code")
    return page


def give(browser: Browser, code: str) -> int:
    return browser.submit("/login/code", code=code).status


# ── turning it on ──


def propose(browser: Browser, password: str = PASSWORD) -> Page:
    browser.open("/account/factor")
    return browser.submit("/account/factor/propose", password=password)


def secret_on(page: Page) -> str:
    return page.text.partition("type the secret into the app:")[2].partition("The code that")[0].replace(" ", "")


def test_password_and_code_turn_it_on_and_ten_recovery_codes_are_shown_once(server: Server, ann: Human) -> None:
    browser = logged_in(server, ann)
    page = propose(browser)
    assert b'src="data:image/svg+xml' in page.answer.body
    assert not value(server, ann, "mfa_enabled"), "it counts once a code has proved that the app has the secret"
    page = browser.submit("/account/factor/confirm", code=code_of(secret_on(page)))
    codes = [word for word in page.text.split() if len(word) == 19 and word.count("-") == 3]
    assert (page.status, len(set(codes)), bool(value(server, ann, "mfa_enabled"))) == (200, 10, True)
    page = browser.open("/account/factor")
    assert not any(code in page.text for code in codes)
    assert give_after(browser_of(server), ann, codes[0]) == 200


def give_after(browser: Browser, who: Human, code: str) -> int:
    begin(browser, who)
    return give(browser, code)


def test_the_database_holds_neither_the_secret_nor_a_recovery_code(server: Server, ann: Human) -> None:
    secret, codes = with_factor(server, ann)
    stored = repr(server.rows(ann.environment_id))
    assert not any(text in stored for text in (secret, *codes))
    sealed = value(server, ann, "totp_secret")
    assert server.database.write_now(ann.environment_id, lambda tx: unseal(secret_of(tx.settings), "second factor", sealed)) == secret


def test_it_stays_off_without_the_password_or_without_a_code(server: Server, ann: Human) -> None:
    browser = logged_in(server, ann)
    assert (propose(browser, "wrong password").status, value(server, ann, "totp_secret")) == (403, None)
    propose(browser)
    page = browser.submit("/account/factor/confirm", code="000000")
    assert (page.status, NOT_RIGHT in page.text, bool(value(server, ann, "mfa_enabled"))) == (403, True, False)
    assert log_in(browser_of(server), ann.email).address.endswith("/account"), "a login does not ask for what is not on"


def test_a_secret_that_counts_is_not_replaced(server: Server, ann: Human) -> None:
    browser = logged_in(server, ann)
    browser.open("/account/factor")
    form = browser.page.form("/account/factor/propose").fields
    with_factor(server, ann)
    before = value(server, ann, "totp_secret")
    page = browser.post("/account/factor/propose", None, **{**form, "password": PASSWORD})
    assert (page.status, value(server, ann, "totp_secret")) == (409, before)
    assert browser.post("/account/factor/confirm", None, **form, code="000000").status == 403


# ── logging in ──


def test_a_login_asks_for_the_code_and_then_leads_on(server: Server, browser: Browser, ann: Human) -> None:
    secret, _ = with_factor(server, ann)
    begin(browser, ann, "/login?next=/account/factor")
    assert (SESSION_COOKIE in browser.cookies, sessions(server, ann)) == (False, [])
    page = browser.submit("/login/code", code=f" {code_of(secret)[:3]} {code_of(secret)[3:]} ")
    assert (page.status, page.address.endswith("/account/factor"), len(sessions(server, ann))) == (200, True, 1)
    assert HALF_COOKIE not in browser.cookies


def test_between_password_and_code_nothing_else_is_open(server: Server, browser: Browser, ann: Human) -> None:
    with_factor(server, ann)
    begin(browser, ann)
    for path in ("/account", "/account/factor", "/environments"):
        assert "/login?next=" in browser.open(path).address
    assert browser.send("POST", "/session/token", headers={"x-requested-with": "planwerk"}).status == 401
    browser.cookies[SESSION_COOKIE] = browser.cookies[HALF_COOKIE]
    assert "/login?next=" in browser.open("/account").address


def test_the_page_for_the_code_is_open_for_five_minutes(
    server: Server, browser: Browser, ann: Human, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, _ = with_factor(server, ann)
    begin(browser, ann)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + HALF_SECONDS + 1)
    assert browser.submit("/login/code", code=code_of(secret)).address.endswith("/login?next=%2Faccount")
    assert sessions(server, ann) == []


@pytest.mark.parametrize("cookie", ["", "nonsense", None])
def test_nobody_gives_a_code_without_a_password(cookie: str | None, server: Server, browser: Browser, ann: Human) -> None:
    secret, _ = with_factor(server, ann)
    begin(browser, ann)
    whole = browser.cookies.pop(HALF_COOKIE)
    browser.cookies[HALF_COOKIE] = whole[:-4] + "AAAA" if cookie is None else cookie
    assert "/login?next=" in browser.submit("/login/code", code=code_of(secret)).address
    assert sessions(server, ann) == []


def test_a_password_that_changes_meanwhile_opens_nothing(server: Server, browser: Browser, ann: Human) -> None:
    secret, _ = with_factor(server, ann)
    begin(browser, ann)
    changed = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA"
    server.database.write_now(ann.environment_id, lambda tx: tx.write(tx.object("user"), row(tx, ann), {"password_hash": changed}))
    assert give(browser, code_of(secret)) == 403


def test_a_code_works_once(server: Server, ann: Human) -> None:
    secret, _ = with_factor(server, ann)
    code = code_of(secret)
    assert [give_after(browser_of(server), ann, code) for _ in range(2)] == [200, 403]


def test_a_recovery_code_works_once_and_with_capitals(server: Server, ann: Human) -> None:
    _, codes = with_factor(server, ann)
    tries = [codes[0].upper(), codes[0], codes[1].replace("-", " "), codes[2][:-1]]
    assert [give_after(browser_of(server), ann, code) for code in tries] == [200, 403, 200, 403]


def won(server: Server, who: Human, code: str) -> int:
    """How many of twenty at once get through with the same code."""
    start, lock, results = threading.Barrier(AT_ONCE), threading.Lock(), []

    def attempt() -> None:
        start.wait(30)
        is_taken = server.loop.run(server.database.write(who.environment_id, lambda tx: take_code(tx, row(tx, who), code)))
        with lock:
            results.append(is_taken)

    threads = [threading.Thread(target=attempt) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == AT_ONCE
    return sum(results)


CODES: dict[str, Callable[[str, list[str]], str]] = {
    "a code of the app": lambda secret, codes: code_of(secret),
    "a recovery code": lambda secret, codes: codes[0],
}


@pytest.mark.parametrize("kind", CODES)
def test_of_twenty_at_once_with_the_same_code_one_wins(kind: str, server: Server, ann: Human) -> None:
    for _ in range(3):
        secret, codes = with_factor(server, ann)
        assert won(server, ann, CODES[kind](secret, codes)) == 1
        server.database.write_now(ann.environment_id, lambda tx: tx.write(tx.object("user"), row(tx, ann), {"mfa_enabled": False}))


def test_after_five_wrong_codes_even_the_right_one_is_refused(server: Server, browser: Browser, ann: Human) -> None:
    secret, codes = with_factor(server, ann)
    begin(browser, ann)
    assert [give(browser, "000000") for _ in range(6)] == [403] * 5 + [429]
    assert give_after(browser_of(server), ann, code_of(secret)) == 429, "another browser counts as the same account"
    assert give_after(other := browser_of(server), ann, codes[0]) == 429
    assert int(other.page.answer.headers["retry-after"]) > 0


# ── of several environments ──


@pytest.fixture
def twin(server: Server, ann: Human) -> Human:
    """The same person in another environment, used last."""
    twin = human(server, server.tenant("Workshop"), ann.email)
    change(server, twin, last_login_at="2100-01-01T00:00:00Z")
    return twin


def test_the_page_names_the_environment_whose_code_it_wants(server: Server, browser: Browser, ann: Human) -> None:
    with_factor(server, ann)
    assert "for Planwerk Secured " in begin(browser, ann).text


@pytest.mark.parametrize("place", [0, 1], ids=["used last", "the other"])
def test_the_code_of_each_environment_opens_that_one(place: int, server: Server, browser: Browser, ann: Human, twin: Human) -> None:
    """To see it fail: leave `logins.sort` out of `take_code`."""
    who = (twin, ann)[place]
    secrets = {user.id: with_factor(server, user)[0] for user in (ann, twin)}
    page = begin(browser, ann)
    assert page.text.index("Workshop ") < page.text.index("Secured ")
    assert page.form("/login/code").fields["user"] == twin.id, "the one used last is proposed"
    wrong = browser.submit("/login/code", user=who.id, code="000000")
    assert (wrong.status, wrong.form("/login/code").fields["user"]) == (403, who.id), "the choice stays"
    assert browser.submit("/login/code", code=code_of(secrets[who.id])).status == 200
    assert (len(sessions(server, who)), len(sessions(server, twin)) + len(sessions(server, ann))) == (1, 1)


def test_wrong_codes_count_for_the_user_who_was_chosen(server: Server, browser: Browser, ann: Human, twin: Human) -> None:
    secrets = {user.id: with_factor(server, user)[0] for user in (ann, twin)}
    begin(browser, ann)
    assert [browser.submit("/login/code", user=ann.id, code="000000").status for _ in range(6)] == [403] * 5 + [429]
    assert browser.submit("/login/code", code=code_of(secrets[ann.id])).status == 429
    assert browser.submit("/login/code", user=twin.id, code=code_of(secrets[twin.id])).status == 200


def test_nobody_else_can_be_chosen(server: Server, browser: Browser, ann: Human) -> None:
    with_factor(server, ann)
    stranger = human(server, server.tenant("Elsewhere"))
    secret, _ = with_factor(server, stranger)
    begin(browser, ann)
    assert browser.submit("/login/code", user=stranger.id, code=code_of(secret)).status == 403
    assert sessions(server, stranger) == []


def test_an_environment_that_is_no_more_is_not_offered(server: Server, browser: Browser, ann: Human, twin: Human) -> None:
    secret = {user.id: with_factor(server, user)[0] for user in (ann, twin)}[ann.id]
    begin(browser, ann)
    suspend(server, twin.environment_id)
    page = browser.open("/login/code")
    assert ("Workshop" in page.text, page.form("/login/code").fields["user"]) == (False, ann.id)
    assert give(browser, code_of(secret)) == 200


def test_a_right_code_clears_the_count(server: Server, ann: Human) -> None:
    secret, _ = with_factor(server, ann)
    for _ in range(2):
        browser = browser_of(server)
        begin(browser, ann)
        assert [give(browser, "000000") for _ in range(4)] == [403] * 4
        assert give(browser, code_of(secret)) == 200
        forget_step(server, ann)


# ── turning it off ──


def test_it_goes_off_with_password_and_code(server: Server, ann: Human) -> None:
    secret, _ = with_factor(server, ann)
    browser = logged_in(server, ann)
    for password, code in (("wrong password", code_of(secret)), (PASSWORD, "000000"), (PASSWORD, "")):
        browser.open("/account/factor")
        assert browser.submit("/account/factor/off", password=password, code=code).status == 403
    assert value(server, ann, "mfa_enabled")
    browser.open("/account/factor")
    assert browser.submit("/account/factor/off", password=PASSWORD, code=code_of(secret)).status == 200
    assert (bool(value(server, ann, "mfa_enabled")), value(server, ann, "totp_secret"), value(server, ann, "recovery_hashes")) == (
        False,
        None,
        "[]",
    )
    assert log_in(browser_of(server), ann.email).address.endswith("/account")


def test_an_admin_turns_off_one_that_is_lost(server: Server) -> None:
    """To see it fail: leave `turn_off` or `end_sessions` out of `turn_off_lost`."""
    tenant = server.tenant("Lost")
    ann, bob = human(server, tenant), human(server, tenant)
    with_factor(server, ann)
    with_factor(server, bob)
    logged_in(server, ann)
    answer = server.client(tenant).post(f"/v1/user/{ann.id}/factor/off", expect=200)
    assert (answer["id"], answer["mfa_enabled"]) == (ann.id, False)
    assert (sessions(server, ann), value(server, ann, "totp_secret"), value(server, ann, "recovery_hashes")) == ([], None, "[]")
    assert log_in(browser_of(server), ann.email).address.endswith("/account")
    assert value(server, bob, "mfa_enabled")


def test_one_that_is_not_on_is_not_turned_off(server: Server) -> None:
    """Not even one that waits to be confirmed; nobody is logged out for it."""
    tenant = server.tenant("None")
    ann, api = human(server, tenant), server.client(tenant)
    propose(logged_in(server, ann))
    assert api.refused("POST", f"/v1/user/{ann.id}/factor/off") == (409, [10017])
    assert len(sessions(server, ann)) == 1
    api.post(f"/v1/user/{ann.id}/archive", expect=200)
    assert api.refused("POST", f"/v1/user/{ann.id}/factor/off") == (409, [10017])
    api.delete(f"/v1/user/{ann.id}")
    assert api.refused("POST", f"/v1/user/{ann.id}/factor/off") == (404, [10004])


@pytest.mark.parametrize("role", ["manager", "organiser", "member", "guest"])
def test_nobody_but_an_admin_turns_off_that_of_others(role: str, server: Server) -> None:
    tenant = server.tenant("Roles")
    ann = human(server, tenant)
    with_factor(server, ann)
    assert person(server, tenant, role).client.refused("POST", f"/v1/user/{ann.id}/factor/off") == (403, [10003])
    assert value(server, ann, "mfa_enabled")


def test_a_user_without_a_password_is_told_whose_business_it_is(server: Server, ann: Human) -> None:
    server.database.write_now(ann.environment_id, lambda tx: tx.write(tx.object("user"), row(tx, ann), {"password_hash": None}))
    page = logged_in(server, ann, "sso").open("/account/factor")
    assert "Whether it asks for a second factor is decided there." in page.text
    assert [form.action for form in page.forms] == ["/logout"]
