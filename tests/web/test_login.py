"""The login: what opens, what does not and never says why, where it leads, and how guessing is slowed down.

To see them fail: leave out one condition of `logins.LIVES`; check less often for an unknown email than for one known thrice; keep
the cookie that the browser sent; give the address to go on to as it came; count failures after the password; leave out the turns.
"""

import asyncio
import threading
from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from limits import parse
from tests.logging_in import PASSWORD, WEAK, Human, browser_of, change, human, log_in, logged_in, sessions, suspend, value
from tests.server import Server, Tenant, running, scratch_database, settings_for
from tests.visiting import Browser

from planwerk.identity.logins import CHECKS, MOST
from planwerk.identity.passwords import Passwords
from planwerk.identity.throttle import LIMITS, LINE_SECONDS, LONGEST_LINE
from planwerk.store.database import unavailable
from planwerk.web.site import SESSION_COOKIE


@pytest.fixture
def tenant(server: Server) -> Tenant:
    return server.tenant()


@pytest.fixture
def ann(server: Server, tenant: Tenant) -> Human:
    return human(server, tenant)


@pytest.fixture
def browser(server: Server) -> Browser:
    return browser_of(server)


def test_email_and_password_open_a_session_of_that_user(server: Server, browser: Browser, ann: Human) -> None:
    page = log_in(browser, ann.email)
    assert (page.status, page.address.endswith("/account"), ann.email in page.text) == (200, True, True)
    assert [(row["method"], row["agent"]) for row in sessions(server, ann)] == [("password", "A browser of the tests")]
    assert value(server, ann, "last_login_at") is not None


def test_a_login_does_not_count_as_a_change_of_the_user(server: Server, browser: Browser, ann: Human) -> None:
    log_in(browser, ann.email)  # makes the weak hash of the tests a strong one
    before = value(server, ann, "version"), value(server, ann, "updated_at")
    log_in(browser_of(server), ann.email)
    assert (value(server, ann, "version"), value(server, ann, "updated_at")) == before


def test_capitals_in_the_typed_email_and_spaces_around_it_do_not_count(browser: Browser, ann: Human) -> None:
    assert log_in(browser, f" {ann.email.upper()} ").status == 200


def archive(server: Server, who: Human) -> None:
    change(server, who, archived_at="2026-01-01T00:00:00Z")


def delete(server: Server, who: Human) -> None:
    change(server, who, deleted_at="2026-01-01T00:00:00Z")


def as_invited(server: Server, who: Human) -> None:
    change(server, who, status="invited", password_hash=None)


def without_password(server: Server, who: Human) -> None:
    change(server, who, password_hash=None, is_sso=True)


SPOILT: dict[str, Callable[[Server, Human], None]] = {
    "wrong password": lambda server, who: change(server, who, password_hash=WEAK.hash("another password")),
    "unreadable hash": lambda server, who: change(server, who, password_hash="none"),
    "archived": archive,
    "deleted": delete,
    "invited, without a password": as_invited,
    "active, without a password": without_password,
    "invited, with a password": lambda server, who: change(server, who, status="invited"),
    "suspended environment": lambda server, who: suspend(server, who.environment_id),
}


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """What each check of a password said."""
    seen: list[bool] = []
    fits = Passwords.fits

    def noted(passwords: Passwords, hash: str | None, password: str) -> bool:
        seen.append(fits(passwords, hash, password))
        return seen[-1]

    monkeypatch.setattr(Passwords, "fits", noted)
    return seen


@pytest.mark.parametrize("what", [*SPOILT, "unknown email"])
def test_whatever_is_wrong_the_answer_and_the_work_are_the_same(
    what: str, server: Server, browser: Browser, ann: Human, checks: list[bool]
) -> None:
    email = "nobody@example.com"
    if what in SPOILT:
        SPOILT[what](server, ann)
        email = ann.email
    page = log_in(browser, email)
    assert page.status == 403
    assert page.answer.body.decode().count("The email or the password is not right.") == 1
    assert page.form("/login").fields["email"] == email
    assert checks == [False] * CHECKS
    assert SESSION_COOKIE not in browser.cookies


@pytest.mark.parametrize("environments", [1, 2, 3])
def test_a_wrong_password_is_as_much_work_for_a_person_of_three_environments_as_for_one(
    environments: int, server: Server, browser: Browser, checks: list[bool]
) -> None:
    email = human(server, server.tenant()).email
    for _ in range(environments - 1):
        human(server, server.tenant(), email)
    assert log_in(browser, email, "wrong password").status == 403
    assert checks == [False] * CHECKS


def test_a_right_password_is_checked_once_for_each_environment(browser: Browser, ann: Human, checks: list[bool]) -> None:
    assert log_in(browser, ann.email).status == 200
    assert checks == [True]


def test_a_login_tries_the_users_that_were_used_last(server: Server, browser: Browser, ann: Human, checks: list[bool]) -> None:
    for number in range(MOST):
        change(server, human(server, server.tenant(), ann.email), last_login_at=f"2026-01-{number + 1:02}T00:00:00Z")
    assert log_in(browser, ann.email, "wrong password").status == 403
    assert checks == [False] * MOST
    change(server, ann, last_login_at="2026-02-01T00:00:00Z")
    checks.clear()
    change(server, ann, password_hash=WEAK.hash("another password"))
    assert log_in(browser, ann.email, "another password").status == 200
    assert checks == [True] + [False] * (MOST - 1)


def test_a_user_who_comes_back_from_the_archive_logs_in_again(server: Server, browser: Browser, ann: Human) -> None:
    archive(server, ann)
    assert log_in(browser, ann.email).status == 403
    change(server, ann, archived_at=None)
    assert log_in(browser, ann.email).status == 200


# ── the session ──


def test_a_cookie_that_somebody_planted_is_not_taken_over(server: Server, browser: Browser, ann: Human) -> None:
    planted = "A" * 64
    browser.cookies[SESSION_COOKIE] = planted
    assert log_in(browser, ann.email).status == 200
    assert browser.cookies[SESSION_COOKIE] != planted


def test_who_is_logged_in_is_led_on_at_once(server: Server, ann: Human) -> None:
    assert logged_in(server, ann).open("/login?next=/account/factor").address.endswith("/account/factor")


def test_the_cookie_is_for_nobody_but_the_server(browser: Browser, ann: Human) -> None:
    browser.open("/login")
    form = browser.page.form("/login")
    answer = browser.exchange(
        "POST", "http://127.0.0.1:8080/login", urlencode({**form.fields, "email": ann.email, "password": PASSWORD}).encode(), None
    )
    line = next(line for line in answer.headers["set-cookie"].splitlines() if line.startswith(SESSION_COOKIE))
    assert {"httponly", "samesite=lax", "path=/"} <= {part.strip().lower() for part in line.split(";")}
    assert "secure" not in line.lower()
    assert answer.headers["cache-control"] == "no-store"


def test_behind_tls_the_cookies_are_secure(server: Server, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("tls")
    with scratch_database("sqlite", folder) as url:
        settings = settings_for(url, folder, public_url="https://plan.example")
        with running(server.loop, settings) as other:
            answer = browser_of(other).open("/login").answer
    assert all("secure" in line.lower() for line in answer.headers["set-cookie"].splitlines())


NEXT = {
    "/account/factor": "/account/factor",
    "/account?saved=profile": "/account?saved=profile",
    "//evil.example/account": "/account",
    "https://evil.example/": "/account",
    "/\\evil.example": "/account",
    "javascript:alert(1)": "/account",
    "/account\r\nset-cookie: a=b": "/account",
    "/" + "a" * 16_384: "/account",
    "": "/account",
}


@pytest.mark.parametrize("asked", NEXT)
def test_a_login_leads_on_within_the_server_only(asked: str, browser: Browser, ann: Human) -> None:
    browser.open("/login")
    page = browser.submit("/login", email=ann.email, password=PASSWORD, next=asked)
    assert page.address == f"http://127.0.0.1:8080{NEXT[asked]}"


def test_a_page_that_needs_a_login_is_where_one_ends_up(browser: Browser, ann: Human) -> None:
    assert browser.open("/account/factor").address.endswith("/login?next=%2Faccount%2Ffactor")
    assert browser.submit("/login", email=ann.email, password=PASSWORD).address.endswith("/account/factor")


def test_a_hash_that_is_weaker_than_new_ones_is_made_anew(server: Server, ann: Human) -> None:
    old = value(server, ann, "password_hash")
    assert log_in(browser_of(server), ann.email).status == 200
    new = value(server, ann, "password_hash")
    assert (WEAK.check_needs_rehash(old), new != old, new.startswith("$argon2id$v=19$m=65536")) == (False, True, True)
    assert log_in(browser_of(server), ann.email).status == 200
    assert value(server, ann, "password_hash") == new


# ── guessing ──


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few that a test is soon beyond them."""
    monkeypatch.setitem(LIMITS, "account", parse("3 per 15 minutes"))
    monkeypatch.setitem(LIMITS, "address", parse("5 per 15 minutes"))


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("is_known", [True, False])
def test_after_too_many_wrong_passwords_even_the_right_one_is_refused(is_known: bool, server: Server, ann: Human) -> None:
    email = ann.email if is_known else f"not.{ann.email}"
    assert [log_in(browser_of(server), email, "wrong password").status for _ in range(5)] == [403, 403, 403, 429, 429]
    page = log_in(browser_of(server), email)
    assert (page.status, 0 < int(page.answer.headers["retry-after"]) <= 900) == (429, True)
    assert "Too many attempts; try again in 15 minutes." in page.text
    assert log_in(browser_of(server), email.upper()).status == 429


@pytest.mark.usefixtures("few")
def test_an_address_that_tries_many_accounts_is_refused_and_others_are_not(server: Server, browser: Browser, ann: Human) -> None:
    assert [log_in(browser, f"{number}.{ann.email}", "wrong password").status for number in range(6)] == [403] * 5 + [429]
    assert log_in(browser, ann.email).status == 429
    assert log_in(browser_of(server), ann.email).status == 200


@pytest.mark.usefixtures("few")
def test_a_success_clears_the_count_of_the_account(server: Server, ann: Human) -> None:
    for _ in range(2):
        assert [log_in(browser_of(server), ann.email, "wrong password").status for _ in range(2)] == [403, 403]
        assert log_in(browser_of(server), ann.email).status == 200


@pytest.mark.usefixtures("few")
def test_one_who_has_a_user_with_the_same_email_elsewhere_cannot_clear_the_count(server: Server, ann: Human) -> None:
    human(server, server.tenant(), ann.email, "password of the attacker")
    for _ in range(2):
        assert log_in(browser_of(server), ann.email, "a guess or two").status == 403
        assert log_in(browser_of(server), ann.email, "password of the attacker").status == 200
    assert [log_in(browser_of(server), ann.email, "a guess or two").status for _ in range(2)] == [403, 429]


@pytest.mark.usefixtures("few")
def test_many_guesses_at_once_learn_no_more_than_as_many_after_each_other(server: Server, ann: Human, checks: list[bool]) -> None:
    """From many addresses at one account: those beyond the limit are no work, either."""
    browsers = [opened(server) for _ in range(7)]

    async def all_at_once() -> list[int]:
        return await asyncio.gather(*(guess(browser, ann.email, "a wrong guess") for browser in browsers))

    assert sorted(server.loop.run(all_at_once())) == [403, 403, 403, 429, 429, 429, 429]
    assert len(checks) == 3 * CHECKS
    assert log_in(browser_of(server), ann.email).status == 429


@pytest.mark.usefixtures("few")
def test_many_guesses_at_once_from_one_address_are_no_more_work_than_its_limit(server: Server, ann: Human, checks: list[bool]) -> None:
    browser = opened(server)

    async def all_at_once() -> list[int]:
        return await asyncio.gather(*(guess(browser, f"{number}.{ann.email}", "a wrong guess") for number in range(8)))

    assert sorted(server.loop.run(all_at_once())) == [403] * 5 + [429] * 3
    assert len(checks) == 5 * CHECKS


@pytest.mark.usefixtures("few")
def test_logins_that_succeed_leave_the_count_of_their_address_alone(server: Server, browser: Browser, ann: Human) -> None:
    for _ in range(7):
        assert log_in(browser, ann.email).status == 200
        browser.cookies.clear()
    assert [log_in(browser, f"{number}.{ann.email}", "wrong password").status for number in range(6)] == [403] * 5 + [429]


@pytest.mark.usefixtures("few")
def test_a_login_that_the_database_could_not_answer_is_not_counted(
    server: Server, browser: Browser, ann: Human, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise unavailable("the database is away", 5)

    with monkeypatch.context() as patched:
        patched.setattr("planwerk.web.login.prove", away)
        assert [log_in(browser, ann.email).status for _ in range(7)] == [503] * 7
    assert log_in(browser, ann.email).status == 200


def test_a_burst_from_one_address_holds_up_no_other(server: Server, ann: Human, monkeypatch: pytest.MonkeyPatch) -> None:
    """The passwords of the burst are being checked until somebody else has logged in; without turns that is never."""
    begun, inside = threading.Event(), threading.Event()
    fits = Passwords.fits

    def slow_if_wrong(passwords: Passwords, hash: str | None, password: str) -> bool:
        if password != PASSWORD:
            begun.set()
            assert inside.wait(60)
        return fits(passwords, hash, password)

    monkeypatch.setattr(Passwords, "fits", slow_if_wrong)
    one, other = opened(server), opened(server)

    async def burst() -> tuple[int, list[tuple[int, str]]]:
        sent = [asyncio.ensure_future(answer(one, f"{number}.{ann.email}", "a guess or two")) for number in range(LONGEST_LINE + 4)]
        assert await asyncio.to_thread(begun.wait, 30)
        try:
            mine = await asyncio.wait_for(guess(other, ann.email, PASSWORD), 30)
        finally:
            inside.set()
        return mine, await asyncio.gather(*sent)

    mine, others = server.loop.run(burst())
    assert mine == 303
    assert sorted(others) == [(403, "")] * LONGEST_LINE + [(429, str(LINE_SECONDS))] * 4


def opened(server: Server) -> Browser:
    """A browser that shows the login page."""
    browser = browser_of(server)
    browser.open("/login")
    return browser


async def guess(browser: Browser, email: str, password: str) -> int:
    """The status of one guess, sent from the loop of the application."""
    return (await answer(browser, email, password))[0]


async def answer(browser: Browser, email: str, password: str) -> tuple[int, str]:
    """(status, Retry-After)."""
    fields = {**browser.page.form("/login").fields, "email": email, "password": password}
    cookies = "; ".join(f"{name}={text}" for name, text in browser.cookies.items())
    headers = {"content-type": "application/x-www-form-urlencoded", "cookie": cookies, "host": browser.host, **browser.headers}
    sent = [(name.encode(), text.encode()) for name, text in headers.items()]
    got = await browser.client.exchange("POST", "/login", b"", sent, urlencode(fields).encode())
    return got.status, got.headers.get("retry-after", "")
