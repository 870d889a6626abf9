"""Three public clients of the vPlan API as they talk, with nothing changed but the address: a reader in Python, an
integration in JavaScript that sends header names in lower case, and a connector that writes back what it read.

To see it fail: take an empty parameter for a value, or give an item of a list a new `updated_at` though nothing in it changed.
"""

from dataclasses import replace
from typing import Any

import pytest
from tests.client import Client
from tests.server import OBJECTS
from tests.world import CREATED, World, place_of

EMPTY: dict[str, Any] = {"limit": 100, "offset": 0, "sort": "", "filter": "", "show": "", "hide": "", "with_": ""}
UPDATED = [described for described in CREATED if any({"one", "update"} <= set(place.operations) for place in described.places)]


def workshop(api: Client) -> dict[str, Any]:
    """A board as the clients find it."""
    board: dict[str, Any] = api.post(
        "/v1/board",
        {
            "name": "Hall",
            "labels": [{"name": "Rush", "color": "red"}],
            "statuses": [{"name": "To do", "color": "grey", "entry": True}, {"name": "Done", "color": "green", "exit": True}],
            "custom_fields": [{"name": "Colour", "type": "text"}],
            "stages": [{"name": "Saw", "priority": 0}, {"name": "Paint", "priority": 1}],
        },
    )
    return board


# ── the reader ──


@pytest.mark.parametrize("relation", ["labels", "statuses", "stages"])
def test_the_reader_gets_the_boards_with_one_relation_each_time(api: Client, relation: str) -> None:
    workshop(api)
    answer = api.get(f"/v1/board?with={relation}")
    assert set(answer) == {"count", "limit", "offset", "data"}
    assert [item["name"] for item in answer["data"][0][relation]] == {
        "labels": ["Rush"],
        "statuses": ["To do", "Done"],
        "stages": ["Saw", "Paint"],
    }[relation]


# ── the integration in JavaScript ──


def test_header_names_are_read_in_lower_and_in_upper_case(api: Client) -> None:
    upper = replace(api, headers={name.upper(): value for name, value in api.headers.items()})
    assert set(api.headers) == {"x-api-key", "x-api-env"}
    assert api.get("/v1/board") == upper.get("/v1/board")


def test_the_integration_posts_reads_and_removes_a_collection(api: Client) -> None:
    board = workshop(api)["id"]
    body = {"name": "V26", "description": "six frames", "due_date": "2026-12-24", "external_ref": "R1"}
    made = api.post("/v1/collection", body | {"start": "2026-12-01", "end": "2026-12-05"})
    assert {name: made[name] for name in body} == body
    assert (made["start"], made["end"], made["board_id"]) == (None, None, board)  # the cards decide when it starts and ends
    card = api.post(f"/v1/collection/{made['id']}/card", {"name": "Saw"})
    read = api.get(f"/v1/collection/{made['id']}")
    by_the_card = {"status": "planned", "position": None, "updated_at": read["updated_at"]}
    assert read == made | by_the_card
    assert api.get("/v1/resource")["data"] == []
    assert card["id"] in api.ids(f"/v1/card?collection_id={made['id']}")
    assert api.ids("/v1/card", filter=f"collection_id:eq:{made['id']}") == [card["id"]]
    api.delete(f"/v1/collection/{made['id']}")
    assert api.refused("GET", f"/v1/collection/{made['id']}") == (404, [10004])
    assert api.ids("/v1/card") == []


def test_the_integration_learns_that_its_reference_is_taken_and_may_use_it_after_a_removal(api: Client) -> None:
    workshop(api)
    made = api.post("/v1/collection", {"name": "V26", "external_ref": "R1"})
    answer = api.ask("POST", "/v1/collection", {"name": "V27", "external_ref": "R1"})
    assert (answer.status, answer.codes) == (422, [10008])
    assert "Duplicate entry" in answer.json["errors"][0]["description"]
    api.delete(f"/v1/collection/{made['id']}")
    assert api.post("/v1/collection", {"name": "V27", "external_ref": "R1"})["external_ref"] == "R1"


# ── the connector ──


@pytest.mark.parametrize("name", [described.name for described in CREATED])
def test_the_connector_lists_with_every_parameter_empty(world: World, name: str) -> None:
    id = world.id(name)
    answer = world.client.get(world.path(place_of(OBJECTS[name], "list")), **EMPTY)
    assert id in [item["id"] for item in answer["data"]]
    assert (answer["limit"], answer["offset"]) == (100, 0)


@pytest.mark.parametrize("name", [described.name for described in UPDATED])
def test_the_connector_writes_back_what_it_got_and_changes_nothing(world: World, name: str) -> None:
    world.id(name)
    path = world.one(OBJECTS[name], place_of(OBJECTS[name], "update"))
    before = world.client.ask("GET", path, show="", hide="", with_="")
    assert world.client.put(path, before.json)["id"] == before.json["id"]
    after = world.client.ask("GET", path)
    assert after.json == before.json
    assert after.headers["etag"] == before.headers["etag"]


def test_a_list_item_that_did_not_change_keeps_its_moment_beside_one_that_did(api: Client, world: World) -> None:
    fields = [{"name": "Wood", "type": "text"}, {"name": "Paint", "type": "text"}]
    made = api.post("/v1/board", {"name": "Hall", "custom_fields": fields})
    old = "2020-01-01T00:00:00Z"
    text = made["custom_fields"][0]["updated_at"]
    world.server.database.run_script(
        [f"UPDATE board SET custom_fields = replace(custom_fields, '{text}', '{old}') WHERE id = '{made['id']}'"]
    )
    wood, paint = ({**field, "updated_at": old, "created_at": old} for field in made["custom_fields"])
    written = api.put(f"/v1/board/{made['id']}", {"custom_fields": [wood, {**paint, "name": "Lacquer"}]})["custom_fields"]
    assert [field["updated_at"] == old for field in written] == [True, False]
    assert [field["created_at"] for field in written] == [old, old]


def test_the_connector_posts_a_collection_with_everything_it_is_linked_to(api: Client) -> None:
    board = workshop(api)
    activity = api.post("/v1/activity", {"name": "Sawing"})["id"]
    made = api.post(
        "/v1/collection",
        {
            "name": "V26",
            "board_id": board["id"],
            "due_date": "2026-12-24",
            "labels": [{"id": board["labels"][0]["id"]}],
            "activities": [{"id": activity, "time": 60}],
            "custom_fields": [{"name": "Colour", "type": "text", "value": "red", "priority": 1}],
        },
    )
    found = api.get(f"/v1/collection/{made['id']}", with_="labels,activities")
    assert [label["name"] for label in found["labels"]] == ["Rush"]
    assert [(item["id"], item["time"]) for item in found["activities"]] == [(activity, 60)]
    assert [(item["name"], item["type"], item["value"], item["priority"]) for item in found["custom_fields"]] == [
        ("Colour", "text", "red", 1)
    ]
    assert api.ids("/v1/collection", filter="custom_fields.Colour:eq:red") == [made["id"]]


def test_the_connector_needs_few_words_for_what_belongs_to_a_collection(api: Client) -> None:
    board = workshop(api)
    stage = api.post("/v1/stage", {"board_id": board["id"], "name": "Pack", "priority": 2, "delay_day": 1})
    assert (stage["priority"], stage["delay_day"]) == (2, 1)
    collection = f"/v1/collection/{api.post('/v1/collection', {'name': 'V26', 'board_id': board['id']})['id']}"
    card = api.post(f"{collection}/card", {"name": "Saw"})
    assert card["status_id"] == board["statuses"][0]["id"]
    assert api.post(f"{collection}/comment", {"text": "call first"})["text"] == "call first"
    link = {"filename": "plan.pdf", "file": "https://example.com/plan.pdf", "type": "external"}
    attachment = api.post(f"{collection}/attachment", link)
    assert {name: attachment[name] for name in link} == link
    tracked = api.post("/v1/time_tracking", {"card_id": card["id"], "start": "2026-11-24T09:00:00+01:00", "end": "2026-11-24T08:30:00Z"})
    assert (tracked["start"], tracked["end"]) == ("2026-11-24T08:00:00Z", "2026-11-24T08:30:00Z")


def test_the_connector_posts_an_order_with_its_rows_and_what_it_names(api: Client) -> None:
    ids = {name: api.post(f"/v1/{name}", {"external_ref": "R1"})["id"] for name in ("project", "relation", "item", "warehouse", "address")}
    rows = [{"description": "frame", "quantity": 2.5, "unit": "hours", "external_ref": "R1-1"}]
    order = {"code": "O1", "type": "Sales", "sub_type": "none", "external_ref": "R1", "promised_date": "", "order_rows": rows}
    made = api.post("/v1/order", order | {f"{name}_id": id for name, id in ids.items()})
    assert made["promised_date"] is None
    found = api.get(f"/v1/order/{made['id']}?with=orderRows,item,relation,project,warehouse,address")
    assert [{name: row[name] for name in rows[0]} for row in found["order_rows"]] == rows
    assert {name: found[name]["id"] for name in ids} == ids


def test_what_is_wrong_with_a_body_is_told_in_words_for_people(api: Client) -> None:
    answer = api.ask("POST", "/v1/webhook", {"url": "example"})
    assert answer.faults == [("url", "url must be an address that begins with http:// or https://")]
