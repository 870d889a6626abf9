"""A code is good once, for a minute, for one app, address and verifier.

To see it fail: leave a condition out of CLAIM in oauth/rfc6749_code.py or of Pkce, or let `check_redirect_uri` compare loosely.
"""

import base64
from typing import Any

import orjson
import pytest
from tests.oauth.connecting import BACK, VERIFIER, App, Visit, challenge, new_app, new_visit, returned
from tests.server import Server
from tests.world import World


@pytest.fixture
def app(server: Server) -> App:
    """An app that a tenant of its own has registered."""
    return new_app(server, server.tenant("developer"))


@pytest.fixture
def visit(server: Server, world: World) -> Visit:
    return new_visit(server, world)


def test_a_code_gives_tokens(app: App, visit: Visit) -> None:
    answer = app.exchange(visit.code(app))
    assert answer.status == 200
    assert set(answer.json) == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert (answer.json["token_type"], answer.json["expires_in"]) == ("Bearer", 3600)
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")
    assert "reference-tag" in answer.headers
    assert app.status(answer.json) == 200


@pytest.mark.parametrize("prefix", ["/v1/oauth", "/api/v1/oauth"])
def test_both_spellings_of_the_paths_work(prefix: str, app: App, visit: Visit) -> None:
    visit.browser.open(app.address(f"{prefix}/authorize"))
    assert visit.browser.page.address.startswith(f"http://127.0.0.1:8080{prefix}/authorize")
    code = returned(visit.browser.submit(button=("decision", "allow")))["code"]
    body = f"grant_type=authorization_code&code={code}&redirect_uri={BACK}&code_verifier={VERIFIER}&client_id={app.id}"
    kind = {"content-type": "application/x-www-form-urlencoded"}
    client = visit.browser.client
    tokens = client.ask("POST", f"{prefix}/token", f"{body}&client_secret={app.secret}".encode(), kind)
    assert tokens.status == 200
    gone = f"token={tokens.json['refresh_token']}&client_id={app.id}&client_secret={app.secret}".encode()
    assert client.ask("POST", f"{prefix}/revoke", gone, kind).status == 200


def test_a_code_works_once_and_a_second_time_ends_the_connection(app: App, visit: Visit) -> None:
    code = visit.code(app)
    tokens = app.exchange(code).json
    assert app.status(tokens) == 200
    again = app.exchange(code)
    assert (again.status, again.json["error"]) == (400, "invalid_grant")
    assert visit.reasons() == ["a code was used twice"]
    assert app.status(tokens) == 401
    assert app.refresh(tokens["refresh_token"]).json["error"] == "invalid_grant"


def test_whoever_cannot_prove_themselves_does_not_end_a_connection_with_a_used_code(app: App, visit: Visit) -> None:
    code = visit.code(app)
    tokens = app.exchange(code).json
    assert app.exchange(code, client_secret="wrong").status == 401
    assert app.exchange(code, code_verifier=VERIFIER[::-1]).status == 400
    assert app.status(tokens) == 200


def test_a_failed_exchange_leaves_the_code_good(app: App, visit: Visit) -> None:
    code = visit.code(app)
    assert app.exchange(code, code_verifier=VERIFIER[::-1]).status == 400
    assert app.exchange(code).status == 200


def test_two_codes_at_once_are_two_connections(app: App, visit: Visit) -> None:
    first, second = visit.code(app), visit.code(app)
    tokens = [app.exchange(code).json for code in (first, second)]
    app.exchange(first)
    assert [app.status(item) for item in tokens] == [401, 200]


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a wrong verifier": ({"code_verifier": VERIFIER[::-1]}, "invalid_grant"),
    "no verifier": ({"code_verifier": ""}, "invalid_request"),
    "the challenge as its verifier": ({"code_verifier": challenge()}, "invalid_grant"),
    "a short verifier": ({"code_verifier": "short"}, "invalid_request"),
    "another address by one character": ({"redirect_uri": BACK[:-1]}, "invalid_grant"),
    "an address in capitals": ({"redirect_uri": BACK.replace("back", "Back")}, "invalid_grant"),
    "a host in capitals": ({"redirect_uri": BACK.replace("app", "APP")}, "invalid_grant"),
    "a slash more": ({"redirect_uri": BACK + "/"}, "invalid_grant"),
    "an escaped letter": ({"redirect_uri": BACK.replace("app.", "app%2e")}, "invalid_grant"),
    "no address": ({"redirect_uri": ""}, "invalid_grant"),
    "no code": ({"code": ""}, "invalid_request"),
    "a code that is none": ({"code": "x" * 64}, "invalid_grant"),
    "a code with a null": ({"code": "x\x00" * 32}, "invalid_grant"),
}


@pytest.mark.parametrize("scenario", WRONG)
def test_a_code_is_bound_to_what_it_was_asked_with(scenario: str, app: App, visit: Visit) -> None:
    changed, error = WRONG[scenario]
    answer = app.exchange(visit.code(app), **changed)
    assert (answer.status, answer.json["error"]) == (400, error)
    assert visit.reasons() == [None]


def test_a_code_is_of_no_use_to_another_app(app: App, visit: Visit, server: Server) -> None:
    other = new_app(server, server.tenant("another developer"))
    code = visit.code(app)
    assert other.exchange(code).json["error"] == "invalid_grant"
    assert app.exchange(code).status == 200


EXPIRED = "UPDATE oauth_code SET expires_at = created_at WHERE environment_id = {environment}"
GONE = {
    "a minute has passed": EXPIRED,
    "the user is archived": 'UPDATE "user" SET archived_at = created_at WHERE environment_id = {environment}',
    "the user is deleted": 'UPDATE "user" SET deleted_at = created_at WHERE environment_id = {environment}',
    "the user is invited again": "UPDATE \"user\" SET status = 'invited' WHERE environment_id = {environment}",
    "the environment is suspended": "UPDATE environment SET status = 'suspended' WHERE id = {environment}",
    "the connection is over": "UPDATE oauth_grant SET revoked_at = created_at WHERE environment_id = {environment}",
}


@pytest.mark.parametrize("scenario", GONE)
def test_a_code_is_void_when(scenario: str, app: App, visit: Visit) -> None:
    code = visit.code(app)
    visit.write(GONE[scenario])
    assert app.exchange(code).json["error"] == "invalid_grant"


@pytest.mark.parametrize("scenario", GONE)
def test_a_refresh_token_is_void_when(scenario: str, app: App, visit: Visit) -> None:
    tokens = visit.tokens(app)
    visit.write(GONE[scenario].replace("oauth_code", "oauth_token"))
    assert app.refresh(tokens["refresh_token"]).json["error"] == "invalid_grant"


def test_a_code_that_comes_again_after_its_minute_still_ends_the_connection(app: App, visit: Visit) -> None:
    code = visit.code(app)
    tokens = app.exchange(code).json
    visit.write(EXPIRED)
    app.exchange(code)
    assert app.status(tokens) == 401


def test_a_verifier_without_a_challenge_is_refused(server: Server, visit: Visit) -> None:
    """Somebody took the challenge out of the address on its way (RFC 9700, section 4.8.2)."""
    app = new_app(server, server.tenant("developer"), require_pkce=False)
    code = visit.code(app, code_challenge=None, code_challenge_method=None)
    assert app.exchange(code).json["error"] == "invalid_request"
    assert app.exchange(code, code_verifier="").status == 200


def test_what_an_app_registered_for_pkce_got_without_it_is_refused(server: Server, visit: Visit) -> None:
    tenant = server.tenant("developer")
    app = new_app(server, tenant, require_pkce=False)
    code = visit.code(app, code_challenge=None, code_challenge_method=None)
    owner = new_visit(server, tenant)
    owner.write(f"UPDATE oauth_client SET require_pkce = {'1' if 'sqlite' in server.settings.database else 'true'} WHERE id = '{app.id}'")
    assert app.exchange(code, code_verifier="").json["error"] == "invalid_grant"


def test_a_public_app_proves_itself_by_pkce_alone(server: Server, visit: Visit) -> None:
    app = new_app(server, server.tenant("developer"), is_public=True)
    code = visit.code(app)
    assert app.exchange(code, client_secret="any").status == 401
    assert app.exchange(code, code_verifier="").json["error"] == "invalid_request"
    answer = app.exchange(code)
    assert answer.status == 200
    assert app.refresh(answer.json["refresh_token"]).status == 200


def test_an_app_with_a_secret_must_send_it(app: App, visit: Visit) -> None:
    assert app.exchange(visit.code(app), client_secret="").status == 401


def test_http_basic_proves_an_app(app: App, visit: Visit) -> None:
    asked = {"grant_type": "authorization_code", "code": visit.code(app), "redirect_uri": BACK, "code_verifier": VERIFIER}
    assert app.ask("token", asked, app.basic).status == 200


def test_the_free_port_of_a_public_app_is_bound_by_the_code(server: Server, visit: Visit) -> None:
    """RFC 8252, section 7.3."""
    app = new_app(server, server.tenant("developer"), "http://127.0.0.1/back", is_public=True)
    code = visit.code(app, redirect_uri="http://127.0.0.1:51004/back")
    assert app.exchange(code, redirect_uri="http://127.0.0.1:51005/back").json["error"] == "invalid_grant"
    assert app.exchange(code, redirect_uri="http://127.0.0.1:51004/back").status == 200


def test_an_access_token_lives_as_long_as_it_says(app: App, visit: Visit) -> None:
    """Its claims are those of RFC 9068: who made it, for whom, for which app."""
    part = visit.tokens(app)["access_token"].split(".")[1]
    claims = orjson.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    assert claims["exp"] - claims["iat"] == 3600
    assert (claims["client_id"], claims["sub"], claims["environment"]) == (app.id, visit.user.id, visit.environment_id)
    assert (claims["iss"], claims["aud"]) == ("http://127.0.0.1:8080", "http://127.0.0.1:8080/v1")
