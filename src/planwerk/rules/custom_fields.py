"""One custom field of a card, written or removed by its name."""

from collections.abc import Mapping
from typing import Any

from planwerk.actor import Actor
from planwerk.errors import NOT_FOUND, refuse
from planwerk.fields import Items, load
from planwerk.rules.ordering import card_of_path
from planwerk.store.transaction import Row, Transaction


def set_by_name(tx: Transaction, actor: Actor, path: Mapping[str, str], given: Mapping[str, Any]) -> Row:  # noqa: ARG001 (see Action)
    """The card with the field set; a field the card does not have yet is taken from the board's definitions."""
    card = card_of_path(tx, path)
    field = tx.object("card").field["custom_fields"]
    items = load(card["custom_fields"]) or []
    item = next((item for item in items if item["name"] == path["name"]), None)
    if item is None:
        item = defined(tx, card, path["name"])
        items.append(item)
    item.update({**given, "name": path["name"], "updated_at": tx.now})
    return tx.update(tx.object("card"), card, {"custom_fields": field.store(items)})


def defined(tx: Transaction, card: Row, name: str) -> dict[str, Any]:
    """A new item for the board's custom field of this name; 404 if the board defines none."""
    board = tx.get(tx.object("board"), card["board_id"]) if card["board_id"] else None
    definitions = load(board["custom_fields"]) or [] if board else []
    found = next((item for item in definitions if item["name"] == name and item.get("scope") in (None, "card")), None)
    if found is None:
        raise refuse(NOT_FOUND, f"the card has no custom field {name}")
    fields = tx.object("card").field["custom_fields"]
    assert isinstance(fields, Items)
    return {field.name: found.get(field.name) for field in fields.fields} | {"id": tx.new_id(), "created_at": tx.now, "updated_at": tx.now}


def remove_by_name(tx: Transaction, actor: Actor, path: Mapping[str, str], given: Any) -> None:  # noqa: ARG001 (see Action)
    """The card without the field; 404 if it has none of this name."""
    card = card_of_path(tx, path)
    items = load(card["custom_fields"]) or []
    kept = [item for item in items if item["name"] != path["name"]]
    if len(kept) == len(items):
        raise refuse(NOT_FOUND, f"the card has no custom field {path['name']}")
    tx.update(tx.object("card"), card, {"custom_fields": tx.object("card").field["custom_fields"].store(kept)})
