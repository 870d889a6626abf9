"""shape: show keeps, hide drops, names that lead nowhere are told."""

from typing import Any

import pytest
from tests.unit.query.sample import OBJECTS, TASK

from planwerk.errors import BAD_REQUEST, Refusal
from planwerk.plan import plan_with
from planwerk.shape import Shape, compile_shape

WITH = "owner.tasks,task_rows.person,labels"

OWNER = {"id": "p1", "name": "Ann", "age": 30, "tasks": [{"id": "t2", "name": "other"}]}
ROWS = [
    {"id": "r1", "code": "A", "quantity": 1, "person": {"id": "p1", "name": "Ann"}},
    {"id": "r2", "code": "B", "quantity": 2, "person": None},
    {"id": "r3", "code": "C", "quantity": 3, "person": {"id": "p2", "name": "Bo"}},
]
ANSWER = {
    "id": "t1",
    "name": "saw",
    "start": None,
    "meta": {"color": "red", "size": {"x": 1, "y": 2}},
    "workdays": {"1": True, "7": False},
    "custom_fields": [{"name": "n1", "value": "v1"}, {"name": "n2", "value": "v2"}],
    "owner": OWNER,
    "task_rows": ROWS,
    "labels": [{"id": "l1", "name": "late", "priority": 4}],
}
PLAIN = {name: value for name, value in ANSWER.items() if name not in ("owner", "task_rows", "labels")}


def shape(show: str | None = None, hide: str | None = None, with_: str = WITH) -> Shape:
    compiled = compile_shape(show, hide, TASK, plan_with(TASK, with_, OBJECTS), OBJECTS)
    assert compiled is not None
    return compiled


def shown(text: str, hide: str | None = None) -> Any:
    return shape(text, hide).apply(ANSWER)


def left(hide: str) -> Any:
    return shape(None, hide).apply(ANSWER)


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in ANSWER.items() if name not in names}


@pytest.mark.parametrize(("show", "hide"), [(None, None), ("", ""), (" , ", None)])
def test_without_a_name_there_is_no_shape(show: str | None, hide: str | None) -> None:
    assert compile_shape(show, hide, TASK, (), OBJECTS) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id, name", {"id": "t1", "name": "saw"}),
        ("*", PLAIN),
        ("name,*", PLAIN),
        ("id,owner", {"id": "t1", "owner": OWNER}),
        ("owner.name", {"owner": {"name": "Ann"}}),
        ("owner.*", {"owner": {"id": "p1", "name": "Ann", "age": 30}}),
        ("owner.*,owner.tasks.*.name", {"owner": {"id": "p1", "name": "Ann", "age": 30, "tasks": [{"name": "other"}]}}),
        ("owner,owner.name", {"owner": OWNER}),
        ("task_rows", {"task_rows": ROWS}),
        ("task_rows.*", {"task_rows": ROWS}),
        ("task_rows.*.id", {"task_rows": [{"id": "r1"}, {"id": "r2"}, {"id": "r3"}]}),
        ("task_rows.id", {"task_rows": [{"id": "r1"}, {"id": "r2"}, {"id": "r3"}]}),
        ("taskRows.1.id", {"task_rows": [{"id": "r2"}]}),
        ("task_rows.2", {"task_rows": [ROWS[2]]}),
        ("task_rows.*.id,task_rows.0.code", {"task_rows": [{"id": "r1", "code": "A"}, {"id": "r2"}, {"id": "r3"}]}),
        ("task_rows.9.id", {"task_rows": []}),
        ("task_rows.*.person.name", {"task_rows": [{"person": {"name": "Ann"}}, {"person": None}, {"person": {"name": "Bo"}}]}),
        ("task_rows.0.*", {"task_rows": [{"id": "r1", "code": "A", "quantity": 1}]}),
        ("labels.*.priority", {"labels": [{"priority": 4}]}),
        ("labels.*.*", {"labels": [{"id": "l1", "name": "late", "priority": 4}]}),
        ("meta.color,workdays.1", {"meta": {"color": "red"}, "workdays": {"1": True}}),
        ("meta.*.x", {"meta": {"color": "red", "size": {"x": 1}}}),
        ("meta.size.x,meta.*.y", {"meta": {"color": "red", "size": {"x": 1, "y": 2}}}),
        ("custom_fields.*.value", {"custom_fields": [{"value": "v1"}, {"value": "v2"}]}),
        ("custom_fields.value", {"custom_fields": [{"value": "v1"}, {"value": "v2"}]}),
        ("custom_fields.1.name", {"custom_fields": [{"name": "n2"}]}),
    ],
)
def test_show_keeps_what_its_paths_lead_to(text: str, expected: Any) -> None:
    assert shown(text) == expected
    assert shape(text).unknown == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name,owner,labels,task_rows", {name: value for name, value in PLAIN.items() if name != "name"}),
        ("*", {name: ANSWER[name] for name in ("owner", "task_rows", "labels")}),
        ("owner.*", without("owner") | {"owner": {"tasks": OWNER["tasks"]}}),
        ("owner.tasks.0", without("owner") | {"owner": {"id": "p1", "name": "Ann", "age": 30, "tasks": []}}),
        ("task_rows.*", without("task_rows") | {"task_rows": []}),
        ("task_rows.1", without("task_rows") | {"task_rows": [ROWS[0], ROWS[2]]}),
        (
            "task_rows.*.person,taskRows.0.id,task_rows.*.code",
            without("task_rows") | {"task_rows": [{"quantity": 1}, {"id": "r2", "quantity": 2}, {"id": "r3", "quantity": 3}]},
        ),
        ("meta.size.x", without("meta") | {"meta": {"color": "red", "size": {"y": 2}}}),
        ("meta.color.x", ANSWER),
        ("custom_fields.name", without("custom_fields") | {"custom_fields": [{"value": "v1"}, {"value": "v2"}]}),
    ],
)
def test_hide_drops_what_its_paths_lead_to(text: str, expected: Any) -> None:
    assert left(text) == expected
    assert shape(None, text).unknown == ()


def test_hide_drops_from_what_show_keeps() -> None:
    expected = {"owner": {"name": "Ann", "age": 30}, "task_rows": [{"id": "r1"}, {"id": "r2"}, {"id": "r3"}]}
    assert shown("owner.*,task_rows.*.id,task_rows.*.code", "owner.id,task_rows.*.code,name") == expected


def test_a_list_of_objects_is_shaped_one_by_one() -> None:
    assert shape("id").apply([ANSWER, {**ANSWER, "id": "t9"}]) == [{"id": "t1"}, {"id": "t9"}]


def test_shaping_leaves_the_answer_itself_as_it_was() -> None:
    before = repr(ANSWER)
    shown("owner.name,task_rows.0.id", "owner.id,meta")
    assert repr(ANSWER) == before


@pytest.mark.parametrize(
    "name",
    [
        "nothing",
        "secret",
        "internal",
        "startTime",
        "name.inner",
        "name.*",
        "ghosts",
        "ghosts.id",
        "owner.nothing",
        "owner.0.name",
        "task_rows.*.nothing",
        "labels.*.tasks",
        "owner.tasks.*.priority",
        "owner..name",
        ".",
        "meta." + ".".join("abcdefghijklmnop"),
    ],
)
def test_a_name_that_leads_nowhere_is_told_and_selects_nothing(name: str) -> None:
    assert shape(f"id,{name}").unknown == (name,)
    assert shown(f"id,{name}") == {"id": "t1"}
    assert left(name) == ANSWER


def test_show_of_nothing_but_unknown_names_shows_nothing() -> None:
    assert shown("nothing") == {}


def test_each_unknown_name_is_told_once() -> None:
    assert shape("nothing,id,nothing", "none,nothing").unknown == ("nothing", "none")


def test_a_relation_that_does_not_come_along_leads_nowhere() -> None:
    compiled = shape("id,labels.*.id,task_rows.*.person.id", with_="task_rows")
    assert compiled.unknown == ("labels.*.id", "task_rows.*.person.id")


def test_500_names_are_read_and_one_more_is_refused() -> None:
    assert shape(",".join(f"meta.k{number}" for number in range(500))).unknown == ()
    for show, hide in ((",".join(["id"] * 501), None), (None, ",".join(["id"] * 501))):
        with pytest.raises(Refusal, match="at most 500 names each") as caught:
            shape(show, hide)
        assert caught.value.faults[0].kind is BAD_REQUEST


def test_names_that_multiply_beside_stars_are_refused() -> None:
    stars = [["*"] * level + [f"k{number}"] + ["*"] * (8 - level) for level in range(8) for number in range(5)]
    with pytest.raises(Refusal, match="combine too many names") as caught:
        shape(",".join("meta." + ".".join(path) for path in stars))
    assert caught.value.faults[0].kind is BAD_REQUEST
