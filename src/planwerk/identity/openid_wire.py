"""One question to the OpenID provider: an address goes out, a JSON object comes back, or `NoLogin` with the reason.

Ten seconds and one mebibyte are the most that an answer may take. A redirect is no answer, proxies and passwords of the
environment do not count, and nothing that was asked or answered is ever part of a reason.
"""

import asyncio
import ssl
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import httpx2
import orjson

CONNECT_SECONDS, WHOLE_SECONDS = 5.0, 10.0
ANSWER_BYTES = 1024 * 1024


class NoLogin(Exception):
    """A login that did not work. The text says why, for the log; it holds no secret."""


async def ask(method: str, url: str, *, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The JSON object that the provider answers with status 200; raises `NoLogin` for anything else."""
    asked = {"accept": "application/json", "accept-encoding": "identity", **(headers or {})}
    place = url.partition("?")[0]
    try:
        async with asyncio.timeout(WHOLE_SECONDS), open_client() as client, client.stream(method, url, data=form, headers=asked) as answer:
            status, body = answer.status_code, await read(answer)
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:  # the last for a token that no header can hold
        raise NoLogin(f"{place} did not answer: {type(error).__name__}") from None
    found = parse(body)
    if status != 200:
        raise NoLogin(f"{place} answered {status}{error_code(found)}")
    if not isinstance(found, dict):
        raise NoLogin(f"{place} answered with no JSON object")
    return found


def open_client() -> httpx2.AsyncClient:
    timeout = httpx2.Timeout(WHOLE_SECONDS, connect=CONNECT_SECONDS)
    return httpx2.AsyncClient(verify=trusted(), timeout=timeout, follow_redirects=False, trust_env=False)


@lru_cache
def trusted() -> ssl.SSLContext:
    """The certificates that this machine trusts, or those that SSL_CERT_FILE names; read once."""
    return httpx2.create_ssl_context()


async def read(answer: httpx2.Response) -> bytes:
    """The body as it was sent. One that is packed, which the provider was asked not to do, is not unpacked: it may hold too much."""
    body = b""
    async for part in answer.aiter_raw():
        body += part
        if len(body) > ANSWER_BYTES:
            raise NoLogin(f"the provider answered with more than {ANSWER_BYTES} bytes")
    return body


def parse(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def error_code(answer: Any) -> str:
    """The error of an OAuth answer (RFC 6749, section 5.2), fit for a log; empty if there is none.

    >>> error_code({"error": "invalid_grant"}), error_code({"error": 7}), error_code(None)
    (': invalid_grant', '', '')
    """
    code = answer.get("error") if isinstance(answer, dict) else None
    return f": {code[:64]}" if isinstance(code, str) and code.isprintable() else ""
