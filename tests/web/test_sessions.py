"""Sessions: how long they last, who ends them, and the token that a script of ours gets for one.

To see them fail: leave `expires_at` out of `sessions.FIND`; write the use of a session at every request; close a session without
asking whose it is; let /session/token do without its header; read the cookie in `Callers`.
"""

import datetime as dt
from typing import Any

import pytest
from tests.client import ABSENT, Answer, Client
from tests.logging_in import Human, browser_of, change, human, logged_in, sessions, suspend
from tests.server import OBJECTS, Server, conformity, running, scratch_database, settings_for
from tests.visiting import Browser

from planwerk.fields import instant
from planwerk.identity.opaque import token_hash
from planwerk.settings import Settings
from planwerk.store.transaction import Transaction
from planwerk.web.site import SESSION_COOKIE

PAST, LATER = "2026-01-01T00:00:00Z", "2100-01-01T00:00:00Z"
ASKING = {"x-requested-with": "planwerk"}


@pytest.fixture
def ann(server: Server) -> Human:
    return human(server, server.tenant())


@pytest.fixture
def browser(server: Server, ann: Human) -> Browser:
    return logged_in(server, ann)


def is_in(browser: Browser) -> bool:
    return browser.open("/account").address.endswith("/account")


def set_session(server: Server, who: Human, **values: Any) -> None:
    """Change the only session of a user."""

    def work(tx: Transaction) -> None:
        (found,) = tx.find(OBJECTS["session"], user_id=who.id)
        tx.update(OBJECTS["session"], found, values)

    server.database.write_now(who.environment_id, work)


# ── how long ──


def test_a_session_ends_by_itself(server: Server, browser: Browser, ann: Human) -> None:
    assert is_in(browser)
    set_session(server, ann, expires_at=server.database.identifiers.now())
    assert not is_in(browser)


@pytest.mark.parametrize(("minutes", "is_written"), [(59, False), (61, True)])
def test_a_session_that_is_used_lasts_longer_which_is_written_once_an_hour(
    minutes: int, is_written: bool, server: Server, browser: Browser, ann: Human
) -> None:
    used = instant(dt.datetime.fromisoformat(server.database.identifiers.now()) - dt.timedelta(minutes=minutes))
    set_session(server, ann, last_used_at=used, expires_at=LATER)
    assert is_in(browser)
    (row,) = sessions(server, ann)
    assert (row["last_used_at"] > used, row["expires_at"] < LATER) == (is_written, is_written)


@pytest.mark.parametrize(("minutes", "is_written"), [(2, False), (3, True)])
def test_a_short_session_that_is_used_lasts_longer_too(
    minutes: int, is_written: bool, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """To see it fail: write the use of a session once an hour, whatever `session_hours` is."""
    folder = tmp_path_factory.mktemp("short")
    with scratch_database("sqlite", folder) as url, running(server.loop, settings_for(url, folder, session_hours=1)) as other:
        ann = human(other, other.tenant())
        browser = logged_in(other, ann)
        used = instant(dt.datetime.fromisoformat(other.database.identifiers.now()) - dt.timedelta(minutes=minutes))
        set_session(other, ann, last_used_at=used)
        assert is_in(browser)
        (row,) = sessions(other, ann)
        assert (row["last_used_at"] > used) == is_written


def test_a_session_lasts_two_weeks_after_its_last_use(server: Server, browser: Browser, ann: Human) -> None:
    (row,) = sessions(server, ann)
    lasts = dt.datetime.fromisoformat(row["expires_at"]) - dt.datetime.fromisoformat(row["last_used_at"])
    assert lasts == dt.timedelta(hours=Settings().session_hours) == dt.timedelta(days=14)


def test_the_database_does_not_hold_the_cookie(server: Server, browser: Browser, ann: Human) -> None:
    assert browser.cookies[SESSION_COOKIE] not in repr(server.rows(ann.environment_id))


@pytest.mark.parametrize("cookie", ["", "x", "A" * 64, "é" * 64, "A" * 63 + "=", "0" * 5000])
def test_a_cookie_that_nobody_gave_opens_nothing(cookie: str, server: Server) -> None:
    browser = browser_of(server)
    browser.cookies[SESSION_COOKIE] = cookie.encode().decode("latin-1")
    assert not is_in(browser)


GONE = {
    "the user is archived": {"archived_at": PAST},
    "the user is deleted": {"deleted_at": PAST},
    "the user is invited again": {"status": "invited"},
}


@pytest.mark.parametrize("what", [*GONE, "the environment is suspended"])
def test_a_session_opens_nothing_when(what: str, server: Server, browser: Browser, ann: Human) -> None:
    assert is_in(browser)
    if what in GONE:
        change(server, ann, **GONE[what])
    else:
        suspend(server, ann.environment_id)
    assert not is_in(browser)


# ── who ends it ──


def test_logging_out_ends_the_session_and_takes_the_cookie(server: Server, browser: Browser, ann: Human) -> None:
    other = logged_in(server, ann)
    cookie = browser.cookies[SESSION_COOKIE]
    browser.open("/account")
    assert browser.submit("/logout").address.endswith("/login")
    assert SESSION_COOKIE not in browser.cookies
    browser.cookies[SESSION_COOKIE] = cookie
    assert not is_in(browser)
    assert is_in(other)


def test_a_get_does_not_log_out(browser: Browser) -> None:
    assert browser.send("GET", "/logout").status == 405
    assert is_in(browser)


def end(browser: Browser, id: str) -> int:
    browser.open("/account")
    csrf = browser.page.form("/logout").fields["csrf"]
    return browser.post("/account/sessions/end", None, csrf=csrf, **({"id": id} if id else {})).status


def test_one_sees_the_own_sessions_and_ends_one(server: Server, browser: Browser, ann: Human) -> None:
    other = logged_in(server, ann)
    mine, theirs = (row["id"] for row in sessions(server, ann))
    listed = {form.fields["id"] for form in browser.open("/account").forms if "id" in form.fields}
    assert listed == {mine, theirs}
    assert browser.page.text.count(", this one") == 1
    second = next(row["id"] for row in sessions(server, ann) if row["id"] != id_of(server, browser, ann))
    assert end(browser, second) == 200
    assert (is_in(browser), is_in(other)) == (True, False)


def id_of(server: Server, browser: Browser, who: Human) -> str:
    hash = token_hash(browser.cookies[SESSION_COOKIE])
    return str(next(row["id"] for row in sessions(server, who) if row["token_hash"] == hash))


def test_one_ends_all_others_at_once(server: Server, browser: Browser, ann: Human) -> None:
    others = [logged_in(server, ann) for _ in range(3)]
    assert end(browser, "") == 200
    assert (is_in(browser), [is_in(other) for other in others]) == (True, [False] * 3)


def test_ending_the_own_session_is_logging_out(server: Server, browser: Browser, ann: Human) -> None:
    assert end(browser, id_of(server, browser, ann)) == 200
    assert browser.page.address.endswith("/login")


@pytest.mark.parametrize("is_same_environment", [True, False])
def test_the_session_of_somebody_else_is_not_found(is_same_environment: bool, server: Server) -> None:
    tenant = server.tenant()
    browser = logged_in(server, human(server, tenant))
    stranger = human(server, tenant if is_same_environment else server.tenant())
    other = logged_in(server, stranger)
    assert end(browser, id_of(server, other, stranger)) == 404
    assert is_in(other)


# ── the token for the board ──


def ask(browser: Browser, headers: dict[str, str] | None = None) -> Answer:
    return browser.send("POST", "/session/token", headers=ASKING if headers is None else headers).answer


def bearer(server: Server, token: str) -> Client:
    return Client(server.app, server.loop, conformity(), {"authorization": f"Bearer {token}"})


def test_the_cookie_is_traded_for_a_token_of_five_minutes(server: Server, browser: Browser) -> None:
    answer = ask(browser)
    assert (answer.status, answer.headers["cache-control"], "reference-tag" in answer.headers) == (200, "no-store", True)
    assert {**answer.json, "access_token": ""} == {"access_token": "", "token_type": "Bearer", "expires_in": 300}
    assert bearer(server, answer.json["access_token"]).get("/v1/board")["data"] == []


def test_without_a_session_there_is_no_token(server: Server) -> None:
    answer = ask(browser_of(server))
    assert (answer.status, answer.codes, answer.json["reference"]) == (401, [10002], answer.headers["reference-tag"])
    assert answer.headers["www-authenticate"] == 'Cookie realm="Planwerk"'


FOREIGN: dict[str, dict[str, str]] = {
    "a form of another site": {},
    "another value": {"x-requested-with": "XMLHttpRequest"},
    "another site": {**ASKING, "sec-fetch-site": "cross-site"},
    "a sibling": {**ASKING, "sec-fetch-site": "same-site"},
    "another origin": {**ASKING, "origin": "https://evil.example"},
    "no origin to speak of": {**ASKING, "origin": "null"},
    "another port": {**ASKING, "origin": "http://127.0.0.1:9090"},
}


@pytest.mark.parametrize("who", FOREIGN)
def test_nobody_else_gets_a_token(who: str, browser: Browser) -> None:
    answer = ask(browser, FOREIGN[who])
    assert (answer.status, answer.codes) == (403, [10003])


def test_a_get_gives_no_token(browser: Browser) -> None:
    assert browser.send("GET", "/session/token", headers=ASKING).status == 405


def test_the_api_never_looks_at_cookies(server: Server, browser: Browser) -> None:
    client = Client(server.app, server.loop, conformity(), {"cookie": f"{SESSION_COOKIE}={browser.cookies[SESSION_COOKIE]}"})
    for method, path, body in (("GET", "/v1/board", ABSENT), ("POST", "/v1/board", {"name": "planted"}), ("GET", "/v1/whoami", ABSENT)):
        assert client.refused(method, path, body) == (401, [10002])
