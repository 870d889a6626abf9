"""What a board can do and what is planned on it: the four capacity reads, on both databases.

To see it fail: leave `is_open` out of `store/capacity.py`, count a link's percentage twice there, or let a card without an open
day vanish in `store/spread.py`.
"""

from dataclasses import replace
from typing import Any

import pytest
from tests.client import Client
from tests.server import OBJECTS, Server
from tests.shopfloor import Shopfloor

from planwerk.describe import Link
from planwerk.errors import MEMORY_EXHAUSTED, Refusal
from planwerk.rules.capacity import answer
from planwerk.store.transaction import Transaction

MONDAY, FRIDAY, SATURDAY, SUNDAY, NEXT_MONDAY = "2026-11-23", "2026-11-27", "2026-11-28", "2026-11-29", "2026-11-30"
THURSDAY, NEW_YEAR, SECOND = "2026-12-31", "2027-01-01", "2027-01-02"  # New Year's Day is a Friday
VIEWS = ("stage", "resource_type/stage", "resource", "group")
UNKNOWN = "01a21725-0000-4000-8000-000000000000"
LARGEST = 2**53 - 1


class Board:
    """A board with one stage and one machine of eight hours on every day around the days above, linked to it in full."""

    def __init__(self, server: Server) -> None:
        tenant = server.tenant()
        self.api: Client = server.client(tenant)
        self.floor = Shopfloor(server, tenant.environment.id)
        self.id = self.floor.add("board", name="board")
        self.stage_id = self.floor.add("stage", board_id=self.id, name="stage", priority=1)
        self.resource_id = self.machine()
        self.floor.link("stage_resource", self.stage_id, self.resource_id, percentage=100, active=True)

    def machine(self, **values: Any) -> str:
        resource_id = self.floor.add("resource", **{"name": "saw", "type": "machine", **values})
        days = [MONDAY, FRIDAY, SATURDAY, SUNDAY, NEXT_MONDAY, THURSDAY, NEW_YEAR, SECOND]
        self.floor.days(resource_id, dates=days, hours_available=8)
        return resource_id

    def card(self, start: str | None, end: str | None, time: int, **values: Any) -> str:
        """A card on the stage, with the machine and an activity that take all of it."""
        given = {"board_id": self.id, "stage_id": self.stage_id, "time": time, "time_remaining": time // 2, **values}
        card_id = self.floor.add("card", name="card", start_date=start, end_date=end, **given)
        activity_id = self.floor.add("activity", resource_type="machine")
        self.floor.link("card_resource", card_id, self.resource_id, time=time, time_remaining=time // 2)
        self.floor.link("card_activity", card_id, activity_id, time=time, time_remaining=time // 2)
        return card_id

    def ask(self, view: str, first: str, last: str, **query: Any) -> Any:
        path = f"/v1/board/{self.id}/capacity/{view}"
        return self.api.get(path, date_range_start=first, date_range_end=last, **query)["data"]

    def figures(self, view: str, name: str, first: str, last: str, **query: Any) -> list[Any]:
        """One figure of the only element (of its machines, where types are told apart), by period."""
        found = []
        for period in self.ask(view, first, last, **query):
            [element] = period[view.rsplit("/", maxsplit=1)[-1]]
            [machine] = [item for item in element.get("resource_type", [element]) if item.get("type", "machine") == "machine"]
            found.append(machine[name])
        return found

    def change(self, name: str, id: str, **values: Any) -> None:
        self.floor.change(name, id, **values)

    def link_again(self, **pivot: Any) -> None:
        """The machine's link to the stage, with other values."""
        link = OBJECTS["stage"].relation["resources"]
        assert isinstance(link, Link)
        self.floor.work(lambda tx: tx.detach(link, self.stage_id, self.resource_id))
        self.floor.link("stage_resource", self.stage_id, self.resource_id, **pivot)


@pytest.fixture
def board(server: Server) -> Board:
    return Board(server)


def grouped(board: Board) -> None:
    board.floor.link("group_resource", board.floor.add("group", name="group"), board.resource_id)


# ── what is there ──

GIVEN = {
    "an active link in full": (lambda board: None, [480, 0]),
    "a share of its time": (lambda board: board.link_again(percentage=30, active=True), [144, 0]),
    "a link that is not active": (lambda board: board.link_again(percentage=100, active=False), None),
    "a link to the board that is not active": (lambda board: link_to_board(board, active=False), None),
    "an active link to the board besides": (lambda board: link_to_board(board, active=True), [480, 0]),
    "an archived resource": (lambda board: board.change("resource", board.resource_id, archived_at="2026-01-01T00:00:00Z"), [0, 0]),
    "a deleted resource": (lambda board: board.change("resource", board.resource_id, deleted_at="2026-01-01T00:00:00Z"), None),
    "a resource that begins that day": (lambda board: board.change("resource", board.resource_id, start_date=FRIDAY), [480, 0]),
    "a resource that begins later": (lambda board: board.change("resource", board.resource_id, start_date=SATURDAY), [0, 0]),
    "a resource that ends that day": (lambda board: board.change("resource", board.resource_id, end_date=FRIDAY), [480, 0]),
    "a resource that has ended": (lambda board: board.change("resource", board.resource_id, end_date="2026-11-26"), [0, 0]),
    "a board open on Saturdays": (lambda board: board.change("board", board.id, workdays={"6": True}), [480, 480]),
    "a board closed on Fridays": (lambda board: board.change("board", board.id, workdays={"5": False, "6": None}), [0, 0]),
    "a percentage without end": (lambda board: board.link_again(percentage=LARGEST, active=True), [4_800_000, 0]),
}


def link_to_board(board: Board, **pivot: Any) -> None:
    board.floor.link("board_resource", board.id, board.resource_id, stages=[], **pivot)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(("given", "expected"), list(GIVEN.values()), ids=list(GIVEN))
def test_time_is_available_where_a_linked_resource_works_on_an_open_day(board: Board, view: str, given: Any, expected: list[int]) -> None:
    grouped(board)
    given(board)
    if expected is None and view in ("resource", "group"):
        assert board.ask(view, FRIDAY, SATURDAY) == [{"date": FRIDAY, view: []}, {"date": SATURDAY, view: []}]
    else:
        assert board.figures(view, "time_available", FRIDAY, SATURDAY) == (expected or [0, 0])


def test_time_off_is_leave_and_absence_by_the_percentage(board: Board) -> None:
    grouped(board)
    resource_id = board.floor.add("resource", name="drill")
    board.floor.days(resource_id, dates=[FRIDAY], hours_work=8, hours_leave=2, hours_absence=1.5, hours_available=4.5)
    board.floor.days(resource_id, dates=[SATURDAY], hours_work=8, hours_leave=8, hours_available=0)
    board.floor.link("stage_resource", board.stage_id, resource_id, percentage=50)
    days = board.ask("resource", FRIDAY, SATURDAY)
    found = [[{**item, "id": ""} for item in day["resource"] if item["id"] == resource_id] for day in days]
    nothing = {"id": "", "time_available": 0, "time_off": 0, "time_planned": 0}
    assert found == [[{**nothing, "time_available": 135, "time_off": 105}], [nothing]]
    assert [item["time_off"] for item in board.ask("group", FRIDAY, FRIDAY)[0]["group"]] == [0]


def test_a_resource_counts_with_the_sum_of_its_stages_and_in_full_without_any(board: Board) -> None:
    other = board.floor.add("stage", board_id=board.id, name="other", priority=0)
    board.link_again(percentage=20, active=True)
    board.floor.link("stage_resource", other, board.resource_id, percentage=30)
    alone = board.machine()
    board.floor.link("board_resource", board.id, alone, active=True, stages=[])
    [day] = board.ask("resource", FRIDAY, FRIDAY)
    assert {item["id"]: item["time_available"] for item in day["resource"]} == {board.resource_id: 240, alone: 480}
    [day] = board.ask("stage", FRIDAY, FRIDAY)
    assert [(item["id"], item["time_available"]) for item in day["stage"]] == [(other, 144), (board.stage_id, 96)]


def test_a_stage_narrows_every_view(board: Board) -> None:
    other = board.floor.add("stage", board_id=board.id, name="other", priority=0)
    board.floor.link("stage_resource", other, board.resource_id, percentage=30)
    grouped(board)
    alone = board.machine()
    board.floor.link("board_resource", board.id, alone, active=True, stages=[])
    board.card(FRIDAY, FRIDAY, 60)
    for view in VIEWS:
        assert board.figures(view, "time_available", FRIDAY, FRIDAY, stage_id=other) == [144], view
        assert board.figures(view, "time_planned", FRIDAY, FRIDAY, stage_id=other) == [0], view
        assert board.figures(view, "time_planned", FRIDAY, FRIDAY, stage_id=board.stage_id.upper()) == [60], view


def test_a_group_is_the_sum_of_its_linked_resources(board: Board) -> None:
    group_id, second, stranger = board.floor.add("group", name="group"), board.machine(), board.machine()
    board.floor.link("stage_resource", board.stage_id, second, percentage=25)
    for resource_id in (board.resource_id, second, stranger):
        board.floor.link("group_resource", group_id, resource_id)
    board.floor.link("group_resource", board.floor.add("group", name="of strangers"), stranger)
    board.card(FRIDAY, FRIDAY, 90)
    [day] = board.ask("group", FRIDAY, FRIDAY)
    assert day["group"] == [{"id": group_id, "time_available": 600, "time_off": 0, "time_planned": 90}]


def test_minutes_are_rounded_once_for_each_element(board: Board) -> None:
    for _ in range(2):
        resource_id = board.floor.add("resource", name="drill")
        board.floor.days(resource_id, dates=[MONDAY], hours_available=0.125)  # 7.5 minutes count as 8
        board.floor.link("stage_resource", board.stage_id, resource_id, percentage=3)  # 0.24 minutes each
    board.link_again(percentage=0, active=True)
    assert board.figures("stage", "time_available", MONDAY, MONDAY) == [0]
    board.link_again(percentage=100, active=False)
    resource_id = board.floor.add("resource", name="drill")
    board.floor.days(resource_id, dates=[MONDAY], hours_available=1)
    board.floor.link("stage_resource", board.stage_id, resource_id, percentage=5)  # 3 minutes; 3.48 in all
    assert board.figures("stage", "time_available", MONDAY, MONDAY) == [3]


def test_types_of_a_stage_come_in_one_order_and_all(board: Board) -> None:
    cell = board.machine(type="cell")
    board.floor.link("stage_resource", board.stage_id, cell, percentage=50)
    card_id = board.card(FRIDAY, FRIDAY, 40)
    board.floor.link("card_activity", card_id, board.floor.add("activity", resource_type="employee"), time=15)
    board.floor.link("card_activity", card_id, board.floor.add("activity", resource_type="cell", deleted_at="2026-01-01T00:00:00Z"), time=5)
    [day] = board.ask("resource_type/stage", FRIDAY, FRIDAY)
    names = ("type", "time_available", "time_planned")
    expected = [("employee", 0, 15), ("machine", 480, 40), ("cell", 240, 0)]
    assert day["stage"] == [{"id": board.stage_id, "resource_type": [dict(zip(names, item, strict=True)) for item in expected]}]


# ── what is planned ──


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(
    ("start", "end", "time", "expected"),
    [
        (FRIDAY, FRIDAY, 90, [90, 0, 0, 0]),
        (FRIDAY, None, 90, [90, 0, 0, 0]),
        (FRIDAY, NEXT_MONDAY, 7, [3, 0, 0, 4]),  # over two open days; what does not divide comes later
        (SATURDAY, SUNDAY, 7, [0, 7, 0, 0]),  # no open day: all of it on the first
        ("2026-11-25", FRIDAY, 7, [3, 0, 0, 0]),  # 2, 2, 3: days before the range count elsewhere
        (NEXT_MONDAY, "2026-12-02", 8, [0, 0, 0, 2]),  # 2, 3, 3
        ("2026-11-01", "2026-12-31", 4400, [100, 0, 0, 100]),
        ("2026-11-21", "2026-11-22", 7, [0, 0, 0, 0]),
        (None, None, 7, [0, 0, 0, 0]),
        (None, FRIDAY, 7, [0, 0, 0, 0]),
        ("0001-01-01", "9999-12-31", LARGEST, None),
    ],
)
def test_a_card_is_spread_over_the_open_days_of_its_dates(
    board: Board, view: str, start: str | None, end: str | None, time: int, expected: list[int] | None
) -> None:
    grouped(board)
    board.card(start, end, time)
    found = board.figures(view, "time_planned", FRIDAY, NEXT_MONDAY)
    assert found == expected if expected else found[0] > 0 == found[1]


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(("method", "expected"), [("estimated_time", 90), ("remaining_time", 45), ("none", 0)])
def test_the_board_says_what_a_card_takes(board: Board, view: str, method: str, expected: int) -> None:
    grouped(board)
    board.card(FRIDAY, FRIDAY, 90)
    board.change("board", board.id, capacity_method=method)
    assert board.figures(view, "time_planned", FRIDAY, FRIDAY) == [expected]


@pytest.mark.parametrize("view", VIEWS)
def test_deleted_cards_and_those_of_other_boards_are_not_planned_here(board: Board, view: str) -> None:
    grouped(board)
    board.card(FRIDAY, FRIDAY, 30, deleted_at="2026-01-01T00:00:00Z")
    board.card(FRIDAY, FRIDAY, 30, board_id=board.floor.add("board", name="other"))
    assert board.figures(view, "time_planned", FRIDAY, FRIDAY) == [0]


def test_a_card_without_activities_is_seen_in_its_stage_only(board: Board) -> None:
    board.floor.add("card", name="bare", board_id=board.id, stage_id=board.stage_id, start_date=FRIDAY, time=25)
    assert board.figures("stage", "time_planned", FRIDAY, FRIDAY) == [25]
    assert board.figures("resource_type/stage", "time_planned", FRIDAY, FRIDAY) == [0]
    assert board.figures("resource", "time_planned", FRIDAY, FRIDAY) == [0]


# ── periods ──


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(
    ("time_frame", "expected"),
    [
        ("", [(THURSDAY, 480, 3), (NEW_YEAR, 480, 4), (SECOND, 0, 0)]),
        ("day", [(THURSDAY, 480, 3), (NEW_YEAR, 480, 4), (SECOND, 0, 0)]),
        ("week", [("2026-12-28", 960, 7)]),
        ("month", [("2026-12-01", 480, 3), (NEW_YEAR, 480, 4)]),
        ("quarter", [("2026-10-01", 480, 3), (NEW_YEAR, 480, 4)]),
        ("year", [("2026-01-01", 480, 3), (NEW_YEAR, 480, 4)]),
    ],
)
def test_days_are_added_up_to_periods_named_by_their_first_day(board: Board, view: str, time_frame: str, expected: list[Any]) -> None:
    grouped(board)
    board.card(THURSDAY, NEW_YEAR, 7)
    query = {"time_frame": time_frame} if time_frame else {}
    found = board.ask(view, THURSDAY, SECOND, **query)
    figures = [board.figures(view, name, THURSDAY, SECOND, **query) for name in ("time_available", "time_planned")]
    assert list(zip([period["date"] for period in found], *figures, strict=True)) == expected


def test_a_board_with_nothing_has_every_period_and_nothing_in_it(board: Board) -> None:
    empty = board.floor.add("board", name="empty")
    for view in VIEWS:
        path = f"/v1/board/{empty}/capacity/{view}"
        found = board.api.get(path, date_range_start=THURSDAY, date_range_end=NEW_YEAR)
        assert found == {"data": [{"date": day, view.split("/")[-1]: []} for day in (THURSDAY, NEW_YEAR)]}


def test_five_years_are_the_longest_range(board: Board) -> None:
    assert len(board.ask("stage", "2026-11-27", "2031-11-26")) == 1826
    assert len(board.ask("stage", "0001-01-01", "0001-01-01", time_frame="week")) == 1
    assert [period["date"] for period in board.ask("stage", "9999-12-31", "9999-12-31", time_frame="week")] == ["9999-12-27"]


# ── faults ──


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(
    ("query", "name"),
    [
        ({"date_range_start": None}, "date_range_start"),
        ({"date_range_end": None}, "date_range_end"),
        ({"date_range_start": "yesterday"}, "date_range_start"),
        ({"date_range_end": "2026-02-30"}, "date_range_end"),
        ({"date_range_end": "2026-11-26"}, "date_range_end"),
        ({"date_range_end": "2031-11-27"}, "date_range_end"),
        ({"time_frame": "decade"}, "time_frame"),
        ({"stage_id": "first"}, "stage_id"),
        ({"stage_id": UNKNOWN}, "stage_id"),
    ],
)
def test_a_bad_query_is_refused_and_names_its_parameter(board: Board, view: str, query: dict[str, Any], name: str) -> None:
    whole = {"date_range_start": FRIDAY, "date_range_end": FRIDAY, **query}
    asked: dict[str, Any] = {key: value for key, value in whole.items() if value is not None}
    refused = board.api.ask("GET", f"/v1/board/{board.id}/capacity/{view}", **asked)
    assert refused.status == 400
    assert [property for property, _ in refused.faults] == [name]


@pytest.mark.parametrize("view", VIEWS)
def test_a_stage_of_another_board_is_refused(board: Board, view: str) -> None:
    stage_id = board.floor.add("stage", board_id=board.floor.add("board", name="other"), name="stage")
    query: dict[str, Any] = {"date_range_start": FRIDAY, "date_range_end": FRIDAY, "stage_id": stage_id}
    refused = board.api.ask("GET", f"/v1/board/{board.id}/capacity/{view}", **query)
    assert (refused.status, refused.faults) == (400, [("stage_id", "stage_id names no stage of this board")])


@pytest.mark.parametrize("view", VIEWS)
def test_a_board_that_is_not_there_is_not_found(board: Board, server: Server, view: str) -> None:
    gone = board.floor.add("board", name="gone", deleted_at="2026-01-01T00:00:00Z")
    for board_id in (UNKNOWN, "board", gone, Board(server).id):
        path = f"/v1/board/{board_id}/capacity/{view}"
        assert board.api.refused("GET", path, date_range_start=FRIDAY, date_range_end=FRIDAY) == (404, [10004])


def test_an_answer_that_is_too_large_is_refused(board: Board) -> None:
    given = {"date_range_start": FRIDAY, "date_range_end": FRIDAY}

    def ask(tx: Transaction) -> str:
        tx.settings = replace(tx.settings, answer_limit_bytes=100)
        return answer(tx, "stage", {"board_id": board.id}, given)

    with pytest.raises(Refusal) as caught:
        board.floor.work(ask)
    assert caught.value.faults[0].kind is MEMORY_EXHAUSTED
