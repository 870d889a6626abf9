"""Reads an upload (multipart/form-data, RFC 7578) from the chunks of a request.

Comes in: the Content-Type and the body, piece by piece. Goes out: one file with its name, type, size and hash, and the
text fields sent along; or a `Refusal`. Never holds more than 1 MiB of the file in memory, and never trusts its name.
"""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from starlette.concurrency import run_in_threadpool

from planwerk.errors import BAD_REQUEST, PAYLOAD_TOO_LARGE, VALIDATION_FAILED, Refusal, refuse
from planwerk.files.part import Part, boundary_of, clean_filename, decode, read_part

MEMORY_BYTES = 1024 * 1024
PART_LIMIT = 20
FIELD_LIMIT_BYTES = 64 * 1024
FORM_LIMIT_BYTES = PART_LIMIT * 2 * FIELD_LIMIT_BYTES  # all but the file: texts, headers, boundaries
NO_FILE = "is required: send it in a part named file, with a filename"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was sent. `file` stands at its start and vanishes when closed."""

    filename: str
    content_type: str
    file: SpooledTemporaryFile[bytes]
    size_bytes: int
    sha256_hex: str
    fields: dict[str, str]


async def read_upload(content_type: str, chunks: AsyncIterator[bytes], limit_bytes: int) -> Upload:
    """The upload in a body with exactly one file, in the part `file`, of at most `limit_bytes`.

    Raises `Refusal`: 400 for a body that is no form, 413 for one that is too large, 415 for another content type, 422
    for a missing file or more than one. The caller closes the file.
    """
    form = Form(boundary_of(content_type), limit_bytes)
    try:
        async for chunk in chunks:
            await run_in_threadpool(form.feed, chunk)
        return form.finish()
    except BaseException:
        form.file.close()
        raise


class Form:
    """A body on its way: takes chunks, knows what it has read so far."""

    def __init__(self, boundary: bytes, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.body_bytes = 0
        self.parts = 0
        self.is_complete = False
        self.header, self.value, self.text = bytearray(), bytearray(), bytearray()
        self.headers: dict[str, bytes] = {}
        self.fields: dict[str, str] = {}
        self.part: Part | None = None
        self.file_part: Part | None = None
        self.file = SpooledTemporaryFile[bytes](MEMORY_BYTES)
        self.hash = hashlib.sha256()
        self.parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self.begin_part,
                "on_header_field": self.take_header,
                "on_header_value": self.take_value,
                "on_header_end": self.end_header,
                "on_headers_finished": self.end_headers,
                "on_part_data": self.take_data,
                "on_part_end": self.end_part,
                "on_end": self.end,
            },
        )

    def feed(self, chunk: bytes) -> None:
        """Reads on; raises `Refusal` as soon as the body is known to be bad."""
        self.body_bytes += len(chunk)
        if self.body_bytes > self.limit_bytes + FORM_LIMIT_BYTES:
            raise self.too_large()
        try:
            self.parser.write(chunk)
        except FormParserError:
            raise refuse(BAD_REQUEST, "the body is not multipart/form-data with the boundary that Content-Type names") from None

    def finish(self) -> Upload:
        """The upload, once the body has ended; raises `Refusal` when it ended too early or brought no file."""
        if not self.is_complete:
            raise refuse(BAD_REQUEST, "the body ends before its last boundary")
        if self.file_part is None:
            raise refuse(VALIDATION_FAILED, NO_FILE, "file")
        size_bytes = self.file.tell()
        self.file.seek(0)
        filename = clean_filename(self.file_part.filename or "")
        return Upload(filename, self.file_part.content_type, self.file, size_bytes, self.hash.hexdigest(), self.fields)

    def begin_part(self) -> None:
        self.parts += 1
        if self.parts > PART_LIMIT:
            raise refuse(BAD_REQUEST, f"a form may have at most {PART_LIMIT} parts")
        self.headers = {}
        self.text.clear()

    def take_header(self, data: bytes, start: int, end: int) -> None:
        self.header += data[start:end]

    def take_value(self, data: bytes, start: int, end: int) -> None:
        self.value += data[start:end]

    def end_header(self) -> None:
        self.headers[self.header.decode("latin-1").lower()] = bytes(self.value).strip(b" \t")
        self.header.clear()
        self.value.clear()

    def end_headers(self) -> None:
        self.part = read_part(self.headers)
        if self.part.filename is not None:
            self.begin_file(self.part)

    def begin_file(self, part: Part) -> None:
        if part.name != "file" or not part.filename:
            raise refuse(VALIDATION_FAILED, NO_FILE, "file")
        if self.file_part is not None:
            raise refuse(VALIDATION_FAILED, "may be sent only once", "file")
        self.file_part = part

    def take_data(self, data: bytes, start: int, end: int) -> None:
        take = self.take_file if self.part is self.file_part else self.take_text
        take(data[start:end])

    def take_file(self, piece: bytes) -> None:
        if self.file.tell() + len(piece) > self.limit_bytes:
            raise self.too_large()
        self.hash.update(piece)
        self.file.write(piece)

    def take_text(self, piece: bytes) -> None:
        self.text += piece
        if len(self.text) > FIELD_LIMIT_BYTES:
            raise refuse(PAYLOAD_TOO_LARGE, f"a text field may have at most {FIELD_LIMIT_BYTES} bytes")

    def end_part(self) -> None:
        if self.part is not None and self.part is not self.file_part:
            self.fields[self.part.name] = decode(bytes(self.text), "a text field", self.part.name)

    def end(self) -> None:
        self.is_complete = True

    def too_large(self) -> Refusal:
        return refuse(PAYLOAD_TOO_LARGE, f"the file may have at most {self.limit_bytes} bytes", "file")
