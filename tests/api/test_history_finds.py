"""What random histories found, each told as the shortest story that shows it, on both databases.

To see it fail: plan a collection by a card without looking at its order (`backlog.follow_cards`), leave `keep_completion` out of
`planning.write_cards`, or let the body win over the path in `run.check`.
"""

from typing import Any

import pytest
from tests.client import Client
from tests.weeks import day

Json = dict[str, Any]

STAGES = [{"name": "saw", "priority": 0}, {"name": "pack", "priority": 1}]
STATUSES = [{"name": "to do", "priority": 0, "entry": True}, {"name": "done", "priority": 1, "exit": True}]


@pytest.fixture
def board(api: Client) -> Json:
    return new_board(api)


def new_board(api: Client, **body: Any) -> Json:
    made = api.post("/v1/board", {"name": "workshop", "stages": STAGES, "statuses": STATUSES, **body})
    board: Json = api.get(f"/v1/board/{made['id']}", with_="stages,statuses")
    return board


def new_collection(api: Client, board: Json, **body: Any) -> str:
    """The path of a new collection."""
    return f"/v1/collection/{api.post('/v1/collection', {'name': 'chair', 'board_id': board['id'], **body})['id']}"


def done(board: Json) -> str:
    id: str = board["statuses"][1]["id"]
    return id


def test_a_card_made_by_hand_plans_by_the_dates_that_the_order_has_then(api: Client, board: Json) -> None:
    order = api.post("/v1/order", {"code": "V1", "promised_date": "2026-12-04"})
    path = f"/v1/collection/{order['collection_id']}"
    api.post(f"{path}/card", {})
    assert api.get(path)["warnings"] == []
    api.put(f"/v1/order/{order['id']}", {"promised_date": "2026-12-01"})
    assert api.get(path)["warnings"] == ["promised_date_changed"]


def test_of_two_orders_of_a_collection_the_first_says_when_it_was_promised(api: Client, board: Json) -> None:
    order = api.post("/v1/order", {"code": "V1", "promised_date": "2026-12-04"})
    path = f"/v1/collection/{order['collection_id']}"
    api.post("/v1/order", {"code": "V2", "promised_date": "2026-12-11", "collection_id": order["collection_id"]})
    assert api.post(f"{path}/board/{board['id']}", {}, expect=200)["warnings"] == []
    api.put(f"/v1/order/{order['id']}", {"promised_date": "2026-12-11"})
    assert api.get(path)["warnings"] == ["promised_date_changed"]


def test_cards_that_are_planned_on_an_exit_status_are_completed(api: Client, board: Json, world: Any) -> None:
    path = new_collection(api, board)
    api.post(f"{path}/board/{board['id']}", {"status_id": done(board)}, expect=200)
    world.server.work()
    assert [card["completed_at"] is None for card in api.get(f"{path}/card")["data"]] == [False]


def test_the_parts_of_a_completed_card_are_completed_with_it(api: Client, board: Json) -> None:
    path = new_collection(api, board)
    card = api.post(f"{path}/card", {"status_id": done(board), "completed_at": "2026-11-20T10:00:00Z"})
    parts = [{"date": "2026-12-01", "time": 30}, {"date": "2026-12-02", "time": 30}]
    api.post(f"{path}/card/{card['id']}/split", {"date_parts": parts}, expect=200)
    assert [part["completed_at"] for part in api.get(f"{path}/card")["data"]] == ["2026-11-20T10:00:00Z"] * 2


def test_a_stage_with_cards_stays_on_its_board(api: Client, board: Json) -> None:
    other, stage = new_board(api), board["stages"][0]["id"]
    empty = board["stages"][1]["id"]
    api.post(f"{new_collection(api, board)}/card", {"stage_id": stage})
    answer = api.ask("PUT", f"/v1/stage/{stage}", {"board_id": other["id"]})
    assert (answer.status, [name for name, _ in answer.faults]) == (422, ["board_id"])
    assert api.put(f"/v1/stage/{empty}", {"board_id": other["id"]})["board_id"] == other["id"]


def test_a_status_that_cards_are_on_stays_on_its_board(api: Client, board: Json) -> None:
    other, path = new_board(api), f"/v1/board/{board['id']}"
    api.post(f"{new_collection(api, board)}/card", {})
    api.put(path, {"statuses": [{"id": status["id"], "board_id": other["id"]} for status in board["statuses"]]})
    assert {status["board_id"] for status in api.get(path)["statuses"]} == {board["id"]}


def test_the_parent_of_a_new_card_is_judged_by_the_collection_of_the_path(api: Client, board: Json) -> None:
    mine, other = new_collection(api, board), new_collection(api, board)
    parent = api.post(f"{other}/card", {})
    body = {"parent_card_id": parent["id"], "collection_id": parent["collection_id"]}
    answer = api.ask("POST", f"{mine}/card", body)
    assert (answer.status, [name for name, _ in answer.faults]) == (422, ["parent_card_id"])


def test_a_card_inside_a_body_cannot_be_given_away(api: Client, board: Json) -> None:
    mine, other = new_collection(api, board), new_collection(api, new_board(api))
    card = api.post(f"{mine}/card", {})
    api.put(mine, {"cards": [{"id": card["id"], "collection_id": other.rpartition("/")[2]}]})
    assert api.ids(f"{mine}/card") == [card["id"]]
    assert api.ids(f"{other}/card") == []


def test_stages_and_statuses_without_a_priority_come_last(api: Client) -> None:
    unsorted: list[Json] = [{"name": "any"}, {"name": "first", "priority": 3}]
    board = new_board(api, stages=unsorted, statuses=unsorted)
    card = api.post(f"{new_collection(api, board)}/card", {}, with_="stage,status")
    assert (card["stage"]["name"], card["status"]["name"]) == ("first", "first")


def test_a_card_that_is_split_leaves_the_days_it_had_to_others(api: Client, board: Json) -> None:
    mill = api.post("/v1/resource", {"name": "mill"})["id"]
    body = {"start_date": day(1), "time": 400, "resources": [{"id": mill}]}
    mine, other = new_collection(api, board), new_collection(api, board)
    card = api.post(f"{mine}/card", body)
    api.post(f"{other}/card", body)
    assert api.get(other)["warnings"] == ["capacity_exceeded"]
    parts = [{"date": day(2), "time": 200}, {"date": day(3), "time": 100}]
    api.post(f"{mine}/card/{card['id']}/split", {"date_parts": parts}, expect=200)
    assert api.get(other)["warnings"] == []


def test_collections_without_a_board_have_places_of_their_own(api: Client) -> None:
    orders = [api.post("/v1/order", {"code": code}) for code in ("V1", "V2")]
    collections = [api.get(f"/v1/collection/{order['collection_id']}") for order in orders]
    assert [(collection["board_id"], collection["position"]) for collection in collections] == [(None, 0), (None, 1)]


def test_a_completed_card_stays_with_the_statuses_of_its_board_when_its_collection_moves_on(api: Client, board: Json) -> None:
    other, path = new_board(api), new_collection(api, board)
    card = api.post(f"{path}/card", {"status_id": done(board)})
    api.post(f"{path}/board/{other['id']}", {}, expect=200)
    answer = api.ask("PUT", f"{path}/card/{card['id']}", {"status_id": done(other), "stage_id": other["stages"][0]["id"]})
    assert (answer.status, [name for name, _ in answer.faults]) == (422, ["stage_id", "status_id"])
    assert api.put(f"{path}/card/{card['id']}", {"status_id": board["statuses"][0]["id"]})["completed_at"] is None
