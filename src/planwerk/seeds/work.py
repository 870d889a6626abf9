"""From a line of the demo's order book to days and cards; pure arithmetic over working days, Monday to Friday.

A working day is counted from today, which is 0; on a weekend the coming Monday is 0.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import ceil

from planwerk.seeds.business import ARTICLES, Line
from planwerk.seeds.workshop import BUSY, DAY, ENTRY, EXIT, HELD, RESOURCES, STAGES


@dataclass(frozen=True)
class CardPlan:
    """The work of one order on one stage: `start` and `end` are working days from today, both worked on."""

    stage: str
    start: int
    end: int
    minutes: dict[str, int]  # by activity
    resources: tuple[str, ...]
    state: str


def workday(today: dt.date, number: int) -> dt.date:
    """The day so many working days from today.

    >>> friday = dt.date(2026, 11, 20)
    >>> workday(friday, 1).isoformat(), workday(friday, -5).isoformat(), workday(dt.date(2026, 11, 21), 0).isoformat()
    ('2026-11-23', '2026-11-13', '2026-11-23')
    """
    monday = today - dt.timedelta(days=today.weekday())
    weeks, day = divmod(min(today.weekday(), 5) + number, 5)
    return monday + dt.timedelta(weeks=weeks, days=day)


def board_of(line: Line) -> str:
    return "installation" if "installing" in ARTICLES[line.article][1] else "production"


def minutes_of(line: Line) -> dict[str, int]:
    """The whole time of an order for each activity."""
    return {activity: line.pieces * minutes for activity, minutes in ARTICLES[line.article][1].items()}


def cards_of(number: int, line: Line) -> Iterator[CardPlan]:
    """The cards of a planned order, stage by stage in their order; none for one in the backlog. People take turns."""
    begin = line.start
    if begin is None:
        return
    minutes = minutes_of(line)
    for stage, delay_days, activities, resources in STAGES[board_of(line)]:
        wanted = {activity: minutes[activity] for activity in activities if activity in minutes}
        if not wanted:
            continue
        machines, people = crew(resources, wanted, number)
        end = begin + ceil(max(wanted.values()) / DAY / max(1, len(people))) - 1
        yield CardPlan(stage, begin, end, wanted, machines + people, state_of(line, begin, end))
        begin = end + delay_days


def crew(resources: Iterable[str], wanted: dict[str, int], turn: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The machines that the work needs, and the people: whose turn it is, or all of them if it is long."""
    able = [name for name in resources if not wanted.keys().isdisjoint(RESOURCES[name]["activities"])]
    people = tuple(name for name in able if "type" not in RESOURCES[name])
    machines = tuple(name for name in able if name not in people)
    if people and max(wanted.values()) <= 2 * DAY:
        people = (people[turn % len(people)],)
    return machines, people


def state_of(line: Line, start: int, end: int) -> str:
    if end < 0:
        return EXIT
    if start > 0:
        return ENTRY
    return HELD if "Rework" in line.labels else BUSY


def order_status(cards: list[CardPlan]) -> str:
    """The word that the demo's orders carry, from the state of their cards."""
    states = {card.state for card in cards}
    if HELD in states:
        return "on_hold"
    if not states or states == {ENTRY}:
        return "planned" if states else "new"
    return "done" if states == {EXIT} else "in_prog"


def time_of(minutes: int) -> tuple[float, str]:
    """A time in the largest unit that suits it.

    >>> time_of(960), time_of(450), time_of(45)
    ((2.0, 'days'), (7.5, 'hours'), (45.0, 'minutes'))
    """
    if minutes % DAY == 0:
        return minutes / DAY, "days"
    return (minutes / 60, "hours") if minutes % 30 == 0 else (float(minutes), "minutes")
