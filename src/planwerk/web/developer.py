"""/developer/apps: admins register the apps of their environment, change where they return to, renew secrets, delete them.

A secret is shown once, on the page that answers the form; nobody can see it again.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from planwerk.catalog.oauth_client import OAUTH_CLIENT
from planwerk.errors import FORBIDDEN, NOT_FOUND, refuse
from planwerk.fields import UUID
from planwerk.identity.sessions import Visitor
from planwerk.oauth.clients import addresses_of, change, register, renew_secret
from planwerk.oauth.connections import delete_client
from planwerk.store.transaction import Row, Transaction
from planwerk.web.site import Site

PATH = "/developer/apps"
ONE = PATH + "/{id}"
BLANK = {"name": "", "redirect_uris": "", "kind": "confidential", "require_pkce": ""}

Fields = dict[str, str]
Work = Callable[[Request, Visitor, Fields], Awaitable[Response]]


def routes(site: Site) -> list[Route]:
    pages = AppPages(site)
    shown = {PATH: pages.show, ONE: pages.show_one}
    forms = {PATH: pages.create, ONE: pages.save, f"{ONE}/secret": pages.renew, f"{ONE}/delete": pages.delete}
    return [
        *(Route(path, pages.for_admins(work, is_form=False)) for path, work in shown.items()),
        *(Route(path, pages.for_admins(work, is_form=True), methods=["POST"]) for path, work in forms.items()),
    ]


@dataclass
class AppPages:
    """The pages, and what their forms do."""

    site: Site

    def for_admins(self, work: Work, *, is_form: bool) -> Callable[[Request], Awaitable[Response]]:
        """A page that only an admin may see, or a form that only an admin may send; refuses others with 403."""

        async def answer(request: Request) -> Response:
            fields = await self.site.form(request) if is_form else {}
            visitor = await self.site.visitor(request)
            if visitor is None:
                return self.site.to_login(request)
            if visitor.role != "admin":
                raise refuse(FORBIDDEN, "only an admin may see the apps of an environment")
            return await work(request, visitor, fields)

        return answer

    # ── all of them ──

    async def show(self, request: Request, visitor: Visitor, _: Fields) -> Response:
        return await self.overview(request, visitor, {"require_pkce": "on"})

    async def overview(self, request: Request, visitor: Visitor, filled: Fields, wrong: str = "") -> Response:
        apps = await self.site.database.read(visitor.environment_id, lambda tx: tx.find(OAUTH_CLIENT, order=("name",)))
        told: dict[str, Any] = {"apps": apps, "filled": {**BLANK, **filled}, "wrong": wrong, "visitor": visitor}
        return self.site.page(request, "developer.html", 422 if wrong else 200, **told)

    async def create(self, request: Request, visitor: Visitor, fields: Fields) -> Response:
        is_public, require_pkce = fields.get("kind") == "public", "require_pkce" in fields

        def work(tx: Transaction) -> tuple[Row, str | None]:
            return register(tx, fields.get("name", ""), addresses_in(fields), is_public=is_public, require_pkce=require_pkce)

        try:
            client, secret = await self.site.database.write(visitor.environment_id, work)
        except ValueError as error:
            return await self.overview(request, visitor, fields, str(error))
        return self.page(request, visitor, client, secret=secret, is_new=True)

    # ── one of them ──

    def page(self, request: Request, visitor: Visitor, client: Row, **more: Any) -> Response:
        told: dict[str, Any] = {"secret": None, "is_new": False, "is_saved": False, "wrong": ""}
        told |= {"name": client["name"], "redirect_uris": "\n".join(addresses_of(client)), **more}
        return self.site.page(request, "developer_app.html", 422 if told["wrong"] else 200, client=client, visitor=visitor, **told)

    async def find(self, request: Request, visitor: Visitor) -> Row:
        return await self.site.database.read(visitor.environment_id, lambda tx: known(tx.first(OAUTH_CLIENT, id=app_id(request))))

    async def show_one(self, request: Request, visitor: Visitor, _: Fields) -> Response:
        return self.page(request, visitor, await self.find(request, visitor))

    async def save(self, request: Request, visitor: Visitor, fields: Fields) -> Response:
        def work(tx: Transaction) -> Row:
            client = known(tx.get(OAUTH_CLIENT, app_id(request)))
            return change(tx, client, fields.get("name", ""), addresses_in(fields), require_pkce="require_pkce" in fields)

        try:
            client = await self.site.database.write(visitor.environment_id, work)
        except ValueError as error:
            typed = {name: fields.get(name, "") for name in ("name", "redirect_uris")}
            return self.page(request, visitor, await self.find(request, visitor), wrong=str(error), **typed)
        return self.page(request, visitor, client, is_saved=True)

    async def renew(self, request: Request, visitor: Visitor, _: Fields) -> Response:
        def work(tx: Transaction) -> tuple[Row, str]:
            client = known(tx.get(OAUTH_CLIENT, app_id(request)))
            if client["is_public"]:
                raise refuse(FORBIDDEN, "a public app has no secret")
            return renew_secret(tx, client)

        client, secret = await self.site.database.write(visitor.environment_id, work)
        return self.page(request, visitor, client, secret=secret)

    async def delete(self, request: Request, visitor: Visitor, _: Fields) -> Response:
        await delete_client(self.site.database, visitor.environment_id, app_id(request))
        return self.site.redirect(PATH)


def app_id(request: Request) -> str:
    """The id in a path; refuses with 404 what is none, for PostgreSQL takes no text with a NUL."""
    id: str = request.path_params["id"]
    if not UUID.fullmatch(id):
        raise refuse(NOT_FOUND, "there is no such app")
    return id


def known(client: Row | None) -> Row:
    """An app that was looked for; refuses with 404."""
    if client is None:
        raise refuse(NOT_FOUND, "there is no such app")
    return client


def addresses_in(fields: Fields) -> list[str]:
    """The redirect addresses of a form, one on each line."""
    return [line.strip() for line in fields.get("redirect_uris", "").splitlines() if line.strip()]
