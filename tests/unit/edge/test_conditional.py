"""If-None-Match and the encoding of an answer."""

import gzip

import pytest

from planwerk.edge.conditional import accepts_gzip, encode, is_unchanged

TAG = "0123456789abcdef" * 2


@pytest.mark.parametrize(
    "header", [b"*", f'"{TAG}"'.encode(), f'W/"{TAG}"'.encode(), f'"other", "{TAG}"'.encode(), f'"other" ,W/"{TAG}" '.encode()]
)
def test_what_the_caller_has_already_is_unchanged(header: bytes) -> None:
    assert is_unchanged(header, TAG)


@pytest.mark.parametrize("header", [b"", b'"other"', f'"{TAG}0"'.encode(), f'"{TAG[:16]}"'.encode(), b"\xff"])
def test_what_the_caller_has_not_is_changed(header: bytes) -> None:
    assert not is_unchanged(header, TAG)


@pytest.mark.parametrize("header", [b"gzip", b"GZIP", b"*", b"br, gzip;q=0.5", b"gzip; q=0.001", b" gzip "])
def test_gzip_is_taken_where_it_is_named(header: bytes) -> None:
    assert accepts_gzip(header)


@pytest.mark.parametrize("header", [b"", b"identity", b"br", b"gzip;q=0", b"gzip; q=0.000", b"gzipped"])
def test_gzip_is_not_taken_where_it_is_not_wanted(header: bytes) -> None:
    assert not accepts_gzip(header)


def test_an_encoded_body_unpacks_to_itself_and_is_the_same_every_time() -> None:
    body = b"planwerk " * 1000
    packed, _ = encode(body, TAG)
    assert gzip.decompress(packed) == body
    assert encode(body, TAG) == encode(body, TAG)
    assert len(packed) < len(body)


def test_the_tag_of_an_encoded_answer_names_the_same_version_and_another_answer() -> None:
    _, tag = encode(b"body", TAG)
    assert (tag[:16], len(tag)) == (TAG[:16], 32)
    assert tag != TAG
    assert encode(b"body", "")[1] == ""
