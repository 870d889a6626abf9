"""One table of refusals: every kind is in it, no code means two things, and a refusal carries what the edge needs."""

from http import HTTPStatus

import pytest

from planwerk import errors
from planwerk.errors import ALL, DUPLICATE_ENTRY, NOT_FOUND, TOO_MANY_REQUESTS, VALIDATION_FAILED, Fault, Kind, Refusal, refuse

CODES = {
    "UNKNOWN": (10000, 500),
    "BAD_REQUEST": (10001, 400),
    "UNAUTHORIZED": (10002, 401),
    "FORBIDDEN": (10003, 403),
    "NOT_FOUND": (10004, 404),
    "MEMORY_EXHAUSTED": (10005, 500),
    "METHOD_NOT_ALLOWED": (10006, 405),
    "VALIDATION_FAILED": (10007, 422),
    "DUPLICATE_ENTRY": (10008, 422),
    "TOO_MANY_REQUESTS": (10009, 429),
    "SERVICE_UNAVAILABLE": (10010, 503),
    "INVALID_FILTER": (10011, 400),
    "RELATION_NOT_FOUND": (10012, 400),
    "INVALID_SORT": (10013, 400),
    "PRECONDITION_FAILED": (10014, 412),
    "UNSUPPORTED_MEDIA_TYPE": (10015, 415),
    "PAYLOAD_TOO_LARGE": (10016, 413),
    "CONFLICT": (10017, 409),
    "URI_TOO_LONG": (10018, 414),
    "HEADERS_TOO_LARGE": (10019, 431),
}


def kinds() -> dict[str, Kind]:
    return {name: value for name, value in vars(errors).items() if isinstance(value, Kind)}


def test_the_table_holds_every_kind() -> None:
    assert set(ALL) == set(kinds().values())


def test_no_code_is_used_twice() -> None:
    assert len({kind.code for kind in ALL}) == len(ALL)


def test_published_codes_keep_their_meaning() -> None:
    assert {name: (kind.code, kind.status) for name, kind in kinds().items()} == CODES


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.message)
def test_every_status_is_an_error_that_http_knows(kind: Kind) -> None:
    assert HTTPStatus(kind.status) >= 400


def test_a_refusal_has_the_status_of_its_first_fault() -> None:
    assert Refusal(Fault(NOT_FOUND, "gone"), Fault(VALIDATION_FAILED, "bad")).status == 404


def test_the_text_of_a_refusal_tells_all_its_faults() -> None:
    assert str(Refusal(Fault(VALIDATION_FAILED, "name is required", "name"), Fault(DUPLICATE_ENTRY, "taken"))) == "name is required; taken"


def test_a_header_is_named_with_underscores() -> None:
    refusal = refuse(TOO_MANY_REQUESTS, "too many", retry_after="5")
    assert refusal.headers == {"retry-after": "5"}
    assert refusal.faults == (Fault(TOO_MANY_REQUESTS, "too many"),)


def test_headers_are_a_copy_of_what_was_given() -> None:
    given = {"allow": "GET"}
    refusal = Refusal(Fault(NOT_FOUND, "gone"), headers=given)
    refusal.headers["x"] = "y"
    assert given == {"allow": "GET"}
