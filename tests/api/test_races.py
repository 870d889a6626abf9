"""Many ask at once, one wins: one reference, one version, one idempotency key.

To see it fail: look for a duplicate with a SELECT instead of leaving it to the unique index, or judge If-Match before the row
is locked.
"""

import asyncio
from collections import Counter
from typing import Any

import pytest
from tests.client import ABSENT, Answer, Client
from tests.world import World


def at_once(api: Client, number: int, method: str, path: str, bodies: Any, headers: dict[str, str] | None = None) -> list[Answer]:
    """The answers to requests that start together; `bodies` is a function of the request's number."""

    async def ask_all() -> list[Answer]:
        return await asyncio.gather(*(api.ask_async(method, path, bodies(index), headers) for index in range(number)))

    return api.loop.run(ask_all())


def statuses(answers: list[Answer]) -> dict[int, int]:
    return dict(Counter(answer.status for answer in answers))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/item", {"external_ref": "x"}),
        ("/v1/order", {"external_ref": "x", "type": "Sales", "sub_type": "a"}),
        ("/v1/order", {"code": "1", "order_rows": [{"code": "1"}, {"external_ref": "x"}]}),
        ("/v1/user", {"email": "anna@example.com", "role": "member"}),
    ],
)
def test_of_many_with_one_reference_exactly_one_is_created(path: str, body: dict[str, Any], api: Client) -> None:
    answers = at_once(api, 50, "POST", path, lambda _: body)
    assert statuses(answers) == {201: 1, 422: 49}
    assert {tuple(answer.codes) for answer in answers if answer.status == 422} == {(10008,)}
    assert api.get(path)["count"] == 1


def test_of_many_without_a_reference_all_are_created(api: Client) -> None:
    assert statuses(at_once(api, 50, "POST", "/v1/item", lambda _: {"external_ref": None})) == {201: 50}
    assert len(set(api.ids("/v1/item"))) == 50


def test_an_archived_holder_wins_against_all(api: Client) -> None:
    made = api.post("/v1/resource", {"external_ref": "x"})
    api.post(f"/v1/resource/{made['id']}/archive", expect=200)
    assert statuses(at_once(api, 20, "POST", "/v1/resource", lambda _: {"external_ref": "x"})) == {422: 20}


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_of_many_who_saw_one_version_exactly_one_may_write(method: str, world: World, api: Client) -> None:
    path = f"/v1/item/{world.id('item')}"
    tag = {"if-match": api.ask("GET", path).headers["etag"]}
    answers = at_once(api, 20, method, path, lambda index: {"code": str(index)} if method == "PUT" else ABSENT, tag)
    expected = {200: 1, 412: 19} if method == "PUT" else {204: 1, 404: 19}
    assert statuses(answers) == expected
    if method == "PUT":
        [winner] = [answer.json for answer in answers if answer.status == 200]
        assert api.get(path) == winner


def test_changes_made_with_if_match_form_one_chain(world: World, api: Client) -> None:
    path = f"/v1/item/{world.id('item')}"

    async def one_client(name: int) -> list[tuple[str, str]]:
        """What this client read and then wrote over, as long as nobody came between."""
        written = []
        for step in range(10):
            read = await api.ask_async("GET", path)
            new = f"{name}.{step}"
            answer = await api.ask_async("PUT", path, {"code": new}, {"if-match": read.headers["etag"]})
            if answer.status == 200:
                written.append((read.json["code"], new))
        return written

    async def all_clients() -> list[tuple[str, str]]:
        return [change for changes in await asyncio.gather(*map(one_client, range(8))) for change in changes]

    first = api.get(path)["code"]
    successor = dict(changes := api.loop.run(all_clients()))
    assert len(successor) == len(changes), "two clients wrote over the same value"
    length = 0
    while first in successor:
        first, length = successor[first], length + 1
    assert (length, first) == (len(changes), api.get(path)["code"])


def test_of_many_with_one_idempotency_key_one_creates_and_all_get_its_answer(api: Client) -> None:
    answers = at_once(api, 50, "POST", "/v1/item", lambda _: {"code": "A"}, {"idempotency-key": "once"})
    assert set(statuses(answers)) <= {201, 409}
    assert len({answer.body for answer in answers if answer.status == 201}) == 1
    assert api.get("/v1/item")["count"] == 1


def test_of_many_with_one_key_and_different_bodies_one_creates(api: Client) -> None:
    answers = at_once(api, 20, "POST", "/v1/item", lambda index: {"code": str(index)}, {"idempotency-key": "once"})
    assert statuses(answers) == {201: 1, 422: 19}
    assert api.get("/v1/item")["count"] == 1


def test_links_made_at_once_are_one(world: World, api: Client) -> None:
    path = f"/v1/collection/{world.id('collection')}"
    answers = at_once(api, 20, "PUT", f"{path}/label/{world.id('label')}", lambda _: {})
    assert all(answer.status < 300 for answer in answers)
    assert len(api.get(path, with_="labels")["labels"]) == 1
