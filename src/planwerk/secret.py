"""The secret that only this server's processes know: read from a file, made on first use, never written anywhere else.

From it follow a key for each purpose, so that what is made for one opens nothing of another. With such a key a text is signed
(nobody else can make it) or sealed (nobody else can read it, not even with the database in hand).
"""

import base64
import hashlib
import hmac
import os
import secrets
from functools import lru_cache
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from planwerk.settings import Settings, beside_database

SECRET_BYTES = 32


@lru_cache
def secret_of(settings: Settings) -> bytes:
    """The secret of the server with these settings; read once. Raises ValueError with a sentence for a file that holds none."""
    return read_secret(Path(settings.secret_file) if settings.secret_file else beside_database(settings, "secret"))


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


@lru_cache
def key_for(secret: bytes, purpose: str) -> bytes:
    """The key of one purpose: 32 bytes (RFC 5869)."""
    return HKDF(SHA256(), 32, None, purpose.encode()).derive(secret)


def sign(secret: bytes, purpose: str, text: str) -> str:
    """The signature of a text for one purpose: 64 hex digits (HMAC-SHA256, RFC 2104)."""
    return hmac.new(key_for(secret, purpose), text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def is_signed(secret: bytes, purpose: str, text: str, signature: str) -> bool:
    """Whether the signature belongs to the text; takes the same time however wrong it is."""
    return hmac.compare_digest(sign(secret, purpose, text).encode(), signature.encode("utf-8", "surrogatepass"))


def seal(secret: bytes, purpose: str, text: str) -> str:
    """The text so that only this server can read it: authenticated encryption with a key of the purpose (Fernet)."""
    return box(secret, purpose).encrypt(text.encode()).decode()


def unseal(secret: bytes, purpose: str, sealed: str) -> str:
    """What was sealed; raises ValueError with a sentence if it was sealed with another secret, or for another purpose."""
    try:
        return box(secret, purpose).decrypt(sealed).decode()
    except InvalidToken:
        raise ValueError(f"a stored {purpose} was made with another secret file") from None


def box(secret: bytes, purpose: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(key_for(secret, purpose)))
