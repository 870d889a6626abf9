"""An answer that stays open: its parts go out one by one, each when the client has taken the one before.

Comes in: a generator of bytes. It is closed, and with it all that it holds, when it ends, when the client leaves, or when the request is
cancelled. An error in it ends the answer and is logged; the client asks again.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping
from contextlib import aclosing
from typing import Any

from planwerk.edge.limits import Receive
from planwerk.edge.problems import Headers, problem

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

EVENT_STREAM = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would keep the parts together
)


async def send_stream(
    stream: AsyncGenerator[bytes, None], fields: Headers, reference: str, receive: Receive, send: Send, *, is_head: bool
) -> None:
    """The whole answer; for HEAD what it begins with."""
    await send({"type": "http.response.start", "status": 200, "headers": [*fields, *EVENT_STREAM, (b"reference-tag", reference.encode())]})
    if is_head:
        await stream.aclose()
        await send({"type": "http.response.body", "body": b""})
        return
    sending = asyncio.create_task(send_parts(stream, reference, send))
    leaving = asyncio.create_task(client_leaves(receive))
    try:
        await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (sending, leaving):
            task.cancel()
        await asyncio.gather(sending, leaving, return_exceptions=True)


async def send_parts(stream: AsyncGenerator[bytes, None], reference: str, send: Send) -> None:
    try:
        async with aclosing(stream) as parts:
            async for part in parts:
                await send({"type": "http.response.body", "body": part, "more_body": True})
    except Exception as error:
        problem(error, reference, "a stream")
    await send({"type": "http.response.body", "body": b""})


async def client_leaves(receive: Receive) -> None:
    """Returns when the client has closed the connection; servers do not tell it who sends."""
    while (await receive())["type"] != "http.disconnect":
        pass
