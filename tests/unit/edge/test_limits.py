"""What is too long, too many or too large is refused before anything is parsed."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest

from planwerk.edge.limits import ADDRESS_BYTES, HEADER_BYTES, HEADERS, announced_size, check_head, read_body
from planwerk.errors import BAD_REQUEST, HEADERS_TOO_LARGE, PAYLOAD_TOO_LARGE, URI_TOO_LONG, Kind, Refusal


def refused_kind(caught: pytest.ExceptionInfo[Refusal]) -> Kind:
    return caught.value.faults[0].kind


def read(messages: Iterable[dict[str, Any]], limit: int = 10, length: bytes = b"") -> bytes:
    left = iter(messages)

    async def receive() -> Any:
        return next(left)

    return asyncio.run(read_body(receive, length, limit))


def part(body: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


def test_an_address_may_have_its_length_and_not_a_byte_more() -> None:
    check_head("/" * 100, b"x" * (ADDRESS_BYTES - 100), {})
    with pytest.raises(Refusal) as caught:
        check_head("/" * 100, b"x" * (ADDRESS_BYTES - 99), {})
    assert refused_kind(caught) is URI_TOO_LONG


def test_a_request_may_have_so_many_headers_and_not_one_more() -> None:
    check_head("/", b"", {b"%d" % number: b"" for number in range(HEADERS)})
    with pytest.raises(Refusal) as caught:
        check_head("/", b"", {b"%d" % number: b"" for number in range(HEADERS + 1)})
    assert refused_kind(caught) is HEADERS_TOO_LARGE


def test_headers_may_have_so_many_bytes_together() -> None:
    check_head("/", b"", {b"name": b"x" * (HEADER_BYTES - 4)})
    with pytest.raises(Refusal) as caught:
        check_head("/", b"", {b"name": b"x" * (HEADER_BYTES - 3)})
    assert refused_kind(caught) is HEADERS_TOO_LARGE


def test_a_body_is_put_together_from_its_parts() -> None:
    assert read([part(b"ab", more=True), part(b"", more=True), part(b"cd")]) == b"abcd"


def test_a_message_without_body_is_empty() -> None:
    assert read([{"type": "http.request"}]) == b""


def test_a_body_that_is_announced_too_large_is_refused_unread() -> None:
    with pytest.raises(Refusal, match="larger than 10 bytes") as caught:
        read([], length=b"11")
    assert refused_kind(caught) is PAYLOAD_TOO_LARGE


def test_a_body_that_grows_too_large_is_refused_at_once() -> None:
    assert read([part(b"x" * 10)]) == b"x" * 10
    with pytest.raises(Refusal) as caught:
        read([part(b"x" * 6, more=True), part(b"x" * 5, more=True)])
    assert refused_kind(caught) is PAYLOAD_TOO_LARGE


def test_a_client_that_goes_away_is_not_taken_at_its_half_word() -> None:
    with pytest.raises(Refusal):
        read([part(b"ab", more=True), {"type": "http.disconnect"}])


@pytest.mark.parametrize("header", [b"-1", b"1e3", b"ten", b"", "²".encode("latin-1"), b"9" * 19])
def test_a_length_that_is_no_number_is_refused(header: bytes) -> None:
    with pytest.raises(Refusal) as caught:
        announced_size(header)
    assert refused_kind(caught) is BAD_REQUEST


def test_a_length_is_a_number() -> None:
    assert announced_size(b"007") == 7
