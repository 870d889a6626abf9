"""A job shop in working days: bodies of its machines, activities, orders and board.

To see it fail: give an operation the activity of the machine alone, or let a machine rest on Sundays.
"""

import datetime as dt

import pytest

from planwerk.seeds.instances import Instance, Operation
from planwerk.seeds.shop import orders_of
from planwerk.seeds.shop_board import what_lacks
from planwerk.seeds.shop_in_days import (
    Shop,
    activities_in_days,
    board_body,
    first_monday_after,
    machine_links,
    most_visits,
    orders_in_days,
    resources_in_days,
)

RETURNING = Instance("tiny", ((Operation(0, 3), Operation(1, 2), Operation(0, 1)), (Operation(1, 4), Operation(0, 0))))
SHOP = Shop(RETURNING, ["a0", "a1", "b0", "b1"], ["saw", "mill"])
FIRST = dt.date(2026, 11, 30)


def test_a_machine_has_an_activity_for_each_time_that_a_job_comes_to_it() -> None:
    bodies = list(activities_in_days(RETURNING))
    assert most_visits(RETURNING) == 2
    assert [body["external_ref"] for body in bodies] == [
        "jobshop-tiny-activity-0",
        "jobshop-tiny-activity-1",
        "jobshop-tiny-activity-0-visit-1",
        "jobshop-tiny-activity-1-visit-1",
    ]
    assert len({body["code"] for body in bodies}) == 4
    assert {body["day_max_duration"] for body in bodies} == {480}


def test_a_machine_works_eight_hours_on_every_day() -> None:
    bodies = list(resources_in_days(RETURNING, SHOP.activities))
    assert [[link["id"] for link in body["activities"]] for body in bodies] == [["a0", "b0"], ["a1", "b1"]]
    assert all(body["workdays"] == {str(day): 8 for day in range(1, 8)} for body in bodies)


def test_an_operation_is_a_row_in_days_and_one_without_time_has_no_activity() -> None:
    orders = list(orders_in_days(SHOP, ["x", "y"], FIRST))
    rows = [[(row["activity_id"], row["unit"], row["quantity"]) for row in order["order_rows"]] for order in orders]
    assert rows == [[("a0", "days", 3), ("a1", "days", 2), ("b0", "days", 1)], [("a1", "days", 4), (None, "days", 0)]]
    assert {order["date"] for order in orders} == {"2026-11-30"}
    assert (SHOP.minutes_of(0), SHOP.minutes_of(1)) == ({"a0": 1440, "a1": 960, "b0": 480}, {"a1": 1920})


def test_an_order_is_otherwise_what_it_is_without_a_plan() -> None:
    plain = list(orders_of(RETURNING, ["a0", "a1"], ["x", "y"]))
    for order, body in zip(orders_in_days(SHOP, ["x", "y"], FIRST), plain, strict=True):
        changed = {"date", "order_rows"}
        assert {name: value for name, value in order.items() if name not in changed} == {
            name: value for name, value in body.items() if name not in changed
        }


def test_each_machine_is_a_stage_outside_the_order_with_all_its_time() -> None:
    board = board_body(SHOP)
    assert board["name"] == "Job shop tiny"
    assert [(stage["name"], stage["independent"], stage["resources"]) for stage in board["stages"]] == [
        ("Machine 0", True, [{"id": "saw", "percentage": 100}]),
        ("Machine 1", True, [{"id": "mill", "percentage": 100}]),
    ]
    assert [[link["id"] for link in stage["activities"]] for stage in board["stages"]] == [["a0", "b0"], ["a1", "b1"]]
    assert all(board["workdays"].values())
    assert machine_links(SHOP, {"Machine 0": "s0", "Machine 1": "s1"})[1] == {
        "id": "mill",
        "active": True,
        "stages": [{"id": "s1", "percentage": 100, "active": True}],
    }


@pytest.mark.parametrize(
    ("found", "lacking"),
    [
        ({"name": "A", "parts": 1, "stages": [{"id": "7", "name": "S", "priority": 0}], "statuses": []}, {}),
        ({"name": "B", "stages": [{"id": "7", "name": "S", "priority": 0}], "statuses": []}, {"name": "A"}),
        ({"name": "A", "stages": [], "statuses": []}, {"stages": [{"name": "S", "priority": 0}]}),
        ({"name": "A", "stages": [{"id": "7", "name": "S", "priority": 1}], "statuses": [{"name": "Done"}]},
         {"stages": [{"id": "7", "name": "S", "priority": 0}]}),
        ({"name": "A", "stages": [{"id": "8", "name": "T"}], "statuses": []}, {"stages": [{"name": "S", "priority": 0}]}),
    ],
)  # fmt: skip
def test_a_board_lacks_what_is_not_there_or_otherwise(found: dict[str, object], lacking: dict[str, object]) -> None:
    assert what_lacks({"name": "A", "stages": [{"name": "S", "priority": 0}], "statuses": []}, found) == lacking


@pytest.mark.parametrize(("today", "monday"), [("2026-11-29", "2026-11-30"), ("2026-11-30", "2026-12-07"), ("2026-12-05", "2026-12-07")])
def test_a_plan_begins_on_the_first_monday_after_today(today: str, monday: str) -> None:
    assert first_monday_after(dt.date.fromisoformat(today)).isoformat() == monday
