"""Gives out stored files to whoever holds a signed address.

Comes in: GET or HEAD of such an address. Goes out: the bytes, dressed so that a browser never runs them in our name; or 404.
"""

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from planwerk.errors import NOT_FOUND, Refusal, refuse
from planwerk.files.address import escape, verify
from planwerk.files.stored import Missing, Stored
from planwerk.files.vault import Vault

PATH = "/files/{environment_id}/{file_id}/{signature}/{filename:path}"
SHOWN_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})  # all others are saved, SVG holds scripts

RefuseResponse = Callable[[Request, Refusal], Response]


def routes(vault: Vault, secret: bytes, refuse_response: RefuseResponse) -> list[Route]:
    """The one route of files; `refuse_response` writes the answer for an address that opens nothing."""

    async def file(request: Request) -> Response:
        try:
            return await answer(request, vault, secret)
        except Refusal as refusal:
            return refuse_response(request, refusal)

    return [Route(PATH, file, name="file")]


async def answer(request: Request, vault: Vault, secret: bytes) -> Response:
    """The file of an address; raises `Refusal` when its signature is wrong or the file is gone."""
    key = "{environment_id}/{file_id}".format_map(request.path_params)
    signature = request.path_params["signature"]
    if not verify(secret, key, signature):
        raise refuse(NOT_FOUND, "there is no file at this address")
    try:
        stored = await run_in_threadpool(vault.stored, key)
    except Missing:
        raise refuse(NOT_FOUND, "the file at this address was deleted") from None
    headers = headers_of(stored, request.path_params["filename"], signature)
    if headers["ETag"] in request.headers.get("If-None-Match", ""):
        return Response(status_code=304, headers={name: headers[name] for name in ("ETag", "Cache-Control")})
    if request.method == "HEAD":
        return Response(headers=headers)
    return StreamingResponse(vault.open(key), headers=headers)


def headers_of(stored: Stored, filename: str, signature: str) -> dict[str, str]:
    """The headers of a file. The signature serves as ETag: it stands for the key, and a key is written once."""
    disposition = "inline" if stored.content_type in SHOWN_TYPES else "attachment"
    return {
        "Content-Type": stored.content_type,
        "Content-Length": str(stored.size_bytes),
        "Content-Disposition": f"{disposition}; filename*=UTF-8''{escape(filename)}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "private, max-age=31536000, immutable",
        "ETag": f'"{signature}"',
    }
