"""A browser at a server process: `tests.visiting.Browser` over a real socket."""

import asyncio
import http.client
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from tests.client import Answer
from tests.visiting import Browser

Result = TypeVar("Result")


class Wire:
    """What a browser needs of a client: each request on a connection of its own. Answers are not judged here."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.loop = self

    def run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run(coroutine)

    async def exchange(self, method: str, path: str, query: bytes, fields: Sequence[tuple[bytes, bytes]], body: bytes) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            target = f"{path}?{query.decode()}" if query else path
            connection.request(method, target, body or None, {name.decode(): value.decode() for name, value in fields})
            answer = connection.getresponse()
            headers: dict[str, str] = {}
            for name, value in answer.getheaders():
                known = headers.get(name.lower())
                headers[name.lower()] = value if known is None else f"{known}\n{value}"
            return Answer(answer.status, headers, answer.read())
        finally:
            connection.close()

    def judge(self, method: str, path: str, answer: Answer) -> None:
        pass


def browser_at(port: int) -> Browser:
    """A browser that has visited nothing yet."""
    wire: Any = Wire(port)
    return Browser(wire, f"127.0.0.1:{port}")
