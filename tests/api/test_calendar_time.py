"""What time and settings do to the calendar, on both databases: the horizon moves on, other days become holidays.

To see it fail: let `extend` fill the whole horizon, or note the new holidays before the work is left.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.client import Client, Loop
from tests.server import Server, running, scratch_database, settings_for
from tests.weeks import AWAY, MONDAY, by_hand, every_row, leave, new_saw
from tests.world import World

from planwerk import housekeeping
from planwerk.rules.holidays import holidays_of
from planwerk.rules.recurrence import years_from
from planwerk.rules.schedules import keep_horizon


@pytest.fixture
def saw(api: Client) -> str:
    return new_saw(api)


# ── time goes by ──


def test_the_horizon_moves_on_and_hand_made_hours_stay(
    saw: str, server: Server, world: World, api: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_hand(api, saw, 0, 4)
    leave(api, saw, 2, schedule_deviation_recurring=[{"schedule": "week"}])
    before = {row["id"]: row for row in every_row(api, saw)}
    server.database.write_now(world.environment_id, keep_horizon)
    assert jobs(server, world) == 0
    monkeypatch.setattr(server.database, "settings", replace(server.settings, schedule_years_ahead=3))
    server.database.write_now(world.environment_id, keep_horizon)
    assert jobs(server, world) == 1
    server.work()
    after = every_row(api, saw)
    assert [row for row in after if row["id"] in before] == list(before.values())
    assert after[-1]["date"] == years_from(max(row["date"] for row in before.values()), 1)
    fresh = [row for row in after if row["id"] not in before]
    assert {row["hours_leave"] for row in fresh if dt.date.fromisoformat(row["date"]).weekday() == 2} == {8}
    server.database.write_now(world.environment_id, keep_horizon)
    assert jobs(server, world) == 0


def jobs(server: Server, world: World) -> int:
    """How many background jobs of the environment wait."""
    return int(server.database.query(f"SELECT count(*) FROM job WHERE environment_id = '{world.environment_id}'")[0][0])


@pytest.fixture(scope="module")
def alone(backend: str, tmp_path_factory: pytest.TempPathFactory, loop: Loop) -> Iterator[Server]:
    """A server whose database nobody else uses."""
    folder = tmp_path_factory.mktemp("alone")
    with scratch_database(backend, folder) as url, running(loop, settings_for(url, folder)) as server:
        yield server


def free_workday(country: str) -> str:
    """A public holiday from Monday to Friday that lies ahead."""
    days = sorted(day for year in (MONDAY.year, MONDAY.year + 1) for day in holidays_of(country, year))
    return next(day for day in days if day >= MONDAY.isoformat() and dt.date.fromisoformat(day).weekday() < 5)


def hours_on(api: Client, resource: str, date: str) -> tuple[float, ...]:
    row = api.get(f"{resource}/schedule/{date.replace('-', '/')}")
    return row["hours_work"], row["hours_leave"], row["hours_absence"], row["hours_available"]


def keep_calendars(server: Server) -> int:
    """One round of housekeeping and what it leaves for the background; how many jobs that were."""
    server.loop.run(housekeeping.keep_calendars(server.database))
    return server.work()


def test_public_holidays_are_leave_from_the_day_the_setting_names_them(alone: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    api, christmas = alone.client(alone.tenant()), free_workday("NL")
    old = new_saw(api)
    keep_calendars(alone)
    monkeypatch.setattr(alone.database, "settings", replace(alone.settings, holidays="NL"))
    new = new_saw(api)
    assert [hours_on(api, saw, christmas) for saw in (old, new)] == [(8, 0, 0, 8), AWAY]
    assert keep_calendars(alone) == 2
    assert [hours_on(api, saw, christmas) for saw in (old, new)] == [AWAY, AWAY]
    assert keep_calendars(alone) == 0
    monkeypatch.setattr(alone.database, "settings", alone.settings)
    assert keep_calendars(alone) == 2
    assert hours_on(api, old, christmas) == (8, 0, 0, 8)


def test_a_deviation_on_a_public_holiday_takes_no_more(alone: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alone.database, "settings", replace(alone.settings, holidays="DE-BY"))
    api, date = alone.client(alone.tenant()), free_workday("DE-BY")
    saw = new_saw(api)
    api.post(f"{saw}/schedule_deviation", {"type": "sick", "start_date": date})
    assert hours_on(api, saw, date) == AWAY


def test_the_horizon_is_looked_at_once_a_day(alone: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    new_saw(alone.client(alone.tenant()))
    keep_calendars(alone)
    monkeypatch.setattr(alone.database, "settings", replace(alone.settings, schedule_years_ahead=4))
    assert keep_calendars(alone) == 0
    yesterday = (dt.datetime.now(dt.UTC) - dt.timedelta(hours=25)).strftime("%Y-%m-%dT%H:%M:%SZ")
    alone.database.write_now("", lambda tx: tx.run_named(housekeeping.MARK, name=housekeeping.HORIZON, value=yesterday))
    assert keep_calendars(alone) >= 1
    assert keep_calendars(alone) == 0
