"""The server's secret: where it comes from, and what is signed or sealed with it."""

import stat
from pathlib import Path

import pytest

from planwerk.secret import is_signed, read_secret, seal, sign, unseal

SECRET = b"0123456789abcdef0123456789abcdef"


def test_a_secret_is_made_on_first_use_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "var" / "secret"
    first = read_secret(path)
    assert len(first) == 32
    assert read_secret(path) == first


def test_every_installation_has_its_own_secret(tmp_path: Path) -> None:
    assert read_secret(tmp_path / "one") != read_secret(tmp_path / "two")


def test_only_its_owner_may_read_a_secret(tmp_path: Path) -> None:
    read_secret(tmp_path / "secret")
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


def test_a_secret_may_end_with_a_newline(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("ab" * 32 + "\n")
    assert read_secret(tmp_path / "secret") == b"\xab" * 32


@pytest.mark.parametrize("content", [b"", b"ab", b"ab" * 31, b"zz" * 32, b"\xff" * 64])
def test_a_damaged_secret_is_refused_with_the_name_of_its_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "secret").write_bytes(content)
    with pytest.raises(ValueError, match=r"secret must hold 64 hex digits"):
        read_secret(tmp_path / "secret")


def test_a_signature_of_one_purpose_is_none_of_another() -> None:
    made = sign(SECRET, "invitation", "a text")
    assert is_signed(SECRET, "invitation", "a text", made)
    assert not is_signed(SECRET, "form", "a text", made)
    assert not is_signed(SECRET, "invitation", "a text.", made)
    assert not is_signed(b"f" * 32, "invitation", "a text", made)


@pytest.mark.parametrize("wrong", ["", "0" * 64, "é", "\ud800"])
def test_no_other_signature_is_right(wrong: str) -> None:
    assert not is_signed(SECRET, "invitation", "a text", wrong)


def test_what_is_sealed_is_opened_by_the_same_secret_for_the_same_purpose_alone() -> None:
    sealed = seal(SECRET, "signing key", "d: 42")
    assert "42" not in sealed
    assert unseal(SECRET, "signing key", sealed) == "d: 42"
    for secret, purpose, text in ((b"f" * 32, "signing key", sealed), (SECRET, "second factor", sealed), (SECRET, "signing key", "?")):
        with pytest.raises(ValueError, match="another secret file"):
            unseal(secret, purpose, text)
