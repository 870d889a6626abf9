"""show and hide → what is kept of an answer; pure.

A path leads through names to a place: `*` is every property of an object (not its relations) or every item of a list, a
number is one item. Where a path ends, the whole of what is there is meant. Comes in: parsed JSON. Goes out: the same with less.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field as attribute
from typing import Any

from planwerk.describe import Link, Object, One, Relation
from planwerk.errors import BAD_REQUEST, refuse
from planwerk.fields import Field, Items, Json, Words
from planwerk.plan import With
from planwerk.query.body import relation_of
from planwerk.query.resolve import shown_field

MAX_PATHS = 500  # names in one text
MAX_NAMES = 16  # in one path
MAX_BRANCHES = 500  # places from which paths lead on; `*` beside many names multiplies them

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Branch:
    """Where paths lead on: by name, and `others` for every other name."""

    named: Mapping[str, "Branch"] = attribute(default_factory=dict)
    others: "Branch | None" = None


END = Branch()
"""Where a path ends: all that is there and below is meant. Compared by identity."""


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """A compiled pair of show and hide. `unknown` holds the names that lead nowhere, as they were written."""

    show: Branch | None
    hide: Branch | None
    unknown: tuple[str, ...] = ()

    def apply(self, value: Any) -> Any:
        """The object, or list of objects, with what show keeps and hide does not drop; `value` itself is not changed."""
        if isinstance(value, list):
            return [self.apply(item) for item in value]
        kept = value if self.show is None else keep(value, self.show)
        return kept if self.hide is None else drop(kept, self.hide)


def keep(value: Any, branch: Branch) -> Any:
    """What the paths lead to."""
    if branch is END:
        return value
    at, others = branch.named.get, branch.others
    if isinstance(value, dict):
        return {name: keep(inner, found) for name, inner in value.items() if (found := at(name, others)) is not None}
    if isinstance(value, list):
        return [keep(item, found) for index, item in enumerate(value) if (found := at(str(index), others)) is not None]
    return value


def drop(value: Any, branch: Branch | None) -> Any:
    """What the paths do not lead to; not called where one ends."""
    if branch is None:
        return value
    at, others = branch.named.get, branch.others
    if isinstance(value, dict):
        return {name: drop(inner, found) for name, inner in value.items() if (found := at(name, others)) is not END}
    if isinstance(value, list):
        return [drop(item, found) for index, item in enumerate(value) if (found := at(str(index), others)) is not END]
    return value


def compile_shape(show: str | None, hide: str | None, object: Object, with_: With, objects: Mapping[str, Object]) -> Shape | None:
    """The shape of an answer; None if nothing is asked for.

    A name leads nowhere, and selects nothing, if the object has no such property and no such relation comes with it.
    Refuses with 400 a text of too many names.
    """
    shown, hidden = (Reader(objects).branch(text, object, with_) for text in (show, hide))
    if shown is None and hidden is None:
        return None
    unknown = [name for found in (shown, hidden) if found for name in found[1]]
    return Shape(shown and shown[0], hidden and hidden[0], tuple(dict.fromkeys(unknown)))


class Reader:
    """Reads one text of show or hide."""

    def __init__(self, objects: Mapping[str, Object]) -> None:
        self.objects = objects
        self.branches = 0

    def branch(self, text: str | None, object: Object, with_: With) -> tuple[Branch, list[str]] | None:
        """The branch of a text and the names that lead nowhere; None for a text without names."""
        names = [name.strip() for name in (text or "").split(",") if name.strip()]
        if len(names) > MAX_PATHS:
            raise refuse(BAD_REQUEST, f"show and hide take at most {MAX_PATHS} names each")
        found = {name: list(self.paths(name, object, with_)) for name in names}
        unknown = [name for name, paths in found.items() if not paths]
        return (self.join({path for paths in found.values() for path in paths}), unknown) if names else None

    def paths(self, name: str, object: Object, with_: With) -> Iterator[Path]:
        parts = tuple(part.strip() for part in name.split("."))
        if all(parts) and len(parts) <= MAX_NAMES:
            yield from self.inside(object, with_, (), parts)

    def inside(self, object: Object, with_: With, pivot: tuple[Field, ...], path: Path) -> Iterator[Path]:
        """Where a path leads in an object, in the names of the answer; `pivot` are the properties its link adds."""
        name, rest = path[0], path[1:]
        fields = (*object.shown, *pivot) if name == "*" else (shown_field(object, name), *(one for one in pivot if one.name == name))
        for field in filter(None, fields):
            yield from inside_field(field, rest)
        relation = relation_of(object, name)
        for found, inner in with_:
            if found is relation:
                yield from ((found.name, *tail) for tail in self.related(found, inner, rest))

    def related(self, relation: Relation, inner: With, path: Path) -> Iterator[Path]:
        """Where a path leads in what a relation brings."""
        target = self.objects[relation.to]
        if not path:
            yield ()
        elif isinstance(relation, One):
            yield from self.inside(target, inner, (), path)
        else:
            item, rest = of_item(path)
            pivot = relation.table.pivot if isinstance(relation, Link) else ()
            tails = self.inside(target, inner, pivot, rest) if rest else iter([()])
            yield from ((item, *tail) for tail in tails)

    def join(self, paths: set[Path]) -> Branch:
        """One branch for many paths. What `*` selects is selected in every name of its own, too."""
        if () in paths:
            return END
        self.branches += 1
        if self.branches > MAX_BRANCHES:
            raise refuse(BAD_REQUEST, "show and hide combine too many names with *")
        everywhere = {path[1:] for path in paths if path[0] == "*"}
        named: dict[str, set[Path]] = {}
        for path in paths:
            if path[0] != "*":
                named.setdefault(path[0], set(everywhere)).add(path[1:])
        return Branch(named={name: self.join(tails) for name, tails in named.items()}, others=self.join(everywhere) if everywhere else None)


def inside_field(field: Field, path: Path) -> Iterator[Path]:
    """Where a path leads in a property; only what holds JSON has an inside, and any name may be there."""
    if not path:
        yield (field.name,)
    elif isinstance(field, Items | Words):
        item, rest = of_item(path)
        yield (field.name, item, *rest)
    elif isinstance(field, Json):
        yield (field.name, *path)


def of_item(path: Path) -> tuple[str, Path]:
    """Which item of a list a path means, and how it goes on: a path that names none goes on in each.

    >>> of_item(("0", "id")), of_item(("id",))
    (('0', ('id',)), ('*', ('id',)))
    """
    name = path[0]
    is_item = name == "*" or (name.isascii() and name.isdigit())
    return (name, path[1:]) if is_item else ("*", path)
