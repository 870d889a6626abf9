"""Passwords: what is hashed fits, nothing else does, and two at a time is all the memory they may take."""

import threading

import pytest
from argon2 import PasswordHasher

from planwerk.identity.passwords import AT_ONCE, LONGEST, Passwords, new_password


@pytest.fixture
def passwords() -> Passwords:
    return Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))  # as weak as it gets, for speed


def test_a_password_fits_its_own_hash_only(passwords: Passwords) -> None:
    hash = passwords.hash("correct horse")
    assert passwords.fits(hash, "correct horse")
    assert not passwords.fits(hash, "correct horsf")


def test_the_hash_is_argon2id_and_never_twice_the_same(passwords: Passwords) -> None:
    first, second = passwords.hash("correct horse"), passwords.hash("correct horse")
    assert first.startswith("$argon2id$")
    assert first != second


def test_nobody_has_no_password(passwords: Passwords) -> None:
    assert not passwords.fits(None, "correct horse")
    assert not passwords.fits(None, "")


def test_what_is_no_hash_fits_nothing(passwords: Passwords) -> None:
    assert not passwords.fits("plain", "plain")


@pytest.mark.parametrize("password", ["", "seven77", "x" * (LONGEST + 1)])
def test_a_password_that_is_too_short_or_too_long_is_refused(passwords: Passwords, password: str) -> None:
    with pytest.raises(ValueError, match="8 to 1024 characters"):
        passwords.hash(password)


class Counting(PasswordHasher):
    """Counts how many hash at once; each waits until as many as allowed are there."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.lock = threading.Lock()
        self.together = threading.Barrier(AT_ONCE)
        self.running = self.most = 0

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        with self.lock:
            self.running += 1
            self.most = max(self.most, self.running)
        self.together.wait(timeout=10)
        with self.lock:
            self.running -= 1
        return super().hash(password, salt=salt)


def test_no_more_than_two_are_hashed_at_once() -> None:
    hasher = Counting()
    passwords = Passwords(hasher)
    threads = [threading.Thread(target=passwords.hash, args=("correct horse",)) for _ in range(4 * AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert hasher.most == AT_ONCE


def test_a_new_password_is_long_enough_and_new() -> None:
    assert len({new_password() for _ in range(100)}) == 100
    assert len(new_password()) == 27
