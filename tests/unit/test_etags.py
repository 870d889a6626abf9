"""An entity tag names a version of an object and one answer, and tells the version to who knows the id."""

import pytest
from hypothesis import given, strategies

from planwerk.etags import etag_of, is_etag, version_tag, versions_of


@given(strategies.text(min_size=1), strategies.integers(1, 2**40))
def test_the_version_can_be_read_back_from_the_tag_of_any_projection(id: str, version: int) -> None:
    assert versions_of(f'"{etag_of(version, id, b"whole")}", "{etag_of(version, id, b"part")}"', id) == (version, version)


def test_answers_of_one_version_share_the_first_half_and_not_the_second() -> None:
    whole, part = etag_of(3, "a", b"whole"), etag_of(3, "a", b"part")
    assert whole[:16] == part[:16] == version_tag("a", 3)
    assert whole[16:] != part[16:]


def test_the_tag_of_a_list_is_that_of_its_bytes() -> None:
    assert etag_of(None, "", b"a") != etag_of(None, "", b"b")
    assert is_etag(etag_of(None, "", b"a"))


def test_another_object_of_the_same_version_has_another_tag() -> None:
    assert versions_of(f'"{etag_of(3, "a", b"")}"', "b") != (3,)


def test_any_version_satisfies_a_star() -> None:
    assert versions_of(" * ", "a") is None


@pytest.mark.parametrize(
    "header", ["", "abc", '"abc"', f'W/"{etag_of(3, "a", b"")}"', f'"{etag_of(3, "a", b"").upper()}G"', '"' + "z" * 32 + '"']
)
def test_a_tag_that_is_weak_or_none_of_ours_names_no_version(header: str) -> None:
    assert versions_of(header, "a") == ()
