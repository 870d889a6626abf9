"""Access tokens: what is no token of this server for this user is refused in the same words, and a token follows its user.

To see them fail: let `jwt.decode` choose the algorithm; leave out the audience, the issuer or the environment in `Tokens.judge` and
`Tokens.find`; remember a token without the version of what it depends on.
"""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from tests.client import ABSENT, Client
from tests.people import Person, person
from tests.server import OBJECTS, Server, Tenant, conformity

from planwerk.identity.sessions import close_session, close_sessions
from planwerk.identity.signing import ALGORITHM, signing_key
from planwerk.identity.tokens import OAUTH, WEB, WEB_TOKEN_SECONDS, audience, oauth_token
from planwerk.settings import public_url
from planwerk.store.statements import Statement
from planwerk.store.transaction import Transaction

Claims = dict[str, Any]
SUSPEND = Statement("UPDATE environment SET status = 'suspended' WHERE id = {environment}", {})


@dataclass(frozen=True)
class Forge:
    """What a forger may know: every claim of good tokens, and here even the server's key."""

    server: Server
    ann: Person
    bob: Person
    stranger: Person
    key: ECKey
    web: Claims
    oauth: Claims

    def sign(self, claims: Claims, key: ECKey | None = None, **header: Any) -> str:
        key = key or self.key
        named = {"alg": ALGORITHM, "kid": key.kid, "typ": "JWT", **header}
        return jwt.encode({name: value for name, value in named.items() if value is not None}, claims, key, algorithms=[ALGORITHM])


@pytest.fixture(scope="module")
def tenant(server: Server) -> Tenant:
    return server.tenant()


@pytest.fixture(scope="module")
def forge(server: Server, tenant: Tenant) -> Forge:
    ann, bob, stranger = person(server, tenant, "admin"), person(server, tenant, "admin"), person(server, server.tenant(), "admin")

    def work(tx: Transaction) -> tuple[ECKey, str]:
        client = tx.insert(OBJECTS["oauth_client"], {"name": "an app"})
        values = {"client_id": client["id"], "client_environment_id": tx.environment_id, "user_id": ann.id}
        return signing_key(tx), oauth_token(tx, tx.insert(OBJECTS["oauth_grant"], values))

    key, oauth = server.database.write_now(tenant.environment.id, work)
    return Forge(server, ann, bob, stranger, key, claims_of(token_of(ann.client)), claims_of(oauth))


def token_of(client: Client) -> str:
    return client.headers["authorization"].removeprefix("Bearer ")


def claims_of(token: str) -> Claims:
    found: Claims = orjson.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    return found


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(value)).rstrip(b"=").decode()


def with_public_key(forge: Forge, claims: Claims) -> str:
    """HS256 with what everybody may read (the confusion of algorithms)."""
    head = f"{part({'alg': 'HS256', 'kid': forge.key.kid, 'typ': 'JWT'})}.{part(claims)}"
    digest = hmac.new(forge.key.as_pem(private=False), head.encode(), hashlib.sha256).digest()
    return f"{head}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def unsigned(forge: Forge, claims: Claims) -> str:
    return f"{part({'alg': 'none', 'kid': forge.key.kid, 'typ': 'JWT'})}.{part(claims)}."


def ask(server: Server, token: str) -> Any:
    client = Client(server.app, server.loop, conformity(), {"authorization": f"Bearer {token}"})
    return client.ask("GET", "/v1/board")


def test_what_the_forger_starts_from_is_good(forge: Forge) -> None:
    for claims in (forge.web, forge.oauth):
        assert ask(forge.server, forge.sign(claims)).status == 200


Make = Callable[[Forge, Claims], str]
NEW_KEY = ECKey.generate_key("P-256", {"kid": "00000000-0000-4000-8000-000000000000"})

FORGED: dict[str, Make] = {
    "no signature": lambda forge, claims: unsigned(forge, claims),
    "signed with the public key": with_public_key,
    "a key of the forger": lambda forge, claims: forge.sign(claims, NEW_KEY),
    "a key of the forger under our name": lambda forge, claims: forge.sign(claims, NEW_KEY, kid=forge.key.kid),
    "a key of the forger in the header": lambda forge, claims: forge.sign(claims, NEW_KEY, jwk=NEW_KEY.as_dict(private=False)),
    "no name of a key, and a key of the forger": lambda forge, claims: forge.sign(claims, NEW_KEY, kid=None),
    "expired by a second": lambda forge, claims: forge.sign({**claims, "exp": int(time.time()) - 1}),
    "longer than ours live": lambda forge, claims: forge.sign({**claims, "exp": claims["iat"] + lifetime(forge, claims) + 1}),
    "an end at no time": lambda forge, claims: forge.sign({**claims, "exp": float("inf")}),
    "without an end": lambda forge, claims: forge.sign(without(claims, "exp")),
    "from the future": lambda forge, claims: forge.sign({**claims, "iat": int(time.time()) + 120, "exp": int(time.time()) + 400}),
    "without a beginning": lambda forge, claims: forge.sign(without(claims, "iat")),
    "another audience": lambda forge, claims: forge.sign({**claims, "aud": "https://elsewhere.example/v1"}),
    "the audience of nothing here": lambda forge, claims: forge.sign({**claims, "aud": audience(forge.server.settings, "v2")}),
    "several audiences": lambda forge, claims: forge.sign({**claims, "aud": [claims["aud"]]}),
    "without an audience": lambda forge, claims: forge.sign(without(claims, "aud")),
    "the audience of the other kind": lambda forge, claims: forge.sign({**claims, "aud": swapped(forge, claims)}),
    "another issuer": lambda forge, claims: forge.sign({**claims, "iss": "https://elsewhere.example"}),
    "another environment": lambda forge, claims: forge.sign(
        {**claims, "environment": claims_of(token_of(forge.stranger.client))["environment"]}
    ),
    "no environment": lambda forge, claims: forge.sign(without(claims, "environment")),
    "another user": lambda forge, claims: forge.sign({**claims, "sub": forge.bob.id}),
    "a session or grant that never was": lambda forge, claims: forge.sign({**claims, "session": NEW_KEY.kid, "grant": NEW_KEY.kid}),
    "other claims under the same signature": lambda forge, claims: altered(forge.sign(claims), {**claims, "sub": forge.bob.id}),
    "a signature that is cut": lambda forge, claims: forge.sign(claims)[:-4],
    "a token twice": lambda forge, claims: f"{forge.sign(claims)} {forge.sign(claims)}",
    "nothing": lambda forge, claims: "",
    "three dots": lambda forge, claims: "...",
    "no base64": lambda forge, claims: "!!.!!.!!",
    "nonsense": lambda forge, claims: "nonsense " * 500,
}


def without(claims: Claims, name: str) -> Claims:
    return {key: value for key, value in claims.items() if key != name}


def lifetime(forge: Forge, claims: Claims) -> int:
    return WEB_TOKEN_SECONDS if claims["aud"].endswith(f"/{WEB}") else forge.server.settings.access_token_seconds


def swapped(forge: Forge, claims: Claims) -> str:
    return audience(forge.server.settings, OAUTH if claims["aud"].endswith(f"/{WEB}") else WEB)


def altered(token: str, claims: Claims) -> str:
    head, _, signature = token.split(".")
    return f"{head}.{part(claims)}.{signature}"


@pytest.mark.parametrize("kind", [WEB, OAUTH])
@pytest.mark.parametrize("what", FORGED)
def test_what_is_no_token_is_refused_in_the_same_words(what: str, kind: str, forge: Forge) -> None:
    answer = ask(forge.server, FORGED[what](forge, forge.web if kind == WEB else forge.oauth))
    expected = {"code": 10002, "message": "Unauthorized", "description": "the access token is not valid", "property": None}
    assert [{name: value for name, value in fault.items() if name != "reference"} for fault in answer.json["errors"]] == [expected]
    assert (answer.status, answer.headers["www-authenticate"]) == (401, 'Bearer realm="Planwerk", error="invalid_token"')


def test_the_two_kinds_name_their_audience_and_no_secret(forge: Forge) -> None:
    where = public_url(forge.server.settings)
    assert (forge.web["aud"], forge.oauth["aud"]) == (f"{where}/web", f"{where}/v1")
    common = {"iss", "aud", "iat", "exp", "jti", "sub", "environment"}
    assert (set(forge.web), set(forge.oauth)) == (common | {"session"}, common | {"grant", "client_id"})
    assert forge.web["exp"] - forge.web["iat"] == 300


def test_another_scheme_is_no_bearer_token(forge: Forge) -> None:
    client = Client(forge.server.app, forge.server.loop, conformity(), {"authorization": f"Basic {forge.sign(forge.web)}"})
    assert client.refused("GET", "/v1/board") == (401, [10002])


# ── tokens follow ──


@pytest.fixture
def follower(server: Server) -> tuple[Tenant, Person]:
    """A user in an environment of its own, whose token has just been used. Another admin remains, for one must."""
    tenant = server.tenant()
    person(server, tenant, "admin")
    who = person(server, tenant, "admin")
    assert who.client.ask("GET", "/v1/board").status == 200
    return tenant, who


def after(server: Server, client: Client, method: str, path: str, body: Any, status: int) -> int:
    """The status of a request; on PostgreSQL, where it may take a second, once it is the expected one."""
    is_patient = server.database.statements.dialect.name == "postgresql"
    end = time.monotonic() + 30
    while (found := client.ask(method, path, body).status) != status and is_patient and time.monotonic() < end:
        time.sleep(0.05)
    return found


def set_user(**values: Any) -> Callable[[Transaction, Person], Any]:
    def work(tx: Transaction, who: Person) -> None:
        user = tx.get(OBJECTS["user"], who.id)
        assert user is not None
        tx.update(OBJECTS["user"], user, values)

    return work


def end_session(tx: Transaction, who: Person) -> None:
    close_session(tx, claims_of(token_of(who.client))["session"])


def expire_session(tx: Transaction, who: Person) -> None:
    session = tx.get(OBJECTS["session"], claims_of(token_of(who.client))["session"])
    assert session is not None
    tx.update(OBJECTS["session"], session, {"expires_at": tx.now})


ENDS: dict[str, Callable[[Transaction, Person], Any]] = {
    "archived": set_user(archived_at="2026-01-01T00:00:00Z"),
    "deleted": set_user(deleted_at="2026-01-01T00:00:00Z"),
    "no longer active": set_user(status="invited"),
    "logged out": end_session,
    "logged out everywhere, as after a new password": lambda tx, who: close_sessions(tx, who.id),
    "idle for too long": expire_session,
}


@pytest.mark.parametrize("what", ENDS)
def test_a_token_ends_with_its_user_and_its_session(what: str, server: Server, follower: tuple[Tenant, Person]) -> None:
    tenant, who = follower
    server.database.write_now(tenant.environment.id, lambda tx: ENDS[what](tx, who))
    assert after(server, who.client, "GET", "/v1/board", ABSENT, 401) == 401


def test_a_token_ends_while_its_environment_is_suspended(server: Server, follower: tuple[Tenant, Person]) -> None:
    tenant, who = follower

    def work(tx: Transaction) -> None:
        tx.run_named(SUSPEND)
        tx.touched.add("environment")

    server.database.write_now(tenant.environment.id, work)
    assert after(server, who.client, "GET", "/v1/board", ABSENT, 401) == 401


def test_a_new_role_counts_at_the_next_request(server: Server, follower: tuple[Tenant, Person]) -> None:
    tenant, who = follower
    assert who.client.ask("POST", "/v1/board", {"name": "before"}).status == 201
    server.database.write_now(tenant.environment.id, lambda tx: set_user(role="guest")(tx, who))
    assert after(server, who.client, "POST", "/v1/board", {"name": "after"}, 403) == 403
    assert who.client.ask("GET", "/v1/board").status == 200


def test_others_keep_their_tokens(server: Server, follower: tuple[Tenant, Person]) -> None:
    tenant, who = follower
    other = person(server, tenant, "member")
    server.database.write_now(tenant.environment.id, lambda tx: close_sessions(tx, who.id))
    assert after(server, who.client, "GET", "/v1/board", ABSENT, 401) == 401
    assert other.client.ask("GET", "/v1/board").status == 200
