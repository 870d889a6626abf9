"""A write is whole or absent: whichever statement fails, the database is as it was, and then the write succeeds.

The statement that fails is the first, then the second, and so on until none is left to fail (as SQLite tests itself).
The events and their deliveries belong to the write. To see it fail: commit between the statements of `run_create`, keep the
claim of an idempotency key apart from the write, or pass over an error in `write_events`.
"""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.api.test_nesting import BOARD
from tests.client import Answer, Client
from tests.server import Server
from tests.world import World

from planwerk.catalog.webhook import EVENT_TYPES
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

    def counted(run: Any) -> Any:
        def execute(self: Any, text: str, values: Any = None) -> Any:
            if self is reader or text.startswith(("ROLLBACK", "RELEASE")):
                return run(self, text, values)
            seen["statements"] += 1
            if seen["statements"] == number:
                raise fault
            return run(self, text, values)

        return execute

    with pytest.MonkeyPatch.context() as patch:
        for name in ("execute", "execute_many"):
            patch.setattr(kind, name, counted(getattr(kind, name)))
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


EVENTS: dict[Scenario, int] = {create: 4, update: 0, delete: 3, attach: 2, archive: 0}  # how many it tells, to each of two webhooks


@pytest.mark.parametrize("scenario", EVENTS)
def test_a_write_is_whole_or_absent_whichever_statement_fails(scenario: Scenario, world: World, server: Server) -> None:
    for name in ("card", "order_row", "resource", "activity", "attachment"):
        world.id(name)
    for _ in range(2):
        world.client.post("/v1/webhook", {"url": "https://example.com/", "event_types": list(EVENT_TYPES)})
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
    after = server.rows(world.environment_id)
    assert after != before
    told = [len(after.get(name, ())) - len(before.get(name, ())) for name in ("event", "webhook_delivery")]
    assert told == [EVENTS[scenario], 2 * EVENTS[scenario]]


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
