"""/health: whether the process lives, whether it can serve, and whether it can write.

A server whose disk is full still answers reads, so it stays ready and says that it is not writable. Writing is tried at
most once a second, however often it is asked for.
"""

import time
from collections.abc import Callable

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from planwerk.errors import Refusal
from planwerk.store.database import Database
from planwerk.store.statements import Statement

SECONDS = 1.0  # how long the last attempt to write is believed
JSON = "application/json"

FIND = Statement("SELECT name FROM state WHERE name = 'probe'", {})


class Health:
    """Knows how the database does; no secrets, no credentials needed."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self.database = database
        self.clock = clock
        self.statement = database.statements.named(FIND)
        self.until = 0.0
        self.is_writable = False

    def routes(self) -> list[Route]:
        return [Route("/health/live", self.live), Route("/health/ready", self.ready)]

    async def live(self, _: Request) -> Response:
        return Response(b'{"status":"live"}', media_type=JSON)

    async def ready(self, _: Request) -> Response:
        """200 when requests can be served, with `writable` beside it; 503 while the database does not answer."""
        try:
            found = await self.database.fetch(self.statement, {})
        except Refusal:
            found = None
        writable = found is not None and await self.can_write()
        body = orjson.dumps({"status": "ready" if found else "not ready", "writable": writable})
        return Response(body, 200 if found else 503, media_type=JSON)

    async def can_write(self) -> bool:
        if self.clock() >= self.until:
            self.until = self.clock() + SECONDS  # before the attempt, so that others need not wait for it
            self.is_writable = await self.database.is_writable()
        return self.is_writable
