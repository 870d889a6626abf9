"""The words that vaults share: what a key may be, what is known of a file, and that there is none."""

import re
from dataclasses import dataclass

KEY = re.compile(r"[0-9a-z-]{1,64}/[0-9a-z-]{1,64}(\.thumbnail)?", re.ASCII)
CHUNK_BYTES = 256 * 1024


class Missing(LookupError):
    """The vault holds nothing under this key."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What is known of a stored file without reading it."""

    size_bytes: int
    content_type: str


def check(key: str) -> str:
    """The key itself when it is made of ids.

    >>> check("b7/018f-4a.thumbnail")
    'b7/018f-4a.thumbnail'
    >>> check("b7/../../etc/passwd")
    Traceback (most recent call last):
    ValueError: b7/../../etc/passwd is no key of a file
    """
    if not KEY.fullmatch(key):
        raise ValueError(f"{key} is no key of a file")
    return key


def check_environment(id: str) -> str:
    """The id of an environment itself when it can stand in a key.

    >>> check_environment("..")
    Traceback (most recent call last):
    ValueError: ../any is no key of a file
    """
    return check(f"{id}/any").split("/")[0]
