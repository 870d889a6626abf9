"""Files in a body → stored files and their addresses: multipart uploads, and pictures sent as data URIs.

Comes in: the body of a request. Goes out: the JSON body that the object's properties expect. A file is stored before the
object is written; if the write surely was not made, `discard` takes the file away again.
"""

import asyncio
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any

from planwerk.edge.limits import Receive, announced_size, incomplete, too_large
from planwerk.errors import VALIDATION_FAILED, refuse
from planwerk.fields import Bad
from planwerk.files.address import address, sign
from planwerk.files.picture import Picture, avatar, thumbnail
from planwerk.files.upload import Upload, read_upload
from planwerk.files.vault import Vault
from planwerk.service import Request
from planwerk.store.identifiers import Identifiers

STORED = "fs.mostwanted.io"  # the API's word for a file in the server's own store
FORM_BYTES = 1024 * 1024  # what a form may hold besides the file


class Uploads:
    """Stores what comes in and knows the addresses under which it goes out."""

    def __init__(self, vault: Vault, secret: bytes, public_url: str, limit_bytes: int, identifiers: Identifiers) -> None:
        self.vault = vault
        self.secret = secret
        self.public_url = public_url
        self.limit_bytes = limit_bytes
        self.identifiers = identifiers

    async def receive(self, request: Request, kind: str, receive: Receive, length: bytes) -> dict[str, Any]:
        """The JSON body that an uploaded file stands for."""
        if length and announced_size(length) > self.limit_bytes + FORM_BYTES:
            raise too_large(self.limit_bytes)
        upload = await read_upload(kind, chunks(receive), self.limit_bytes)
        try:
            return await asyncio.to_thread(self.keep, request, upload)
        finally:
            upload.file.close()

    def keep(self, request: Request, upload: Upload) -> dict[str, Any]:
        small = thumbnail(upload.file)
        key = self.new_key(request)
        self.put(request, key, upload.file, upload.size_bytes, upload.content_type)
        body = {**upload.fields, "filename": upload.filename, "type": STORED, "checksum": upload.sha256_hex, "bytes": upload.size_bytes}
        body |= {"file": self.address(key, upload.filename), "signature": sign(self.secret, key)}
        if small is not None:
            body |= self.keep_thumbnail(request, f"{key}.thumbnail", small)
        return body

    def keep_thumbnail(self, request: Request, key: str, small: Picture) -> dict[str, Any]:
        self.put(request, key, BytesIO(small.content), len(small.content), small.content_type)
        return {
            "thumbnail": self.address(key, "thumbnail"),
            "thumbnail_type": STORED,
            "thumbnail_checksum": small.sha256_hex,
            "thumbnail_signature": sign(self.secret, key),
            "thumbnail_bytes": len(small.content),
        }

    async def unpack(self, request: Request) -> Any:
        """The body with pictures replaced by their addresses."""
        body, names = request.body, request.route.object.pictures
        for name in names if isinstance(body, dict) else ():
            value = body.get(name)
            if isinstance(value, str) and value and not value.startswith(f"{self.public_url}/files/"):
                body = {**body, name: await asyncio.to_thread(self.keep_picture, request, name, value)}
        return body

    def keep_picture(self, request: Request, name: str, data_uri: str) -> str:
        try:
            picture = avatar(data_uri)
        except Bad as bad:
            raise refuse(VALIDATION_FAILED, f"{name} {bad.description}", name) from None
        key = self.new_key(request)
        self.put(request, key, BytesIO(picture.content), len(picture.content), picture.content_type)
        return self.address(key, name)

    def new_key(self, request: Request) -> str:
        return f"{request.actor.environment_id}/{self.identifiers.new()}"

    def put(self, request: Request, key: str, content: Any, size_bytes: int, kind: str) -> None:
        self.vault.put(key, content, size_bytes, kind)
        request.files.append(key)

    def address(self, key: str, filename: str) -> str:
        return address(self.public_url, self.secret, key, filename)

    async def discard(self, request: Request) -> None:
        """Forget the files of a request that has written nothing."""
        for key in request.files:
            await asyncio.to_thread(self.vault.delete, key)


async def chunks(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise incomplete()
        yield message.get("body", b"")
        if not message.get("more_body"):
            return
