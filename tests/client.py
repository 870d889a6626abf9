"""A synchronous client of the application in memory: no sockets, and no answer that goes unchecked.

Every answer is compared with the reference document, and searched for the marker that only the other tenant's texts hold.
"""

import asyncio
import threading
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote, unquote_to_bytes, urlencode

import orjson
from tests.conform import Conformity

Result = TypeVar("Result")

MARKER = "ZZ-B-MARK"  # stands in every text of the tenant whose data nobody else may see
JSON = {"content-type": "application/json"}
ABSENT: Any = object()


class Loop:
    """An event loop in a thread of its own, for the application and all its connections."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, name="application", daemon=True)
        self.thread.start()

    def run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout=60)

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


@dataclass(frozen=True)
class Answer:
    """What came back; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def codes(self) -> list[int]:
        return [fault["code"] for fault in self.json["errors"]]

    @property
    def faults(self) -> list[tuple[str | None, str]]:
        """(property, description) of each fault."""
        return [(fault["property"], fault["description"]) for fault in self.json["errors"]]


@dataclass(frozen=True)
class Client:
    """Asks as one tenant. `headers` go with every request; `sees_marker` is set for the tenant whose marker it is."""

    app: Any
    loop: Loop
    conformity: Conformity
    headers: Mapping[str, str]
    sees_marker: bool = False

    def ask(self, method: str, path: str, body: Any = ABSENT, headers: Mapping[str, str] | None = None, **query: Any) -> Answer:
        """The answer to one request. `path` may carry a query; a body that is no bytes is sent as JSON."""
        return self.loop.run(self.ask_async(method, path, body, headers, **query))

    async def ask_async(self, method: str, path: str, body: Any = ABSENT, headers: Mapping[str, str] | None = None, **query: Any) -> Answer:
        plain, _, text = (path + ("?" + urlencode({name.rstrip("_"): value for name, value in query.items()}) if query else "")).partition(
            "?"
        )
        named = {**self.headers, **({} if body is ABSENT or isinstance(body, bytes) else JSON), **(headers or {})}
        content = b"" if body is ABSENT else body if isinstance(body, bytes) else orjson.dumps(body)
        fields = [(name.lower().encode(), value.encode("latin-1")) for name, value in named.items()]
        answer = await self.exchange(method, plain, text.encode(), fields, content)
        self.judge(method, f"{plain}?{text}", answer)
        return answer

    async def exchange(self, method: str, path: str, query: bytes, fields: Sequence[tuple[bytes, bytes]], body: bytes) -> Answer:
        """One request as an ASGI server would hand it over (ASGI specification, HTTP connection scope)."""
        decoded = unquote_to_bytes(path).decode("utf-8", "replace")
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": decoded,
        }
        scope |= {"raw_path": path.encode(), "query_string": query, "root_path": "", "headers": list(fields)}
        scope |= {"client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8080)}
        sent: list[Any] = []
        half = len(body) // 2
        inbox = [{"type": "http.request", "body": body[:half], "more_body": True}, {"type": "http.request", "body": body[half:]}]

        async def receive() -> Any:
            if not inbox:
                await asyncio.Event().wait()  # the client stays until it has the whole answer
            return inbox.pop(0)

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        headers: dict[str, str] = {}
        for name, value in sent[0]["headers"]:  # a name that comes twice (Set-Cookie) has its values on lines of their own
            known = headers.get(name.decode("latin-1").lower())
            headers[name.decode("latin-1").lower()] = value.decode("latin-1") if known is None else f"{known}\n{value.decode('latin-1')}"
        return Answer(sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:]))

    def judge(self, method: str, path: str, answer: Answer) -> None:
        if not self.sees_marker:
            whole = answer.body + repr(answer.headers).encode()
            assert MARKER.encode() not in whole.upper(), f"{method} {path} shows what belongs to another tenant"
        plain = path.partition("?")[0]
        if plain.startswith("/v1") and not plain.startswith("/v1/oauth/") and "content-encoding" not in answer.headers:
            self.conformity.check(method, path, answer.status, answer.headers, answer.body)

    # ── the usual requests, with the status that they must have ──

    def get(self, path: str, expect: int = 200, **query: Any) -> Any:
        return self.value("GET", path, ABSENT, expect, **query)

    def post(self, path: str, body: Any = ABSENT, expect: int = 201, **query: Any) -> Any:
        return self.value("POST", path, body, expect, **query)

    def put(self, path: str, body: Any = ABSENT, expect: int = 200, **query: Any) -> Any:
        return self.value("PUT", path, body, expect, **query)

    def delete(self, path: str, expect: int = 204) -> Any:
        return self.value("DELETE", path, ABSENT, expect)

    def value(self, method: str, path: str, body: Any, expect: int, **query: Any) -> Any:
        answer = self.ask(method, path, body, **query)
        assert answer.status == expect, f"{method} {path} → {answer.status}, not {expect}: {answer.body[:800]!r}"
        return answer.json if answer.body else None

    def ids(self, path: str, **query: Any) -> list[str]:
        """The ids of a list, in its order."""
        return [item["id"] for item in self.get(path, **query)["data"]]

    def names(self, path: str, **query: Any) -> list[str]:
        return [item["name"] for item in self.get(path, **query)["data"]]

    def refused(
        self, method: str, path: str, body: Any = ABSENT, headers: Mapping[str, str] | None = None, **query: Any
    ) -> tuple[int, list[int]]:
        """(status, codes) of a request that must be refused."""
        answer = self.ask(method, path, body, headers, **query)
        assert answer.status >= 400, f"{method} {path} → {answer.status}, which is no refusal: {answer.body[:800]!r}"
        return answer.status, answer.codes


def segment(text: str) -> str:
    """A text as one part of a path."""
    return quote(text, safe="")
