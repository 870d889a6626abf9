"""What the API tells besides the answer: once, however often a client repeats itself."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.unit.rules.plant import OBJECTS, Plant, opened

from planwerk.describe import Object
from planwerk.notes import MAX_NOTES, Note, note_unknown, plain, write_notes
from planwerk.shape import compile_shape
from planwerk.store.transaction import Row

MESSAGE: Object = OBJECTS["api_message"]
NOTE = Note("warning", "UNKNOWN_PROPERTY", "property colour is not known and was ignored")


@pytest.fixture
def plant(tmp_path: Path) -> Any:
    database = opened(tmp_path)
    yield Plant(database, "environment")
    database.close()


def tell(plant: Plant, *notes: Note, query: str = "", path: str = "/v1/order") -> list[Row]:
    def work(tx: Any) -> list[Row]:
        write_notes(tx, MESSAGE, "GET", path, query, notes)
        return list(tx.find(MESSAGE))

    return plant.work(work)


def test_a_note_is_an_entry_of_api_message(plant: Plant) -> None:
    [row] = tell(plant, NOTE, query="limit=5&filter=a%3Db")
    assert [row[name] for name in ("log_level", "message_code", "message", "method", "endpoint")] == [
        "warning",
        "UNKNOWN_PROPERTY",
        "property colour is not known and was ignored",
        "GET",
        "v1/order",
    ]
    assert orjson.loads(row["query_params"]) == {"limit": 5, "filter": "a=b"}


def test_the_same_note_again_moves_its_entry(plant: Plant) -> None:
    [first] = tell(plant, NOTE)
    [second] = tell(plant, NOTE, NOTE, query="limit=1")
    assert (second["id"], second["version"]) == (first["id"], 2)
    assert orjson.loads(second["query_params"]) == {"limit": 1}


def test_an_entry_moves_never_backwards_even_if_the_clock_does(plant: Plant) -> None:
    [first] = tell(plant, NOTE)
    ahead = "2099-01-01T00:00:00Z"
    plant.work(lambda tx: tx.write(MESSAGE, first, {"updated_at": ahead}))
    [second] = tell(plant, NOTE, query="limit=1")
    assert (second["updated_at"], orjson.loads(second["query_params"])) == (ahead, {"limit": 1})


def test_a_note_of_another_endpoint_is_another_entry(plant: Plant) -> None:
    tell(plant, NOTE)
    assert len(tell(plant, NOTE, path="/v1/card")) == 2


def test_no_request_leaves_more_than_twenty(plant: Plant) -> None:
    assert len(tell(plant, *(Note("info", "X", str(number)) for number in range(MAX_NOTES + 5)))) == MAX_NOTES


def test_what_no_database_keeps_is_left_out(plant: Plant) -> None:
    [row] = tell(plant, Note("info", "X", "a\x00b" * 2000), query="a%00=b%00", path="/v1/x\x00y")
    assert len(row["message"]) < 2000
    assert "\x00" not in row["message"]
    assert "u0000" not in row["query_params"]
    assert row["endpoint"] == "v1/xy"


def test_every_name_that_was_ignored_is_told() -> None:
    notes: list[Note] = []
    shape = compile_shape("name,size", None, OBJECTS["warehouse"], (), OBJECTS)
    note_unknown(notes, ["colour"], shape, ["weight"])
    assert [(note.code, note.text.partition(",")[0]) for note in notes] == [
        ("UNKNOWN_PARAMETER", "query parameter colour is not known and was ignored"),
        ("UNKNOWN_PROPERTY", "show and hide name size"),
        ("UNKNOWN_PROPERTY", "property weight is not known and was ignored"),
    ]


def test_without_anything_unknown_nothing_is_told() -> None:
    notes: list[Note] = []
    note_unknown(notes, [], None)
    assert notes == []


@pytest.mark.parametrize(
    ("text", "value"), [("5", 5), ("005", 5), ("-5", "-5"), ("5.0", "5.0"), ("²", "²"), ("1" * 16, "1" * 16), ("", "")]
)
def test_numbers_stay_numbers(text: str, value: Any) -> None:
    assert plain(text) == value
