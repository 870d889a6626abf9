"""An example is made from the description alone and is always the same."""

import pytest
from tests.unit.reference.sample import JOB, SAMPLE

from planwerk.fields import Email, HexColor, Text, Url
from planwerk.reference.examples import body_example, example_of, object_example

KNOWN = {described.name: described for described in SAMPLE}


def test_an_example_is_the_same_every_time() -> None:
    assert object_example(JOB) == object_example(JOB)


def test_an_example_shows_every_shown_property_in_the_documented_order() -> None:
    assert list(object_example(JOB)) == [field.name for field in JOB.shown]


def test_an_example_is_of_a_living_object() -> None:
    assert object_example(JOB)["archived_at"] is None


def test_an_example_body_has_one_of_everything_that_may_be_nested() -> None:
    body = body_example(JOB, KNOWN)
    assert [step["name"] for step in body["steps"]] == ["Oak staircase"]
    assert set(body["tools"][0]) == {"id", "time", "priority"}
    assert "job_id" not in body["steps"][0]


def test_an_example_body_leaves_out_what_goes_away() -> None:
    assert "url" not in body_example(JOB, KNOWN)


def test_a_text_with_a_pattern_that_no_example_fits_has_none() -> None:
    assert example_of(Text("odd", pattern=r"\d{77}")) is None


@pytest.mark.parametrize("field", [Text("note", max=9), HexColor("color"), Email("contact"), Url("link")])
def test_a_text_with_a_limit_has_an_example_that_it_takes(field: Text) -> None:
    assert field.parse(example_of(field)) == example_of(field)
