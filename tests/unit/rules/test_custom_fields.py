"""One custom field of a card, written or removed by its name."""

from typing import Any

import orjson
import pytest
from tests.unit.rules.plant import OBJECTS, Plant

from planwerk.actor import Actor
from planwerk.errors import NOT_FOUND, Kind, Refusal
from planwerk.rules.custom_fields import remove_by_name, set_by_name

ACTOR = Actor("environment", "api-key", "key")


class Card:
    """A card on a board that defines two custom fields for cards and one for collections."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        definitions = [
            {"name": "weight", "type": "number", "scope": "card", "value": 1},
            {"name": "colour", "type": "text", "scope": None},
            {"name": "customer", "type": "text", "scope": "collection"},
        ]
        board = plant.add("board", name="saw mill", custom_fields=orjson.dumps(definitions).decode())
        self.row = plant.add("card", collection_id="the collection", board_id=board["id"], name="a card")

    def path(self, name: str, **values: str) -> dict[str, str]:
        return {"collection_id": "the collection", "card_id": self.row["id"], "name": name, **values}

    def set(self, name: str, body: Any, **values: str) -> Any:
        row = self.plant.work(lambda tx: set_by_name(tx, ACTOR, self.path(name, **values), body))
        return orjson.loads(row["custom_fields"])

    def remove(self, name: str) -> None:
        self.plant.work(lambda tx: remove_by_name(tx, ACTOR, self.path(name), None))

    def refusal(self, *given: Any, **values: str) -> tuple[Kind, str]:
        with pytest.raises(Refusal) as caught:
            self.set(*given, **values)
        return caught.value.faults[0].kind, caught.value.faults[0].description


@pytest.fixture
def card(plant: Plant) -> Card:
    return Card(plant)


def test_a_field_that_the_card_lacks_is_taken_from_the_board(card: Card) -> None:
    [field] = card.set("weight", {"value": 7})
    assert (field["name"], field["type"], field["value"]) == ("weight", "number", 7)
    assert field["id"]
    assert field["created_at"] == field["updated_at"]


def test_a_field_that_the_card_has_is_changed_and_keeps_its_id(card: Card) -> None:
    [first] = card.set("weight", {"value": 7})
    [second] = card.set("weight", {"value": None, "priority": 3})
    assert second["updated_at"] >= first["updated_at"]
    assert second == {**first, "value": None, "priority": 3, "updated_at": second["updated_at"]}


def test_the_name_of_a_field_is_that_of_the_path(card: Card) -> None:
    [field] = card.set("weight", {"value": 7, "name": "other"})
    assert field["name"] == "weight"


def test_the_change_is_stored_with_the_card(card: Card) -> None:
    card.set("weight", {"value": 7})
    row = card.plant.get("card", card.row["id"])
    assert row["version"] == 2
    assert orjson.loads(row["custom_fields"])[0]["value"] == 7


@pytest.mark.parametrize("name", ["customer", "nothing"])
def test_a_field_that_the_board_does_not_define_for_cards_is_not_found(card: Card, name: str) -> None:
    assert card.refusal(name, {"value": 7}) == (NOT_FOUND, f"the card has no custom field {name}")


@pytest.mark.parametrize("path", [{"collection_id": "other"}, {"card_id": "other"}])
def test_a_card_that_is_not_where_the_path_says_is_not_found(card: Card, path: dict[str, str]) -> None:
    assert card.refusal("weight", {"value": 7}, **path) == (NOT_FOUND, "card not found")


def test_a_field_is_removed_by_its_name(card: Card) -> None:
    card.set("weight", {"value": 7})
    card.set("colour", {"value": "red"})
    card.remove("weight")
    assert [field["name"] for field in orjson.loads(card.plant.get("card", card.row["id"])["custom_fields"])] == ["colour"]


def test_a_field_that_is_not_there_cannot_be_removed(card: Card) -> None:
    with pytest.raises(Refusal, match="the card has no custom field weight"):
        card.remove("weight")


def test_a_card_without_a_board_has_no_custom_fields(card: Card) -> None:
    loose = card.plant.work(lambda tx: tx.update(OBJECTS["card"], card.row, {"board_id": None}))
    assert loose["board_id"] is None
    assert card.refusal("weight", {"value": 7})[0] is NOT_FOUND
