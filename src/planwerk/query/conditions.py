"""The trees of a filter: as it was written (`Condition`), and as it was understood (`Test`, `Has`).

`grammar` makes the first kind, `resolve` turns it into the second; `All` and `AnyOf` join either. Values only, no behaviour.
"""

from dataclasses import dataclass, field as attribute
from typing import Any, ClassVar

from planwerk.describe import Relation
from planwerk.fields import Field


@dataclass(frozen=True, slots=True)
class Condition:
    """One written condition. `position` is the index of its first character in the text; two conditions are equal wherever they stand."""

    path: tuple[str, ...]
    operator: str
    is_negated: bool
    value: str
    is_quoted: bool
    position: int = attribute(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Test:
    """One property compared with one value.

    `value` is typed by the field and ready to be bound: for text operators its case is folded. `key` is the key inside a
    map, or the name of an item. With `relation`, the test asks whether any related row passes. A row whose property is
    null passes a negated test.
    """

    __test__: ClassVar[bool] = False  # pytest takes what is called Test for a class of tests

    field: Field
    column: str
    operator: str
    is_negated: bool
    value: Any
    is_null: bool = False
    relation: Relation | None = None
    key: str | None = None
    position: int = attribute(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Has:
    """At least `least` related rows, or the one with `id`."""

    relation: Relation
    is_negated: bool
    id: str | None = None
    least: int = 1


@dataclass(frozen=True, slots=True)
class All:
    """Every item must hold."""

    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one item must hold."""

    items: tuple["Node", ...]


Node = Condition | Test | Has | All | AnyOf
