"""What an object takes from the place where it is put, and what must belong together."""

from typing import Any

import orjson
import pytest
from tests.unit.rules.plant import OBJECTS, Plant

from planwerk.errors import Refusal
from planwerk.rules.belonging import (
    card_of_collection,
    collection_of_card,
    first_board,
    place_of_card,
    same_board,
    stages_of_boards,
)

Values = dict[str, Any]


def filled(plant: Plant, rule: Any, **values: Any) -> Values:
    plant.work(lambda tx: rule(tx, values))
    return values


def faults(plant: Plant, rule: Any, values: Values, row: Values | None = None) -> list[tuple[str | None, str]]:
    return [(fault.property, fault.description) for fault in plant.work(lambda tx: list(rule(tx, values, row)))]


# ── collections ──


def test_a_collection_without_a_board_goes_to_the_first_that_is_not_archived(plant: Plant) -> None:
    plant.add("board", name="old", archived_at="2024-01-01T00:00:00Z")
    board = plant.add("board", name="first")
    plant.add("board", name="second")
    assert filled(plant, first_board)["board_id"] == board["id"]


def test_a_collection_that_names_its_board_stays_there(plant: Plant) -> None:
    assert filled(plant, first_board, board_id="chosen")["board_id"] == "chosen"


def test_a_collection_needs_a_board_when_there_is_none(plant: Plant) -> None:
    with pytest.raises(Refusal, match="board_id is required, for there is no board yet"):
        filled(plant, first_board)


# ── cards ──


def test_a_card_takes_board_name_entry_status_and_first_stage_of_its_collection(plant: Plant) -> None:
    board = plant.add("board", name="saw mill")["id"]
    plant.add("status", board_id=board, name="planned", priority=1)
    entry = plant.add("status", board_id=board, name="open", priority=2, entry=True)
    plant.add("stage", board_id=board, name="assembly", priority=2)
    first = plant.add("stage", board_id=board, name="sawing", priority=1)
    collection = plant.add("collection", board_id=board, name="a table")
    values = filled(plant, place_of_card, collection_id=collection["id"])
    assert values == {
        "collection_id": collection["id"],
        "board_id": board,
        "name": "a table",
        "status_id": entry["id"],
        "stage_id": first["id"],
    }


def test_without_an_entry_status_a_card_takes_the_first(plant: Plant) -> None:
    board = plant.add("board", name="saw mill")["id"]
    plant.add("status", board_id=board, name="later", priority=2)
    first = plant.add("status", board_id=board, name="first", priority=1)
    collection = plant.add("collection", board_id=board, name="a table")
    assert filled(plant, place_of_card, collection_id=collection["id"])["status_id"] == first["id"]


def test_a_board_without_stage_and_status_has_cards_without(plant: Plant) -> None:
    collection = plant.add("collection", board_id=plant.add("board", name="bare")["id"], name="a table")
    values = filled(plant, place_of_card, collection_id=collection["id"])
    assert (values["stage_id"], values["status_id"]) == (None, None)


def test_what_a_card_names_itself_stays(plant: Plant) -> None:
    collection = plant.add("collection", board_id=plant.add("board", name="bare")["id"], name="a table")
    values = filled(plant, place_of_card, collection_id=collection["id"], name="", stage_id="a", status_id="b")
    assert (values["name"], values["stage_id"], values["status_id"]) == ("", "a", "b")


@pytest.mark.parametrize("collection_id", [None, "gone"])
def test_a_card_needs_a_collection(plant: Plant, collection_id: str | None) -> None:
    with pytest.raises(Refusal, match="collection_id is required"):
        filled(plant, place_of_card, collection_id=collection_id)


def test_stage_and_status_of_a_card_are_those_of_its_board(plant: Plant) -> None:
    board, other = plant.add("board", name="here")["id"], plant.add("board", name="there")["id"]
    collection = plant.add("collection", board_id=board, name="a table")["id"]
    stage, status = plant.add("stage", board_id=board, name="s")["id"], plant.add("status", board_id=other, name="s")["id"]
    strange = ("status_id", "status_id names a status of another board")
    assert faults(plant, same_board, {"collection_id": collection, "stage_id": stage, "status_id": status}) == [strange]
    assert faults(plant, same_board, {"collection_id": collection, "stage_id": stage}) == []


def test_what_a_card_has_already_is_not_questioned(plant: Plant) -> None:
    row = {"collection_id": "gone", "stage_id": "a", "status_id": "b"}
    assert faults(plant, same_board, {"stage_id": "a", "status_id": None}, row) == []
    assert faults(plant, same_board, {"stage_id": "new"}, row) == []


# ── what hangs on cards ──


def test_what_hangs_on_a_card_hangs_on_its_collection_too(plant: Plant) -> None:
    card = plant.add("card", collection_id="the collection")
    assert filled(plant, collection_of_card, card_id=card["id"])["collection_id"] == "the collection"
    assert filled(plant, collection_of_card, card_id=card["id"], collection_id="named")["collection_id"] == "named"
    assert filled(plant, collection_of_card, card_id="gone")["collection_id"] is None
    assert filled(plant, collection_of_card) == {}


def test_the_card_of_a_remark_is_one_of_its_collection(plant: Plant) -> None:
    card = plant.add("card", collection_id="one")["id"]
    strange = ("card_id", "card_id names a card of another collection")
    assert faults(plant, card_of_collection, {"collection_id": "one", "card_id": card}) == []
    assert faults(plant, card_of_collection, {"collection_id": "other", "card_id": card}) == [strange]
    assert faults(plant, card_of_collection, {"card_id": card}, {"collection_id": "other", "card_id": None}) == [strange]
    assert faults(plant, card_of_collection, {"card_id": card}, {"collection_id": "other", "card_id": card}) == []


# ── resources ──


def test_the_links_of_a_resource_to_stages_follow_those_to_boards(plant: Plant) -> None:
    resource = plant.add("resource", name="Ada")
    boards, stages = OBJECTS["resource"].link["boards"], OBJECTS["resource"].link["stages"]
    board = plant.add("board", name="saw mill")["id"]
    kept, gone = plant.add("stage", board_id=board, name="kept")["id"], plant.add("stage", board_id=board, name="gone")["id"]

    def tell(*shares: Values) -> dict[str, Any]:
        def work(tx: Any) -> dict[str, Any]:
            old = tx.links(boards, resource["id"]).get(board)
            tx.attach(boards, resource["id"], board, {"stages": orjson.dumps(shares).decode()}, old)
            stages_of_boards(tx, resource, None)
            return {id: row["percentage"] for id, row in tx.links(stages, resource["id"]).items()}

        return plant.work(work)

    assert tell({"id": kept, "percentage": 50}, {"id": gone, "percentage": 10}) == {kept: 50, gone: 10}
    assert tell({"id": kept, "percentage": 80}, {"id": "no stage"}, {"percentage": 5}) == {kept: 80}
    assert tell() == {}
