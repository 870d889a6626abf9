"""What handlers work with: the request and its reply, the judged query, and the service that remembers between requests."""

from collections.abc import AsyncGenerator, Hashable, Mapping
from dataclasses import dataclass, field as attribute, replace
from functools import cached_property, lru_cache
from typing import Any

from planwerk.actor import Actor, View
from planwerk.describe import Object, Place
from planwerk.notes import Note
from planwerk.plan import Read, is_narrow, plan_read, shape_of
from planwerk.query.parameters import Wish, parse_parameters, parse_sort
from planwerk.routes import Route
from planwerk.settings import Settings
from planwerk.shape import Shape, compile_shape
from planwerk.store.database import Database
from planwerk.store.memory import Answer, Memory
from planwerk.store.select import Builder, ListStatements
from planwerk.store.statements import Statement

PLANS = 2048  # parsed query strings that are remembered
TOTALS = 10_000  # remembered totals of lists; one with a long query counts for several, for its key is large
TOTAL_BYTES = 100  # of a query that count for one
LONGEST = 1024  # bytes of a query string by which anything is remembered: that of a longer one is made anew each time


@dataclass(slots=True)
class Request:
    """One request behind the edge. `values` are the path's parameters; `body` is the parsed JSON of a POST or PUT."""

    actor: Actor
    route: Route
    values: dict[str, Any]
    query: str
    path: str
    body: Any = None
    versions: tuple[int, ...] | None = None  # of If-Match; None: not sent
    idempotency_key: str | None = None
    body_hash: str = ""
    notes: list[Note] = attribute(default_factory=list)
    files: list[str] = attribute(default_factory=list)  # keys of files stored for this request


@dataclass(slots=True)
class Reply:
    """Status, body and entity tag; the edge adds the rest."""

    status: int
    body: bytes = b""
    etag: str = ""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    stream: AsyncGenerator[bytes, None] | None = None  # instead of a body, an answer that stays open


@dataclass(frozen=True, eq=False)
class Plan:
    """A judged query: what shall be read and how it is shown. Compared by identity, so that it is a cheap key.

    `is_kept`: it is remembered, and what was found by it may be.
    """

    wish: Wish
    read: Read
    shape: Shape | None
    is_kept: bool

    @cached_property
    def is_clear(self) -> bool:
        """Whether every name in the query string means something."""
        return not self.wish.unknown and (self.shape is None or not self.shape.unknown)


class Service:
    """What handlers need: the database, the catalog, and what is remembered between requests."""

    def __init__(self, database: Database, objects: Mapping[str, Object], settings: Settings) -> None:
        self.database = database
        self.objects = objects
        self.answer_limit_bytes = settings.answer_limit_bytes
        self.builder = Builder(database.tables, objects, database.statements.dialect)
        self.answers: Memory[Answer] = Memory(settings.response_cache_bytes)
        self.totals: Memory[int] = Memory(TOTALS)
        self.kept_plan = lru_cache(PLANS)(self.make_plan)
        self.kept_page = lru_cache(PLANS)(self.make_page)
        self.kept_one = lru_cache(PLANS)(self.make_one)
        self.pages: dict[Hashable, ListStatements] = {}
        self.kept_narrowed = lru_cache(PLANS)(self.make_narrowed)

    def plan(self, route: Route, query: str, narrow: str = "") -> Plan:
        """The plan of a query; `narrow` is a filter that holds besides the one in it."""
        return (self.kept_plan if len(query) <= LONGEST else self.make_plan)(route, query, narrow)

    def narrowed(self, plan: Plan, view: View) -> bool:
        """Whether a caller with that view is answered otherwise than who sees all; if not, they share everything remembered."""
        return (self.kept_narrowed if plan.is_kept else self.make_narrowed)(plan, view)

    def page(self, plan: Plan, place: Place, view: View | None) -> tuple[Hashable, ListStatements]:
        """The statements of a list, one for each shape; `view` is that of a caller who does not see all of it."""
        return (self.kept_page if plan.is_kept else self.make_page)(plan, place, view)

    def one(self, plan: Plan, place: Place, view: View | None) -> tuple[Statement, tuple[str, ...]]:
        """The statement of one object, and the tables that it reads."""
        return (self.kept_one if plan.is_kept else self.make_one)(plan, place, view)

    def make_plan(self, route: Route, query: str, narrow: str = "") -> Plan:
        wish = parse_parameters(query, route.place.limit)
        if narrow:
            wish = replace(wish, filter=f"({wish.filter}),and,({narrow})" if wish.filter else narrow)
        if route.place.sort and route.kind == "list" and not wish.sort:
            wish = replace(wish, sort=parse_sort(route.place.sort))
        extra = route.place.with_ if route.kind == "list" else route.object.always_with
        with_text = ",".join(filter(None, (wish.with_, *extra))) if extra else wish.with_
        read = plan_read(route.object, replace(wish, with_=with_text) if extra else wish, self.objects)
        return Plan(wish, read, compile_shape(wish.show, wish.hide, route.object, read.with_, self.objects), len(query) <= LONGEST)

    def make_narrowed(self, plan: Plan, view: View) -> bool:
        return is_narrow(plan.read, view, self.objects)

    def make_page(self, plan: Plan, place: Place, view: View | None) -> tuple[Hashable, ListStatements]:
        shape = (shape_of(plan.read), place.path, view)
        statements = self.pages.get(shape) or self.builder.page(plan.read, scope_of(place), view)
        if plan.is_kept and shape not in self.pages:
            if len(self.pages) >= PLANS:
                self.pages.clear()
            self.pages[shape] = statements
        return shape, statements

    def make_one(self, plan: Plan, place: Place, view: View | None) -> tuple[Statement, tuple[str, ...]]:
        return self.builder.one(plan.read.object, plan.read.with_, scope_of(place), view)


def scope_of(place: Place) -> dict[str, Any]:
    """What every row of a place has: the properties in its path, and the fixed ones."""
    return {**dict.fromkeys(place.parameters, ...), **place.fixed}
