"""Two ask at once for changes that meet in one row, by different ways: both stand, or one is refused, and none is lost.

To see it fail on PostgreSQL: let `Statements.overwrite` be `update`, or leave the lock out of `make_living` or `Transaction.delete`.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from tests.client import ABSENT, Answer, Client
from tests.server import OBJECTS
from tests.world import LONG_AGO, World

from planwerk.store.transaction import Transaction

ROUNDS = 8  # on PostgreSQL nine of ten lost something
Asked = tuple[str, str, Any]  # method, path, body


def both(api: Client, *asked: Asked) -> list[Answer]:
    """The answers to requests that start together."""

    async def ask_all() -> list[Answer]:
        return await asyncio.gather(*(api.ask_async(*one) for one in asked))

    return api.loop.run(ask_all())


# ── both change one row ──


def stage_and_board(api: Client) -> tuple[str, Callable[[int], tuple[Asked, Asked]], Callable[[int], dict[str, Any]]]:
    board = api.post("/v1/board", {"name": "hall", "stages": [{"name": "saw", "priority": 0}]}, with_="stages")
    path = f"/v1/stage/{(id := board['stages'][0]['id'])}"

    def asked(number: int) -> tuple[Asked, Asked]:
        nested = {"stages": [{"id": id, "priority": number}]}
        return ("PUT", f"/v1/board/{board['id']}", nested), ("PUT", path, {"name": f"saw {number}"})

    return path, asked, lambda number: {"priority": number, "name": f"saw {number}"}


def row_and_order(api: Client) -> tuple[str, Callable[[int], tuple[Asked, Asked]], Callable[[int], dict[str, Any]]]:
    order = api.post("/v1/order", {"code": "1", "order_rows": [{"code": "a"}]}, with_="order_rows")
    path = f"/v1/order/{order['id']}/row/{(id := order['order_rows'][0]['id'])}"

    def asked(number: int) -> tuple[Asked, Asked]:
        nested = {"order_rows": [{"id": id, "quantity": number}]}
        return ("PUT", f"/v1/order/{order['id']}", nested), ("PUT", path, {"code": f"a{number}"})

    return path, asked, lambda number: {"quantity": number, "code": f"a{number}"}


def pushed_collection(api: Client) -> tuple[str, Callable[[int], tuple[Asked, Asked]], Callable[[int], dict[str, Any]]]:
    board = api.post("/v1/board", {"name": "hall"})["id"]
    pushing, pushed = (api.post("/v1/collection", {"name": name, "board_id": board})["id"] for name in "ab")
    path = f"/v1/collection/{pushed}"

    def asked(number: int) -> tuple[Asked, Asked]:
        place = {"position": api.get(path)["position"]}
        return ("PUT", f"/v1/collection/{pushing}/backlog", place), ("PUT", path, {"name": f"b{number}"})

    return path, asked, lambda number: {"name": f"b{number}"}


@pytest.mark.parametrize("scene", [stage_and_board, row_and_order, pushed_collection])
def test_of_two_changes_that_were_confirmed_none_is_lost(scene: Any, api: Client) -> None:
    path, asked, expected = scene(api)
    for number in range(1, ROUNDS + 1):
        before = api.ask("GET", path).headers["etag"]
        assert {answer.status for answer in both(api, *asked(number))} == {200}
        after = api.ask("GET", path)
        assert {name: after.json[name] for name in expected(number)} == expected(number)
        assert after.headers["etag"][1:17] != before[1:17]


def test_a_version_that_was_answered_is_that_of_what_was_answered(api: Client) -> None:
    path, asked, _ = stage_and_board(api)
    for number in range(1, ROUNDS + 1):
        _, answer = both(api, *asked(number))
        tag, found = answer.headers["etag"], api.ask("GET", path)
        if found.headers["etag"][1:17] == tag[1:17]:
            assert found.json == answer.json
        else:
            assert api.refused("PUT", path, {"name": "x"}, {"if-match": tag}) == (412, [10014])


# ── one deletes what the other names ──


def test_nothing_is_made_below_what_is_being_deleted(api: Client) -> None:
    for _ in range(ROUNDS):
        board = api.post("/v1/board", {"name": "hall"})["id"]
        made, gone = both(api, ("POST", "/v1/stage", {"name": "saw", "board_id": board}), ("DELETE", f"/v1/board/{board}", ABSENT))
        assert (made.status in (201, 422), gone.status) == (True, 204)
        assert api.get("/v1/stage", filter=f"board_id:eq:{board}")["data"] == []


@pytest.mark.parametrize("is_nested", [False, True])
def test_what_is_attached_while_it_is_deleted_is_told_as_detached(is_nested: bool, world: World, api: Client) -> None:
    """Or it is not attached at all."""
    path = f"/v1/collection/{world.id('collection')}"
    for number in range(ROUNDS):
        id = api.post("/v1/activity", {"name": f"saw {number}"})["id"]
        attach: Asked = ("PUT", path, {"activities": [{"id": id}]}) if is_nested else ("PUT", f"{path}/activity/{id}", {})
        both(api, attach, ("DELETE", f"/v1/activity/{id}", ABSENT))
        told = [event["event"] for event in api.get("/v1/event", limit=1000)["data"] if id in str(event["data"])]
        assert told.count("collection.activity.attached") == told.count("collection.activity.detached")


# ── the clock ──


def test_updated_at_of_many_rows_never_runs_backwards(world: World) -> None:
    """To see it fail: let `update_many` write `tx.now`."""
    ahead = "2099-01-01T00:00:00Z"
    world.write("item", world.id("item"), updated_at=ahead)

    def work(tx: Transaction) -> int:
        row = tx.get(OBJECTS["item"], world.id("item"))
        assert row is not None
        return tx.update_many(OBJECTS["item"], [(row, {"description": LONG_AGO})])

    assert world.server.database.write_now(world.environment_id, work) == 1
    assert world.client.get(world.one(OBJECTS["item"]))["updated_at"] == ahead
