"""Who is logged in by single sign-on: which user a person is, who becomes one, and in which role.

To see these fail: in identity/openid_users.py let `verified_user` forget a condition, take `min` for `max` in `role_of`, or let
`kept_role` return the claim's word at once.
"""

import threading
from collections.abc import Callable
from typing import Any

import pytest
import structlog
from tests.server import OBJECTS
from tests.visiting import Browser
from tests.web.single_sign_on import EVA, Company, company, database_url, found_company, provider, refuses

__all__ = ["company", "database_url", "found_company", "provider"]

EMAIL = str(EVA["email"])


# ── a person whom nobody knows ──


def test_a_new_person_becomes_an_active_user_with_the_names_of_the_claims(company: Company) -> None:
    said: dict[str, Any] = {
        "given_name": "Eva",
        "family_name": "Smit",
        "name": "Dr. Eva Smit",
        "locale": "de-AT",
        "zoneinfo": "Europe/Vienna",
    }
    company.log_in(**said)
    user = company.user(EMAIL)
    expected = {"firstname": "Eva", "lastname": "Smit", "fullname": "Dr. Eva Smit", "language": "de", "timezone": "Europe/Vienna"}
    assert {name: user[name] for name in expected} == expected
    assert (user["username"], user["status"], user["role"], user["idp_id"], user["is_sso"]) == (EMAIL, "active", "member", "s-1", 1)
    assert user["password_hash"] is None


def test_a_full_name_is_put_together_and_claims_that_fit_nowhere_are_left_out(company: Company) -> None:
    company.log_in(given_name="Eva", family_name="Smit", locale="tlh", zoneinfo="Moon/Crater", name=7)
    user = company.user(EMAIL)
    assert (user["fullname"], user["language"], user["timezone"]) == ("Eva Smit", "nl", None)


@pytest.mark.parametrize(
    "said",
    [{"email": None}, {"email": "nobody"}, {"email": ["eva@example.com"]}, {"email_verified": False}, {"email_verified": "false"}],
    ids=lambda said: repr(said),
)
def test_a_new_person_needs_an_address_that_the_provider_does_not_doubt(company: Company, said: dict[str, Any]) -> None:
    company.provider.userinfo = {"sub": "s-1"}
    before = company.written()
    assert refuses(company, company.log_in(**said), before)


def test_capitals_in_the_address_of_a_new_person_are_not_kept(company: Company) -> None:
    company.log_in(email=EMAIL.upper())
    assert company.user(EMAIL)["username"] == EMAIL


def test_a_new_person_whose_address_is_neither_verified_nor_doubted_is_let_in(company: Company) -> None:
    company.provider.userinfo = {"sub": "s-1"}
    company.log_in(email_verified=None)
    assert company.user(EMAIL)["idp_id"] == "s-1"


def test_without_a_role_nobody_becomes_a_user(found_company: Callable[..., Company]) -> None:
    company = found_company()
    before = company.written()
    assert refuses(company, company.log_in(), before)


def test_a_new_person_whom_several_logins_bring_at_once_is_made_once(company: Company) -> None:
    browsers = [company.browser() for _ in range(6)]
    pages = [browser.open("/login/sso") for browser in browsers]
    addresses = [page.answer.headers["location"] for page in pages]
    said = [{**EVA, "email": f"eva.{number}@example.com"} for number in range(6)]
    callbacks = [company.provider.approve(address, **claims) for address, claims in zip(addresses, said, strict=True)]
    barrier = threading.Barrier(6)

    def arrive(browser: Browser, callback: str) -> None:
        barrier.wait()
        browser.open(callback)

    threads = [threading.Thread(target=arrive, args=pair) for pair in zip(browsers, callbacks, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert company.server.count(company.environment_id, "user") == 1


# ── a user who is known ──


def test_a_person_who_comes_back_is_the_same_user_whatever_the_address_is_now(company: Company) -> None:
    company.log_in()
    first, browser = company.user(EMAIL), company.browser()
    company.log_in(browser, email="eva.smit@example.com", email_verified=False)
    visitor = company.visitor(browser)
    assert visitor is not None
    assert (visitor.user_id, visitor.email) == (first["id"], EMAIL)
    assert company.server.count(company.environment_id, "user") == 1
    assert company.user(EMAIL)["version"] == first["version"]


@pytest.mark.parametrize("status", ["active", "invited"])
@pytest.mark.parametrize(("email", "verified"), [(EMAIL, True), ("Eva@Example.com", "true")])
def test_a_verified_address_links_a_person_to_its_user(company: Company, status: str, email: str, verified: Any) -> None:
    known = company.add_user(EMAIL, status=status, role="manager", password_hash="a hash")
    invitation = company.write(lambda tx: tx.insert(OBJECTS["invitation"], {"user_id": known["id"], "expires_at": "2099-01-01T00:00:00Z"}))
    browser = company.browser()
    company.log_in(browser, email=email, email_verified=verified)
    visitor, user = company.visitor(browser), company.user(EMAIL)
    assert visitor is not None
    assert visitor.user_id == known["id"]
    assert (user["status"], user["role"], user["is_sso"], user["idp_id"]) == ("active", "manager", 1, "s-1")
    assert user["password_hash"] == "a hash"
    is_open = company.write(lambda tx: tx.first(OBJECTS["invitation"], id=invitation["id"])) is not None
    assert is_open == (status == "active")


@pytest.mark.parametrize("verified", [None, False, "false", 0, "yes", [True]])
def test_an_address_that_is_not_verified_links_nobody(company: Company, verified: Any) -> None:
    company.provider.userinfo = {"sub": "s-1"}
    company.add_user(EMAIL)
    before = company.written()
    assert refuses(company, company.log_in(email_verified=verified), before)


def test_the_address_of_a_linked_user_links_no_second_person(company: Company) -> None:
    company.log_in()
    before = company.written()
    assert refuses(company, company.log_in(sub="s-2"), before)


def test_names_of_another_provider_mean_nobody_at_this_one(company: Company) -> None:
    theirs = company.add_user("theirs@example.com", idp_id="s-1", idp_issuer="https://older.example", is_sso=True)
    mine = company.add_user(EMAIL, idp_id="s-9", idp_issuer="https://older.example", is_sso=True)
    browser = company.browser()
    company.log_in(browser)
    visitor = company.visitor(browser)
    assert visitor is not None
    assert visitor.user_id == mine["id"] != theirs["id"]
    assert (company.user(EMAIL)["idp_id"], company.user(EMAIL)["idp_issuer"]) == ("s-1", company.provider.issuer)


@pytest.mark.parametrize("values", [{"idp_id": "s-1"}, {}], ids=["linked", "by address"])
def test_an_archived_user_is_refused(company: Company, values: dict[str, Any]) -> None:
    linked = {**values, "idp_issuer": company.provider.issuer} if values else {}
    company.add_user(EMAIL, archived_at="2026-01-01T00:00:00Z", **linked)
    before = company.written()
    assert refuses(company, company.log_in(), before)


def test_a_deleted_user_is_nobody(company: Company) -> None:
    company.log_in()
    first = company.user(EMAIL)
    company.add_user("boss@example.com", role="admin")
    company.write(lambda tx: tx.delete(OBJECTS["user"], first))
    company.log_in()
    assert company.user(EMAIL)["id"] != first["id"]


def test_a_user_of_another_environment_is_not_meant(company: Company, found_company: Callable[..., Company]) -> None:
    elsewhere = found_company()
    elsewhere.add_user(EMAIL, role="admin", idp_id="s-1", idp_issuer=company.provider.issuer)
    before = elsewhere.written()[0]
    company.log_in()
    assert company.user(EMAIL)["role"] == "member"
    assert elsewhere.written()[0] == before


# ── roles ──

NESTED = "realm_access.roles"
ROLES: list[tuple[str, dict[str, Any], str]] = [
    ("role", {"role": "admin"}, "admin"),
    ("role", {"role": "Manager"}, "manager"),
    ("role", {"role": "administrator"}, "admin"),
    ("role", {"role": "planner"}, "organiser"),
    ("role", {"role": "worker"}, "member"),
    ("groups", {"groups": ["staff", "guest", "organiser", "member"]}, "organiser"),
    ("groups", {"groups": {"manager": {"7": "example.com"}}}, "manager"),
    (NESTED, {"realm_access": {"roles": ["offline_access", "manager"]}}, "manager"),
    ("https://example.com/roles", {"https://example.com/roles": ["member"]}, "member"),
]


@pytest.mark.parametrize(("claim", "said", "role"), ROLES)
def test_the_claim_names_the_role(found_company: Callable[..., Company], claim: str, said: dict[str, Any], role: str) -> None:
    company = found_company(oidc_role_claim=claim)
    company.log_in(**said)
    assert company.user(EMAIL)["role"] == role


@pytest.mark.parametrize(
    "said", [{}, {"groups": []}, {"groups": "boss"}, {"groups": ["Boss", 5, None]}, {"groups": 5}, {"groups": "admin,guest"}]
)
def test_a_claim_that_names_no_role_lets_nobody_in(found_company: Callable[..., Company], said: dict[str, Any]) -> None:
    company = found_company(oidc_role_claim="groups")
    company.provider.userinfo = {"sub": "s-1"}
    company.add_user("linked@example.com", idp_id="s-3", idp_issuer=company.provider.issuer)
    before = company.written()
    assert refuses(company, company.log_in(**said), before)
    assert refuses(company, company.log_in(sub="s-3", **said), before)


def test_the_default_stands_in_for_a_claim_that_names_no_role(found_company: Callable[..., Company]) -> None:
    company = found_company(oidc_role_claim="groups", oidc_default_role="guest")
    company.log_in(groups=["manager"])
    assert company.user(EMAIL)["role"] == "manager"
    company.log_in(groups=["staff"])
    assert company.user(EMAIL)["role"] == "guest"


def test_the_claim_changes_the_role_at_each_login(found_company: Callable[..., Company]) -> None:
    company = found_company(oidc_role_claim="role")
    for role in ("member", "organiser", "guest"):
        company.log_in(role=role)
        assert company.user(EMAIL)["role"] == role


def test_without_a_claim_the_role_is_what_an_admin_has_set(company: Company) -> None:
    company.add_user(EMAIL, role="manager")
    company.log_in(role="admin")
    assert company.user(EMAIL)["role"] == "manager"


def test_the_last_admin_is_not_demoted_by_a_claim(found_company: Callable[..., Company]) -> None:
    company = found_company(oidc_role_claim="role")
    company.log_in(role="admin")
    company.add_user("archived@example.com", role="admin", archived_at="2026-01-01T00:00:00Z")
    company.add_user("invited@example.com", role="admin", status="invited")
    with structlog.testing.capture_logs() as lines:
        browser = company.browser()
        company.log_in(browser, role="guest")
    assert company.visitor(browser) is not None
    assert company.user(EMAIL)["role"] == "admin"
    assert [line["event"] for line in lines] == ["the last admin keeps that role"]
    company.add_user("second@example.com", role="admin")
    company.log_in(role="guest")
    assert company.user(EMAIL)["role"] == "guest"


# ── claims that come from the provider's list ──


def test_what_the_token_does_not_say_is_asked_for(found_company: Callable[..., Company]) -> None:
    company = found_company(oidc_role_claim=NESTED)
    company.provider.userinfo = {**EVA, "given_name": "Eva", "realm_access": {"roles": ["planner"]}}
    company.log_in(email=None, email_verified=None)
    assert (company.user(EMAIL)["role"], company.user(EMAIL)["firstname"]) == ("organiser", "Eva")


def test_a_list_of_claims_is_not_asked_for_without_need(company: Company) -> None:
    company.log_in()
    assert "/userinfo" not in company.provider.asked


@pytest.mark.parametrize(
    "listed",
    [
        {"sub": "s-2", **{name: EVA[name] for name in ("email", "email_verified")}},
        {"sub": "s-1", "email": "me@example.com", "email_verified": True},
    ],
    ids=["of somebody else", "of another address"],
)
def test_a_list_cannot_vouch_for_another_person_or_address(company: Company, listed: dict[str, Any]) -> None:
    company.provider.userinfo = listed
    company.add_user(EMAIL)
    before = company.written()
    assert refuses(company, company.log_in(email_verified=None), before)
