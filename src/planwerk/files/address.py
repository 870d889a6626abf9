"""Signed addresses: whoever holds one may read one file, and nobody can make one without the secret.

Comes in: the secret and a key of the vault. Goes out: an address, or whether a signature is right. An address never ends.
"""

import hashlib
import hmac
from urllib.parse import quote

SIGNATURE_DIGITS = 32  # 128 bits: beyond guessing (RFC 2104, section 5, allows half of the hash)


def sign(secret: bytes, key: str) -> str:
    """The signature of a key: 32 hex digits.

    >>> sign(b"secret", "b7/018f")
    'e8686076c7b7c76d8b5b4a5b3e418a75'
    """
    # The word before the key keeps a signature made for another purpose from opening a file.
    return hmac.new(secret, encode(f"files/{key}"), hashlib.sha256).hexdigest()[:SIGNATURE_DIGITS]


def encode(text: str) -> bytes:
    """The bytes of any text, halves of surrogate pairs included: a request may hold them."""
    return text.encode("utf-8", "surrogatepass")


def verify(secret: bytes, key: str, signature: str) -> bool:
    """Whether the signature belongs to the key; takes the same time however wrong it is."""
    return hmac.compare_digest(encode(sign(secret, key)), encode(signature))


def address(public_url: str, secret: bytes, key: str, filename: str) -> str:
    """The address of a file. The filename is only what a browser calls its copy; the signature does not cover it."""
    return f"{public_url.rstrip('/')}/files/{key}/{sign(secret, key)}/{escape(filename)}"


def escape(filename: str) -> str:
    """A filename as one segment of an address."""
    return quote(filename, safe="", errors="replace")
