"""A small catalog with one of everything the reference must describe."""

from typing import Any

from planwerk.describe import (
    CREATE,
    LIST,
    ONE,
    READ_ONLY,
    Action,
    Link,
    LinkTable,
    Many,
    Object,
    One,
    Place,
    identity,
    timestamps,
)
from planwerk.fields import (
    Anything,
    Boolean,
    Choice,
    Date,
    DateTime,
    Email,
    HexColor,
    Integer,
    Items,
    LongText,
    Map,
    Number,
    Record,
    Ref,
    Text,
    Time,
    Url,
    Words,
)


def refuse_to_run(*_: object) -> Any:
    raise AssertionError("a description is never run")


JOB_LABEL = LinkTable("job_label", "job_id", "label_id")
JOB_TOOL = LinkTable("job_tool", "job_id", "tool_id", (Integer("time", min=0), Integer("priority", default=1)))

LABEL = Object(
    name="label", section="base", purpose="A word on a job.", fields=(identity(), Text("name", required=True), HexColor("color"))
)

TOOL = Object(
    name="tool",
    section="configuration",
    purpose="Something to work with.",
    fields=(identity(), Text("name"), Integer("time", min=1, default=5), *timestamps(archived=True)),
    relations=(Link("jobs", to="job", table=JOB_TOOL, by="tool_id"),),
    places=(Place("/tool"),),
)

JOB = Object(
    name="job",
    section="base",
    purpose="A piece of work.",
    fields=(
        identity(),
        Text("name", required=True, max=80),
        LongText("note", nullable=True),
        Choice("status", words=("new", "done"), default="new"),
        Choice("kind", words=("saw", "drill"), nullable=True),
        Date("start"),
        Time("start_time"),
        DateTime("due_at", nullable=True),
        Integer("position", min=0, max=5, read_only=True),
        Number("quantity", nullable=True),
        Boolean("is_urgent", default=False),
        Email("email"),
        Url("url", nullable=True, deprecated=True),
        Words("tags", words=("a", "b")),
        Map("meta"),
        Anything("value"),
        Record("workdays", fields=(Boolean("1", default=True), Boolean("7", default=False)), default={"1": True, "7": False}),
        Items("custom_fields", fields=(identity(), Text("name", required=True), Anything("value"))),
        Ref("owner_id", to="person", nullable=True),
        Text("secret", write_only=True),
        Text("internal", hidden=True),
        *timestamps(archived=True),
    ),
    relations=(
        One("owner", to="person", by="owner_id"),
        Many("steps", to="step", by="job_id", is_owned=True, keeps_missing=True),
        Many("unknowns", to="nowhere", by="job_id"),
        Link("labels", to="label", table=JOB_LABEL, by="job_id", is_open=True),
        Link("tools", to="tool", table=JOB_TOOL, by="job_id", is_open=True),
    ),
    places=(
        Place("/job"),
        Place("/job/detail", operations=(LIST,), deprecated="GET v1/job/detail goes away", with_=("steps",)),
    ),
    actions=(
        Action(
            "POST",
            "/job/{job_id}/split",
            "split a job",
            refuse_to_run,
            body=(Integer("parts", required=True, min=2),),
            answer="job",
            note="Splits it.",
        ),
        Action("GET", "/job/capacity/{year}", "capacity of jobs", refuse_to_run, body=(Date("from", required=True, note="First day."),)),
        Action("POST", "/job/forget", "forget jobs", refuse_to_run, status=204),
    ),
    unique=(("name", "kind"),),
    always_with=("labels",),
    events=("created",),
    note="Jobs are fun.",
)

STEP = Object(
    name="step",
    section="base",
    purpose="A part of a job.",
    fields=(identity(), Ref("job_id", to="job", required=True), Text("name", required=True), *timestamps()),
    relations=(One("job", to="job", by="job_id", is_writable=False),),
    places=(Place("/job/{job_id}/step"), Place("/step", operations=READ_ONLY)),
)

PERSON = Object(
    name="person",
    section="configuration",
    purpose="Somebody who works.",
    fields=(identity(), Text("name"), Email("email", required=True), Text("avatar", max=2048, nullable=True)),
    places=(Place("/person", operations=(LIST, ONE, CREATE)),),
    pictures=("avatar",),
)

DRAWING = Object(
    name="drawing",
    section="base",
    purpose="A file of a job.",
    fields=(identity(), Ref("job_id", to="job"), Url("file", required=True), Text("external_ref", nullable=True)),
    places=(Place("/job/{job_id}/drawing", operations=(LIST, CREATE, ONE)),),
    has_uploads=True,
)

WEATHER = Object(
    name="weather",
    section="system",
    purpose="What is worked out.",
    is_stored=False,
    fields=(Choice("kind", words=("rain", "sun"), required=True), Text("sky")),
    actions=(Action("GET", "/weather/{place}", "the weather at a place", refuse_to_run, answer="weather"),),
)

SAMPLE = (JOB, STEP, LABEL, TOOL, PERSON, DRAWING, WEATHER)
