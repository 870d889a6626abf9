"""Every page for people, and the one style sheet they share."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from planwerk.web import account, apps, consent, developer, environments, factor, invite, login, register, reset, session_token, sso
from planwerk.web.site import Site

MODULES: tuple[Any, ...] = (account, apps, consent, developer, environments, factor, login, session_token, sso, invite, reset, register)


def routes(site: Site) -> list[Route]:
    async def style(_: Request) -> Response:
        headers = {"cache-control": "max-age=3600", "x-content-type-options": "nosniff"}
        return Response(site.style, 200, headers, "text/css; charset=utf-8")

    return [Route("/web/style.css", style), *(route for module in MODULES for route in module.routes(site))]
