"""If-None-Match → 304, and the encoding of an answer (RFC 9110, sections 8.8.3, 12.5.3 and 13.1)."""

import gzip

import xxhash

ENCODED_BYTES = 1024  # smaller answers are not worth compressing


def is_unchanged(header: bytes, etag: str) -> bool:
    """Whether If-None-Match names the entity tag (weak comparison) or is `*`."""
    if header == b"*":
        return True
    tags = (tag.strip().removeprefix("W/").strip('"') for tag in header.decode("latin-1").split(","))
    return etag in tags


def accepts_gzip(header: bytes) -> bool:
    """Whether Accept-Encoding takes gzip.

    >>> accepts_gzip(b"br, gzip;q=0.5"), accepts_gzip(b"gzip;q=0"), accepts_gzip(b"identity")
    (True, False, False)
    """
    for item in header.decode("latin-1").lower().split(","):
        name, _, weight = item.partition(";")
        if name.strip() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def encode(body: bytes, etag: str) -> tuple[bytes, str]:
    """The body compressed, with the entity tag of what is sent."""
    packed = gzip.compress(body, compresslevel=1, mtime=0)
    return packed, etag[:16] + xxhash.xxh3_64_hexdigest(packed) if etag else ""
