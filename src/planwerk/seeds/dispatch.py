"""Plain planning of a job shop, and what it comes to; pure arithmetic over days counted from 0.

Comes in: an instance. Goes out: when each operation runs on its machine, how long that takes in all, how busy the machines
are. It optimises nothing: a machine takes what comes first.
"""

import heapq
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from planwerk.seeds.instances import Instance, Operation


@dataclass(frozen=True)
class Run:
    """One operation on its machine: so many days, the first of them `start`."""

    machine: int
    start: int
    days: int

    @property
    def end(self) -> int:
        """The first day after it."""
        return self.start + self.days


def timed(instance: Instance) -> list[list[Operation]]:
    """The operations of each job that take any time: one that takes none needs no machine.

    >>> timed(Instance("tiny", ((Operation(0, 3), Operation(1, 0)),)))
    [[Operation(machine=0, minutes=3)]]
    """
    return [[operation for operation in job if operation.minutes] for job in instance.jobs]


def first_come_first_served(instance: Instance) -> list[list[Run]]:
    """The runs of each job: an operation begins when the one before has ended and its machine has done all that came earlier.

    Of two that come on the same day the job that was published first is served first.

    >>> first_come_first_served(Instance("tiny", ((Operation(0, 3), Operation(1, 2)), (Operation(0, 1),))))
    [[Run(machine=0, start=0, days=3), Run(machine=1, start=3, days=2)], [Run(machine=0, start=3, days=1)]]
    """
    jobs = timed(instance)
    runs: list[list[Run]] = [[] for _ in jobs]
    coming, free = [(0, number) for number, job in enumerate(jobs) if job], Counter[int]()
    while coming:
        day, number = heapq.heappop(coming)
        operation = jobs[number][len(runs[number])]
        run = Run(operation.machine, max(day, free[operation.machine]), operation.minutes)
        runs[number].append(run)
        free[run.machine] = run.end
        if len(runs[number]) < len(jobs[number]):
            heapq.heappush(coming, (run.end, number))
    return runs


def each_alone(instance: Instance) -> list[list[Run]]:
    """The runs of each job if there were no other: one after the other from day 0.

    >>> each_alone(Instance("tiny", ((Operation(0, 3), Operation(1, 2)), (Operation(0, 1),))))[1]
    [Run(machine=0, start=0, days=1)]
    """
    return [first_come_first_served(Instance(instance.name, (job,)))[0] for job in instance.jobs]


def makespan(jobs: Iterable[Sequence[Run]]) -> int:
    """The days from the first start to the last end, both counted.

    >>> makespan([[Run(0, 2, 3), Run(1, 5, 1)], [Run(0, 5, 4)]]), makespan([])
    (7, 0)
    """
    runs = [run for job in jobs for run in job]
    return max(run.end for run in runs) - min(run.start for run in runs) if runs else 0


def busy_days(jobs: Iterable[Sequence[Run]]) -> Counter[int]:
    """The days on which each machine has something to do.

    >>> busy_days([[Run(0, 0, 3)], [Run(0, 2, 2), Run(1, 4, 1)]])
    Counter({0: 4, 1: 1})
    """
    return Counter(machine for machine, _ in operations_on(jobs))


def crowded_days(jobs: Iterable[Sequence[Run]]) -> int:
    """How many days of machines have more than one operation; no shop can work like that.

    >>> crowded_days([[Run(0, 0, 3)], [Run(0, 1, 2)], [Run(1, 0, 3)]])
    2
    """
    return sum(count > 1 for count in operations_on(jobs).values())


def operations_on(jobs: Iterable[Sequence[Run]]) -> Counter[tuple[int, int]]:
    """(machine, day) → how many operations."""
    return Counter((run.machine, day) for job in jobs for run in job for day in range(run.start, run.end))
