"""The exact document → one that is good to read: for the page only, never for a client or a test.

Left out are spellings that are merely tolerated, limits that are those of every number, headers that every answer has
(the guide tells them), and the inside of related objects, which have a chapter of their own (a reader that follows every
relation of every object would never end).
"""

from collections.abc import Mapping
from typing import Any

from planwerk.fields import INTEGER_LIMIT
from planwerk.reference.answers import EVERYWHERE
from planwerk.reference.properties import BLANK, DIGIT, SCHEMAS
from planwerk.reference.schemas import BARE_LINK

TOLERATED = (BLANK, DIGIT, BARE_LINK, {"type": "null"})
EVERY_NUMBER = (-INTEGER_LIMIT, INTEGER_LIMIT, -1e15, 1e15)
BODIES = ("Create", "Update")


def readable(document: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of the document for people."""
    found: dict[str, Any] = simplify(document)
    schemas = found["components"]["schemas"]
    for name, schema in schemas.items():
        if not name.endswith(BODIES):
            schemas[name] = cut(schema, schemas)
    return found


def simplify(value: Any) -> Any:
    if isinstance(value, list):
        return [simplify(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    plain = {name: simplify(inner) for name, inner in value.items() if not is_noise(name, inner)}
    if isinstance(kept := plain.get("anyOf"), list):
        kept = [choice for choice in kept if choice not in TOLERATED]
        if len(kept) == 1:
            del plain["anyOf"]
            return kept[0] | plain
    return plain


def is_noise(name: str, value: Any) -> bool:
    return (name in ("minimum", "maximum") and value in EVERY_NUMBER) or (name in EVERYWHERE and "$ref" in value)


def cut(value: Any, schemas: Mapping[str, Any]) -> Any:
    """The schema with the name of a related object in place of its inside."""
    if isinstance(value, list):
        return [cut(item, schemas) for item in value]
    if not isinstance(value, Mapping):
        return value
    if "$ref" in value:
        target = schemas.get(value["$ref"].removeprefix(SCHEMAS), {})
        rest = {name: inner for name, inner in value.items() if name != "$ref"}
        return {"type": "object", "title": target.get("title", "")} | rest
    return {name: cut(inner, schemas) for name, inner in value.items()}
