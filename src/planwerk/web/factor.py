"""/account/factor: turn the second factor on (password, then a code) and off (password and a code).

The secret and the recovery codes are each shown on one page, once. A user without a password has none to protect: the provider
that logs this person in asks for whatever it wants.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import segno
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from planwerk.errors import Refusal
from planwerk.identity.sessions import Visitor
from planwerk.identity.throttle import each
from planwerk.identity.totp import confirm, propose, provisioning_address, take_code
from planwerk.rules.second_factor import turn_off
from planwerk.store.transaction import Transaction
from planwerk.web.account import NOT_RIGHT, as_visitor, is_own_password, own_rows, own_user
from planwerk.web.login import CODE_NOT_RIGHT, sentence, with_headers
from planwerk.web.site import Site

Result = TypeVar("Result")


def routes(site: Site) -> list[Route]:
    pages = Pages(site)
    return [
        Route("/account/factor", pages.show),
        Route("/account/factor/propose", pages.propose, methods=["POST"]),
        Route("/account/factor/confirm", pages.confirm, methods=["POST"]),
        Route("/account/factor/off", pages.turn_off, methods=["POST"]),
    ]


class Pages:
    """The pages of the second factor."""

    def __init__(self, site: Site) -> None:
        self.site = site

    async def show(self, request: Request) -> Response:
        visitor = await self.site.visitor(request)
        return self.site.to_login(request) if visitor is None else await self.factor_page(request, visitor)

    async def factor_page(self, request: Request, visitor: Visitor, *, wrong: str = "", status: int = 200) -> Response:
        user, _ = await self.site.database.read(visitor.environment_id, lambda tx: own_rows(tx, visitor))
        return self.site.page(request, "factor.html", status, visitor=visitor, is_on=bool(user["mfa_enabled"]), wrong=wrong)

    async def propose(self, request: Request) -> Response:
        """The secret, as a picture and as text, to somebody who knows the password."""
        fields, visitor = await self.site.form(request), await self.site.visitor(request)
        if visitor is None:
            return self.site.to_login(request)
        try:
            if not await is_own_password(self.site, request, visitor, fields.get("password", "")):
                return await self.factor_page(request, visitor, wrong=NOT_RIGHT, status=403)
            secret = await self.write(visitor, lambda tx: propose(tx, own_user(tx, visitor)))
        except Refusal as refusal:
            return await self.refused(request, visitor, refusal)
        return self.confirm_page(request, visitor, secret=secret)

    def confirm_page(self, request: Request, visitor: Visitor, *, secret: str = "", wrong: str = "", status: int = 200) -> Response:
        picture = qr_code(provisioning_address(secret, visitor.email, visitor.environment)) if secret else ""
        values: dict[str, Any] = {"visitor": visitor, "secret": in_fours(secret), "picture": picture, "wrong": wrong}
        return self.site.page(request, "factor_confirm.html", status, **values)

    async def confirm(self, request: Request) -> Response:
        """The recovery codes, to somebody who has a code of the secret."""
        fields, visitor = await self.site.form(request), await self.site.visitor(request)
        if visitor is None:
            return self.site.to_login(request)
        code, tried = fields.get("code", "").strip(), [("factor", visitor.user_id)]
        try:
            await each(self.site.throttle.fail, tried)
            codes = await self.write(visitor, lambda tx: confirm(tx, own_user(tx, visitor), code))
        except Refusal as refusal:
            return await self.refused(request, visitor, refusal)
        if not codes:
            return self.confirm_page(request, visitor, wrong=CODE_NOT_RIGHT, status=403)
        await each(self.site.throttle.clear, tried)
        return self.site.page(request, "recovery_codes.html", visitor=visitor, codes=codes)

    async def turn_off(self, request: Request) -> Response:
        fields, visitor = await self.site.form(request), await self.site.visitor(request)
        if visitor is None:
            return self.site.to_login(request)
        code, tried = fields.get("code", "").strip(), [("factor", visitor.user_id)]
        try:
            if not await is_own_password(self.site, request, visitor, fields.get("password", "")):
                return await self.factor_page(request, visitor, wrong=NOT_RIGHT, status=403)
            await each(self.site.throttle.fail, tried)
            is_off = await self.write(visitor, lambda tx: turn_off_with(tx, visitor, code))
        except Refusal as refusal:
            return await self.refused(request, visitor, refusal)
        if not is_off:
            return await self.factor_page(request, visitor, wrong=CODE_NOT_RIGHT, status=403)
        await each(self.site.throttle.clear, tried)
        return self.site.redirect("/account/factor")

    async def write(self, visitor: Visitor, function: Callable[[Transaction], Result]) -> Result:
        return await self.site.database.write(visitor.environment_id, lambda tx: function(as_visitor(tx, visitor)))

    async def refused(self, request: Request, visitor: Visitor, refusal: Refusal) -> Response:
        return with_headers(await self.factor_page(request, visitor, wrong=sentence(refusal), status=refusal.status), refusal)


def turn_off_with(tx: Transaction, visitor: Visitor, code: str) -> bool:
    """Whether the code was right, and the second factor is off now."""
    user = own_user(tx, visitor)
    if not take_code(tx, user, code):
        return False
    turn_off(tx, user)
    return True


def qr_code(text: str) -> str:
    """A picture of a text that phones read, as an address that holds the picture itself (SVG)."""
    return str(segno.make(text, error="m").svg_data_uri(scale=4, dark="#000", light="#fff"))


def in_fours(text: str) -> str:
    """A long text so that it can be typed.

    >>> in_fours("GEZDGNBVGY")
    'GEZD GNBV GY'
    """
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))
