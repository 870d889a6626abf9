"""One server per SQLite file: a lock file beside it, held for the server's life and gone after an orderly stop.

The lock is the kernel's (flock), so a killed server leaves none behind, only the empty file.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from planwerk.commands import Impossible
from planwerk.commands.opened import sqlite_path
from planwerk.settings import Settings


@contextmanager
def hold_lock(settings: Settings) -> Iterator[None]:
    """Be the only server on the database while inside; a PostgreSQL server takes care of itself."""
    path = sqlite_path(settings)
    if path is None:
        yield
        return
    lock = Path(f"{path}.lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    file = take(lock, path)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)
        os.close(file)


def take(lock: Path, path: Path) -> int:
    """The locked file. One that its last holder has just unlinked is left alone and a new one made."""
    while True:
        try:
            file = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise Impossible(f"{lock.parent} cannot be written: {error.strerror}") from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(file)
            raise Impossible(f"another server is running on {path}; stop it first") from None
        if lock.exists() and os.path.samestat(os.fstat(file), lock.stat()):
            return file
        os.close(file)
