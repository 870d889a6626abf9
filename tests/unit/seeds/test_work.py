"""The demo's arithmetic: working days, stages and states.

To see it fail: let `workday` count Saturdays, or start a stage before the one ahead of it ends.
"""

import datetime as dt
from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from planwerk.seeds.business import ADDRESSES, ARTICLES, ORDERS, PROJECTS, RELATIONS, Line
from planwerk.seeds.remarks import REMARKS
from planwerk.seeds.work import CardPlan, board_of, cards_of, minutes_of, order_status, time_of, workday
from planwerk.seeds.workshop import (
    ACTIVITIES,
    BOARDS,
    BUSY,
    DAY,
    DEVIATIONS,
    ENTRY,
    EXIT,
    GROUPS,
    HELD,
    RESOURCES,
    STAGES,
    STATUS_OF,
    STATUSES,
    USERS,
)

PLANNED = [(number, line) for number, line in enumerate(ORDERS, 1) if line.start is not None]
DAYS = st.dates(dt.date(2000, 1, 1), dt.date(2100, 1, 1))
NUMBERS = st.integers(-400, 400)


@given(DAYS, NUMBERS)
def test_a_working_day_is_no_weekend_and_follows_the_one_before(today: dt.date, number: int) -> None:
    day, before = workday(today, number), workday(today, number - 1)
    assert day.weekday() < 5
    assert (day - before).days == (3 if day.weekday() == 0 else 1)


@given(DAYS)
def test_working_day_zero_is_today_or_the_monday_after_the_weekend(today: dt.date) -> None:
    waited = (workday(today, 0) - today).days
    assert waited == (7 - today.weekday() if today.weekday() > 4 else 0)


@pytest.mark.parametrize(("number", "line"), PLANNED)
def test_cards_hold_the_whole_time_of_the_order_stage_after_stage(number: int, line: Line) -> None:
    cards = list(cards_of(number, line))
    assert {name: minutes for card in cards for name, minutes in card.minutes.items()} == minutes_of(line)
    order = [stage[0] for stage in STAGES[board_of(line)]]
    assert [card.stage for card in cards] == sorted((card.stage for card in cards), key=order.index)
    assert all(card.start <= card.end for card in cards)
    assert all(before.end <= after.start for before, after in pairwise(cards))
    assert cards[-1].end <= line.due


@pytest.mark.parametrize(("number", "line"), PLANNED)
def test_a_card_has_only_resources_of_its_stage_that_can_do_its_work(number: int, line: Line) -> None:
    stages = {stage[0]: stage[3] for stage in STAGES[board_of(line)]}
    for card in cards_of(number, line):
        assert card.resources
        assert set(card.resources) <= set(stages[card.stage])
        assert all(set(RESOURCES[name]["activities"]) & set(card.minutes) for name in card.resources)


def test_an_order_without_a_start_has_no_cards() -> None:
    backlog = [line for line in ORDERS if line.start is None]
    assert backlog
    assert not any(list(cards_of(1, line)) for line in backlog)


def plans(*states: str) -> list[CardPlan]:
    return [CardPlan("", 0, 0, {}, (), state) for state in states]


@pytest.mark.parametrize(
    ("states", "status"),
    [
        ((), "new"),
        ((ENTRY, ENTRY), "planned"),
        ((EXIT, ENTRY), "in_prog"),
        ((EXIT, BUSY), "in_prog"),
        ((EXIT, HELD), "on_hold"),
        ((EXIT, EXIT), "done"),
    ],
)
def test_the_state_of_the_cards_is_the_status_of_the_order(states: tuple[str, ...], status: str) -> None:
    assert order_status(plans(*states)) == status


def test_every_state_of_an_order_occurs_in_the_demo() -> None:
    assert {order_status(list(cards_of(number, line))) for number, line in enumerate(ORDERS, 1)} == {
        "new",
        "planned",
        "in_prog",
        "on_hold",
        "done",
    }


@given(st.integers(1, 20_000))
def test_a_time_in_any_unit_is_the_same_time(minutes: int) -> None:
    quantity, unit = time_of(minutes)
    assert quantity * {"minutes": 1, "hours": 60, "days": DAY}[unit] == minutes


def test_the_tables_name_only_what_they_have() -> None:
    assert {line.relation for line in ORDERS} <= set(RELATIONS)
    assert set(ADDRESSES) <= set(RELATIONS)
    assert {line.article for line in ORDERS} == set(ARTICLES)
    assert {line.project for line in ORDERS} == {None, *PROJECTS}
    assert {name for _, minutes in ARTICLES.values() for name in minutes} == set(ACTIVITIES)
    assert {name for members in GROUPS.values() for name in members} | {*DEVIATIONS} <= set(RESOURCES)
    assert {user["resource"] for user in USERS if "resource" in user} <= set(RESOURCES)
    assert {author for remarks in REMARKS.values() for author, _ in remarks} <= {user["firstname"] for user in USERS}
    assert max(REMARKS) <= len(ORDERS)


@pytest.mark.parametrize("board", BOARDS)
def test_the_statuses_of_a_board_say_where_cards_begin_and_end(board: str) -> None:
    named = {status["name"]: status for status in STATUSES[board]}
    assert set(STATUS_OF[board].values()) == set(named)
    assert [status["name"] for status in STATUSES[board] if status.get("exit")] == [STATUS_OF[board][EXIT]]
    assert sum(bool(status.get("entry")) for status in STATUSES[board]) == 1
    assert {label for line in ORDERS if board_of(line) == board for label in line.labels} <= {
        label["name"] for label in BOARDS[board]["labels"]
    }
