"""query/body: from the text of a body to a draft, with every fault of it in one answer."""

from typing import Any

import orjson
import pytest

from planwerk.describe import Link, LinkTable, Many, Object, One, identity, timestamps
from planwerk.errors import BAD_REQUEST, VALIDATION_FAILED, Refusal
from planwerk.fields import Integer, Items, Ref, Text
from planwerk.query.body import MAX_DEPTH, MAX_FAULTS, Draft, parse_draft, parse_json

ID = "8f14e45f-ceea-467f-a8f1-0a0b0c0d0e0f"
OTHER = "9f14e45f-ceea-467f-a8f1-0a0b0c0d0e0f"
TASK_LABEL = LinkTable("task_label", "task_id", "label_id", (Integer("priority", default=1), Text("role")))

LABEL = Object(name="label", section="base", purpose="A word.", fields=(identity(), Text("name", required=True)))
PERSON = Object(
    name="person",
    section="base",
    purpose="Somebody.",
    fields=(identity(), Text("name", required=True), Ref("boss_id", to="person")),
    relations=(One("boss", to="person", by="boss_id"), Many("tasks", to="task", by="owner_id")),
)
PART = Object(
    name="part",
    section="base",
    purpose="A part of a task.",
    fields=(identity(), Ref("task_id", to="task", required=True), Text("code", required=True), Ref("person_id", to="person")),
    relations=(One("task", to="task", by="task_id", is_writable=False), Many("parts", to="part", by="task_id", is_owned=True)),
)
TASK = Object(
    name="task",
    section="base",
    purpose="A piece of work.",
    fields=(
        identity(),
        Text("name", required=True, max=20),
        Integer("minutes", default=5),
        Ref("owner_id", to="person", required=True),
        Items("steps", fields=(Text("name", required=True),)),
        Text("internal", hidden=True),
        *timestamps(),
    ),
    relations=(
        One("owner", to="person", by="owner_id"),
        Many("task_parts", to="part", by="task_id", is_owned=True),
        Many("comments", to="comment", by="task_id"),
        Link("labels", to="label", table=TASK_LABEL, by="task_id"),
    ),
)
OBJECTS = {described.name: described for described in (TASK, PART, PERSON, LABEL)}


def draft(raw: Any, described: Object = TASK, *, is_create: bool = False) -> Draft:
    return parse_draft(described, raw, OBJECTS, is_create=is_create)[0]


def faults(raw: Any, described: Object = TASK, *, is_create: bool = False) -> list[tuple[str | None, str]]:
    with pytest.raises(Refusal) as caught:
        parse_draft(described, raw, OBJECTS, is_create=is_create)
    assert {fault.kind for fault in caught.value.faults} == {VALIDATION_FAILED}
    return [(fault.property, fault.description) for fault in caught.value.faults]


# ── JSON ──


def test_a_body_that_is_json_is_its_value() -> None:
    assert parse_json('{"name": "Säge"}'.encode()) == {"name": "Säge"}


def test_an_empty_body_is_refused() -> None:
    with pytest.raises(Refusal, match=r"^the body is no JSON: it is empty$"):
        parse_json(b"")


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"{", "line 1 column 2"),
        (b'{"a":1}x', "line 1 column 8"),
        (b'{"a":NaN}', "line 1 column 6"),
        (b'{\n "a": 1e999}', "line 2 column 7"),
        (b"\xff", "line 1 column 1"),
        (b'"\\ud800"', "line 1 column 2"),
        (b"[" * 5000, "line 1 column 1026"),
    ],
)
def test_a_body_that_is_no_json_is_refused_with_its_place(body: bytes, place: str) -> None:
    with pytest.raises(Refusal, match=rf"^the body is no JSON: .* at {place}$") as caught:
        parse_json(body)
    assert caught.value.faults[0].kind is BAD_REQUEST


@pytest.mark.parametrize("raw", [[], "a", 5, None, True])
def test_a_body_that_is_no_object_is_refused(raw: Any) -> None:
    with pytest.raises(Refusal, match="the body must be a JSON object") as caught:
        parse_draft(TASK, raw, OBJECTS, is_create=True)
    assert caught.value.status == 400


# ── properties ──


def test_only_what_was_sent_is_in_the_draft() -> None:
    assert draft({"name": "saw", "minutes": 7.0}).values == {"name": "saw", "minutes": 7}


def test_read_only_and_hidden_properties_are_dropped_silently() -> None:
    found, unknown = parse_draft(TASK, {"id": ID, "created_at": "x", "internal": 5, "name": "saw"}, OBJECTS, is_create=False)
    assert (found.values, found.id, unknown) == ({"name": "saw"}, None, [])


def test_unknown_properties_are_dropped_and_named_by_their_place() -> None:
    raw = {"colour": 1, "task_parts": [{"code": "a", "size": 2}], "owner": {"name": "Ada", "age": 3}}
    assert parse_draft(TASK, raw, OBJECTS, is_create=False)[1] == ["colour", "task_parts[0].size", "owner.age"]


def test_what_is_required_may_be_left_out_of_a_change() -> None:
    assert draft({}).values == {}


def test_what_is_required_must_be_in_a_create() -> None:
    assert faults({}, is_create=True) == [("name", "name is required"), ("owner_id", "owner_id is required")]


def test_a_required_reference_may_come_as_a_nested_object() -> None:
    assert draft({"name": "saw", "owner": {"id": ID}}, is_create=True).values == {"name": "saw"}


def test_a_nested_null_does_not_stand_for_a_required_reference() -> None:
    assert faults({"name": "saw", "owner": None}, is_create=True) == [("owner_id", "owner_id is required")]


def test_all_faults_come_in_one_answer() -> None:
    raw = {
        "name": 5,
        "minutes": None,
        "owner_id": "me",
        "steps": [{"name": "cut"}, {"name": 1}, {}],
        "owner": {"boss_id": 7},
        "task_parts": [{"code": "a"}, {"code": None}, "b"],
        "labels": [5, {"id": "x", "priority": "high"}],
    }
    assert faults(raw) == [
        ("name", "name must be a text"),
        ("minutes", "minutes may not be null"),
        ("owner_id", "owner_id must be a UUID"),
        ("steps[1].name", "steps[1].name must be a text"),
        ("steps[2].name", "steps[2].name is required"),
        ("owner.boss_id", "owner.boss_id must be a UUID"),
        ("owner.name", "owner.name is required"),
        ("task_parts[1].code", "task_parts[1].code may not be null"),
        ("task_parts[2]", "task_parts[2] must be an object"),
        ("labels[0]", "labels[0] must be an object with an id"),
        ("labels[1].id", "labels[1].id must be a UUID"),
        ("labels[1].priority", "labels[1].priority must be a whole number"),
    ]


def test_no_answer_lists_more_than_a_hundred_faults() -> None:
    assert len(faults({"labels": [{}] * (MAX_FAULTS + 50)})) == MAX_FAULTS


# ── one related object ──


def test_a_nested_object_with_an_id_means_the_one_there_is() -> None:
    owner = draft({"owner": {"id": ID.upper(), "name": 5}}).ones["owner"]
    assert owner is not None
    assert (owner.object, owner.id, owner.place, owner.values) == (PERSON, ID, "owner", {})


def test_a_nested_object_without_an_id_is_a_new_one() -> None:
    owner = draft({"owner": {"name": "Ada", "boss": {"name": "Bob"}}}).ones["owner"]
    assert owner is not None
    boss = owner.ones["boss"]
    assert boss is not None
    assert (owner.values, owner.id, boss.values, boss.place) == ({"name": "Ada"}, None, {"name": "Bob"}, "owner.boss")


@pytest.mark.parametrize("raw", [None, ""])
def test_a_nested_null_unlinks(raw: Any) -> None:
    assert draft({"owner": raw}).ones == {"owner": None}


@pytest.mark.parametrize(
    ("raw", "fault"), [(ID, ("owner", "owner must be an object")), ({"id": 5}, ("owner.id", "owner.id must be a UUID"))]
)
def test_a_nested_object_must_be_one(raw: Any, fault: tuple[str, str]) -> None:
    assert faults({"owner": raw}) == [fault]


def test_a_relation_that_is_only_read_is_dropped_silently() -> None:
    found, unknown = parse_draft(PART, {"task": {"name": 5}, "code": "a"}, OBJECTS, is_create=False)
    assert (found.values, found.ones, unknown) == ({"code": "a"}, {}, [])


# ── owned objects ──


def test_owned_objects_with_an_id_are_changed_and_those_without_are_new() -> None:
    parts = draft({"task_parts": [{"id": ID.upper(), "code": "a"}, {"code": "b"}, {"id": None, "code": "c"}]}).manys["task_parts"]
    assert [(part.id, part.values, part.place) for part in parts] == [
        (ID, {"code": "a"}, "task_parts[0]"),
        (None, {"code": "b"}, "task_parts[1]"),
        (None, {"code": "c"}, "task_parts[2]"),
    ]


def test_a_changed_owned_object_needs_nothing_and_a_new_one_what_is_required() -> None:
    assert faults({"task_parts": [{"id": ID}, {}]}) == [("task_parts[1].code", "task_parts[1].code is required")]


def test_an_owned_object_belongs_to_the_one_it_is_in() -> None:
    assert draft({"task_parts": [{"code": "a", "task_id": OTHER}]}).manys["task_parts"][0].values == {"code": "a"}


def test_related_objects_that_are_not_owned_cannot_be_written_inside() -> None:
    found, unknown = parse_draft(TASK, {"comments": [{"text": 5}]}, OBJECTS, is_create=False)
    assert (found.manys, unknown) == ({}, [])


@pytest.mark.parametrize("name", ["task_parts", "comments", "labels"])
@pytest.mark.parametrize("raw", [None, {}, "a", 5])
def test_many_related_objects_must_come_as_a_list(name: str, raw: Any) -> None:
    assert faults({name: raw}) == [(name, f"{name} must be a list")]


def test_the_older_spelling_of_a_relation_is_read_too() -> None:
    found = draft({"taskParts": [{"code": "a"}]})
    assert [part.values for part in found.manys["task_parts"]] == [{"code": "a"}]


# ── links ──


def test_links_take_an_id_with_the_properties_of_the_link() -> None:
    labels = draft({"labels": [{"id": ID, "priority": 3, "name": 5}, {"id": OTHER, "role": None}]}).links["labels"]
    assert [(label.id, label.values) for label in labels] == [(ID, {"priority": 3}), (OTHER, {"role": None})]


def test_links_take_bare_ids() -> None:
    assert [label.id for label in draft({"labels": [ID.upper(), OTHER]}).links["labels"]] == [ID, OTHER]


def test_links_take_the_doubled_list_of_the_documentation() -> None:
    assert [label.id for label in draft({"labels": [[{"id": ID}], [OTHER]]}).links["labels"]] == [ID, OTHER]


def test_a_link_without_an_id_is_refused() -> None:
    assert faults({"labels": [{"name": "new"}]}) == [("labels[0].id", "labels[0].id must be a UUID")]


# ── depth ──


def nested(levels: int) -> Any:
    raw: Any = {"code": "a"}
    for _ in range(levels):
        raw = {"code": "a", "parts": [raw]}
    return raw


def test_a_body_may_nest_to_its_limit_and_no_deeper() -> None:
    found = draft(nested(MAX_DEPTH - 1), PART)
    for _ in range(MAX_DEPTH - 1):
        found = found.manys["parts"][0]
    assert found.values == {"code": "a"}
    [(place, description)] = faults(nested(MAX_DEPTH), PART)
    assert place == ".".join(["parts[0]"] * (MAX_DEPTH - 1)) + ".parts"
    assert description.endswith(f"is nested deeper than {MAX_DEPTH} levels")


def test_a_body_nested_as_deep_as_json_goes_is_refused_and_breaks_nothing() -> None:
    text = b'{"code":"a","parts":[' * 400 + b'{"code":"a"}' + b"]}" * 400
    assert len(faults(orjson.loads(text), PART)) == 1
