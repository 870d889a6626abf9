"""/account: what a person may see and change of their own: name, language, time zone, password, sessions.

Every change is a form of this browser and concerns the visitor's own user; ids of anybody else's are not found.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from planwerk.actor import Actor, Role
from planwerk.errors import NOT_FOUND, Refusal, refuse
from planwerk.fields import timezones_known
from planwerk.identity.password_rules import RULES
from planwerk.identity.passwords import mark_of
from planwerk.identity.sessions import Visitor, close_session, close_sessions
from planwerk.identity.throttle import each
from planwerk.query.body import parse_draft
from planwerk.store.transaction import Row, Transaction
from planwerk.web.invite import new_password_fault
from planwerk.web.login import sentence, with_headers
from planwerk.web.site import Site

PROFILE = ("firstname", "infix", "lastname", "language", "timezone")
LANGUAGES = {
    "nl": "Nederlands",
    "de": "Deutsch",
    "en": "English",
    "es": "Español",
    "fr": "Français",
    "it": "Italiano",
    "pl": "Polski",
    "pt": "Português",
}
SAVED = {"profile": "Your details are saved.", "password": "The password is changed. Your other sessions have ended.", "session": "Ended."}
NOT_RIGHT = "The password you have now is not right."


def routes(site: Site) -> list[Route]:
    pages = Pages(site)
    return [
        Route("/account", pages.show),
        Route("/account/profile", pages.save_profile, methods=["POST"]),
        Route("/account/password", pages.change_password, methods=["POST"]),
        Route("/account/sessions/end", pages.end_session, methods=["POST"]),
    ]


class Pages:
    """The account page and its forms."""

    def __init__(self, site: Site) -> None:
        self.site = site

    async def show(self, request: Request) -> Response:
        visitor = await self.site.visitor(request)
        return self.site.to_login(request) if visitor is None else await self.account_page(request, visitor)

    async def account_page(
        self, request: Request, visitor: Visitor, *, wrong: Mapping[str, str] | None = None, typed: Mapping[str, Any] | None = None,
        status: int = 200,
    ) -> Response:  # fmt: skip
        """The page; `wrong` holds a sentence for the form it concerns, `typed` what the profile shows instead of what is stored."""
        user, sessions = await self.site.database.read(visitor.environment_id, lambda tx: own_rows(tx, visitor))
        saved = "" if wrong else SAVED.get(request.query_params.get("saved", ""), "")
        values: dict[str, Any] = {"languages": LANGUAGES, "timezones": timezones(), "rules": RULES, "wrong": wrong or {}, "saved": saved}
        shown = {**user, **(typed or {})}
        return self.site.page(request, "account.html", status, visitor=visitor, user=shown, sessions=sessions, **values)

    # ── forms ──

    async def save_profile(self, request: Request) -> Response:
        fields, visitor = await self.site.form(request), await self.site.visitor(request)
        if visitor is None:
            return self.site.to_login(request)
        typed = {name: " ".join(fields[name].split()) or None for name in PROFILE if name in fields}
        try:
            values = parse_draft(self.site.objects["user"], typed, self.site.objects, is_create=False)[0].values
            await self.site.database.write(visitor.environment_id, lambda tx: set_profile(as_visitor(tx, visitor), visitor, values))
        except Refusal as refusal:
            return await self.account_page(request, visitor, wrong={"profile": sentence(refusal)}, typed=typed, status=refusal.status)
        return self.site.redirect("/account?saved=profile")

    async def change_password(self, request: Request) -> Response:
        fields, visitor = await self.site.form(request), await self.site.visitor(request)
        if visitor is None:
            return self.site.to_login(request)
        wrong = new_password_fault(fields, (visitor.email, visitor.name))
        if wrong:
            return await self.account_page(request, visitor, wrong={"password": wrong}, status=422)
        try:
            if not await is_own_password(self.site, request, visitor, fields.get("current", "")):
                return await self.account_page(request, visitor, wrong={"password": NOT_RIGHT}, status=403)
            async with self.site.turn(request):
                new = await self.site.passwords.apart(self.site.passwords.hash, fields["password"])
        except Refusal as refusal:
            page = await self.account_page(request, visitor, wrong={"password": sentence(refusal)}, status=refusal.status)
            return with_headers(page, refusal)
        await self.site.database.write(visitor.environment_id, lambda tx: set_password(as_visitor(tx, visitor), visitor, new))
        return self.site.redirect("/account?saved=password")

    async def end_session(self, request: Request) -> Response:
        """End one session, or all others if no id is given."""
        fields, visitor = await self.site.form(request), await self.site.visitor(request)
        if visitor is None:
            return self.site.to_login(request)
        id = fields.get("id", "")
        await self.site.database.write(visitor.environment_id, lambda tx: end_own_session(as_visitor(tx, visitor), visitor, id))
        return self.site.redirect("/login" if id == visitor.session_id else "/account?saved=session")


# ── the visitor's own rows ──


def as_visitor(tx: Transaction, visitor: Visitor) -> Transaction:
    """The transaction, in the visitor's name."""
    role = Role[visitor.role.upper()]
    tx.actor = Actor(visitor.environment_id, "user", visitor.session_id, role, user_id=visitor.user_id)
    return tx


def own_user(tx: Transaction, visitor: Visitor) -> Row:
    """The visitor's row, locked; refuses with 404 if the user has gone meanwhile."""
    user = tx.get(tx.object("user"), visitor.user_id)
    if user is None:
        raise refuse(NOT_FOUND, "there is no such user any more")
    return user


def own_rows(tx: Transaction, visitor: Visitor) -> tuple[Row, list[Row]]:
    """The visitor's user and the sessions that have not ended, the last used first."""
    user = tx.first(tx.object("user"), id=visitor.user_id)
    if user is None:
        raise refuse(NOT_FOUND, "there is no such user any more")
    sessions = [row for row in tx.find(tx.object("session"), user_id=visitor.user_id) if row["expires_at"] > tx.now]
    return user, sorted(sessions, key=lambda row: str(row["last_used_at"]), reverse=True)


def set_profile(tx: Transaction, visitor: Visitor, values: dict[str, Any]) -> None:
    """Everybody may change these of their own, whatever their role allows on others."""
    described, user = tx.object("user"), own_user(tx, visitor)
    for derive in described.derives:
        derive(tx, values, user)
    tx.update(described, user, {name: described.field[name].store(value) for name, value in values.items()})


async def is_own_password(site: Site, request: Request, visitor: Visitor, password: str) -> bool:
    """Whether the password is the visitor's; wrong ones count as at the login, and too many are refused with 429."""
    throttle, tried = site.throttle, [("account", visitor.email.casefold())]
    async with site.turn(request):
        user, _ = await site.database.read(visitor.environment_id, lambda tx: own_rows(tx, visitor))
        await each(throttle.fail, tried)
        fits = await site.passwords.apart(site.passwords.fits, user["password_hash"], password)
    if fits:
        await each(throttle.take_back, tried)
    return fits


def set_password(tx: Transaction, visitor: Visitor, hash: str) -> None:
    """The new hash, unless the password was changed after the old one was asked for; all other sessions end."""
    user = own_user(tx, visitor)
    if mark_of(user["password_hash"]) != visitor.mark:
        raise refuse(NOT_FOUND, "the password was changed at the same time; log in again")
    tx.update(tx.object("user"), user, {"password_hash": hash})
    close_sessions(tx, visitor.user_id, but=visitor.session_id)


def end_own_session(tx: Transaction, visitor: Visitor, id: str) -> None:
    if not id:
        close_sessions(tx, visitor.user_id, but=visitor.session_id)
        return
    session = tx.get(tx.object("session"), id)
    if session is None or session["user_id"] != visitor.user_id:
        raise refuse(NOT_FOUND, "that session has ended already")
    close_session(tx, id)


# ── time zones ──


@lru_cache
def timezones() -> dict[str, list[str]]:
    """The names of all time zones by their part of the world, without the older ones that have none."""
    found: dict[str, list[str]] = {"UTC": ["UTC"]}
    for name in sorted(timezones_known()):
        region, slash, _ = name.partition("/")
        if slash and region not in ("Etc", "SystemV", "US"):
            found.setdefault(region, []).append(name)
    return found
