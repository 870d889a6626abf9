"""What the API tells an integrator besides the answer: entries of `api_message`.

A note of a write is written in its transaction; a note of a read follows the answer. Equal notes are one entry whose
`updated_at` moves, so that a client that repeats itself does not fill the table.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from planwerk.describe import Object
from planwerk.shape import Shape
from planwerk.store.transaction import Transaction

MAX_NOTES = 20  # of one request


@dataclass(frozen=True, slots=True)
class Note:
    """One thing worth telling: the level (info, warning, error), a code that programs can compare, and a sentence."""

    level: str
    code: str
    text: str


def note_unknown(notes: list[Note], parameters: Iterable[str], shape: Shape | None, properties: Sequence[str] = ()) -> None:
    """Names that were ignored: query parameters, names in show and hide, properties of a body."""
    notes += [Note("warning", "UNKNOWN_PARAMETER", f"query parameter {name} is not known and was ignored") for name in parameters]
    names = shape.unknown if shape is not None else ()
    notes += [Note("warning", "UNKNOWN_PROPERTY", f"show and hide name {name}, which is not known and was ignored") for name in names]
    notes += [Note("warning", "UNKNOWN_PROPERTY", f"property {name} is not known and was ignored") for name in properties]


def write_notes(tx: Transaction, described: Object, method: str, path: str, query: str, notes: Sequence[Note]) -> None:
    endpoint = clean(path.lstrip("/"))
    parameters = described.field["query_params"].store({clean(name): plain(value) for name, value in parse_qsl(query)})
    for note in list(dict.fromkeys(notes))[:MAX_NOTES]:
        text = clean(note.text[:2000])  # the name of an unknown property may hold anything
        same = tx.first(described, endpoint=endpoint, method=method, message_code=note.code, message=text)
        if same is not None:
            tx.write(described, same, tx.moved(same, {"query_params": parameters}))
            continue
        values = {"log_level": note.level, "method": method, "endpoint": endpoint, "query_params": parameters}
        tx.insert(described, {**values, "message_code": note.code, "message": text})


def plain(value: str) -> Any:
    """Numbers stay numbers, as in the documented sample."""
    return int(value) if value.isascii() and value.isdigit() and len(value) < 16 else clean(value)


def clean(text: str) -> str:
    return text.replace("\x00", "")
