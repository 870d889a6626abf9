"""Tracked time: how start, end and duration follow from each other, who may change an entry when, and totals of a period.

Comes in: what a body gives, the stored entry, the caller. Goes out: values, faults, a refusal, or the groups of an export. What
tracked time means for a card is no business of this module.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from planwerk.actor import Actor, Role
from planwerk.errors import BAD_REQUEST, CONFLICT, FORBIDDEN, NOT_FOUND, VALIDATION_FAILED, Fault, Refusal, refuse
from planwerk.fields import instant
from planwerk.store.tracked import Group, tracked_in_groups
from planwerk.store.transaction import Row, Transaction

Values = dict[str, Any]

TIMES = ("start", "end", "duration")
OPEN = ("draft", "rejected")  # states in which a member may change an entry of their own
DECISIONS = ("approved", "rejected")
MOVES = {
    "draft": ("pending",),
    "pending": ("draft", "approved", "rejected"),
    "approved": ("rejected",),
    "rejected": ("pending", "draft"),
}
FIRST_DAY, LAST_DAY = "0001-01-01", "9999-12-31"
GROUP_KEYS = {
    "days": "date",
    "weeks": "week",
    "activities": "activity_id",
    "collections": "collection_id",
    "boards": "board_id",
    "statuses": "status",
    "users": "user_id",
}


# ── start, end and duration ──


def times_of(values: Mapping[str, Any], row: Mapping[str, Any] | None) -> Values:
    """What follows from the times that a body changes; nothing if it changes none. Refuses what no calendar has.

    >>> times_of({"start": "2026-03-02T08:00:00Z", "end": "2026-03-02T09:30:00Z"}, None)
    {'end': '2026-03-02T09:30:00Z', 'duration': 90, 'running': False}
    >>> times_of({"start": "2026-03-02T08:00:00Z", "duration": 90}, None)
    {'end': '2026-03-02T09:30:00Z', 'duration': 90, 'running': False}
    >>> times_of({"start": "2026-03-02T08:00:00Z"}, None)
    {'end': None, 'duration': None, 'running': True}
    >>> times_of({"duration": 90}, None), times_of({"note": "tired"}, None)
    ({'running': False}, {})
    """
    known = row or {}
    sent = {name for name in TIMES if name in values and values[name] != known.get(name)}
    if not sent:
        return {}
    start, end, duration = ({**known, **values}.get(name) for name in TIMES)
    if start is None:
        return {"running": False}
    if end is None and "end" in sent and values.get("duration") is None:
        duration = None  # an end that is taken away takes the duration along, unless one is given in its place
    if duration is not None and (end is None or sent & {"end", "duration"} == {"duration"}):
        end = end_of(start, duration)
    elif end is not None:
        duration = minutes_between(start, end)
    return {"end": end, "duration": duration, "running": end is None}


def end_of(start: str, minutes: int) -> str:
    """The moment so many minutes later; refuses one beyond the year 9999."""
    try:
        return instant(dt.datetime.fromisoformat(start) + dt.timedelta(minutes=minutes))
    except OverflowError:
        raise refuse(VALIDATION_FAILED, "duration reaches beyond the year 9999", "duration") from None


def minutes_between(start: str, end: str) -> int:
    """Whole minutes, half a minute counts as one; refuses an end before the start.

    >>> minutes_between("2026-03-02T08:00:00Z", "2026-03-02T08:10:29Z"), minutes_between("2026-03-02T08:00:00Z", "2026-03-02T08:10:30Z")
    (10, 11)
    """
    if end < start:
        raise refuse(VALIDATION_FAILED, "end lies before start", "end")
    seconds = (dt.datetime.fromisoformat(end) - dt.datetime.fromisoformat(start)) // dt.timedelta(seconds=1)
    return (seconds + 30) // 60


def complete_times(tx: Transaction, values: Values, row: Row | None) -> None:  # noqa: ARG001 (see Object.derives)
    """An entry has the times that follow from those that are given; with a start alone its timer runs."""
    values.update(times_of(values, row))


def fitting_times(tx: Transaction, values: Mapping[str, Any], row: Row | None) -> Iterator[Fault]:  # noqa: ARG001 (see Object.checks)
    """No end lies before its start, and no duration beyond the calendar."""
    try:
        times_of(values, row)
    except Refusal as refusal:
        yield from refusal.faults


# ── who may do what ──


def user_of_caller(tx: Transaction, values: Values) -> None:
    """Time belongs to who tracks it, unless the body says whose it is."""
    if values.get("user_id") is None and tx.actor is not None:
        values["user_id"] = tx.actor.user_id


def allowed_change(tx: Transaction, values: Mapping[str, Any], row: Row | None) -> Iterator[Fault]:
    """A member touches nothing but open entries of their own, and takes back what is pending; 403 for anything else."""
    is_taken_back = row is not None and row["status"] == "pending" and values.get("status") == "draft"
    if row is not None:
        permit(tx, row, is_taken_back=is_taken_back)
    given_away = "user_id" in values and values["user_id"] != (row["user_id"] if row else None)
    if given_away and not decides(tx.actor) and not is_own(tx.actor, values):
        raise refuse(FORBIDDEN, "time of another user is tracked by an organiser, a manager or an admin")
    return iter(())


def permit(tx: Transaction, row: Row, *, is_taken_back: bool = False) -> None:
    """Refuse with 403 unless the caller may change or delete the entry."""
    if decides(tx.actor):
        return
    if not is_own(tx.actor, row):
        raise refuse(FORBIDDEN, "a member changes only time of their own")
    if row["status"] not in OPEN and not is_taken_back:
        raise refuse(FORBIDDEN, f"a member changes no time that is {row['status']}")


def decides(actor: Actor | None) -> bool:
    """Whether the caller may decide on everybody's time; the server itself may."""
    return actor is None or actor.role >= Role.ORGANISER


def is_own(actor: Actor | None, row: Mapping[str, Any]) -> bool:
    return actor is not None and actor.user_id is not None and row["user_id"] == actor.user_id


def allowed_status(tx: Transaction, values: Mapping[str, Any], row: Row | None) -> Iterator[Fault]:
    """Time goes from draft over pending to a decision, and some ways back; what the server itself writes is not judged."""
    status = values.get("status")
    if tx.actor is None or status is None or (row is not None and row["status"] == status):
        return
    if row is None and status in DECISIONS and not decides(tx.actor):
        yield Fault(VALIDATION_FAILED, f"status {status} is set by an organiser, a manager or an admin", "status")
    if row is not None and status not in MOVES[row["status"]]:
        yield Fault(VALIDATION_FAILED, f"status {row['status']} may become {' or '.join(MOVES[row['status']])}, not {status}", "status")


def remove(tx: Transaction, row: Row) -> None:
    """An entry is gone, if the caller may change it."""
    permit(tx, row)
    tx.delete(tx.object("time_tracking"), row)


def stop(tx: Transaction, actor: Actor, path: Mapping[str, str], given: Mapping[str, Any]) -> Row:  # noqa: ARG001 (see Action)
    """The entry, ended now; 409 if its timer does not run."""
    described = tx.object("time_tracking")
    row = tx.get(described, path["time_tracking_id"].lower())
    if row is None:
        raise refuse(NOT_FOUND, "time_tracking not found")
    permit(tx, row)
    if not row["running"]:
        raise refuse(CONFLICT, "the timer does not run")
    if row["start"] > tx.now:
        raise refuse(CONFLICT, f"the timer starts at {row['start']}, which is not yet")
    return tx.update(described, row, times_of({"end": tx.now}, row))


# ── the export ──


def export(tx: Transaction, actor: Actor, path: Mapping[str, str], given: Mapping[str, Any]) -> Values:  # noqa: ARG001 (see Action)
    """The minutes and the number of entries of each group in a period, as far as the caller sees them."""
    group_by, start, end = given.get("group_by") or "days", given.get("start"), given.get("end")
    if start and end and end < start:
        raise refuse(BAD_REQUEST, "end lies before start", "end")
    user_id = "" if decides(actor) else actor.user_id or "nobody"
    by, first, last = "days" if group_by == "weeks" else group_by, start or FIRST_DAY, end or LAST_DAY
    found = tracked_in_groups(tx, by, first, last, user_id, actor.resource_id)
    groups = sorted(weeks_of(found) if group_by == "weeks" else found, key=order_of)
    data = [{GROUP_KEYS[group_by]: g.key, "name": g.name, "duration": g.duration, "entries": g.entries} for g in groups]
    return {"data": data, "total": sum(group.duration for group in groups), "start": start, "end": end, "group_by": group_by}


def weeks_of(days: Iterable[Group]) -> Iterator[Group]:
    """Days gathered into the weeks of ISO 8601.

    >>> list(weeks_of([Group("2026-12-31", "", 30, 1), Group("2027-01-03", "", 15, 2)]))
    [Group(key='2026-W53', name='2026-W53', duration=45, entries=3)]
    """
    durations, entries = Counter[str](), Counter[str]()
    for day in days:
        assert day.key is not None, "every entry has a day"
        year, number, _ = dt.date.fromisoformat(day.key).isocalendar()
        week = f"{year:04}-W{number:02}"
        durations[week] += day.duration
        entries[week] += day.entries
    yield from (Group(week, week, durations[week], entries[week]) for week in entries)


def order_of(group: Group) -> tuple[bool, str, str]:
    """By name and then by key; what has no name comes last."""
    return group.name is None, group.name or "", group.key or ""
