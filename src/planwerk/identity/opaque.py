"""Opaque tokens: random texts that open something once or for a while; only their SHA-256 is stored.

A token begins with the id of its environment, so that it is looked up there and nowhere else: 16 bytes of that id and 32
random ones, 64 characters in all.
"""

import base64
import binascii
import hashlib
import secrets
from uuid import UUID

RANDOM_BYTES = 32


def new_token(environment_id: str) -> str:
    """A token nobody can guess, made for one environment."""
    return base64.urlsafe_b64encode(UUID(environment_id).bytes + secrets.token_bytes(RANDOM_BYTES)).decode()


def environment_in(token: str) -> str | None:
    """The environment that a token is of; None for a text that is no token.

    >>> environment_in("AAAAAAAAQACAAAAAAAAAAQ" + "A" * 42), environment_in("guess"), environment_in("é" * 64)
    ('00000000-0000-4000-8000-000000000001', None, None)
    """
    if len(token) != 64:
        return None
    try:
        return str(UUID(bytes=base64.b64decode(token, b"-_", validate=True)[:16]))
    except (binascii.Error, ValueError):
        return None


def token_hash(token: str) -> str:
    """What is stored of a token: 64 hex digits; a random secret needs no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
