"""A job-shop instance as work for a calendar: one published minute is one whole working day of its machine.

Comes in: an instance, and the ids of what is made already. Goes out: bodies for the API, those of `shop` with the time in days, and
the board that the jobs are planned on. Nothing here asks a server.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from planwerk.seeds.client import Json
from planwerk.seeds.instances import Instance, Operation
from planwerk.seeds.shop import activities_of, orders_of, resources_of

HOURS = 8  # of a working day
DAY_MINUTES = HOURS * 60
EVERY_DAY = tuple("1234567")


@dataclass(frozen=True)
class Shop:
    """An instance whose machines and activities are there. `activities` holds, visit by visit, one for each machine.

    A job that returns to a machine does another activity there, so that each of its operations gets a card of its own.
    """

    instance: Instance
    activities: Sequence[str]
    machines: Sequence[str]

    def activity(self, machine: int, visit: int) -> str:
        return self.activities[visit * self.instance.machines + machine]

    def activities_on(self, machine: int) -> list[str]:
        return list(self.activities[machine :: self.instance.machines])

    def activities_of(self, number: int) -> list[str | None]:
        """The activity of each operation of a job; none where it takes no time."""
        job = self.instance.jobs[number]
        return [
            self.activity(operation.machine, visit) if operation.minutes else None
            for operation, visit in zip(job, visits(job), strict=True)
        ]

    def minutes_of(self, number: int) -> dict[str, int]:
        """The minutes of working time of each activity of a job, in the order of its operations."""
        works = zip(self.activities_of(number), self.instance.jobs[number], strict=True)
        return {activity: operation.minutes * DAY_MINUTES for activity, operation in works if activity}


def visits(job: Sequence[Operation]) -> list[int]:
    """For each operation how often the job was on that machine before.

    >>> visits((Operation(0, 3), Operation(1, 2), Operation(0, 4)))
    [0, 0, 1]
    """
    seen, found = Counter[int](), []
    for operation in job:
        found.append(seen[operation.machine])
        seen[operation.machine] += 1
    return found


def most_visits(instance: Instance) -> int:
    """How often a job comes to the same machine at most; once in the classic instances."""
    return max((1 + visit for job in instance.jobs for visit in visits(job)), default=1)


def first_monday_after(today: dt.date) -> dt.date:
    """
    >>> first_monday_after(dt.date(2026, 11, 26)).isoformat(), first_monday_after(dt.date(2026, 11, 30)).isoformat()
    ('2026-11-30', '2026-12-07')
    """
    return today + dt.timedelta(days=7 - today.weekday())


# ── bodies ──


def activities_in_days(instance: Instance) -> Iterator[Json]:
    """At most one working day of an activity lies on one day, so that so many days of it are a card of so many days."""
    for visit in range(most_visits(instance)):
        for body in activities_of(instance):
            again = {"external_ref": f"{body['external_ref']}-visit-{visit}", "code": f"{body['code']}-{visit}"} if visit else {}
            yield {**body, **again, "day_max_duration": DAY_MINUTES}


def resources_in_days(instance: Instance, activities: Sequence[str]) -> Iterator[Json]:
    """The machines, which work every day of the week."""
    shop = Shop(instance, activities, ())
    for machine, body in enumerate(resources_of(instance, list(activities[: instance.machines]))):
        links = [{"id": activity} for activity in shop.activities_on(machine)]
        yield {**body, "activities": links, "workdays": dict.fromkeys(EVERY_DAY, HOURS)}


def orders_in_days(shop: Shop, items: Sequence[str], first: dt.date) -> Iterator[Json]:
    """The jobs; the date of each order is the first day of the plan."""
    plain = orders_of(shop.instance, list(shop.activities[: shop.instance.machines]), list(items))
    for number, body in enumerate(plain):
        works = zip(body["order_rows"], shop.activities_of(number), strict=True)
        rows = [{**row, "unit": "days", "activity_id": activity} for row, activity in works]
        yield {**body, "date": first.isoformat(), "order_rows": rows}


def board_name(instance: Instance) -> str:
    return f"Job shop {instance.name}"


def board_body(shop: Shop) -> Json:
    """The board: every day is open, and each machine is a stage that stands outside any order, because each job has its own."""
    return {
        "name": board_name(shop.instance),
        "workdays": dict.fromkeys(EVERY_DAY, True),
        "split_cards_by_activity": True,
        "capacity_method": "estimated_time",
        "dependency_behavior": "push",
        "statuses": [{"name": "To do", "priority": 0, "entry": True}, {"name": "Done", "priority": 1, "exit": True}],
        "stages": [stage_body(shop, machine) for machine in range(shop.instance.machines)],
    }


def stage_body(shop: Shop, machine: int) -> Json:
    return {
        "name": f"Machine {machine}",
        "priority": machine,
        "independent": True,
        "activities": [{"id": id, "priority": place} for place, id in enumerate(shop.activities_on(machine))],
        "resources": [{"id": shop.machines[machine], "percentage": 100}],
    }


def machine_links(shop: Shop, stages: Mapping[str, str]) -> list[Json]:
    """The machines on the board, each with all its time on its stage; `stages` are ids by name."""
    shares = [[{"id": stages[f"Machine {machine}"], "percentage": 100, "active": True}] for machine in range(shop.instance.machines)]
    return [{"id": id, "active": True, "stages": share} for id, share in zip(shop.machines, shares, strict=True)]
