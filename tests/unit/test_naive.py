"""The naive evaluation that judges both databases is itself held to the rules, on rows one can check by eye."""

from typing import Any

import pytest
from tests.naive import naive_count, naive_list
from tests.unit.query.sample import OBJECTS, TASK

from planwerk.plan import plan_read
from planwerk.query.parameters import parse_parameters

EMPTY: dict[str, Any] = {field.name: None for field in TASK.shown}
ROWS: list[dict[str, Any]] = [
    EMPTY | {"id": "1", "name": "Saw", "position": 2, "meta": {"n": 10}, "owner": {"id": "p", "name": "Ann"}, "labels": [{"id": "x"}]},
    EMPTY | {"id": "2", "name": "säge", "position": None, "meta": {"n": True}, "owner": None, "labels": []},
    EMPTY | {"id": "3", "name": "DRILL", "position": 1, "warnings": ["late"], "labels": [{"id": "x"}, {"id": "y"}]},
    EMPTY
    | {"id": "4", "name": "drill", "position": 2, "custom_fields": [{"name": "c", "value": "v"}], "archived_at": "2024-01-01T00:00:00Z"},
]


def ids(query_string: str) -> str:
    return "".join(naive_list(ROWS, plan_read(TASK, parse_parameters(query_string), OBJECTS)))


@pytest.mark.parametrize(
    ("query_string", "expected"),
    [
        ("", "123"),
        ("archived=true", "1234"),
        ("archived=only", "4"),
        ("limit=1&offset=1", "2"),
        ("offset=9", ""),
        ("sort=position", "312"),
        ("sort=position:desc", "213"),
        ("sort=position:desc&archived=true", "2413"),
        ("sort=name", "312"),
        ("sort=position,name:desc&archived=true", "3412"),
        ("filter=position:eq:2", "1"),
        ("filter=position:not:eq:2", "23"),
        ("filter=position:eq:null", "2"),
        ("filter=position:not:eq:null", "13"),
        ("filter=position:gt:1", "1"),
        ("filter=position:gte:1,and,position:lt:2", "3"),
        ("filter=position:lte:1,or,name:eq:Saw", "13"),
        ("filter=name:contains:R", "3"),
        ("filter=name:starts_with:S", "12"),
        ("filter=name:ends_with:GE", "2"),
        ("filter=name:not:starts_with:s", "3"),
        ("filter=meta.n:eq:10", "1"),
        ("filter=meta.n:eq:true", "2"),
        ("filter=meta.n:eq:null", "3"),
        ("filter=warnings:contains:late", "3"),
        ("filter=custom_fields.c:eq:v&archived=true", "4"),
        ("filter=custom_fields.c:eq:null", "123"),
        ("filter=labels:has:", "13"),
        ("filter=labels:has:2", "3"),
        ("filter=labels:not:has:2", "12"),
        ("filter=labels.id:eq:y", "3"),
        ("filter=labels.id:not:eq:y", "12"),
        ("filter=owner.name:eq:Ann", "1"),
    ],
)
def test_rows_are_found_and_ordered_as_the_rules_say(query_string: str, expected: str) -> None:
    assert ids(query_string) == expected


def test_the_count_is_that_of_all_pages() -> None:
    read = plan_read(TASK, parse_parameters("limit=1&filter=position:not:eq:2"), OBJECTS)
    assert naive_count(ROWS, read) == 2
