"""Every type of property: what it reads, what it refuses and in which words, what a filter compares, what the reference says."""

from typing import Any

import orjson
import pytest
from hypothesis import given, settings, strategies

from planwerk.fields import (
    INTEGER_LIMIT,
    MAX_LEVELS,
    Anything,
    Bad,
    Boolean,
    Choice,
    Date,
    DateTime,
    Email,
    Field,
    HexColor,
    Integer,
    Items,
    LoginEmail,
    LongText,
    ManyBad,
    Map,
    Number,
    Record,
    Ref,
    Text,
    Time,
    TimeZone,
    Url,
    Uuid,
    Words,
    is_clean,
    load,
    or_null,
    parse_any,
    shown_schema,
)

ID = "8f14e45f-ceea-467f-a8f1-0a0b0c0d0e0f"
DAYS = Record("workdays", fields=(Boolean("1", default=True), Boolean("7", default=False)))
STEPS = Items("steps", fields=(Uuid("id", read_only=True), Text("name", required=True), Integer("minutes", default=5)))
TAGS = Words("tags", words=("saw", "drill"))

JSON = strategies.recursive(
    strategies.none() | strategies.booleans() | strategies.integers() | strategies.floats() | strategies.text(),
    lambda inner: strategies.lists(inner, max_size=4) | strategies.dictionaries(strategies.text(), inner, max_size=4),
    max_leaves=6,
)

EVERY: list[Field] = [
    Text("f"), LongText("f"), Email("f"), LoginEmail("f"), TimeZone("f"), Url("f"), HexColor("f"), Uuid("f"), Ref("f", to="x"),
    Choice("f", words=("a", "b")), Integer("f"), Number("f"), Boolean("f"), Date("f"), Time("f"), DateTime("f"),
    Words("f"), TAGS, Map("f"), Anything("f"), DAYS, STEPS,
]  # fmt: skip


def names(field: Field) -> str:
    return type(field).__name__


READ: list[tuple[Field, Any, Any]] = [
    (Text("f"), "", ""),
    (Text("f", max=3), "äöü", "äöü"),
    (LongText("f"), "x" * 65535, "x" * 65535),
    (Email("f"), "A@b", "A@b"),
    (LoginEmail("f"), "Eva.Cap@Mill.NL", "eva.cap@mill.nl"),
    (LoginEmail("f"), "ÉVA@mill.nl", "éva@mill.nl"),
    (TimeZone("f"), "Europe/Amsterdam", "Europe/Amsterdam"),
    (TimeZone("f"), "", None),
    (Url("f"), "https://example.com/a?b", "https://example.com/a?b"),
    (HexColor("f"), "#fff", "#fff"),
    (HexColor("f"), "#A0B1C2", "#A0B1C2"),
    (Uuid("f"), ID.upper(), ID),
    (Uuid("f"), "", None),
    (Choice("f", words=("a", "b")), "a", "a"),
    (Integer("f"), 5.0, 5),
    (Integer("f"), -INTEGER_LIMIT, -INTEGER_LIMIT),
    (Integer("f"), "", None),
    (Number("f"), 5, 5.0),
    (Number("f"), -1.5, -1.5),
    (Boolean("f"), False, False),
    (Boolean("f"), "", None),
    (Date("f"), "2024-02-29", "2024-02-29"),
    (Date("f"), "", None),
    (Time("f"), "23:59", "23:59"),
    (DateTime("f"), "2024-04-11T10:22:15Z", "2024-04-11T10:22:15Z"),
    (DateTime("f"), "2024-04-11t10:22:15.987654z", "2024-04-11T10:22:15Z"),
    (DateTime("f"), "2024-04-11 23:30:00-02:00", "2024-04-12T01:30:00Z"),
    (DateTime("f"), "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
    (TAGS, ["saw", "drill", "saw"], ["saw", "drill"]),
    (Words("f"), [], []),
    (Map("f"), {"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}),
    (Anything("f"), "", ""),
    (Anything("f"), 0, 0),
    (DAYS, {"7": True, "8": True}, {"1": True, "7": True}),
    (STEPS, [{"name": "cut"}], [{"name": "cut", "minutes": 5}]),
    (STEPS, [{"id": ID, "name": "cut"}], [{"id": ID, "name": "cut"}]),
    (STEPS, [{"id": None, "name": "cut"}], [{"name": "cut", "minutes": 5}]),
]


@pytest.mark.parametrize(("field", "raw", "value"), READ, ids=lambda part: names(part) if isinstance(part, Field) else repr(part)[:20])
def test_a_value_is_read(field: Field, raw: Any, value: Any) -> None:
    read = field.read(raw)
    assert read == value
    assert type(read) is type(value)


REFUSED: list[tuple[Field, Any, str]] = [
    (Text("f"), 5, "must be a text"),
    (Text("f", max=3), "four", "must have at most 3 characters, has 4"),
    (Text("f"), "a\x00b", "may not hold the character U+0000"),
    (Text("f"), "\ud800", "may not hold the character U+0000"),
    (Text("f", pattern="[a-z]+"), "a1", r"must match [a-z]+"),
    (Email("f"), "", "must be an e-mail address"),
    (Email("f"), "nobody", "must be an e-mail address"),
    (LoginEmail("f"), "Nobody", "must be an e-mail address"),
    (LoginEmail("f"), "İ" * 125 + "@mill", "must have at most 254 characters, has 255"),  # each has two small ones
    (LoginEmail("f"), 5, "must be a text"),
    (TimeZone("f"), "Mars/Phobos", "must be the name of a time zone, such as Europe/Amsterdam"),
    (TimeZone("f"), "europe/amsterdam", "must be the name of a time zone, such as Europe/Amsterdam"),
    (TimeZone("f"), 5, "must be a text"),
    (Url("f"), "ftp://a", "must be an address that begins with http:// or https://"),
    (HexColor("f"), "#ffff", "must be a colour like #1a2b3c"),
    (HexColor("f"), "#fff\n", "must be a colour like #1a2b3c"),
    (Uuid("f"), "8f14e45f", "must be a UUID"),
    (Uuid("f"), ID + "\n", "must be a UUID"),
    (Uuid("f"), 5, "must be a UUID"),
    (Choice("f", words=("a", "b")), "c", "must be one of a, b"),
    (Choice("f", words=("a", "b")), ["a"], "must be one of a, b"),
    (Choice("f", words=("a", "b")), "", "must be one of a, b"),
    (Integer("f"), 5.5, "must be a whole number"),
    (Integer("f"), True, "must be a whole number"),
    (Integer("f"), "5", "must be a whole number"),
    (Integer("f"), float("inf"), "must be a whole number"),
    (Integer("f", min=0, max=5), 6, "must lie between 0 and 5"),
    (Integer("f"), INTEGER_LIMIT + 1, f"must lie between {-INTEGER_LIMIT} and {INTEGER_LIMIT}"),
    (Number("f"), "5", "must be a number"),
    (Number("f"), False, "must be a number"),
    (Number("f"), 1e16, "must lie between -1e+15 and 1e+15"),
    (Number("f"), float("nan"), "must lie between -1e+15 and 1e+15"),
    (Boolean("f"), 1, "must be true or false"),
    (Boolean("f"), "true", "must be true or false"),
    (Date("f"), "2023-02-29", "must be a date, YYYY-MM-DD"),
    (Date("f"), "20240229", "must be a date, YYYY-MM-DD"),
    (Date("f"), "٢٠٢٤-01-01", "must be a date, YYYY-MM-DD"),
    (Date("f"), 20240229, "must be a date, YYYY-MM-DD"),
    (Time("f"), "24:00", "must be a time, HH:MM"),
    (Time("f"), "9:00", "must be a time, HH:MM"),
    (Time("f"), 900, "must be a time, HH:MM"),
    (DateTime("f"), "2024-04-11", "must be a moment of RFC 3339, such as 2024-04-11T10:22:15Z"),
    (DateTime("f"), "2024-04-11T10:22:15", "must be a moment of RFC 3339, such as 2024-04-11T10:22:15Z"),
    (DateTime("f"), "2024-04-31T10:22:15Z", "must be a moment of RFC 3339, such as 2024-04-11T10:22:15Z"),
    (DateTime("f"), "0001-01-01T00:00:00+01:00", "must be a moment of RFC 3339, such as 2024-04-11T10:22:15Z"),
    (DateTime("f"), "2024-04-11T10:22:15+24:00", "must be a moment of RFC 3339, such as 2024-04-11T10:22:15Z"),
    (DateTime("f"), 0, "must be a moment of RFC 3339, such as 2024-04-11T10:22:15Z"),
    (TAGS, "saw", "must be a list of at most 1000 words"),
    (Words("f"), ["a"] * 1001, "must be a list of at most 1000 words"),
    (Map("f"), [], "must be an object of at most 200 keys"),
    (Map("f"), {str(number): 0 for number in range(201)}, "must be an object of at most 200 keys"),
    (Map("f"), {"a\x00": 1}, "may not hold the character U+0000"),
    (Anything("f"), ["a\x00"], "may not hold the character U+0000"),
    (Anything("f"), {"a": INTEGER_LIMIT + 1}, f"must lie between {-INTEGER_LIMIT} and {INTEGER_LIMIT}"),
    (DAYS, [], "must be an object"),
    (STEPS, {}, "must be a list of at most 1000 objects"),
    (STEPS, [{"name": "cut"}] * 1001, "must be a list of at most 1000 objects"),
]


@pytest.mark.parametrize(("field", "raw", "words"), REFUSED, ids=lambda part: names(part) if isinstance(part, Field) else repr(part)[:30])
def test_a_bad_value_is_refused_with_what_it_must_be(field: Field, raw: Any, words: str) -> None:
    with pytest.raises(Bad) as caught:
        field.read(raw)
    assert (caught.value.description, caught.value.at) == (words, "")


def places(field: Field, raw: Any) -> list[tuple[str, str]]:
    with pytest.raises(ManyBad) as caught:
        field.read(raw)
    return [(bad.at, bad.description) for bad in caught.value.items]


def test_every_bad_place_of_a_list_of_words_is_told() -> None:
    assert places(TAGS, ["saw", "axe", 5]) == [("[1]", "must be one of saw, drill, not axe"), ("[2]", "must be one of saw, drill")]


def test_every_bad_place_of_a_record_is_told() -> None:
    assert places(DAYS, {"1": "yes", "7": None}) == [("1", "must be true or false"), ("7", "may not be null")]


def test_every_bad_place_of_a_list_of_objects_is_told() -> None:
    bad = [{"name": 5, "minutes": "x"}, "cut", {}, {"id": "7", "name": "cut"}]
    assert places(STEPS, bad) == [
        ("[0].name", "must be a text"),
        ("[0].minutes", "must be a whole number"),
        ("[1]", "must be an object"),
        ("[2].name", "is required"),
        ("[3].id", "must be a UUID"),
    ]


def test_places_lead_through_all_levels() -> None:
    assert places(Items("plan", fields=(STEPS,)), [{"steps": [{"name": "cut"}, {"name": 5}]}]) == [("[0].steps[1].name", "must be a text")]


def test_the_parse_of_an_item_leaves_out_defaults_when_it_has_an_id() -> None:
    assert STEPS.is_identified
    assert not Items("steps", fields=(Text("name"),)).is_identified


def test_an_error_that_is_none_of_ours_is_not_collected() -> None:
    class Broken(Text):
        def parse(self, raw: Any) -> Any:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Record("record", fields=(Broken("name"),)).read({"name": "a"})


# ── null ──


def test_null_is_refused_where_a_default_stands_for_it() -> None:
    with pytest.raises(Bad, match=r"^may not be null$"):
        Integer("f", default=1).read(None)


def test_null_is_refused_for_what_is_required() -> None:
    with pytest.raises(Bad, match=r"^may not be null$"):
        Text("f", required=True).read(None)


@pytest.mark.parametrize("field", EVERY, ids=names)
def test_null_is_taken_back_where_absence_is_shown_as_null(field: Field) -> None:
    if field.default is None:
        assert field.read(None) is None


def test_null_is_taken_where_it_is_said_to_be() -> None:
    assert Integer("f", default=1, nullable=True).read(None) is None


# ── hostile values ──


@settings(max_examples=150, deadline=None)
@given(field=strategies.sampled_from(EVERY), raw=JSON)
def test_any_json_is_read_or_refused_in_our_words(field: Field, raw: Any) -> None:
    try:
        stored = field.store(field.read(raw))
    except (Bad, ManyBad):
        return
    orjson.dumps(field.render(stored))


@pytest.mark.parametrize("field", [Anything("f"), Map("f"), Items("f", fields=(Anything("value"),))], ids=names)
def test_deep_nesting_is_refused_before_it_breaks_anything(field: Field) -> None:
    def nested(levels: int) -> Any:
        value = orjson.loads(b'{"value":' * levels + b"0" + b"}" * levels)
        return [value] if isinstance(field, Items) else value

    field.store(field.read(nested(MAX_LEVELS)))
    for levels in (MAX_LEVELS + 2, 300, 1000):
        with pytest.raises((Bad, ManyBad)):
            field.read(nested(levels))


def test_texts_that_no_database_keeps_are_not_clean() -> None:
    assert is_clean("Ä🙂\n")
    assert not is_clean("\x00")
    assert not is_clean("a\udfff")
    assert parse_any(True) is True


# ── columns and filters ──


@pytest.mark.parametrize("field", EVERY, ids=names)
def test_every_type_has_a_column_and_a_schema(field: Field) -> None:
    assert field.column() is not None
    assert field.schema() == {} or "type" in field.schema()


OPERANDS: list[tuple[Field, str, Any]] = [
    (Text("f", max=1), "longer", "longer"),
    (Uuid("f"), "8F14", "8f14"),
    (Choice("f", words=("a",)), "b", "b"),
    (Integer("f"), "-5", -5),
    (Number("f"), "+1.50", 1.5),
    (Boolean("f"), "TRUE", True),
    (Boolean("f"), "0", False),
    (Date("f"), "2024-01-02", "2024-01-02"),
    (Time("f"), "08:00", "08:00"),
    (DateTime("f"), "2024-01-02", "2024-01-02T00:00:00Z"),
    (DateTime("f"), "2024-01-02T01:00:00+01:00", "2024-01-02T00:00:00Z"),
    (TAGS, "saw", "saw"),
]


@pytest.mark.parametrize(("field", "text", "value"), OPERANDS, ids=lambda part: names(part) if isinstance(part, Field) else str(part))
def test_the_text_of_a_filter_is_read_in_the_type_of_the_property(field: Field, text: str, value: Any) -> None:
    operand = field.operand(text)
    assert operand == value
    assert type(operand) is type(value)


BAD_OPERANDS = [
    (Integer("f"), "5.0"),
    (Integer("f"), "1" * 17),
    (Integer("f"), "٥"),
    (Number("f"), "1e5"),
    (Number("f"), "nan"),
    (Boolean("f"), "yes"),
    (Date("f"), "tomorrow"),
    (DateTime("f"), "2024-13-01"),
    (Time("f"), "8"),
]


@pytest.mark.parametrize(("field", "text"), BAD_OPERANDS, ids=lambda part: names(part) if isinstance(part, Field) else str(part))
def test_a_bad_operand_is_refused(field: Field, text: str) -> None:
    with pytest.raises(Bad):
        field.operand(text)


# ── what is stored and shown ──


def test_json_is_stored_as_text_and_shown_as_it_is() -> None:
    field = Map("meta")
    stored = field.store({"a": 1})
    assert stored == '{"a":1}'
    assert orjson.dumps(field.render(stored)) == b'{"a":1}'
    assert load(stored) == {"a": 1}


def test_absent_json_is_null() -> None:
    assert (Map("meta").store(None), Map("meta").render(None), load(None)) == (None, None, None)


def test_a_whole_number_is_shown_without_a_point() -> None:
    assert orjson.dumps([Number("f").render(value) for value in (5.0, 2.5, None)]) == b"[5,2.5,null]"


def test_a_truth_is_shown_as_one_whatever_the_database_keeps() -> None:
    assert [Boolean("f").render(value) for value in (1, 0, True, None)] == [True, False, True, None]


# ── the reference ──


def test_a_schema_tells_what_a_property_is() -> None:
    field = Choice("f", words=("a", "b"), default="a", read_only=True, deprecated=True, note="A word.")
    assert shown_schema(field) == {
        "type": ["string", "null"],
        "enum": ["a", "b", None],
        "description": "A word.",
        "deprecated": True,
        "readOnly": True,
        "default": "a",
    }


def test_a_default_of_many_is_shown_as_a_list() -> None:
    assert shown_schema(STEPS)["default"] == []


def test_a_property_with_a_default_is_never_null() -> None:
    assert shown_schema(Integer("f", default=1, min=0, max=9)) == {"type": "integer", "minimum": 0, "maximum": 9, "default": 1}


def test_a_pattern_is_anchored_and_a_format_named() -> None:
    assert Text("f", pattern="a+", format="x").schema() == {"type": "string", "maxLength": 255, "pattern": "^a+$", "format": "x"}
    assert HexColor("f").schema()["pattern"] == r"^#([A-Fa-f0-9]{3}){1,2}$"


def test_a_value_of_any_type_may_be_null_anyway() -> None:
    assert or_null({}) == {}


def test_items_show_the_schema_of_their_properties() -> None:
    item = STEPS.schema()["items"]
    assert list(item["properties"]) == ["id", "name", "minutes"]


def test_the_base_of_all_types_promises_nothing_by_itself() -> None:
    for call in (Field("f").column, Field("f").schema):
        with pytest.raises(NotImplementedError):
            call()
    with pytest.raises(NotImplementedError):
        Field("f").parse(1)
