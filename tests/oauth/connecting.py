"""An app and a user of the tests: registering, logging in, allowing, fetching tokens, as an app and a browser would."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field as attribute, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.client import Answer, Client
from tests.connections import environment_of
from tests.people import Person, person
from tests.server import Server, Tenant, conformity
from tests.visiting import Browser, Page
from tests.world import World

from planwerk.oauth.clients import register
from planwerk.web.site import SESSION_COOKIE

BACK = "https://app.example/back"
VERIFIER = "a-verifier-of-43-characters-is-the-shortest"
FORM = "application/x-www-form-urlencoded"


def challenge(verifier: str = VERIFIER) -> str:
    """The challenge of a verifier by S256 (RFC 7636, section 4.2), made without the library that the server uses."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


PKCE = {"code_challenge": challenge(), "code_challenge_method": "S256"}


def nobody(server: Server) -> Client:
    """A client without any credential."""
    return Client(server.app, server.loop, conformity(), {})


@dataclass(frozen=True)
class App:
    """A registered app. `proof` are the parameters that prove it."""

    server: Server
    id: str
    secret: str | None
    redirect_uri: str = BACK

    @property
    def proof(self) -> dict[str, str]:
        return {"client_id": self.id} | ({"client_secret": self.secret} if self.secret else {})

    @property
    def basic(self) -> dict[str, str]:
        return {"authorization": "Basic " + base64.b64encode(f"{self.id}:{self.secret}".encode()).decode()}

    def address(self, path: str = "/v1/oauth/authorize", /, **changed: str | None) -> str:
        """Where the app sends a user; a parameter that is changed to None is left out."""
        asked = {"response_type": "code", "client_id": self.id, "redirect_uri": self.redirect_uri, "state": "xyz", **PKCE, **changed}
        return f"{path}?{urlencode({name: value for name, value in asked.items() if value is not None})}"

    def ask(self, endpoint: str, parameters: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Answer:
        """A form posted to /v1/oauth/`endpoint`, with nothing added."""
        body = urlencode(parameters).encode()
        return nobody(self.server).ask("POST", f"/v1/oauth/{endpoint}", body, {"content-type": FORM, **(headers or {})})

    def exchange(self, code: str, /, **changed: str) -> Answer:
        asked = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.redirect_uri, "code_verifier": VERIFIER}
        return self.ask("token", {**asked, **self.proof, **changed})

    def refresh(self, token: str, /, **changed: str) -> Answer:
        return self.ask("token", {"grant_type": "refresh_token", "refresh_token": token, **self.proof, **changed})

    def revoke(self, token: str, /, **changed: str) -> Answer:
        return self.ask("revoke", {"token": token, **self.proof, **changed})

    def status(self, tokens: Mapping[str, Any]) -> int:
        """What the API says to the access token of an answer, now: on PostgreSQL it may remember for a second what it saw."""
        if self.server.database.statements.dialect.name == "postgresql":
            self.server.app.api.callers.tokens.known.clear()
        client = replace(nobody(self.server), headers={"authorization": f"Bearer {tokens['access_token']}"})
        return client.ask("GET", "/v1/board").status


def new_app(server: Server, tenant: Tenant | World, *addresses: str, is_public: bool = False, require_pkce: bool = True) -> App:
    """An app that a tenant has registered."""
    uris = addresses or (BACK,)

    def work(tx: Any) -> tuple[Any, str | None]:
        return register(tx, "Some app", uris, is_public=is_public, require_pkce=require_pkce)

    row, secret = server.database.write_now(environment_of(tenant), work)
    return App(server, row["id"], secret, uris[0])


@dataclass
class Visit:
    """A user with a browser in which they are logged in."""

    server: Server
    environment_id: str
    user: Person
    browser: Browser = attribute(init=False)

    def __post_init__(self) -> None:
        self.browser = Browser(nobody(self.server))
        self.browser.cookies[SESSION_COOKIE] = self.user.cookie

    def decide(self, app: App, decision: str = "allow", fields: Mapping[str, str] | None = None, **changed: str | None) -> dict[str, str]:
        """Open the app's address and press a button; the parameters with which the browser is sent back."""
        self.browser.open(app.address(**changed))
        page = self.browser.submit(button=("decision", decision), **(fields or {}))
        return returned(page)

    def code(self, app: App, **changed: str | None) -> str:
        return self.decide(app, "allow", None, **changed)["code"]

    def tokens(self, app: App) -> dict[str, Any]:
        """The tokens of a new connection."""
        answer = app.exchange(self.code(app))
        assert answer.status == 200, answer.body
        found: dict[str, Any] = answer.json
        return found

    def write(self, text: str) -> None:
        """Change the environment's rows behind the server's back, as time would."""

        def work(tx: Any) -> None:
            tx.connection.execute(text.replace("{environment}", f"'{self.environment_id}'"), {})
            tx.touched |= {"oauth_grant", "oauth_code", "oauth_token", "user", "environment"}

        self.server.database.write_now(self.environment_id, work)

    def reasons(self) -> list[str | None]:
        """Why each connection of the environment ended, in the order they began; None: it lives."""
        text = f"SELECT reason FROM oauth_grant WHERE environment_id = '{self.environment_id}' ORDER BY id"
        return [row[0] for row in self.server.database.query(text)]


def returned(page: Page) -> dict[str, str]:
    """The parameters of the address that a browser was sent to."""
    assert page.status == 303, f"{page.status}: {page.text[:500]}"
    return dict(parse_qsl(urlsplit(page.answer.headers["location"]).query, keep_blank_values=True))


def new_visit(server: Server, tenant: Tenant | World, role: str = "member") -> Visit:
    return Visit(server, environment_of(tenant), person(server, tenant, role))
