"""The catalog → every operation of the API, in one list.

The router and the reference both follow from the same objects; this list is what a test compares the routes with.
Nothing here answers a request.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import KW_ONLY, dataclass
from functools import cached_property

from planwerk.describe import CREATE, DELETE, LIST, ONE, UPDATE, Action, Link, Object, Place
from planwerk.reference.words import join_camel, plural, singular, spaced

ARCHIVE, RESTORE, ATTACH, DETACH, ACTION = "archive", "restore", "attach", "detach", "action"
METHODS = {LIST: "GET", CREATE: "POST", ONE: "GET", UPDATE: "PUT", DELETE: "DELETE"}
VERBS = {ONE: "get"}  # the word of an operation id where it is not the kind itself
ARTICLES = ("a", "an", "the")


@dataclass(frozen=True)
class Operation:
    """One method on one path template; `kind` is a word of `describe` or one of this module.

    `place` is where the object is reached (absent for an action), `relation` the link that attach and detach work on.
    """

    method: str
    path: str
    kind: str
    object: Object
    _: KW_ONLY
    place: Place | None = None
    relation: Link | None = None
    action: Action | None = None

    @cached_property
    def id(self) -> str:
        """The operation's name in generated clients: `listOrder`, `getOrderRow`, `attachCardLabel`."""
        if self.action is not None:
            return join_camel(word for word in self.action.name.split() if word not in ARTICLES)
        literals = [part for part in self.path.split("/") if part and not part.startswith("{")]
        literals += self.place.narrowing if self.place is not None else ()
        if self.kind in (ARCHIVE, RESTORE):
            literals.pop()
        return join_camel([VERBS.get(self.kind, self.kind), *literals])

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names in the path, in their order."""
        return tuple(re.findall(r"\{(\w+)\}", self.path))

    @property
    def summary(self) -> str:
        name = spaced(self.object.name)
        if self.action is not None:
            return self.action.name.capitalize()
        if self.relation is not None:
            return f"{self.kind.capitalize()} {with_article(spaced(singular(self.relation.name)))}"
        if self.kind == LIST:
            return f"List {plural(name)}" + self.below()
        return f"{VERBS.get(self.kind, self.kind).capitalize()} {with_article(name)}" + self.below()

    def below(self) -> str:
        """How the summary tells apart the places of an object that has several."""
        if self.place is None or len(self.object.places) == 1:
            return ""
        period = f" ({', '.join(self.place.narrowing)})" if self.place.narrowing else ""
        if parents := self.place.parameters:
            return f" of {with_article(spaced(parents[-1].removesuffix('_id')))}{period}"
        if period:
            return period
        further = self.place.path.split("/")[2:]
        return f" ({' '.join(further)})" if further else ""


def with_article(name: str) -> str:
    return f"an {name}" if name[0] in "aeio" else f"a {name}"


def operations(objects: Iterable[Object]) -> Iterator[Operation]:
    """Every operation, object by object: its places first, then what is beside them."""
    for described in objects:
        for place in described.places:
            yield from place_operations(described, place)
        for action in described.actions:
            yield Operation(action.method, action.path, ACTION, described, action=action)


def place_operations(described: Object, place: Place) -> Iterator[Operation]:
    """What can be done at a place; archiving and attaching is offered wherever an object can be changed."""
    single = f"{place.path}/{{{described.name}_id}}"
    for kind in place.operations:
        path = place.path if kind in (LIST, CREATE) else single
        yield Operation(METHODS[kind], path, kind, described, place=place)
    if UPDATE not in place.operations:
        return
    for kind in (ARCHIVE, RESTORE) if described.is_archivable else ():
        yield Operation("POST", f"{single}/{kind}", kind, described, place=place)
    for relation in open_links(described):
        other = f"{single}/{singular(relation.name)}/{{{relation.to}_id}}"
        yield Operation("PUT", other, ATTACH, described, place=place, relation=relation)
        yield Operation("DELETE", other, DETACH, described, place=place, relation=relation)


def open_links(described: Object) -> Iterator[Link]:
    for relation in described.relations:
        if isinstance(relation, Link) and relation.is_open:
            yield relation
