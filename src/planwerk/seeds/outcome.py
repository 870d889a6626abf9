"""What came of planning a job shop: the cards as the server has them, in numbers and in sentences.

Comes in: the instance, and the orders with collections and cards. Goes out: lines for a person. Asks and writes nothing.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from planwerk.seeds.client import Json
from planwerk.seeds.dispatch import Run, busy_days, crowded_days, each_alone, makespan
from planwerk.seeds.instances import Instance
from planwerk.seeds.shop_in_days import board_name


@dataclass(frozen=True)
class Outcome:
    """A plan as it stands on the board. `judged_until` is the last day whose capacity is known."""

    instance: Instance
    first: dt.date
    jobs: tuple[tuple[Run, ...], ...]
    warnings: Counter[str]
    judged_until: str

    @property
    def last(self) -> dt.date:
        return self.first + dt.timedelta(days=max((run.end for job in self.jobs for run in job), default=1) - 1)

    def lines(self) -> list[str]:
        cards = sum(map(len, self.jobs))
        return [
            f"{board_name(self.instance)}: {cards} cards from {self.first} to {self.last}, a working day for each minute",
            f"makespan: {makespan(self.jobs)} days; {beside_best(makespan(self.jobs), self.instance)}",
            *machine_lines(self.jobs),
            f"warnings: {', '.join(f'{word} {number}' for word, number in sorted(self.warnings.items())) or 'none'}",
            *doubts(self),
            comparison(self.instance),
        ]


def outcome_of(instance: Instance, first: dt.date, machines: Sequence[str], jobs: Iterable[Json], judged_until: str) -> Outcome:
    """Read a plan from the server's words."""
    collections = [order["collection"] for order in jobs]
    places = {id: machine for machine, id in enumerate(machines)}
    runs = tuple(tuple(runs_of(collection["cards"], places, first)) for collection in collections)
    warnings = Counter(word for collection in collections for word in collection["warnings"])
    return Outcome(instance, first, runs, warnings, judged_until)


def runs_of(cards: Iterable[Json], places: dict[str, int], first: dt.date) -> Iterator[Run]:
    """The runs of a job's cards, by day.

    >>> card = {"start_date": "2026-12-01", "end_date": "2026-12-03", "resources": [{"id": "saw"}]}
    >>> list(runs_of([card], {"saw": 4}, dt.date(2026, 11, 30)))
    [Run(machine=4, start=1, days=3)]
    """
    for card in sorted(cards, key=lambda card: str(card["start_date"])):
        start, end = (dt.date.fromisoformat(card[name]) for name in ("start_date", "end_date"))
        yield Run(places[card["resources"][0]["id"]], (start - first).days, (end - start).days + 1)


def beside_best(days: int, instance: Instance) -> str:
    """
    >>> beside_best(60, Instance("tiny", (), lower_bound=48, upper_bound=50)), beside_best(60, Instance("tiny", ()))
    ('20.0 % above the best known, 50 (no plan can be shorter than 48)', 'the best is unknown')
    """
    best, least = instance.upper_bound, instance.lower_bound
    if not best:
        return "the best is unknown"
    bound = "which is the shortest possible" if least == best else f"no plan can be shorter than {least}"
    return f"{100 * days / best - 100:.1f} % above the best known, {best}" + (f" ({bound})" if least else "")


def machine_lines(jobs: Sequence[Sequence[Run]]) -> Iterator[str]:
    whole = makespan(jobs)
    for machine, days in sorted(busy_days(jobs).items()):
        yield f"machine {machine}: busy on {days} days, {100 * days / whole:.1f} % of the makespan"


def doubts(outcome: Outcome) -> Iterator[str]:
    """What a person should know before believing the plan."""
    crowded = crowded_days(outcome.jobs)
    if crowded:
        yield f"not feasible: on {crowded} days a machine has more than one operation"
    if outcome.judged_until < outcome.last.isoformat():
        yield f"schedules end on {outcome.judged_until or 'no day'} (schedule_years_ahead): behind it no capacity is judged"


def comparison(instance: Instance) -> str:
    """What the plan would be if each job were planned as if there were no other."""
    alone = each_alone(instance)
    crowded = f"{crowded_days(alone)} machine days would have more than one operation"
    return f"each job planned as if it were alone: {makespan(alone)} days, but {crowded}"
