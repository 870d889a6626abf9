"""Filter text + object → a tree of tests whose names are fields and relations and whose operands are typed; pure.

Comes in: the text of a filter and the description of an object. Goes out: `Test`, `Has`, `All` and `AnyOf`, or a refusal with
INVALID_FILTER that shows the place.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from planwerk.describe import Object, Relation
from planwerk.errors import Refusal
from planwerk.fields import TEXT, UUID, Bad, Field, Items, Json, Map, Text, Words
from planwerk.query.body import relation_of
from planwerk.query.conditions import All, AnyOf, Condition, Has, Node, Test
from planwerk.query.grammar import fault, parse_filter
from planwerk.query.operators import folded


def shown_field(object: Object, name: str) -> Field | None:
    """The property that the API shows under a name."""
    field = object.field.get(name)
    return field if field is not None and field.is_shown else None


def known_relation(object: Object, name: str, objects: Mapping[str, Object]) -> Relation | None:
    """The relation of a name, in either spelling, if the catalog holds what it leads to."""
    relation = relation_of(object, name)
    return relation if relation is not None and relation.to in objects else None


def resolve_filter(object: Object, text: str, objects: Mapping[str, Object]) -> Node:
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
        if has_keys(field) and key is None:
            raise self.fault(condition, f"{field.name} is compared by one of its keys, {field.name}.<key>")
        if key is not None and not has_keys(field):
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
    return Text.operators if has_keys(field) else field.operators


def has_keys(field: Field) -> bool:
    """Whether a filter reaches inside a property by a key."""
    return isinstance(field, Map) or (isinstance(field, Items) and field.name == "custom_fields")


def text_operand(field: Field, text: str) -> str:
    """The operand of contains, starts_with or ends_with.

    >>> text_operand(Text("name"), "Saw"), text_operand(Words("warnings"), "Late")
    ('saw', '"late"')
    """
    return folded(orjson.dumps(text).decode() if isinstance(field, Words) else text)  # a whole word of the list's JSON text
