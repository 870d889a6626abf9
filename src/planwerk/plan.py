"""Wish + object → what shall be read, or a refusal; pure.

Comes in: a `Wish` and the description of an object. Goes out: a `Read` in which every name is resolved to a field or
relation and every operand has its type, so that the store only has to translate it.
"""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from planwerk.actor import View
from planwerk.describe import Object, Relation
from planwerk.errors import BAD_REQUEST, INVALID_SORT, RELATION_NOT_FOUND, refuse
from planwerk.fields import Json
from planwerk.query.conditions import All, AnyOf, Has, Node, Test
from planwerk.query.parameters import Wish
from planwerk.query.resolve import known_relation, resolve_filter, shown_field

MAX_LEVELS = 4  # of relations within relations
MAX_PATHS = 100

With = tuple[tuple[Relation, "With"], ...]
"""The relations that come along, in the order asked for, each with those that come along with it."""


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """What shall be read. Compared by identity; `shape_of` tells whether two reads are one statement."""

    object: Object
    filter: Node | None
    sort: tuple[tuple[str, bool], ...]
    limit: int
    offset: int
    with_: With
    archived: str
    asked_limit: int


def plan_read(object: Object, wish: Wish, objects: Mapping[str, Object]) -> Read:
    """The read that a wish means for an object; refuses with 400 what the object cannot give."""
    return Read(
        object=object,
        filter=resolve_filter(object, wish.filter, objects) if wish.filter else None,
        sort=plan_sort(object, wish.sort),
        limit=wish.limit,
        offset=wish.offset,
        with_=plan_with(object, wish.with_ or "", objects),
        archived=wish.archived,
        asked_limit=wish.asked_limit,
    )


# ── sort ──


def plan_sort(object: Object, sort: tuple[tuple[str, bool], ...]) -> tuple[tuple[str, bool], ...]:
    for name, _ in sort:
        field = shown_field(object, name)
        if field is None:
            raise refuse(INVALID_SORT, f"sort: {object.name} has no property {name[:100]} of its own", "sort")
        if isinstance(field, Json):
            raise refuse(INVALID_SORT, f"sort: {name} holds no single value to sort by", "sort")
    return sort


# ── with ──


def plan_with(object: Object, text: str, objects: Mapping[str, Object]) -> With:
    """The tree of relations in `with`; refuses unknown names, more than 4 levels and more than 100 paths."""
    paths = [path.strip() for path in text.split(",") if path.strip()]
    if len(paths) > MAX_PATHS:
        raise refuse(BAD_REQUEST, f"with may name at most {MAX_PATHS} relations", "with")
    tree: dict[Relation, Any] = {}
    for path in paths:
        add_path(tree, object, path, objects)
    return frozen(tree)


def add_path(tree: dict[Relation, Any], object: Object, path: str, objects: Mapping[str, Object]) -> None:
    names = path.split(".")
    if len(names) > MAX_LEVELS:
        raise refuse(BAD_REQUEST, f"with may lead through at most {MAX_LEVELS} relations: {path[:200]}", "with")
    for level, name in enumerate(names):
        relation = known_relation(object, name.strip(), objects)
        if relation is None and name.strip() in object.plain_with:
            return
        if relation is None:
            raise refuse(RELATION_NOT_FOUND, f"Relation not found: {'.'.join(names[: level + 1])[:200]}", "with")
        tree, object = tree.setdefault(relation, {}), objects[relation.to]


def frozen(tree: dict[Relation, Any]) -> With:
    return tuple((relation, frozen(inner)) for relation, inner in tree.items())


# ── what the store asks ──


def shape_of(read: Read) -> Hashable:
    """A key that is equal for reads which differ in operand values, limit and offset only: those of one statement."""
    return read.object.name, skeleton(read.filter), read.sort, names(read.with_), read.archived


def is_narrow(read: Read, view: View, objects: Mapping[str, Object]) -> bool:
    """Whether a read shows a caller with that view anything else than what it shows who sees all."""
    met = {read.object, *(objects[relation.to] for relation in relations(read))}
    return any(described.is_narrow(view) for described in met)


def relations(read: Read) -> Iterator[Relation]:
    """Every relation that a read goes along, in its filter or in `with`."""
    yield from asked_relations(read.filter)
    yield from brought_relations(read.with_)


def asked_relations(node: Node | None) -> Iterator[Relation]:
    if isinstance(node, All | AnyOf):
        for item in node.items:
            yield from asked_relations(item)
    elif isinstance(node, Has | Test) and node.relation is not None:
        yield node.relation


def brought_relations(with_: With) -> Iterator[Relation]:
    for relation, inner in with_:
        yield relation
        yield from brought_relations(inner)


def skeleton(node: Node | None) -> Hashable:
    if isinstance(node, All | AnyOf):
        return type(node), tuple(map(skeleton, node.items))
    if isinstance(node, Has):
        return Has, node.relation.name, node.is_negated, node.id is None, node.least
    if isinstance(node, Test):
        relation = node.relation.name if node.relation else None
        return Test, relation, node.column, node.key, node.operator, node.is_negated, node.is_null
    return None


def names(with_: With) -> Hashable:
    return tuple((relation.name, names(inner)) for relation, inner in with_)


def operands(read: Read) -> list[Any]:
    """The values to bind, in the order in which a walk through the filter meets them."""
    return list(values(read.filter))


def values(node: Node | None) -> Iterator[Any]:
    if isinstance(node, All | AnyOf):
        for item in node.items:
            yield from values(item)
    elif isinstance(node, Has) and node.id is not None:
        yield node.id
    elif isinstance(node, Test) and not node.is_null:
        yield node.value
