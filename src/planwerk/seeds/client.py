"""A small client of the HTTP API, such as an integrator would write: get, list with a filter, create, update.

It waits when the server asks it to (429, 503) and tries again when the connection fails. Every POST carries an
Idempotency-Key, so trying again never creates anything twice.
"""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx2

from planwerk.seeds import CannotSeed

Json = dict[str, Any]

TRIES = 8  # of one request; a full rate limit window needs two
PAGE = 1000  # the largest page the API gives
TIMEOUT_SECONDS = 30.0
PAUSE_SECONDS = 1.0  # after a failed connection, and where the server names no time


class Client:
    """One environment of one server. `base_url` ends in `/v1`; paths begin with a slash.

    Raises `CannotSeed` at once for an address that is none.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        api_env: str,
        *,
        transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        headers = {"X-Api-Key": api_key, "X-Api-Env": api_env, "Accept": "application/json"}
        self.http = httpx2.Client(base_url=address(base_url), headers=headers, timeout=TIMEOUT_SECONDS, transport=transport)
        self.sleep = sleep

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def get(self, path: str, **parameters: Any) -> Json:
        """One object, or the envelope of a list."""
        return self.request("GET", path, parameters=parameters)

    def list(self, path: str, **parameters: Any) -> Iterator[Json]:
        """Every object that `filter` lets through, page by page in the order of `sort` (else of creation)."""
        offset, count = 0, 1
        while offset < count:
            page = self.get(path, limit=PAGE, offset=offset, **parameters)
            yield from page["data"]
            offset, count = offset + PAGE, page["count"]

    def create(self, path: str, body: Json) -> Json:
        """The new object."""
        return self.request("POST", path, body=body, headers={"Idempotency-Key": str(uuid.uuid4())})

    def update(self, path: str, body: Json, **parameters: Any) -> Json:
        """The object as it is after the change."""
        return self.request("PUT", path, body=body, parameters=parameters)

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Json | None = None,
        parameters: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Json:
        """The JSON of the answer. Raises `CannotSeed` for a refusal, and when patience ends."""
        reason = ""
        for _ in range(TRIES):
            try:
                answer = self.http.request(method, path, json=body, params=parameters, headers=headers)
            except httpx2.RequestError as error:
                reason, pause = f"{self.http.base_url} cannot be reached ({error})", PAUSE_SECONDS
            else:
                if answer.status_code not in (429, 503):
                    return content(method, path, answer)
                reason, pause = told(answer), pause_seconds(answer)
            self.sleep(pause)
        raise CannotSeed(f"{method} {path} failed {TRIES} times: {reason}")


def address(base_url: str) -> httpx2.URL:
    """
    >>> address("127.0.0.1:8080/v1")
    Traceback (most recent call last):
    planwerk.seeds.CannotSeed: 127.0.0.1:8080/v1 is no address of a server, such as http://127.0.0.1:8080/v1
    """
    try:
        url = httpx2.URL(base_url)
    except httpx2.InvalidURL:
        url = httpx2.URL("")
    if url.scheme not in ("http", "https") or not url.host:
        raise CannotSeed(f"{base_url} is no address of a server, such as http://127.0.0.1:8080/v1")
    return url


def content(method: str, path: str, answer: httpx2.Response) -> Json:
    if not answer.is_success:
        raise CannotSeed(f"{method} {path} was refused: {told(answer)}")
    try:
        found = answer.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise CannotSeed(f"{answer.url} answers something else than this API")
    return found


def told(answer: httpx2.Response) -> str:
    """The status, what the API says about it, and the reference under which the server's log speaks of it."""
    try:
        errors = [str(error["description"]) for error in answer.json()["errors"]]
    except (ValueError, LookupError, TypeError):
        errors = []
    reference = answer.headers.get("Reference-Tag", "")
    return " ".join(filter(None, (str(answer.status_code), "; ".join(errors), f"[{reference}]" if reference else "")))


def pause_seconds(answer: httpx2.Response) -> float:
    """How long the server asks to be left alone."""
    asked = answer.headers.get("RateLimit-Reset") if answer.status_code == 429 else None
    text = str(asked or answer.headers.get("Retry-After") or "")
    return float(text) if text.isdecimal() else PAUSE_SECONDS
