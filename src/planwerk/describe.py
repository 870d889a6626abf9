"""The words in which the catalog describes an object; a description checks itself when it is made.

An `Object` says everything the engine needs: properties, relations, where it is reachable, who may do what, which keys
are unique, which events it has. The engine reads these values and knows no object by name. Descriptions are compared by
identity: there is one of each.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, field as attribute
from functools import cached_property
from typing import Any

from planwerk.actor import Role, View
from planwerk.fields import DateTime, Field, Ref, Uuid

LIST, CREATE, ONE, UPDATE, DELETE = "list", "create", "one", "update", "delete"
EVERYTHING = (LIST, CREATE, ONE, UPDATE, DELETE)
READ_ONLY = (LIST, ONE)


@dataclass(frozen=True, eq=False)
class LinkTable:
    """A table that joins two objects: the columns that hold their ids, and the pivot properties of the link."""

    name: str
    left: str
    right: str
    pivot: tuple[Field, ...] = ()

    def other(self, column: str) -> str:
        return self.right if column == self.left else self.left


@dataclass(frozen=True, eq=False)
class Relation:
    """A way from one object to others, usable in `with`, in `has` filters and in nested bodies.

    `to` is the other object's name, `order` the columns of the natural order (id always comes last).
    """

    name: str
    _: KW_ONLY
    to: str
    order: tuple[str, ...] = ()
    is_writable: bool = True


@dataclass(frozen=True, eq=False)
class One(Relation):
    """This object holds the other's id in `by`; nested `{id}` links, a nested object without id is created.

    With `key` the other's property of that name is compared instead of its id (the user behind a resource), and the
    first that fits is shown.
    """

    _: KW_ONLY
    by: str = ""
    key: str = "id"


@dataclass(frozen=True, eq=False)
class Many(Relation):
    """The other object holds this one's id in its column `by`.

    `is_owned`: the others live and die with this object, may be written inside it, and those left out of a PUT go.
    """

    _: KW_ONLY
    by: str = ""
    is_owned: bool = False
    keeps_missing: bool = False  # rows left out of a PUT stay unless `remove_missing=true` (order rows)


@dataclass(frozen=True, eq=False)
class Link(Relation):
    """Objects joined by a link table; `by` is the table's column that holds this object's id.

    `is_open` gives it paths of its own to attach and detach one by one. `own_role` is the least role that links and unlinks
    itself, where users are linked; any other link is a change of the object.
    """

    _: KW_ONLY
    table: LinkTable = LinkTable("", "", "")
    by: str = ""
    is_open: bool = False
    own_role: Role | None = None


@dataclass(frozen=True, eq=False)
class Place:
    """A path at which an object is reachable, and what can be done there.

    Every `{parameter}` before the last id names a property of the object. `fixed` holds the values that rows reached
    here have besides (a checklist of a collection has no card).
    """

    path: str
    operations: tuple[str, ...] = EVERYTHING
    fixed: Mapping[str, Any] = attribute(default_factory=dict)
    deprecated: str = ""
    with_: tuple[str, ...] = ()  # relations that come without asking, on the list of this place
    narrow: Callable[[Mapping[str, str]], str] | None = None  # the filter that a list's path stands for (a year, a month)
    narrowing: tuple[str, ...] = ()  # the parameters of the path that `narrow` reads
    sort: str = ""  # the order of the list unless the caller asks for another
    limit: int = 100  # how many the list answers unless the caller asks for another number

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameters that name a property."""
        names = (part[1:-1] for part in self.path.split("/") if part.startswith("{"))
        return tuple(name for name in names if name not in self.narrowing)


@dataclass(frozen=True, eq=False)
class Action:
    """Something that is no plain read or write of a record: `run(tx, actor, path, given)`.

    `body` lists the accepted properties, of the query string where the method is GET; `given` holds those that were sent,
    typed. What it returns is answered: a row of the object named by `answer`, as after an update; JSON text; a JSON value; None.
    """

    method: str
    path: str
    name: str
    run: Callable[..., Any]
    body: tuple[Field, ...] = ()
    status: int = 200
    answer: str = ""
    shows: tuple[Field, ...] = ()  # the properties of an answer that is no object of the catalog
    reveals: tuple[Field, ...] = ()  # what the answer shows besides, once (`tx.reveal`)
    is_feed: bool = False  # a GET that sees what others commit meanwhile; with `Accept: text/event-stream` it stays open
    role: Role | None = None  # the least role; None: that of an update, or of a read where it is a GET
    note: str = ""


@dataclass(frozen=True, eq=False)
class Job:
    """Work that follows a change in the background: `run(tx, arguments)`, in one transaction with the end of the job.

    It is run again if it fails or its process dies, so it must do nothing the second time.
    """

    name: str
    run: Callable[..., None]
    note: str = ""


@dataclass(frozen=True, eq=False)
class Upkeep:
    """Values that follow from other rows, kept right in the transaction of the change: `run(tx, changes)`.

    `watches` names the objects and link tables whose changes it wants to see; what it writes is seen by the others in turn.
    """

    watches: tuple[str, ...]
    run: Callable[..., None]


@dataclass(frozen=True, eq=False)
class Allow:
    """The least role for each kind of access. What is nested in a body is judged by its own object.

    Below the role for an update, `part` is the least role that may change the properties in `parts` (`items.checked`: of the
    items in a list that property alone). `own` names the property that holds whose a row is: that user may change and delete it,
    with the role for creating one, but not give it away.
    """

    read: Role = Role.GUEST
    create: Role = Role.MANAGER
    update: Role = Role.MANAGER
    delete: Role = Role.MANAGER
    part: Role | None = None
    parts: tuple[str, ...] = ()
    own: str = ""


@dataclass(frozen=True, eq=False)
class Sight:
    """Which rows of an object a user sees who does not see them all.

    A user whose card_visibility is `linked` sees only rows that have the user's resource in the relation `linked`, and only
    rows of which each relation in `through` leads to a row that the user sees; a reference that is null hides nothing.
    `own` names the property that holds whose a row is: below the role `others` a user sees no other's.
    """

    linked: str = ""
    through: tuple[str, ...] = ()
    own: str = ""
    others: Role = Role.ORGANISER


@dataclass(frozen=True, eq=False)
class Object:
    """One object of the API.

    `unique` lists keys within an environment (null never clashes, deleted rows free theirs); `index` further column lists
    that deserve an index. The others are rules: `default(tx, values)` fills absent values of a create,
    `derive(tx, values, row)` sets values that follow from others, `check(tx, values, row)` yields faults before a write,
    `after(tx, row, old)` follows it, `removal(tx, row)` is what a DELETE does where that is more than deleting the row.
    `upkeep` and `jobs` say what changes of other rows, and time, do to it.
    """

    name: str
    _: KW_ONLY
    section: str
    purpose: str
    fields: tuple[Field, ...]
    relations: tuple[Relation, ...] = ()
    places: tuple[Place, ...] = ()
    actions: tuple[Action, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    index: tuple[tuple[str, ...], ...] = ()
    always_with: tuple[str, ...] = ()  # relations that a single answer carries without asking
    plain_with: tuple[str, ...] = ()  # names `with` accepts because the property is there anyway
    is_stored: bool = True  # False: an answer that is worked out, without a table
    has_uploads: bool = False  # a create may be multipart/form-data with the file itself
    pictures: tuple[str, ...] = ()  # properties written as a data URI, kept as a file and shown as its address
    reveals: tuple[Field, ...] = ()  # what the answer to a create shows besides, once (`tx.reveal`)
    allow: Allow = Allow()
    sight: Sight = Sight()
    events: tuple[str, ...] = ()
    defaults: tuple[Callable[..., None], ...] = ()
    derives: tuple[Callable[..., None], ...] = ()
    checks: tuple[Callable[..., Iterator[Any]], ...] = ()
    after: tuple[Callable[..., None], ...] = ()
    removal: Callable[..., None] | None = None
    upkeep: tuple[Upkeep, ...] = ()
    closing: Callable[..., None] | None = None  # `closing(tx)` is the last step of every transaction, behind all upkeep
    jobs: tuple[Job, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        for sentence in self.contradictions():
            raise ValueError(f"{self.name}: {sentence}")

    def contradictions(self) -> Iterator[str]:
        if len(self.field) != len(self.fields):
            yield "a property is described twice"
        if self.is_stored and "id" not in self.field:
            yield "an object needs an id"
        for relation in self.relations:
            yield from self.contradictions_of_relation(relation)
        for columns in (*self.unique, *self.index):
            if not self.field.keys() >= set(columns):
                yield f"key {columns} names what is no property"
        for place in self.places:
            yield from self.contradictions_of_place(place)
        for name in self.always_with:
            if name not in self.relation:
                yield f"always_with names {name}, which is no relation"
        for name in self.pictures:
            if name not in self.field:
                yield f"picture {name} is no property"
        yield from self.contradictions_of_access()

    def contradictions_of_relation(self, relation: Relation) -> Iterator[str]:
        if relation.name in self.field:
            yield f"{relation.name} is a property and a relation"
        if self.relation[relation.name] is not relation:
            yield f"relation {relation.name} is described twice"
        if isinstance(relation, One) and relation.by not in self.field:
            yield f"relation {relation.name} goes by {relation.by}, which is no property"
        if isinstance(relation, Link) and relation.by not in (relation.table.left, relation.table.right):
            yield f"relation {relation.name} goes by {relation.by}, which is no column of {relation.table.name}"

    def contradictions_of_place(self, place: Place) -> Iterator[str]:
        if not self.field.keys() >= set(place.parameters):
            yield f"path {place.path} has a parameter that is no property"
        for name in place.fixed:
            if name not in self.field:
                yield f"path {place.path} fixes {name}, which is no property"
        for name in place.with_:
            if name not in self.relation:
                yield f"path {place.path} comes with {name}, which is no relation"

    def contradictions_of_access(self) -> Iterator[str]:
        for part in (*self.allow.parts, *filter(None, (self.allow.own, self.sight.own))):
            if part.partition(".")[0] not in self.field:
                yield f"access names {part}, which is no property"
        if self.sight.linked and self.sight.linked not in self.link:
            yield f"sight goes by {self.sight.linked}, which is no link"
        for name in self.sight.through:
            if name not in self.relation or isinstance(self.relation[name], Link):
                yield f"sight goes through {name}, which is no reference and no list"

    def is_narrow(self, view: View) -> bool:
        """Whether a caller with that view may not see every row."""
        is_narrow_for_linked = view.is_linked and bool(self.sight.linked or self.sight.through)
        return view.role < self.allow.read or is_narrow_for_linked or (bool(self.sight.own) and view.role < self.sight.others)

    @cached_property
    def field(self) -> dict[str, Field]:
        return {field.name: field for field in self.fields}

    @cached_property
    def relation(self) -> dict[str, Relation]:
        return {relation.name: relation for relation in self.relations}

    @cached_property
    def link(self) -> dict[str, Link]:
        """The relations that go through a link table."""
        return {relation.name: relation for relation in self.relations if isinstance(relation, Link)}

    @cached_property
    def shown(self) -> tuple[Field, ...]:
        """The properties of an answer, in the order of the documentation."""
        return tuple(field for field in self.fields if field.is_shown)

    @cached_property
    def writable(self) -> tuple[Field, ...]:
        """The properties a body may set."""
        return tuple(field for field in self.fields if not field.read_only and not field.hidden)

    @cached_property
    def refs(self) -> tuple[Ref, ...]:
        return tuple(field for field in self.fields if isinstance(field, Ref) and field.to)

    @property
    def is_archivable(self) -> bool:
        return "archived_at" in self.field


def identity() -> Uuid:
    return Uuid("id", read_only=True)


def timestamps(*, archived: bool = False, deleted: bool = False) -> tuple[Field, ...]:
    """created_at and updated_at, and the moments of archiving and deletion where the API shows them.

    Every object is deleted softly; where the API does not show `deleted_at` it is a hidden column.
    """
    return (
        DateTime("created_at", read_only=True),
        DateTime("updated_at", read_only=True),
        *((DateTime("archived_at", read_only=True, nullable=True),) if archived else ()),
        DateTime("deleted_at", read_only=True, nullable=True, hidden=not deleted),
    )
