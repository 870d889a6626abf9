"""What planning, the backlog and moves of cards refuse: with 404, 409 or 422 that names the property, and nothing changes."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.api.shop import WEEK, Shop
from tests.client import ABSENT, Client
from tests.server import Server
from tests.world import World

UNKNOWN = "00000000-0000-4000-8000-000000000000"
STAGES = {"cut": ["sawing"], "join": ["welding"]}
CLOSED = dict.fromkeys(WEEK, False)


@pytest.fixture
def shop(api: Client, server: Server) -> Shop:
    """A planned collection on `board`, one in its backlog, and another board."""
    shop = Shop(api, server)
    shop.board({"far": ["sawing"]}, name="other", statuses=[{"name": "elsewhere"}])
    shop.board(STAGES)
    shop.ids["waiting"] = shop.collection(minutes={"sawing": 3 * 480})
    shop.ids["planned"] = shop.collection(minutes={"sawing": 60, "welding": 60})
    shop.plan(shop.ids["planned"], start="2026-12-01")
    shop.ids["card"], shop.ids["second"] = (card["id"] for card in shop.rows(shop.ids["planned"]))
    shop.ids["far card"] = far_card(shop)
    return shop


def far_card(shop: Shop) -> str:
    away = shop.collection("other")
    shop.plan(away, "other", start="2026-12-01")
    return str(shop.rows(away)[0]["id"])


def unchanged(shop: Shop, world: World, method: str, path: str, body: Any = ABSENT) -> tuple[int, list[str | None]]:
    """(status, properties) of a refusal that left every row as it was."""
    before = shop.server.rows(world.environment_id)
    answer = shop.api.ask(method, path, body)
    assert answer.status >= 400, answer.body
    assert shop.server.rows(world.environment_id) == before
    return answer.status, [name for name, _ in answer.faults]


PLANS: dict[str, tuple[dict[str, Any], int, list[str | None]]] = {
    "a start that is no date": ({"start": "soon"}, 422, ["start"]),
    "a start beyond the calendar": ({"start": "9999-12-31"}, 422, ["start"]),
    "an end before the calendar": ({"start": "0001-01-01", "reverse": True}, 422, ["start"]),
    "another board's stage": ({"stage_id": "far"}, 422, ["stage_id"]),
    "another board's forced stage": ({"force_stages": ["cut", "far"]}, 422, ["force_stages[1]"]),
    "another board's status": ({"status_id": "elsewhere"}, 422, ["status_id"]),
    "another board's card": ({"before": "far card", "after": "far card"}, 422, ["before", "after"]),
    "an unknown stage": ({"stage_id": UNKNOWN}, 422, ["stage_id"]),
    "an unknown resource": ({"resources": [UNKNOWN]}, 422, ["resources[0]"]),
    "a resource that is no id": ({"resources": ["Ada"]}, 422, ["resources[0]"]),
    "several at once": ({"start": 7, "reverse": "yes"}, 422, ["start", "reverse"]),
}


@pytest.mark.parametrize("name", PLANS)
def test_a_wish_that_does_not_fit_is_refused_by_its_property(shop: Shop, world: World, name: str) -> None:
    wish, status, properties = PLANS[name]
    path = f"/v1/collection/{shop.ids['waiting']}/board/{shop.ids['board']}"
    assert unchanged(shop, world, "POST", path, shop.wish(**wish)) == (status, properties)


@pytest.mark.parametrize("body", [None, [], "soon", 7])
def test_a_body_that_is_no_object_is_refused(shop: Shop, world: World, body: Any) -> None:
    path = f"/v1/collection/{shop.ids['waiting']}/board/{shop.ids['board']}"
    assert unchanged(shop, world, "POST", path, body)[0] == 400


def test_a_deleted_resource_is_refused_like_an_unknown_one(shop: Shop, world: World) -> None:
    shop.api.delete(f"/v1/resource/{shop.resource('Ada')}")
    path = f"/v1/collection/{shop.ids['waiting']}/board/{shop.ids['board']}"
    assert unchanged(shop, world, "POST", path, shop.wish(resources=["Ada"])) == (422, ["resources[0]"])


def archive(shop: Shop) -> None:
    shop.api.post(f"/v1/board/{shop.ids['board']}/archive", expect=200)


def close(shop: Shop) -> None:
    shop.api.put(f"/v1/board/{shop.ids['board']}", {"workdays": CLOSED})


def ignore(shop: Shop) -> None:
    shop.api.put(f"/v1/collection/{shop.ids['waiting']}", {"status": "ignored"})


def begin(shop: Shop) -> None:
    shop.api.post(f"/v1/collection/{shop.ids['waiting']}/board/{shop.ids['other']}", {}, expect=200)


STATES: dict[str, Callable[[Shop], None]] = {
    "the board is archived": archive,
    "the board has no open weekday": close,
    "the collection is ignored": ignore,
    "it is being planned elsewhere": begin,
}


@pytest.mark.parametrize("name", STATES)
def test_a_state_that_forbids_planning_is_a_conflict(shop: Shop, world: World, name: str) -> None:
    STATES[name](shop)
    path = f"/v1/collection/{shop.ids['waiting']}/board/{shop.ids['board']}"
    assert unchanged(shop, world, "POST", path, {}) == (409, [None])


def test_planning_a_planned_collection_again_on_its_board_is_a_conflict(shop: Shop, world: World) -> None:
    path = f"/v1/collection/{shop.ids['planned']}/board/{shop.ids['board']}"
    assert unchanged(shop, world, "POST", path, {}) == (409, [None])


def test_a_locked_card_keeps_its_collection_where_it_is(shop: Shop, world: World) -> None:
    shop.api.post(f"/v1/collection/{shop.ids['planned']}/card/{shop.ids['card']}/lock", expect=200)
    path = f"/v1/collection/{shop.ids['planned']}"
    assert unchanged(shop, world, "POST", f"{path}/board/{shop.ids['other']}", {}) == (409, [None])
    assert unchanged(shop, world, "PUT", f"{path}/backlog", {}) == (409, [None])


@pytest.mark.parametrize("path", ["/v1/collection/{unknown}/board/{board}", "/v1/collection/{waiting}/board/{unknown}"])
def test_planning_what_is_not_there_is_not_found(shop: Shop, world: World, path: str) -> None:
    assert unchanged(shop, world, "POST", path.format(unknown=UNKNOWN, **shop.ids), {})[0] == 404


BACKLOGS = [
    ({"position": -1}, ["position"]),
    ({"position": "first"}, ["position"]),
    ({"related_collections": [UNKNOWN]}, ["related_collections[0]"]),
]


@pytest.mark.parametrize(("body", "properties"), BACKLOGS)
def test_a_place_in_the_backlog_that_cannot_be_is_refused(shop: Shop, world: World, body: dict[str, Any], properties: list[str]) -> None:
    assert unchanged(shop, world, "PUT", f"/v1/collection/{shop.ids['planned']}/backlog", body) == (422, properties)


COLLECTIONS = [
    ("planned", {"status": "not_planned"}, ["status"]),
    ("planned", {"status": "ignored"}, ["status"]),
    ("waiting", {"status": "planned"}, ["status"]),
    ("planned", {"board_id": "other"}, ["board_id"]),
]


@pytest.mark.parametrize(("which", "body", "properties"), COLLECTIONS)
def test_an_update_cannot_plan_or_unplan(shop: Shop, world: World, which: str, body: dict[str, Any], properties: list[str]) -> None:
    named = {name: shop.ids.get(value, value) for name, value in body.items()}
    assert unchanged(shop, world, "PUT", f"/v1/collection/{shop.ids[which]}", named) == (422, properties)


CARDS: dict[str, tuple[dict[str, Any], list[str | None]]] = {
    "an end before the start": ({"start_date": "2026-12-04", "end_date": "2026-12-03"}, ["end_date"]),
    "a start after the end it has": ({"start_date": "2026-12-24"}, ["start_date"]),
    "an end before the start it has": ({"end_date": "2026-11-24"}, ["end_date"]),
    "an end before the start, in the old names": ({"start": "2026-12-04", "end": "2026-12-03"}, ["end_date"]),
    "an hour before the first": ({"start_time": "12:00", "end_time": "11:00"}, ["end_time"]),
    "another board's stage": ({"stage_id": "far"}, ["stage_id"]),
    "another board's status": ({"status_id": "elsewhere"}, ["status_id"]),
    "itself as its parent": ({"parent_card_id": "card"}, ["parent_card_id"]),
    "a parent of another collection": ({"parent_card_id": "far card"}, ["parent_card_id"]),
    "an unknown resource": ({"resources": [{"id": UNKNOWN}]}, ["resources[0].id"]),
}


@pytest.mark.parametrize("name", CARDS)
def test_a_move_that_cannot_be_is_refused_by_its_property(shop: Shop, world: World, name: str) -> None:
    body, properties = CARDS[name]
    named = {key: shop.ids.get(value, value) if isinstance(value, str) else value for key, value in body.items()}
    path = f"/v1/collection/{shop.ids['planned']}/card/{shop.ids['card']}"
    assert unchanged(shop, world, "PUT", path, named) == (422, properties)


def test_a_card_cannot_become_the_sub_card_of_its_own_sub_card(shop: Shop, world: World) -> None:
    path = f"/v1/collection/{shop.ids['planned']}/card"
    shop.api.put(f"{path}/{shop.ids['second']}", {"parent_card_id": shop.ids["card"]})
    assert unchanged(shop, world, "PUT", f"{path}/{shop.ids['card']}", {"parent_card_id": shop.ids["second"]}) == (422, ["parent_card_id"])


@pytest.mark.parametrize(
    "body",
    [{"start_date": "2026-12-02", "end_date": "2026-12-02"}, {"end_date": "2026-12-09"}, {"stage_id": "join"}, {"start_time": "08:00"}],
)
def test_the_planning_of_a_locked_card_stays(shop: Shop, world: World, body: dict[str, Any]) -> None:
    path = f"/v1/collection/{shop.ids['planned']}/card/{shop.ids['card']}"
    shop.api.post(f"{path}/lock", expect=200)
    named = {key: shop.ids.get(value, value) for key, value in body.items()}
    assert unchanged(shop, world, "PUT", path, named) == (409, [None])
    assert unchanged(shop, world, "POST", f"{path}/split", {"date_parts": [{"date": "2026-12-02", "time": 60}]}) == (409, [None])
    assert shop.api.put(path, {"name": "a new name", "status_id": shop.ids["Done"]})["name"] == "a new name"
    shop.api.post(f"{path}/unlock", expect=200)
    shop.api.put(path, named)


def test_an_ignored_collection_takes_no_card(shop: Shop, world: World) -> None:
    ignore(shop)
    assert unchanged(shop, world, "POST", f"/v1/collection/{shop.ids['waiting']}/card", {"name": "x"}) == (409, [None])


SPLITS: list[tuple[Any, list[str | None]]] = [
    ({}, ["date_parts"]),
    ({"date_parts": []}, ["date_parts"]),
    ({"date_parts": [{"date": "2026-12-05", "time": 1}, {"date": "2026-12-07", "time": 1}]}, ["date_parts[0].date"]),
    ({"date_parts": [{"date": "2026-12-07", "time": -1}]}, ["date_parts[0].time"]),
    ({"date_parts": [{"date": "2026-12-07"}]}, ["date_parts[0].time"]),
    ({"date_parts": ["2026-12-07"]}, ["date_parts[0]"]),
]


@pytest.mark.parametrize(("body", "properties"), SPLITS)
def test_parts_that_cannot_be_are_refused_by_their_place(shop: Shop, world: World, body: Any, properties: list[str]) -> None:
    path = f"/v1/collection/{shop.ids['planned']}/card/{shop.ids['card']}/split"
    assert unchanged(shop, world, "POST", path, body) == (422, properties)


RANKS = [({}, ["before"]), ({"before": "card"}, ["before"]), ({"after": "far card"}, ["after"]), ({"before": UNKNOWN}, ["before"])]


@pytest.mark.parametrize(("body", "properties"), RANKS)
def test_a_rank_beside_no_other_card_of_the_board_is_refused(shop: Shop, world: World, body: dict[str, str], properties: list[str]) -> None:
    named = {key: shop.ids.get(value, value) for key, value in body.items()}
    path = f"/v1/collection/{shop.ids['planned']}/card/{shop.ids['card']}/rank"
    assert unchanged(shop, world, "PUT", path, named) == (422, properties)


@pytest.mark.parametrize("action", ["split", "lock", "unlock"])
def test_a_card_of_another_collection_is_not_found_here(shop: Shop, world: World, action: str) -> None:
    path = f"/v1/collection/{shop.ids['waiting']}/card/{shop.ids['card']}/{action}"
    assert unchanged(shop, world, "POST", path, {"date_parts": [{"date": "2026-12-07", "time": 1}]})[0] == 404
