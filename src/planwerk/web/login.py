"""/login and /logout: email and password in, a session out; in between, perhaps, a code of the second factor.

Whatever is wrong with an email or a password, the page says the same, with the same status, after the same work. Between
password and code the browser holds a sealed cookie that opens nothing but the page for the code, for five minutes. The code is
that of one user, whom the person chooses if the password opened several; wrong ones are counted for that user.
"""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from planwerk.edge.limits import ADDRESS_BYTES
from planwerk.errors import Refusal
from planwerk.identity.logins import Login, Membership, Proof, enter, membership, prove
from planwerk.identity.sessions import close_session
from planwerk.identity.throttle import each
from planwerk.secret import seal, unseal
from planwerk.web.site import Site, local_path
from planwerk.web.sso import sso_name

HALF_COOKIE, PURPOSE = "planwerk_login", "password that waits for a code"
HALF_SECONDS = 300
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
        try:
            proof = await self.proof(request, email, fields.get("password", ""))
        except Refusal as refusal:
            return with_headers(self.login_page(request, following, email=email, wrong=sentence(refusal), status=refusal.status), refusal)
        if not proof.logins:
            return self.login_page(request, following, email=email, wrong=NOT_RIGHT, status=403)
        logins = sorted(proof.logins, key=lambda login: login.asks_code)  # what needs no code is open to somebody who has none
        if logins[0].asks_code:
            return self.wait_for_code(logins, following)
        return await self.let_in(request, logins, following) or self.login_page(request, following, wrong=NOT_RIGHT, status=403)

    async def proof(self, request: Request, email: str, password: str) -> Proof:
        """Whom the password opens, counted as a failure until it is known to be none; refuses with 429 after too many."""
        throttle, address, account = self.site.throttle, ("address", self.site.address(request)), ("account", email.casefold())
        await each(throttle.check, [address, account])  # who is refused anyway does not wait, and counts nothing
        async with self.site.turn(request):
            await each(throttle.fail, [address, account])
            try:
                proof = await prove(self.site.database, self.site.passwords, email, password)
            except Refusal:  # the database is not there, and nobody has learned anything
                await each(throttle.take_back, [address, account])
                raise
        if proof.logins:
            await each(throttle.take_back, [address])
            # of several users whose passwords differ, one who knows one of them must not clear the count of guesses at another
            await each(throttle.clear if proof.is_whole else throttle.take_back, [account])
        return proof

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
        if not self.waiting(request):
            return self.site.redirect(f"/login?{next_query(following)}")
        return await self.code_page(request, following)

    async def code_page(self, request: Request, following: str, *, chosen: str = "", wrong: str = "", status: int = 200) -> Response:
        """`chosen` is the id of the user whose code was asked for last."""
        users = await self.named(self.waiting(request))
        return self.site.page(request, "code.html", status, next=following, users=users, chosen=chosen, wrong=wrong)

    async def named(self, logins: Sequence[Login]) -> list[Membership]:
        """Those that still live, in the same order, with the names of their environments; none while the database is not there."""
        users: list[Membership | None] = []
        with suppress(Refusal):
            users = [await membership(self.site.database, login, is_current=False) for login in logins]
        return [user for user in users if user is not None]

    async def take_code(self, request: Request) -> Response:
        fields, logins = await self.site.form(request), self.waiting(request)
        following = following_of(request, fields)
        if not logins:
            return self.site.redirect(f"/login?{next_query(following)}")
        logins.sort(key=lambda login: login.user_id != fields.get("user"))  # the chosen one before those that were used last
        chosen, throttle, address = logins[0].user_id, self.site.throttle, [("address", self.site.address(request))]
        user = [("factor", chosen)]
        try:
            await each(throttle.check, address)
            await each(throttle.fail, user + address)
            response = await self.let_in(request, logins, following, fields.get("code", "").strip())
            if response is not None:
                await each(throttle.take_back, address)
                await each(throttle.clear, user)
        except Refusal as refusal:
            page = await self.code_page(request, following, chosen=chosen, wrong=sentence(refusal), status=refusal.status)
            return with_headers(page, refusal)
        if response is None:
            return await self.code_page(request, following, chosen=chosen, wrong=CODE_NOT_RIGHT, status=403)
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
    return local_path(given if given is not None and len(given) <= ADDRESS_BYTES else None)


def next_query(following: str) -> str:
    return f"next={quote(following, safe='')}"


def with_headers(response: Response, refusal: Refusal) -> Response:
    response.headers.update(refusal.headers)
    return response


def sentence(refusal: Refusal) -> str:
    text = str(refusal)
    return f"{text[:1].upper()}{text[1:]}."
