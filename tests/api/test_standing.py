"""How a collection stands: status, start, end, progress and warnings, whatever is done to its cards; and its place in the backlog."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.api.shop import STATUSES, Shop
from tests.client import Client
from tests.server import Server

STAGES = {"cut": ["sawing"], "join": ["welding"], "pack": ["packing"]}


@pytest.fixture
def shop(api: Client, server: Server) -> Shop:
    shop = Shop(api, server)
    shop.board(STAGES)
    return shop


def planned(shop: Shop, **values: Any) -> str:
    """A collection with a card of a day on Tuesday in each of the first two stages."""
    collection = shop.collection(minutes={"sawing": 60, "welding": 60}, **values)
    shop.plan(collection, start="2026-12-01")
    return collection


def move(shop: Shop, collection: str, place: int, **values: Any) -> dict[str, Any]:
    card = shop.rows(collection)[place]
    moved: dict[str, Any] = shop.api.put(shop.card_path(card), values)
    return moved


def days(start: str, end: str | None = None) -> dict[str, str]:
    return {"start_date": f"2026-12-{start}", "end_date": f"2026-12-{end or start}"}


# ── status, start and end ──


def test_start_and_end_are_those_of_the_cards(shop: Shop) -> None:
    collection = planned(shop)
    move(shop, collection, 1, **days("03", "09"))
    assert (shop.look(collection)["start"], shop.look(collection)["end"]) == ("2026-12-01", "2026-12-09")
    shop.api.delete(shop.card_path(shop.rows(collection)[0]))
    assert (shop.look(collection)["start"], shop.look(collection)["end"]) == ("2026-12-03", "2026-12-09")
    move(shop, collection, 0, start_date=None, end_date=None)
    assert (shop.look(collection)["start"], shop.look(collection)["end"]) == (None, None)


def test_a_card_made_by_hand_plans_its_collection_and_the_last_one_that_goes_unplans_it(shop: Shop) -> None:
    first, collection = shop.collection(), shop.collection()
    card = shop.api.post(f"/v1/collection/{collection}/card", {"name": "by hand"})
    assert (shop.look(collection)["status"], shop.look(collection)["position"]) == ("planned", None)
    shop.api.delete(shop.card_path(card))
    assert (shop.look(collection)["status"], shop.look(collection)["position"]) == ("not_planned", 1)
    assert shop.look(first)["position"] == 0


# ── progress ──


def track(shop: Shop, collection: str) -> None:
    shop.api.post("/v1/time_tracking", {"card_id": shop.rows(collection)[0]["id"], "duration": 5})


def status(place: int, name: str) -> Callable[[Shop, str], Any]:
    return lambda shop, collection: move(shop, collection, place, status_id=shop.ids[name])


PROGRESS: list[tuple[list[Callable[[Shop, str], Any]], str]] = [
    ([], "open"),
    ([status(0, "Busy")], "partial"),
    ([status(0, "Done")], "partial"),
    ([status(0, "Done"), status(1, "Done")], "done"),
    ([status(0, "Done"), status(1, "Done"), status(1, "To do")], "partial"),
    ([status(0, "Busy"), status(0, "To do")], "open"),
    ([track], "partial"),
    ([track, status(0, "Done"), status(1, "Done")], "done"),
]


@pytest.mark.parametrize(("steps", "expected"), PROGRESS)
def test_progress_follows_the_statuses_of_the_cards_and_the_time_tracked(
    shop: Shop, steps: list[Callable[[Shop, str], Any]], expected: str
) -> None:
    collection = planned(shop)
    for step in steps:
        step(shop, collection)
    assert shop.look(collection)["progress"] == expected


def test_progress_follows_what_the_board_says_of_its_statuses(shop: Shop) -> None:
    collection = planned(shop)
    status(0, "Busy")(shop, collection)
    status(1, "Busy")(shop, collection)
    bodies = [{"id": shop.ids[str(row["name"])], **row, "exit": row["name"] == "Busy"} for row in STATUSES]
    shop.api.put(f"/v1/board/{shop.ids['board']}", {"statuses": bodies})
    assert shop.look(collection)["progress"] == "done"


# ── warnings ──


def second_on_thursday(shop: Shop, collection: str) -> None:
    move(shop, collection, 1, **days("03"))


def first_too_late(shop: Shop, collection: str) -> None:
    move(shop, collection, 0, **days("02", "04"))


def independent(shop: Shop, collection: str) -> None:
    first_too_late(shop, collection)
    shop.api.put(f"/v1/stage/{shop.ids['cut']}", {"independent": True})


def due(day: str) -> Callable[[Shop, str], None]:
    return lambda shop, collection: shop.api.put(f"/v1/collection/{collection}", {"due_date": day})


def depend(shop: Shop, collection: str) -> None:
    later, earlier = shop.rows(collection)[:2]
    shop.api.post("/v1/card_relation", {"type": "blocks", "card_id": earlier["id"], "related_card_id": later["id"]})


def wants_more(shop: Shop, collection: str) -> None:
    links = [{"id": shop.ids[name], "time": minutes} for name, minutes in (("sawing", 60), ("welding", 61))]
    shop.api.put(f"/v1/collection/{collection}", {"activities": links})


def lose_a_card(shop: Shop, collection: str) -> None:
    shop.api.delete(shop.card_path(shop.rows(collection)[1]))


def crowd(shop: Shop, collection: str) -> None:
    """481 minutes for somebody who works eight hours that day."""
    ada = shop.resource("Ada")
    card = shop.rows(collection)[0]
    shop.api.put(shop.card_path(card), {"resources": [{"id": ada}], "activities": [{"id": shop.ids["sawing"], "time": 481}]})


WARNINGS: list[tuple[Callable[[Shop, str], Any], list[str]]] = [
    (second_on_thursday, []),
    (first_too_late, ["stage_order"]),
    (independent, []),
    (due("2026-11-30"), ["due_date_exceeded"]),
    (due("2026-12-01"), []),
    (depend, ["dependency_violated"]),
    (wants_more, ["not_fully_planned"]),
    (lose_a_card, ["not_fully_planned"]),
    (crowd, ["capacity_exceeded"]),
]


@pytest.mark.parametrize(("step", "expected"), WARNINGS)
def test_a_warning_is_there_while_what_it_says_holds(shop: Shop, step: Callable[[Shop, str], Any], expected: list[str]) -> None:
    collection = planned(shop)
    assert shop.look(collection)["warnings"] == []
    step(shop, collection)
    assert shop.look(collection)["warnings"] == expected
    shop.api.put(f"/v1/collection/{collection}/backlog", {})
    assert shop.look(collection)["warnings"] == []


def test_an_overload_is_told_to_everybody_who_shares_the_day_and_goes_when_somebody_moves(shop: Shop) -> None:
    ada = shop.resource("Ada")
    both = [shop.collection(minutes={"sawing": 300}) for _ in range(2)]
    for collection in both:
        shop.plan(collection, start="2026-12-01", resources=[ada])
    assert [shop.look(collection)["warnings"] for collection in both] == [["capacity_exceeded"]] * 2
    move(shop, both[1], 0, **days("02"))
    assert [shop.look(collection)["warnings"] for collection in both] == [[], []]
    shop.api.post(f"/v1/resource/{ada}/schedule_deviation", {"type": "leave", "start_date": "2026-12-02", "end_date": "2026-12-02"})
    assert [shop.look(collection)["warnings"] for collection in both] == [[], ["capacity_exceeded"]]
    shop.api.put(f"/v1/board/{shop.ids['board']}", {"capacity_method": "none"})
    assert [shop.look(collection)["warnings"] for collection in both] == [[], []]


def test_changed_dates_of_an_order_warn_until_it_is_planned_again(shop: Shop) -> None:
    body = {"code": "O-1", "promised_date": "2026-12-20", "board_id": shop.ids["board"]}
    order = shop.api.post("/v1/order", body)
    collection = order["collection_id"]
    shop.plan(collection, start="2026-12-01")
    before = shop.cards(collection)
    shop.api.put(f"/v1/order/{order['id']}", {"promised_date": "2026-12-19"})
    assert (shop.look(collection)["warnings"], shop.cards(collection)) == (["promised_date_changed"], before)
    shop.api.put(f"/v1/collection/{collection}/backlog", {})
    shop.plan(collection, start="2026-12-01")
    assert shop.look(collection)["warnings"] == []


# ── the backlog ──


def test_the_backlog_takes_the_cards_off_and_keeps_the_time_tracked(shop: Shop) -> None:
    collection = planned(shop)
    card = shop.rows(collection)[0]
    entry = shop.api.post("/v1/time_tracking", {"card_id": card["id"], "duration": 5})
    answer = shop.api.put(f"/v1/collection/{collection}/backlog", {})
    assert (answer["status"], answer["start"], answer["end"], answer["progress"]) == ("not_planned", None, None, "open")
    assert shop.rows(collection) == []
    assert shop.api.get(f"/v1/time_tracking/{entry['id']}")["card_id"] == card["id"]


def order_of(shop: Shop, ids: list[str]) -> str:
    found = shop.api.get("/v1/collection", filter="status:eq:not_planned", sort="position")["data"]
    return "".join("abcd"[ids.index(row["id"])] for row in found)


BACKLOG: list[tuple[int, dict[str, Any], str]] = [  # which, body, the order then
    (2, {"position": 0}, "cabd"),
    (0, {"position": 2}, "bacd"),
    (0, {}, "bcda"),
    (0, {"position": 3}, "bcad"),
    (0, {"position": 99}, "bcda"),
    (3, {"position": 0, "related_collections": [1]}, "dbac"),
    (3, {"position": 0, "related_collections": [1, 2, 3]}, "dbca"),
]


@pytest.mark.parametrize(("which", "body", "expected"), BACKLOG)
def test_a_collection_is_put_at_a_place_of_the_backlog(shop: Shop, which: int, body: dict[str, Any], expected: str) -> None:
    ids = [shop.collection() for _ in range(4)]
    assert order_of(shop, ids) == "abcd"
    related = [ids[place] for place in body.get("related_collections", ())]
    shop.api.put(f"/v1/collection/{ids[which]}/backlog", {**body, **({"related_collections": related} if related else {})})
    assert order_of(shop, ids) == expected


def test_an_ignored_collection_leaves_the_backlog_and_comes_back_last(shop: Shop) -> None:
    ids = [shop.collection() for _ in range(2)]
    assert shop.api.put(f"/v1/collection/{ids[0]}", {"status": "ignored"})["position"] is None
    assert shop.api.put(f"/v1/collection/{ids[0]}", {"status": "not_planned"})["position"] == 2


def test_in_another_boards_backlog_a_collection_comes_last(shop: Shop) -> None:
    other = shop.board({"far": []}, name="other")
    there = [shop.collection("other") for _ in range(2)]
    moved = shop.api.put(f"/v1/collection/{shop.collection()}", {"board_id": other})
    assert (shop.look(there[1])["position"], moved["position"]) == (1, 2)
