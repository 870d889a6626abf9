"""What opens a door is neither stored nor logged: a whole day of keys, people and apps, and then a look at every byte.

Secrets are made in every way there is, used, and used wrongly; then the database, its write-ahead log and backup, the server's
log and every other file are searched for them. To see it fail: store a key beside its hash, log the headers of a refused
request, leave `hide_secrets` out of the log, or store a link with its mail.
"""

import base64
import hashlib
import json
import os
import re
from dataclasses import dataclass, field as attribute
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import psycopg
import pyotp
from tests.process.asking import Asker
from tests.process.browsing import browser_at
from tests.process.running import wait_until
from tests.process.serving import Place, Serving
from tests.server import with_name
from tests.visiting import Browser

from planwerk.identity.signing import PURPOSE
from planwerk.rules.keys import key_hash
from planwerk.secret import read_secret, unseal
from planwerk.web.site import SESSION_COOKIE

HANDED_OUT = ("first-run", "secret")  # the files that hold secrets, and are for the owner's eyes, begin so
BACK = "http://127.0.0.1:9/back"
EMAIL, PASSWORD, LATER = "jo@example.com", "four bees in a row", "five bees in a row"
VERIFIER = "a-verifier-of-43-characters-is-the-shortest"
FORM = {"content-type": "application/x-www-form-urlencoded"}


@dataclass
class Day:
    """One day at a server. `secrets` collects what was handed out, by name."""

    place: Place
    secrets: dict[str, str] = attribute(default_factory=dict)

    def result(self, *words: str) -> Any:
        done = self.place.command(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def keep(self, name: str, secret: str) -> str:
        assert secret, name
        self.secrets[name] = secret
        return secret

    # ── commands ──

    def use_commands(self) -> Any:
        """The app that was registered."""
        self.keep("key of the command line", self.result("key", "create")["api_key"])
        self.keep("password of the command line", self.result("user", "create", "--email", "a@example.com", "--role", "guest")["password"])
        app = self.result("app", "create", "--name", "Sync", "--redirect-uri", BACK)
        self.keep("first secret of the app", app["client_secret"])
        app = self.result("app", "rotate", app["client_id"])
        self.keep("secret of the app", app["client_secret"])
        self.result("keys", "rotate")
        return app

    # ── the API ──

    def use_api(self, server: Serving) -> str:
        """The path of an invitation."""
        with server.client() as asker:
            made = asker.ask("POST", "/v1/api_key", {"description": "ERP"}, idempotency_key="once").json
            self.keep("key of the API", made["key"])
            assert "key" not in asker.ask("POST", "/v1/api_key", {"description": "ERP"}, idempotency_key="once").json
            user = asker.value("POST", "/v1/user", {"email": EMAIL, "role": "admin"})
            link = self.keep_link("invitation", user["invite_link"])
        with server.client(**{"x-api-key": made["key"]}) as asker:
            assert asker.ask("POST", "/v1/order", {"external_ref": "a"}).status == 201
            assert asker.ask("POST", "/v1/order", {"quantity": "many"}).status == 422
            assert asker.ask("GET", f"/v1/order/{made['key']}").status == 404
        with server.client(**{"x-api-env": "0" * 40}) as stranger:
            assert stranger.ask("GET", "/v1/order").status == 401
        return link

    def keep_link(self, name: str, link: str) -> str:
        path = urlsplit(link).path
        self.keep(name, path.rpartition("/")[2])
        return path

    # ── pages ──

    def accept(self, browser: Browser, link: str) -> None:
        browser.open(link)
        browser.submit(password=self.keep("password", PASSWORD), again=PASSWORD)
        self.keep("cookie after the invitation", browser.cookies[SESSION_COOKIE])

    def turn_factor_on(self, browser: Browser) -> None:
        browser.open("/account/factor")
        page = browser.submit("/account/factor/propose", password=PASSWORD)
        secret = page.text.partition("type the secret into the app:")[2].partition("The code that")[0].replace(" ", "")
        self.keep("secret of the second factor", secret)
        page = browser.submit("/account/factor/confirm", code=pyotp.TOTP(secret).now())
        codes = [word for word in page.text.split() if len(word) == 19 and word.count("-") == 3]
        self.keep("recovery code", codes[0])
        self.keep("recovery code that was used", codes[1])

    def log_in(self, browser: Browser) -> None:
        browser.open("/login")
        assert browser.submit("/login", email=EMAIL, password=LATER).status == 403
        browser.submit("/login", email=EMAIL, password=PASSWORD)
        browser.submit("/login/code", code=self.secrets["recovery code that was used"])
        self.keep("cookie after the login", browser.cookies[SESSION_COOKIE])
        answer = browser.exchange("POST", f"http://{browser.host}/session/token", b"", {"x-requested-with": "planwerk"})
        self.keep("access token of the session", answer.json["access_token"])

    def reset_password(self, server: Serving, id: str) -> None:
        with server.client() as asker:
            link = self.keep_link("reset", asker.value("POST", f"/v1/user/{id}/reset", {})["reset_link"])
        browser = browser_at(server.port)
        browser.open(link)
        browser.submit(password=self.keep("password after the reset", LATER), again=LATER)

    # ── OAuth ──

    def connect(self, browser: Browser, app: Any, asker: Asker) -> None:
        challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
        asked = {"response_type": "code", "client_id": app["client_id"], "redirect_uri": BACK, "state": "x", "code_challenge": challenge}
        browser.open(f"/v1/oauth/authorize?{urlencode({**asked, 'code_challenge_method': 'S256'})}")
        page = browser.submit(button=("decision", "allow"))
        code = self.keep("code", dict(parse_qsl(urlsplit(page.answer.headers["location"]).query))["code"])
        proof = {"client_id": app["client_id"], "client_secret": app["client_secret"]}
        exchange = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": VERIFIER, **proof}
        assert token(asker, {**exchange, "client_secret": self.secrets["first secret of the app"]})[0] == 401
        tokens = self.keep_tokens("first", token(asker, exchange))
        self.keep_tokens("second", token(asker, {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], **proof}))
        bearer = {"authorization": f"Bearer {self.secrets['second access token']}"}
        with Asker(asker.port, bearer) as connected:
            assert connected.ask("GET", "/v1/me").status == 200
            assert connected.ask("POST", "/v1/api_key", {}).status == 403

    def end_all(self, server: Serving, app: Any) -> None:
        """What a command ends the running server refuses; on PostgreSQL within a second."""
        id = next(key["id"] for key in self.result("key", "list") if key["description"] == "ERP")
        self.result("key", "revoke", id)
        assert self.result("app", "delete", app["client_id"])["connections"] == 1
        token = {"authorization": f"Bearer {self.secrets['second access token']}"}
        with server.client(**{"x-api-key": self.secrets["key of the API"]}) as keyed, Asker(server.port, token) as connected:
            for name, asker in (("key", keyed), ("token", connected)):
                wait_until(lambda asker=asker: asker.ask("GET", "/v1/me").status == 401, f"the {name} is refused")

    def keep_tokens(self, name: str, answered: tuple[int, Any]) -> Any:
        status, tokens = answered
        assert status == 200, tokens
        for kind in ("access", "refresh"):
            self.keep(f"{name} {kind} token", tokens[f"{kind}_token"])
        return tokens


def token(asker: Asker, parameters: dict[str, str]) -> tuple[int, Any]:
    """(status, JSON) of the token endpoint."""
    asker.connection.request("POST", "/v1/oauth/token", urlencode(parameters), FORM)
    answer = asker.connection.getresponse()
    return answer.status, json.loads(answer.read())


def whole_day(day: Day) -> None:
    app = day.use_commands()
    with day.place.serving("--access-log") as server:
        link, browser = day.use_api(server), browser_at(server.port)
        day.accept(browser, link)
        day.turn_factor_on(browser)
        day.log_in(fresh := browser_at(server.port))
        with server.anonymous() as asker:
            day.connect(fresh, app, asker)
        with server.client() as asker:
            [user] = [item for item in asker.value("GET", "/v1/user")["data"] if item["email"] == EMAIL]
        day.reset_password(server, user["id"])
        day.end_all(server, app)
        assert server.stop() == 0


# ── looking ──


def private_parts(place: Place, dumped: bytes) -> list[str]:
    """The private numbers of the signing keys, unsealed with the server's secret."""
    secret = read_secret(place.folder / "secret")
    found = [opened(secret, sealed.decode()) for sealed in re.findall(rb"gAAAA[\w=-]+", dumped)]
    return [json.loads(text)["d"] for text in found if text]


def opened(secret: bytes, sealed: str) -> str:
    try:
        return unseal(secret, PURPOSE, sealed)
    except ValueError:  # sealed for another purpose
        return ""


def dump(place: Place) -> bytes:
    """Every row of every table."""
    if place.database.startswith("sqlite"):
        import apsw

        with apsw.Connection(place.database.removeprefix("sqlite:///")) as connection:
            names = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
            return b"\n".join(repr(list(connection.execute(f'SELECT * FROM "{name}"'))).encode() for name in names)
    name = place.database.partition("?")[0].rpartition("/")[2]
    found = b""
    with psycopg.connect(with_name(os.environ["PLANWERK_TEST_POSTGRESQL"], name)) as connection:  # the owner of the walls sees all
        names = [row[0] for row in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        for name in names:
            with connection.cursor().copy(f'COPY (SELECT * FROM "{name}") TO STDOUT'.encode()) as copy:
                found += b"".join(bytes(part) for part in copy)
    return found


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file() and not path.name.startswith(HANDED_OUT)}


def test_what_opens_a_door_is_in_no_table_no_log_and_no_file_but_the_one_that_hands_it_out(place: Place) -> None:
    day = Day(place)
    day.keep("key of the first run", place.access["api_key"])
    day.keep("password of the first run", place.access["admin_password"])
    whole_day(day)
    if place.database.startswith("sqlite"):
        assert place.command("backup", str(place.folder / "copy")).returncode == 0
    searched = {"the tables": dump(place), **files(place.folder)}
    private = private_parts(place, searched["the tables"])
    assert len(private) >= 1
    day.secrets |= {f"private part {number}": part for number, part in enumerate(private)}
    assert key_hash(day.secrets["key of the API"].encode()).encode() in searched["the tables"], "the search does not see the tables"
    assert b"POST /v1/order" in searched["server.log"], "the access log is off"
    assert b"/invite/" in searched["server.log"], "the path of the invitation was not asked for"
    found = [(name, file) for file, content in searched.items() for name, secret in day.secrets.items() if secret.encode() in content]
    assert found == []
