"""The reference over HTTP: the document for programs, a reader for people, and a plain page that needs no script.

Everything is made from the catalog at the first request and kept; nothing is fetched from another host.
"""

import gzip
from collections.abc import Callable, Sequence
from functools import cached_property
from importlib.resources import files

import orjson
import xxhash
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from planwerk.describe import Object
from planwerk.reference.openapi import build
from planwerk.reference.plain import render
from planwerk.reference.readable import readable

HTML, SCRIPT, STYLE, DOCUMENT = "text/html; charset=utf-8", "text/javascript; charset=utf-8", "text/css; charset=utf-8", "application/json"
# The reader styles its parts itself and searches in a worker that it makes from a blob.
POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; worker-src blob:; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
    "vary": "accept-encoding",
}


class Page:
    """A document that is made once, when it is first asked for, and answered with 304 to those who have it."""

    def __init__(self, make: Callable[[], bytes], media_type: str) -> None:
        self.make = make
        self.media_type = media_type

    @cached_property
    def content(self) -> bytes:
        return self.make()

    @cached_property
    def compressed(self) -> bytes:
        return gzip.compress(self.content, mtime=0)

    @cached_property
    def etag(self) -> str:
        """Weak (RFC 9110, section 8.8.1): the compressed form has the same."""
        return f'W/"{xxhash.xxh3_128_hexdigest(self.content)}"'

    def answer(self, request: Request) -> Response:
        """Runs in a thread of Starlette's, since making a page takes a moment."""
        headers = {**HEADERS, "etag": self.etag}
        if self.etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(self.content, media_type=self.media_type, headers=headers)
        return Response(self.compressed, media_type=self.media_type, headers={**headers, "content-encoding": "gzip"})


def routes(objects: Sequence[Object]) -> list[Route]:
    """`/openapi.json`, the reader at `/docs` with its files, and `/docs/plain`."""
    pages = {
        "/openapi.json": Page(lambda: orjson.dumps(build(objects)), DOCUMENT),
        "/docs": Page(lambda: asset("reader.html"), HTML),
        "/docs/plain": Page(lambda: render(objects).encode(), HTML),
        "/docs/openapi.json": Page(lambda: orjson.dumps(readable(build(objects))), DOCUMENT),
        "/docs/reader.js": Page(lambda: asset("reader.js"), SCRIPT),
        "/docs/reader.css": Page(lambda: asset("reader.css"), STYLE),
        "/docs/plain.css": Page(lambda: asset("plain.css"), STYLE),
        "/docs/redoc.standalone.js": Page(lambda: asset("redoc.standalone.js"), SCRIPT),
    }
    return [Route(path, page.answer, methods=["GET"]) for path, page in pages.items()]


def asset(name: str) -> bytes:
    return files("planwerk.reference").joinpath("static", name).read_bytes()
