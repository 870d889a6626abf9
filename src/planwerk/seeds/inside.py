"""A server inside this process: requests of a client reach the ASGI application without a socket.

For commands that are given a database instead of the address of a running server.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import httpx2

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Inside(httpx2.BaseTransport):
    """Serves one synchronous client. `with` starts the application (ASGI lifespan), `close` or the end of the block stops it.

    A failed start raises what the application raised.
    """

    def __init__(self, app: App) -> None:
        self.app = app
        self.inner = httpx2.ASGITransport(app)
        self.runner = asyncio.Runner()
        self.messages: asyncio.Queue[Scope] | None = None
        self.life: asyncio.Task[None] | None = None

    def __enter__(self) -> "Inside":
        """A client that is used in a `with` of its own enters its transport again; the application starts once."""
        if self.life is None:
            try:
                self.runner.run(self.start())
            except BaseException:
                self.runner.close()
                raise
        return self

    def close(self) -> None:
        if self.life is not None and not self.life.done():
            self.runner.run(self.stop())
        self.runner.close()

    async def start(self) -> None:
        self.messages, started = asyncio.Queue(), asyncio.Event()
        await self.messages.put({"type": "lifespan.startup"})

        async def send(_: MutableMapping[str, Any]) -> None:
            started.set()

        self.life = asyncio.ensure_future(self.live(self.messages.get, send))
        waiting = asyncio.ensure_future(started.wait())
        await asyncio.wait({self.life, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self.life.done():
            await self.life

    async def live(self, receive: Receive, send: Send) -> None:
        await self.app({"type": "lifespan"}, receive, send)

    async def stop(self) -> None:
        assert self.messages is not None
        assert self.life is not None
        await self.messages.put({"type": "lifespan.shutdown"})
        await self.life

    def pause(self, seconds: float) -> None:
        """Let the application do what it does beside requests."""
        self.runner.run(asyncio.sleep(seconds))

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return self.runner.run(self.serve(request))

    async def serve(self, request: httpx2.Request) -> httpx2.Response:
        """The answer with its content as sent: a compressed one is unpacked by the client, as from a socket."""
        answer = await self.inner.handle_async_request(request)
        content = b"".join([part async for part in answer.aiter_raw()])
        return httpx2.Response(answer.status_code, headers=answer.headers, stream=httpx2.ByteStream(content))
