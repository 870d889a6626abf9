"""The integrator's client: pages, patience and what it says when it gives up.

To see it fail: send a new Idempotency-Key with each try, or sleep a fixed time.
"""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from planwerk.seeds import CannotSeed
from planwerk.seeds.client import TRIES, Client

Handler = Callable[[httpx2.Request], httpx2.Response]


class Script:
    """A server that gives the prepared answers one after the other, the last one for ever; it keeps what it was asked."""

    def __init__(self, *answers: httpx2.Response | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[httpx2.Request] = []
        self.slept: list[float] = []

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx2.Response(answer.status_code, headers=answer.headers, content=answer.content)

    def client(self) -> Client:
        return Client("http://planwerk.test/v1", "key", "env", transport=httpx2.MockTransport(self.answer), sleep=self.slept.append)


def answer(status: int, body: Any = None, **headers: str) -> httpx2.Response:
    return httpx2.Response(status, headers={name.replace("_", "-"): value for name, value in headers.items()}, json=body or {"id": "1"})


def refusal(status: int, *descriptions: str, **headers: str) -> httpx2.Response:
    return answer(status, {"errors": [{"description": text} for text in descriptions]}, **headers)


def test_a_request_carries_the_credentials_below_the_base_url() -> None:
    script = Script(answer(200))
    assert script.client().get("/order/7", show="id") == {"id": "1"}
    assert str(script.asked[0].url) == "http://planwerk.test/v1/order/7?show=id"
    assert (script.asked[0].headers["X-Api-Key"], script.asked[0].headers["X-Api-Env"]) == ("key", "env")


@pytest.mark.parametrize(("count", "pages"), [(0, 1), (1, 1), (1000, 1), (1001, 2), (2500, 3)])
def test_a_list_is_read_to_its_end(count: int, pages: int) -> None:
    def page(request: httpx2.Request) -> httpx2.Response:
        limit, offset = int(request.url.params["limit"]), int(request.url.params["offset"])
        asked.append(request)
        return httpx2.Response(200, json={"count": count, "data": [{"id": number} for number in range(offset, min(count, offset + limit))]})

    asked: list[httpx2.Request] = []
    client = Client("http://planwerk.test/v1", "key", "env", transport=httpx2.MockTransport(page))
    assert [item["id"] for item in client.list("/order", filter="code:eq:1")] == list(range(count))
    assert len(asked) == pages
    assert all(request.url.params["filter"] == "code:eq:1" for request in asked)


@pytest.mark.parametrize(
    ("first", "seconds"),
    [
        (refusal(429, RateLimit_Reset="7", Retry_After="9"), 7.0),
        (refusal(429, Retry_After="9"), 9.0),
        (refusal(503, RateLimit_Reset="7", Retry_After="9"), 9.0),
        (refusal(503), 1.0),
        (refusal(503, Retry_After="Tue, 24 Nov 2026 02:00:00 GMT"), 1.0),
        (httpx2.ConnectError("refused"), 1.0),
    ],
)
def test_it_waits_as_long_as_the_server_asks_and_tries_again(first: httpx2.Response | Exception, seconds: float) -> None:
    script = Script(first, answer(200))
    assert script.client().get("/order/7") == {"id": "1"}
    assert script.slept == [seconds]


def test_a_create_that_is_tried_again_is_the_same_create() -> None:
    script = Script(httpx2.ReadError("cut off"), refusal(503, Retry_After="1"), answer(201))
    script.client().create("/order", {"code": "A"})
    assert len(script.asked) == 3
    assert len({request.headers["Idempotency-Key"] for request in script.asked}) == 1


def test_two_creates_are_not_the_same_create() -> None:
    script = Script(answer(201))
    client = script.client()
    client.create("/order", {"code": "A"})
    client.create("/order", {"code": "A"})
    assert len({request.headers["Idempotency-Key"] for request in script.asked}) == 2


def test_patience_ends_with_a_sentence() -> None:
    script = Script(refusal(503, "maintenance", Reference_Tag="abc"))
    with pytest.raises(CannotSeed, match=rf"^GET /order/7 failed {TRIES} times: 503 maintenance \[abc\]$"):
        script.client().get("/order/7")
    assert len(script.asked) == TRIES


def test_a_refusal_is_told_in_the_words_of_the_api_and_not_tried_again() -> None:
    script = Script(refusal(422, "code is too long", "type is unknown", Reference_Tag="abc"))
    with pytest.raises(CannotSeed, match=r"^POST /order was refused: 422 code is too long; type is unknown \[abc\]$"):
        script.client().create("/order", {})
    assert len(script.asked) == 1


@pytest.mark.parametrize("content", [b"<html>", b"[]", b""])
def test_an_answer_that_is_no_object_is_told_with_its_address(content: bytes) -> None:
    script = Script(httpx2.Response(200, content=content))
    with pytest.raises(CannotSeed, match=r"^http://planwerk\.test/v1/order/7 answers something else"):
        script.client().get("/order/7")


def test_a_refusal_without_the_shape_of_the_api_is_told_by_its_status() -> None:
    script = Script(httpx2.Response(502, content=b"<html>"))
    with pytest.raises(CannotSeed, match=r"^PUT /order/7 was refused: 502$"):
        script.client().update("/order/7", {})
