"""Hypothesis strategies for an object of the catalog: filters and sorts as texts that are valid for it, and rows to try them on.

Values and operands come from the same few per type, so that filters find something.
"""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from planwerk.describe import Object, Relation
from planwerk.fields import Boolean, Choice, Date, DateTime, Field, Integer, Items, Json, Map, Number, Text, Time, Uuid, Words
from planwerk.query.conditions import All, AnyOf, Condition, Node
from planwerk.query.grammar import write_filter

LETTERS = ("a", "A", "b", "ä", "Ä", "ß", "ſ", "é", "日", "😀", "%", "_", "'", '"', "\\", ",", ":", "(", ")", " ", ".", "1")
TEXTS = ("", "a", "A", "ä", "Ä", "aB", "b%", "_", "it's", "null", "x,y", "a:b", "(c)", "10", "9", "true", " a", "STRASSE", "Straße")
KEYS = ("color", "Best colour", "key:x", "it's", "a.b", "$x", 'a"b', "[0]")
DAYS = ("2023-12-31", "2024-01-01", "2024-02-29", "2024-03-01")
MOMENTS = ("2023-12-31T23:59:59Z", "2024-01-01T00:00:00Z", "2024-02-29T12:30:00Z")
CLOCKS = ("00:00", "08:30", "12:00", "23:59")
IDS = tuple(f"{number:08x}-0000-4000-8000-0000000000{number:02x}" for number in range(16))
NEVER_NULL = ("id", "created_at", "updated_at")  # the server sets them
RELATED = 3  # at most so many related objects of one row


def texts() -> SearchStrategy[str]:
    return st.one_of(st.sampled_from(TEXTS), st.text(st.sampled_from(LETTERS), max_size=4))


def plain_values() -> SearchStrategy[Any]:
    """What may stand under a key of a map and is compared as text."""
    return st.one_of(st.none(), st.booleans(), st.integers(-2, 12), texts())


def values(field: Field) -> SearchStrategy[Any]:
    """JSON values of a property, as the API shows them; null where it may be."""
    usual = usual_values(field)
    return st.one_of(st.none(), usual) if field.takes_null and field.name not in NEVER_NULL else usual


def usual_values(field: Field) -> SearchStrategy[Any]:
    if isinstance(field, Text):
        return texts().filter(lambda text: len(text) <= field.max) if field.pattern is None else st.none()
    if isinstance(field, Integer):
        return st.integers(max(field.min, -2), min(field.max, 12))
    if isinstance(field, Number):
        return st.sampled_from([number for number in (-0.5, 0, 1, 1.5, 10) if field.min <= number <= field.max])
    if isinstance(field, Choice):
        return st.sampled_from(field.words)
    if isinstance(field, Words):
        return st.lists(st.sampled_from(field.words or TEXTS), unique=True, max_size=3)
    if isinstance(field, Map):
        return st.dictionaries(st.sampled_from(KEYS), plain_values(), max_size=3)
    if isinstance(field, Items):
        names = st.lists(st.sampled_from(KEYS), unique=True, max_size=3)
        return names.flatmap(lambda chosen: st.tuples(*(item(name) for name in chosen)).map(list))
    pools: Mapping[type[Field], tuple[Any, ...]] = {Uuid: IDS, Boolean: (False, True), Date: DAYS, DateTime: MOMENTS, Time: CLOCKS}
    return st.sampled_from(next((pool for kind, pool in pools.items() if isinstance(field, kind)), (None,)))


def item(name: str) -> SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"name": st.just(name), "value": plain_values()})


def row(described: Object, objects: Mapping[str, Object]) -> SearchStrategy[dict[str, Any]]:
    """One row with its related rows, which have none of their own."""
    members = {field.name: values(field) for field in described.shown} | {"id": st.sampled_from(IDS)}
    for relation in described.relations:
        if relation.to in objects:
            members[relation.name] = st.lists(row(objects[relation.to], {}), max_size=RELATED, unique_by=lambda one: one["id"])
    return st.fixed_dictionaries(members)


def rows(described: Object, objects: Mapping[str, Object] | None = None) -> SearchStrategy[list[dict[str, Any]]]:
    """Rows with ids of their own, for `naive_list`; with `objects` each carries lists of related rows."""
    return st.lists(row(described, objects or {}), max_size=12, unique_by=lambda one: one["id"])


# ── texts ──


def sorts(described: Object) -> SearchStrategy[str]:
    names = [field.name for field in described.shown if not isinstance(field, Json)]
    key = st.tuples(st.sampled_from(names), st.sampled_from(("", ":asc", ":desc"))).map("".join)
    return st.lists(key, max_size=3).map(",".join)


def filters(described: Object, objects: Mapping[str, Object] | None = None) -> SearchStrategy[str]:
    """Filters that are valid for an object; with `objects` also on related ones."""
    return trees(conditions(described, objects or {})).map(write_filter)


def trees(leaves: SearchStrategy[Condition]) -> SearchStrategy[Node]:
    """Trees as the grammar makes them: every join has two items or more."""

    def joined(inner: SearchStrategy[Node]) -> SearchStrategy[Node]:
        items = st.lists(inner, min_size=2, max_size=3).map(tuple)
        return st.one_of(items.map(All), items.map(AnyOf))

    nodes: SearchStrategy[Node] = leaves.map(lambda leaf: leaf)
    return st.recursive(nodes, joined, max_leaves=5)


def conditions(described: Object, objects: Mapping[str, Object]) -> SearchStrategy[Condition]:
    choices = list(own_conditions(described, ()))
    for relation in described.relations:
        if relation.to in objects:
            choices += [has_condition(relation), *own_conditions(objects[relation.to], (relation.name,))]
    return st.one_of(choices)


def own_conditions(described: Object, prefix: tuple[str, ...]) -> list[SearchStrategy[Condition]]:
    found = []
    for field in described.shown:
        if isinstance(field, Map) or field.name == "custom_fields":
            found += [condition((*prefix, field.name, key), Text("value")) for key in KEYS]
        elif field.operators:
            found.append(condition((*prefix, field.name), field))
    return found


def condition(path: tuple[str, ...], field: Field) -> SearchStrategy[Condition]:
    compared = st.sampled_from(sorted(field.operators)).flatmap(lambda operator: compare(path, operator, operand_texts(field, operator)))
    null = st.builds(Condition, st.just(path), st.just("eq"), st.booleans(), st.just("null"), st.just(False))
    return st.one_of(compared, compared, compared, null) if "eq" in field.operators else compared


def compare(path: tuple[str, ...], operator: str, operands: SearchStrategy[str]) -> SearchStrategy[Condition]:
    return st.builds(Condition, st.just(path), st.just(operator), st.booleans(), operands, st.just(True))


def has_condition(relation: Relation) -> SearchStrategy[Condition]:
    operands = st.sampled_from(("", "0", "1", "2", *IDS))
    return st.builds(Condition, st.just((relation.name,)), st.just("has"), st.booleans(), operands, st.just(False))


def operand_texts(field: Field, operator: str) -> SearchStrategy[str]:
    """Operands as texts: for text operators also pieces of the values."""
    if operator in ("contains", "starts_with", "ends_with"):
        return st.one_of(texts(), st.sampled_from(field.words)) if isinstance(field, Words) and field.words else texts()
    if isinstance(field, Boolean):
        return st.sampled_from(("true", "false", "1", "0", "TRUE"))
    return usual_values(field).filter(lambda value: value is not None).map(str)
