"""What every page needs: the server's parts, who visits, and how a page goes out.

A page module has a function `routes(site)`. Every answer is HTML without scripts, is not stored by browsers or proxies, and
loads nothing from elsewhere.
"""

import re
import secrets
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, field as attribute
from importlib.resources import files
from typing import Any, TypeVar
from urllib.parse import parse_qsl, quote, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Match

from planwerk.describe import Object
from planwerk.edge.problems import problem
from planwerk.edge.reference import new_reference
from planwerk.errors import BAD_REQUEST, FORBIDDEN, PAYLOAD_TOO_LARGE, Refusal, refuse
from planwerk.identity.passwords import Passwords
from planwerk.identity.sessions import Visitor, find_visitor, is_written_long_ago, use_session
from planwerk.identity.throttle import Lines, Throttle, neighbourhood
from planwerk.secret import is_signed, secret_of, sign
from planwerk.settings import Settings, public_url
from planwerk.store.database import Database
from planwerk.web.words import browser_name, moment

Result = TypeVar("Result")

SESSION_COOKIE, FORM_COOKIE = "planwerk_session", "planwerk_form"
COOKIE_SECONDS = 400 * 24 * 3600  # browsers keep no cookie longer; when a session ends is the server's business
FORM_BYTES = 64 * 1024
BELOW_API = re.compile(r"(/api)?/v1(/|$)")
POLICY = "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


@dataclass
class Site:
    """The parts of the server that pages use."""

    settings: Settings
    database: Database
    objects: Mapping[str, Object]
    passwords: Passwords = attribute(default_factory=Passwords)

    def __post_init__(self) -> None:
        self.throttle = Throttle(self.settings.rate_limit_storage)
        self.lines = Lines()
        self.secret = secret_of(self.settings)
        self.public_url = public_url(self.settings)
        self.is_secure = self.public_url.startswith("https:")
        self.templates = Environment(loader=PackageLoader("planwerk.web"), autoescape=True, undefined=StrictUndefined)
        self.templates.filters |= {"browser": browser_name, "moment": moment}
        self.style = files("planwerk.web").joinpath("static", "style.css").read_bytes()

    def now(self) -> str:
        return self.database.identifiers.now()

    # ── who visits ──

    async def visitor(self, request: Request) -> Visitor | None:
        """Who is logged in in this browser; None if nobody is. The session lasts longer because it is used."""
        token, now = request.cookies.get(SESSION_COOKIE), self.now()
        found = await find_visitor(self.database, token, now) if token else None
        if found is not None and is_written_long_ago(found.last_used_at, now, self.settings.session_hours):
            with suppress(Refusal):  # a full disk can still be read
                await self.database.write(found.environment_id, lambda tx: use_session(tx, found))
        return found

    def to_login(self, request: Request) -> Response:
        """To the login page, and back afterwards: to this page, or to the one whose form was sent."""
        path = page_of(request) if request.method == "POST" else f"{request.url.path}?{request.url.query}".removesuffix("?")
        return self.redirect(f"/login?next={quote(path, safe='')}")

    @staticmethod
    def address(request: Request) -> str:
        """Where a request comes from, as it is counted: one IPv4 address, or the network of an IPv6 address."""
        return neighbourhood(request.client.host if request.client else "")

    def turn(self, request: Request) -> AbstractAsyncContextManager[None]:
        """Work with a password is done in here: one after another of each address, for it takes long; too many are refused with 429."""
        return self.lines.turn(self.address(request))

    def log_in(self, response: Response, token: str) -> Response:
        """Give the browser the cookie of a session."""
        self.set_cookie(response, SESSION_COOKIE, token, COOKIE_SECONDS)
        return response

    def log_out(self, response: Response) -> Response:
        """Take the cookie of the session from the browser; the session itself is closed by `sessions.close_session`."""
        return self.drop_cookie(response, SESSION_COOKIE)

    def drop_cookie(self, response: Response, name: str) -> Response:
        response.delete_cookie(name, path="/", secure=self.is_secure, httponly=True, samesite="lax")
        return response

    def set_cookie(self, response: Response, name: str, value: str, seconds: int | None = None) -> None:
        """A cookie that scripts and other sites do not get."""
        response.set_cookie(name, value, max_age=seconds, path="/", secure=self.is_secure, httponly=True, samesite="lax")

    # ── pages ──

    def page(self, request: Request, template: str, status: int = 200, *, policy: str = POLICY, **values: Any) -> Response:
        """A page made from a template, which gets `csrf`, the token that its forms must carry, besides the values."""
        mark = request.cookies.get(FORM_COOKIE) or secrets.token_urlsafe(16)
        text = self.templates.get_template(template).render(csrf=self.csrf(request, mark), **values)
        headers = {**HEADERS, "content-security-policy": policy, "reference-tag": new_reference()}
        response = HTMLResponse(text, status, headers)
        if FORM_COOKIE not in request.cookies:
            self.set_cookie(response, FORM_COOKIE, mark)
        return response

    def problem(self, request: Request, refusal: Refusal) -> Response:
        """A page that says what is wrong; the status is that of the refusal."""
        response = self.page(request, "problem.html", refusal.status, title=refusal.faults[0].kind.message, text=str(refusal))
        response.headers.update(refusal.headers)
        return response

    def refused(self, request: Request, refusal: Refusal) -> Response:
        """The answer where no page of ours took the request: a page for browsers, an error body for programs and below /v1."""
        if "text/html" in request.headers.get("accept", "") and not BELOW_API.match(request.url.path):
            return self.problem(request, refusal)
        return error_answer(request, refusal)

    def redirect(self, address: str) -> Response:
        """On to another page, with GET (RFC 9110, section 15.4.4)."""
        return RedirectResponse(address, 303, {**HEADERS, "reference-tag": new_reference()})

    # ── forms ──

    async def form(self, request: Request) -> dict[str, str]:
        """The fields of a form that this browser got from this server; of a name that comes twice, the first.

        Refuses with 403 one that another site has sent, or one whose page is too old, 413 a large and 400 a malformed one.
        """
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > FORM_BYTES:
                raise refuse(PAYLOAD_TOO_LARGE, f"a form may have at most {FORM_BYTES} bytes")
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
            raise refuse(BAD_REQUEST, "send the form as application/x-www-form-urlencoded")
        fields = parse_form(body)
        if not self.is_own_form(request, fields.get("csrf", "")):
            raise refuse(FORBIDDEN, "this form does not come from a page of this browser; load the page again")
        return fields

    def is_own_form(self, request: Request, token: str) -> bool:
        """Whether a form was sent by a page of ours that this very browser had loaded."""
        mark = request.cookies.get(FORM_COOKIE)
        return self.is_same_origin(request) and mark is not None and is_signed(self.secret, "form", self.form_text(request, mark), token)

    def is_same_origin(self, request: Request) -> bool:
        """Whether nothing says that another site has sent a request (Fetch Metadata; RFC 6454, section 7)."""
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return False
        origin = request.headers.get("origin")
        return origin is None or urlsplit(origin).netloc in (urlsplit(self.public_url).netloc, request.headers.get("host"))

    def csrf(self, request: Request, mark: str) -> str:
        return sign(self.secret, "form", self.form_text(request, mark))

    @staticmethod
    def form_text(request: Request, mark: str) -> str:
        return f"{mark} {request.cookies.get(SESSION_COOKIE, '')}"


def error_answer(request: Request, error: Exception) -> Response:
    """An error body in the API's shape for a request beside the API."""
    reference = new_reference()
    status, body, headers = problem(error, reference, f"{request.method} {request.url.path}")
    named = {name.decode(): value.decode() for name, value in headers}
    return Response(body, status, {**HEADERS, **named, "reference-tag": reference}, "application/json")


def methods_of(request: Request, path: str | None = None) -> set[str]:
    """The methods that a path of the application takes; without one, the path of the request."""
    scope = {**request.scope, "path": path or request.scope["path"]}
    routes = [route for route in request.app.routes if route.matches(scope)[0] is not Match.NONE]
    return {method for route in routes for method in route.methods}


def page_of(request: Request) -> str:
    """The page that holds the form which was sent: the path itself or the nearest one above it that can be looked at."""
    path = request.url.path
    while path and "GET" not in methods_of(request, path):
        path = path.rpartition("/")[0]
    return path or "/account"


def parse_form(body: bytes) -> dict[str, str]:
    """The fields of a form; of a name that comes twice, the first.

    >>> parse_form(b"email=me%40example.com&role=&email=you%40example.com")
    {'email': 'me@example.com', 'role': ''}
    """
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=100)
    except ValueError:
        raise refuse(BAD_REQUEST, "the form cannot be read") from None
    return {name: value.replace("\x00", "") for name, value in reversed(pairs)}


def local_path(text: str | None, otherwise: str = "/account") -> str:
    """Where to go on after a login: a path of this server, never another site.

    >>> local_path("/v1/oauth/authorize?x=1"), local_path("//evil.example"), local_path("https://evil.example"), local_path(None)
    ('/v1/oauth/authorize?x=1', '/account', '/account', '/account')
    >>> local_path("/\\\\evil.example"), local_path("/account\\r\\nSet-Cookie: x")
    ('/account', '/account')
    """
    is_path = text is not None and text.startswith("/") and not text.startswith("//") and "\\" not in text and text.isprintable()
    return text if is_path and text is not None else otherwise
