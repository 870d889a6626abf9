"""Tracked time as a client sees it: both ways to give it, timers, the states it goes through, and the export, on both databases.

To see it fail: let the duration of `times_of` in `rules/timers.py` win over a changed end, leave a state out of `MOVES`, or group
by the moment instead of its day in `store/tracked.py`.
"""

from typing import Any

import pytest
from tests.client import Client
from tests.server import OBJECTS
from tests.world import World

EIGHT, HALF_PAST, NINE, TEN = (f"2026-03-02T{clock}:00Z" for clock in ("08:00", "08:30", "09:00", "10:00"))
NOBODY = "00000000-0000-4000-8000-00000000abcd"

Entry = dict[str, Any]


@pytest.fixture
def card(world: World) -> str:
    return world.id("card")


def track(api: Client, card: str, **body: Any) -> Entry:
    entry: Entry = api.post("/v1/time_tracking", {"card_id": card, **body})
    return entry


def times(entry: Entry) -> tuple[Any, ...]:
    return entry["start"], entry["end"], entry["duration"], entry["running"]


def faults(api: Client, method: str, path: str, body: Any) -> tuple[int, list[str | None]]:
    answer = api.ask(method, path, body)
    return answer.status, [name for name, _ in answer.faults]


# ── both ways to give a time ──


@pytest.mark.parametrize(
    ("given", "then"),
    [
        ({"start": EIGHT, "end": NINE}, (EIGHT, NINE, 60, False)),
        ({"start": EIGHT, "duration": 60}, (EIGHT, NINE, 60, False)),
        ({"start": EIGHT, "end": NINE, "duration": 5}, (EIGHT, NINE, 60, False)),
        ({"start": EIGHT, "end": None, "duration": 60}, (EIGHT, NINE, 60, False)),
        ({"start": EIGHT, "end": EIGHT}, (EIGHT, EIGHT, 0, False)),
        ({"start": EIGHT, "end": "2026-03-02T08:00:29Z"}, (EIGHT, "2026-03-02T08:00:29Z", 0, False)),
        ({"start": EIGHT, "end": "2026-03-02T08:00:30Z"}, (EIGHT, "2026-03-02T08:00:30Z", 1, False)),
        ({"start": EIGHT}, (EIGHT, None, None, True)),
        ({"start": EIGHT, "running": False}, (EIGHT, None, None, True)),
        ({"duration": 60}, (None, None, 60, False)),
        ({"duration": 60, "running": True}, (None, None, 60, False)),
        ({"end": NINE, "duration": 60}, (None, NINE, 60, False)),
        ({}, (None, None, None, False)),
    ],
    ids=str,
)
def test_what_is_left_out_follows_from_what_is_given(given: Entry, then: tuple[Any, ...], api: Client, card: str) -> None:
    assert times(track(api, card, **given)) == then


@pytest.mark.parametrize(
    ("stored", "given", "then"),
    [
        ({"end": NINE}, {"end": TEN}, (EIGHT, TEN, 120, False)),
        ({"end": NINE}, {"duration": 30}, (EIGHT, HALF_PAST, 30, False)),
        ({"end": NINE}, {"start": HALF_PAST}, (HALF_PAST, NINE, 30, False)),
        ({"end": NINE}, {"end": TEN, "duration": 30}, (EIGHT, TEN, 120, False)),
        ({"end": NINE}, {"end": TEN, "duration": 60}, (EIGHT, TEN, 120, False)),
        ({"end": NINE}, {"end": NINE, "duration": 30}, (EIGHT, HALF_PAST, 30, False)),
        ({"end": NINE}, {"start": HALF_PAST, "duration": 90}, (HALF_PAST, TEN, 90, False)),
        ({"end": NINE}, {"note": "wet wood"}, (EIGHT, NINE, 60, False)),
        ({"end": NINE}, {"end": None}, (EIGHT, None, None, True)),
        ({"end": NINE}, {"end": None, "duration": None}, (EIGHT, None, None, True)),
        ({"end": NINE}, {"end": None, "duration": 30}, (EIGHT, HALF_PAST, 30, False)),
        ({"end": NINE}, {"end": None, "duration": 60}, (EIGHT, NINE, 60, False)),
        ({"end": NINE}, {"duration": None}, (EIGHT, NINE, 60, False)),
        ({"end": NINE}, {"start": None}, (None, NINE, 60, False)),
        ({}, {"end": NINE}, (EIGHT, NINE, 60, False)),
        ({}, {"duration": 30}, (EIGHT, HALF_PAST, 30, False)),
        ({}, {"note": "wet wood"}, (EIGHT, None, None, True)),
        ({}, {"start": HALF_PAST}, (HALF_PAST, None, None, True)),
    ],
    ids=str,
)
def test_the_time_that_is_changed_counts(stored: Entry, given: Entry, then: tuple[Any, ...], api: Client, card: str) -> None:
    entry = track(api, card, start=EIGHT, **stored)
    assert times(api.put(f"/v1/time_tracking/{entry['id']}", given)) == then


@pytest.mark.parametrize(
    ("change", "then"), [({"end": TEN}, (EIGHT, TEN, 120, False)), ({"duration": 30}, (EIGHT, HALF_PAST, 30, False))], ids=str
)
def test_of_a_whole_entry_that_was_read_before_the_changed_time_counts(
    change: Entry, then: tuple[Any, ...], api: Client, card: str
) -> None:
    entry = track(api, card, start=EIGHT, end=NINE)
    assert times(api.put(f"/v1/time_tracking/{entry['id']}", {**entry, **change})) == then


def test_seconds_survive_an_update_that_leaves_the_times_alone(api: Client, card: str) -> None:
    entry = track(api, card, start=EIGHT, end="2026-03-02T08:10:20Z")
    assert times(api.put(f"/v1/time_tracking/{entry['id']}", {**entry, "note": "wet wood"})) == (EIGHT, "2026-03-02T08:10:20Z", 10, False)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"start": NINE, "end": EIGHT}, "end"),
        ({"start": EIGHT, "duration": 5_258_964_960}, "duration"),
        ({"start": "9999-12-31T23:00:00Z", "duration": 61}, "duration"),
        ({"duration": -1}, "duration"),
        ({"duration": 2**53 - 1}, "duration"),
    ],
    ids=str,
)
def test_times_that_no_calendar_has_are_refused_and_change_nothing(given: Entry, named: str, api: Client, card: str, world: World) -> None:
    before = world.server.rows(world.environment_id)
    assert faults(api, "POST", "/v1/time_tracking", {"card_id": card, **given}) == (422, [named])
    assert world.server.rows(world.environment_id) == before


@pytest.mark.parametrize(
    ("given", "named"), [({"end": EIGHT}, "end"), ({"start": TEN}, "end"), ({"duration": 5_000_000_000}, "duration")], ids=str
)
def test_an_entry_cannot_be_given_times_that_no_calendar_has(given: Entry, named: str, api: Client, card: str) -> None:
    entry = track(api, card, start=HALF_PAST, end=NINE)
    path = f"/v1/time_tracking/{entry['id']}"
    assert faults(api, "PUT", path, given) == (422, [named])
    assert api.get(path) == entry


# ── timers ──


def test_a_timer_is_stopped_at_once(api: Client, card: str) -> None:
    entry = track(api, card, start=EIGHT)
    stopped = api.post(f"/v1/time_tracking/{entry['id'].upper()}/stop", expect=200, with_="card")
    assert (stopped["running"], stopped["end"], stopped["card"]["id"]) == (False, stopped["updated_at"], card)
    assert stopped["duration"] > 0
    assert api.get(f"/v1/time_tracking/{entry['id']}")["end"] == stopped["end"]


def test_somebody_may_run_several_timers(api: Client, card: str, world: World) -> None:
    for _ in range(2):
        track(api, card, start=EIGHT, user_id=world.id("user"))
    assert api.get("/v1/time_tracking", filter="running:eq:true")["count"] == 2


@pytest.mark.parametrize(
    ("given", "reason"),
    [({"start": EIGHT, "end": NINE}, "does not run"), ({"duration": 5}, "does not run"), ({"start": "9000-01-01T00:00:00Z"}, "is not yet")],
    ids=str,
)
def test_what_does_not_run_cannot_be_stopped(given: Entry, reason: str, api: Client, card: str) -> None:
    entry = track(api, card, **given)
    answer = api.ask("POST", f"/v1/time_tracking/{entry['id']}/stop")
    assert (answer.status, answer.codes) == (409, [10017])
    assert reason in answer.faults[0][1]
    assert api.get(f"/v1/time_tracking/{entry['id']}") == entry


@pytest.mark.parametrize("id", [NOBODY, "none", "%00"])
def test_a_timer_that_nobody_started_cannot_be_stopped(id: str, api: Client) -> None:
    assert api.refused("POST", f"/v1/time_tracking/{id}/stop") == (404, [10004])


def test_time_on_a_card_that_is_gone_stays_readable(api: Client, card: str, world: World) -> None:
    entry = track(api, card, start=EIGHT, end=NINE)
    api.delete(f"/v1/collection/{world.id('collection')}/card/{card}")
    assert times(api.get(f"/v1/time_tracking/{entry['id']}")) == (EIGHT, NINE, 60, False)


# ── the states ──

ALLOWED = {
    ("draft", "pending"),
    ("pending", "draft"),
    ("pending", "approved"),
    ("pending", "rejected"),
    ("approved", "rejected"),
    ("rejected", "pending"),
    ("rejected", "draft"),
}
STATES = ("draft", "pending", "approved", "rejected")


@pytest.mark.parametrize("old", STATES)
@pytest.mark.parametrize("new", STATES)
def test_an_entry_moves_only_along_the_known_ways(old: str, new: str, api: Client, card: str) -> None:
    path = f"/v1/time_tracking/{track(api, card, status=old)['id']}"
    if old == new or (old, new) in ALLOWED:
        assert api.put(path, {"status": new})["status"] == new
    else:
        assert faults(api, "PUT", path, {"status": new}) == (422, ["status"])
        assert api.get(path)["status"] == old


def test_a_new_entry_is_a_draft_of_whoever_is_named(api: Client, card: str, world: World) -> None:
    assert track(api, card)["status"] == "draft"
    assert track(api, card)["user_id"] is None, "a key is nobody"
    assert track(api, card, user_id=world.id("user"))["user_id"] == world.id("user")


def test_a_key_may_delete_time_in_any_state(api: Client, card: str) -> None:
    for status in STATES:
        api.delete(f"/v1/time_tracking/{track(api, card, status=status)['id']}")


@pytest.mark.parametrize("name", ["card_id", "activity_id", "user_id"])
def test_time_cannot_be_tracked_on_what_does_not_exist(name: str, api: Client, card: str) -> None:
    assert faults(api, "POST", "/v1/time_tracking", {"card_id": card, name: NOBODY}) == (422, [name])


def test_time_needs_a_card(api: Client) -> None:
    assert faults(api, "POST", "/v1/time_tracking", {"duration": 5}) == (422, ["card_id"])


# ── the export ──


@pytest.fixture
def hours(api: Client, world: World, card: str) -> dict[str, str]:
    """Ids by name of what the entries of these tests belong to."""
    ids = {"card": card, "collection": world.id("collection"), "board": world.id("board")}
    for name in ("saw", "glue"):
        ids[name] = api.post("/v1/activity", {"description": name})["id"]
    users = ({"firstname": "Ada", "lastname": "King"}, {"email": "bob@example.com"})
    for name, body in zip(("ada", "bob"), users, strict=True):
        ids[name] = world.make(OBJECTS["user"], **{"firstname": None, "infix": None, "lastname": None, "fullname": None, **body})["id"]
    entries = (
        {"start": "2026-01-01T08:00:00Z", "duration": 5, "status": "approved"},  # a Thursday, in the first week of the year
        {"start": "2026-03-02T23:59:59Z", "duration": 60, "activity_id": ids["saw"], "user_id": ids["ada"]},
        {"start": "2026-03-03T00:00:00Z", "duration": 30, "activity_id": ids["glue"], "user_id": ids["bob"], "status": "pending"},
        {"start": "2026-03-08T08:00:00Z", "duration": 15, "activity_id": ids["saw"], "user_id": ids["ada"], "status": "rejected"},
        {"start": "2026-03-09T08:00:00Z", "user_id": ids["ada"]},
    )
    for entry in entries:
        track(api, card, **entry)
    deleted = track(api, card, start=EIGHT, end=NINE)
    api.delete(f"/v1/time_tracking/{deleted['id']}")
    return ids


def exported(api: Client, key: str, **query: Any) -> list[tuple[Any, ...]]:
    """(key, name, duration, entries) of each group; the total must be theirs."""
    found = api.get("/v1/time_tracking/export", **query)
    assert found["total"] == sum(group["duration"] for group in found["data"])
    assert all(set(group) == {key, "name", "duration", "entries"} for group in found["data"])
    return [(group[key], group["name"], group["duration"], group["entries"]) for group in found["data"]]


DAYS = [("2026-01-01", 5, 1), ("2026-03-02", 60, 1), ("2026-03-03", 30, 1), ("2026-03-08", 15, 1), ("2026-03-09", 0, 1)]


@pytest.mark.parametrize(
    ("query", "then"),
    [
        ({}, DAYS),
        ({"group_by": "days"}, DAYS),
        ({"start": "2026-03-02"}, DAYS[1:]),
        ({"end": "2026-03-02"}, DAYS[:2]),
        ({"start": "2026-03-03", "end": "2026-03-08"}, DAYS[2:4]),
        ({"start": "2026-03-08", "end": "2026-03-08"}, DAYS[3:4]),
        ({"start": "2026-03-04", "end": "2026-03-07"}, []),
    ],
    ids=str,
)
def test_days_of_a_period_are_exported_with_both_ends(
    query: dict[str, str], then: list[tuple[str, int, int]], api: Client, hours: dict[str, str]
) -> None:
    assert exported(api, "date", **query) == [(day, day, minutes, entries) for day, minutes, entries in then]


@pytest.mark.usefixtures("hours")
def test_weeks_are_those_of_the_iso_calendar(api: Client) -> None:
    weeks = [("2026-W01", 5, 1), ("2026-W10", 105, 3), ("2026-W11", 0, 1)]
    assert exported(api, "week", group_by="weeks") == [(week, week, minutes, entries) for week, minutes, entries in weeks]


def test_time_is_exported_by_what_it_was_spent_on(api: Client, hours: dict[str, str], world: World) -> None:
    assert exported(api, "activity_id", group_by="activities") == [
        (hours["glue"], "glue", 30, 1),
        (hours["saw"], "saw", 75, 2),
        (None, None, 5, 2),
    ]
    collection, board = (api.get(f"/v1/{name}/{hours[name]}")["name"] for name in ("collection", "board"))
    assert exported(api, "collection_id", group_by="collections") == [(hours["collection"], collection, 110, 5)]
    assert exported(api, "board_id", group_by="boards") == [(hours["board"], board, 110, 5)]


def test_time_is_exported_by_its_state_and_by_who_spent_it(api: Client, hours: dict[str, str]) -> None:
    states = [("approved", 5, 1), ("draft", 60, 2), ("pending", 30, 1), ("rejected", 15, 1)]
    assert exported(api, "status", group_by="statuses") == [(state, state, minutes, entries) for state, minutes, entries in states]
    assert exported(api, "user_id", group_by="users") == [
        (hours["ada"], "Ada King", 75, 3),
        (hours["bob"], "bob@example.com", 30, 1),
        (None, None, 5, 1),
    ]


def test_what_is_deleted_still_names_the_time_spent_on_it(api: Client, hours: dict[str, str]) -> None:
    name = api.get(f"/v1/collection/{hours['collection']}")["name"]
    api.delete(f"/v1/activity/{hours['glue']}")
    api.delete(f"/v1/collection/{hours['collection']}")
    assert exported(api, "collection_id", group_by="collections") == [(hours["collection"], name, 110, 5)]
    assert exported(api, "activity_id", group_by="activities")[0] == (hours["glue"], "glue", 30, 1)


def test_time_without_a_start_belongs_to_the_day_it_was_entered(api: Client, card: str) -> None:
    entry = track(api, card, duration=20)
    day = entry["created_at"][:10]
    assert exported(api, "date", start=day, end=day) == [(day, day, 20, 1)]


def test_an_export_says_what_it_is_of(api: Client) -> None:
    found = api.get("/v1/time_tracking/export", group_by="weeks", start="2026-03-02")
    assert found == {"data": [], "total": 0, "start": "2026-03-02", "end": None, "group_by": "weeks"}
    found = api.get("/v1/time_tracking/export")
    assert (found["start"], found["end"], found["group_by"]) == (None, None, "days")


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({"group_by": "cards"}, "group_by"),
        ({"start": "2026-03-32"}, "start"),
        ({"end": "tomorrow"}, "end"),
        ({"start": "2026-03-02", "end": "2026-03-01"}, "end"),
    ],
    ids=str,
)
def test_a_period_or_a_group_that_is_none_is_refused(query: dict[str, Any], named: str, api: Client) -> None:
    answer = api.ask("GET", "/v1/time_tracking/export", **query)
    assert (answer.status, [name for name, _ in answer.faults]) == (400, [named])
