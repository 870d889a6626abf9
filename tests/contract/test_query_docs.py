"""docs/query-language.md holds what the code knows: every operator, every limit, every refusal, and examples that are read."""

import re
from pathlib import Path

import pytest

from planwerk import plan, shape
from planwerk.errors import BAD_REQUEST, INVALID_FILTER, INVALID_SORT, RELATION_NOT_FOUND, Kind, Refusal
from planwerk.query import grammar, parameters
from planwerk.query.grammar import parse_filter
from planwerk.query.operators import ALL, Operator

PAGE = (Path(__file__).parents[2] / "docs" / "query-language.md").read_text(encoding="utf-8")
FILTER_CHAPTER = PAGE.partition("## Filter")[2].partition("## Archived")[0]
EXAMPLES = re.findall(r"`([\w.' ]+:[^`]*:[^`]*)`", FILTER_CHAPTER)


@pytest.mark.parametrize("operator", ALL, ids=lambda operator: operator.name)
def test_every_operator_has_a_line_with_all_its_spellings(operator: Operator) -> None:
    spellings = ", ".join(f"`{name}`" for name in (operator.name, *operator.aliases))
    assert f"\n| {spellings} |" in PAGE


def test_the_table_holds_no_operator_that_does_not_exist() -> None:
    table = FILTER_CHAPTER.partition("| operator |")[2].partition("\n\n")[0]
    named = {name for line in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", line.split("|")[1])}
    assert named == {name for operator in ALL for name in (operator.name, *operator.aliases)}


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_of_a_filter_can_be_read(example: str) -> None:
    assert parse_filter(example)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 20


@pytest.mark.parametrize("kind", [BAD_REQUEST, INVALID_FILTER, RELATION_NOT_FOUND, INVALID_SORT], ids=lambda kind: kind.message)
def test_every_refusal_of_a_query_is_listed(kind: Kind) -> None:
    assert f"\n| {kind.code} | {kind.message} |" in PAGE


@pytest.mark.parametrize(
    "sentence",
    [
        f"| `limit` | {parameters.DEFAULT_LIMIT} |",
        f"more than {parameters.MAX_LIMIT} is answered as {parameters.MAX_LIMIT}",
        f"at most {grammar.MAX_CONDITIONS} conditions, {grammar.MAX_DEPTH} levels of brackets and {grammar.MAX_BYTES // 1024} KiB",
        f"at most {plan.MAX_LEVELS} relations, and `with` takes at most {plan.MAX_PATHS} paths",
        f"at most {shape.MAX_PATHS} names",
    ],
)
def test_every_limit_is_told_as_it_is(sentence: str) -> None:
    assert sentence in PAGE


def test_the_fault_in_the_page_is_the_one_that_is_answered() -> None:
    with pytest.raises(Refusal) as caught:
        parse_filter("name:equals:x")
    assert f"    {caught.value.faults[0].description}\n" in PAGE
