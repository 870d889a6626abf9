"""A naive evaluation of a planned read over plain rows: slow, obvious, and written without the code it judges.

A row is a mapping from property to JSON value, with related objects under the name of their relation: an object or None for
one, a list for many. The store must answer the same ids in the same order.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from planwerk.fields import Items, Map, Words
from planwerk.plan import Read
from planwerk.query.conditions import All, AnyOf, Has, Node, Test

Row = Mapping[str, Any]

COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda value, operand: value == operand,
    "gt": lambda value, operand: value > operand,
    "gte": lambda value, operand: value >= operand,
    "lt": lambda value, operand: value < operand,
    "lte": lambda value, operand: value <= operand,
    "contains": lambda value, operand: operand.lower() in value.lower(),
    "starts_with": lambda value, operand: value.lower().startswith(operand.lower()),
    "ends_with": lambda value, operand: value.lower().endswith(operand.lower()),
}


def naive_list(rows: Sequence[Row], read: Read) -> list[str]:
    """The ids of the page that a read means, in order."""
    found = sorted(matching(rows, read), key=lambda row: row["id"], reverse=bool(read.sort) and read.sort[-1][1])
    for name, is_descending in reversed(read.sort):
        found.sort(key=lambda row: place(row[name]), reverse=is_descending)
    return [row["id"] for row in found[read.offset : read.offset + read.limit]]


def naive_count(rows: Sequence[Row], read: Read) -> int:
    """How many rows a read means on all of its pages."""
    return len(list(matching(rows, read)))


def matching(rows: Sequence[Row], read: Read) -> Iterator[Row]:
    for row in rows:
        is_archived = row.get("archived_at") is not None
        is_wanted = {"true": True, "false": not is_archived, "only": is_archived}[read.archived] or not read.object.is_archivable
        if is_wanted and passes(row, read.filter):
            yield row


def place(value: Any) -> tuple[bool, Any]:
    """What to sort by: null comes after everything."""
    return (True, 0) if value is None else (False, value)


def passes(row: Row, node: Node | None) -> bool:
    if node is None:
        return True
    if isinstance(node, All):
        return all(passes(row, item) for item in node.items)
    if isinstance(node, AnyOf):
        return any(passes(row, item) for item in node.items)
    if isinstance(node, Has):
        related = [other for other in related_rows(row, node.relation.name) if node.id is None or other["id"] == node.id]
        return (len(related) >= node.least) != node.is_negated
    assert isinstance(node, Test)
    tested = [row] if node.relation is None else related_rows(row, node.relation.name)
    return any(holds(one, node) for one in tested) != node.is_negated


def related_rows(row: Row, name: str) -> list[Row]:
    related = row.get(name)
    return list(related) if isinstance(related, list) else [related] if related is not None else []


def holds(row: Row, test: Test) -> bool:
    """Whether any value that a test looks at passes; null passes nothing, and is found where there is no value."""
    values = [value for value in values_of(row, test) if value is not None]
    if test.is_null:
        return not values
    return any(COMPARISONS[test.operator](value, test.value) for value in values)


def values_of(row: Row, test: Test) -> list[Any]:
    value = row[test.column]
    if isinstance(test.field, Map):
        return [as_text((value or {}).get(test.key))]
    if isinstance(test.field, Items):
        return [as_text(item["value"]) for item in value or () if item["name"] == test.key]
    if isinstance(test.field, Words):
        return [None if value is None else orjson.dumps(value).decode()]
    return [value]


def as_text(value: Any) -> str | None:
    """A JSON value as the text it is compared as."""
    return value if value is None or isinstance(value, str) else orjson.dumps(value).decode()
