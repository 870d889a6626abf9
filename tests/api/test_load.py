"""A collection whose card lies on too full a day of a resource is found, and no other; on both databases.

To see it fail: count cards of other boards by the asked board's method in `store/load.py`, or drop `is_open` there.
"""

from collections.abc import Iterable
from typing import Any

import pytest
from tests.server import Server
from tests.shopfloor import Shopfloor

from planwerk.store.load import overloaded_collections

MONDAY, TUESDAY, WEDNESDAY, FRIDAY, SATURDAY, SUNDAY, NEXT_MONDAY = (
    "2026-11-23",
    "2026-11-24",
    "2026-11-25",
    "2026-11-27",
    "2026-11-28",
    "2026-11-29",
    "2026-11-30",
)
WEEK = (MONDAY, TUESDAY, WEDNESDAY, "2026-11-26", FRIDAY, SATURDAY, SUNDAY, NEXT_MONDAY)
EVERY_DAY = {str(day): True for day in range(1, 8)}


class Load:
    """A board with one stage and one resource that has an hour on every day of a week."""

    def __init__(self, server: Server) -> None:
        self.floor = Shopfloor(server, server.tenant().environment.id)
        self.board_id = self.floor.add("board", name="board")
        self.stage_id = self.floor.add("stage", board_id=self.board_id, name="stage")
        self.resource_id = self.floor.add("resource", name="saw")
        self.floor.days(self.resource_id, dates=WEEK, hours_available=1)

    def card(self, name: str, start: str | None, end: str | None, time: int, **values: Any) -> str:
        """The id of the collection of a new card on the resource."""
        board_id = values.get("board_id", self.board_id)
        collection_id = self.floor.add("collection", name=name, board_id=board_id)
        pivot = {"time": time, "time_remaining": values.pop("time_remaining", 0)}
        resource_id = values.pop("resource_id", self.resource_id)
        placed = {"board_id": board_id, "stage_id": self.stage_id, **values}
        card_id = self.floor.add("card", name=name, collection_id=collection_id, start_date=start, end_date=end, **placed)
        self.floor.link("card_resource", card_id, resource_id, **pivot)
        return collection_id

    def overloaded(self, first: str = MONDAY, last: str = NEXT_MONDAY, resources: Iterable[str] | None = None) -> set[str]:
        asked = [self.resource_id] if resources is None else resources
        return self.floor.work(lambda tx: overloaded_collections(tx, asked, first, last))


@pytest.fixture
def load(server: Server) -> Load:
    return Load(server)


@pytest.mark.parametrize(
    ("start", "end", "time", "is_too_much"),
    [
        (MONDAY, MONDAY, 60, False),
        (MONDAY, MONDAY, 61, True),
        (MONDAY, None, 61, True),
        (MONDAY, TUESDAY, 120, False),
        (MONDAY, TUESDAY, 121, True),  # the minute that does not divide lies on one of the days
        (FRIDAY, NEXT_MONDAY, 120, False),  # over two open days, not four
        (FRIDAY, NEXT_MONDAY, 122, True),
        (SATURDAY, SUNDAY, 600, False),  # no open day: all of it lies on Saturday, which warns nobody
        ("2026-12-01", None, 600, False),  # a day without a row is never too full
        (None, None, 600, False),
    ],
)
def test_a_card_is_too_much_where_a_day_has_fewer_minutes(
    load: Load, start: str | None, end: str | None, time: int, is_too_much: bool
) -> None:
    collection_id = load.card("card", start, end, time)
    assert load.overloaded(last="2026-12-31") == ({collection_id} if is_too_much else set())


def test_cards_add_up_whoever_planned_them(load: Load) -> None:
    first, second = load.card("first", MONDAY, MONDAY, 40), load.card("second", MONDAY, TUESDAY, 60)
    third = load.card("third", TUESDAY, TUESDAY, 10)
    assert load.overloaded() == {first, second}
    assert third not in load.overloaded()


def test_the_span_says_whose_cards_are_asked_for_not_on_which_days_they_are_too_much(load: Load) -> None:
    long, late = load.card("long", MONDAY, WEDNESDAY, 90), load.card("late", WEDNESDAY, WEDNESDAY, 45)
    assert load.overloaded(MONDAY, MONDAY) == {long}
    assert load.overloaded(WEDNESDAY, WEDNESDAY) == {long, late}
    assert load.overloaded(FRIDAY, FRIDAY) == set()


@pytest.mark.parametrize(("efficiency", "is_too_much"), [(100, False), (99, True), (150, False), (0, True), (2**53 - 1, False)])
def test_the_stage_says_how_full_a_day_may_be(load: Load, efficiency: int, is_too_much: bool) -> None:
    stage_id = load.floor.add("stage", board_id=load.board_id, name="other", efficiency=efficiency)
    collection_id = load.card("card", MONDAY, MONDAY, 60, stage_id=stage_id)
    assert load.overloaded() == ({collection_id} if is_too_much else set())


def test_a_card_without_a_stage_may_fill_a_day(load: Load) -> None:
    full, over = load.card("full", MONDAY, MONDAY, 60, stage_id=None), load.card("over", TUESDAY, TUESDAY, 61, stage_id=None)
    assert load.overloaded() == {over} != {full}


@pytest.mark.parametrize(
    ("method", "expected"),
    [("estimated_time", {"here", "there"}), ("remaining_time", set()), ("none", set())],
)
def test_each_board_counts_its_own_cards_by_its_own_method(load: Load, method: str, expected: set[str]) -> None:
    board_id = load.floor.add("board", name="there", capacity_method=method)
    cards = {"here": load.card("here", MONDAY, MONDAY, 30)}
    cards["there"] = load.card("there", MONDAY, MONDAY, 31, time_remaining=30, board_id=board_id)
    assert load.overloaded() == {cards[name] for name in expected}


def test_a_board_without_capacity_warns_nobody(load: Load) -> None:
    load.floor.change("board", load.board_id, capacity_method="none")
    load.card("card", MONDAY, MONDAY, 600)
    assert load.overloaded() == set()


def test_each_board_has_its_own_open_days(load: Load) -> None:
    board_id = load.floor.add("board", name="always open", workdays=EVERY_DAY)
    weekend = load.card("weekend", SATURDAY, SUNDAY, 122, board_id=board_id)
    load.card("over the weekend", FRIDAY, NEXT_MONDAY, 0)
    assert load.overloaded() == {weekend}


def test_deleted_cards_boards_and_days_do_not_count(load: Load) -> None:
    gone = load.floor.add("board", name="gone")
    load.card("deleted", MONDAY, MONDAY, 60, deleted_at="2026-01-01T00:00:00Z")
    load.card("of a deleted board", MONDAY, MONDAY, 60, board_id=gone)
    load.floor.change("board", gone, deleted_at="2026-01-01T00:00:00Z")
    load.card("living", MONDAY, MONDAY, 60)
    assert load.overloaded() == set()


def test_only_the_resources_asked_for_are_looked_at(load: Load) -> None:
    other = load.floor.add("resource", name="drill")
    load.floor.days(other, dates=WEEK, hours_available=2)
    mine, theirs = load.card("mine", MONDAY, MONDAY, 61), load.card("theirs", MONDAY, MONDAY, 121, resource_id=other)
    assert load.overloaded() == {mine}
    assert load.overloaded(resources=[other]) == {theirs}
    assert load.overloaded(resources=[load.resource_id, other, other]) == {mine, theirs}
    assert load.overloaded(resources=[]) == set()


def test_half_a_minute_of_a_day_counts_as_one(load: Load) -> None:
    resource_id = load.floor.add("resource", name="drill")
    load.floor.days(resource_id, dates=[MONDAY], hours_available=0.125)
    load.floor.days(resource_id, dates=[TUESDAY], hours_available=0.125)
    load.card("eight", MONDAY, MONDAY, 8, resource_id=resource_id)
    nine = load.card("nine", TUESDAY, TUESDAY, 9, resource_id=resource_id)
    assert load.overloaded(resources=[resource_id]) == {nine}


def test_the_largest_figures_are_no_fault(load: Load) -> None:
    ids = {load.card(f"card {number}", "0001-01-01", "9999-12-31", 2**53 - 1) for number in range(3)}
    assert load.overloaded() == ids


def test_another_tenant_neither_counts_nor_warns(load: Load, server: Server) -> None:
    elsewhere = Load(server)
    theirs = elsewhere.card("theirs", MONDAY, MONDAY, 600)
    load.card("mine", MONDAY, MONDAY, 60)
    assert load.overloaded(resources=[load.resource_id, elsewhere.resource_id]) == set()
    assert elsewhere.overloaded() == {theirs}
