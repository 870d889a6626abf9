"""Passwords of people: Argon2id, at most two at a time, because each costs 64 MiB and a tenth of a second.

Comes in: a password. Goes out: a hash in PHC string format, or whether a password fits one. Nothing here knows a user.
"""

import secrets
import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

AT_ONCE = 2
SHORTEST = 8  # NIST SP 800-63B, section 3.1.1.2
LONGEST = 1024


class Passwords:
    """Makes and checks hashes. An unknown user costs as much time as a known one."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self.hasher = hasher or PasswordHasher()  # RFC 9106, second recommended option
        self.gate = threading.BoundedSemaphore(AT_ONCE)
        self.nobody = ""

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


def new_password() -> str:
    """A random password of 96 bits that can be read out and typed."""
    return "-".join(secrets.token_hex(3) for _ in range(4))
