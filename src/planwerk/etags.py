"""Entity tags (RFC 9110, section 8.8.3): 32 hex digits that name an object's version and the answer as sent."""

import xxhash


def etag_of(version: int | None, id: str, body: bytes) -> str:
    """32 hex digits: the object's version first, then the answer as sent (a list: the answer twice)."""
    if version is None:
        return xxhash.xxh3_128_hexdigest(body)
    return version_tag(id, version) + xxhash.xxh3_64_hexdigest(body)


def version_tag(id: str, version: int) -> str:
    """The half of an entity tag that names an object's version.

    The version can be read back by whoever knows the id, so that If-Match needs no second statement: see `versions_of`.
    """
    return f"{xxhash.xxh3_64_intdigest(id.encode()) ^ version:016x}"


def versions_of(header: str, id: str) -> tuple[int, ...] | None:
    """The versions that an If-Match header names for an object; None for `*`, which any version satisfies.

    >>> versions_of(f'"{version_tag("a", 3)}0000000000000000"', "a")
    (3,)
    """
    if header.strip() == "*":
        return None
    tags = (tag.strip().strip('"') for tag in header.split(",") if not tag.strip().startswith("W/"))
    return tuple(int(tag[:16], 16) ^ xxhash.xxh3_64_intdigest(id.encode()) for tag in tags if is_etag(tag))


def is_etag(tag: str) -> bool:
    return len(tag) == 32 and all(digit in "0123456789abcdef" for digit in tag)
