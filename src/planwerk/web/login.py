"""/login and /logout: email and password in, a session out; in between, perhaps, a code of the second factor.

Whatever is wrong with an email or a password, the page says the same, with the same status, after the same work. Between
password and code the browser holds a sealed cookie that opens nothing but the page for the code, for five minutes.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from planwerk.errors import Refusal
from planwerk.identity.logins import Login, enter, prove
from planwerk.identity.sessions import close_session
from planwerk.identity.throttle import each
from planwerk.secret import seal, unseal
from planwerk.web.site import Site, local_path
from planwerk.web.sso import sso_name

HALF_COOKIE, PURPOSE = "planwerk_login", "password that waits for a code"
HALF_SECONDS = 300
ENOUGH = 2000  # characters of an address to go on to
NOT_RIGHT = "The email or the password is not right."
CODE_NOT_RIGHT = "The code is not right, or it was used already."


def routes(site: Site) -> list[Route]:
    pages = Pages(site)
    return [
        Route("/login", pages.show_login),
        Route("/login", pages.log_in, methods=["POST"]),
        Route("/login/code", pages.show_code),
        Route("/login/code", pages.take_code, methods=["POST"]),
        Route("/logout", pages.log_out, methods=["POST"]),
    ]


class Pages:
    """The pages of a login."""

    def __init__(self, site: Site) -> None:
        self.site = site

    # ── the password ──

    async def show_login(self, request: Request) -> Response:
        following = following_of(request)
        if await self.site.visitor(request) is not None:
            return self.site.redirect(following)
        return self.login_page(request, following)

    def login_page(self, request: Request, following: str, *, email: str = "", wrong: str = "", status: int = 200) -> Response:
        settings = self.site.settings
        ways: dict[str, Any] = {"sso_name": sso_name(settings), "may_register": settings.registration}
        return self.site.page(request, "login.html", status, next=following, email=email, wrong=wrong, **ways)

    async def log_in(self, request: Request) -> Response:
        fields = await self.site.form(request)
        email, following = fields.get("email", "").strip(), following_of(request, fields)
        throttle, tried = self.site.throttle, [("address", self.site.address(request)), ("account", email.casefold())]
        try:
            await each(throttle.check, tried)
            proof = await prove(self.site.database, self.site.passwords, email, fields.get("password", ""))
            await each(throttle.check if proof.logins else throttle.fail, tried)
        except Refusal as refusal:
            return with_headers(self.login_page(request, following, email=email, wrong=sentence(refusal), status=refusal.status), refusal)
        if not proof.logins:
            return self.login_page(request, following, email=email, wrong=NOT_RIGHT, status=403)
        if proof.is_whole:  # else somebody could guess one user's password and clear the count by logging in as another
            await each(throttle.clear, tried[1:])
        logins = sorted(proof.logins, key=lambda login: login.asks_code)  # what needs no code is open to somebody who has none
        if logins[0].asks_code:
            return self.wait_for_code(logins, following)
        return await self.let_in(request, logins, following) or self.login_page(request, following, wrong=NOT_RIGHT, status=403)

    async def let_in(self, request: Request, logins: Sequence[Login], following: str, code: str = "") -> Response | None:
        """On to where the person wanted to go, with the cookie of a session of the first; None if it does not let them in."""
        first, agent = logins[0], request.headers.get("user-agent", "")
        address = request.client.host if request.client else ""
        cookie = await self.site.database.write(
            first.environment_id, lambda tx: enter(tx, first, logins, code=code, address=address, agent=agent)
        )
        if cookie is None:
            return None
        target = f"/environments?{next_query(following)}" if len(logins) > 1 else following
        return self.site.log_in(self.site.redirect(target), cookie)

    # ── the code ──

    def wait_for_code(self, logins: Sequence[Login], following: str) -> Response:
        response = self.site.redirect(f"/login/code?{next_query(following)}")
        known = [[login.environment_id, login.user_id, login.mark] for login in logins]
        text = orjson.dumps({"until": int(time.time()) + HALF_SECONDS, "logins": known}).decode()
        self.site.set_cookie(response, HALF_COOKIE, seal(self.site.secret, PURPOSE, text), HALF_SECONDS)
        return response

    def waiting(self, request: Request) -> list[Login]:
        """Who has proved a password in this browser within five minutes; empty if nobody has."""
        try:
            found = orjson.loads(unseal(self.site.secret, PURPOSE, request.cookies.get(HALF_COOKIE, "")))
        except ValueError:
            return []
        return [Login(*known) for known in found["logins"]] if found["until"] > time.time() else []

    async def show_code(self, request: Request) -> Response:
        following = following_of(request)
        return self.code_page(request, following) if self.waiting(request) else self.site.redirect(f"/login?{next_query(following)}")

    def code_page(self, request: Request, following: str, *, wrong: str = "", status: int = 200) -> Response:
        return self.site.page(request, "code.html", status, next=following, wrong=wrong)

    async def take_code(self, request: Request) -> Response:
        fields, logins = await self.site.form(request), self.waiting(request)
        following = following_of(request, fields)
        if not logins:
            return self.site.redirect(f"/login?{next_query(following)}")
        throttle, address, user = self.site.throttle, [("address", self.site.address(request))], [("factor", logins[0].user_id)]
        try:
            await each(throttle.check, address)
            await each(throttle.fail, user)
            response = await self.let_in(request, logins, following, fields.get("code", "").strip())
            await (each(throttle.fail, address) if response is None else each(throttle.clear, user))
        except Refusal as refusal:
            return with_headers(self.code_page(request, following, wrong=sentence(refusal), status=refusal.status), refusal)
        if response is None:
            return self.code_page(request, following, wrong=CODE_NOT_RIGHT, status=403)
        return self.site.drop_cookie(response, HALF_COOKIE)

    # ── the end ──

    async def log_out(self, request: Request) -> Response:
        await self.site.form(request)
        visitor = await self.site.visitor(request)
        if visitor is not None:
            await self.site.database.write(visitor.environment_id, lambda tx: close_session(tx, visitor.session_id))
        return self.site.log_out(self.site.redirect("/login"))


def following_of(request: Request, fields: Mapping[str, str] | None = None) -> str:
    """Where to go on: the `next` of a form or of the address, if it is a path of this server."""
    given = (request.query_params if fields is None else fields).get("next")
    return local_path(given if given is not None and len(given) <= ENOUGH else None)


def next_query(following: str) -> str:
    return f"next={quote(following, safe='')}"


def with_headers(response: Response, refusal: Refusal) -> Response:
    response.headers.update(refusal.headers)
    return response


def sentence(refusal: Refusal) -> str:
    text = str(refusal)
    return f"{text[:1].upper()}{text[1:]}."
