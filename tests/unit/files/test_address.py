"""A signed address opens one file, for whoever holds it and nobody else."""

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given, strategies as st

from planwerk.files.address import address, sign, verify

KEY = "0190a1b2-environment/0190a1b2-file"
SECRET = b"0123456789abcdef0123456789abcdef"


def test_a_signature_has_128_bits_in_characters_that_need_no_escape() -> None:
    assert len(bytes.fromhex(sign(SECRET, KEY))) == 16


def test_a_signature_opens_its_own_key() -> None:
    assert verify(SECRET, KEY, sign(SECRET, KEY))


@pytest.mark.parametrize(
    "wrong", ["", "0" * 32, "é", "\ud800", "\x00", sign(SECRET, KEY)[:-1], sign(SECRET, KEY) + "0", sign(SECRET, KEY).upper()]
)
def test_any_other_signature_opens_nothing(wrong: str) -> None:
    assert not verify(SECRET, KEY, wrong)


def test_the_signature_of_a_file_does_not_open_its_thumbnail() -> None:
    assert not verify(SECRET, f"{KEY}.thumbnail", sign(SECRET, KEY))


def test_the_signature_of_another_secret_opens_nothing() -> None:
    assert not verify(SECRET, KEY, sign(b"another secret", KEY))


def test_an_address_holds_environment_file_signature_and_name() -> None:
    made = address("https://plan.example/", SECRET, KEY, "wall plan.pdf")
    assert made == f"https://plan.example/files/{KEY}/{sign(SECRET, KEY)}/wall%20plan.pdf"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_filename_comes_back_from_an_address_and_adds_no_segment_query_or_fragment(filename: str) -> None:
    parts = urlsplit(address("https://plan.example", SECRET, KEY, filename))
    assert (parts.query, parts.fragment, parts.path.count("/")) == ("", "", 5)
    assert unquote(parts.path.rsplit("/", 1)[1]) == filename


def test_half_a_surrogate_pair_in_a_filename_is_replaced() -> None:
    assert address("", SECRET, KEY, "a\ud800b").endswith("/a%3Fb")
