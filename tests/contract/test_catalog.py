"""The catalog against the facts of the contract, in both directions.

`facts/<object>.yaml` says what the contract documents, one line for each property. `differences/<object>.yaml` lists every
deliberate difference with its reason. What differs and is not listed fails, and so does what is listed and does not differ.

An entry of a differences file names what differs: `property` with the aspects that differ (`missing`, `added`, `type`, `max`,
`min`, `enum`, `default`, `nullable`, `read_only`, `write_only`, `deprecated`), or `relation`, `operation`, `event`, `unique`,
or `object: missing | added`.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from planwerk.catalog import ALL
from planwerk.catalog.webhook import EVENT_TYPES
from planwerk.describe import Link, Many, Object, Relation
from planwerk.fields import (
    EMAIL,
    INTEGER_LIMIT,
    URL,
    Anything,
    Choice,
    Field,
    Integer,
    Items,
    Map,
    Number,
    Record,
    Text,
    Uuid,
    Words,
)
from planwerk.routes import METHODS, routes_of

Difference = tuple[str, str, str]  # what, its name, the aspect

HERE = Path(__file__).parent
CATALOG: Mapping[str, Object] = {described.name: described for described in ALL}
FLAGS = ("nullable", "read_only", "write_only", "deprecated")
TIMESTAMPS = frozenset({"created_at", "updated_at", "archived_at", "deleted_at"})
KINDS: tuple[tuple[type[Field], str], ...] = (
    (Uuid, "uuid"),
    (Choice, "string"),
    (Words, "array"),
    (Items, "array"),
    (Map, "object"),
    (Record, "object"),
    (Anything, "any"),
)
LIMITS: Mapping[str, frozenset[float]] = {  # of a property whose documentation names none
    "string": frozenset({255, 65535}),
    "text": frozenset({65535}),
    "email": frozenset({254}),
    "url": frozenset({2048}),
    "color": frozenset({7}),
    "uuid": frozenset({36}),
    "integer": frozenset({INTEGER_LIMIT}),
    "number": frozenset({1e15}),
}


def read(folder: str) -> dict[str, Any]:
    return {path.stem: yaml.safe_load(path.read_text()) for path in sorted((HERE / folder).glob("*.yaml"))}


FACTS = read("facts")
LISTED = read("differences")
INSIDE = frozenset(name for name, facts in FACTS.items() if "inside" in facts)
NAMES = sorted({*CATALOG, *FACTS, *LISTED})


# ── what the catalog says, in the words of the facts ──


def type_of(field: Field) -> str:
    """
    >>> type_of(Text("name")), type_of(Text("color", pattern="^#[0-9]{6}$")), type_of(Integer("position"))
    ('string', 'color', 'integer')
    """
    if isinstance(field, Text):
        pattern = field.pattern or ""
        return {EMAIL: "email", URL: "url"}.get(pattern, "color" if pattern.startswith("^#") else "string")
    return next((kind for shape, kind in KINDS if isinstance(field, shape)), type(field).__name__.lower())


def limit_of(field: Field) -> float | None:
    if isinstance(field, Uuid):
        return 36
    return field.max if isinstance(field, Text | Integer | Number) else None


def least_of(field: Field) -> float | None:
    """The smallest number, if there is one beyond what every number has."""
    return field.min if isinstance(field, Integer | Number) and field.min not in (-INTEGER_LIMIT, -1e15) else None


def default_of(field: Field) -> str | None:
    """The default as the facts write it; that a list or an object starts empty, or with the defaults inside it, is none."""
    if field.default is None or isinstance(field.default, tuple | Mapping):
        return None
    return str(field.default).lower() if isinstance(field.default, bool) else str(field.default) or "''"


def flat(fields: tuple[Field, ...], prefix: str = "") -> Iterator[tuple[str, Field]]:
    """Every property that is shown or taken, those inside lists and objects under `outer.inner`."""
    for field in fields:
        if not field.hidden:
            yield prefix + field.name, field
            yield from flat(field.fields, f"{prefix}{field.name}.") if isinstance(field, Items | Record) else ()


# ── comparing ──


def documented(line: str) -> dict[str, str]:
    """
    >>> documented("string max=36 nullable")
    {'type': 'string', 'max': '36', 'nullable': ''}
    """
    return {key: value for key, _, value in (word.partition("=") for word in f"type={line}".split())}


def aspects(field: Field, fact: Mapping[str, str]) -> Iterator[str]:
    """The aspects in which a property differs from its fact."""
    kind = fact["type"]
    if type_of(field) != ("string" if kind == "text" else kind):
        yield "type"
    if not is_limit_kept(limit_of(field), fact):
        yield "max"
    if least_of(field) != (float(fact["min"]) if "min" in fact else None):
        yield "min"
    if not is_enum_kept(getattr(field, "words", ()), fact):
        yield "enum"
    if default_of(field) != fact.get("default"):
        yield "default"
    yield from (flag for flag in FLAGS if getattr(field, flag) != (flag in fact))


def is_limit_kept(limit: float | None, fact: Mapping[str, str]) -> bool:
    if "max" in fact:
        return limit == float(fact["max"])
    return limit is None or limit in LIMITS.get(fact["type"], ())


def is_enum_kept(words: tuple[str, ...], fact: Mapping[str, str]) -> bool:
    """`enum` names all words, `some` only those that are known."""
    if "some" in fact:
        return not words or set(fact["some"].split("|")) <= set(words)
    return set(words) == set(filter(None, fact.get("enum", "").split("|")))


def compare_properties(fields: tuple[Field, ...], facts: Mapping[str, str]) -> Iterator[Difference]:
    described = dict(flat(fields))
    detailed = {owner(name) for name in facts}  # a list or object whose inside is not documented may hold anything
    yield from (("property", name, "added") for name in described.keys() - facts.keys() if owner(name) in detailed)
    for name, line in facts.items():
        if name not in described:
            yield "property", name, "missing"
        else:
            yield from (("property", name, aspect) for aspect in aspects(described[name], documented(line)))


def owner(name: str) -> str:
    return name.rpartition(".")[0]


def compare_names(what: str, ours: set[str], theirs: set[str]) -> Iterator[Difference]:
    yield from ((what, name, "added") for name in ours - theirs)
    yield from ((what, name, "missing") for name in theirs - ours)


def without_names(path: str) -> str:
    """Paths agree whatever their parameters are called.

    >>> without_names("GET /order/{order_id}/row")
    'GET /order/{}/row'
    """
    return re.sub(r"{\w+}", "{}", path)


def operations_of(described: Object) -> set[str]:
    """The operations on records and the actions; archive, restore, attach and detach follow from the description."""
    kinds = {*METHODS, "action"}
    return {without_names(f"{route.method} {route.path}") for route in routes_of([described]) if route.kind in kinds}


def compare_operations(described: Object, facts: Mapping[str, Any]) -> Iterator[Difference]:
    ours, later = operations_of(described), {without_names(path) for path in facts.get("later", ())}
    return compare_names("operation", ours, {without_names(path) for path in facts["operations"]} | (later & ours))


def compare_object(described: Object, facts: Mapping[str, Any]) -> Iterator[Difference]:
    offered = {*described.relation, *described.plain_with}
    yield from compare_properties(described.fields, facts["fields"])
    yield from compare_names("relation", offered, {name.partition(".")[0] for name in facts["with"]})
    yield from compare_names("unique", {" ".join(key) for key in described.unique}, {" ".join(key) for key in facts["unique"]})
    yield from compare_names("event", set(described.events), set(facts["events"]))
    yield from compare_operations(described, facts)
    if described.is_archivable != facts["archivable"]:
        yield "archivable", described.name, "added" if described.is_archivable else "missing"


def fields_inside(place: str) -> tuple[Field, ...]:
    """The properties of what stands at `object.property` or `object.relation`."""
    name, _, inner = place.partition(".")
    relation = CATALOG[name].relation.get(inner)
    if isinstance(relation, Link):
        return (*CATALOG[relation.to].fields, *relation.table.pivot)
    owner = CATALOG[name].field[inner]
    assert isinstance(owner, Items)
    return owner.fields


def found(name: str) -> set[Difference]:
    """Every difference between the catalog and the facts of an object."""
    if name in INSIDE:
        return {item for place in FACTS[name]["inside"] for item in compare_properties(fields_inside(place), FACTS[name]["fields"])}
    if name not in CATALOG:
        return {("object", name, "missing")}
    if name not in FACTS:
        return {("object", name, "added")}
    return set(compare_object(CATALOG[name], FACTS[name]))


# ── the lists of differences ──


def names_of(value: Any) -> list[str]:
    """
    >>> names_of("name"), names_of(["a", "b"]), names_of([["a", "b"]])
    (['name'], ['a', 'b'], ['a b'])
    """
    return [" ".join(item) if isinstance(item, list) else item for item in (value if isinstance(value, list) else [value])]


def listed_by(entry: Mapping[str, Any], name: str) -> Iterator[Difference]:
    what = next(key for key in entry if key not in ("differs", "reason"))
    if what == "object":
        yield "object", name, entry["object"]
        return
    for item in names_of(entry[what]):
        yield from ((what, without_names(item), aspect) for aspect in names_of(entry["differs"]))


def listed(name: str) -> set[Difference]:
    return {item for entry in LISTED.get(name, ()) for item in listed_by(entry, name)}


# ── the promises ──


@pytest.mark.parametrize("name", NAMES)
def test_the_catalog_says_what_the_contract_says_but_for_listed_differences(name: str) -> None:
    assert sorted(found(name) - listed(name)) == []


@pytest.mark.parametrize("name", NAMES)
def test_every_listed_difference_is_a_real_one(name: str) -> None:
    assert sorted(listed(name) - found(name)) == []


@pytest.mark.parametrize("name", sorted(LISTED))
def test_every_difference_is_listed_once_and_with_a_reason(name: str) -> None:
    entries = LISTED[name]
    items = [item for entry in entries for item in listed_by(entry, name)]
    assert len(items) == len(set(items))
    assert [entry for entry in entries if len(entry.get("reason", "").split()) < 3] == []


@pytest.mark.parametrize("name", sorted(FACTS.keys() & CATALOG.keys()))
def test_properties_come_in_the_documented_order_but_for_the_timestamps(name: str) -> None:
    ours = [field.name for field in CATALOG[name].fields]
    shared = [known for known in FACTS[name]["fields"] if known in ours and known not in TIMESTAMPS]
    assert [known for known in ours if known in shared] == shared


@pytest.mark.parametrize("path", [f"{name}.{path}" for name, facts in FACTS.items() if name in CATALOG for path in facts["with"]])
def test_every_documented_way_through_relations_can_be_gone(path: str) -> None:
    name, *steps = path.split(".")
    for step in steps:
        assert step in CATALOG[name].relation or step in CATALOG[name].plain_with
        name = CATALOG[name].relation[step].to if step in CATALOG[name].relation else name


def test_every_event_of_the_catalog_can_be_subscribed_to() -> None:
    assert sorted(EVENT_TYPES) == sorted(f"{described.name}.{event}" for described in ALL for event in described.events)


RELATIONS = [
    pytest.param(described, relation, id=f"{described.name}.{relation.name}") for described in ALL for relation in described.relations
]


@pytest.mark.parametrize(("described", "relation"), RELATIONS)
def test_a_relation_goes_by_columns_that_exist(described: Object, relation: Relation) -> None:
    target, pivot = CATALOG[relation.to], set[str]()
    if isinstance(relation, Link):
        assert relation.by in (relation.table.left, relation.table.right)
        pivot = {field.name for field in relation.table.pivot}
    elif isinstance(relation, Many):
        assert relation.by in target.field
        assert relation.by in {key[0] for key in (*target.index, *target.unique)}, "without an index every row would be read"
    assert {*target.field, *pivot}.issuperset(relation.order)


def test_a_different_limit_type_or_default_is_found() -> None:
    fields = (Text("code", max=50), Integer("position", default=0), Choice("status", words=("a",)))
    facts = {"code": "string max=36", "position": "number", "status": "string enum=a|b", "name": "string"}
    assert sorted(compare_properties(fields, facts)) == [
        ("property", "code", "max"),
        ("property", "name", "missing"),
        ("property", "position", "default"),
        ("property", "position", "max"),
        ("property", "position", "type"),
        ("property", "status", "enum"),
    ]
