"""What a changed order changes in its collection, what a person has changed there and keeps, and the job that does it.

To see it fail: leave out the look at `edited_properties` in `rules/orders.py:bring_up_to_date`, or the detaching at the end of
`activities_of`.
"""

from collections.abc import Callable
from typing import Any

import pytest
from tests.client import Client
from tests.orders import COLLECTION, Json, collection_of, facts, failed, jobs, new_order, put_behind, row, times
from tests.world import World

from planwerk.fields import load


@pytest.fixture
def board(api: Client) -> str:
    return str(api.post("/v1/board", {"name": "saw mill"})["id"])


@pytest.fixture
def activities(api: Client) -> list[str]:
    return [api.post("/v1/activity", {"description": name})["id"] for name in ("sawing", "gluing", "packing")]


# ── a changed order ──

FIRST = {"code": "V26-1", "description": "Chair", "quantity": 2, "promised_date": "2026-12-01", "status": "new"}
SECOND = {"code": "V26-2", "description": "Table", "quantity": 5, "promised_date": "2026-12-15", "status": "late"}
EDITS: list[tuple[Json, tuple[Any, ...]]] = [
    ({}, ("V26-2", "5x Table", "2026-12-15")),
    ({"name": "mine"}, ("mine", "5x Table", "2026-12-15")),
    ({"description": "mine"}, ("V26-2", "mine", "2026-12-15")),
    ({"description": None}, ("V26-2", None, "2026-12-15")),
    ({"due_date": "2027-01-01"}, ("V26-2", "5x Table", "2027-01-01")),
    ({"due_date": None}, ("V26-2", "5x Table", None)),
    ({"name": "mine", "description": "mine", "due_date": "2027-01-01"}, ("mine", "mine", "2027-01-01")),
    ({"name": "V26-1", "description": "2x Chair", "due_date": "2026-12-01"}, ("V26-2", "5x Table", "2026-12-15")),
    ({"cover_color_hex": "#fff"}, ("V26-2", "5x Table", "2026-12-15")),
]


@pytest.mark.parametrize("status", ["not_planned", "planned", "ignored"])
@pytest.mark.parametrize(("edit", "expected"), EDITS)
def test_what_nobody_has_edited_follows_the_order_and_the_meta_always(
    edit: Json, expected: tuple[Any, ...], status: str, board: str, api: Client, world: World
) -> None:
    order = new_order(api, **FIRST)
    api.put(f"/v1/collection/{order['collection_id']}", edit)
    put_behind(world, order["collection_id"], status=status)
    api.put(f"/v1/order/{order['id']}", SECOND)
    world.server.work()
    meta = {"order_status": "late", "promised_date": "2026-12-15"}
    assert facts(collection_of(api, order)) == (*expected, meta)


def test_an_edit_is_remembered_for_good_and_for_its_property_alone(board: str, api: Client, world: World) -> None:
    order = new_order(api, **FIRST)
    path = f"/v1/collection/{order['collection_id']}"
    api.put(path, {"name": "mine"})
    api.put(path, {"description": "mine"})
    api.put(path, {"name": "V26-1"})  # back as the order had it
    api.put(f"/v1/order/{order['id']}", SECOND)
    world.server.work()
    assert facts(collection_of(api, order))[:3] == ("V26-1", "mine", "2026-12-15")


def test_what_the_order_changes_itself_is_no_edit(board: str, api: Client, world: World) -> None:
    order = new_order(api, **FIRST)
    for code in ("V26-2", "V26-3"):
        api.put(f"/v1/order/{order['id']}", {"code": code})
        world.server.work()
        assert collection_of(api, order)["name"] == code


def test_a_collection_of_no_order_remembers_no_edits(board: str, api: Client, world: World) -> None:
    made = api.post("/v1/collection", {"name": "mine", "board_id": board})
    api.put(f"/v1/collection/{made['id']}", {"name": "still mine"})
    found = world.server.database.write_now(world.environment_id, lambda tx: tx.get(COLLECTION, made["id"]))
    assert found is not None
    assert load(found["edited_properties"]) == []


def test_a_fact_goes_with_its_source_and_other_keys_of_the_meta_stay(board: str, api: Client, world: World) -> None:
    order = new_order(api, status="new", type="Sales", relation={"name": "Mulder"}, project={"name": "Harbour"})
    put_behind(world, order["collection_id"], meta={"colour": "red", **collection_of(api, order)["meta"]})
    api.put(f"/v1/order/{order['id']}", {"status": None, "relation_id": None, "project": {"name": "Station"}})
    world.server.work()
    assert collection_of(api, order)["meta"] == {"colour": "red", "order_type": "Sales", "project": "Station"}


def test_a_relation_that_is_gone_or_has_another_name_is_seen_at_the_next_update(board: str, api: Client, world: World) -> None:
    order = new_order(api, relation={"name": "Mulder"}, project={"name": "Harbour"})
    api.put(f"/v1/relation/{order['relation_id']}", {"name": "Mulder & Son"})
    api.delete(f"/v1/project/{order['project_id']}")
    api.put(f"/v1/order/{order['id']}", {"note": "call first"})
    world.server.work()
    assert collection_of(api, order)["meta"] == {"relation": "Mulder & Son"}


def test_changed_dates_move_no_card(board: str, api: Client, world: World) -> None:
    order = new_order(api, **FIRST)
    body = {"start_date": "2026-11-30", "end_date": "2026-12-01"}
    card = api.post(f"/v1/collection/{order['collection_id']}/card", body)
    put_behind(world, order["collection_id"], status="planned")
    api.put(f"/v1/order/{order['id']}", {"promised_date": "2026-11-02", "desired_date": "2026-11-02"})
    world.server.work()
    after = api.get(f"/v1/collection/{order['collection_id']}/card/{card['id']}")
    assert (after["start_date"], after["end_date"]) == ("2026-11-30", "2026-12-01")
    assert collection_of(api, order)["due_date"] == "2026-11-02"


# ── changed rows ──

Change = Callable[[Client, Json, list[str]], Any]


def path_of_row(order: Json, place: int) -> str:
    return f"/v1/order/{order['id']}/row/{order['order_rows'][place]['id']}"


ROW_CHANGES: dict[str, tuple[Change, list[tuple[int, int]]]] = {
    "a row is added by its path": (
        lambda api, order, ids: api.post(f"/v1/order/{order['id']}/row", row(ids[2], 4)),
        [(0, 1), (1, 2), (2, 4)],
    ),
    "a row is changed by its path": (lambda api, order, ids: api.put(path_of_row(order, 0), {"quantity": 9}), [(0, 9), (1, 2)]),
    "a row gets another activity": (lambda api, order, ids: api.put(path_of_row(order, 0), {"activity_id": ids[2]}), [(2, 1), (1, 2)]),
    "a row gets another unit": (lambda api, order, ids: api.put(path_of_row(order, 1), {"unit": "pcs"}), [(0, 1), (1, 0)]),
    "a row is deleted by its path": (lambda api, order, ids: api.delete(path_of_row(order, 0)), [(1, 2)]),
    "a row is added inside the order": (
        lambda api, order, ids: api.put(f"/v1/order/{order['id']}", {"order_rows": [row(ids[1], 4)]}),
        [(0, 1), (1, 6)],
    ),
    "a row is changed inside the order": (
        lambda api, order, ids: api.put(f"/v1/order/{order['id']}", {"order_rows": [{"id": order["order_rows"][1]["id"], "quantity": 8}]}),
        [(0, 1), (1, 8)],
    ),
    "rows that are not sent are removed": (
        lambda api, order, ids: api.put(f"/v1/order/{order['id']}", {"order_rows": [row(ids[2], 4)]}, remove_missing="true"),
        [(2, 4)],
    ),
    "all rows are removed": (
        lambda api, order, ids: api.put(f"/v1/order/{order['id']}", {"order_rows": []}, remove_missing="true"),
        [],
    ),
}


def order_with_rows(api: Client, activities: list[str]) -> Json:
    order = new_order(api, order_rows=[row(activities[0], 1, position=0), row(activities[1], 2, position=1)])
    order["order_rows"] = api.get(f"/v1/order/{order['id']}", with_="order_rows")["order_rows"]
    return order


@pytest.mark.parametrize("name", ROW_CHANGES)
def test_in_the_backlog_the_activities_follow_the_rows(name: str, board: str, activities: list[str], api: Client, world: World) -> None:
    order, (change, expected) = order_with_rows(api, activities), ROW_CHANGES[name]
    change(api, order, activities)
    assert jobs(world) == [order["id"]]
    assert times(api, order) == [(activities[0], 1), (activities[1], 2)]  # not before the background has done it
    world.server.work()
    assert times(api, order) == [(activities[activity], time) for activity, time in expected]
    assert jobs(world) == []


@pytest.mark.parametrize("status", ["planned", "ignored"])
@pytest.mark.parametrize("name", ROW_CHANGES)
def test_outside_the_backlog_the_activities_stay(
    name: str, status: str, board: str, activities: list[str], api: Client, world: World
) -> None:
    order = order_with_rows(api, activities)
    put_behind(world, order["collection_id"], status=status)
    ROW_CHANGES[name][0](api, order, activities)
    world.server.work()
    assert times(api, order) == [(activities[0], 1), (activities[1], 2)]


def test_back_in_the_backlog_the_next_update_brings_all_that_was_missed(
    board: str, activities: list[str], api: Client, world: World
) -> None:
    order = order_with_rows(api, activities)
    put_behind(world, order["collection_id"], status="planned")
    api.delete(path_of_row(order, 0))
    world.server.work()
    put_behind(world, order["collection_id"], status="not_planned")
    api.put(path_of_row(order, 1), {"quantity": 3})
    world.server.work()
    assert times(api, order) == [(activities[1], 3)]


def test_activities_that_a_person_has_added_stay_until_a_row_names_them(
    board: str, activities: list[str], api: Client, world: World
) -> None:
    order = new_order(api, order_rows=[row(activities[0], 1)])
    path = f"/v1/collection/{order['collection_id']}/activity"
    api.ask("PUT", f"{path}/{activities[1]}", {"time": 70})
    api.ask("PUT", f"{path}/{activities[2]}", {"time": 80})
    added = api.post(f"/v1/order/{order['id']}/row", row(activities[1], 5))
    world.server.work()
    assert dict(times(api, order)) == {activities[0]: 1, activities[1]: 5, activities[2]: 80}
    api.delete(f"/v1/order/{order['id']}/row/{added['id']}")
    world.server.work()
    assert dict(times(api, order)) == {activities[0]: 1, activities[2]: 80}


def test_an_activity_that_is_gone_does_not_come_back(board: str, activities: list[str], api: Client, world: World) -> None:
    order = order_with_rows(api, activities)
    api.delete(f"/v1/activity/{activities[0]}")
    api.put(f"/v1/order/{order['id']}", {"code": "V26-2"})
    world.server.work()
    link, id = COLLECTION.link["activities"], order["collection_id"]
    linked = world.server.database.write_now(world.environment_id, lambda tx: set(tx.links(link, id)))
    assert (linked, times(api, order), failed(world)) == ({activities[1]}, [(activities[1], 2)], [])


# ── the job ──


def test_bringing_up_to_date_twice_changes_nothing_the_second_time(board: str, activities: list[str], api: Client, world: World) -> None:
    order = order_with_rows(api, activities)
    api.put(f"/v1/collection/{order['collection_id']}", {"name": "mine"})
    api.put(f"/v1/order/{order['id']}", {**SECOND, "order_rows": [row(activities[2], 4)]}, remove_missing="true")
    world.server.work()
    before = world.server.rows(world.environment_id)
    world.server.database.write_now(world.environment_id, lambda tx: tx.enqueue("order.collection", key=order["id"], order_id=order["id"]))
    assert world.server.work() == 1
    assert world.server.rows(world.environment_id) == before


def test_many_changes_of_an_order_wait_as_one_job(board: str, activities: list[str], api: Client, world: World) -> None:
    order = order_with_rows(api, activities)
    for name in ("a row is changed by its path", "a row is added by its path", "a row is deleted by its path"):
        ROW_CHANGES[name][0](api, order, activities)
    api.put(f"/v1/order/{order['id']}", SECOND)
    assert jobs(world) == [order["id"]]
    world.server.work()
    assert (collection_of(api, order)["name"], times(api, order)) == ("V26-2", [(activities[1], 2), (activities[2], 4)])


def test_a_refused_update_leaves_no_job(board: str, api: Client, world: World) -> None:
    order = new_order(api, code="V26-1")
    assert api.refused("PUT", f"/v1/order/{order['id']}", {"code": "V26-2", "relation_id": order["id"]}) == (422, [10007])
    assert jobs(world) == []


def test_a_job_finds_its_order_or_its_collection_gone_and_does_nothing(board: str, api: Client, world: World) -> None:
    gone, left = new_order(api, code="V26-1"), new_order(api, code="V26-2")
    for order in (gone, left):
        api.put(f"/v1/order/{order['id']}", {"status": "late"})
    api.delete(f"/v1/order/{gone['id']}")
    api.put(f"/v1/order/{left['id']}", {"collection_id": None})
    world.server.work()
    assert (jobs(world), failed(world)) == ([], [])
    assert api.refused("GET", f"/v1/collection/{gone['collection_id']}") == (404, [10004])
    assert collection_of(api, left)["meta"] is None
