"""The calendar by year, month and day, and many of its days written at once, on both databases.

To see it fail: let `narrow` name the first day of the next month, or `hours_wanted` forget that absent hours stay.
"""

from typing import Any

import pytest
from tests.client import Client
from tests.server import Server
from tests.weeks import FREE, FULL, MONDAY, Hours, day, hours, leave, new_saw, rows
from tests.world import World


@pytest.fixture
def saw(api: Client) -> str:
    return new_saw(api)


# ── reading by year, month and day ──


@pytest.mark.parametrize("owner", ["/resource/{id}", ""])
def test_a_year_or_a_month_is_read_whole_and_by_date(owner: str, saw: str, api: Client) -> None:
    path = "/v1" + owner.format(id=saw.rpartition("/")[2]) + "/schedule"
    year = api.get(f"{path}/{MONDAY.year}")
    assert [row["date"][:4] for row in year["data"]] == [str(MONDAY.year)] * year["count"]
    assert [row["date"] for row in year["data"]] == sorted(row["date"] for row in year["data"])
    assert (year["count"], year["limit"]) == (365 + (MONDAY.year % 4 == 0), 1000)
    for written in {str(MONDAY.month), f"{MONDAY.month:02}"}:
        month = api.get(f"{path}/{MONDAY.year}/{written}")
        assert month["data"] == [row for row in year["data"] if row["date"].startswith(f"{MONDAY:%Y-%m}")]
    assert api.get(f"{path}/1990")["count"] == 0


def test_a_period_can_be_filtered_sorted_and_paged_like_any_list(saw: str, api: Client) -> None:
    leave(api, saw, 2)
    path = f"{saw}/schedule/{MONDAY.year}/{MONDAY.month}"
    whole = api.get(path)["data"]
    for name in whole[0]:
        value = str(whole[0][name]) if isinstance(whole[0][name], int) else f"'{whole[0][name]}'"
        assert api.ids(path, filter=f"{name}:eq:{value}") == [row["id"] for row in whole if row[name] == whole[0][name]], name
    assert api.ids(path, sort="date:desc") == [row["id"] for row in reversed(whole)]
    assert api.ids(path, limit=3, offset=2) == [row["id"] for row in whole[2:5]]
    assert api.get(path, limit=3)["limit"] == 3
    assert api.get(path, filter=f"date:eq:{day(400)},or,date:eq:{whole[0]['date']}")["data"] == whole[:1]
    assert api.get(path, limit=1, with_="resource")["data"][0]["resource"]["name"] == "saw"


def test_a_day_holds_the_rows_of_all_resources(saw: str, api: Client) -> None:
    other = api.post("/v1/resource", {"name": "plane"})["id"]
    found = api.get(f"/v1/schedule/{MONDAY.year}/{MONDAY.month}/{MONDAY.day}")
    assert {(row["resource_id"], row["date"]) for row in found["data"]} == {(saw.rpartition("/")[2], day(0)), (other, day(0))}


def test_the_day_of_one_resource_is_a_bare_object(saw: str, api: Client) -> None:
    found = api.get(f"{saw}/schedule/{MONDAY.year}/{MONDAY.month}/{MONDAY.day:02}")
    assert found == rows(api, saw, 0, 0)[0]
    assert api.get(f"{saw.upper().replace('/V1/RESOURCE', '/v1/resource')}/schedule/{MONDAY.year}/{MONDAY.month:02}/{MONDAY.day}") == found


@pytest.mark.parametrize(
    "period",
    [
        "0",
        "0/1",
        "12345",
        "-1",
        "²",
        "year",
        "2027/0",
        "2027/13",
        "2027/x",
        "2027/2/29",
        "2027/4/31",
        "2027/1/0",
        "2027/1/x",
        "2027/1/001x",
    ],
)
@pytest.mark.parametrize("owner", ["/resource/{id}", ""])
def test_a_period_that_no_calendar_has_is_not_found(owner: str, period: str, saw: str, api: Client) -> None:
    path = "/v1" + owner.format(id=saw.rpartition("/")[2]) + "/schedule/" + period
    assert api.refused("GET", path) == (404, [10004])


def test_a_day_without_a_row_is_not_found(saw: str, api: Client) -> None:
    assert api.refused("GET", f"{saw}/schedule/1990/1/1") == (404, [10004])
    assert api.refused("GET", "/v1/resource/saw/schedule/2027/1/1") == (404, [10004])
    assert api.get("/v1/schedule/1990/1/1")["count"] == 0


# ── many days at once ──


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([{"hours_work": 6}], [(6, 0, 0, 6)] * 3),
        ([{"hours_work": 6, "hours_leave": 1, "hours_absence": 2.5}], [(6, 1, 2.5, 2.5)] * 3),
        ([{"hours_leave": 10}], [(8, 10, 0, 0)] * 3),
        ([{"hours_absence": 2, "dates": [day(1)]}], [FULL, (8, 0, 2, 6), FULL]),
        ([{"hours_work": 6}, {"hours_leave": 2, "dates": [day(0), day(2)]}], [(6, 2, 0, 4), (6, 0, 0, 6), (6, 2, 0, 4)]),
        ([{"hours_work": 6}, {"hours_work": 5, "dates": [day(1), day(1)]}], [(6, 0, 0, 6), (5, 0, 0, 5), (6, 0, 0, 6)]),
        ([{"hours_work": None, "dates": None, "hours_leave": 1}], [(8, 1, 0, 7)] * 3),
        ([{"hours_work": 1, "dates": []}], [FULL] * 3),
        ([{}], [FULL] * 3),
        ([], [FULL] * 3),
        (None, [FULL] * 3),
    ],
)
def test_many_days_are_updated_at_once(entries: list[dict[str, Any]] | None, expected: list[Hours], saw: str, api: Client) -> None:
    body = {"period_start": day(0), "period_end": day(2), **({} if entries is None else {"schedules": entries})}
    api.put(f"{saw}/schedule", body, expect=204)
    assert hours(api, saw, -1, 3) == [FREE, *expected, FULL]


def test_days_without_a_row_get_one(saw: str, api: Client) -> None:
    entries = [{"hours_leave": 1}, {"hours_work": 4, "dates": ["1990-01-02"]}]
    api.put(f"{saw}/schedule", {"period_start": "1990-01-01", "period_end": "1990-01-06", "schedules": entries}, expect=204)
    found = [
        (row["date"], row["hours_work"], row["hours_leave"], row["hours_available"]) for row in api.get(f"{saw}/schedule/1990")["data"]
    ]
    assert found[:2] == [("1990-01-01", 8, 1, 7), ("1990-01-02", 4, 1, 3)]
    assert found[5] == ("1990-01-06", 0, 1, 0)


PERIOD = {"period_start": day(0), "period_end": day(6)}


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({}, ["period_start", "period_end"]),
        ({"period_start": day(0)}, ["period_end"]),
        ({"period_start": day(1), "period_end": day(0)}, ["period_end"]),
        ({"period_start": "2026-01-01", "period_end": "2031-01-02"}, ["period_end"]),
        ({**PERIOD, "period_start": "soon"}, ["period_start"]),
        (
            {**PERIOD, "schedules": [{"dates": [day(0), day(6), day(7)]}, {"dates": [day(-1)]}]},
            ["schedules[0].dates[2]", "schedules[1].dates[0]"],
        ),
        ({**PERIOD, "schedules": [{"dates": ["2026-02-30"]}]}, ["schedules[0].dates[0]"]),
        ({**PERIOD, "schedules": [{"dates": day(0)}]}, ["schedules[0].dates"]),
        ({**PERIOD, "schedules": [{"dates": [day(0)] * 2001}]}, ["schedules[0].dates"]),
        ({**PERIOD, "schedules": [{"hours_work": 25}, {"hours_leave": -1}]}, ["schedules[0].hours_work", "schedules[1].hours_leave"]),
        ({**PERIOD, "schedules": [{"hours_absence": "8"}]}, ["schedules[0].hours_absence"]),
        ({**PERIOD, "schedules": [7]}, ["schedules[0]"]),
        ({**PERIOD, "schedules": {}}, ["schedules"]),
    ],
)
def test_a_bad_period_is_refused_and_changes_nothing(
    body: dict[str, Any], faults: list[str], saw: str, world: World, server: Server, api: Client
) -> None:
    before = server.rows(world.environment_id)
    answer = api.ask("PUT", f"{saw}/schedule", body)
    assert (answer.status, [name for name, _ in answer.faults]) == (422, faults)
    assert server.rows(world.environment_id) == before


@pytest.mark.parametrize("id", ["saw", "00000000-0000-4000-8000-000000000000"])
def test_days_of_a_resource_that_is_not_there_are_not_found(id: str, api: Client) -> None:
    assert api.refused("PUT", f"/v1/resource/{id}/schedule", PERIOD) == (404, [10004])
