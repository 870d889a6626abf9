"""A write is whole or absent: whichever statement fails, the database is as it was, and then the write succeeds.

The statement that fails is the first, then the second, and so on until none is left to fail (as SQLite tests itself).
To see it fail: commit between the statements of `run_create`, or keep the claim of an idempotency key apart from the write.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from tests.api.test_nesting import BOARD
from tests.client import Answer, Client
from tests.server import Server
from tests.world import World

from planwerk.store import postgresql, sqlite

Scenario = Callable[[World, str], Answer]


class Broken(Exception):
    """The statement that was chosen to fail."""


@contextmanager
def failing(server: Server, number: int, fault: Exception) -> Iterator[dict[str, int]]:
    """From here on, the statement with this number fails once; `seen` counts those that were run."""
    seen = {"statements": 0}
    kind = sqlite.Handle if "sqlite" in server.settings.database else postgresql.Handle
    reader = getattr(server.database, "reader", None)
    run = kind.execute

    def execute(self: Any, text: str, values: Mapping[str, Any] | None = None) -> Any:
        if self is reader or text.startswith(("ROLLBACK", "RELEASE")):
            return run(self, text, values)
        seen["statements"] += 1
        if seen["statements"] == number:
            raise fault
        return run(self, text, values)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kind, "execute", execute)
        yield seen


def create(world: World, key: str) -> Answer:
    body = {**BOARD, "resources": [{"id": world.id("resource")}], "unknown": 1}
    return world.client.ask("POST", "/v1/board", body, {"idempotency-key": key})


def update(world: World, key: str) -> Answer:
    body = {"code": key, "relation": {"name": "Visser"}, "order_rows": [{"code": "1"}, {"code": "2"}]}
    return world.client.ask("PUT", f"/v1/order/{world.id('order')}", body, remove_missing="true")


def delete(world: World, key: str) -> Answer:
    return world.client.ask("DELETE", f"/v1/collection/{world.id('collection')}")


def attach(world: World, key: str) -> Answer:
    return world.client.ask("PUT", f"/v1/collection/{world.id('collection')}/activity/{world.id('activity')}", {"time": 5})


def archive(world: World, key: str) -> Answer:
    return world.client.ask("POST", f"/v1/board/{world.id('board')}/archive")


@pytest.mark.parametrize("scenario", [create, update, delete, attach, archive])
def test_a_write_is_whole_or_absent_whichever_statement_fails(scenario: Scenario, world: World, server: Server) -> None:
    for name in ("card", "order_row", "resource", "activity", "attachment"):
        world.id(name)
    before, failed = server.rows(world.environment_id), 0
    for number in itertools.count(1):
        with failing(server, number, Broken(f"statement {number}")) as seen:
            answer = scenario(world, "once")
        if seen["statements"] < number:
            break
        failed += 1
        assert (answer.status, answer.codes) == (500, [10000]), number
        assert server.rows(world.environment_id) == before, number
    assert failed >= 3, "the scenario ran no statement that could fail"
    assert answer.status < 300
    assert server.rows(world.environment_id) != before


def test_a_failed_write_fails_no_other(world: World, server: Server, api: Client) -> None:
    with failing(server, 1, Broken("one statement")):
        assert api.ask("POST", "/v1/item", {"code": "A"}).status == 500
    assert api.post("/v1/item", {"code": "B"})["code"] == "B"
    assert [item["code"] for item in api.get("/v1/item")["data"]] == ["B"]


@pytest.mark.parametrize("scenario", [create, update, delete])
def test_a_repeat_after_success_changes_nothing(scenario: Scenario, world: World, server: Server) -> None:
    world.id("card")
    world.id("order_row")
    first = scenario(world, "once")
    after = server.rows(world.environment_id)
    again = scenario(world, "once")
    assert again.body == first.body if scenario is create else again.status in (200, 404)
    assert scenario is update or server.rows(world.environment_id) == after
