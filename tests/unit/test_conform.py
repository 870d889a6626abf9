"""The judge of answers finds what is wrong, and only that."""

import json
from typing import Any

import pytest
from tests.conform import Conformity
from tests.unit.reference.sample import JOB, SAMPLE, STEP

from planwerk import errors
from planwerk.reference.examples import error_example, example_id, object_example
from planwerk.reference.openapi import build

JSON = "application/json"
REFERENCE = example_id("reference")
HEADERS = {"Content-Type": JSON, "Reference-Tag": REFERENCE, "ETag": '"' + 32 * "0" + '"'}


@pytest.fixture(scope="module")
def conformity() -> Conformity:
    return Conformity(build(SAMPLE))


def judge(conformity: Conformity, value: Any, *, path: str = f"/v1/job/{example_id('job')}", status: int = 200, **headers: str) -> None:
    given = {**HEADERS, **{name.replace("_", "-"): text for name, text in headers.items()}}
    conformity.check("GET", path, status, given, json.dumps(value).encode())


def test_an_answer_as_documented_is_accepted(conformity: Conformity) -> None:
    judge(conformity, object_example(JOB))


def test_a_related_object_may_be_there(conformity: Conformity) -> None:
    judge(conformity, {**object_example(JOB), "steps": [object_example(STEP)]})


def test_an_unknown_property_is_found(conformity: Conformity) -> None:
    with pytest.raises(AssertionError, match="colour"):
        judge(conformity, {**object_example(JOB), "colour": "red"})


def test_an_unknown_property_of_a_related_object_is_found(conformity: Conformity) -> None:
    with pytest.raises(AssertionError, match="steps/0"):
        judge(conformity, {**object_example(JOB), "steps": [{**object_example(STEP), "colour": "red"}]})


def test_a_missing_property_is_found(conformity: Conformity) -> None:
    with pytest.raises(AssertionError, match="required"):
        judge(conformity, {"id": example_id("job")})


@pytest.mark.parametrize("query", ["show=id", "hide=name", "with=steps&show=id"])
def test_properties_may_be_missing_where_the_caller_asked_for_less(conformity: Conformity, query: str) -> None:
    judge(conformity, {"id": example_id("job")}, path=f"/v1/job/{example_id('job')}?{query}")


def test_an_empty_show_asks_for_everything(conformity: Conformity) -> None:
    with pytest.raises(AssertionError, match="required"):
        judge(conformity, {"id": example_id("job")}, path=f"/v1/job/{example_id('job')}?show=&hide=")


@pytest.mark.parametrize(("name", "value"), [("is_urgent", None), ("start", "16-03-2026"), ("status", "other"), ("id", 5)])
def test_a_value_of_the_wrong_type_is_found(conformity: Conformity, name: str, value: Any) -> None:
    with pytest.raises(AssertionError, match=name):
        judge(conformity, {**object_example(JOB), name: value})


def test_a_worked_out_answer_may_leave_out_what_is_not_sure(conformity: Conformity) -> None:
    judge(conformity, {"kind": "rain"}, path="/v1/weather/here")
    with pytest.raises(AssertionError, match="kind"):
        judge(conformity, {"sky": "grey"}, path="/v1/weather/here")


def test_an_undocumented_status_is_found(conformity: Conformity) -> None:
    with pytest.raises(AssertionError, match="not documented"):
        judge(conformity, {}, status=418)


@pytest.mark.parametrize("name", ["Reference-Tag", "ETag"])
def test_a_missing_header_is_found(conformity: Conformity, name: str) -> None:
    headers = {key: value for key, value in HEADERS.items() if key != name}
    with pytest.raises(AssertionError, match=name):
        conformity.check("GET", f"/v1/job/{example_id('job')}", 200, headers, json.dumps(object_example(JOB)).encode())


def test_another_content_type_is_found(conformity: Conformity) -> None:
    with pytest.raises(AssertionError, match="content type"):
        judge(conformity, object_example(JOB), Content_Type="text/html")


def test_a_body_that_is_no_json_is_found(conformity: Conformity) -> None:
    with pytest.raises(AssertionError, match="no JSON"):
        conformity.check("GET", f"/v1/job/{example_id('job')}", 200, HEADERS, b"{")


def test_a_name_that_stands_twice_is_found(conformity: Conformity) -> None:
    with pytest.raises(AssertionError, match="twice"):
        conformity.check("GET", f"/v1/job/{example_id('job')}", 200, HEADERS, b'{"id": 1, "id": 2}')


def test_a_body_where_none_belongs_is_found(conformity: Conformity) -> None:
    with pytest.raises(AssertionError, match="none is documented"):
        conformity.check("DELETE", f"/v1/job/{example_id('job')}", 204, HEADERS, b"{}")


def test_a_fixed_word_wins_over_a_parameter(conformity: Conformity) -> None:
    assert conformity.template("/v1/job/detail") == "/job/detail"
    assert conformity.template("/v1/job/detail/step") == "/job/{job_id}/step"
    assert conformity.template("/v1/job/1/") == "/job/{job_id}"
    assert conformity.template("/elsewhere") == ""


def test_a_refusal_as_documented_is_accepted(conformity: Conformity) -> None:
    judge(conformity, error_example(errors.NOT_FOUND), status=404)


def test_a_code_that_belongs_to_another_status_is_found(conformity: Conformity) -> None:
    with pytest.raises(AssertionError, match="belongs to status 422"):
        judge(conformity, error_example(errors.VALIDATION_FAILED), status=404)


def test_references_that_differ_are_found(conformity: Conformity) -> None:
    with pytest.raises(AssertionError, match="references differ"):
        judge(conformity, error_example(errors.NOT_FOUND), status=404, Reference_Tag=example_id("other"))


def test_an_unknown_path_is_404_and_nothing_else(conformity: Conformity) -> None:
    judge(conformity, error_example(errors.NOT_FOUND), path="/v1/nowhere", status=404)
    with pytest.raises(AssertionError, match="no such path"):
        judge(conformity, {}, path="/v1/nowhere", status=200)


def test_an_unknown_method_is_405_with_the_methods_that_are_known(conformity: Conformity) -> None:
    body = json.dumps(error_example(errors.METHOD_NOT_ALLOWED)).encode()
    with pytest.raises(AssertionError, match="Allow"):
        conformity.check("PATCH", "/v1/job", 405, HEADERS, body)
    conformity.check("PATCH", "/v1/job", 405, {**HEADERS, "Allow": "GET, POST"}, body)
