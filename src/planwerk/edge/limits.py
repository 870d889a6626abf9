"""What is refused before anything is parsed: too long an address, too many or too large headers, too large a body."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from planwerk.errors import BAD_REQUEST, HEADERS_TOO_LARGE, PAYLOAD_TOO_LARGE, URI_TOO_LONG, refuse

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

ADDRESS_BYTES = 16 * 1024
HEADERS = 100
HEADER_BYTES = 32 * 1024


def check_head(path: str, query: bytes, headers: Mapping[bytes, bytes]) -> None:
    if len(path) + len(query) > ADDRESS_BYTES:
        raise refuse(URI_TOO_LONG, f"the address is longer than {ADDRESS_BYTES} bytes")
    if len(headers) > HEADERS or sum(map(len, headers)) + sum(map(len, headers.values())) > HEADER_BYTES:
        raise refuse(HEADERS_TOO_LARGE, f"at most {HEADERS} headers of {HEADER_BYTES} bytes together are read")


def announced_size(header: bytes) -> int:
    """Content-Length; refuses with 400 what is no number."""
    if not header.isdigit() or len(header) > 18:
        raise refuse(BAD_REQUEST, "Content-Length must be a number")
    return int(header)


async def read_body(receive: Receive, length: bytes, limit_bytes: int) -> bytes:
    """The whole body; refuses with 413 as soon as it is known to be too large."""
    if length and announced_size(length) > limit_bytes:
        raise too_large(limit_bytes)
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise incomplete()
        part = message.get("body", b"")
        size += len(part)
        if size > limit_bytes:
            raise too_large(limit_bytes)
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)


def incomplete() -> Exception:
    """The client went away, or sent chunks that are none; only the latter will see the answer."""
    return refuse(BAD_REQUEST, "the body ended before it was whole")


def too_large(limit_bytes: int) -> Exception:
    return refuse(PAYLOAD_TOO_LARGE, f"the body is larger than {limit_bytes} bytes")
