"""The figures of random small boards, added up in the database, are those of a plain loop over days; on both databases.

To see it fail: change a bound in `store/spread.py`, or round there instead of once for each element.
"""

import datetime as dt
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from hypothesis import given, settings, strategies as st
from tests.client import Client
from tests.server import Server
from tests.shopfloor import Shopfloor

BEGIN = dt.date(2026, 12, 24)
DAYS = [str(BEGIN + dt.timedelta(number)) for number in range(14)]
METHODS = ("estimated_time", "remaining_time", "none")
TYPES = ("employee", "machine", "cell")
HOURS = st.sampled_from([0, 0.125, 0.3, 1, 7.6, 8, 24])
PLACE = st.integers(0, 13)


@dataclass(frozen=True)
class Link:
    """A resource on a stage."""

    percentage: int
    active: bool


@dataclass(frozen=True)
class Resource:
    type: str
    hours: list[float]  # of each day
    off: list[float]
    start: int | None
    end: int | None
    links: tuple[Link | None, Link | None]
    board: bool | None  # whether its link to the board is active; None: it has none
    is_archived: bool


@dataclass(frozen=True)
class Card:
    stage: int
    start: int | None
    length: int | None  # days after the first; None: it has no end
    time: int
    remaining: int
    resources: frozenset[int]
    type: str


LINKS = st.none() | st.builds(Link, st.sampled_from([0, 3, 33, 50, 100, 150]), st.booleans())
RESOURCES = st.builds(
    Resource,
    st.sampled_from(TYPES),
    st.lists(HOURS, min_size=14, max_size=14),
    st.lists(HOURS, min_size=14, max_size=14),
    st.none() | PLACE,
    st.none() | PLACE,
    st.tuples(LINKS, LINKS),
    st.none() | st.booleans(),
    st.sampled_from([False, False, True]),
)
CARDS = st.builds(
    Card,
    st.integers(0, 1),
    st.none() | st.integers(-5, 13),
    st.none() | st.integers(0, 20),
    st.integers(0, 500),
    st.integers(0, 500),
    st.frozensets(st.integers(0, 1), max_size=2),
    st.sampled_from(TYPES),
)


@dataclass(frozen=True)
class Case:
    workdays: list[bool]
    method: str
    resources: list[Resource]
    cards: list[Card]
    first: int
    last: int
    frame: str


CASES = st.builds(
    Case,
    st.lists(st.booleans(), min_size=7, max_size=7),
    st.sampled_from(METHODS),
    st.lists(RESOURCES, min_size=2, max_size=2),
    st.lists(CARDS, max_size=4),
    st.integers(0, 6),
    st.integers(6, 13),
    st.sampled_from(["day", "week", "month", "quarter", "year"]),
)


# ── the database's way ──


def written(server: Server, case: Case) -> tuple[Client, str, list[str]]:
    """A tenant with the case in its tables: its client, the board, and the ids by which the answer names stages and resources."""
    tenant = server.tenant()
    floor = Shopfloor(server, tenant.environment.id)
    workdays = {str(number): is_open for number, is_open in enumerate(case.workdays, 1)}
    board_id = floor.add("board", name="board", workdays=workdays, capacity_method=case.method)
    stages = [floor.add("stage", board_id=board_id, name=str(number), priority=number) for number in (0, 1)]
    resources = [write_resource(floor, board_id, stages, resource) for resource in case.resources]
    group_id = floor.add("group", name="group")
    for id in resources:
        floor.link("group_resource", group_id, id)
    for card in case.cards:
        write_card(floor, board_id, stages[card.stage], resources, card)
    return server.client(tenant), board_id, [*stages, *resources, group_id]


def write_resource(floor: Shopfloor, board_id: str, stages: list[str], resource: Resource) -> str:
    start, end = (None if place is None else DAYS[place] for place in (resource.start, resource.end))
    archived_at = "2026-01-01T00:00:00Z" if resource.is_archived else None
    id = floor.add("resource", name="one", type=resource.type, start_date=start, end_date=end, archived_at=archived_at)
    floor.days(id, DAYS, hours_available=resource.hours, hours_leave=resource.off)
    for stage_id, link in zip(stages, resource.links, strict=True):
        if link is not None:
            floor.link("stage_resource", stage_id, id, percentage=link.percentage, active=link.active)
    if resource.board is not None:
        floor.link("board_resource", board_id, id, active=resource.board)
    return id


def write_card(floor: Shopfloor, board_id: str, stage_id: str, resources: list[str], card: Card) -> None:
    start, end = (None if day is None else str(day) for day in dates(card))
    figures = {"time": card.time, "time_remaining": card.remaining}
    id = floor.add("card", name="card", board_id=board_id, stage_id=stage_id, start_date=start, end_date=end, **figures)
    floor.link("card_activity", id, floor.add("activity", resource_type=card.type), **figures)
    for number in card.resources:
        floor.link("card_resource", id, resources[number], **figures)


# ── the plain way ──


def dates(card: Card) -> tuple[dt.date | None, dt.date | None]:
    start = None if card.start is None else BEGIN + dt.timedelta(card.start)
    return start, None if card.length is None or start is None else start + dt.timedelta(card.length)


def planned(case: Case, card: Card, day: dt.date) -> int:
    """The minutes of a card on a day."""
    start, end = dates(card)
    minutes = {"estimated_time": card.time, "remaining_time": card.remaining, "none": 0}[case.method]
    if start is None:
        return 0
    span = [start + dt.timedelta(number) for number in range(((end or start) - start).days + 1)]
    days = [item for item in span if case.workdays[item.weekday()]] or [start]
    if day not in days:
        return 0
    place = days.index(day)
    return minutes * (place + 1) // len(days) - minutes * place // len(days)


def minutes(case: Case, resource: Resource, hours: list[float], day: str) -> int:
    """The minutes of a resource on a day, before its percentage."""
    place = DAYS.index(day)
    if resource.is_archived or not case.workdays[dt.date.fromisoformat(day).weekday()]:
        return 0
    if place < (resource.start or 0) or place > (13 if resource.end is None else resource.end):
        return 0
    return int(hours[place] * 60 + 0.5)


def percentages(resource: Resource) -> dict[int, int]:
    """The share of each stage in a resource."""
    if resource.board is False:
        return {}
    return {number: link.percentage for number, link in enumerate(resource.links) if link is not None and link.active}


def whole(resource: Resource) -> int | None:
    """The share of the board in a resource; None: it is not linked."""
    if percentages(resource):
        return sum(percentages(resource).values())
    if not resource.board:
        return None
    return 0 if any(resource.links) else 100


def half_up(value: Fraction) -> int:
    return int(value + Fraction(1, 2))


def name_of(case: Case, day: str) -> str:
    date = dt.date.fromisoformat(day)
    month = {"month": date.month, "quarter": (date.month - 1) // 3 * 3 + 1, "year": 1}.get(case.frame)
    if month is not None:
        return str(dt.date(date.year, month, 1))
    return str(date - dt.timedelta(date.weekday() if case.frame == "week" else 0))


def expected(case: Case, view: str, ids: list[str]) -> list[Any]:
    """The answer, by a loop over elements and days."""
    periods: dict[str, list[str]] = {}
    for day in DAYS[case.first : case.last + 1]:
        periods.setdefault(name_of(case, day), []).append(day)
    elements = {"stage": of_stages, "resource_type/stage": of_types, "resource": of_resources, "group": of_groups}[view]
    return [{"date": name, view.rsplit("/", maxsplit=1)[-1]: elements(case, ids, days)} for name, days in periods.items()]


def available(case: Case, shares: list[tuple[Resource, int]], days: list[str], *, off: bool = False) -> int:
    parts = (Fraction(minutes(case, item, item.off if off else item.hours, day) * share, 100) for item, share in shares for day in days)
    return half_up(sum(parts, Fraction(0)))


def work(case: Case, cards: list[Card], days: list[str]) -> int:
    return sum(planned(case, card, dt.date.fromisoformat(day)) for card in cards for day in days)


def stage_figures(case: Case, number: int, days: list[str], type: str = "") -> dict[str, int]:
    shares = [(item, percentages(item).get(number, 0)) for item in case.resources if type in ("", item.type)]
    cards = [card for card in case.cards if card.stage == number and type in ("", card.type)]
    return {"time_available": available(case, shares, days), "time_planned": work(case, cards, days)}


def of_stages(case: Case, ids: list[str], days: list[str]) -> list[Any]:
    return [{"id": ids[number], **stage_figures(case, number, days)} for number in (0, 1)]


def of_types(case: Case, ids: list[str], days: list[str]) -> list[Any]:
    figures = [[{"type": type, **stage_figures(case, number, days, type)} for type in TYPES] for number in (0, 1)]
    return [{"id": ids[number], "resource_type": figures[number]} for number in (0, 1)]


def linked_figures(case: Case, numbers: list[int], days: list[str]) -> dict[str, int]:
    shares = [(case.resources[number], whole(case.resources[number]) or 0) for number in numbers]
    minutes = sum(work(case, [card for card in case.cards if number in card.resources], days) for number in numbers)
    return {
        "time_available": available(case, shares, days),
        "time_off": available(case, shares, days, off=True),
        "time_planned": minutes,
    }


def linked(case: Case) -> list[int]:
    return [number for number, item in enumerate(case.resources) if whole(item) is not None]


def of_resources(case: Case, ids: list[str], days: list[str]) -> list[Any]:
    return sorted(({"id": ids[2 + number], **linked_figures(case, [number], days)} for number in linked(case)), key=lambda item: item["id"])


def of_groups(case: Case, ids: list[str], days: list[str]) -> list[Any]:
    return [{"id": ids[4], **linked_figures(case, linked(case), days)}] if linked(case) else []


@settings(max_examples=40, deadline=None)
@given(case=CASES)
def test_the_database_adds_up_what_a_plain_loop_does(server: Server, case: Case) -> None:
    api, board_id, ids = written(server, case)
    query: dict[str, Any] = {"date_range_start": DAYS[case.first], "date_range_end": DAYS[case.last], "time_frame": case.frame}
    for view in ("stage", "resource_type/stage", "resource", "group"):
        assert api.get(f"/v1/board/{board_id}/capacity/{view}", **query)["data"] == expected(case, view, ids), view
