"""compose(settings): the only place where the parts meet.

`/v1` goes to the API's own short function; files, the reference, health and the start page go to Starlette beside it. For both
a path with a slash at its end is the same path.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route as Page

from planwerk.catalog import ALL
from planwerk.describe import Object
from planwerk.edge.api import Api, Scope
from planwerk.edge.health import Health
from planwerk.edge.limits import Receive
from planwerk.edge.maintenance import Maintenance
from planwerk.edge.quota import Quota
from planwerk.edge.stream import Send
from planwerk.edge.uploads import Uploads
from planwerk.errors import METHOD_NOT_ALLOWED, NOT_FOUND, Refusal, refuse
from planwerk.files.serve import routes as file_routes
from planwerk.files.vault import open_vault
from planwerk.identity.api_keys import ApiKeys
from planwerk.identity.callers import Callers
from planwerk.identity.tokens import Tokens
from planwerk.oauth.rfc6749_token import TokenEndpoints
from planwerk.oauth.rfc8414_metadata import routes as metadata_routes
from planwerk.reference.page import routes as reference_routes
from planwerk.routes import Router, routes_of
from planwerk.secret import secret_of
from planwerk.service import Service
from planwerk.settings import Settings, load, public_url
from planwerk.store.database import Database, open_database
from planwerk.store.identifiers import Identifiers
from planwerk.web.pages import routes as page_routes
from planwerk.web.site import Site, error_answer, methods_of

Beside = Callable[[Database], Coroutine[Any, Any, None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Planwerk:
    """The whole server as one ASGI application."""

    def __init__(self, api: Api, pages: Starlette, database: Database, beside: Sequence[Beside]) -> None:
        self.api = api
        self.pages = pages
        self.database = database
        self.beside = beside

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].endswith("/"):
            scope = {**scope, "path": scope["path"].rstrip("/") or "/"}
        if scope["type"] == "http" and is_api(scope["path"]):
            await self.api(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self.live(receive, send)
        else:
            await self.pages(scope, receive, send)

    async def live(self, receive: Receive, send: Send) -> None:
        """Open the database before the first request, close it after the last (ASGI lifespan)."""
        await receive()
        try:
            await self.database.start()
        except Exception as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            raise
        tasks = [asyncio.ensure_future(work(self.database)) for work in self.beside]
        for task in tasks:
            task.add_done_callback(tell_failure)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.database.stop()
        await send({"type": "lifespan.shutdown.complete"})


def tell_failure(task: "asyncio.Future[None]") -> None:
    """Log what ended work beside the requests that should have gone on: nobody asks for its result before the server stops."""
    if not task.cancelled() and (error := task.exception()) is not None:
        structlog.get_logger("planwerk").error("work beside the server has ended", exc_info=error)


def is_api(path: str) -> bool:
    """Whether a path is the API's; the pages of OAuth lie below /v1, too.

    >>> is_api("/v1/card"), is_api("/v1"), is_api("/v1/oauth/token"), is_api("/v10"), is_api("/login")
    (True, True, False, False, False)
    """
    return (path.startswith("/v1/") and not path.startswith("/v1/oauth/")) or path == "/v1"


def compose(
    settings: Settings, objects: Sequence[Object] = ALL, identifiers: Identifiers | None = None, beside: Sequence[Beside] = ()
) -> App:
    """The server for these settings. The database is opened here and started by the application's lifespan.

    `beside` is work that runs as long as the server does, beside its requests.
    """
    named = {described.name: described for described in objects}
    identifiers = identifiers or Identifiers()
    database = open_database(settings, named, identifiers)
    service = Service(database, named, settings)
    secret = secret_of(settings)
    vault = open_vault(settings)
    uploads = Uploads(vault, secret, public_url(settings), settings.upload_limit_bytes, identifiers)
    maintenance = Maintenance(database, settings.unavailable_url)
    api = Api(
        service,
        Router(routes_of(objects)),
        Callers(ApiKeys(database), Tokens(database, settings)),
        Quota(settings.rate_limit, settings.rate_limit_storage),
        maintenance,
        uploads,
        settings.body_limit_bytes,
    )
    site = Site(settings, database, named)

    async def refused_page(request: Request, refusal: Any) -> Response:
        return site.problem(request, refusal)

    async def missing_page(request: Request, _: Exception) -> Response:
        return site.refused(request, refuse(NOT_FOUND, "there is no such page"))

    async def wrong_method(request: Request, _: Exception) -> Response:
        allow = ", ".join(sorted(methods_of(request)))
        return site.refused(request, refuse(METHOD_NOT_ALLOWED, f"{request.method} is not possible here", allow=allow))

    routes = [
        Page("/", start_page),
        *Health(database).routes(),
        *reference_routes(objects),
        *file_routes(vault, secret, site.refused),
        *TokenEndpoints(database, settings, maintenance).routes(),
        *metadata_routes(database, settings),
        *page_routes(site),
    ]
    answers: Any = {404: missing_page, 405: wrong_method, Refusal: refused_page, Exception: broken_page}
    pages = Starlette(routes=routes, exception_handlers=answers, lifespan=no_lifespan)
    pages.router.redirect_slashes = False  # it would redirect to whatever host a request names
    server: Any = Planwerk(api, pages, database, beside)
    origins = [origin.strip() for origin in settings.cors_origins.split(",") if origin.strip()]
    if origins:
        shown = ["ETag", "Reference-Tag", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "Deprecated", "Retry-After"]
        wrap = Middleware(CORSMiddleware, allow_origins=origins, allow_methods=["*"], allow_headers=["*"], expose_headers=shown)
        server = wrap.cls(server, *wrap.args, **wrap.kwargs)
    return server  # type: ignore[no-any-return]


@asynccontextmanager
async def no_lifespan(_: Starlette) -> Any:
    yield


def create() -> App:
    """The factory that server processes call: settings from the environment and planwerk.toml."""
    return compose(load())


# ── the pages beside the API ──


async def start_page(_: Request) -> Response:
    return RedirectResponse("/docs")


async def broken_page(request: Request, error: Exception) -> Response:
    return error_answer(request, error)
