"""Signed addresses: whoever holds one may read one file, and nobody can make one without the secret.

Comes in: the secret and a key of the vault. Goes out: an address, or whether a signature is right. An address never ends.
"""

import hashlib
import hmac
import os
import secrets
from pathlib import Path
from urllib.parse import quote

SECRET_BYTES = 32
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


def read_secret(path: Path) -> bytes:
    """The secret in a file, which is made on first use and readable by its owner alone.

    Raises ValueError with a sentence when the file holds something else.
    """
    try:
        make_secret(path)
    except FileExistsError:
        pass
    return parse_secret(path)


def make_secret(path: Path) -> None:
    """Writes a new secret; raises FileExistsError when there is a file already."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(SECRET_BYTES))
        file.flush()
        os.fsync(descriptor)


def parse_secret(path: Path) -> bytes:
    try:
        secret = bytes.fromhex(path.read_text(encoding="ascii"))
    except ValueError:
        secret = b""
    if len(secret) != SECRET_BYTES:
        raise ValueError(
            f"the secret file {path} must hold {SECRET_BYTES * 2} hex digits; without it signed addresses would open for anyone"
        )
    return secret
