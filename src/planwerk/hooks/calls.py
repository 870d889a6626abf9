"""One call of a receiver: a body and headers go out, what was answered comes back, or a sentence why nothing was.

A receiver has 5 seconds to connect and 10 in all, the body of its answer included, by one clock. No redirect is followed, no
proxy of the environment used, no cookie kept, no compressed answer asked for and none unpacked. Of an answer its first 20,000
bytes are read; whoever sends more is cut off.
"""

import asyncio
import socket
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field as attribute
from functools import lru_cache
from typing import Any

import aiohttp

from planwerk.hooks.address import PRIVATE, as_given, faults_of
from planwerk.hooks.dialling import NOT_ALLOWED, Forbidden, Gate

ANSWER_BYTES = 20_000  # kept of an answer
HEADERS, NAME_CHARACTERS, VALUE_CHARACTERS = 30, 100, 1000  # kept of its headers
IDLE_SOCKETS = 256  # that are kept open for the next call; as many again may be in use
IDLE_SECONDS = 15.0
KNOWN_URLS = 4096  # whose faults are remembered


@dataclass(frozen=True, slots=True)
class Limits:
    """How long receivers may take, how many are called at once, and how much of the database a sender takes for itself."""

    connect_seconds: float = 5.0
    whole_seconds: float = 10.0
    connections: int = 256
    per_webhook: int = 32
    per_environment: int = 128
    lease_seconds: float = 30.0  # three times the longest attempt
    look_seconds: float = 1.0  # between two looks for what other processes wrote, and for what is due again
    at_once: int = 16  # deliveries that one transaction takes of a webhook, or writes down
    rest: float = 2.0  # the pause after a transaction, in times of its length, for the requests that wait


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver answered; without a status code, why there was no answer."""

    status_code: int | None = None
    headers: dict[str, str] = attribute(default_factory=dict)
    text: str | None = None
    error: str | None = None


class Caller:
    """Calls receivers, over connections that are kept for the next call as long as those are not too many."""

    def __init__(self, gate: Gate, limits: Limits) -> None:
        self.gate = gate
        self.limits = limits
        self.sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self.under_way = 0
        self.fault = lru_cache(KNOWN_URLS)(lambda url: next(faults_of(url, gate.allowed), None))

    async def __aenter__(self) -> "Caller":
        self.kept = self.session(keepalive_timeout=IDLE_SECONDS)
        self.once = self.session(force_close=True)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kept.close()
        await self.once.close()

    def session(self, **options: Any) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=0,  # the sender counts what is under way
            ttl_dns_cache=30,
            resolver=self.gate,
            socket_factory=self.open_socket,
            **options,
        )
        return aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=None, connect=self.limits.connect_seconds),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"accept-encoding": "identity"},  # the client's own would ask for what nobody here unpacks
            auto_decompress=False,
            trust_env=False,
            read_bufsize=ANSWER_BYTES,
        )

    def open_socket(self, info: Any) -> socket.socket:
        """A socket for the address that is about to be dialled, if that is allowed."""
        opened = self.gate.open_socket(info)
        self.sockets.add(opened)
        return opened

    async def call(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """What the receiver answered; it can fail in any way it likes."""
        if fault := self.fault(url):
            return Answer(error=NOT_ALLOWED if fault == PRIVATE else f"url {fault}")
        self.under_way += 1
        try:
            async with asyncio.timeout(self.limits.whole_seconds):
                return await self.exchange(url, headers, body)
        except Exception as error:
            return Answer(error=reason_of(error, self.limits))
        finally:
            self.under_way -= 1

    async def exchange(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        session = self.once if self.is_crowded() else self.kept
        async with session.post(as_given(url), data=body, headers=headers, allow_redirects=False) as answer:
            text = text_of(await first_bytes(answer.content))
            return Answer(answer.status, shown_headers(answer.headers), text)  # leaving closes a connection with more to read

    def is_crowded(self) -> bool:
        """Whether enough connections wait for their next call; the HTTP client itself sets no bound."""
        most = self.under_way + IDLE_SOCKETS
        return len(self.sockets) >= most and sum(one.fileno() >= 0 for one in self.sockets) >= most


async def first_bytes(content: aiohttp.StreamReader) -> bytes:
    """The beginning of a body that comes in pieces."""
    found = b""
    while len(found) < ANSWER_BYTES and (piece := await content.read(ANSWER_BYTES - len(found))):
        found += piece
    return found


def shown_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The first headers of an answer, each cut short."""
    first = list(headers.items())[:HEADERS]
    return {clean(name.lower())[:NAME_CHARACTERS]: clean(value)[:VALUE_CHARACTERS] for name, value in first}


def text_of(answer: bytes) -> str:
    """The bytes of an answer as text that every database takes.

    >>> text_of(bytes([111, 107, 0, 255]))
    'ok\ufffd'
    """
    return answer.decode("utf-8", "replace").replace("\x00", "")


def clean(text: str) -> str:
    """A text of the HTTP client, in which bytes that are no UTF-8 stand for themselves."""
    return text_of(text.encode("utf-8", "surrogateescape"))


def reason_of(error: Exception, limits: Limits) -> str:
    """Why there was no answer, in words that tell the owner enough and an attacker nothing about what is where."""
    causes = [error, getattr(error, "os_error", None), error.__cause__]
    if any(isinstance(cause, Forbidden) for cause in causes):
        return NOT_ALLOWED
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return f"no connection within {limits.connect_seconds:g} seconds"
    if isinstance(error, TimeoutError):
        return f"no answer within {limits.whole_seconds:g} seconds"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "the name of the address is not known"
    if isinstance(error, aiohttp.ClientSSLError):
        return "TLS failed"
    if isinstance(error, aiohttp.ClientConnectorError):
        return "no connection"
    return "the receiver broke off" if isinstance(error, aiohttp.ClientError | OSError) else "no HTTP answer"
