"""A vault in a folder of this machine. What it has kept survives a power cut."""

import os
import shutil
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryFile
from typing import IO

from planwerk.files.stored import CHUNK_BYTES, Missing, Stored, check, check_environment


class Folder:
    """Files lie in `<environment id>/<last two digits of the id>/<file id>`, its type in a file beside it.

    The last digits, because the first ones are the time and would put a year's files into one folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, key: str) -> Path:
        environment_id, name = check(key).split("/")
        return self.root / environment_id / name.removesuffix(".thumbnail")[-2:] / name

    def put(self, key: str, content: IO[bytes], size_bytes: int, content_type: str) -> None:
        path = self.path(key)
        make_folder(path.parent)
        # The type goes first: whoever finds the content finds its type.
        write(beside(path), BytesIO(content_type.encode()), len(content_type.encode()))
        content.seek(0)
        write(path, content, size_bytes)

    def stored(self, key: str) -> Stored:
        path = self.path(key)
        try:
            return Stored(path.stat().st_size, beside(path).read_text())
        except FileNotFoundError:
            raise Missing(key) from None

    def open(self, key: str) -> Iterator[bytes]:
        try:
            file = self.path(key).open("rb")
        except FileNotFoundError:
            raise Missing(key) from None
        with file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk

    def delete(self, key: str) -> None:
        path = self.path(key)
        path.unlink(missing_ok=True)
        beside(path).unlink(missing_ok=True)

    def clear(self, environment_id: str) -> None:
        folder = self.root / check_environment(environment_id)
        if folder.exists():
            shutil.rmtree(folder)
            synchronise(self.root)

    def is_writable(self) -> bool:
        try:
            make_folder(self.root)
            with TemporaryFile(dir=self.root) as file:
                file.write(b"?")
        except OSError:
            return False
        return True


def beside(path: Path) -> Path:
    """The file that holds the content type of another."""
    return path.with_name(f"{path.name}.type")


def write(path: Path, content: IO[bytes], size_bytes: int) -> None:
    """Writes a file that survives a power cut: complete under another name first, then renamed."""
    with NamedTemporaryFile(dir=path.parent, prefix=".new-", delete=False) as new:
        try:
            shutil.copyfileobj(content, new, CHUNK_BYTES)
            if new.tell() != size_bytes:
                raise ValueError(f"the content has {new.tell()} bytes and not {size_bytes}")
            new.flush()
            os.fsync(new.fileno())
            os.replace(new.name, path)
        except BaseException:
            os.unlink(new.name)
            raise
    synchronise(path.parent)


def make_folder(folder: Path) -> None:
    """Makes a folder and those above it, each one on the disk before its content is."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    synchronise(folder.parent)


def synchronise(folder: Path) -> None:
    """Puts the names in a folder on the disk; without it a rename may be lost in a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
