"""compose(settings): the only place where the parts meet.

`/v1` goes to the API's own short function; files, the reference, health and the start page go to Starlette beside it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route as Page

from planwerk.catalog import ALL
from planwerk.describe import Object
from planwerk.edge.api import Api, Scope, Send
from planwerk.edge.health import Health
from planwerk.edge.limits import Receive
from planwerk.edge.maintenance import Maintenance
from planwerk.edge.problems import problem
from planwerk.edge.quota import Quota
from planwerk.edge.reference import new_reference
from planwerk.edge.uploads import Uploads
from planwerk.errors import NOT_FOUND, Refusal, refuse
from planwerk.files.address import read_secret
from planwerk.files.serve import routes as file_routes
from planwerk.files.vault import open_vault
from planwerk.identity.api_keys import ApiKeys
from planwerk.reference.page import routes as reference_routes
from planwerk.routes import Router, routes_of
from planwerk.service import Service
from planwerk.settings import Settings, beside_database, load
from planwerk.store.database import Database, open_database
from planwerk.store.identifiers import Identifiers

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
        if scope["type"] == "http" and (scope["path"].startswith("/v1/") or scope["path"] == "/v1"):
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
        await send({"type": "lifespan.startup.complete"})
        await receive()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.database.stop()
        await send({"type": "lifespan.shutdown.complete"})


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
    secret = read_secret(Path(settings.secret_file) if settings.secret_file else beside_database(settings, "secret"))
    vault = open_vault(settings)
    public_url = settings.public_url.rstrip("/") or f"http://{settings.host}:{settings.port}"
    uploads = Uploads(vault, secret, public_url, settings.upload_limit_bytes, identifiers)
    api = Api(
        service,
        Router(routes_of(objects)),
        ApiKeys(database),
        Quota(settings.rate_limit, settings.rate_limit_storage),
        Maintenance(database, settings.unavailable_url),
        uploads,
        settings.body_limit_bytes,
    )
    routes = [
        Page("/", start_page),
        *Health(database).routes(),
        *reference_routes(objects),
        *file_routes(vault, secret, refused),
    ]
    pages = Starlette(routes=routes, exception_handlers={404: missing_page, Exception: broken_page}, lifespan=no_lifespan)
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


def refused(request: Request, refusal: Refusal) -> Response:
    """An error body for a request beside the API, in the API's shape."""
    reference = new_reference()
    status, body, headers = problem(refusal, reference, f"{request.method} {request.url.path}")
    named = {name.decode(): value.decode() for name, value in headers}
    return Response(body, status, {**named, "Reference-Tag": reference}, "application/json")


async def missing_page(request: Request, _: Exception) -> Response:
    return refused(request, refuse(NOT_FOUND, "there is no such page"))


async def broken_page(request: Request, error: Exception) -> Response:
    reference = new_reference()
    status, body, _ = problem(error, reference, f"{request.method} {request.url.path}")
    return Response(body, status, {"Reference-Tag": reference}, "application/json")
