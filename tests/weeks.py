"""A week that lies in every calendar, and what the calendar of a resource says about it."""

import datetime as dt
from typing import Any

from tests.client import Client

SOON = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=28)
MONDAY = SOON + dt.timedelta(days=-SOON.weekday() % 7)  # of a week that lies well within every horizon

Hours = tuple[float, float, float, float]
FULL: Hours = (8, 0, 0, 8)
FREE: Hours = (0, 0, 0, 0)
AWAY: Hours = (8, 8, 0, 0)


def day(number: int) -> str:
    """A day counted from the Monday: 0 is the Monday, 7 the next one."""
    return (MONDAY + dt.timedelta(days=number)).isoformat()


def rows(api: Client, resource: str, first: int, last: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get(
        f"{resource}/schedule", filter=f"date:gte:{day(first)},and,date:lte:{day(last)}", sort="date", limit=0
    )["data"]
    return found


def hours(api: Client, resource: str, first: int = 0, last: int = 6) -> list[Hours]:
    """(work, leave, absence, available) of each day."""
    found = rows(api, resource, first, last)
    return [(row["hours_work"], row["hours_leave"], row["hours_absence"], row["hours_available"]) for row in found]


def away(api: Client, resource: str, last: int) -> list[int]:
    """The days from the Monday on that are wholly leave, by number."""
    return [number for number, found in enumerate(hours(api, resource, 0, last)) if found == AWAY]


def by_hand(api: Client, resource: str, first: int, last: int, work: float = 3) -> None:
    body = {"period_start": day(first), "period_end": day(last), "schedules": [{"hours_work": work}]}
    api.put(f"{resource}/schedule", body, expect=204)


def leave(api: Client, resource: str, first: int, last: int | None = None, **more: Any) -> dict[str, Any]:
    dates = {"start_date": day(first), **({} if last is None else {"end_date": day(last)})}
    made: dict[str, Any] = api.post(f"{resource}/schedule_deviation", {"type": "leave", **dates, **more})
    return made


def new_saw(api: Client) -> str:
    """The path of a new resource that works eight hours from Monday to Friday."""
    return f"/v1/resource/{api.post('/v1/resource', {'name': 'saw'})['id']}"


def every_row(api: Client, resource: str) -> list[dict[str, Any]]:
    return [row for offset in (0, 1000) for row in api.get(f"{resource}/schedule", sort="date", limit=0, offset=offset)["data"]]
