"""query/parameters: a query string becomes a wish, or is refused with 400."""

import pytest

from planwerk.errors import BAD_REQUEST, INVALID_SORT, Kind, Refusal
from planwerk.query.parameters import Wish, parse_parameters


def refused(query_string: str) -> tuple[Kind, str]:
    with pytest.raises(Refusal) as caught:
        parse_parameters(query_string)
    fault = caught.value.faults[0]
    return fault.kind, fault.description


@pytest.mark.parametrize("query_string", ["", "&&", "filter=", "limit=&offset=&sort=&show=&hide=&with=", "filter=%20", "=5", "archived="])
def test_a_parameter_without_name_or_value_is_as_good_as_absent(query_string: str) -> None:
    assert parse_parameters(query_string) == Wish()


def test_an_absent_limit_is_a_hundred_and_an_absent_offset_nought() -> None:
    wish = parse_parameters("")
    assert (wish.limit, wish.asked_limit, wish.offset) == (100, 100, 0)


@pytest.mark.parametrize(
    ("text", "limit", "asked"), [("0", 1000, 0), ("1", 1, 1), ("1000", 1000, 1000), ("2000", 1000, 2000), ("%205+", 5, 5)]
)
def test_a_limit_is_held_to_the_maximum_and_what_was_asked_is_remembered(text: str, limit: int, asked: int) -> None:
    wish = parse_parameters(f"limit={text}")
    assert (wish.limit, wish.asked_limit) == (limit, asked)


@pytest.mark.parametrize("name", ["limit", "offset"])
@pytest.mark.parametrize("text", ["-1", "-15", "ten", "1.5", "1e3", "9007199254740992", "9" * 5000, "%D9%A3", "0x10", "1_0"])
def test_a_number_that_is_none_is_refused(name: str, text: str) -> None:
    assert refused(f"{name}={text}") == (BAD_REQUEST, f"{name} must be a whole number from 0 to 9007199254740991")


def test_the_largest_offset_is_the_largest_integer_that_json_readers_keep() -> None:
    assert parse_parameters("offset=9007199254740991").offset == 2**53 - 1


def test_of_a_parameter_given_twice_the_last_counts() -> None:
    assert parse_parameters("limit=5&filter=a:eq:1&limit=7&filter=b:eq:2") == Wish(limit=7, asked_limit=7, filter="b:eq:2")


@pytest.mark.parametrize(
    "query_string", ["with=a&with=b", "with[]=a&with[]=b", "with%5B%5D=a&with%5B1%5D=b", "with[0]=a&with=b", "with=a,b"]
)
def test_a_list_given_piece_by_piece_adds_up(query_string: str) -> None:
    assert parse_parameters(query_string).with_ == "a,b"


def test_every_list_adds_up() -> None:
    wish = parse_parameters("show=a&show=b&hide=c&hide=d&sort=e&sort=f:desc")
    assert (wish.show, wish.hide, wish.sort) == ("a,b", "c,d", (("e", False), ("f", True)))


def test_include_is_the_older_name_of_with() -> None:
    assert parse_parameters("include=b&with=a").with_ == "a,b"


def test_a_plus_is_a_space_and_percent_signs_are_decoded() -> None:
    assert parse_parameters("filter=name:eq:d%C3%BCnn+1%2B1").filter == "name:eq:dünn 1+1"


def test_utf8_that_came_without_percent_signs_is_read_too() -> None:
    assert parse_parameters("filter=name:eq:dünn".encode().decode("latin-1")).filter == "name:eq:dünn"


@pytest.mark.parametrize("query_string", ["filter=%FF", "filter=%C3", "filter=%ED%A0%80", "%FF=1", "filter=日", "filter=\xff"])
def test_what_is_not_utf8_is_refused(query_string: str) -> None:
    assert refused(query_string) == (BAD_REQUEST, "the query string is not UTF-8")


@pytest.mark.parametrize("query_string", ["filter=a%00b", "a%00=1", "show=\x00"])
def test_the_character_nought_is_refused(query_string: str) -> None:
    assert refused(query_string) == (BAD_REQUEST, "the query string may not hold the character U+0000")


@pytest.mark.parametrize(
    ("text", "archived"), [("true", "true"), ("TRUE", "true"), ("1", "true"), ("False", "false"), ("0", "false"), ("Only", "only")]
)
def test_archived_takes_three_words_in_any_case(text: str, archived: str) -> None:
    assert parse_parameters(f"archived={text}").archived == archived


def test_another_word_for_archived_is_refused() -> None:
    assert refused("archived=yes") == (BAD_REQUEST, "archived must be one of true, 1, false, 0, only")


def test_flags_are_held_when_given() -> None:
    wish = parse_parameters("update_without_delete_nested=True&remove_missing=0&enrich_custom_fields=true")
    assert wish.flags == {"update_without_delete_nested": True, "remove_missing": False, "enrich_custom_fields": True}
    assert parse_parameters("").flags == {}


def test_a_flag_that_is_neither_true_nor_false_is_refused() -> None:
    assert refused("remove_missing=maybe") == (BAD_REQUEST, "remove_missing must be one of true, 1, false, 0")


def test_unknown_parameters_are_named_once_and_in_the_case_given() -> None:
    assert parse_parameters("color=red&Limit=5&color=blue&page[]=2").unknown == ("color", "Limit", "page")


@pytest.mark.parametrize("text", ["name:up", "name:", "name:asc:desc", "name desc:x"])
def test_a_direction_that_is_none_is_refused(text: str) -> None:
    kind, description = refused(f"sort={text}")
    assert (kind, description) == (INVALID_SORT, f"sort {text}: the direction must be asc or desc")


def test_a_direction_without_a_property_is_refused() -> None:
    assert refused("sort=:desc") == (INVALID_SORT, "sort :desc: a property must come before the colon")


def test_of_a_sort_property_named_twice_the_first_counts() -> None:
    assert parse_parameters("sort=a:desc,b,,a:asc").sort == (("a", True), ("b", False))


def test_the_direction_is_read_in_any_case() -> None:
    assert parse_parameters("sort=a : DESC , b:Asc").sort == (("a", True), ("b", False))


def test_equal_wishes_are_one_key() -> None:
    assert len({parse_parameters("limit=5&remove_missing=1"), parse_parameters("remove_missing=true&limit=5")}) == 1
