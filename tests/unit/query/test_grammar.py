"""query/grammar: filter text becomes a tree, or a refusal that shows the place."""

from string import printable

import pytest
from hypothesis import given, settings, strategies as st
from tests.strategies import trees
from tests.unit.query.sample import TASK

from planwerk.errors import INVALID_FILTER, Refusal
from planwerk.query import conditions
from planwerk.query.conditions import All, AnyOf, Condition, Has, Node
from planwerk.query.grammar import parse_filter, write_filter
from planwerk.query.operators import ALL, BY_NAME

A, B, C = (Condition((name,), "eq", False, "1", False) for name in "abc")


def one(text: str) -> Condition:
    node = parse_filter(text)
    assert isinstance(node, Condition)
    return node


def refused(text: str) -> str:
    with pytest.raises(Refusal) as caught:
        parse_filter(text)
    assert caught.value.faults[0].kind is INVALID_FILTER
    return caught.value.faults[0].description


# ── joining ──


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a:eq:1", A),
        ("(a:eq:1)", A),
        ("((a:eq:1))", A),
        ("a:eq:1,and,b:eq:1", All((A, B))),
        ("a:eq:1,or,b:eq:1,or,c:eq:1", AnyOf((A, B, C))),
        ("a:eq:1,and,b:eq:1,or,c:eq:1", AnyOf((All((A, B)), C))),
        ("a:eq:1,or,b:eq:1,and,c:eq:1", AnyOf((A, All((B, C))))),
        ("(a:eq:1,or,b:eq:1),and,c:eq:1", All((AnyOf((A, B)), C))),
        ("a:eq:1,and,(b:eq:1,and,c:eq:1)", All((A, All((B, C))))),
    ],
)
def test_and_binds_tighter_than_or_and_brackets_tighter_still(text: str, tree: Node) -> None:
    assert parse_filter(text) == tree


def test_spaces_around_every_token_mean_nothing() -> None:
    spaced = " ( a : eq : 1 , or , b . c : not : gt : 'x' ) , and , c : has : "
    assert parse_filter(spaced) == parse_filter("(a:eq:1,or,b.c:not:gt:'x'),and,c:has:")


def test_a_property_may_be_called_like_a_joiner_or_an_operator() -> None:
    assert parse_filter("and:eq:and,and,eq:eq:eq") == All(
        (Condition(("and",), "eq", False, "and", False), Condition(("eq",), "eq", False, "eq", False))
    )


def test_a_condition_knows_where_it_stands() -> None:
    tree = parse_filter("a:eq:1,and, (b:eq:1)")
    assert isinstance(tree, All)
    assert [item.position for item in tree.items if isinstance(item, Condition)] == [0, 13]


# ── one condition ──


@pytest.mark.parametrize("spelling", sorted(BY_NAME))
@pytest.mark.parametrize("negation", ["", "not:"])
def test_every_operator_is_read_in_every_spelling_with_and_without_not(spelling: str, negation: str) -> None:
    assert one(f"name:{negation}{spelling}:x") == Condition(("name",), BY_NAME[spelling].name, bool(negation), "x", False)


@pytest.mark.parametrize(("text", "value", "is_quoted"), [("a:not:'x'", "x", True), ("a:not:x", "x", False), ("a:not:", "", False)])
def test_not_without_an_operator_means_not_equal(text: str, value: str, is_quoted: bool) -> None:
    assert one(text) == Condition(("a",), "eq", True, value, is_quoted)


def test_not_may_be_a_value() -> None:
    assert one("a:eq:not") == Condition(("a",), "eq", False, "not", False)


@pytest.mark.parametrize("value", ["2023-11-01T13:00:00Z", "O'Brien", "a b", "50%", "(", "x:eq:1", "null", "", "ünï😀"])
def test_a_bare_value_ends_at_a_comma_or_closing_bracket_only(value: str) -> None:
    assert one(f"a:gt:{value}") == Condition(("a",), "gt", False, value, False)
    assert parse_filter(f"(a:gt:{value}),and,b:eq:1") == All((Condition(("a",), "gt", False, value, False), B))


@pytest.mark.parametrize("value", ["", "a,b", "x:y", "),and,(", "null", "it's", "'", "''", " ", "a\nb"])
def test_a_quote_inside_a_value_is_doubled_and_everything_else_stands_for_itself(value: str) -> None:
    quoted = value.replace("'", "''")
    assert one(f"a:eq:'{quoted}'") == Condition(("a",), "eq", False, value, True)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("relation.name", ("relation", "name")),
        ("custom_fields.Name with spaces", ("custom_fields", "Name with spaces")),
        ("meta.'key:x'", ("meta", "key:x")),
        ("meta.'it''s, (a) b.c'", ("meta", "it's, (a) b.c")),
        ("a.b.c", ("a", "b", "c")),
        ("'a'", ("a",)),
    ],
)
def test_a_property_is_a_path_whose_parts_may_be_quoted(text: str, path: tuple[str, ...]) -> None:
    assert one(f"{text}:eq:1").path == path


# ── faults ──


@pytest.mark.parametrize(
    ("text", "description"),
    [
        ("", 'expected the name of a property at position 1: "↦"'),
        ("   ", 'expected the name of a property at position 4: "   ↦"'),
        (":eq:1", 'expected the name of a property at position 1: "↦:eq:1"'),
        ("a..b:eq:1", 'expected the name of a property at position 3: "a.↦.b:eq:1"'),
        ("()", 'expected the name of a property at position 2: "(↦)"'),
        ("a:eq:1,and,", 'expected the name of a property at position 12: "a:eq:1,and,↦"'),
        ("a", 'expected a colon after the property at position 2: "a↦"'),
        ("'a'b:eq:1", "expected a colon after the property at position 4: \"'a'↦b:eq:1\""),
        ("a:", 'expected an operator at position 3: "a:↦"'),
        ("name:equals:x", 'expected an operator at position 6: "name:↦equals:x"'),
        ("name: EQ:x", 'expected an operator at position 7: "name: ↦EQ:x"'),
        ("a:'x'", "expected an operator at position 3: \"a:↦'x'\""),
        ("a:eq", 'expected a colon after eq at position 5: "a:eq↦"'),
        ("a:not:gt", 'expected a colon after gt at position 9: "a:not:gt↦"'),
        ("a:eq:'x", 'a quote is opened and not closed at position 6: "a:eq:↦\'x"'),
        ("meta.'x:eq:1", 'a quote is opened and not closed at position 6: "meta.↦\'x:eq:1"'),
        ("a:eq:'x''", "a quote is opened and not closed at position 6: \"a:eq:↦'x''\""),
        ("a:eq:'x'y", "expected ,and, or ,or, at position 9: \"a:eq:'x'↦y\""),
        ("a:eq:1,b:eq:1", 'expected ,and, or ,or, at position 7: "a:eq:1↦,b:eq:1"'),
        ("a:eq:1,xor,b:eq:1", 'expected ,and, or ,or, at position 7: "a:eq:1↦,xor,b:eq:1"'),
        ("(a:eq:1", 'expected a closing bracket, ,and, or ,or, at position 8: "(a:eq:1↦"'),
        ("a:eq:1)", 'expected an opening bracket before this one at position 7: "a:eq:1↦)"'),
    ],
)
def test_a_fault_says_what_was_expected_and_where(text: str, description: str) -> None:
    assert refused(text) == description


def test_only_the_neighbourhood_of_a_fault_is_shown() -> None:
    text = ",and,".join(["some_property:eq:1"] * 3) + ",und," + "other_property:eq:2"
    assert refused(text) == 'expected ,and, or ,or, at position 65: "…d,some_property:eq:1↦,und,other_property:…"'


def test_brackets_nest_to_ten_levels_and_no_deeper() -> None:
    assert parse_filter("(" * 10 + "a:eq:1" + ")" * 10) == A
    assert refused("(" * 11 + "a:eq:1" + ")" * 11).startswith("brackets may nest to 10 levels; one too many at position 11: ")


def test_a_filter_holds_a_hundred_conditions_and_no_more() -> None:
    assert len(getattr(parse_filter(",and,".join(["a:eq:1"] * 100)), "items", ())) == 100
    assert refused(",or,".join(["a:eq:1"] * 101)).startswith("a filter may have at most 100 conditions; one too many at position 1001: ")


def test_a_filter_holds_16_kibibytes_and_no_more() -> None:
    assert len(one("a:eq:" + "ä" * 8189).value) == 8189
    assert refused("a:eq:" + "ä" * 8190) == "a filter may have at most 16384 bytes"


HOSTILE = ("(", ")", "'", "''", ",and,", "a:eq:1,and,", "a.", ".", ":", " ", "not:", "a:not:", "(a:eq:1,or,", "\x00", "\ud800", "'a'.", "é")


@pytest.mark.parametrize("piece", HOSTILE)
@pytest.mark.parametrize("size", [100, 16_000])
def test_a_piece_repeated_without_end_never_crashes(piece: str, size: int) -> None:
    assert is_tree_or_refusal(piece * (size // len(piece)))


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_hundred_thousand_characters_are_refused_unread(piece: str) -> None:
    assert refused(piece * (100_000 // len(piece))) == "a filter may have at most 16384 bytes"


@given(st.text(st.sampled_from(printable + "äß😀↦"), max_size=60) | st.lists(st.sampled_from(HOSTILE), max_size=30).map("".join))
@settings(deadline=None)
def test_any_text_is_a_tree_or_a_refusal(text: str) -> None:
    assert is_tree_or_refusal(text)


def is_tree_or_refusal(text: str) -> bool:
    """Whether a text is refused as a filter should be, or else is a tree whose text is read as the same tree."""
    try:
        tree = parse_filter(text)
    except Refusal as refusal:
        return refusal.faults[0].kind is INVALID_FILTER
    return parse_filter(write_filter(tree)) == tree


# ── writing ──

part = st.text(min_size=1, max_size=8)
bare = st.text(max_size=12).map(str.strip).filter(lambda text: "," not in text and ")" not in text and not text.startswith("'"))
valued = st.tuples(st.text(max_size=12), st.just(True)) | st.tuples(bare, st.just(False))
paths = st.lists(part, min_size=1, max_size=3).map(tuple)
any_condition = st.builds(
    lambda path, operator, is_negated, value: Condition(path, operator, is_negated, *value),
    paths,
    st.sampled_from([operator.name for operator in ALL]),
    st.booleans(),
    valued,
)


@given(trees(any_condition))
@settings(deadline=None)
def test_a_written_tree_is_read_back_as_itself(tree: Node) -> None:
    assert parse_filter(write_filter(tree)) == tree


def test_a_resolved_node_has_no_text() -> None:
    with pytest.raises(TypeError, match="Has has no text of its own"):
        write_filter(Has(TASK.relation["labels"], False))


def test_pytest_does_not_take_a_condition_for_a_class_of_tests() -> None:
    assert conditions.Test.__test__ is False
