"""What the headers of a form and of its parts say (RFC 7578): boundary, names, type.

Comes in: header text from outside. Goes out: clean names, or a `Refusal`. A filename is only ever shown, never a path.
"""

import re
import unicodedata
from dataclasses import dataclass
from pathlib import PurePosixPath

from python_multipart.multipart import parse_options_header

from planwerk.errors import BAD_REQUEST, UNSUPPORTED_MEDIA_TYPE, refuse

FILENAME_LIMIT = 255
ENDING_LIMIT = 16
MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]{1,63}/[\w!#$&^.+-]{1,63}", re.ASCII)  # RFC 6838, section 4.2
PLAIN_ENCODINGS = ("", "7bit", "8bit", "binary")
INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # control characters, and those that turn the reading direction


def boundary_of(content_type: str) -> bytes:
    """The text between parts.

    >>> boundary_of("multipart/form-data; boundary=--x")
    b'--x'
    >>> boundary_of("multipart/form-data")
    Traceback (most recent call last):
    planwerk.errors.Refusal: Content-Type must name a boundary of 1 to 70 characters
    """
    kind, options = parse_options_header(content_type.encode("latin-1", "replace"))
    if kind != b"multipart/form-data":
        raise refuse(UNSUPPORTED_MEDIA_TYPE, "send the file as multipart/form-data, in a part named file")
    boundary = options.get(b"boundary", b"")
    if not 1 <= len(boundary) <= 70:  # RFC 2046, section 5.1.1
        raise refuse(BAD_REQUEST, "Content-Type must name a boundary of 1 to 70 characters")
    return boundary


def clean_filename(name: str) -> str:
    """A name without path, control characters and surprises, of at most 255 characters.

    >>> clean_filename("../../etc/passwd"), clean_filename("C:\\\\plans\\\\wall.pdf"), clean_filename("..")
    ('passwd', 'wall.pdf', 'file')
    """
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    visible = "".join(character for character in last if unicodedata.category(character) not in INVISIBLE)
    composed = unicodedata.normalize("NFC", visible).strip()
    return shorten(composed) if composed.strip(". ") else "file"


def shorten(name: str) -> str:
    """The name cut to its limit; an ending of usual length stays."""
    ending = PurePosixPath(name).suffix
    kept = ending if len(ending) <= ENDING_LIMIT else ""
    return name if len(name) <= FILENAME_LIMIT else name[: FILENAME_LIMIT - len(kept)] + kept


@dataclass(frozen=True, slots=True)
class Part:
    """What the headers of a part say; `filename` is None for a text field."""

    name: str
    filename: str | None
    content_type: str


def read_part(headers: dict[str, bytes]) -> Part:
    """The part that these headers announce; raises `Refusal` for headers that a form may not have."""
    kind, options = parse_options_header(headers.get("content-disposition", b""))
    if kind != b"form-data" or b"name" not in options:
        raise refuse(BAD_REQUEST, "every part needs the header Content-Disposition: form-data with a name")
    if (encoding := headers.get("content-transfer-encoding", b"").decode("latin-1").lower()) not in PLAIN_ENCODINGS:
        raise refuse(BAD_REQUEST, f"send the bytes as they are, without Content-Transfer-Encoding {encoding}")
    sent = headers.get("content-type", b"").decode("latin-1").partition(";")[0].strip().lower()
    return Part(
        name=decode(options[b"name"], "a part's name"),
        filename=decode(options[b"filename"], "the filename") if b"filename" in options else None,
        content_type=sent if MEDIA_TYPE.fullmatch(sent) else "application/octet-stream",
    )


def decode(text: bytes, what: str, property: str | None = None) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError:
        raise refuse(BAD_REQUEST, f"{what} must be UTF-8", property) from None
