"""Boards that plan the collections of new orders by themselves, in the background.

To see it fail: forget `not_before` in `rules/orders.py:auto_plan`, or let a refusal of `start_planning` out of it.
"""

from collections.abc import Callable
from typing import Any

import pytest
from tests.client import Client
from tests.orders import Json, collection_of, failed, jobs, new_order, row
from tests.world import World

from planwerk.rules.workdays import Workdays


@pytest.fixture
def activities(api: Client) -> list[str]:
    return [api.post("/v1/activity", {"description": name})["id"] for name in ("sawing", "gluing", "packing")]


PROMISED = {"promised_date": "2090-12-08", "desired_date": "2090-12-11"}  # a Friday, a Monday
PLANS: list[tuple[Json | None, Json, str | None]] = [
    (None, PROMISED, None),
    ({}, PROMISED, "2090-12-08"),
    ({"offset_workdays": -2}, PROMISED, "2090-12-06"),
    ({"offset_workdays": 1}, PROMISED, "2090-12-11"),
    ({}, {"desired_date": "2090-12-11"}, None),
    ({"anchor_date": "desired_date"}, PROMISED, "2090-12-11"),
    ({"anchor_date": "due_date", "offset_workdays": -1}, PROMISED, "2090-12-07"),
    ({"anchor_date": "due_date"}, {"desired_date": "2090-12-11"}, "2090-12-11"),
    ({"anchor_date": "due_date"}, {}, None),
    ({"offset_workdays": 10000}, {"promised_date": "9999-12-31"}, None),
    ({}, {"promised_date": "2090-12-10"}, "2090-12-08"),
    ({"order_types": ["Sales"]}, {**PROMISED, "type": "Sales"}, "2090-12-08"),
    ({"order_types": ["Sales"]}, {**PROMISED, "type": "Purchase"}, None),
    ({"order_types": ["Sales"]}, PROMISED, None),
    ({"order_types": ["Sales", "none"]}, PROMISED, "2090-12-08"),
    ({"order_types": ["none"]}, {**PROMISED, "type": "none"}, "2090-12-08"),
]


def planning_board(api: Client, auto_plan: Json | None) -> str:
    return str(api.post("/v1/board", {"name": "saw mill", "auto_plan": auto_plan, "stages": [{"name": "sawing"}]})["id"])


@pytest.mark.parametrize(("auto_plan", "body", "end"), PLANS)
def test_a_board_plans_the_collections_of_new_orders(
    auto_plan: Json | None, body: Json, end: str | None, api: Client, world: World
) -> None:
    planning_board(api, auto_plan)
    order = new_order(api, **body)
    assert collection_of(api, order)["status"] == "not_planned"  # until the background has done it
    world.server.work()
    collection = collection_of(api, order)
    assert (collection["status"], collection["end"]) == ("planned" if end else "not_planned", end)
    assert (len(collection["cards"]), collection["position"]) == ((1, None) if end else (0, 0))
    assert failed(world) == []


def test_the_work_of_the_rows_ends_on_the_promised_day(activities: list[str], api: Client, world: World) -> None:
    api.put(f"/v1/activity/{activities[0]}", {"day_max_duration": 480})
    stage = {"name": "sawing", "activities": [{"id": activities[0]}]}
    api.post("/v1/board", {"name": "saw mill", "auto_plan": {}, "stages": [stage]})
    order = new_order(api, promised_date="2090-12-11", order_rows=[row(activities[0], 2, "days")])
    world.server.work()
    collection = collection_of(api, order)
    assert (collection["start"], collection["end"], collection["warnings"]) == ("2090-12-08", "2090-12-11", [])


def test_counted_from_its_creation_an_order_is_begun_that_many_working_days_later(api: Client, world: World) -> None:
    planning_board(api, {"anchor_date": "created_at", "offset_workdays": 3})
    order = new_order(api)
    world.server.work()
    week = Workdays((True, True, True, True, True, False, False))
    assert collection_of(api, order)["start"] == week.add(order["created_at"][:10], 3)


def test_what_was_promised_for_the_past_is_planned_from_today(api: Client, world: World) -> None:
    planning_board(api, {})
    order = new_order(api, promised_date="2020-01-01")
    world.server.work()
    collection = collection_of(api, order)
    assert collection["status"] == "planned"
    assert collection["start"] >= order["created_at"][:10]


MEANWHILE: dict[str, tuple[Callable[[Client, str, Json], Any], str | None]] = {
    "the order is deleted": (lambda api, board, order: api.delete(f"/v1/order/{order['id']}"), None),
    "the collection is ignored": (lambda api, board, order: api.delete(f"/v1/collection/{order['collection_id']}"), "ignored"),
    "the order lets it go": (lambda api, board, order: api.put(f"/v1/order/{order['id']}", {"collection_id": None}), "not_planned"),
    "the board plans no more": (lambda api, board, order: api.put(f"/v1/board/{board}", {"auto_plan": None}), "not_planned"),
    "the board is archived": (lambda api, board, order: api.post(f"/v1/board/{board}/archive", expect=200), "not_planned"),
    "the board is closed": (
        lambda api, board, order: api.put(f"/v1/board/{board}", {"workdays": dict.fromkeys("1234567", False)}),
        "not_planned",
    ),
    "the board is deleted": (lambda api, board, order: api.delete(f"/v1/board/{board}"), None),
}


@pytest.mark.parametrize("name", MEANWHILE)
def test_nothing_is_planned_when_meanwhile(name: str, api: Client, world: World) -> None:
    board, (happens, status) = planning_board(api, {}), MEANWHILE[name]
    order = new_order(api, **PROMISED)
    happens(api, board, order)
    world.server.work()
    assert (jobs(world, "collection.auto_plan"), failed(world)) == ([], [])
    answer = api.ask("GET", f"/v1/collection/{order['collection_id']}", with_="cards")
    assert (answer.json["status"] if answer.status == 200 else None) == status
    assert world.server.count(world.environment_id, "card") == 0


def test_what_somebody_has_planned_meanwhile_stays_as_it_is(api: Client, world: World) -> None:
    board = planning_board(api, {})
    order = new_order(api, **PROMISED)
    api.post(f"/v1/collection/{order['collection_id']}/board/{board}", {"start": "2090-01-02"}, expect=200)
    world.server.work()
    collection = collection_of(api, order)
    assert (collection["start"], len(collection["cards"]), failed(world)) == ("2090-01-02", 1, [])


def test_a_collection_that_an_order_takes_is_not_planned_by_itself(api: Client, world: World) -> None:
    board = planning_board(api, {})
    made = api.post("/v1/collection", {"name": "mine", "board_id": board})
    new_order(api, collection_id=made["id"], **PROMISED)
    assert jobs(world, "collection.auto_plan") == []


def test_an_update_plans_nothing(api: Client, world: World) -> None:
    board = planning_board(api, None)
    order = new_order(api)
    api.put(f"/v1/board/{board}", {"auto_plan": {}})
    api.put(f"/v1/order/{order['id']}", PROMISED)
    world.server.work()
    assert collection_of(api, order)["status"] == "not_planned"


def test_a_later_date_of_the_order_only_warns(api: Client, world: World) -> None:
    planning_board(api, {})
    order = new_order(api, **PROMISED)
    world.server.work()
    before = collection_of(api, order)
    api.put(f"/v1/order/{order['id']}", {"promised_date": "2090-12-13"})
    world.server.work()
    after = collection_of(api, order)
    assert (before["warnings"], after["warnings"]) == ([], ["promised_date_changed"])
    assert (after["start"], after["end"], after["due_date"]) == ("2090-12-08", "2090-12-08", "2090-12-13")
