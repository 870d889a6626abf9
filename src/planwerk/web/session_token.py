"""POST /session/token: the planning board, a script of our own origin, trades its cookie for a short-lived access token.

/v1 itself never looks at cookies, so no other site can make a browser act there. A cross-site form cannot send the header that
is asked for, and a script of another origin is not allowed to.
"""

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from planwerk.edge.reference import new_reference
from planwerk.errors import FORBIDDEN, UNAUTHORIZED, Refusal, refuse
from planwerk.identity.sessions import Visitor
from planwerk.identity.tokens import WEB_TOKEN_SECONDS, web_token
from planwerk.store.transaction import Transaction
from planwerk.web.site import HEADERS, Site, error_answer


def routes(site: Site) -> list[Route]:
    async def token(request: Request) -> Response:
        if request.headers.get("x-requested-with") != "planwerk" or not site.is_same_origin(request):
            raise refuse(FORBIDDEN, "only the pages of this server may ask, with the header X-Requested-With: planwerk")
        visitor = await site.visitor(request)
        if visitor is None:
            raise not_logged_in()
        made = await site.database.write(visitor.environment_id, lambda tx: token_of(tx, visitor))
        body = {"access_token": made, "token_type": "Bearer", "expires_in": WEB_TOKEN_SECONDS}
        return Response(orjson.dumps(body), 200, {**HEADERS, "reference-tag": new_reference()}, "application/json")

    async def answer(request: Request) -> Response:
        """The token, or the refusal in the API's shape."""
        try:
            return await token(request)
        except Refusal as refusal:
            return error_answer(request, refusal)

    return [Route("/session/token", answer, methods=["POST"])]


def token_of(tx: Transaction, visitor: Visitor) -> str:
    session = tx.get(tx.object("session"), visitor.session_id)
    if session is None:
        raise not_logged_in()
    return web_token(tx, session)


def not_logged_in() -> Refusal:
    return refuse(UNAUTHORIZED, "nobody is logged in in this browser", www_authenticate='Cookie realm="Planwerk"')
