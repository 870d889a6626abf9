"""Passwords of people: Argon2id, at most two at a time, because each costs 64 MiB and a tenth of a second.

Comes in: a password. Goes out: a hash in PHC string format, or whether a password fits one. Nothing here knows a user.
"""

import asyncio
import hashlib
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

Result = TypeVar("Result")

AT_ONCE = 2
SHORTEST = 8  # NIST SP 800-63B, section 3.1.1.2
LONGEST = 1024


class Passwords:
    """Makes and checks hashes. An unknown user costs as much time as a known one."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self.hasher = hasher or PasswordHasher()  # RFC 9106, second recommended option
        self.gate = threading.BoundedSemaphore(AT_ONCE)
        self.threads = ThreadPoolExecutor(AT_ONCE, "password")  # started when they are needed
        self.nobody = ""

    async def apart(self, function: Callable[..., Result], *given: Any) -> Result:
        """Run one of the methods below in a thread; those that wait for their turn hold none."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, function, *given)

    def hash(self, password: str) -> str:
        """The hash of a new password; raises ValueError with a sentence for one that is too short or too long."""
        if not SHORTEST <= len(password) <= LONGEST:
            raise ValueError(f"the password must have {SHORTEST} to {LONGEST} characters")
        with self.gate:
            return self.hasher.hash(password)

    def fits(self, hash: str | None, password: str) -> bool:
        """Whether the password is the hash's; None stands for a user that does not exist or has no password."""
        if not self.nobody:
            self.nobody = self.hash(secrets.token_hex(16))
        with self.gate:
            try:
                self.hasher.verify(hash or self.nobody, password[: LONGEST + 1])
            except (VerificationError, InvalidHashError):
                return False
        return hash is not None and len(password) <= LONGEST

    def renewed(self, hash: str, password: str) -> str:
        """The hash of a password that fits, made anew if the old one was made with weaker parameters; else the old one."""
        if not self.hasher.check_needs_rehash(hash):
            return hash
        with self.gate:
            return self.hasher.hash(password)


def mark_of(hash: str | None) -> str:
    """A short text that changes with the password and tells nothing of it; empty for a user without one."""
    return hashlib.sha256(hash.encode()).hexdigest()[:16] if hash else ""


def new_password() -> str:
    """A random password of 96 bits that can be read out and typed."""
    return "-".join(secrets.token_hex(3) for _ in range(4))
