"""Where events come from: the catalog's objects → which tables are watched, and what a change of each may tell. Pure.

An object tells of itself if `created` is among its events. A link table tells of the object on one side, as in
`card.label.attached`. A part without events of its own tells of what it belongs to, as in `collection.checklist.created`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain

from planwerk.describe import Link, Many, Object, One
from planwerk.fields import Field, Items
from planwerk.routes import SINGULAR

MERGED = "updated.merged"


class Shown:
    """Properties by name, and those of them whose column does not hold what an answer shows."""

    def __init__(self, fields: Iterable[Field]) -> None:
        self.names = tuple(field.name for field in fields)
        self.rendered = {field.name: field for field in fields if field.is_rendered}


class Plain:
    """An object with events of its own. `things` are the properties that a body may set, each under one name; `along` are the
    relations that a GET of it shows without being asked."""

    def __init__(self, described: Object) -> None:
        self.name = described.name
        self.shown = Shown(described.shown)
        self.things = frozenset(field.name for field in described.writable if not field.deprecated)
        self.along = tuple(relation for name in described.always_with if isinstance(relation := described.relation[name], One))
        self.is_merged = MERGED in described.events


class Linked:
    """A link table whose rows are events of the object on one side. `verbs` are those that it tells."""

    def __init__(self, parent: Object, link: Link, word: str) -> None:
        self.parent, self.link, self.word = parent, link, word
        self.by, self.by_other = link.by, link.table.other(link.by)
        self.pivot = Shown(link.table.pivot)
        self.prefix = f"{parent.name}.{word}"
        self.verbs = frozenset(verb for verb in ("attached", "detached", "updated") if f"{word}.{verb}" in parent.events)


class Nested:
    """An object that is part of another. `items` is its property that holds a list of things with ids."""

    def __init__(self, parent: Object, child: Object, by: str, word: str) -> None:
        self.parent, self.child, self.by, self.word = parent, child, by, word
        self.plain = Plain(child)
        self.prefix = f"{parent.name}.{word}"
        self.items = next((field.name for field in child.fields if isinstance(field, Items)), "")


@dataclass(frozen=True)
class Sources:
    """What may tell something, by the name of the object or link table that changes."""

    plain: Mapping[str, Plain]
    linked: Mapping[str, tuple[Linked, ...]]
    nested: Mapping[str, tuple[Nested, ...]]
    watched: frozenset[str]

    @cached_property
    def ends(self) -> Mapping[str, tuple[Linked, ...]]:
        """The links by the object that they lead to."""
        found: dict[str, tuple[Linked, ...]] = {}
        for linked in chain.from_iterable(self.linked.values()):
            found[linked.link.to] = (*found.get(linked.link.to, ()), linked)
        return found


@lru_cache
def sources_of(objects: tuple[Object, ...]) -> Sources:
    """The sources of a catalog, from the events that its objects name."""
    named = {described.name: described for described in objects}
    plain = {described.name: Plain(described) for described in objects if "created" in described.events}
    linked: dict[str, tuple[Linked, ...]] = {}
    nested: dict[str, tuple[Nested, ...]] = {}
    for parent in objects:
        for relation in parent.relations if parent.events else ():
            word = SINGULAR.get(relation.name, relation.name.removesuffix("s"))
            if isinstance(relation, Link) and f"{word}.attached" in parent.events:
                linked[relation.table.name] = (*linked.get(relation.table.name, ()), Linked(parent, relation, word))
            if isinstance(relation, Many) and f"{word}.created" in parent.events:
                nested[relation.to] = (*nested.get(relation.to, ()), Nested(parent, named[relation.to], relation.by, word))
    return Sources(plain, linked, nested, frozenset((*plain, *linked, *nested)))
