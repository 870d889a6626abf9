"""What an order tells about its collection: each fact, each minute, and the day to plan it by."""

from decimal import Decimal
from typing import Any

import pytest

from planwerk.rules.order_mapping import (
    FACTS,
    Sources,
    address_line,
    due_date_of,
    facts_of,
    is_planned_by_itself,
    merged_facts,
    minutes_by_activity,
    planning_day,
    whole_minutes,
)
from planwerk.rules.workdays import Workdays

Values = dict[str, Any]
WEEK = Workdays((True, True, True, True, True, False, False))
DAY = 480


def line(activity_id: str | None, quantity: float | None, unit: str | None, position: int | None = None, id: str = "") -> Values:
    return {"id": id, "position": position, "activity_id": activity_id, "quantity": quantity, "unit": unit}


def test_every_fact_has_its_source() -> None:
    address = {"street1": "Kade 7", "postal_code": None, "city": "Amsterdam", "country": None}
    order = {"type": "Sales", "status": "new", "promised_date": "2026-12-01", "desired_date": "2026-11-01"}
    facts = facts_of(order, Sources(address, "Mulder", "Harbour"))
    assert tuple(facts) == FACTS
    assert tuple(facts.values()) == ("Sales", "new", "Kade 7, Amsterdam", "Mulder", "Harbour", "2026-12-01", "2026-11-01")


def test_what_is_unknown_or_empty_is_no_fact() -> None:
    nowhere = {"street1": "", "postal_code": None, "city": None, "country": None}
    assert facts_of({"type": None, "status": ""}, Sources(nowhere, None, "")) == {}


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((None, None, None, None), ""),
        (("Kade 7", None, None, None), "Kade 7"),
        ((None, "1013 AB", None, None), "1013 AB"),
        ((None, "1013 AB", "Amsterdam", None), "1013 AB Amsterdam"),
        (("Kade 7", None, None, "NL"), "Kade 7, NL"),
        (("Kade 7", "1013 AB", "Amsterdam", "NL"), "Kade 7, 1013 AB Amsterdam, NL"),
    ],
)
def test_an_address_is_the_parts_that_are_there(parts: tuple[str | None, ...], expected: str) -> None:
    assert address_line(dict(zip(("street1", "postal_code", "city", "country"), parts, strict=True))) == expected


@pytest.mark.parametrize(("promised", "desired", "expected"), [("p", "d", "p"), ("p", None, "p"), (None, "d", "d"), (None, None, None)])
def test_what_is_promised_comes_before_what_is_desired(promised: str | None, desired: str | None, expected: str | None) -> None:
    assert due_date_of({"promised_date": promised, "desired_date": desired}) == expected


@pytest.mark.parametrize(
    ("meta", "facts", "expected"),
    [
        (None, {}, None),
        ({}, {}, None),
        ({"relation": "Mulder"}, {}, None),
        (None, {"relation": "Mulder"}, {"relation": "Mulder"}),
        ({"colour": "red"}, {}, {"colour": "red"}),
        ({"colour": "red", "relation": "old", "project": "gone"}, {"relation": "new"}, {"colour": "red", "relation": "new"}),
    ],
)
def test_facts_replace_the_facts_there_were_and_nothing_else(meta: Values | None, facts: dict[str, str], expected: Values | None) -> None:
    assert merged_facts(meta, facts) == expected


def test_the_length_of_a_day_is_a_setting() -> None:
    assert minutes_by_activity([line("a", 2, "days")], 3600) == {"a": 7200}
    assert minutes_by_activity([line("a", 2, "days")], 0) == {"a": 0}


def test_rows_come_by_position_then_id_and_those_without_a_position_last() -> None:
    rows = [line("a", 1, "minutes"), line("b", 1, "minutes", 2), line("c", 1, "minutes", 0, "2"), line("d", 1, "minutes", 0, "1")]
    assert list(minutes_by_activity(rows, DAY)) == ["d", "c", "b", "a"]


def test_a_sum_is_rounded_and_not_its_parts() -> None:
    assert minutes_by_activity([line("a", 0.25, "minutes") for _ in range(5)], DAY) == {"a": 1}
    assert 0.3 + 1.9 + 0.3 < 2.5  # as doubles; as they are written they are two minutes and a half
    assert minutes_by_activity([line("a", quantity, "minutes") for quantity in (0.3, 1.9, 0.3)], DAY) == {"a": 3}


@pytest.mark.parametrize(
    ("total", "expected"),
    [("0", 0), ("0.49", 0), ("0.5", 1), ("1.49", 1), ("1.5", 2), ("2.5", 3), ("-0.5", 0), ("-7", 0), ("1e30", 2**53 - 1)],
)
def test_half_a_minute_counts_as_one(total: str, expected: int) -> None:
    assert whole_minutes(Decimal(total)) == expected


@pytest.mark.parametrize(
    ("types", "type", "expected"),
    [
        ([], "Sales", True),
        ([], None, True),
        (["Sales"], "Sales", True),
        (["Sales"], "Purchase", False),
        (["Sales"], None, False),
        (["none"], None, True),
        (["none"], "none", True),
        (["none"], "Sales", False),
    ],
)
def test_a_board_plans_the_types_it_names(types: list[str], type: str | None, expected: bool) -> None:
    assert is_planned_by_itself({"order_types": types}, {"type": type}) is expected


ORDER = {"promised_date": "2026-12-05", "desired_date": None, "created_at": "2026-11-28T23:59:59Z"}  # Saturdays both


@pytest.mark.parametrize(
    ("anchor", "offset", "expected"),
    [
        ("promised_date", 0, "2026-12-04"),  # what must be ready on a Saturday is ready on the Friday before
        ("promised_date", -1, "2026-12-03"),
        ("promised_date", 2, "2026-12-09"),
        ("desired_date", 0, None),
        ("due_date", 0, "2026-12-10"),
        ("due_date", -5, "2026-12-03"),
        ("created_at", 0, "2026-11-30"),  # what comes on a Saturday is begun on the Monday after
        ("created_at", 3, "2026-12-03"),
        ("promised_date", 10**9, None),
        ("promised_date", -(10**9), None),
    ],
)
def test_the_day_to_plan_by(anchor: str, offset: int, expected: str | None) -> None:
    wanted = {"anchor_date": anchor, "offset_workdays": offset}
    assert planning_day(wanted, ORDER, {"due_date": "2026-12-10"}, WEEK) == expected


def test_a_board_that_is_never_open_has_no_day() -> None:
    wanted = {"anchor_date": "promised_date", "offset_workdays": 0}
    assert planning_day(wanted, ORDER, {}, Workdays((False,) * 7)) is None
