"""What is said about a plan: its makespan beside the best known, the load, the warnings, and what to doubt.

To see it fail: count the last day twice, or leave out the days on which a machine has too much to do.
"""

import datetime as dt
from collections import Counter
from dataclasses import replace

import pytest

from planwerk.seeds.client import Json
from planwerk.seeds.dispatch import Run
from planwerk.seeds.instances import Instance, Operation
from planwerk.seeds.outcome import Outcome, beside_best, outcome_of

TINY = Instance("tiny", ((Operation(0, 3), Operation(1, 2)), (Operation(0, 2),)), 5, 5)
FIRST = dt.date(2026, 11, 30)
GOOD = Outcome(TINY, FIRST, ((Run(0, 0, 3), Run(1, 3, 2)), (Run(0, 3, 2),)), Counter(), "2026-12-31")


def card(machine: str, first: str, last: str) -> Json:
    return {"start_date": first, "end_date": last, "resources": [{"id": machine}]}


def test_a_plan_is_read_from_its_cards_by_day() -> None:
    cards = [card("mill", "2026-12-03", "2026-12-04"), card("saw", "2026-11-30", "2026-12-02")]
    jobs = [
        {"collection": {"cards": cards, "warnings": ["stage_order"]}},
        {"collection": {"cards": [card("saw", "2026-12-03", "2026-12-04")], "warnings": ["stage_order", "due_date_exceeded"]}},
    ]
    found = outcome_of(TINY, FIRST, ["saw", "mill"], jobs, "2026-12-31")
    assert found == replace(GOOD, warnings=Counter({"stage_order": 2, "due_date_exceeded": 1}))


def test_a_plan_is_told_in_lines() -> None:
    assert GOOD.lines() == [
        "Job shop tiny: 3 cards from 2026-11-30 to 2026-12-04, a working day for each minute",
        "makespan: 5 days; 0.0 % above the best known, 5 (which is the shortest possible)",
        "machine 0: busy on 5 days, 100.0 % of the makespan",
        "machine 1: busy on 2 days, 40.0 % of the makespan",
        "warnings: none",
        "each job planned as if it were alone: 5 days, but 2 machine days would have more than one operation",
    ]


@pytest.mark.parametrize(
    ("plan", "line"),
    [
        (replace(GOOD, warnings=Counter({"stage_order": 2, "capacity_exceeded": 1})), "warnings: capacity_exceeded 1, stage_order 2"),
        (replace(GOOD, judged_until="2026-12-03"), "schedules end on 2026-12-03 (schedule_years_ahead): behind it no capacity is judged"),
        (replace(GOOD, judged_until=""), "schedules end on no day (schedule_years_ahead): behind it no capacity is judged"),
        (replace(GOOD, jobs=((Run(0, 0, 3),), (Run(0, 1, 2),))), "not feasible: on 2 days a machine has more than one operation"),
    ],
)
def test_what_is_doubtful_is_said(plan: Outcome, line: str) -> None:
    assert line in plan.lines()
    assert line not in GOOD.lines()


def test_schedules_that_reach_the_last_day_are_enough() -> None:
    assert not any("schedules end" in line for line in replace(GOOD, judged_until="2026-12-04").lines())


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        ((50, 50), "20.0 % above the best known, 50 (which is the shortest possible)"),
        ((48, 50), "20.0 % above the best known, 50 (no plan can be shorter than 48)"),
        ((None, 50), "20.0 % above the best known, 50"),
        ((48, None), "the best is unknown"),
    ],
)
def test_a_makespan_is_set_beside_the_best_known(bounds: tuple[int | None, int | None], words: str) -> None:
    assert beside_best(60, Instance("tiny", (), *bounds)) == words
