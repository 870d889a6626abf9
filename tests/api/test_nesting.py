"""What is nested in a body: objects made with their parent, links by id, and what an update does to those left out.

To see it fail: drop `examine` from `run_update`, delete rows that are kept (`keeps_missing`), or link ids without looking.
"""

from typing import Any

import pytest
from tests.client import Client
from tests.world import LONG_AGO, World

UNKNOWN = "00000000-0000-4000-8000-000000000000"

BOARD: dict[str, Any] = {
    "name": "Hall",
    "stages": [{"name": "Saw", "priority": 2}, {"name": "Plane", "priority": 1, "activities": []}],
    "labels": [{"name": "Rush", "priority": 1, "color": "red"}],
    "statuses": [{"name": "Open", "priority": 1, "entry": True}, {"name": "Done", "priority": 2, "exit": True}],
    "collections": [{"name": "Stairs", "checklists": [{"name": "Before", "items": [{"description": "oak"}]}]}, {"name": "Door"}],
    "board_views": [{"name": "Mine"}],
}


def names(items: list[dict[str, Any]]) -> list[str]:
    return [item["name"] for item in items]


def codes(items: list[dict[str, Any]]) -> list[str]:
    return [item["code"] for item in items]


def test_a_board_comes_with_all_that_is_nested_in_it(api: Client) -> None:
    made = api.post("/v1/board", BOARD, with_="stages,collections.checklists,views")
    assert names(made["stages"]) == ["Plane", "Saw"]
    assert names(made["labels"]) == ["Rush"]
    assert names(made["statuses"]) == ["Open", "Done"]
    assert names(made["views"]) == ["Mine"]
    assert names(made["collections"]) == ["Stairs", "Door"]
    [checklist] = made["collections"][0]["checklists"]
    assert [item["description"] for item in checklist["items"]] == ["oak"]
    assert {stage["board_id"] for stage in made["stages"]} == {made["id"]}
    assert api.names("/v1/stage", sort="priority") == ["Plane", "Saw"]
    assert api.names("/v1/collection") == ["Stairs", "Door"]


def test_an_order_comes_with_its_rows_and_what_it_refers_to(world: World, api: Client) -> None:
    oak = api.post("/v1/item", {"code": "oak"})["id"]
    body = {
        "code": "1042",
        "relation": {"name": "Visser"},
        "project": {"name": "Canal house"},
        "item": {"id": oak},
        "address": {"city": "Utrecht"},
        "order_rows": [{"code": "1", "item": {"id": oak}}, {"code": "2", "activity": {"description": "Sawing"}}],
    }
    made = api.post("/v1/order", body, with_="relation,project,item,address,order_rows.item,order_rows.activity")
    assert (made["relation"]["name"], made["project"]["name"], made["address"]["city"]) == ("Visser", "Canal house", "Utrecht")
    assert made["item_id"] == oak
    assert made["order_rows"][0]["item"]["code"] == "oak"
    assert made["order_rows"][1]["activity"]["description"] == "Sawing"
    assert api.ids(f"/v1/order/{made['id']}/row") == [row["id"] for row in made["order_rows"]]
    assert api.ids("/v1/item") == [oak]


def test_camel_case_names_of_relations_are_read_in_a_body(api: Client) -> None:
    assert codes(api.post("/v1/order", {"orderRows": [{"code": "1"}]}, with_="order_rows")["order_rows"]) == ["1"]


@pytest.mark.parametrize(
    "wrap", [lambda id: [{"id": id}], lambda id: [id], lambda id: [[{"id": id}]], lambda id: [{"id": id, "name": "ignored"}]]
)
def test_a_link_is_written_by_id_in_every_documented_form(wrap: Any, world: World, api: Client) -> None:
    label, path = world.id("label"), f"/v1/collection/{world.id('collection')}"
    found = api.put(path, {"labels": wrap(label)}, with_="labels")
    assert [item["id"] for item in found["labels"]] == [label]


def test_a_reference_is_set_moved_and_cleared_by_a_nested_object(api: Client) -> None:
    visser, bakker = (api.post("/v1/relation", {"name": name})["id"] for name in ("Visser", "Bakker"))
    order = api.post("/v1/order", {"relation": {"id": visser}})
    path = f"/v1/order/{order['id']}"
    assert order["relation_id"] == visser
    assert api.put(path, {"relation": {"id": bakker}})["relation_id"] == bakker
    assert api.put(path, {"relation": None})["relation_id"] is None
    assert api.put(path, {"relation_id": visser})["relation_id"] == visser
    new = api.put(path, {"relation": {"name": "Smit"}}, with_="relation")["relation"]
    assert new["name"] == "Smit"
    assert api.get("/v1/relation")["count"] == 3


@pytest.mark.parametrize(
    ("path", "body", "property_"),
    [
        ("/v1/order", {"relation": {"id": UNKNOWN}}, "relation.id"),
        ("/v1/order", {"relation_id": UNKNOWN}, "relation_id"),
        ("/v1/order", {"relation": {"id": "nonsense"}}, "relation.id"),
        ("/v1/order", {"relation": "Visser"}, "relation"),
        ("/v1/order", {"order_rows": [{"item": {"id": UNKNOWN}}]}, "order_rows[0].item.id"),
        ("/v1/order", {"order_rows": [{"id": UNKNOWN}]}, "order_rows[0].id"),
        ("/v1/order", {"order_rows": {"code": "1"}}, "order_rows"),
        ("/v1/order", {"order_rows": ["x"]}, "order_rows[0]"),
        ("/v1/board", {"name": "Hall", "stages": [{"priority": 1}]}, "stages[0].name"),
        ("/v1/board", {"name": "Hall", "resources": [{"id": UNKNOWN}]}, "resources[0].id"),
        ("/v1/board", {"name": "Hall", "resources": [{"active": True}]}, "resources[0].id"),
        ("/v1/board", {"name": "Hall", "stages": [{"name": "Saw", "activities": [UNKNOWN]}]}, "stages[0].activities[0].id"),
        ("/v1/group", {"resources": [5]}, "resources[0]"),
    ],
)
def test_a_nested_fault_names_its_place_and_nothing_is_made(
    path: str, body: dict[str, Any], property_: str, world: World, api: Client
) -> None:
    before = world.server.rows(world.environment_id)
    answer = api.ask("POST", path, body)
    assert (answer.status, set(answer.codes)) == (422, {10007})
    assert [name for name, _ in answer.faults] == [property_]
    assert world.server.rows(world.environment_id) == before


def test_nested_faults_come_in_one_answer(api: Client) -> None:
    body = {"name": "Hall", "stages": [{"name": "Saw"}, {}, {"name": None}], "labels": [{"color": "nice"}], "visibility": 5}
    assert {name for name, _ in api.ask("POST", "/v1/board", body).faults} == {
        "stages[1].name",
        "stages[2].name",
        "labels[0].color",
        "visibility",
    }


# ── what a PUT does to the others ──


@pytest.fixture
def board(api: Client) -> dict[str, Any]:
    made: dict[str, Any] = api.post("/v1/board", BOARD, with_="stages,collections,views")
    return made


def test_owned_objects_that_are_left_out_of_an_update_go(board: dict[str, Any], api: Client) -> None:
    saw = next(stage for stage in board["stages"] if stage["name"] == "Saw")
    body = {"stages": [{"id": saw["id"], "name": "Big saw"}, {"name": "Paint", "priority": 9}]}
    found = api.put(f"/v1/board/{board['id']}", body, with_="stages")
    assert [(stage["name"], stage["priority"]) for stage in found["stages"]] == [("Big saw", 2), ("Paint", 9)]
    assert api.names("/v1/stage") == ["Big saw", "Paint"]
    assert names(found["labels"]) == ["Rush"]


def test_owned_objects_stay_when_nested_ones_shall_not_be_deleted(board: dict[str, Any], api: Client) -> None:
    found = api.put(
        f"/v1/board/{board['id']}", {"stages": [{"name": "Paint", "priority": 9}]}, with_="stages", update_without_delete_nested="true"
    )
    assert names(found["stages"]) == ["Plane", "Saw", "Paint"]


def test_an_empty_list_removes_all_and_an_absent_one_nothing(board: dict[str, Any], api: Client) -> None:
    assert len(api.put(f"/v1/board/{board['id']}", {"name": "Barn"}, with_="stages")["stages"]) == 2
    assert api.put(f"/v1/board/{board['id']}", {"stages": []}, with_="stages")["stages"] == []


def test_the_collections_of_a_board_never_go_by_being_left_out(board: dict[str, Any], api: Client) -> None:
    assert names(api.put(f"/v1/board/{board['id']}", {"collections": []}, with_="collections")["collections"]) == ["Stairs", "Door"]


def test_a_child_of_another_parent_is_refused(board: dict[str, Any], world: World, api: Client) -> None:
    stranger = api.post("/v1/stage", {"board_id": world.id("board"), "name": "Elsewhere"})["id"]
    answer = api.ask("PUT", f"/v1/board/{board['id']}", {"stages": [{"id": stranger, "name": "Mine now"}]})
    assert (answer.status, answer.faults[0][0]) == (422, "stages[0].id")
    assert len(api.get(f"/v1/board/{board['id']}", with_="stages")["stages"]) == 2


@pytest.fixture
def order(api: Client) -> dict[str, Any]:
    rows = [{"code": code, "position": place} for place, code in enumerate("ABC")]
    made: dict[str, Any] = api.post("/v1/order", {"order_rows": rows}, with_="order_rows")
    return made


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["A!", "B", "C", "D"]),
        ({"remove_missing": "true"}, ["A!", "D"]),
        ({"remove_missing": "false"}, ["A!", "B", "C", "D"]),
        ({"remove_missing": "1", "update_without_delete_nested": "1"}, ["A!", "B", "C", "D"]),
    ],
)
def test_rows_of_an_order_go_only_if_missing_ones_shall_be_removed(
    query: dict[str, Any], expected: list[str], order: dict[str, Any], api: Client
) -> None:
    rows = [{"id": order["order_rows"][0]["id"], "code": "A!"}, {"code": "D", "position": 9}]
    found = api.put(f"/v1/order/{order['id']}", {"order_rows": rows}, with_="order_rows", **query)
    assert codes(found["order_rows"]) == expected


@pytest.mark.parametrize(("query", "expected"), [({}, ["new"]), ({"update_without_delete_nested": "true"}, ["old", "new"])])
def test_links_are_the_set_that_is_sent_unless_they_shall_stay(query: dict[str, Any], expected: list[str], api: Client) -> None:
    ids = {name: api.post("/v1/resource", {"name": name})["id"] for name in ("old", "new")}
    group = api.post("/v1/group", {"name": "hall", "resources": [{"id": ids["old"]}]})["id"]
    found = api.put(f"/v1/group/{group}", {"resources": [{"id": ids["new"]}]}, with_="resources", **query)
    assert names(found["resources"]) == expected


def test_pivot_values_belong_to_the_link(world: World, api: Client) -> None:
    sawing = world.id("activity")
    ids = [
        api.post("/v1/collection", {"name": name, "board_id": world.id("board"), "activities": [{"id": sawing, "time": time}]})["id"]
        for name, time in (("a", 30), ("b", 90))
    ]
    for id, time in zip(ids, (30, 90), strict=True):
        [activity] = api.get(f"/v1/collection/{id}", with_="activities")["activities"]
        assert (activity["id"], activity["time"], activity["time_budget"]) == (sawing, time, None)
    found = api.put(f"/v1/collection/{ids[0]}", {"activities": [{"id": sawing, "time_budget": 5}]}, with_="activities")
    assert [(activity["time"], activity["time_budget"]) for activity in found["activities"]] == [(30, 5)]
    assert api.refused("PUT", f"/v1/collection/{ids[0]}", {"activities": [{"id": sawing, "time": "long"}]}) == (422, [10007])


# ── lists of values with ids ──


def test_an_item_with_an_id_is_changed_and_one_without_is_new(world: World, api: Client) -> None:
    path = f"/v1/collection/{world.id('collection')}/checklist"
    made = api.post(path, {"name": "Before", "items": [{"description": "oak", "position": 1}, {"description": "glue", "position": 2}]})
    oak, glue = made["items"]
    assert oak["id"] != glue["id"]
    found = api.put(f"{path}/{made['id']}", {"items": [{"id": glue["id"], "checked": True}, {"description": "nails"}]})["items"]
    assert [(item["description"], item["checked"]) for item in found] == [("glue", True), ("nails", False)]
    assert found[0]["id"] == glue["id"]
    assert found[0]["position"] == 2
    kept = api.put(f"{path}/{made['id']}", {"items": [{"description": "paint"}]}, update_without_delete_nested="true")["items"]
    assert [item["description"] for item in kept] == ["glue", "nails", "paint"]


def test_custom_fields_of_a_board_keep_their_ids(api: Client) -> None:
    made = api.post("/v1/board", {"name": "Hall", "custom_fields": [{"name": "Wood", "type": "text"}]})
    [field] = made["custom_fields"]
    [changed] = api.put(f"/v1/board/{made['id']}", {"custom_fields": [{"id": field["id"], "name": "Timber"}]})["custom_fields"]
    assert (changed["id"], changed["name"], changed["type"], changed["created_at"]) == (field["id"], "Timber", "text", field["created_at"])


def test_a_custom_field_of_a_card_is_written_and_removed_by_its_name(api: Client) -> None:
    board = api.post("/v1/board", {"name": "Hall", "custom_fields": [{"name": "Wood type", "type": "text", "scope": "card"}]})["id"]
    collection = api.post("/v1/collection", {"name": "Stairs", "board_id": board})["id"]
    card = api.post(f"/v1/collection/{collection}/card", {})["id"]
    path = f"/v1/collection/{collection}/card/{card}/custom_fields"
    [field] = api.put(f"{path}/Wood%20type", {"value": "Oak"})["custom_fields"]
    assert (field["name"], field["type"], field["value"]) == ("Wood type", "text", "Oak")
    [again] = api.put(f"{path}/Wood%20type", {"value": "Ash"})["custom_fields"]
    assert (again["id"], again["value"]) == (field["id"], "Ash")
    assert api.refused("PUT", f"{path}/Colour", {"value": "red"}) == (404, [10004])
    api.delete(f"{path}/Wood%20type")
    assert api.refused("DELETE", f"{path}/Wood%20type") == (404, [10004])
    assert api.get(f"/v1/collection/{collection}/card/{card}")["custom_fields"] == []


# ── one link at a time ──


@pytest.mark.parametrize(
    ("parent", "relation", "word", "target"),
    [
        ("collection", "labels", "label", "label"),
        ("collection", "followers", "follower", "user"),
        ("collection", "activities", "activity", "activity"),
        ("card", "labels", "label", "label"),
        ("card", "followers", "follower", "user"),
        ("card", "activities", "activity", "activity"),
        ("card", "resources", "resource", "resource"),
    ],
)
def test_one_link_is_made_and_undone_without_touching_the_parent(
    parent: str, relation: str, word: str, target: str, world: World, api: Client
) -> None:
    path = f"/v1/collection/{world.id('collection')}" + (f"/card/{world.id('card')}" if parent == "card" else "")
    world.write(parent, world.id(parent), updated_at=LONG_AGO)
    link = f"{path}/{word}/{world.id(target)}"
    body = {"time": 45} if relation == "activities" else {}
    for _ in range(2):
        assert api.ask("PUT", link, body).status < 300
    [found] = api.get(path, with_=relation)[relation]
    assert found["id"] == world.id(target)
    if relation == "activities":
        assert found["time"] == 45
        assert parent == "collection" or api.get(path)["time"] == 45, "the card's time follows all the same"
    assert api.ask("DELETE", link).status == 204
    assert api.refused("DELETE", link) == (404, [10004])
    read = api.get(path, with_=relation)
    assert (read[relation], read["updated_at"]) == ([], LONG_AGO)
    assert api.refused("PUT", f"{path}/{word}/{UNKNOWN}", {}) == (404, [10004])


@pytest.mark.parametrize("body", [b"[]", b"[[]]", b"5", b'"x"', b"[{}]", b'[{"id": "x"}]', b"false", b'{"time": "long"}', b'{"time": [1]}'])
def test_a_link_with_a_bad_body_is_refused_and_not_made(body: bytes, world: World, api: Client) -> None:
    path = f"/v1/collection/{world.id('collection')}"
    status, _ = api.refused("PUT", f"{path}/activity/{world.id('activity')}", body, {"content-type": "application/json"})
    assert status in (400, 422)
    assert api.get(path, with_="activities")["activities"] == []


@pytest.mark.parametrize("id", [{}, [], 0, False, 5, "x", {"id": "x"}])
def test_an_item_whose_id_is_none_is_refused(id: Any, world: World, api: Client) -> None:
    path = f"/v1/collection/{world.id('collection')}/checklist"
    answer = api.ask("POST", path, {"items": [{"id": id, "description": "oak"}]})
    assert (answer.status, [name for name, _ in answer.faults]) == (422, ["items[0].id"])


# ── uniqueness ──


@pytest.mark.parametrize(
    ("first", "second", "is_refused"),
    [
        (("1", "Sales", "a"), ("1", "Sales", "a"), True),
        (("1", "Sales", "a"), ("1", "Sales", "b"), False),
        (("1", "Sales", "a"), ("1", "Purchase", "a"), False),
        (("1", "none", "a"), ("1", "none", "a"), True),
        (("1", None, "a"), ("1", None, "a"), False),
        (("1", "Sales", None), ("1", "Sales", None), False),
        ((None, "Sales", "a"), (None, "Sales", "a"), False),
    ],
)
def test_an_order_is_unique_by_reference_type_and_sub_type(
    first: tuple[Any, ...], second: tuple[Any, ...], is_refused: bool, api: Client
) -> None:
    one, two = (dict(zip(("external_ref", "type", "sub_type"), values, strict=True)) for values in (first, second))
    api.post("/v1/order", one)
    answer = api.ask("POST", "/v1/order", two)
    assert (answer.status == 422) == is_refused
    if is_refused:
        assert (answer.codes, answer.faults[0][0]) == ([10008], "external_ref")
        assert "Duplicate entry" in answer.faults[0][1]


def test_an_update_into_a_taken_reference_is_refused(api: Client) -> None:
    api.post("/v1/item", {"external_ref": "x"})
    made = api.post("/v1/item", {"external_ref": "y"})
    assert api.refused("PUT", f"/v1/item/{made['id']}", {"external_ref": "x"}) == (422, [10008])
    assert api.put(f"/v1/item/{made['id']}", {"external_ref": "y", "code": "same"})["code"] == "same"


def test_a_duplicate_inside_a_nested_object_undoes_the_whole(world: World, api: Client) -> None:
    api.post("/v1/order", {"order_rows": [{"external_ref": "r1"}]})
    before = world.server.rows(world.environment_id)
    answer = api.ask("POST", "/v1/order", {"relation": {"name": "Visser"}, "order_rows": [{"external_ref": "r2"}, {"external_ref": "r1"}]})
    assert (answer.status, answer.codes, answer.faults[0][0]) == (422, [10008], "order_rows[1].external_ref")
    assert world.server.rows(world.environment_id) == before


def test_an_archived_object_keeps_its_reference(api: Client) -> None:
    made = api.post("/v1/resource", {"name": "saw", "external_ref": "s1"})
    api.post(f"/v1/resource/{made['id']}/archive", expect=200)
    assert api.refused("POST", "/v1/resource", {"external_ref": "s1"}) == (422, [10008])


def test_the_reference_of_a_deviation_is_unique_within_its_resource(api: Client) -> None:
    ids = [api.post("/v1/resource", {"name": name})["id"] for name in ("saw", "plane")]
    body = {"type": "leave", "start_date": "2026-03-16", "end_date": "2026-03-17", "external_ref": "d1"}
    for id in ids:
        api.post(f"/v1/resource/{id}/schedule_deviation", body)
    assert api.refused("POST", f"/v1/resource/{ids[0]}/schedule_deviation", body) == (422, [10008])


# ── what belongs together ──


def test_deletion_takes_what_is_owned_along(board: dict[str, Any], api: Client) -> None:
    collection = board["collections"][0]["id"]
    api.delete(f"/v1/board/{board['id']}")
    assert api.get("/v1/stage")["count"] == 0
    assert api.refused("GET", f"/v1/collection/{collection}") == (404, [10004])


def test_a_card_takes_name_board_stage_and_status_from_where_it_is_put(board: dict[str, Any], api: Client) -> None:
    collection = board["collections"][0]
    card = api.post(f"/v1/collection/{collection['id']}/card", {}, with_="stage,status")
    assert (card["name"], card["board_id"]) == (collection["name"], board["id"])
    assert (card["stage"]["name"], card["status"]["name"]) == ("Plane", "Open")


def test_a_collection_goes_to_the_first_board(board: dict[str, Any], api: Client) -> None:
    api.post("/v1/board", {"name": "Second"})
    assert api.post("/v1/collection", {"name": "Loose"})["board_id"] == board["id"]


def test_a_collection_without_any_board_is_refused(api: Client) -> None:
    answer = api.ask("POST", "/v1/collection", {"name": "Loose"})
    assert (answer.status, answer.faults[0][0]) == (422, "board_id")


def test_a_card_stays_on_its_own_board(board: dict[str, Any], world: World, api: Client) -> None:
    path = f"/v1/collection/{board['collections'][0]['id']}/card"
    for name in ("stage_id", "status_id"):
        answer = api.ask("POST", path, {name: world.id(name.removesuffix("_id"))})
        assert (answer.status, answer.faults[0][0]) == (422, name)


def test_a_body_may_nest_to_a_limit(api: Client) -> None:
    body: Any = {"code": "deepest"}
    for _ in range(12):
        body = {"order_rows": [{"activity": {"item": body}}]}
    assert api.ask("POST", "/v1/order", body).status in (201, 422)
