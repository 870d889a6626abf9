"""The server inside the process: started before the first request, stopped after the last.

To see it fail: leave out the wait in `Inside.start`, start at every `with`, unpack in `serve`, or let `pause` sleep by itself.
"""

import asyncio
import gzip
from typing import Any

import httpx2
import pytest

from planwerk.seeds.inside import Inside


class Echo:
    """An application that answers with what it was asked, and keeps a diary of its life."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.diary: list[str] = []
        self.failure = failure

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self.live(receive, send)
            return
        self.diary.append("request")
        body = (await receive())["body"]
        await send({"type": "http.response.start", "status": 201, "headers": [(b"x-path", scope["path"].encode())]})
        await send({"type": "http.response.body", "body": body})

    async def live(self, receive: Any, send: Any) -> None:
        self.diary.append((await receive())["type"])
        if self.failure is not None:
            raise self.failure
        await send({"type": "lifespan.startup.complete"})
        self.diary.append((await receive())["type"])


def test_requests_reach_the_application_between_its_start_and_its_end() -> None:
    app = Echo()
    with Inside(app) as transport, httpx2.Client(base_url="http://inside.invalid", transport=transport) as client:
        answers = [client.post("/v1/order", content=f"body {number}") for number in range(2)]
    assert [(answer.status_code, answer.headers["x-path"], answer.text) for answer in answers] == [
        (201, "/v1/order", "body 0"),
        (201, "/v1/order", "body 1"),
    ]
    assert app.diary == ["lifespan.startup", "request", "request", "lifespan.shutdown"]


def test_a_compressed_answer_is_unpacked_once() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-encoding", b"gzip")]})
            await send({"type": "http.response.body", "body": gzip.compress(b"{}")})

    with Inside(app) as transport, httpx2.Client(base_url="http://inside.invalid", transport=transport) as client:
        assert client.get("/").content == b"{}"


def test_what_runs_beside_requests_goes_on_in_a_pause() -> None:
    done: list[str] = []

    async def beside() -> None:
        for _ in range(100):
            await asyncio.sleep(0)
        done.append("beside")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            tasks.append(asyncio.ensure_future(beside()))
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    tasks: list[asyncio.Future[None]] = []
    with Inside(app) as transport, httpx2.Client(base_url="http://inside.invalid", transport=transport) as client:
        client.get("/")
        assert done == []
        for _ in range(200):
            transport.pause(0)
        assert done == ["beside"]


def test_an_application_that_cannot_start_says_why() -> None:
    with pytest.raises(ValueError, match="no database"), Inside(Echo(ValueError("no database"))):
        raise AssertionError("must not be reached")
