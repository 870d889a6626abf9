"""A client that keeps a stream of events open, without a socket: it takes one part after the other, and can stop taking or leave."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from tests.client import Client

Fields = dict[str, str]


class Stream:
    """One open stream; `status` and `headers` are there once it is opened."""

    def __init__(self, client: Client, query: str, headers: dict[str, str], method: str) -> None:
        self.client = client
        named = {**client.headers, "accept": "text/event-stream", **headers}
        self.scope: dict[str, Any] = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http"}
        self.scope |= {"path": "/v1/event", "raw_path": b"/v1/event", "query_string": query.encode(), "root_path": ""}
        self.scope |= {"headers": [(name.encode(), value.encode()) for name, value in named.items()]}
        self.scope |= {"client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8080)}
        self.left = asyncio.Event()
        self.sent: asyncio.Queue[Any] = asyncio.Queue(maxsize=1)
        self.task = asyncio.run_coroutine_threadsafe(client.app(self.scope, self.receive, self.sent.put), client.loop.loop)
        start = self.message()
        self.status: int = start["status"]
        self.headers = {name.decode(): value.decode() for name, value in start["headers"]}

    async def receive(self) -> Any:
        if self.scope.pop("headers", None):
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.left.wait()
        return {"type": "http.disconnect"}

    def message(self) -> Any:
        return self.client.loop.run(self.sent.get())

    def block(self) -> Fields | None:
        """The fields of the next block, a comment under the empty name; None when the stream has ended."""
        body = self.message().get("body", b"")
        if not body:
            return None
        assert body.endswith(b"\n\n")
        return {name: value for name, _, value in (line.partition(": ") for line in body.decode()[:-2].split("\n"))}

    def event(self) -> Any:
        """The next event; comments are passed over."""
        while (fields := self.block()) is not None:
            if "data" in fields:
                event = orjson.loads(fields["data"])
                assert (fields["id"], fields["event"]) == (str(event["position"]), event["event"])
                return event
        return None

    def leave(self) -> None:
        """Close the connection; the server has let go of everything afterwards."""
        self.client.loop.loop.call_soon_threadsafe(self.left.set)
        self.client.loop.run(self.drain())

    async def drain(self) -> None:
        ended = asyncio.wrap_future(self.task)
        while not ended.done():
            if not self.sent.empty():
                self.sent.get_nowait()
            await asyncio.sleep(0)


@contextmanager
def following(client: Client, query: str = "", method: str = "GET", **headers: str) -> Iterator[Stream]:
    """A stream that is open, and left afterwards."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    stream = Stream(client, query, named, method)
    try:
        yield stream
    finally:
        stream.leave()
