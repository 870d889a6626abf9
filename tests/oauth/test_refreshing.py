"""A refresh token works once; one that comes again late ends its whole family. An app ends it by giving a token back.

To see it fail: set GRACE_SECONDS in oauth/rfc6749_refresh.py to a day, or leave rotated_at out of CLAIM.
"""

import pytest
from tests.oauth.connecting import App, Visit, new_app, new_visit
from tests.server import Server
from tests.world import World

LATER = "UPDATE oauth_token SET rotated_at = '2026-01-01T00:00:00Z' WHERE environment_id = {environment} AND rotated_at IS NOT NULL"
EXPIRED = "UPDATE oauth_token SET expires_at = created_at WHERE environment_id = {environment}"


@pytest.fixture
def app(server: Server) -> App:
    return new_app(server, server.tenant("developer"))


@pytest.fixture
def visit(server: Server, world: World) -> Visit:
    return new_visit(server, world)


def test_a_refresh_token_gives_way_to_new_tokens(app: App, visit: Visit) -> None:
    first = visit.tokens(app)
    answer = app.refresh(first["refresh_token"])
    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    assert set(answer.json) == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert answer.json["refresh_token"] != first["refresh_token"]
    assert [app.status(tokens) for tokens in (first, answer.json)] == [200, 200]
    assert app.refresh(answer.json["refresh_token"]).status == 200


def test_within_ten_seconds_the_second_is_refused_and_nothing_more(app: App, visit: Visit) -> None:
    first = visit.tokens(app)
    second = app.refresh(first["refresh_token"]).json
    again = app.refresh(first["refresh_token"])
    assert (again.status, again.json["error"]) == (400, "invalid_grant")
    assert visit.reasons() == [None]
    assert app.refresh(second["refresh_token"]).status == 200


def test_later_the_whole_family_ends(app: App, visit: Visit) -> None:
    first = visit.tokens(app)
    second = app.refresh(first["refresh_token"]).json
    third = app.refresh(second["refresh_token"]).json
    visit.write(LATER)
    assert app.refresh(first["refresh_token"]).json["error"] == "invalid_grant"
    assert visit.reasons() == ["a refresh token was used twice"]
    assert app.refresh(third["refresh_token"]).json["error"] == "invalid_grant"
    assert [app.status(tokens) for tokens in (first, second, third)] == [401, 401, 401]


def test_a_replay_ends_no_other_connection_of_the_user(app: App, visit: Visit) -> None:
    first, other = visit.tokens(app), visit.tokens(app)
    app.refresh(first["refresh_token"])
    visit.write(LATER)
    app.refresh(first["refresh_token"])
    assert visit.reasons() == ["a refresh token was used twice", None]
    assert app.refresh(other["refresh_token"]).status == 200


def test_another_app_can_neither_use_nor_end_it(app: App, visit: Visit, server: Server) -> None:
    other = new_app(server, server.tenant("another developer"))
    tokens = visit.tokens(app)
    assert other.refresh(tokens["refresh_token"]).json["error"] == "invalid_grant"
    app.refresh(tokens["refresh_token"])
    visit.write(LATER)
    assert other.refresh(tokens["refresh_token"]).json["error"] == "invalid_grant"
    assert visit.reasons() == [None]


def test_after_thirty_days_it_is_void(app: App, visit: Visit) -> None:
    tokens = visit.tokens(app)
    visit.write(EXPIRED)
    assert app.refresh(tokens["refresh_token"]).json["error"] == "invalid_grant"
    assert visit.reasons() == [None]


def test_scopes_are_ignored(app: App, visit: Visit) -> None:
    assert app.refresh(visit.tokens(app)["refresh_token"], scope="everything").status == 200


def test_the_exchange_is_the_last_use_of_a_connection(app: App, visit: Visit, server: Server) -> None:
    visit.code(app)
    visit.tokens(app)
    text = f"SELECT last_used_at IS NULL FROM oauth_grant WHERE environment_id = '{visit.environment_id}' ORDER BY id"
    assert [bool(row[0]) for row in server.database.query(text)] == [True, False]


# ── giving tokens back ──


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
@pytest.mark.parametrize("hint", ["", "access_token", "refresh_token", "another"])
def test_a_token_that_is_given_back_ends_the_connection(kind: str, hint: str, app: App, visit: Visit) -> None:
    tokens = visit.tokens(app)
    answer = app.revoke(tokens[kind], token_type_hint=hint)
    assert (answer.status, answer.json, answer.headers["cache-control"]) == (200, {}, "no-store")
    assert visit.reasons() == ["the app gave its token back"]
    assert app.status(tokens) == 401
    assert app.refresh(tokens["refresh_token"]).json["error"] == "invalid_grant"


def test_a_rotated_token_ends_the_connection_when_given_back(app: App, visit: Visit) -> None:
    first = visit.tokens(app)
    second = app.refresh(first["refresh_token"]).json
    app.revoke(first["refresh_token"])
    assert app.status(second) == 401


NOTHING = ("x" * 64, "x", "a.b.c", "é" * 64, "AAAAAAAAQACAAAAAAAAAAQ" + "A" * 42)


@pytest.mark.parametrize("token", NOTHING)
def test_a_token_that_is_none_is_answered_alike(token: str, app: App) -> None:
    """RFC 7009, section 2.2."""
    answer = app.revoke(token)
    assert (answer.status, answer.json) == (200, {})


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_another_app_learns_nothing_and_ends_nothing(kind: str, app: App, visit: Visit, server: Server) -> None:
    other = new_app(server, server.tenant("another developer"))
    tokens = visit.tokens(app)
    answer = other.revoke(tokens[kind])
    assert (answer.status, answer.json) == (200, {})
    assert app.status(tokens) == 200


def test_the_token_of_a_browser_is_none_of_an_app(app: App, visit: Visit) -> None:
    token = visit.user.client.headers["authorization"].removeprefix("Bearer ")
    assert app.revoke(token).status == 200
    assert visit.user.client.ask("GET", "/v1/board").status == 200


def test_only_an_app_that_proves_itself_may_give_back(app: App, visit: Visit) -> None:
    tokens = visit.tokens(app)
    assert app.revoke(tokens["refresh_token"], client_secret="wrong").json["error"] == "invalid_client"
    assert app.revoke("").json["error"] == "invalid_request"
    assert app.status(tokens) == 200
