"""What a folder has kept survives a power cut, and nobody else on the machine reads it."""

import os
import stat
from io import BytesIO
from pathlib import Path

import pytest

from planwerk.files.folder import Folder
from planwerk.files.stored import Missing

KEY = "0190a1b2-environment/0190a1b2-file-7c"


def put(folder: Folder, content: bytes) -> None:
    folder.put(KEY, BytesIO(content), len(content), "text/plain")


def test_content_of_another_size_than_said_is_not_kept(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    with pytest.raises(ValueError, match="the content has 3 bytes and not 4"):
        folder.put(KEY, BytesIO(b"saw"), 4, "text/plain")
    with pytest.raises(Missing):
        folder.stored(KEY)
    assert not list(tmp_path.rglob(".new-*"))


def test_a_write_that_fails_halfway_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*paths: str) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        put(Folder(tmp_path), b"saw")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_write_that_fails_keeps_what_was_there(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    put(folder, b"saw")
    with pytest.raises(ValueError, match="not 9"):
        folder.put(KEY, BytesIO(b"torn"), 9, "text/plain")
    assert b"".join(folder.open(KEY)) == b"saw"


def test_content_and_name_are_on_the_disk_before_put_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Folder(tmp_path)
    put(folder, b"saw")
    steps: list[str] = []
    fsync, replace = os.fsync, os.replace

    def note_fsync(descriptor: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def note_replace(old: str, new: str) -> None:
        steps.append("rename")
        replace(old, new)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(os, "replace", note_replace)
    put(folder, b"saw")
    assert steps == ["file", "rename", "folder"] * 2


def test_new_folders_are_on_the_disk_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Path] = []
    monkeypatch.setattr("planwerk.files.folder.synchronise", seen.append)
    put(Folder(tmp_path / "files"), b"saw")
    assert seen[:3] == [tmp_path, tmp_path / "files", tmp_path / "files" / "0190a1b2-environment"]


def test_files_spread_by_the_last_digits_of_their_id(tmp_path: Path) -> None:
    assert Folder(tmp_path).path(f"{KEY}.thumbnail") == tmp_path / "0190a1b2-environment" / "7c" / "0190a1b2-file-7c.thumbnail"


def test_other_accounts_of_the_machine_read_nothing(tmp_path: Path) -> None:
    put(Folder(tmp_path / "files"), b"saw")
    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in (tmp_path / "files").rglob("*")} == {0}


def test_a_folder_that_cannot_be_made_is_not_writable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert not Folder(tmp_path / "file" / "files").is_writable()
