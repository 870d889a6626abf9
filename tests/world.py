"""One tenant's objects, made when a test first needs them, from the catalog alone: a new object is covered by being described.

`World.id("card")` is the id of a card, with the collection, board, stage and status it needs. `World.body(…)` is a body with
a believable value for every writable property.
"""

import re
from dataclasses import dataclass, field as attribute
from itertools import count
from typing import Any
from uuid import UUID

from tests.client import Client
from tests.server import OBJECTS, Server

from planwerk.describe import CREATE, LIST, Object, Place
from planwerk.fields import (
    Anything,
    Boolean,
    Choice,
    Date,
    DateTime,
    Field,
    Integer,
    Items,
    Map,
    Number,
    Record,
    Ref,
    Text,
    Time,
    Uuid,
    Words,
)
from planwerk.store.transaction import Transaction

PICTURE = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PLACED = [described for described in OBJECTS.values() if described.places]
CREATED = [described for described in PLACED if any(CREATE in place.operations for place in described.places)]
OTHERS = {"related_card_id": "card"}  # properties that name another object than the world's own, and its kind
CHOSEN: dict[tuple[str, str], Any] = {  # what must agree with another property, or be where its object begins
    **{("card", name): "2026-03-05" for name in ("start_date", "start", "date")},
    **{("card", name): "2026-04-07" for name in ("end_date", "end")},
    ("time_tracking", "status"): "draft",
    ("time_tracking", "start"): "2026-03-02T08:30:00Z",
    ("time_tracking", "end"): "2026-03-02T09:30:00Z",
    ("time_tracking", "duration"): 60,
    ("api_key", "expires_at"): "2999-01-01T00:00:00Z",
}
LEFT_OUT = frozenset({("collection", "status")})  # what a body may say only as the state of its object allows
MADE = frozenset({"schedule"})  # the server makes these by itself, along with another object and by the thousand
PERIOD = {"year": "2026", "month": "3", "day": "5"}  # of a path that names days
STORED = [described for described in OBJECTS.values() if described.is_stored]


def place_of(described: Object, operation: str = CREATE) -> Place:
    """The first place of an object where an operation is possible."""
    return next(place for place in described.places if operation in place.operations)


LONG_AGO = "2024-02-29T12:00:00Z"  # an `updated_at` that a change now cannot be mistaken for


@dataclass
class World:
    """The objects of one tenant. `mark` stands in all their free texts."""

    server: Server
    client: Client
    environment_id: str
    mark: str = "Some"
    ids: dict[str, str] = attribute(default_factory=dict)
    numbers: Any = attribute(default_factory=lambda: count(1))

    def id(self, name: str) -> str:
        """The id of an object of this kind; it is made if there is none yet."""
        if name not in self.ids:
            described = OBJECTS[name]
            is_created = any(CREATE in place.operations for place in described.places)
            self.ids[name] = self.found(described) if name in MADE else self.make(described)["id"] if is_created else self.insert(described)
        return self.ids[name]

    def make(self, described: Object, **values: Any) -> dict[str, Any]:
        """A new object as the API answers it."""
        place = place_of(described)
        created: dict[str, Any] = self.client.post(self.path(place), self.body(described, place) | values)
        return created

    def insert(self, described: Object) -> str:
        """A row of an object that the API lets nobody create."""
        values = {field.name: field.store(self.value(field)) for field in described.fields if is_filled(field)}

        def work(tx: Transaction) -> str:
            return str(tx.insert(described, values)["id"])

        return self.server.database.write_now(self.environment_id, work)

    def write(self, name: str, id: str, **values: Any) -> None:
        """Change a row behind the server's back; it keeps its timestamps, except those given."""

        def work(tx: Transaction) -> None:
            tx.write(tx.object(name), tx.get(tx.object(name), id) or {}, values)

        self.server.database.write_now(self.environment_id, work)

    def found(self, described: Object) -> str:
        """The first object of a kind that the server makes by itself."""
        return self.client.ids(self.path(place_of(described, LIST)), limit=1)[0]

    def path(self, place: Place, **ids: str) -> str:
        """A place's path with the ids of this world, or the given ones."""
        mine = {name: ids.get(name) or self.id(name.removesuffix("_id")) for name in place.parameters}
        return "/v1" + place.path.format_map({**PERIOD, **mine})

    def one(self, described: Object, place: Place | None = None) -> str:
        """The path of this world's object."""
        place = place or place_of(described, "one")
        return f"{self.path(place)}/{self.id(described.name)}"

    def body(self, described: Object, place: Place | None = None) -> dict[str, Any]:
        """A value for every property that a body may set, except those that the place gives."""
        place = place or place_of(described)
        given = {*place.parameters, *place.fixed}
        given |= {name for owner, name in LEFT_OUT if owner == described.name}
        fields = [field for field in described.writable if field.name not in given and not is_own(field, described)]
        chosen = {name: value for (owner, name), value in CHOSEN.items() if owner == described.name}
        other = {name: self.make(OBJECTS[OTHERS[name]])["id"] for name in OTHERS if name in described.field}
        return {field.name: PICTURE if field.name in described.pictures else self.value(field) for field in fields} | other | chosen

    def value(self, field: Field) -> Any:
        """A value that the property takes, another one each time where it can be."""
        if isinstance(field, Ref) and field.to:
            return self.id(field.to)
        number = next(self.numbers)
        return next(make(self, field, number) for kind, make in MAKERS if isinstance(field, kind))


def is_own(field: Field, described: Object) -> bool:
    """Whether a property refers to an object of the same kind, of which there may be none yet."""
    return isinstance(field, Ref) and field.to == described.name


def is_filled(field: Field) -> bool:
    return field.name not in ("id", "created_at", "updated_at", "archived_at", "deleted_at", "revoked_at", "expires_at")


def text_value(world: World, field: Text, number: int) -> str:
    candidates = (
        f"{world.mark} {field.name} {number}",
        f"https://example.com/{world.mark}/{number}",
        f"{world.mark}.{number}@example.com",
        f"{world.mark.lower()}.{number}@example.com",
        ("Europe/Amsterdam", "Europe/Warsaw", "Europe/Vienna")[number % 3],
        f"#{number % 1000:03}",
        f"{number:064x}",
    )
    return next(short for text in candidates if is_taken(field, short := text[: field.max]))


def is_taken(field: Text, text: str) -> bool:
    """Whether the property takes a text as it is."""
    try:
        return bool(field.parse(text) == text)
    except ValueError:
        return False


def uuid_value(world: World, field: Uuid, number: int) -> str:
    return str(UUID(int=0x4000_8000_0000_0000_0000 + (number << 96), version=4))


def record_value(world: World, fields: tuple[Field, ...]) -> dict[str, Any]:
    return {field.name: world.value(field) for field in fields if not field.read_only and not field.hidden}


MAKERS: tuple[tuple[type[Field], Any], ...] = (
    (Text, text_value),
    (Uuid, uuid_value),
    (Choice, lambda world, field, number: field.words[number % len(field.words)]),
    (Integer, lambda world, field, number: max(field.min, min(number, field.max))),
    (Number, lambda world, field, number: max(field.min, min(number + 0.5, field.max))),
    (Boolean, lambda world, field, number: number % 2 == 1),
    (Date, lambda world, field, number: f"2026-{'04' if re.search('(^|_)end', field.name) else '03'}-{1 + number % 28:02}"),
    (Time, lambda world, field, number: f"{number % 24:02}:30"),
    (DateTime, lambda world, field, number: f"2026-03-{1 + number % 28:02}T08:30:00Z"),
    (Words, lambda world, field, number: list(field.words[:2]) or [f"{world.mark} word"]),
    (Map, lambda world, field, number: {"source": f"{world.mark} {number}"}),
    (Anything, lambda world, field, number: f"{world.mark} {number}"),
    (Record, lambda world, field, number: record_value(world, field.fields)),
    (Items, lambda world, field, number: [record_value(world, field.fields)]),
)
