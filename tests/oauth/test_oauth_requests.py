"""Requests with a token of an app: the role is its user's, the limit is the app's in one environment; and what is public of us.

To see it fail: let `actor_of` in identity/tokens.py count by grant, or leave a key out of `metadata`.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from authlib.oauth2 import rfc8414, rfc9207
from joserfc import jwt
from joserfc.jwk import KeySet
from tests.client import Answer, Loop
from tests.oauth.connecting import new_app, new_visit, nobody
from tests.server import Server, running, scratch_database, settings_for
from tests.world import World

from planwerk.oauth.rfc8414_metadata import metadata
from planwerk.settings import Settings


@pytest.fixture(scope="module")
def strict(backend: str, tmp_path_factory: pytest.TempPathFactory, loop: Loop) -> Iterator[Server]:
    """A server that lets each credential ask three times an hour."""
    folder: Path = tmp_path_factory.mktemp("strict")
    with scratch_database(backend, folder) as url, running(loop, settings_for(url, folder, rate_limit="3/hour")) as server:
        yield server


def ask(server: Server, tokens: dict[str, Any], method: str = "GET", body: Any = None) -> Answer:
    client = replace(nobody(server), headers={"authorization": f"Bearer {tokens['access_token']}"})
    return client.ask("POST", "/v1/board", body) if method == "POST" else client.ask("GET", "/v1/board")


def test_an_app_and_an_environment_share_one_limit(strict: Server) -> None:
    tenant, other_tenant = strict.tenant(), strict.tenant()
    app, other_app = new_app(strict, strict.tenant("developer")), new_app(strict, strict.tenant("developer"))
    first, second, elsewhere = new_visit(strict, tenant), new_visit(strict, tenant), new_visit(strict, other_tenant)
    tokens = [first.tokens(app), second.tokens(app), first.tokens(app)]
    answers = [ask(strict, item) for item in tokens]
    assert [answer.headers["ratelimit-remaining"] for answer in answers] == ["2", "1", "0"]
    assert {answer.headers["ratelimit-limit"] for answer in answers} == {"3"}
    assert [ask(strict, item).status for item in tokens] == [429] * 3
    assert [ask(strict, item).status for item in (elsewhere.tokens(app), first.tokens(other_app))] == [200, 200]


def test_the_browser_of_a_user_is_not_counted(strict: Server) -> None:
    visit = new_visit(strict, strict.tenant())
    answers = [visit.user.client.ask("GET", "/v1/board") for _ in range(5)]
    assert {answer.status for answer in answers} == {200}
    assert not any(name.startswith("ratelimit") for answer in answers for name in answer.headers)


@pytest.mark.parametrize(("role", "status"), [("guest", 403), ("member", 403), ("manager", 201), ("admin", 201)])
def test_a_token_has_the_role_that_its_user_has_now(role: str, status: int, server: Server, world: World) -> None:
    app, visit = new_app(server, server.tenant("developer")), new_visit(server, world, "admin")
    tokens = visit.tokens(app)
    visit.write(f"UPDATE \"user\" SET role = '{role}' WHERE environment_id = {{environment}} AND id = '{visit.user.id}'")
    app.status(tokens)  # forgets what PostgreSQL remembers
    assert ask(server, tokens, "POST", {"name": "x"}).status == status


def test_a_token_is_good_in_its_own_environment_only(server: Server, world: World) -> None:
    app, visit = new_app(server, world), new_visit(server, server.tenant())
    assert world.id("board")
    assert ask(server, visit.tokens(app)).json["count"] == 0


# ── what is public ──


def test_the_metadata_is_what_the_standards_ask_for() -> None:
    """RFC 8414, section 2, and RFC 9207, section 3, judged by Authlib."""
    described = rfc8414.AuthorizationServerMetadata(metadata(Settings(public_url="https://plan.example/")))
    described.validate(metadata_classes=[rfc9207.AuthorizationServerMetadata])
    assert described["issuer"] == "https://plan.example"


def test_every_address_of_the_metadata_answers(server: Server) -> None:
    client = nobody(server)
    answer = client.ask("GET", "/.well-known/oauth-authorization-server")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    named = {name: value.removeprefix("http://127.0.0.1:8080") for name, value in answer.json.items() if isinstance(value, str)}
    assert client.ask("GET", named["jwks_uri"]).status == 200
    assert client.ask("GET", named["authorization_endpoint"]).status == 400
    assert [client.ask("POST", named[f"{name}_endpoint"]).status for name in ("token", "revocation")] == [415, 415]
    assert client.ask("GET", named["service_documentation"]).status == 200


def test_the_public_keys_verify_a_token(server: Server, world: World) -> None:
    app, visit = new_app(server, server.tenant("developer")), new_visit(server, world)
    token = visit.tokens(app)["access_token"]
    answer = nobody(server).ask("GET", "/.well-known/jwks.json")
    assert not any("d" in key for key in answer.json["keys"])
    assert jwt.decode(token, KeySet.import_key_set(answer.json), algorithms=["ES256"]).claims["sub"] == visit.user.id
