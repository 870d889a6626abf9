"""plan: a wish becomes a read of one object, or is refused with 400."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from tests.naive import naive_list
from tests.strategies import conditions, filters, rows, sorts
from tests.unit.query.sample import OBJECTS, TASK

from planwerk.describe import Object
from planwerk.errors import BAD_REQUEST, INVALID_FILTER, INVALID_SORT, RELATION_NOT_FOUND, Kind, Refusal
from planwerk.plan import Read, operands, plan_read, shape_of
from planwerk.query.conditions import All, AnyOf, Condition, Has, Node, Test
from planwerk.query.grammar import write_filter
from planwerk.query.parameters import Wish, parse_sort

ID = "00000001-0000-4000-8000-00000000000a"


def plan(described: Object = TASK, **wish: Any) -> Read:
    if isinstance(wish.get("sort"), str):
        wish["sort"] = parse_sort(wish["sort"])
    return plan_read(described, Wish(**wish), OBJECTS)


def refused(**wish: Any) -> tuple[Kind, str]:
    with pytest.raises(Refusal) as caught:
        plan(**wish)
    assert caught.value.status == 400
    return caught.value.faults[0].kind, caught.value.faults[0].description


def planned(text: str) -> Node:
    node = plan(filter=text).filter
    assert node is not None
    return node


def understood(text: str) -> Test:
    node = planned(text)
    assert isinstance(node, Test)
    return node


def test_an_empty_wish_reads_the_first_hundred() -> None:
    read = plan()
    assert (read.object, read.filter, read.sort, read.limit, read.offset, read.with_, read.archived) == (
        TASK,
        None,
        (),
        100,
        0,
        (),
        "false",
    )


def test_limit_offset_and_archived_are_handed_on() -> None:
    read = plan(limit=1000, asked_limit=2000, offset=3, archived="only")
    assert (read.limit, read.asked_limit, read.offset, read.archived) == (1000, 2000, 3, "only")


# ── sort ──


def test_any_property_with_a_single_value_can_be_sorted_by() -> None:
    assert plan(sort="start:desc,id").sort == (("start", True), ("id", False))


@pytest.mark.parametrize(
    "name", ["nothing", "secret", "internal", "deleted_at", "owner", "owner.name", "startTime", "task_rows.code", "meta.x"]
)
def test_sorting_by_what_is_no_property_of_its_own_is_refused(name: str) -> None:
    assert refused(sort=f"id,{name}") == (INVALID_SORT, f"sort: task has no property {name} of its own")


@pytest.mark.parametrize("name", ["meta", "warnings", "value", "workdays", "custom_fields"])
def test_sorting_by_a_list_or_object_is_refused(name: str) -> None:
    assert refused(sort=name) == (INVALID_SORT, f"sort: {name} holds no single value to sort by")


# ── with ──


def tree(with_: Any) -> dict[str, Any]:
    return {relation.name: tree(inner) for relation, inner in with_}


def test_with_is_a_tree_in_the_order_first_asked_for() -> None:
    read = plan(with_="labels, task_rows.person ,owner,task_rows.task.labels,,labels")
    assert tree(read.with_) == {"labels": {}, "task_rows": {"person": {}, "task": {"labels": {}}}, "owner": {}}
    assert list(tree(read.with_)) == ["labels", "task_rows", "owner"]


def test_camel_case_names_the_same_relation() -> None:
    assert tree(plan(with_="taskRows.person,task_rows.task").with_) == {"task_rows": {"person": {}, "task": {}}}


def test_a_property_that_is_there_anyway_is_accepted_in_with() -> None:
    assert tree(plan(with_="time,labels,task_rows.task.time").with_) == {"labels": {}, "task_rows": {"task": {}}}


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("statuses", "statuses"),
        ("labels,name", "name"),
        ("taskRows.personn.tasks", "taskRows.personn"),
        ("owner.time", "owner.time"),
        ("owner..tasks", "owner."),
        ("ghosts", "ghosts"),
        ("Labels", "Labels"),
    ],
)
def test_an_unknown_relation_is_refused_as_it_was_asked_for(text: str, asked: str) -> None:
    assert refused(with_=text) == (RELATION_NOT_FOUND, f"Relation not found: {asked}")


def test_with_leads_through_four_relations_and_no_more() -> None:
    assert tree(plan(with_="owner.tasks.owner.tasks").with_) == {"owner": {"tasks": {"owner": {"tasks": {}}}}}
    assert refused(with_="owner.tasks.owner.tasks.owner")[0] is BAD_REQUEST


def test_with_names_a_hundred_paths_and_no_more() -> None:
    assert tree(plan(with_=",".join(["owner"] * 100)).with_) == {"owner": {}}
    assert refused(with_=",".join(["owner"] * 101)) == (BAD_REQUEST, "with may name at most 100 relations")


# ── filter ──


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("name:eq:Saw", "Saw"),
        ("name:gt:''", ""),
        ("name:eq:", ""),
        ("status:lte:zzz", "zzz"),
        (f"id:eq:{ID.upper()}", ID),
        ("start:gte:2024-02-29", "2024-02-29"),
        ("start_time:lt:08:30", "08:30"),
        ("due_at:gt:2023-11-01T13:00:00Z", "2023-11-01T13:00:00Z"),
        ("due_at:gt:'2023-11-01T13:00:00.123+01:00'", "2023-11-01T12:00:00Z"),
        ("due_at:gt:2023-11-01", "2023-11-01T00:00:00Z"),
        ("position:eq:-3", -3),
        ("quantity:gt:1.5", 1.5),
        ("is_urgent:eq:TRUE", True),
        ("is_urgent:eq:0", False),
        ("name:contains:SÄge", "säge"),
        ("name:starts_with:A%", "a%"),
        ("due_at:start_with:2023-11-01T", "2023-11-01t"),
        ("id:end_with:FF", "ff"),
        ("warnings:contains:Late", '"late"'),
        ("warnings:contains:'a\"b'", '"a\\"b"'),
    ],
)
def test_an_operand_has_the_type_of_its_property_and_text_operators_fold_it(text: str, value: Any) -> None:
    test = understood(text)
    assert (test.value, type(test.value), test.is_null) == (value, type(value), False)
    assert operands(plan(filter=text)) == [value]


def test_a_test_knows_its_field_operator_and_place() -> None:
    tree = planned("name:eq:a,and,status:not:ends_with:b")
    assert isinstance(tree, All)
    test = tree.items[1]
    assert isinstance(test, Test)
    assert (test.field, test.column, test.operator, test.is_negated) == (TASK.field["status"], "status", "ends_with", True)
    assert (test.relation, test.key, test.position) == (None, None, 14)


def test_a_bare_null_asks_whether_there_is_no_value_and_a_quoted_one_is_text() -> None:
    assert (understood("start:not:eq:null").is_null, understood("start:not:eq:null").is_negated) == (True, True)
    assert (understood("name:eq:'null'").is_null, understood("name:eq:'null'").value) == (False, "null")
    assert operands(plan(filter="name:eq:null")) == []


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("meta.color:eq:red", "color", "red"),
        ("meta.size:gt:10", "size", "10"),
        ("meta.'key:x':contains:Red", "key:x", "red"),
        ("meta.a.b:eq:1", "a.b", "1"),
        ("custom_fields.Best colour:starts_with:R", "Best colour", "r"),
    ],
)
def test_a_key_of_meta_and_a_custom_field_are_compared_as_text(text: str, key: str, value: str) -> None:
    test = understood(text)
    assert (test.key, test.value, test.column) == (key, value, text.split(".", maxsplit=1)[0])


def test_a_key_of_meta_can_be_tested_for_null() -> None:
    assert (understood("meta.color:eq:null").is_null, understood("meta.color:eq:null").key) == (True, "color")


def test_a_filter_leads_through_one_relation_in_either_spelling() -> None:
    for spelling in ("task_rows", "taskRows"):
        test = understood(f"{spelling}.quantity:gt:3")
        assert (test.relation, test.column, test.value) == (TASK.relation["task_rows"], "quantity", 3)


def test_a_filter_reaches_a_key_inside_a_related_object() -> None:
    test = understood("owner.meta.color:eq:red")
    assert (test.relation, test.column, test.key) == (TASK.relation["owner"], "meta", "color")


@pytest.mark.parametrize(
    ("text", "has"),
    [
        ("labels:has:", Has(TASK.relation["labels"], False)),
        ("labels:not:has:''", Has(TASK.relation["labels"], True)),
        ("labels:has:3", Has(TASK.relation["labels"], False, least=3)),
        ("taskRows:has:0", Has(TASK.relation["task_rows"], False, least=0)),
        (f"owner:has:{ID.upper()}", Has(TASK.relation["owner"], False, id=ID)),
    ],
)
def test_has_asks_for_one_a_number_or_a_certain_one(text: str, has: Has) -> None:
    assert planned(text) == has


NOT_A_DATE = "start must be a date, YYYY-MM-DD"


@pytest.mark.parametrize(
    ("condition", "description"),
    [
        ("nothing:eq:1", "task has no property nothing"),
        ("secret:eq:1", "task has no property secret"),
        ("internal:eq:1", "task has no property internal"),
        ("startTime:eq:08:30", "task has no property startTime"),
        ("ghosts:has:", "task has no property ghosts"),
        ("owner.password:eq:1", "person has no property password"),
        ("owner.tasks.name:eq:1", "tasks: a filter leads through one relation only"),
        ("owner.tasks:has:", "tasks: a filter leads through one relation only"),
        ("owner:eq:1", "owner is a relation: it takes has, or a property of it (owner.id)"),
        ("name:has:1", "has asks for related objects, and name is a property"),
        ("labels.name:has:1", "has asks for related objects, and name is a property"),
        ("labels:has:x", "has takes an id, a number, or nothing"),
        ("labels:has:null", "has takes an id, a number, or nothing"),
        ("labels:has:-1", "has takes an id, a number, or nothing"),
        ("name.inner:eq:1", "name has nothing inside to compare"),
        ("steps.name:eq:1", "steps has nothing inside to compare"),
        ("meta:eq:1", "meta is compared by one of its keys, meta.<key>"),
        ("meta.'':eq:1", "meta is compared by one of its keys, meta.<key>"),
        ("custom_fields:has:1", "custom_fields is compared by one of its keys, custom_fields.<key>"),
        ("workdays:eq:1", "workdays cannot be compared with eq"),
        ("warnings:eq:null", "warnings cannot be compared with eq"),
        ("position:contains:1", "position cannot be compared with contains"),
        ("is_urgent:gt:1", "is_urgent cannot be compared with gt"),
        ("name:gt:null", "null is compared with eq only; the text is written 'null', not with gt"),
        ("start:eq:", NOT_A_DATE),
        ("start:eq:2023-02-29", NOT_A_DATE),
        ("due_at:gt:today", "due_at must be a moment of RFC 3339, such as 2024-04-11T10:22:15Z"),
        ("position:eq:1.5", "position must be a whole number"),
        ("quantity:eq:much", "quantity must be a number"),
        ("is_urgent:eq:yes", "is_urgent must be true, false, 1 or 0"),
        ("task_rows.quantity:eq:x", "quantity must be a whole number"),
    ],
)
def test_a_condition_that_the_object_cannot_answer_is_refused_with_its_place(condition: str, description: str) -> None:
    kind, told = refused(filter=f"id:eq:1,and,({condition})")
    assert kind is INVALID_FILTER
    assert told.startswith(f'{description} at position 14: "')
    assert f"↦{condition[:19]}" in told


# ── what the store asks ──


def shape(text: str, **wish: Any) -> Any:
    return shape_of(plan(filter=text, **wish))


def test_reads_that_differ_in_values_and_paging_only_are_one_shape() -> None:
    other = ID.replace("a", "b")
    first = shape(f"name:eq:a,and,(labels:has:{ID},or,meta.x:contains:y)", limit=1, offset=2, sort="name", with_="labels")
    assert first == shape(f"name:eq:b,and,(labels:has:{other},or,meta.x:contains:z)", sort="name", with_="labels")
    assert len({first, shape(f"name:eq:c,and,(labels:has:{ID},or,meta.x:contains:y)", sort="name", with_="labels")}) == 1


BASE = "name:eq:a,and,status:eq:b"


@pytest.mark.parametrize(
    "wish",
    [
        {"filter": "name:eq:a,or,status:eq:b"},
        {"filter": "name:eq:a"},
        {"filter": "note:eq:a,and,status:eq:b"},
        {"filter": "name:gt:a,and,status:eq:b"},
        {"filter": "name:not:a,and,status:eq:b"},
        {"filter": "name:eq:null,and,status:eq:b"},
        {"filter": "owner.name:eq:a,and,status:eq:b"},
        {"filter": "meta.x:eq:a,and,status:eq:b"},
        {"filter": "meta.y:eq:a,and,status:eq:b"},
        {"filter": "labels:has:,and,status:eq:b"},
        {"filter": "labels:has:2,and,status:eq:b"},
        {"filter": f"labels:has:{ID},and,status:eq:b"},
        {"filter": BASE, "sort": "name"},
        {"filter": BASE, "sort": "name:desc"},
        {"filter": BASE, "with_": "owner"},
        {"filter": BASE, "with_": "owner.tasks"},
        {"filter": BASE, "archived": "only"},
    ],
)
def test_reads_that_differ_in_anything_else_are_two_shapes(wish: dict[str, Any]) -> None:
    assert shape_of(plan(**wish)) != shape(BASE)


def test_two_objects_never_share_a_shape() -> None:
    assert shape_of(plan()) != shape_of(plan(OBJECTS["person"]))


def test_operands_come_in_the_order_of_the_filter_without_those_of_the_shape() -> None:
    text = f"position:eq:1,and,(name:eq:null,or,labels:has:2,or,labels:has:{ID}),and,is_urgent:eq:true"
    assert operands(plan(filter=text)) == [1, ID, True]
    assert operands(plan()) == []


def test_a_read_and_its_relations_can_be_keys() -> None:
    read = plan(filter="custom_fields.a:eq:1", with_="labels.tasks,task_rows")
    assert len({read, read}) == len({read.with_, plan(with_="labels.tasks,task_rows").with_}) == 1


@given(filters(TASK, OBJECTS), sorts(TASK))
@settings(deadline=None, max_examples=50)
def test_every_text_of_the_strategies_is_planned(text: str, sort: str) -> None:
    read = plan(filter=text, sort=sort)
    assert isinstance(read.filter, Test | Has | All | AnyOf)


@given(conditions(TASK, OBJECTS), rows(TASK, OBJECTS))
@settings(deadline=None, max_examples=15)
def test_each_row_passes_a_condition_or_its_opposite_and_never_both(condition: Condition, found: list[dict[str, Any]]) -> None:
    pages = [
        naive_list(found, plan(filter=write_filter(replace(condition, is_negated=is_negated)), archived="true"))
        for is_negated in (False, True)
    ]
    assert sorted(pages[0] + pages[1]) == sorted(row["id"] for row in found)
