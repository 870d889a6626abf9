"""Cards: their days, when they are completed, their order, their parts and their sub cards."""

import os
from typing import Any

import pytest
from tests.api.shop import Shop
from tests.client import Client
from tests.server import Server
from tests.world import World

STAGES = {"cut": ["sawing"], "join": ["welding"]}


@pytest.fixture
def shop(api: Client, server: Server) -> Shop:
    shop = Shop(api, server)
    shop.board(STAGES)
    return shop


@pytest.fixture
def card(shop: Shop) -> dict[str, Any]:
    """A card from Friday to Monday."""
    collection = shop.collection(minutes={"sawing": 960})
    shop.plan(collection, start="2026-12-04")
    return shop.rows(collection)[0]


# ── days ──

DAYS: list[tuple[dict[str, Any], tuple[Any, Any], tuple[Any, Any]]] = [  # body, (start, end), (days_diff, days_active)
    ({"start_date": "2026-12-01", "end_date": "2026-12-08"}, ("2026-12-01", "2026-12-08"), (7, 6)),
    ({"start_date": "2026-12-05", "end_date": "2026-12-06"}, ("2026-12-05", "2026-12-06"), (1, 0)),
    ({"start_date": "2026-12-07"}, ("2026-12-07", "2026-12-07"), (0, 1)),
    ({"end_date": "2026-12-09"}, ("2026-12-04", "2026-12-09"), (5, 4)),
    ({"end_date": None}, ("2026-12-04", "2026-12-04"), (0, 1)),
    ({"start_date": None}, (None, None), (None, None)),
    ({"start_date": None, "end_date": "2026-12-10"}, ("2026-12-10", "2026-12-10"), (0, 1)),
    ({"start": "2026-12-03", "end": "2026-12-03"}, ("2026-12-03", "2026-12-03"), (0, 1)),
    ({"date": "2026-12-02"}, ("2026-12-02", "2026-12-02"), (0, 1)),
    ({"start_date": "2026-12-04", "start": "2026-12-03"}, ("2026-12-03", "2026-12-07"), (4, 3)),
]


@pytest.mark.parametrize(("body", "days", "counted"), DAYS)
def test_a_card_is_moved_by_any_name_of_its_days(shop: Shop, card: dict[str, Any], body: dict[str, Any], days: Any, counted: Any) -> None:
    moved = shop.api.put(shop.card_path(card), body)
    assert (moved["start_date"], moved["end_date"]) == (moved["start"], moved["end"]) == days
    assert moved["date"] == days[0]
    assert (moved["days_diff"], moved["days_active"]) == counted


def test_a_card_that_is_sent_back_as_it_was_read_stays(shop: Shop, card: dict[str, Any]) -> None:
    assert shop.api.put(shop.card_path(card), card) == shop.api.get(shop.card_path(card)) == card


def test_days_active_follow_the_boards_workdays(shop: Shop, card: dict[str, Any]) -> None:
    assert (card["days_diff"], card["days_active"]) == (3, 2)
    shop.api.put(f"/v1/board/{shop.ids['board']}", {"workdays": {str(day): True for day in range(1, 8)}})
    assert shop.api.get(shop.card_path(card))["days_active"] == 4


# ── completion ──


def test_a_card_is_completed_when_it_reaches_an_exit_status_and_no_longer_when_it_leaves_it(shop: Shop, card: dict[str, Any]) -> None:
    path = shop.card_path(card)
    assert card["completed_at"] is None
    done = shop.api.put(path, {"status_id": shop.ids["Done"]})
    assert done["completed_at"] >= done["created_at"]
    assert shop.api.put(path, {"name": "renamed"})["completed_at"] == done["completed_at"]
    assert shop.api.put(path, {"status_id": shop.ids["Busy"]})["completed_at"] is None


def test_the_moment_of_completion_may_be_told(shop: Shop, card: dict[str, Any]) -> None:
    body = {"status_id": shop.ids["Done"], "completed_at": "2026-12-01T15:00:00Z"}
    assert shop.api.put(shop.card_path(card), body)["completed_at"] == "2026-12-01T15:00:00Z"


# ── order ──


def test_a_card_ranks_before_or_after_another(shop: Shop) -> None:
    collection = shop.collection()
    for name in "abc":
        shop.ids[name] = shop.api.post(f"/v1/collection/{collection}/card", {"name": name})["id"]
    for body, expected in (({"before": "a"}, "cab"), ({"after": "a"}, "acb"), ({"after": "b"}, "abc")):
        named = {key: shop.ids[value] for key, value in body.items()}
        shop.api.put(f"/v1/collection/{collection}/card/{shop.ids['c']}/rank", named)
        assert "".join(shop.api.names(f"/v1/collection/{collection}/card", sort="rank")) == expected


def test_ten_thousand_cards_fit_between_two_neighbours(shop: Shop, world: World, backend: str) -> None:
    """Each comes right after the first; the ranks stay short, because those around are spread anew in time.

    On PostgreSQL, where each takes four round trips, the short form makes do with enough to spread them twenty times.
    """
    from planwerk.rules.ordering import ranks_beside
    from planwerk.rules.ranks import LONGEST

    collection, board = shop.collection(), shop.ids["board"]
    first, last = (shop.api.post(f"/v1/collection/{collection}/card", {"name": name}) for name in ("first", "last"))

    def insert(tx: Any) -> list[str]:
        described, made = tx.object("card"), []
        plain = {"board_id": board, "collection_id": collection, "name": "between"}
        for _ in range(10_000 if backend == "sqlite" or os.environ.get("PLANWERK_LONG") else 2_000):
            rank = ranks_beside(tx, board, before=None, after=first["id"], count=1)[0]
            made.append(tx.insert(described, {**plain, "rank": rank})["id"])
        return made

    made = shop.server.database.write_now(world.environment_id, insert)
    found = shop.server.database.query(
        f"SELECT id, rank FROM card WHERE environment_id = '{world.environment_id}' AND board_id = '{board}' ORDER BY rank"
    )
    assert [row[0] for row in found] == [first["id"], *reversed(made), last["id"]]
    ranks = [row[1] for row in found]
    assert len(set(ranks)) == len(ranks)
    assert max(map(len, ranks)) <= LONGEST


# ── splitting ──


def test_a_card_is_split_into_parts_with_a_day_and_a_time_each(shop: Shop) -> None:
    ada = shop.resource("Ada")
    collection = shop.collection(minutes={"sawing": 600})
    shop.plan(collection, start="2026-12-01", resources=[ada])
    card = shop.rows(collection)[0]
    parts = [{"date": "2026-12-01", "time": 300}, {"date": "2026-12-03", "time": 200}, {"date": "2026-12-07", "time": 100}]
    answer = shop.api.post(f"{shop.card_path(card)}/split", {"date_parts": parts}, expect=200)
    assert (answer["id"], answer["start_date"], answer["time"]) == (card["id"], "2026-12-01", 300)
    rows = shop.rows(collection, with_="activities,resources,stage,status")
    assert [(row["start_date"], row["end_date"], row["time"], row["name"]) for row in rows] == [
        (part["date"], part["date"], part["time"], "work") for part in parts
    ]
    assert {(row["stage"]["name"], row["status"]["name"], row["resources"][0]["id"]) for row in rows} == {("cut", "To do", ada)}
    assert [[link["time"] for link in row["activities"]] for row in rows] == [[300], [200], [100]]
    assert [row["rank"] for row in rows] == sorted(row["rank"] for row in rows)
    assert (shop.look(collection)["end"], shop.look(collection)["warnings"]) == ("2026-12-07", [])


def test_with_reverse_the_card_becomes_the_last_part(shop: Shop, card: dict[str, Any]) -> None:
    parts = [{"date": "2026-12-01", "time": 480}, {"date": "2026-12-04", "time": 480}]
    answer = shop.api.post(f"{shop.card_path(card)}/split", {"date_parts": parts, "reverse": True}, expect=200)
    assert (answer["id"], answer["start_date"]) == (card["id"], "2026-12-04")
    assert sorted(row["start_date"] for row in shop.rows(card["collection_id"])) == ["2026-12-01", "2026-12-04"]


def test_the_parts_of_several_activities_add_up_to_the_times_asked_for(shop: Shop) -> None:
    collection = shop.collection(minutes={"sawing": 61, "welding": 120})
    shop.plan(collection, start="2026-12-01")
    row = shop.rows(collection)[0]
    shop.api.put(shop.card_path(row), {"activities": [{"id": shop.ids["sawing"], "time": 61}, {"id": shop.ids["welding"], "time": 120}]})
    parts = [{"date": "2026-12-01", "time": 90}, {"date": "2026-12-02", "time": 91}]
    shop.api.post(f"{shop.card_path(row)}/split", {"date_parts": parts}, expect=200)
    split = [card for card in shop.rows(collection, with_="activities") if card["stage_id"] == row["stage_id"]]
    assert [card["time"] for card in split] == [90, 91]
    assert sum(link["time"] for card in split for link in card["activities"] if link["id"] == shop.ids["sawing"]) in (60, 61, 62)


def test_what_was_tracked_stays_with_the_card_that_is_split(shop: Shop, card: dict[str, Any]) -> None:
    shop.api.post("/v1/time_tracking", {"card_id": card["id"], "activity_id": shop.ids["sawing"], "duration": 60})
    parts = [{"date": "2026-12-01", "time": 480}, {"date": "2026-12-04", "time": 480}]
    shop.api.post(f"{shop.card_path(card)}/split", {"date_parts": parts}, expect=200)
    assert [row["time_remaining"] for row in shop.rows(card["collection_id"])] == [420, 480]


# ── sub cards ──


def test_a_sub_card_has_its_own_days_and_becomes_a_card_when_its_parent_goes(shop: Shop, card: dict[str, Any]) -> None:
    path = f"/v1/collection/{card['collection_id']}/card"
    sub = shop.api.post(path, {"name": "sub", "parent_card_id": card["id"], "start_date": "2026-12-10", "stage_id": shop.ids["join"]})
    assert [row["name"] for row in shop.api.get(shop.card_path(card), with_="cards")["cards"]] == ["sub"]
    assert shop.look(card["collection_id"])["end"] == "2026-12-10"
    shop.api.delete(shop.card_path(card))
    assert shop.api.get(shop.card_path(sub))["parent_card_id"] is None
