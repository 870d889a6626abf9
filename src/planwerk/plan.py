"""Wish + object → what shall be read, or a refusal; pure.

Comes in: a `Wish` and the description of an object. Goes out: a `Read` in which every name is resolved to a field or
relation and every operand has its type, so that the store only has to translate it.
"""

import re
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from planwerk.describe import Object, Relation
from planwerk.errors import BAD_REQUEST, INVALID_SORT, RELATION_NOT_FOUND, Refusal, refuse
from planwerk.fields import TEXT, UUID, Bad, Field, Items, Json, Map, Text, Words
from planwerk.query.body import relation_of
from planwerk.query.conditions import All, AnyOf, Condition, Has, Node, Test
from planwerk.query.grammar import fault, parse_filter
from planwerk.query.operators import folded
from planwerk.query.parameters import Wish

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
        filter=plan_filter(object, wish.filter, objects) if wish.filter else None,
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


def shown_field(object: Object, name: str) -> Field | None:
    """The property that the API shows under a name."""
    field = object.field.get(name)
    return field if field is not None and field.is_shown else None


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


def known_relation(object: Object, name: str, objects: Mapping[str, Object]) -> Relation | None:
    """The relation of a name, in either spelling, if the catalog holds what it leads to."""
    relation = relation_of(object, name)
    return relation if relation is not None and relation.to in objects else None


def frozen(tree: dict[Relation, Any]) -> With:
    return tuple((relation, frozen(inner)) for relation, inner in tree.items())


# ── filter ──


def plan_filter(object: Object, text: str, objects: Mapping[str, Object]) -> Node:
    """The filter with its names resolved and its operands typed; refuses with INVALID_FILTER."""
    return Judge(object, text, objects).node(parse_filter(text))


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges the conditions of one filter text."""

    object: Object
    text: str
    objects: Mapping[str, Object]

    def node(self, node: Node) -> Node:
        if isinstance(node, All):
            return All(tuple(map(self.node, node.items)))
        if isinstance(node, AnyOf):
            return AnyOf(tuple(map(self.node, node.items)))
        assert isinstance(node, Condition)
        return self.condition(node)

    def condition(self, condition: Condition) -> Node:
        name, *rest = condition.path
        relation = known_relation(self.object, name, self.objects)
        if relation is None:
            return self.test(condition, self.object, None, condition.path)
        if condition.operator == "has" and not rest:
            return self.has(condition, relation)
        if not rest:
            raise self.fault(condition, f"{name} is a relation: it takes has, or a property of it ({name}.id)")
        return self.test(condition, self.objects[relation.to], relation, tuple(rest))

    def has(self, condition: Condition, relation: Relation) -> Has:
        value = condition.value
        if not value:
            return Has(relation, condition.is_negated)
        if re.fullmatch(r"\d{1,9}", value, re.ASCII):
            return Has(relation, condition.is_negated, least=int(value))
        if UUID.fullmatch(value.lower()):
            return Has(relation, condition.is_negated, id=value.lower())
        raise self.fault(condition, "has takes an id, a number, or nothing")

    def test(self, condition: Condition, object: Object, relation: Relation | None, path: tuple[str, ...]) -> Test:
        field = self.field(condition, object, path[0])
        key = ".".join(path[1:]) or None
        self.check_key(condition, field, key)
        is_null = not condition.is_quoted and condition.value == "null"
        self.check_operator(condition, field, is_null=is_null)
        value = None if is_null else self.operand(condition, field)
        return Test(
            field=field,
            column=field.name,
            operator=condition.operator,
            is_negated=condition.is_negated,
            value=value,
            is_null=is_null,
            relation=relation,
            key=key,
            position=condition.position,
        )

    def field(self, condition: Condition, object: Object, name: str) -> Field:
        field = shown_field(object, name)
        if field is None and known_relation(object, name, self.objects):
            raise self.fault(condition, f"{name}: a filter leads through one relation only")
        if field is None:
            raise self.fault(condition, f"{object.name} has no property {name[:100]}")
        return field

    def check_key(self, condition: Condition, field: Field, key: str | None) -> None:
        has_keys = isinstance(field, Map) or (isinstance(field, Items) and field.name == "custom_fields")
        if has_keys and key is None:
            raise self.fault(condition, f"{field.name} is compared by one of its keys, {field.name}.<key>")
        if key is not None and not has_keys:
            raise self.fault(condition, f"{field.name} has nothing inside to compare")

    def check_operator(self, condition: Condition, field: Field, *, is_null: bool) -> None:
        name = condition.operator
        if name == "has":
            raise self.fault(condition, f"has asks for related objects, and {field.name} is a property")
        if is_null and name != "eq":
            raise self.fault(condition, f"null is compared with eq only; the text is written 'null', not with {name}")
        if name not in operators_of(field):
            raise self.fault(condition, f"{field.name} cannot be compared with {name}")

    def operand(self, condition: Condition, field: Field) -> Any:
        if condition.operator in TEXT:
            return text_operand(field, condition.value)
        if isinstance(field, Json):
            return condition.value
        try:
            return field.operand(condition.value)
        except Bad as bad:
            raise self.fault(condition, f"{field.name} {bad.description}") from None

    def fault(self, condition: Condition, description: str) -> Refusal:
        return fault(description, self.text, condition.position)


def operators_of(field: Field) -> frozenset[str]:
    """The operators of a property; what lies inside a map or a custom field is compared as text."""
    return Text.operators if isinstance(field, Map | Items) else field.operators


def text_operand(field: Field, text: str) -> str:
    """The operand of contains, starts_with or ends_with.

    >>> text_operand(Text("name"), "Saw"), text_operand(Words("warnings"), "Late")
    ('saw', '"late"')
    """
    return folded(orjson.dumps(text).decode() if isinstance(field, Words) else text)  # a whole word of the list's JSON text


# ── what the store asks ──


def shape_of(read: Read) -> Hashable:
    """A key that is equal for reads which differ in operand values, limit and offset only: those of one statement."""
    return read.object.name, skeleton(read.filter), read.sort, names(read.with_), read.archived


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
