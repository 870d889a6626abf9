"""Small pictures: the thumbnail of an upload and the avatar of a data URI, always encoded anew.

Comes in: bytes from outside. Goes out: a PNG or JPEG without metadata, upright, of bounded size. Pictures take up to
some hundred MiB while they are decoded: call this from one thread at a time.
"""

import base64
import hashlib
from dataclasses import dataclass
from io import BytesIO
from typing import IO

from PIL import Image, ImageOps

from planwerk.fields import Bad

THUMBNAIL_PIXELS = 320
AVATAR_PIXELS = 512
AVATAR_BYTES = 2 * 1024 * 1024
PIXEL_LIMIT = 50_000_000  # a file of some KiB may unfold to gigabytes of pixels
FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
SIXTEEN_TO_EIGHT_BITS = 1 / 256


@dataclass(frozen=True, slots=True)
class Picture:
    """An encoded picture: image/png when some of it may be transparent, else image/jpeg."""

    content_type: str
    content: bytes

    @property
    def sha256_hex(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def thumbnail(file: IO[bytes]) -> Picture | None:
    """A picture of at most 320 × 320 pixels, or None when the file is no whole PNG, JPEG, WebP or GIF. Never raises."""
    try:
        file.seek(0)
        return shrink(file, THUMBNAIL_PIXELS)
    except Exception:  # a broken picture makes Pillow raise about anything, SyntaxError and struct.error included
        return None


def avatar(data_uri: str) -> Picture:
    """The picture in a data URI, at most 512 × 512 pixels; raises `Bad` when there is none."""
    content = decode(data_uri)
    try:
        return shrink(BytesIO(content), AVATAR_PIXELS)
    except Exception:  # see thumbnail
        raise Bad("must be a whole PNG, JPEG, WebP or GIF picture of at most 50 million pixels") from None


def decode(data_uri: str) -> bytes:
    """The bytes of a base64 data URI (RFC 2397) that says it is an image.

    >>> decode("data:image/png;base64,aGVsbG8=")
    b'hello'
    >>> decode("https://example.com/me.png")
    Traceback (most recent call last):
    planwerk.fields.field.Bad: must be a data URI such as data:image/png;base64,…
    """
    head, _, encoded = data_uri.partition(",")
    if not (head.lower().startswith("data:image/") and head.lower().endswith(";base64")):
        raise Bad("must be a data URI such as data:image/png;base64,…")
    if len(encoded) > (AVATAR_BYTES + 2) // 3 * 4:
        raise Bad("must be a picture of at most 2 MiB")
    try:
        return base64.b64decode(encoded, validate=True)
    except ValueError:
        raise Bad("must be valid base64 after the comma") from None


def shrink(file: IO[bytes], side: int) -> Picture:
    """The picture in a file, upright, its longer side at most `side` pixels. Raises whatever Pillow does."""
    with Image.open(file, formats=FORMATS) as image:
        if image.width * image.height > PIXEL_LIMIT:
            raise ValueError("too many pixels")
        mode = "RGBA" if image.has_transparency_data else "RGB"
        # A JPEG is decoded at a lower resolution when it is shrunk before it is converted.
        small = image if image.format == "JPEG" else eight_bits(image).convert(mode)
        small.thumbnail((side, side))
        return encode(ImageOps.exif_transpose(small).convert(mode))


def eight_bits(image: Image.Image) -> Image.Image:
    """The picture in a mode that converts well; Pillow shows 16 bits of grey as white."""
    return image.point(lambda value: value * SIXTEEN_TO_EIGHT_BITS, "L") if image.mode == "I;16" else image


def encode(image: Image.Image) -> Picture:
    """The pixels alone: comments, profiles and positions stay behind."""
    image.info.clear()
    kind = "PNG" if image.mode == "RGBA" else "JPEG"
    content = BytesIO()
    image.save(content, kind)
    return Picture(f"image/{kind.lower()}", content.getvalue())
