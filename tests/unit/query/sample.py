"""A small catalog with one property of every type and one relation of every kind."""

from planwerk.describe import Link, LinkTable, Many, Object, One, identity, timestamps
from planwerk.fields import (
    Anything,
    Boolean,
    Choice,
    Date,
    DateTime,
    Integer,
    Items,
    Map,
    Number,
    Record,
    Ref,
    Text,
    Time,
    Words,
)

TASK_LABEL = LinkTable("task_label", "task_id", "label_id", (Integer("priority", default=1),))

LABEL = Object(
    name="label",
    section="base",
    purpose="A word on a task.",
    fields=(identity(), Text("name"), *timestamps()),
    relations=(Link("tasks", to="task", table=TASK_LABEL, by="label_id"),),
)

PERSON = Object(
    name="person",
    section="base",
    purpose="Somebody who works.",
    fields=(identity(), Text("name"), Integer("age"), Text("password", write_only=True), Map("meta"), *timestamps()),
    relations=(Many("tasks", to="task", by="owner_id"),),
)

TASK_ROW = Object(
    name="task_row",
    section="base",
    purpose="A part of a task.",
    fields=(identity(), Ref("task_id", to="task"), Ref("person_id", to="person"), Text("code"), Integer("quantity"), *timestamps()),
    relations=(One("task", to="task", by="task_id"), One("person", to="person", by="person_id")),
)

TASK = Object(
    name="task",
    section="base",
    purpose="A piece of work.",
    fields=(
        identity(),
        Text("name", required=True),
        Text("note"),
        Choice("status", words=("new", "done", "Done"), default="new"),
        Date("start"),
        Time("start_time"),
        DateTime("due_at"),
        Integer("position"),
        Number("quantity"),
        Boolean("is_urgent", nullable=True),
        Words("warnings", words=("late", "too_late")),
        Map("meta"),
        Anything("value"),
        Record("workdays", fields=(Boolean("1", default=True), Boolean("7", default=False))),
        Items("custom_fields", fields=(Text("name"), Anything("value"))),
        Items("steps", fields=(Text("name"),)),
        Ref("owner_id", to="person"),
        Text("secret", write_only=True),
        Text("internal", hidden=True),
        *timestamps(archived=True),
    ),
    relations=(
        One("owner", to="person", by="owner_id"),
        Many("task_rows", to="task_row", by="task_id"),
        Link("labels", to="label", table=TASK_LABEL, by="task_id"),
        Many("ghosts", to="nowhere", by="task_id"),
    ),
    plain_with=("time",),
)

OBJECTS = {described.name: described for described in (TASK, TASK_ROW, PERSON, LABEL)}
