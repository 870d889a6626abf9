"""The account page: what a person changes of their own, and nothing of anybody else.

To see them fail: take `role` into `account.PROFILE`; change the password without asking for the old one; leave the other
sessions open.
"""

import re

import pytest
from tests.logging_in import PASSWORD, Human, browser_of, change, human, log_in, logged_in, row, sessions, value
from tests.server import Server
from tests.visiting import Browser, Page

from planwerk.identity.throttle import LIMITS

NEW = "staple correct battery"


@pytest.fixture
def ann(server: Server) -> Human:
    return human(server, server.tenant("Joinery"), role="guest")


@pytest.fixture
def browser(server: Server, ann: Human) -> Browser:
    return logged_in(server, ann)


def save(browser: Browser, **fields: str) -> Page:
    browser.open("/account")
    return browser.submit("/account/profile", None, **fields)


def test_it_needs_a_login(server: Server) -> None:
    for path in ("/account", "/account/factor"):
        assert "/login?next=" in browser_of(server).open(path).address


def test_whatever_the_role_one_changes_the_own_name_language_and_time_zone(server: Server, browser: Browser, ann: Human) -> None:
    page = save(browser, firstname=" Ann ", infix="van", lastname="der  Berg", language="pl", timezone="Europe/Warsaw")
    assert (page.status, "Your details are saved." in page.text) == (200, True)
    assert page.form("/account/profile").fields | {"csrf": ""} == {
        "csrf": "",
        "firstname": "Ann",
        "infix": "van",
        "lastname": "der Berg",
        "language": "pl",
        "timezone": "Europe/Warsaw",
    }
    assert value(server, ann, "fullname") == "Ann van der Berg"
    assert f"Ann van der Berg ({ann.email}), guest in Joinery" in page.text


def test_an_empty_field_is_cleared(server: Server, browser: Browser, ann: Human) -> None:
    save(browser, firstname="Ann", timezone="Europe/Warsaw")
    save(browser, firstname="", timezone="")
    assert (value(server, ann, "firstname"), value(server, ann, "timezone"), value(server, ann, "fullname")) == (None, None, None)


WRONG = {
    "a time zone that is none": ({"timezone": "Europe/Atlantis"}, "Timezone must be the name of a time zone"),
    "a language that is none": ({"language": "tlh"}, "Language must be one of"),
    "no language": ({"language": ""}, "Language "),
    "a name without end": ({"firstname": "a" * 300}, "Firstname "),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_cannot_be_saved_is_said_and_nothing_is(what: str, server: Server, browser: Browser, ann: Human) -> None:
    fields, words = WRONG[what]
    before = value(server, ann, "version")
    page = save(browser, **{"lastname": "Kept & shown", **fields})
    assert (page.status, words in page.text, value(server, ann, "version")) == (422, True, before)
    assert page.form("/account/profile").fields["lastname"] == "Kept & shown"


def test_no_form_changes_what_is_not_in_it(server: Server, browser: Browser, ann: Human) -> None:
    before = server.database.write_now(ann.environment_id, lambda tx: row(tx, ann))
    page = save(browser, role="admin", email="boss@example.com", status="invited", card_visibility="linked", id="1", mfa_enabled="1")
    after = server.database.write_now(ann.environment_id, lambda tx: row(tx, ann))
    assert page.status == 200
    assert {name: after[name] for name in ("role", "email", "status", "card_visibility", "id", "mfa_enabled")} == {
        name: before[name] for name in ("role", "email", "status", "card_visibility", "id", "mfa_enabled")
    }


def test_texts_of_people_are_shown_as_texts(browser: Browser) -> None:
    page = save(browser, firstname="<script>alert(1)</script>", lastname='"><b>')
    assert b"<script" not in page.answer.body
    assert b"<b>" not in page.answer.body
    assert page.form("/account/profile").fields["lastname"] == '"><b>'


# ── the password ──


def set_password(browser: Browser, current: str, password: str, again: str | None = None) -> Page:
    browser.open("/account")
    return browser.submit("/account/password", current=current, password=password, again=password if again is None else again)


def test_a_new_password_ends_all_other_sessions(server: Server, browser: Browser, ann: Human) -> None:
    other = logged_in(server, ann)
    page = set_password(browser, PASSWORD, NEW)
    assert (page.status, "The password is changed." in page.text) == (200, True)
    assert other.open("/account").address.endswith("/login?next=%2Faccount")
    assert browser.open("/account").address.endswith("/account")
    assert [log_in(browser_of(server), ann.email, password).status for password in (PASSWORD, NEW)] == [403, 200]


REFUSED = {
    "wrong old one": ("wrong password", NEW, NEW, 403),
    "no old one": ("", NEW, NEW, 403),
    "typed differently": (PASSWORD, NEW, NEW + "!", 422),
    "too short": (PASSWORD, "seven77", "seven77", 422),
    "too long": (PASSWORD, "x" * 1025, "x" * 1025, 422),
    "empty": (PASSWORD, "", "", 422),
}


@pytest.mark.parametrize("what", REFUSED)
def test_the_password_stays_when(what: str, server: Server, browser: Browser, ann: Human) -> None:
    current, password, again, status = REFUSED[what]
    before, other = value(server, ann, "password_hash"), logged_in(server, ann)
    page = set_password(browser, current, password, again)
    assert (page.status, page.answer.body.count(b'role="alert"')) == (status, 1)
    assert (value(server, ann, "password_hash"), len(sessions(server, ann))) == (before, 2)
    assert other.open("/account").address.endswith("/account")


def test_the_email_is_no_password(browser: Browser, ann: Human) -> None:
    assert set_password(browser, PASSWORD, ann.email).status == 422


def test_guessing_the_old_password_is_slowed_down_like_the_login(browser: Browser) -> None:
    limit = LIMITS["account"].amount
    statuses = [set_password(browser, "wrong password", NEW).status for _ in range(limit + 1)]
    assert statuses == [403] * limit + [429]
    page = set_password(browser, PASSWORD, NEW)
    assert (page.status, "retry-after" in page.answer.headers) == (429, True)


def test_a_user_without_a_password_has_no_form_for_one(server: Server, ann: Human) -> None:
    change(server, ann, password_hash=None, is_sso=True)
    page = logged_in(server, ann, "sso").open("/account")
    assert "/account/password" not in [form.action for form in page.forms]
    assert "have no password here" in page.text
    assert "single sign-on" in page.text


# ── the page itself ──


def test_every_field_has_a_label_and_no_page_needs_scripts(browser: Browser) -> None:
    for path in ("/login", "/account", "/account/factor", "/environments"):
        text = browser.open(path).answer.body.decode()
        assert "<script" not in text
        assert " style=" not in text
        fields = re.findall(r"<(?:input|select|textarea)\b[^>]*>", text)
        for field in (field for field in fields if 'type="hidden"' not in field):
            id = re.search(r'\bid="([^"]+)"', field)
            assert "aria-label=" in field or (id and f'for="{id[1]}"' in text), f"{path}: {field} has no label"
            assert "autocomplete=" in field, f"{path}: {field} does not say what a browser may fill in"
