"""Orders become collections: what a new order makes or takes, and what is left when one of the two goes.

To see it fail: forget a fact in `rules/order_mapping.py:facts_of`, or let `rules/orders.py:delete_order` delete what is planned.
"""

from typing import Any

import pytest
from tests.client import Client
from tests.orders import Json, collection_of, facts, failed, jobs, new_order, put_behind, row, times
from tests.world import World


@pytest.fixture
def board(api: Client) -> str:
    return str(api.post("/v1/board", {"name": "saw mill"})["id"])


@pytest.fixture
def activities(api: Client) -> list[str]:
    return [api.post("/v1/activity", {"description": name})["id"] for name in ("sawing", "gluing", "packing")]


# ── a new order ──

MAPPING: list[tuple[Json, tuple[Any, ...]]] = [
    ({}, ("Order", None, None, None)),
    ({"code": "V26-1"}, ("V26-1", None, None, None)),
    ({"code": "V26-1", "description": "Chair", "external_ref": "x"}, ("V26-1", "Chair", None, None)),
    ({"description": "Chair", "external_ref": "x"}, ("Chair", "Chair", None, None)),
    ({"external_ref": "x"}, ("x", None, None, None)),
    ({"quantity": 3, "description": "Chair Lissabon"}, ("Chair Lissabon", "3x Chair Lissabon", None, None)),
    ({"quantity": 2.5, "description": "Board"}, ("Board", "2.5x Board", None, None)),
    ({"quantity": 1000000, "description": "Screw"}, ("Screw", "1000000x Screw", None, None)),
    ({"quantity": 4}, ("Order", "4", None, None)),
    ({"type": "Sales", "status": "new"}, ("Order", None, None, {"order_type": "Sales", "order_status": "new"})),
    ({"type": None, "status": None}, ("Order", None, None, None)),
    (
        {"promised_date": "2026-12-01", "desired_date": "2026-11-01"},
        ("Order", None, "2026-12-01", {"promised_date": "2026-12-01", "desired_date": "2026-11-01"}),
    ),
    ({"desired_date": "2026-11-01"}, ("Order", None, "2026-11-01", {"desired_date": "2026-11-01"})),
    ({"date": "2026-01-01", "delivered_date": "2026-02-01"}, ("Order", None, None, None)),
    ({"relation": {"name": "Mulder"}}, ("Order", None, None, {"relation": "Mulder"})),
    ({"project": {"name": "Harbour"}}, ("Order", None, None, {"project": "Harbour"})),
    (
        {"address": {"street1": "Kade 7", "postal_code": "1013 AB", "city": "Amsterdam", "country": "NL", "name": "Mulder"}},
        ("Order", None, None, {"address": "Kade 7, 1013 AB Amsterdam, NL"}),
    ),
    ({"address": {"city": "Amsterdam"}}, ("Order", None, None, {"address": "Amsterdam"})),
    ({"address": {"postal_code": "1013 AB", "country": "NL"}}, ("Order", None, None, {"address": "1013 AB, NL"})),
    ({"address": {"name": "no place at all"}}, ("Order", None, None, None)),
    (
        {"note": "n", "contact": "c", "meta": {"colour": "red"}, "sub_type": "s", "relation_ref": "r", "transaction": "t"},
        ("Order", None, None, None),
    ),
]


@pytest.mark.parametrize(("body", "expected"), MAPPING)
def test_a_new_order_is_a_collection_that_says_what_it_says(body: Json, expected: tuple[Any, ...], board: str, api: Client) -> None:
    collection = collection_of(api, new_order(api, **body))
    assert facts(collection) == expected
    assert (collection["source_type"], collection["status"], collection["board_id"]) == ("order", "not_planned", board)


TIMES: list[tuple[list[tuple[int | None, float | None, str | None]], list[tuple[int, int]]]] = [
    ([], []),
    ([(None, 90, "minutes")], []),
    ([(0, 90, "minutes")], [(0, 90)]),
    ([(0, 1.5, "hours")], [(0, 90)]),
    ([(0, 2, "days")], [(0, 960)]),
    ([(0, 1, " Days "), (1, 1, "HOURS")], [(0, 480), (1, 60)]),
    ([(0, 90, "minute")], [(0, 0)]),
    ([(0, 90, "pcs"), (1, 7, None)], [(0, 0), (1, 0)]),
    ([(0, None, "hours")], [(0, 0)]),
    ([(0, 0.4, "minutes")], [(0, 0)]),
    ([(0, 0.5, "minutes")], [(0, 1)]),
    ([(0, 2.5, "minutes")], [(0, 3)]),
    ([(0, 0.4, "minutes"), (0, 0.4, "minutes")], [(0, 1)]),
    ([(0, 0.1, "hours"), (0, 0.2, "hours")], [(0, 18)]),
    ([(0, -30, "minutes")], [(0, 0)]),
    ([(0, 60, "minutes"), (0, -30, "minutes")], [(0, 30)]),
    ([(0, 1e15, "days")], [(0, 2**53 - 1)]),
    ([(2, 1, "minutes"), (0, 2, "minutes"), (1, 3, "minutes"), (0, 4, "minutes")], [(2, 1), (0, 6), (1, 3)]),
]


@pytest.mark.parametrize(("rows", "expected"), TIMES)
def test_rows_with_an_activity_give_their_time(
    rows: list[tuple[int | None, float | None, str | None]], expected: list[tuple[int, int]], activities: list[str], api: Client
) -> None:
    bodies = [
        row(None if activity is None else activities[activity], quantity, unit, position=place)
        for place, (activity, quantity, unit) in enumerate(rows)
    ]
    assert times(api, new_order(api, order_rows=bodies)) == [(activities[activity], time) for activity, time in expected]


def test_the_first_row_by_position_says_where_an_activity_stands(activities: list[str], api: Client) -> None:
    rows = [row(activities[0], 1), row(activities[1], 1, position=2), row(activities[2], 1, position=1)]
    found = collection_of(api, new_order(api, order_rows=rows))["activities"]
    assert [(item["id"], item["position"]) for item in found] == [(activities[2], 0), (activities[1], 1), (activities[0], 2)]


def test_the_collection_goes_to_the_board_that_the_order_names(board: str, api: Client) -> None:
    other = api.post("/v1/board", {"name": "assembly"})["id"]
    assert collection_of(api, new_order(api, board_id=other))["board_id"] == other
    assert collection_of(api, new_order(api, board_id=None))["board_id"] == board


def test_without_a_board_it_goes_to_the_first_that_is_not_archived(board: str, api: Client) -> None:
    other = api.post("/v1/board", {"name": "assembly"})["id"]
    api.post(f"/v1/board/{board}/archive", expect=200)
    assert collection_of(api, new_order(api))["board_id"] == other


def test_without_any_board_there_is_a_collection_all_the_same(api: Client, other: World) -> None:
    other.id("board")  # that of another tenant does not count
    collection = collection_of(api, new_order(api, code="V26-1"))
    assert (collection["board_id"], collection["name"], collection["status"]) == (None, "V26-1", "not_planned")


def test_each_collection_is_the_last_of_its_boards_backlog(board: str, api: Client) -> None:
    other = api.post("/v1/board", {"name": "assembly"})["id"]
    orders = [new_order(api, board_id=id) for id in (board, other, board, board, other)]
    assert [collection_of(api, order)["position"] for order in orders] == [0, 0, 1, 2, 1]


def test_a_new_order_leaves_nothing_to_the_background(board: str, activities: list[str], api: Client, world: World) -> None:
    new_order(api, code="V26-1", order_rows=[row(activities[0], 5)])
    assert (jobs(world), jobs(world, "collection.auto_plan")) == ([], [])


def test_a_refused_order_leaves_no_collection(board: str, activities: list[str], api: Client, world: World) -> None:
    new_order(api, external_ref="x", type="Sales", sub_type="none")
    before = world.server.rows(world.environment_id)
    assert api.refused("POST", "/v1/order", {"external_ref": "x", "type": "Sales", "sub_type": "none"}) == (422, [10008])
    rows = [row(activities[0], 5, external_ref="twice"), row(activities[0], 5, external_ref="twice")]
    assert api.refused("POST", "/v1/order", {"order_rows": rows}) == (422, [10008])
    assert api.refused("POST", "/v1/order", {"board_id": activities[0]}) == (422, [10007])
    assert world.server.rows(world.environment_id) == before


# ── an order that takes a collection which is there ──


def test_an_order_takes_the_collection_it_names(board: str, activities: list[str], api: Client, world: World) -> None:
    made = api.post("/v1/collection", {"name": "mine", "board_id": board, "activities": [{"id": activities[1], "time": 7}]})
    order = new_order(
        api, code="V26-1", type="Sales", promised_date="2026-12-01", collection_id=made["id"], order_rows=[row(activities[0], 5)]
    )
    assert (order["collection_id"], world.server.count(world.environment_id, "collection")) == (made["id"], 1)
    meta = {"order_type": "Sales", "promised_date": "2026-12-01"}
    assert facts(collection_of(api, order)) == ("mine", None, None, meta)
    assert (collection_of(api, order)["source_type"], times(api, order)) == ("custom", [(activities[1], 7)])


def test_of_a_taken_collection_only_the_meta_follows(board: str, activities: list[str], api: Client, world: World) -> None:
    made = api.post("/v1/collection", {"name": "mine", "board_id": board, "activities": [{"id": activities[1], "time": 7}]})
    order = new_order(api, collection_id=made["id"], order_rows=[row(activities[0], 5)])
    body = {"code": "V26-2", "description": "Chair", "promised_date": "2026-12-01", "order_rows": [row(activities[2], 5)]}
    api.put(f"/v1/order/{order['id']}", body)
    world.server.work()
    assert facts(collection_of(api, order)) == ("mine", None, None, {"promised_date": "2026-12-01"})
    assert times(api, order) == [(activities[1], 7)]


def test_an_order_that_turns_to_another_collection_is_followed_by_that_one(board: str, api: Client, world: World) -> None:
    order = new_order(api, code="V26-1", status="new")
    made = api.post("/v1/collection", {"name": "mine", "board_id": board})
    turned = api.put(f"/v1/order/{order['id']}", {"collection_id": made["id"]})
    world.server.work()
    assert facts(collection_of(api, turned)) == ("mine", None, None, {"order_status": "new"})
    api.put(f"/v1/order/{order['id']}", {"code": "V26-2", "status": "late"})
    world.server.work()
    assert facts(collection_of(api, turned)) == ("mine", None, None, {"order_status": "late"})
    assert facts(collection_of(api, order)) == ("V26-1", None, None, {"order_status": "new"})


def test_an_order_may_let_its_collection_go(board: str, api: Client, world: World) -> None:
    order = new_order(api, code="V26-1")
    assert api.put(f"/v1/order/{order['id']}", {"collection_id": None})["collection_id"] is None
    api.put(f"/v1/order/{order['id']}", {"code": "V26-2"})
    assert jobs(world) == []
    assert facts(collection_of(api, order)) == ("V26-1", None, None, None)


def test_an_order_takes_no_collection_of_another_tenant(api: Client, other: World, world: World) -> None:
    before = other.server.rows(other.environment_id)
    assert api.refused("POST", "/v1/order", {"collection_id": other.id("collection")}) == (422, [10007])
    assert other.server.rows(other.environment_id) == before
    assert world.server.count(world.environment_id, "order") == 0


# ── deleting ──


def test_the_collection_of_an_order_is_not_deleted_but_ignored(board: str, api: Client, world: World) -> None:
    order = new_order(api, code="V26-1")
    path = f"/v1/collection/{order['collection_id']}"
    card = api.post(f"{path}/card", {"start_date": "2026-12-01", "end_date": "2026-12-02"})
    api.delete(path)
    collection = collection_of(api, order)
    assert (collection["status"], collection["position"], collection["cards"]) == ("ignored", None, [])
    assert api.refused("GET", f"{path}/card/{card['id']}") == (404, [10004])
    assert api.get(f"/v1/order/{order['id']}")["collection_id"] == collection["id"]
    api.put(f"/v1/order/{order['id']}", {"code": "V26-2"})
    world.server.work()
    assert (collection_of(api, order)["name"], collection_of(api, order)["status"]) == ("V26-2", "ignored")
    api.delete(path)
    assert collection_of(api, order)["status"] == "ignored"


def test_a_collection_of_no_order_is_gone_when_it_is_deleted(board: str, api: Client) -> None:
    made = api.post("/v1/collection", {"name": "mine", "board_id": board})
    order = new_order(api, collection_id=made["id"])
    api.delete(f"/v1/collection/{made['id']}")
    assert api.refused("GET", f"/v1/collection/{made['id']}") == (404, [10004])
    assert api.get(f"/v1/order/{order['id']}")["collection_id"] is None


@pytest.mark.parametrize("status", ["not_planned", "ignored"])
def test_with_an_order_goes_its_collection_unless_it_is_planned(
    status: str, board: str, activities: list[str], api: Client, world: World
) -> None:
    order = new_order(api, order_rows=[row(activities[0], 5)])
    put_behind(world, order["collection_id"], status=status)
    api.delete(f"/v1/order/{order['id']}")
    assert jobs(world) == []
    assert api.refused("GET", f"/v1/collection/{order['collection_id']}") == (404, [10004])


def test_a_planned_collection_outlives_its_order(board: str, activities: list[str], api: Client, world: World) -> None:
    order = new_order(api, code="V26-1", order_rows=[row(activities[0], 60)])
    path = f"/v1/collection/{order['collection_id']}"
    card = api.post(f"{path}/card", {"start_date": "2026-12-01", "end_date": "2026-12-02"})
    entry = api.post("/v1/time_tracking", {"card_id": card["id"], "start": "2026-12-01T08:00:00Z", "duration": 30})
    put_behind(world, order["collection_id"], status="planned")
    api.delete(f"/v1/order/{order['id']}")
    world.server.work()
    collection = collection_of(api, order)
    assert (collection["source_type"], collection["status"], collection["name"]) == ("custom", "planned", "V26-1")
    assert [found["id"] for found in collection["cards"]] == [card["id"]]
    assert (times(api, order), failed(world)) == ([(activities[0], 60)], [])
    assert api.get(f"/v1/time_tracking/{entry['id']}")["duration"] == 30


def test_time_tracked_stays_when_order_and_collection_go(board: str, api: Client) -> None:
    order = new_order(api)
    card = api.post(f"/v1/collection/{order['collection_id']}/card", {"start_date": "2026-12-01", "end_date": "2026-12-02"})
    entry = api.post("/v1/time_tracking", {"card_id": card["id"], "start": "2026-12-01T08:00:00Z", "duration": 30})
    api.delete(f"/v1/order/{order['id']}")
    assert api.get(f"/v1/time_tracking/{entry['id']}")["duration"] == 30


def test_a_collection_that_the_order_has_not_made_outlives_it(board: str, api: Client) -> None:
    made = api.post("/v1/collection", {"name": "mine", "board_id": board})
    order = new_order(api, collection_id=made["id"])
    api.delete(f"/v1/order/{order['id']}")
    assert api.get(f"/v1/collection/{made['id']}")["source_type"] == "custom"


def test_a_collection_of_two_orders_goes_with_the_last(board: str, api: Client) -> None:
    first = new_order(api)
    second = new_order(api, collection_id=first["collection_id"])
    api.delete(f"/v1/order/{first['id']}")
    assert collection_of(api, second)["source_type"] == "order"
    api.delete(f"/v1/order/{second['id']}")
    assert api.refused("GET", f"/v1/collection/{first['collection_id']}") == (404, [10004])


def test_with_a_board_go_its_collections_and_the_orders_have_none(board: str, api: Client, world: World) -> None:
    orders = [new_order(api, code="V26-1"), new_order(api, code="V26-2")]
    api.delete(f"/v1/board/{board}")
    assert [api.get(f"/v1/order/{order['id']}")["collection_id"] for order in orders] == [None, None]
    assert api.refused("GET", f"/v1/collection/{orders[0]['collection_id']}") == (404, [10004])
    assert jobs(world) == []
