"""The calendar on both databases: a row for each day, deviations and their repetitions.

To see it fail: leave `follow_deviations` out of the catalog, count a deviation's last day out, or let `rewrite` skip a day.
"""

import asyncio
import datetime as dt
from typing import Any

import pytest
from tests.client import Client
from tests.server import Server
from tests.weeks import AWAY, FREE, FULL, Hours, away, by_hand, day, every_row, hours, leave, new_saw, rows
from tests.world import World

from planwerk.rules.recurrence import years_from


@pytest.fixture
def saw(api: Client) -> str:
    return new_saw(api)


# ── the rows of a resource ──


def test_a_new_resource_has_a_row_for_each_day_of_the_past_year_and_the_coming_two(api: Client) -> None:
    made = api.post("/v1/resource", {"name": "saw"})
    today = made["created_at"][:10]
    first, last = (dt.date.fromisoformat(years_from(today, years)) for years in (-1, 2))
    found = [row["date"] for row in every_row(api, f"/v1/resource/{made['id']}")]
    assert found == [(first + dt.timedelta(days=number)).isoformat() for number in range((last - first).days + 1)]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, [8, 8, 8, 8, 8, 0, 0]),
        ({"workdays": {"1": 4, "2": 0, "3": None, "6": 5}}, [4, 0, 0, 8, 8, 5, 0]),
        ({"start_date": day(2), "end_date": day(3)}, [0, 0, 8, 8, 0, 0, 0]),
        ({"workdays_start_date": day(3)}, [0, 0, 0, 8, 8, 0, 0]),
    ],
)
def test_hours_follow_from_workdays_and_the_days_of_the_resource(body: dict[str, Any], expected: list[float], api: Client) -> None:
    made = api.post("/v1/resource", body)
    found = hours(api, f"/v1/resource/{made['id']}")
    assert [work for work, *_ in found] == expected
    assert [available for *_, available in found] == expected


def test_an_update_makes_every_row_anew_in_the_background(saw: str, server: Server, api: Client) -> None:
    by_hand(api, saw, 0, 1)
    leave(api, saw, 2)
    api.put(saw, {"workdays": {"1": 6, "2": 6, "3": 6, "4": 6, "5": 6, "6": 2, "7": None}})
    assert hours(api, saw, 0, 1) == [(3, 0, 0, 3)] * 2
    server.work()
    assert hours(api, saw) == [(6, 0, 0, 6), (6, 0, 0, 6), (6, 6, 0, 0), (6, 0, 0, 6), (6, 0, 0, 6), (2, 0, 0, 2), FREE]


def test_days_before_the_workdays_hold_keep_what_they_have(saw: str, server: Server, api: Client) -> None:
    edited = {"hours_work": 3, "hours_leave": 2}
    api.put(f"{saw}/schedule", {"period_start": day(0), "period_end": day(0), "schedules": [edited]}, expect=204)
    api.put(saw, {"workdays_start_date": day(2), "workdays": {str(number): 4 for number in range(1, 8)}})
    server.work()
    assert hours(api, saw) == [(3, 2, 0, 1), FULL, *[(4, 0, 0, 4)] * 5]
    leave(api, saw, 0, 2, time=60)
    assert hours(api, saw, 0, 3) == [(3, 1, 0, 2), (8, 1, 0, 7), (4, 1, 0, 3), (4, 0, 0, 4)]


def test_rows_that_are_right_are_not_written_again(saw: str, server: Server, world: World, api: Client) -> None:
    leave(api, saw, 2)
    api.put(saw, {"name": "band saw"})
    before = server.rows(world.environment_id)["schedule"]
    server.work()
    assert server.rows(world.environment_id)["schedule"] == before


def test_a_deleted_resource_takes_its_rows_along(saw: str, server: Server, world: World, api: Client) -> None:
    leave(api, saw, 2)
    api.put(saw, {"name": "band saw"})  # its job finds nothing left to do
    api.delete(saw)
    server.work()
    assert server.count(world.environment_id, "schedule") == 0
    assert api.get(f"{saw}/schedule")["count"] == 0
    assert api.get("/v1/schedule")["count"] == 0


# ── deviations ──


@pytest.mark.parametrize(
    ("deviations", "expected"),
    [
        ([{"type": "leave"}], (8, 8, 0, 0)),
        ([{"type": "holiday"}], (8, 8, 0, 0)),
        *[([{"type": name}], (8, 0, 8, 0)) for name in ("absence", "sick", "maintenance", "malfunction", "other")],
        ([{}], (8, 0, 8, 0)),
        ([{"type": "leave", "time": 0}], (8, 8, 0, 0)),
        ([{"type": "leave", "time": None}], (8, 8, 0, 0)),
        ([{"type": "leave", "time": 90}], (8, 1.5, 0, 6.5)),
        ([{"type": "leave", "time": 600}], (8, 8, 0, 0)),
        ([{"type": "leave", "time": 60}, {"type": "leave", "time": 120}], (8, 3, 0, 5)),
        ([{"type": "leave", "time": 120}, {"type": "sick"}], (8, 2, 6, 0)),
        ([{"type": "sick", "time": 480}, {"type": "leave", "time": 120}], (8, 2, 6, 0)),
        ([{"type": "leave"}, {"type": "sick", "time": 60}], (8, 8, 0, 0)),
    ],
)
def test_a_deviation_takes_hours_away(deviations: list[dict[str, Any]], expected: Hours, saw: str, api: Client) -> None:
    for body in deviations:
        api.post(f"{saw}/schedule_deviation", {"start_date": day(1), **body})
    assert hours(api, saw) == [FULL, expected, FULL, FULL, FULL, FREE, FREE]


def test_both_dates_of_a_deviation_count_and_free_days_stay_free(saw: str, api: Client) -> None:
    leave(api, saw, 4, 7)
    assert hours(api, saw, 3, 8) == [FULL, AWAY, FREE, FREE, AWAY, FULL]


def test_deviations_that_come_with_a_new_resource_count_at_once(api: Client) -> None:
    rule = {"schedule": "week"}
    nested = {"type": "leave", "start_date": day(0), "end_date": day(1), "schedule_deviation_recurring": [rule]}
    made = api.post("/v1/resource", {"name": "saw", "schedule_deviations": [nested]})
    assert away(api, f"/v1/resource/{made['id']}", 15) == [0, 1, 7, 8, 14, 15]


def test_deviations_written_with_the_resource_count_at_once(saw: str, api: Client) -> None:
    made = leave(api, saw, 0)
    api.put(saw, {"schedule_deviations": [{"id": made["id"], "end_date": day(1)}, {"type": "sick", "start_date": day(3)}]})
    assert hours(api, saw, 0, 4) == [AWAY, AWAY, FULL, (8, 0, 8, 0), FULL]
    api.put(saw, {"schedule_deviations": []})
    assert hours(api, saw, 0, 4) == [FULL] * 5


def test_a_deviation_that_moves_gives_its_old_days_back(saw: str, api: Client) -> None:
    path = f"{saw}/schedule_deviation/{leave(api, saw, 0, 1)['id']}"
    api.put(path, {"start_date": day(1), "end_date": day(2)})
    assert hours(api, saw, 0, 3) == [FULL, AWAY, AWAY, FULL]
    api.put(path, {"type": "sick", "time": 60})
    assert hours(api, saw, 0, 3) == [FULL, (8, 0, 1, 7), (8, 0, 1, 7), FULL]
    api.delete(path)
    assert hours(api, saw, 0, 3) == [FULL] * 4


def test_a_deviation_leaves_hand_made_hours_of_other_days_alone(saw: str, api: Client) -> None:
    by_hand(api, saw, 0, 4)
    path = f"{saw}/schedule_deviation/{leave(api, saw, 1)['id']}"
    assert hours(api, saw, 0, 4) == [(3, 0, 0, 3), AWAY, *[(3, 0, 0, 3)] * 3]
    api.put(path, {"start_date": day(2), "end_date": day(2)})
    by_hand(api, saw, 2, 2, work=5)
    api.put(path, {"description": "to the sea"})
    assert [work for work, *_ in hours(api, saw, 0, 4)] == [3, 8, 5, 3, 3]


def test_a_deviation_beyond_the_rows_changes_nothing(saw: str, server: Server, world: World, api: Client) -> None:
    before = server.rows(world.environment_id)["schedule"]
    api.post(f"{saw}/schedule_deviation", {"type": "leave", "start_date": "0001-01-01"})
    api.post(f"{saw}/schedule_deviation", {"type": "leave", "start_date": "9999-12-31"})
    assert server.rows(world.environment_id)["schedule"] == before


@pytest.mark.parametrize("name", ["start_date", "end_date"])
def test_one_date_alone_is_a_single_day(name: str, saw: str, api: Client) -> None:
    made = api.post(f"{saw}/schedule_deviation", {"type": "leave", name: day(2)})
    assert (made["start_date"], made["end_date"]) == (day(2), day(2))
    assert away(api, saw, 6) == [2]
    longer = api.put(f"{saw}/schedule_deviation/{made['id']}", {"start_date": day(0)})
    left = longer["end_date"] if name == "start_date" else longer["start_date"]
    cleared = api.put(f"{saw}/schedule_deviation/{made['id']}", {name: None})
    assert (cleared["start_date"], cleared["end_date"]) == (left, left)
    assert len(away(api, saw, 6)) == 1


def test_icon_and_color_follow_from_the_type(saw: str, api: Client) -> None:
    made = leave(api, saw, 0, icon="mine", color="mine")
    sick = api.put(f"{saw}/schedule_deviation/{made['id']}", {"type": "sick"})
    assert (made["icon"], made["color"]) == ("plane", "#2f6fde")
    assert (sick["icon"], sick["color"]) == ("thermometer", "#c0392b")
    assert api.put(f"{saw}/schedule_deviation/{made['id']}", {"description": "flu"})["icon"] == "thermometer"


BAD_DEVIATIONS = [
    ({}, "start_date"),
    ({"start_date": None, "end_date": None}, "start_date"),
    ({"start_date": day(1), "end_date": day(0)}, "end_date"),
    ({"start_date": "2026-01-01", "end_date": "2031-01-02"}, "end_date"),
    ({"start_date": "2026-02-30"}, "start_date"),
    ({"start_date": day(0), "time": -1}, "time"),
    ({"start_date": day(0), "type": "party"}, "type"),
]


@pytest.mark.parametrize(("body", "property"), BAD_DEVIATIONS)
def test_a_bad_deviation_is_refused_and_changes_nothing(
    body: dict[str, Any], property: str, saw: str, world: World, server: Server, api: Client
) -> None:
    made = leave(api, saw, 2)
    before = server.rows(world.environment_id)
    answer = api.ask("POST", f"{saw}/schedule_deviation", body)
    assert (answer.status, answer.faults[0][0]) == (422, property)
    nested = api.ask("PUT", saw, {"schedule_deviations": [body]})
    assert (nested.status, nested.faults[0][0]) == (422, f"schedule_deviations[0].{property}")
    if body:
        changed = api.ask("PUT", f"{saw}/schedule_deviation/{made['id']}", body)
        assert (changed.status, changed.faults[0][0]) == (422, property)
    assert server.rows(world.environment_id) == before


# ── repetitions ──


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"schedule": "day"}, [2, 3, 4, 7, 8, 9, 10, 11, 14, 15, 16, 17, 18, 21]),
        ({"schedule": "day", "interval": 5}, [2, 7, 17]),
        ({"schedule": "week"}, [2, 9, 16]),
        ({"schedule": "week", "interval": 2}, [2, 16]),
        ({"schedule": "week", "ends_at": day(9)}, [2, 9]),
        ({"schedule": "week", "ends_at": day(8)}, [2]),
        ({"schedule": "week", "starts_at": day(11)}, [2, 11, 18]),
        ({"schedule": "week", "starts_at": day(-20)}, [1, 2, 8, 15]),
        ({"schedule": "week", "extend_after": day(3)}, [2, 9, 16]),
        ({"schedule": "month"}, [2]),
        ({"schedule": "year"}, [2]),
    ],
)
def test_a_rule_repeats_a_deviation(rule: dict[str, Any], expected: list[int], saw: str, api: Client) -> None:
    leave(api, saw, 2, schedule_deviation_recurring=[rule])
    assert away(api, saw, 21) == expected


def test_every_repetition_is_as_long_as_the_deviation_and_reaches_to_the_last_row(saw: str, api: Client) -> None:
    leave(api, saw, 3, 4, schedule_deviation_recurring=[{"schedule": "week"}])
    found = rows(api, saw, 0, 2000)
    thursdays = [row for row in found if dt.date.fromisoformat(row["date"]).weekday() in (3, 4)]
    assert {row["hours_leave"] for row in thursdays} == {8}
    assert {row["hours_leave"] for row in found if row not in thursdays} == {0}


def test_a_rule_that_is_not_filled_in_begins_with_its_deviation_and_has_no_end(saw: str, api: Client) -> None:
    made = leave(api, saw, 2, schedule_deviation_recurring=[{"schedule": "week"}])
    path = f"{saw}/schedule_deviation/{made['id']}"
    rule = api.get(path, with_="schedule_deviation_recurring")["schedule_deviation_recurring"][0]
    assert (rule["interval"], rule["starts_at"], rule["ends_at"]) == (1, day(2), None)
    api.put(path, {"start_date": day(3), "end_date": day(3)})
    assert away(api, saw, 14) == [3, 10]
    assert api.put(path, {}, with_="schedule_deviation_recurring")["schedule_deviation_recurring"][0]["starts_at"] == day(3)


def test_a_rule_that_changes_gives_its_old_days_back(saw: str, api: Client) -> None:
    path = f"{saw}/schedule_deviation/{leave(api, saw, 2, schedule_deviation_recurring=[{'schedule': 'day'}])['id']}"
    by_hand(api, saw, 0, 1)
    rule = api.get(path, with_="schedule_deviation_recurring")["schedule_deviation_recurring"][0]
    api.put(path, {"schedule_deviation_recurring": [{"id": rule["id"], "schedule": "week", "interval": 1}]})
    assert away(api, saw, 14) == [2, 9]
    api.put(path, {"schedule_deviation_recurring": [{"schedule": "week", "interval": 2}]})
    assert away(api, saw, 16) == [2, 16]
    api.put(path, {"schedule_deviation_recurring": []})
    assert away(api, saw, 16) == [2]
    assert hours(api, saw, 0, 1) == [(3, 0, 0, 3)] * 2


def test_a_deviation_that_goes_takes_its_repetitions_along(saw: str, server: Server, world: World, api: Client) -> None:
    path = f"{saw}/schedule_deviation/{leave(api, saw, 2, schedule_deviation_recurring=[{'schedule': 'week'}])['id']}"
    api.delete(path)
    assert away(api, saw, 21) == []
    assert server.count(world.environment_id, "schedule_deviation_recurring") == 0


BAD_RULES = [
    ([{}], "schedule_deviation_recurring[0].schedule"),
    ([{"schedule": "fortnight"}], "schedule_deviation_recurring[0].schedule"),
    ([{"schedule": "week", "interval": 0}], "schedule_deviation_recurring[0].interval"),
    ([{"schedule": "week", "ends_at": day(1)}], "schedule_deviation_recurring[0].ends_at"),
    ([{"schedule": "week", "starts_at": day(9), "ends_at": day(8)}], "schedule_deviation_recurring[0].ends_at"),
    ([{"schedule": "week"}, {"schedule": "day"}], "schedule_deviation_recurring"),
]


@pytest.mark.parametrize(("rules", "property"), BAD_RULES)
def test_a_bad_rule_is_refused_and_changes_nothing(
    rules: list[dict[str, Any]], property: str, saw: str, world: World, server: Server, api: Client
) -> None:
    path = f"{saw}/schedule_deviation/{leave(api, saw, 2)['id']}"
    before = server.rows(world.environment_id)
    body = {"type": "leave", "start_date": day(2), "schedule_deviation_recurring": rules}
    for method, place in (("POST", f"{saw}/schedule_deviation"), ("PUT", path)):
        answer = api.ask(method, place, body)
        assert (answer.status, answer.faults[0][0]) == (422, property), method
    assert server.rows(world.environment_id) == before


def test_a_second_rule_beside_a_kept_one_is_refused(saw: str, api: Client) -> None:
    path = f"{saw}/schedule_deviation/{leave(api, saw, 2, schedule_deviation_recurring=[{'schedule': 'week'}])['id']}"
    body = {"schedule_deviation_recurring": [{"schedule": "day"}]}
    assert api.refused("PUT", path, body, update_without_delete_nested="true") == (422, [10007])


def test_deviations_that_come_at_the_same_time_all_count(saw: str, api: Client) -> None:
    async def post_all() -> list[int]:
        body = {"type": "leave", "start_date": day(1), "time": 60}
        answers = await asyncio.gather(*(api.ask_async("POST", f"{saw}/schedule_deviation", body) for _ in range(6)))
        return [answer.status for answer in answers]

    assert api.loop.run(post_all()) == [201] * 6
    assert hours(api, saw, 0, 2) == [FULL, (8, 6, 0, 2), FULL]
