"""The seeds on a real server: the demo, the benchmark's order book, and a job shop that comes through the API.

To see it fail: leave out the look for what an earlier run has made, or let a card stand on another board's stage.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.client import Client as Caller
from tests.server import OBJECTS
from tests.through import FT06, Through
from tests.world import World

from planwerk.seeds import CannotSeed
from planwerk.seeds.bench import seed_bench
from planwerk.seeds.client import Client, Json
from planwerk.seeds.demo import seed_database
from planwerk.seeds.instances import Operation
from planwerk.seeds.jobshop import Loaded, load_instance, steps
from planwerk.seeds.order_book import ROWS_PER_ORDER, STATUSES, TYPES

# ── the demo ──


def load_demo(world: World) -> bool:
    return seed_database(world.server.database, OBJECTS, world.environment_id)


def test_the_demo_is_loaded_once(world: World) -> None:
    assert load_demo(world)
    before = world.server.rows(world.environment_id)
    assert not load_demo(world)
    assert world.server.rows(world.environment_id) == before


def test_the_demo_does_not_come_back_over_what_people_have_kept(world: World) -> None:
    load_demo(world)
    for order in world.client.ids("/v1/order"):
        world.client.delete(f"/v1/order/{order}")
    assert not load_demo(world)
    assert world.client.ids("/v1/order") == []


def test_the_demo_fills_every_corner_of_the_workshop(world: World) -> None:
    load_demo(world)
    counts = {
        name: world.client.get(f"/v1/{name}", limit=1)["count"] for name in ("board", "stage", "activity", "resource", "group", "user")
    }
    assert counts == {"board": 2, "stage": 7, "activity": 8, "resource": 8, "group": 3, "user": 6}
    counts = {name: world.client.get(f"/v1/{name}", limit=1)["count"] for name in ("relation", "item", "project", "warehouse", "order")}
    assert counts == {"relation": 10, "item": 12, "project": 2, "warehouse": 2, "order": 30}
    assert {order["status"] for order in world.client.get("/v1/order")["data"]} == {"new", "planned", "in_prog", "on_hold", "done"}
    assert world.client.get("/v1/time_tracking", limit=1)["count"] > 0
    collections = world.client.get("/v1/collection", with_="comments,checklists,labels,activities")["data"]
    for name in ("comments", "checklists", "labels", "activities", "custom_fields"):
        assert any(collection[name] for collection in collections), name


def test_cards_of_the_demo_stand_on_a_stage_and_a_status_of_their_board(world: World) -> None:
    load_demo(world)
    stages = {stage["id"]: stage for stage in world.client.get("/v1/stage", with_="activities,resources")["data"]}
    statuses = {
        status["id"]: board["id"] for board in world.client.get("/v1/board", with_="statuses")["data"] for status in board["statuses"]
    }
    cards = world.client.get("/v1/card", with_="activities,resources,labels")["data"]
    assert len(cards) == world.client.get("/v1/card", limit=1)["count"] > 50
    for card in cards:
        stage = stages[card["stage_id"]]
        assert card["board_id"] == stage["board_id"] == statuses[card["status_id"]]
        assert card["start_date"] <= card["end_date"]
        assert {item["id"] for item in card["activities"]} <= {item["id"] for item in stage["activities"]}
        assert {item["id"] for item in card["resources"]} <= {item["id"] for item in stage["resources"]}
        assert all(label["board_id"] == card["board_id"] for label in card["labels"])


def test_the_demo_is_a_workshop_with_a_few_days_that_are_too_full(world: World) -> None:
    load_demo(world)
    collections = world.client.get("/v1/collection", with_="order")["data"]
    warned = [collection["warnings"] for collection in collections if collection["warnings"]]
    assert 0 < len(warned) <= 5
    assert {word for words in warned for word in words} == {"capacity_exceeded"}
    progress = {"new": "open", "planned": "open", "in_prog": "partial", "on_hold": "partial", "done": "done"}
    assert [progress[collection["order"]["status"]] for collection in collections] == [collection["progress"] for collection in collections]


def test_planning_leaves_the_days_between_stages_free_that_the_demo_leaves(world: World) -> None:
    load_demo(world)
    collection = world.client.get("/v1/collection", filter="name:eq:'V26-0115'", with_="cards")["data"][0]
    days = [(card["stage_id"], card["start_date"], card["end_date"]) for card in collection["cards"]]
    world.client.put(f"/v1/collection/{collection['id']}/backlog", {})
    world.client.post(f"/v1/collection/{collection['id']}/board/{collection['board_id']}", {"start": collection["start"]}, expect=200)
    world.server.work()
    cards = world.client.get(f"/v1/collection/{collection['id']}", with_="cards")["cards"]
    assert [(card["stage_id"], card["start_date"], card["end_date"]) for card in cards] == days


def test_every_order_of_the_demo_has_its_collection_and_the_time_of_its_rows(world: World) -> None:
    load_demo(world)
    factor = {"minutes": 1, "hours": 60, "days": 480}
    for order in world.client.get("/v1/order", with_="order_rows,collection.activities")["data"]:
        collection = order["collection"]
        assert (collection["name"], collection["due_date"]) == (order["code"], order["promised_date"])
        rows = {row["activity_id"]: row["quantity"] * factor[row["unit"]] for row in order["order_rows"] if row["activity_id"]}
        assert rows == {activity["id"]: activity["time"] for activity in collection["activities"]}


def test_resources_of_the_demo_know_their_share_of_each_stage(world: World) -> None:
    load_demo(world)
    for board in world.client.get("/v1/board", with_="stages,resources")["data"]:
        stages = {stage["id"] for stage in board["stages"]}
        assert board["resources"]
        for resource in board["resources"]:
            assert {share["id"] for share in resource["stages"]} <= stages
            assert all(0 < share["percentage"] <= 100 for share in resource["stages"])


# ── the benchmark's order book ──


def fill(world: World, orders: int, ids_file: Path | None = None, *, more: bool = False) -> list[int]:
    made: list[int] = []
    seed_bench(world.server.database, OBJECTS, world.environment_id, orders, ids_file, made.append, more=more)
    return made


def test_the_order_book_has_three_rows_an_order_and_every_word(world: World, tmp_path: Path) -> None:
    assert sum(fill(world, 50, tmp_path / "ids")) == 50
    orders = world.client.get("/v1/order", with_="order_rows,relation")["data"]
    assert [order["external_ref"] for order in orders] == [f"ext-o-{number}" for number in range(50)]
    assert {order["type"] for order in orders} == set(TYPES)
    assert {order["status"] for order in orders} == set(STATUSES)
    assert all([row["position"] for row in order["order_rows"]] == list(range(ROWS_PER_ORDER)) for order in orders)
    assert len({order["relation"]["id"] for order in orders}) == 2
    ids = (tmp_path / "ids").read_text().split()
    assert sorted(ids) == sorted(order["id"] for order in orders)
    assert ids != [order["id"] for order in orders]


def test_a_second_order_book_is_refused_unless_more_is_wished(world: World) -> None:
    fill(world, 20)
    with pytest.raises(CannotSeed, match="holds 20 benchmark orders already; use --more"):
        fill(world, 20)
    assert world.client.get("/v1/order", limit=1)["count"] == 20
    world.client.delete(f"/v1/order/{world.client.ids('/v1/order')[-1]}")
    fill(world, 20, more=True)
    references = Counter(order["external_ref"] for order in world.client.get("/v1/order")["data"])
    assert references == Counter(f"ext-o-{number}" for number in range(40) if number != 19)


# ── the job shop ──


@pytest.fixture
def through(api: Caller) -> Through:
    return Through(api)


def load(through: Through, progress: list[int] | None = None) -> Loaded:
    with Client("http://planwerk.invalid/v1", "key", "env", transport=through) as client:
        return load_instance(client, FT06, (progress if progress is not None else []).append)


def jobs(api: Caller) -> list[Json]:
    found: list[Json] = api.get("/v1/order", with_="order_rows,item")["data"]
    return found


def test_a_job_shop_is_its_machines_activities_items_and_orders(through: Through, api: Caller) -> None:
    progress: list[int] = []
    loaded = load(through, progress)
    assert loaded == Loaded(created={"activity": 6, "resource": 6, "item": 6, "order": 6})
    assert sum(progress) == steps(FT06)
    machine_of = {item["id"]: int(item["external_ref"].rpartition("-")[2]) for item in api.get("/v1/activity")["data"]}
    read = [tuple(Operation(machine_of[row["activity_id"]], row["quantity"]) for row in order["order_rows"]) for order in jobs(api)]
    assert tuple(read) == FT06.jobs
    assert [order["item"]["external_ref"] for order in jobs(api)] == [f"jobshop-ft06-item-{number}" for number in range(6)]
    assert {row["unit"] for order in jobs(api) for row in order["order_rows"]} == {"minutes"}
    resources = api.get("/v1/resource", with_="activities")["data"]
    assert [(resource["type"], [machine_of[item["id"]] for item in resource["activities"]]) for resource in resources] == [
        ("machine", [number]) for number in range(6)
    ]


def test_a_second_run_writes_nothing(through: Through, api: Caller) -> None:
    load(through)
    before, writes = jobs(api), list(through.writes)
    assert load(through) == Loaded(unchanged={"activity": 6, "resource": 6, "item": 6, "order": 6})
    assert through.writes == writes
    assert jobs(api) == before


@pytest.mark.parametrize("patience", [0, 1, 8, 23])
def test_an_interrupted_run_is_finished_by_the_next(patience: int, through: Through, api: Caller) -> None:
    through.patience = patience
    with pytest.raises(KeyboardInterrupt):
        load(through)
    through.patience = 10_000
    loaded = load(through)
    assert (sum(loaded.unchanged.values()), sum(loaded.created.values()), loaded.updated) == (patience, 24 - patience, {})
    assert [len(order["order_rows"]) for order in jobs(api)] == [6] * 6


def test_what_was_changed_since_is_put_right_and_only_that(through: Through, api: Caller) -> None:
    load(through)
    before = jobs(api)
    first, second, third = before[:3]
    api.put(f"/v1/order/{first['id']}/row/{first['order_rows'][0]['id']}", {"quantity": 99})
    api.post(f"/v1/order/{second['id']}/row", {"position": 9, "description": "one too many"})
    api.delete(f"/v1/order/{third['id']}/row/{third['order_rows'][5]['id']}")
    assert load(through).updated == {"order": 3}
    assert [facts(order) for order in jobs(api)] == [facts(order) for order in before]
    assert [row["id"] for row in jobs(api)[0]["order_rows"]] == [row["id"] for row in first["order_rows"]]


def facts(order: Json) -> list[tuple[Any, ...]]:
    return [(row["external_ref"], row["position"], row["activity_id"], row["quantity"]) for row in order["order_rows"]]
