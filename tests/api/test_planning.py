"""Planning a collection on a board: given a board and work, when it is planned, then these cards lie on these days.

December 2026 begins on a Tuesday; the 5th and 6th are a weekend.
"""

import datetime as dt
from typing import Any

import pytest
from tests.api.shop import WEEK, Shop
from tests.client import Client
from tests.server import Server
from tests.world import World

DAY = 480
EVERY_DAY = dict.fromkeys(WEEK, True)
THREE = {"cut": ["sawing"], "join": ["welding", "gluing"], "pack": ["packing"]}
TOMORROW_IS_TOO_EARLY = "2026-12-01"


@pytest.fixture
def shop(api: Client, server: Server) -> Shop:
    return Shop(api, server)


# ── which cards, on which days ──

SCENARIOS: dict[str, tuple[dict[str, Any], dict[str, int], dict[str, Any], list[tuple[str, str, str]]]] = {
    "a card for each stage that has one of the activities": (
        {},
        {"sawing": 60, "packing": 60},
        {"start": "2026-12-01"},
        [("cut", "12-01", "12-01"), ("pack", "12-01", "12-01")],
    ),
    "a stage may start on the day the one before ends": (
        {},
        {"sawing": 2 * DAY, "welding": DAY, "packing": DAY},
        {"start": "2026-12-01"},
        [("cut", "12-01", "12-02"), ("join", "12-02", "12-02"), ("pack", "12-02", "12-02")],
    ),
    "working days that stay free after a stage": (
        {"delays": {"cut": 1, "join": 2}},
        {"sawing": DAY, "welding": DAY, "packing": DAY},
        {"start": "2026-12-01"},
        [("cut", "12-01", "12-01"), ("join", "12-02", "12-02"), ("pack", "12-04", "12-04")],
    ),
    "a weekend is stepped over": (
        {"delays": {"cut": 1}},
        {"sawing": 3 * DAY, "welding": DAY},
        {"start": "2026-12-03"},
        [("cut", "12-03", "12-07"), ("join", "12-08", "12-08")],
    ),
    "a start on a closed day is the next open one": ({}, {"sawing": 60}, {"start": "2026-12-05"}, [("cut", "12-07", "12-07")]),
    "a board that is open every day": (
        {"workdays": EVERY_DAY},
        {"sawing": 3 * DAY},
        {"start": "2026-12-04"},
        [("cut", "12-04", "12-06")],
    ),
    "minutes beyond a day's limit take another day": ({}, {"sawing": DAY + 1}, {"start": "2026-12-01"}, [("cut", "12-01", "12-02")]),
    "the activities of a card begin together": (
        {},
        {"welding": 3 * DAY, "gluing": DAY},
        {"start": "2026-12-01"},
        [("join", "12-01", "12-03")],
    ),
    "one card for each activity where the board splits": (
        {"split_cards_by_activity": True},
        {"welding": 2 * DAY, "gluing": DAY, "packing": DAY},
        {"start": "2026-12-01"},
        [("join", "12-01", "12-02"), ("join", "12-01", "12-01"), ("pack", "12-02", "12-02")],
    ),
    "an independent stage starts with the plan": (
        {"independent": ["join"], "delays": {"cut": 1}},
        {"sawing": 2 * DAY, "welding": DAY, "packing": DAY},
        {"start": "2026-12-01"},
        [("cut", "12-01", "12-02"), ("join", "12-01", "12-01"), ("pack", "12-03", "12-03")],
    ),
    "backward: start is the end of the plan": (
        {"delays": {"cut": 1}},
        {"sawing": 2 * DAY, "welding": DAY},
        {"start": "2026-12-08", "reverse": True},
        [("cut", "12-04", "12-07"), ("join", "12-08", "12-08")],
    ),
    "backward from a closed day": (
        {},
        {"sawing": DAY},
        {"start": "2026-12-06", "reverse": True},
        [("cut", "12-04", "12-04")],
    ),
    "backward an independent stage ends with the plan": (
        {"independent": ["cut"]},
        {"sawing": 2 * DAY, "welding": 3 * DAY},
        {"start": "2026-12-04", "reverse": True},
        [("cut", "12-03", "12-04"), ("join", "12-02", "12-04")],
    ),
    "no activity: one card in the first stage": ({}, {}, {"start": "2026-12-01"}, [("cut", "12-01", "12-01")]),
    "no activity: one card in the wanted stage": ({}, {}, {"start": "2026-12-01", "stage_id": "pack"}, [("pack", "12-01", "12-01")]),
    "only the wanted stage": (
        {},
        {"sawing": DAY, "welding": DAY},
        {"start": "2026-12-01", "stage_id": "join"},
        [("join", "12-01", "12-01")],
    ),
    "forced stages get a card, too": (
        {},
        {"sawing": DAY},
        {"start": "2026-12-01", "force_stages": ["pack", "cut"]},
        [("cut", "12-01", "12-01"), ("pack", "12-01", "12-01")],
    ),
    "an activity without a stage here: the collection is on the board at least": (
        {},
        {"painting": DAY},
        {"start": "2026-12-01"},
        [("cut", "12-01", "12-01")],
    ),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_cards_come_to_lie_on_the_days_that_follow_from_board_and_work(shop: Shop, name: str) -> None:
    board, minutes, wish, expected = SCENARIOS[name]
    shop.board(THREE, **board)
    assert shop.plan(shop.collection(minutes=minutes), **wish) == expected


def test_an_activity_of_two_stages_is_planned_once_in_the_first_of_them(shop: Shop) -> None:
    shop.board({"cut": ["sawing"], "join": ["sawing", "welding"]})
    collection = shop.collection(minutes={"sawing": 60, "welding": 30})
    shop.plan(collection, start="2026-12-01")
    assert [card["time"] for card in shop.rows(collection)] == [60, 30]


def test_a_card_holds_the_activities_of_its_stage_with_their_time(shop: Shop) -> None:
    shop.board(THREE)
    collection = shop.collection(minutes={"sawing": 90, "gluing": 20, "welding": 40})
    shop.plan(collection, start="2026-12-01")
    cut, join = shop.rows(collection, with_="activities")
    assert [(link["description"], link["time"]) for link in cut["activities"]] == [("sawing", 90)]
    assert [(link["description"], link["time"]) for link in join["activities"]] == [("gluing", 20), ("welding", 40)]
    assert (cut["name"], cut["time"], join["time"]) == ("work", 90, 60)


def test_without_a_start_the_last_card_ends_on_the_due_date(shop: Shop) -> None:
    shop.board(THREE, delays={"cut": 1})
    collection = shop.collection(minutes={"sawing": DAY, "welding": DAY}, due_date="2090-01-06")
    assert [card["start_date"] for card in (shop.plan(collection), shop.rows(collection))[1]] == ["2090-01-05", "2090-01-06"]


@pytest.mark.parametrize("due_date", [None, "2020-01-06"])
def test_without_a_start_a_plan_does_not_begin_before_today(shop: Shop, due_date: str | None) -> None:
    shop.board(THREE, workdays=EVERY_DAY)
    collection = shop.collection(minutes={"sawing": 2 * DAY}, due_date=due_date)
    today = shop.look(collection)["created_at"][:10]
    tomorrow = (dt.date.fromisoformat(today) + dt.timedelta(days=1)).isoformat()
    shop.plan(collection)
    [card] = shop.rows(collection)
    assert (card["start_date"], card["end_date"]) == (today, tomorrow)


def test_a_start_in_the_past_is_taken_as_it_is(shop: Shop) -> None:
    shop.board(THREE)
    assert shop.plan(shop.collection(minutes={"sawing": DAY}), start="2020-01-06") == [("cut", "01-06", "01-06")]


# ── who, which status, which rank ──


def test_resources_are_put_on_the_cards_whose_activities_they_can_do(shop: Shop) -> None:
    shop.activity("milling", resource_type="machine")
    shop.board({"mill": ["milling"], "join": ["welding"]})
    for name, kind in (("Ada", "employee"), ("mill 1", "machine"), ("cell 1", "cell")):
        shop.resource(name, kind)
    collection = shop.collection(minutes={"milling": 60, "welding": 60})
    shop.plan(collection, start="2026-12-01", resources=["Ada", "mill 1", "cell 1"])
    found = [{resource["name"] for resource in card["resources"]} for card in shop.rows(collection, with_="resources")]
    assert found == [{"mill 1", "cell 1"}, {"Ada", "cell 1"}], "the cell can do none of it, so it is on all"


@pytest.mark.parametrize(
    ("statuses", "wanted", "expected"),
    [
        ([{"name": "a", "priority": 1}, {"name": "b", "priority": 2, "entry": True}], None, "b"),
        ([{"name": "a", "priority": 2}, {"name": "b", "priority": 1}], None, "b"),
        ([{"name": "a", "priority": 1, "entry": True}, {"name": "b", "priority": 2}], "b", "b"),
        ([], None, None),
    ],
)
def test_cards_begin_at_the_wanted_status_else_at_the_boards_entry(
    shop: Shop, statuses: list[dict[str, Any]], wanted: str | None, expected: str | None
) -> None:
    shop.board(THREE, statuses=statuses)
    collection = shop.collection(minutes={"sawing": 60})
    shop.plan(collection, start="2026-12-01", **({"status_id": wanted} if wanted else {}))
    [card] = shop.rows(collection, with_="status")
    assert (card["status"] and card["status"]["name"]) == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [("before", ["new", "first", "second"]), ("after", ["first", "new", "second"]), (None, ["first", "second", "new"])],
)
def test_new_cards_rank_before_or_after_a_card_else_last(shop: Shop, word: str | None, expected: list[str]) -> None:
    board = shop.board(THREE)
    for name in ("first", "second"):
        collection = shop.collection(name=name)
        shop.plan(collection, start="2026-12-01")
        shop.ids[name] = shop.rows(collection)[0]["id"]
    shop.plan(shop.collection(name="new"), start="2026-12-01", **({word: "first"} if word else {}))
    assert shop.api.names("/v1/card", sort="rank", filter=f"board_id:eq:{board}") == expected


# ── the answer, and what follows it ──


def test_the_answer_comes_before_the_cards(shop: Shop) -> None:
    board = shop.board(THREE)
    collection = shop.collection(minutes={"sawing": 60})
    answer = shop.api.post(f"/v1/collection/{collection}/board/{board}", {"start": "2026-12-01"}, expect=200)
    assert {name: answer[name] for name in ("status", "progress", "position", "start", "end", "warnings")} == {
        "status": "planned",
        "progress": "open",
        "position": None,
        "start": None,
        "end": None,
        "warnings": [],
    }
    assert shop.rows(collection) == []
    shop.server.work()
    planned = shop.look(collection)
    assert (planned["start"], planned["end"], planned["warnings"]) == ("2026-12-01", "2026-12-01", [])


def test_a_call_without_a_body_and_with_show_is_answered(shop: Shop) -> None:
    board = shop.board(THREE)
    assert shop.api.post(f"/v1/collection/{shop.collection()}/board/{board}?show=status", expect=200) == {"status": "planned"}


def test_a_plan_whose_job_runs_twice_makes_its_cards_once(shop: Shop, world: World) -> None:
    board = shop.board(THREE)
    collection = shop.collection(minutes={"sawing": 60})
    shop.api.post(f"/v1/collection/{collection}/board/{board}", {"start": "2026-12-01"}, expect=200)
    text = f"SELECT arguments FROM job WHERE environment_id = '{world.environment_id}' AND name = 'collection.plan'"
    [(arguments,)] = shop.server.database.query(text)
    shop.server.work()
    shop.server.database.write_now(world.environment_id, lambda tx: tx.object("collection").jobs[0].run(tx, loads(arguments)))
    assert len(shop.rows(collection)) == 1


def loads(text: str) -> Any:
    import json

    return json.loads(text)


def test_planning_again_after_the_backlog_makes_new_cards(shop: Shop) -> None:
    shop.board(THREE)
    collection = shop.collection(minutes={"sawing": 60})
    shop.plan(collection, start="2026-12-01")
    shop.api.put(f"/v1/collection/{collection}/backlog", {})
    assert shop.plan(collection, start="2026-12-10") == [("cut", "12-10", "12-10")]


def test_on_another_board_open_cards_are_replaced_and_completed_ones_stay(shop: Shop) -> None:
    shop.board(THREE)
    collection = shop.collection(minutes={"sawing": 60, "welding": 60})
    shop.plan(collection, start="2026-12-01")
    cut = shop.rows(collection)[0]
    shop.api.put(shop.card_path(cut), {"status_id": shop.ids["Done"]})
    other = shop.board({"saw here": ["sawing"], "weld here": ["welding"]}, name="other")
    assert shop.plan(collection, "other", start="2026-12-15") == [("cut", "12-01", "12-01"), ("weld here", "12-15", "12-15")]
    assert shop.look(collection)["board_id"] == other
    assert shop.look(collection)["start"] == "2026-12-01"


def test_a_collection_that_is_unplanned_before_the_job_ran_gets_no_cards(shop: Shop) -> None:
    board = shop.board(THREE)
    collection = shop.collection(minutes={"sawing": 60})
    shop.api.post(f"/v1/collection/{collection}/board/{board}", {}, expect=200)
    shop.api.put(f"/v1/collection/{collection}/backlog", {})
    shop.server.work()
    assert (shop.rows(collection), shop.look(collection)["status"]) == ([], "not_planned")


def test_what_is_gone_when_the_job_runs_is_left_out(shop: Shop) -> None:
    board = shop.board(THREE)
    collection = shop.collection(minutes={"sawing": 60})
    resource, anchor = shop.resource("Ada"), shop.collection(name="anchor")
    shop.plan(anchor, start="2026-12-01")
    card = shop.rows(anchor)[0]
    wish = {"start": "2026-12-01", "resources": [resource], "before": card["id"], "force_stages": [shop.ids["pack"]]}
    shop.api.post(f"/v1/collection/{collection}/board/{board}", wish, expect=200)
    for path in (f"/v1/resource/{resource}", shop.card_path(card), f"/v1/stage/{shop.ids['pack']}"):
        shop.api.delete(path)
    shop.server.work()
    assert shop.cards(collection) == [("cut", "12-01", "12-01")]
