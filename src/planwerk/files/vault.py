"""Where uploads are kept: a folder, or an S3-compatible store, chosen by a setting.

Comes in: a key and the bytes. Goes out: the same bytes, in chunks. A key is made of ids only and written once, so its
content never changes. Everything here blocks; call it from a thread.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Protocol

from planwerk.files.bucket import Bucket, connect
from planwerk.files.folder import Folder
from planwerk.files.stored import Stored
from planwerk.settings import Settings, beside_database


class Vault(Protocol):
    """Keeps files under keys like `<environment id>/<file id>` and `<environment id>/<file id>.thumbnail`.

    Every method raises ValueError for a key of another shape, and what the operating system or the store raises
    when it fails.
    """

    def put(self, key: str, content: IO[bytes], size_bytes: int, content_type: str) -> None:
        """Keeps the whole content, read from its start. It is there completely and for good, or not at all."""

    def stored(self, key: str) -> Stored:
        """Size and type of a file; raises `Missing`."""

    def open(self, key: str) -> Iterator[bytes]:
        """The content in chunks; raises `Missing` when the first one is asked for."""

    def delete(self, key: str) -> None:
        """Forgets a file; one that is not there is no error."""

    def clear(self, environment_id: str) -> None:
        """Forgets every file of an environment; none is no error."""

    def is_writable(self) -> bool:
        """Whether a file could be kept now, found out by trying."""


def open_vault(settings: Settings) -> Vault:
    """The vault that the setting `files` names; raises ValueError with a sentence when it cannot be used."""
    if not settings.files.startswith("s3://"):
        return Folder(Path(settings.files) if settings.files else beside_database(settings, "files"))
    bucket, _, prefix = settings.files.removeprefix("s3://").partition("/")
    if not bucket:
        raise ValueError(f"setting files: {settings.files} names no bucket, write s3://bucket/prefix")
    return Bucket(connect(settings.s3_endpoint), bucket, prefix)
