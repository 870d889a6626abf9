"""Both vaults keep the same promises; each then has its own."""

import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from tempfile import SpooledTemporaryFile
from types import SimpleNamespace
from typing import IO, Any

import pytest
from botocore.exceptions import ClientError

from planwerk.files.bucket import Bucket
from planwerk.files.folder import Folder
from planwerk.files.stored import CHUNK_BYTES, Missing, Stored
from planwerk.files.vault import Vault, open_vault
from planwerk.settings import Settings

KEY = "0190a1b2-environment/0190a1b2-file-7c"
HOSTILE_KEYS = [
    "",
    "file",
    "a/b/c",
    "../secret",
    "a/..",
    "a/../b",
    "/etc/passwd",
    "a//b",
    "a/b.type",
    "a/b.thumbnail.thumbnail",
    "a/.thumbnail",
    "a/b\x00",
    "a/b\n",
    "a\\b/c",
    "a/ b",
    "a/b%2e%2e",
    "a/é",
    "A/B",
    "a/" + "b" * 65,
]


class Body:
    """The content of an answer, as boto3 gives it: in chunks, and to be closed."""

    def __init__(self, content: bytes) -> None:
        self.file = BytesIO(content)

    def iter_chunks(self, size: int) -> Iterator[bytes]:
        while chunk := self.file.read(size):
            yield chunk

    def close(self) -> None:
        self.file.close()


class FakeS3:
    """Keeps objects in a dictionary: (bucket, key) → (content, type). `refuses` makes every call fail with that code."""

    exceptions = SimpleNamespace(ClientError=ClientError)

    def __init__(self, refuses: str = "") -> None:
        self.objects: dict[tuple[str, str], tuple[bytes, str]] = {}
        self.refuses = refuses

    def find(self, place: tuple[str, str], absent: str) -> tuple[bytes, str]:
        self.check("GetObject")
        if place not in self.objects:
            raise fault(absent, "GetObject")
        return self.objects[place]

    def check(self, operation: str) -> None:
        if self.refuses:
            raise fault(self.refuses, operation)

    def put_object(
        self, *, Bucket: str, Key: str, Body: IO[bytes] | bytes, ContentLength: int | None = None, ContentType: str = "binary/octet-stream"
    ) -> None:
        self.check("PutObject")
        content = Body if isinstance(Body, bytes) else Body.read()
        if ContentLength not in (None, len(content)):
            raise fault("IncompleteBody", "PutObject")
        self.objects[Bucket, Key] = content, ContentType

    def head_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        content, content_type = self.find((Bucket, Key), absent="404")
        return {"ContentLength": len(content), "ContentType": content_type}

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        content, content_type = self.find((Bucket, Key), absent="NoSuchKey")
        return {"Body": Body(content), "ContentType": content_type}

    def list_objects_v2(self, *, Bucket: str, Prefix: str, StartAfter: str = "") -> dict[str, Any]:
        """Two at a time, in order; "Contents" is missing when there are none, as S3 has it."""
        self.check("ListObjectsV2")
        keys = sorted(key for bucket, key in self.objects if bucket == Bucket and key.startswith(Prefix) and key > StartAfter)
        return {"Contents": [{"Key": key} for key in keys[:2]]} if keys else {}

    def delete_object(self, *, Bucket: str, Key: str) -> None:
        self.check("DeleteObject")
        self.objects.pop((Bucket, Key), None)


def fault(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, operation)


@pytest.fixture(params=["folder", "bucket"])
def vault(request: pytest.FixtureRequest, tmp_path: Path) -> Vault:
    return Folder(tmp_path / "var" / "files") if request.param == "folder" else Bucket(FakeS3(), "workshop", "planwerk")


def put(vault: Vault, key: str, content: bytes, content_type: str = "text/plain") -> None:
    vault.put(key, BytesIO(content), len(content), content_type)


@pytest.mark.parametrize("content", [b"", b"saw", b"\x00\xff" * CHUNK_BYTES])
def test_what_is_put_comes_back_whole(vault: Vault, content: bytes) -> None:
    put(vault, KEY, content)
    assert b"".join(vault.open(KEY)) == content


def test_a_large_file_comes_in_chunks(vault: Vault) -> None:
    put(vault, KEY, b"x" * (CHUNK_BYTES + 1))
    assert [len(chunk) for chunk in vault.open(KEY)] == [CHUNK_BYTES, 1]


def test_size_and_type_are_known_without_reading(vault: Vault) -> None:
    put(vault, KEY, b"saw", "image/png")
    assert vault.stored(KEY) == Stored(3, "image/png")


def test_a_file_is_read_from_its_start_wherever_it_stands(vault: Vault) -> None:
    content = BytesIO(b"saw")
    content.seek(2)
    vault.put(KEY, content, 3, "text/plain")
    assert b"".join(vault.open(KEY)) == b"saw"


def test_an_upload_stays_open_after_it_is_put(vault: Vault) -> None:
    with SpooledTemporaryFile[bytes](1) as file:
        file.write(b"saw")
        vault.put(KEY, file, 3, "text/plain")
        file.seek(0)
        assert file.read() == b"saw"


def test_a_thumbnail_lies_beside_its_file_and_is_another_one(vault: Vault) -> None:
    put(vault, KEY, b"large")
    put(vault, f"{KEY}.thumbnail", b"small")
    vault.delete(f"{KEY}.thumbnail")
    assert b"".join(vault.open(KEY)) == b"large"


def test_a_file_of_another_environment_is_missing(vault: Vault) -> None:
    put(vault, "one/file", b"saw")
    with pytest.raises(Missing):
        vault.stored("two/file")


def test_what_was_never_put_is_missing(vault: Vault) -> None:
    with pytest.raises(Missing):
        vault.stored(KEY)
    with pytest.raises(Missing):
        next(vault.open(KEY))


def test_what_was_deleted_is_missing_and_may_be_deleted_again(vault: Vault) -> None:
    put(vault, KEY, b"saw")
    vault.delete(KEY)
    vault.delete(KEY)
    with pytest.raises(Missing):
        vault.stored(KEY)


def test_a_cleared_environment_has_no_file_and_the_others_keep_theirs(vault: Vault, tmp_path: Path) -> None:
    mine = [f"one/file{number}{ending}" for number in range(5) for ending in ("", ".thumbnail")]
    for key in (*mine, "one1/file", "two/file"):
        put(vault, key, b"saw")
    vault.clear("one")
    vault.clear("one")
    for key in mine:
        with pytest.raises(Missing):
            vault.stored(key)
    assert (vault.stored("one1/file").size_bytes, vault.stored("two/file").size_bytes) == (3, 3)
    assert not (tmp_path / "var" / "files" / "one").exists()


@pytest.mark.parametrize("id", ["", ".", "..", "a/b", "*", "A", "a\n"])
def test_only_an_environment_can_be_cleared(vault: Vault, id: str) -> None:
    put(vault, KEY, b"saw")
    with pytest.raises(ValueError, match="is no key"):
        vault.clear(id)
    assert vault.stored(KEY).size_bytes == 3


@pytest.mark.parametrize("key", HOSTILE_KEYS)
def test_a_key_that_is_not_made_of_ids_is_refused_by_every_method(vault: Vault, key: str) -> None:
    with pytest.raises(ValueError, match="is no key"):
        put(vault, key, b"saw")
    with pytest.raises(ValueError, match="is no key"):
        vault.stored(key)
    with pytest.raises(ValueError, match="is no key"):
        next(vault.open(key))
    with pytest.raises(ValueError, match="is no key"):
        vault.delete(key)


def test_a_vault_that_works_is_writable_and_stays_empty(vault: Vault, tmp_path: Path) -> None:
    assert vault.is_writable()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert not isinstance(vault, Bucket) or vault.client.objects == {}


# ── the bucket ──


def test_objects_lie_under_the_prefix_with_their_type() -> None:
    client = FakeS3()
    put(Bucket(client, "workshop", "/plan/werk/"), KEY, b"saw", "image/png")
    assert client.objects == {("workshop", f"plan/werk/{KEY}"): (b"saw", "image/png")}


def test_without_prefix_the_key_is_the_name() -> None:
    client = FakeS3()
    put(Bucket(client, "workshop"), KEY, b"saw")
    assert list(client.objects) == [("workshop", KEY)]


def test_a_store_that_refuses_is_not_mistaken_for_a_missing_file() -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        Bucket(FakeS3(refuses="AccessDenied"), "workshop").stored(KEY)


def test_a_store_that_refuses_is_not_writable() -> None:
    assert not Bucket(FakeS3(refuses="AccessDenied"), "workshop").is_writable()


# ── the setting ──


def test_without_a_setting_files_lie_beside_the_database() -> None:
    vault = open_vault(Settings(database="sqlite:////srv/planwerk.db"))
    assert isinstance(vault, Folder)
    assert vault.root == Path("/srv/files")


def test_the_setting_names_a_folder() -> None:
    vault = open_vault(Settings(files="/mnt/uploads"))
    assert isinstance(vault, Folder)
    assert vault.root == Path("/mnt/uploads")


def test_the_setting_names_a_bucket_a_prefix_and_an_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    vault = open_vault(Settings(files="s3://workshop/plan/werk", s3_endpoint="http://127.0.0.1:9000"))
    assert isinstance(vault, Bucket)
    assert (vault.bucket, vault.prefix, vault.client.meta.endpoint_url) == ("workshop", "plan/werk/", "http://127.0.0.1:9000")


def test_a_bucket_without_name_is_refused_with_a_sentence() -> None:
    with pytest.raises(ValueError, match="names no bucket"):
        open_vault(Settings(files="s3:///prefix"))


def test_a_bucket_without_boto3_is_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(ValueError, match=r"install planwerk\[s3\]"):
        open_vault(Settings(files="s3://workshop"))
