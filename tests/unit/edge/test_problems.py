"""Every exception becomes the one shape of an error; what nobody foresaw shows nothing of the inside, and the log shows it all."""

from typing import Any

import orjson
import pytest
from structlog.testing import capture_logs

from planwerk.edge.problems import problem
from planwerk.edge.reference import new_reference
from planwerk.errors import ALL, DUPLICATE_ENTRY, VALIDATION_FAILED, Fault, Kind, Refusal, refuse

REFERENCE = "8f14e45f-ceea-467f-a8f1-0a0b0c0d0e0f"
REQUEST = "GET /v1/order"


def answer(error: Exception) -> tuple[int, Any]:
    status, body, _ = problem(error, REFERENCE, REQUEST)
    return status, orjson.loads(body)


def test_every_fault_is_an_item_that_repeats_the_reference() -> None:
    error = Refusal(Fault(VALIDATION_FAILED, "name is required", "name"), Fault(DUPLICATE_ENTRY, "taken"))
    assert answer(error) == (
        422,
        {
            "reference": REFERENCE,
            "errors": [
                {
                    "code": 10007,
                    "message": "Validation failed",
                    "description": "name is required",
                    "property": "name",
                    "reference": REFERENCE,
                },
                {"code": 10008, "message": "Duplicate entry", "description": "taken", "property": None, "reference": REFERENCE},
            ],
        },
    )


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.message)
def test_every_kind_is_answered_with_its_status_and_code(kind: Kind) -> None:
    with capture_logs():
        status, body = answer(refuse(kind, "no"))
    assert (status, body["errors"][0]["code"]) == (kind.status, kind.code)


def test_the_headers_of_a_refusal_come_along() -> None:
    assert problem(refuse(VALIDATION_FAILED, "no", retry_after="5", allow="GET"), REFERENCE, REQUEST)[2] == [
        (b"retry-after", b"5"),
        (b"allow", b"GET"),
    ]


class Secret(Exception):
    """Holds what nobody may see."""


def test_what_nobody_foresaw_shows_nothing_of_the_inside() -> None:
    with capture_logs():
        status, body, headers = problem(Secret("password in /etc/secret"), REFERENCE, REQUEST)
    assert (status, headers) == (500, [])
    assert orjson.loads(body)["errors"] == [
        {
            "code": 10000,
            "message": "Unknown",
            "description": "an unforeseen error; please report the reference",
            "property": None,
            "reference": REFERENCE,
        }
    ]
    assert b"Secret" not in body
    assert b"etc" not in body


def test_what_nobody_foresaw_is_logged_with_the_same_reference_and_its_exception() -> None:
    error = Secret("inside")
    with capture_logs() as lines:
        problem(error, REFERENCE, REQUEST)
    assert lines == [{"event": "unforeseen", "log_level": "error", "reference": REFERENCE, "request": REQUEST, "exc_info": error}]


def test_a_refusal_that_is_our_fault_is_logged_and_one_that_is_the_callers_is_not() -> None:
    with capture_logs() as lines:
        for kind in ALL:
            problem(refuse(kind, kind.message), REFERENCE, REQUEST)
    assert [line["reason"] for line in lines] == [kind.message for kind in ALL if kind.status >= 500]
    assert {line["reference"] for line in lines} == {REFERENCE}


def test_a_reference_is_a_random_uuid_of_version_4() -> None:
    assert new_reference(lambda count: 2**count - 1) == "ffffffff-ffff-4fff-afff-ffffffffffff"
    assert new_reference() != new_reference()
