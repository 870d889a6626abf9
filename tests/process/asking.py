"""Asking a server over a real socket, one connection at a time."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass, field as attribute
from typing import Any

DROPPED = (OSError, http.client.HTTPException)  # no whole answer came


@dataclass(frozen=True)
class Reply:
    """An answer that was read to its end; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Asker:
    """One connection that is kept open between requests. Raises OSError or HTTPException when no whole answer comes."""

    port: int
    headers: Mapping[str, str]
    connection: http.client.HTTPConnection = attribute(init=False)

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def __enter__(self) -> "Asker":
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        content = None if body is None else json.dumps(body).encode()
        kind = {} if body is None else {"content-type": "application/json"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.connection.request(method, path, content, {**self.headers, **kind, **named})
        answer = self.connection.getresponse()
        read = answer.read()
        return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, read)

    def value(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON of an answer that must be a good one."""
        reply = self.ask(method, path, body)
        assert reply.status in (200, 201), f"{method} {path} → {reply.status} {reply.body[:500]!r}"
        return reply.json
