"""/account/apps: the apps that a user has connected, each with a button that ends it; an admin sees and ends those of everybody."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from planwerk.errors import FORBIDDEN, refuse
from planwerk.oauth.connections import Connection, list_connections, revoke_all
from planwerk.store.transaction import Transaction
from planwerk.web.site import Site

PATH = "/account/apps"


def routes(site: Site) -> list[Route]:
    async def show(request: Request) -> Response:
        visitor = await site.visitor(request)
        if visitor is None:
            return site.to_login(request)

        def look(tx: Transaction) -> list[Connection]:
            return list_connections(tx, visitor.environment_id)

        found = await site.database.read("", look)
        mine = [item for item in found if item.user_id == visitor.user_id]
        others = [item for item in found if item.user_id != visitor.user_id] if visitor.role == "admin" else []
        return site.page(request, "apps.html", mine=mine, others=others, visitor=visitor)

    async def end(request: Request) -> Response:
        fields, visitor = await site.form(request), await site.visitor(request)
        if visitor is None:
            return site.to_login(request)
        user_id, client_id = fields.get("user", visitor.user_id), fields.get("app", "")
        if user_id != visitor.user_id and visitor.role != "admin":
            raise refuse(FORBIDDEN, "only an admin may end the connections of others")
        reason = "the user ended it" if user_id == visitor.user_id else "an admin ended it"

        def work(tx: Transaction) -> int:
            return revoke_all(tx, reason, user_id=user_id, client_id=client_id)

        await site.database.write(visitor.environment_id, work)
        return site.redirect(PATH)

    return [Route(PATH, show), Route(PATH, end, methods=["POST"])]
