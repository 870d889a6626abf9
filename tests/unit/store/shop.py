"""A small catalog with one relation of every kind, and a database of it in a folder."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from planwerk.describe import Link, LinkTable, Many, Object, One, Place, identity, timestamps
from planwerk.errors import Kind, Refusal
from planwerk.fields import Boolean, Choice, Integer, Map, Ref, Text
from planwerk.settings import Settings
from planwerk.store.database import open_database, schema_script
from planwerk.store.identifiers import Identifiers
from planwerk.store.sqlite import SQLite
from planwerk.store.transaction import Transaction

Result = TypeVar("Result")

HERE = "environment"

TASK_LABEL = LinkTable("task_label", "task_id", "label_id", (Integer("priority", default=1), Boolean("is_main", default=False)))
TASK_FOLLOWER = LinkTable("task_follower", "task_id", "person_id")

LABEL = Object(
    name="label",
    section="base",
    purpose="A word on a task.",
    fields=(identity(), Text("name"), *timestamps()),
    relations=(Link("tasks", to="task", table=TASK_LABEL, by="label_id"),),
    places=(Place("/label"),),
)
PERSON = Object(
    name="person",
    section="base",
    purpose="Somebody.",
    fields=(identity(), Text("name"), *timestamps()),
    places=(Place("/person"),),
)
TASK = Object(
    name="task",
    section="base",
    purpose="A piece of work.",
    fields=(
        identity(),
        Text("name"),
        Text("external_ref"),
        Choice("kind", words=("saw", "drill"), default="saw"),
        Boolean("is_urgent", default=False),
        Map("meta"),
        Ref("owner_id", to="person"),
        Text("secret", write_only=True),
        *timestamps(archived=True),
    ),
    relations=(
        One("owner", to="person", by="owner_id"),
        Many("parts", to="part", by="task_id", is_owned=True, order=("position",)),
        Many("remarks", to="remark", by="task_id"),
        Link("labels", to="label", table=TASK_LABEL, by="task_id", order=("priority",)),
        Link("followers", to="person", table=TASK_FOLLOWER, by="task_id"),
    ),
    places=(Place("/task"),),
    unique=(("external_ref",), ("name", "kind")),
    index=(("owner_id",), ("kind", "name")),
)
PART = Object(
    name="part",
    section="base",
    purpose="A part of a task.",
    fields=(identity(), Ref("task_id", to="task"), Integer("position"), Text("code"), *timestamps()),
    relations=(One("task", to="task", by="task_id"), Many("screws", to="screw", by="part_id", is_owned=True)),
    places=(Place("/task/{task_id}/part"),),
    index=(("task_id", "position"),),
)
SCREW = Object(
    name="screw",
    section="base",
    purpose="A part of a part.",
    fields=(identity(), Ref("part_id", to="part"), *timestamps()),
    index=(("part_id",),),
)
REMARK = Object(
    name="remark",
    section="base",
    purpose="What somebody says of a task.",
    fields=(identity(), Ref("task_id", to="task"), Text("text"), *timestamps()),
    index=(("task_id",),),
)
OBJECTS = {described.name: described for described in (TASK, PART, SCREW, REMARK, LABEL, PERSON)}


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0  # 2023-11-14T22:13:20Z

    def __call__(self) -> float:
        return self.now


def inserting(name: str) -> Callable[[Transaction], str]:
    """A write of one task; answers its id."""
    return lambda tx: str(tx.insert(TASK, {"name": name, "external_ref": name})["id"])


def failing_insert(tx: Transaction) -> None:
    """A write that fails when half of it is done."""
    tx.insert(TASK, {"name": "half"})
    raise ZeroDivisionError


def kind_of(error: BaseException | None) -> Kind:
    assert isinstance(error, Refusal)
    return error.faults[0].kind


def opened(folder: Path, clock: Callable[[], float] | None = None, **settings: Any) -> SQLite:
    """The database in a folder, with its tables; not started."""
    url = f"sqlite:///{folder / 'shop.db'}"
    identifiers = Identifiers(clock) if clock else None
    database = open_database(Settings(database=url, **settings), OBJECTS, identifiers)
    assert isinstance(database, SQLite)
    if not database.has_schema():
        script = schema_script(database.tables, database.statements.dialect)
        database.run_script([*script, "INSERT INTO state (name, value) VALUES ('probe', '1')"])
    return database


def served(database: SQLite, use: Callable[[], Awaitable[Result]]) -> Result:
    """What `use` returns while the database is started."""

    async def run() -> Result:
        await database.start()
        try:
            return await use()
        finally:
            await database.stop()

    return asyncio.run(run())
