"""/environments: a person who is a user of several environments chooses one, after the login or later.

The others are those that the same password opened at the login; one that asks for a second factor gets its code here.
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from planwerk.errors import NOT_FOUND, Refusal, refuse
from planwerk.identity.logins import Membership, switch, users_of
from planwerk.identity.sessions import Visitor
from planwerk.identity.throttle import each
from planwerk.web.login import CODE_NOT_RIGHT, following_of, sentence, with_headers
from planwerk.web.site import Site


def routes(site: Site) -> list[Route]:
    async def show(request: Request) -> Response:
        visitor = await site.visitor(request)
        return site.to_login(request) if visitor is None else await choice(request, visitor, following_of(request))

    async def choice(request: Request, visitor: Visitor, following: str, *, wrong: str = "", status: int = 200) -> Response:
        users = await users_of(site.database, visitor)
        return site.page(request, "environments.html", status, users=users, next=following, wrong=wrong, visitor=visitor)

    async def choose(request: Request) -> Response:
        fields, visitor = await site.form(request), await site.visitor(request)
        if visitor is None:
            return site.to_login(request)
        following = following_of(request, fields)
        user = await chosen(visitor, fields.get("user", ""))
        if user.is_current:
            return site.redirect(following)
        try:
            cookie = await entered(request, visitor, user, fields.get("code", "").strip())
        except Refusal as refusal:
            page = await choice(request, visitor, following, wrong=sentence(refusal), status=refusal.status)
            return with_headers(page, refusal)
        if cookie is None:
            return await choice(request, visitor, following, wrong=CODE_NOT_RIGHT, status=403)
        return site.log_in(site.redirect(following), cookie)

    async def chosen(visitor: Visitor, user_id: str) -> Membership:
        """The user of this person; refuses with 404 one who is not, or not any more."""
        for user in await users_of(site.database, visitor):
            if user.user_id == user_id:
                return user
        raise refuse(NOT_FOUND, "you have no access there; log in again")

    async def entered(request: Request, visitor: Visitor, user: Membership, code: str) -> str | None:
        asks_code = user.login.asks_code
        tried, near = ([("factor", user.user_id)], [("address", site.address(request))]) if asks_code else ([], [])
        await each(site.throttle.check, near)
        await each(site.throttle.fail, tried + near)
        address, agent = request.client.host if request.client else "", request.headers.get("user-agent", "")
        cookie = await switch(site.database, visitor, user.login, code=code, address=address, agent=agent)
        if cookie is not None:
            await each(site.throttle.take_back, near)
            await each(site.throttle.clear, tried)
        return cookie

    return [Route("/environments", show), Route("/environments", choose, methods=["POST"])]
