"""The table of background jobs: put there in the transaction of the change, taken in the transaction of the work.

A job is run and deleted in one transaction, so its work is done once, however often a process dies. PostgreSQL lets several
workers take different jobs (`FOR UPDATE SKIP LOCKED`); SQLite has one writer, which takes one after the other.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from planwerk.fields import instant
from planwerk.store.environments import at_work
from planwerk.store.statements import SKIP_LOCKED, Statement
from planwerk.store.transaction import Transaction

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 2, 3600  # between two attempts; it doubles with each
ERROR_CHARACTERS = 500

DUE = {
    name: Statement(
        f"SELECT environment_id, id FROM job WHERE due_at <= {{now}} AND {at_work('job')} ORDER BY due_at, id LIMIT 1{ending}", {}
    )
    for name, ending in SKIP_LOCKED.items()
}
TAKE = {
    name: Statement(f"SELECT name, arguments, attempts FROM job WHERE environment_id = {{environment}} AND id = {{id}}{ending}", {})
    for name, ending in SKIP_LOCKED.items()
}
DONE = Statement("DELETE FROM job WHERE environment_id = {environment} AND id = {id}", {})
FAIL = Statement(
    "UPDATE job SET attempts = {attempts}, error = {error}, due_at = {due} WHERE environment_id = {environment} AND id = {id}", {}
)
WAITING = Statement("SELECT name, key, due_at, attempts, error FROM job ORDER BY due_at, id LIMIT {limit}", {})
COUNT = Statement("SELECT count(*) FROM job", {})


@dataclass(frozen=True, slots=True)
class Taken:
    """A job that this transaction does; nobody else can take it until the transaction ends."""

    id: str
    name: str
    arguments: dict[str, Any]
    attempts: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """A job as a person sees it."""

    name: str
    key: str
    due_at: str
    attempts: int
    error: str


def next_due(tx: Transaction) -> tuple[str, str] | None:
    """(environment, id) of the job that is due first and that nobody does now; it is not taken by this. Those of suspended
    environments wait."""
    found = tx.run_named(DUE[tx.statements.dialect.name], now=tx.now)
    return (found[0][0], found[0][1]) if found else None


def take(tx: Transaction, id: str) -> Taken | None:
    """The job, for this transaction alone; None if it is done or somebody does it."""
    found = tx.run_named(TAKE[tx.statements.dialect.name], id=id)
    return Taken(id, found[0][0], orjson.loads(found[0][1]), found[0][2]) if found else None


def finish(tx: Transaction, job: Taken) -> None:
    """The job is done if the transaction commits."""
    tx.run_named(DONE, id=job.id)


def postpone(tx: Transaction, id: str, error: str) -> Taken | None:
    """Let a job that failed wait for its next attempt, twice as long each time; None if it is gone."""
    job = take(tx, id)
    if job is None:
        return None
    due = dt.datetime.fromisoformat(tx.now) + dt.timedelta(seconds=pause_seconds(job.attempts))
    tx.run_named(FAIL, id=id, attempts=job.attempts + 1, error=storable(error), due=instant(due))
    return job


def pause_seconds(attempts: int) -> int:
    """
    >>> [pause_seconds(attempts) for attempts in (0, 1, 2, 11, 500)]
    [2, 4, 8, 3600, 3600]
    """
    return int(min(FIRST_PAUSE_SECONDS * 2 ** min(attempts, 16), LONGEST_PAUSE_SECONDS))


def storable(error: str) -> str:
    """The words of an error as every database takes them.

    >>> storable("no\\x00 \\ud800 such thing")
    'no ? such thing'
    """
    return error.replace("\x00", "").encode("utf-8", "replace").decode()[:ERROR_CHARACTERS]


def waiting(tx: Transaction, limit: int) -> tuple[int, Sequence[Waiting]]:
    """(how many jobs wait, the first of them) in all environments."""
    rows = tx.run_named(WAITING, limit=limit)
    return int(tx.run_named(COUNT)[0][0]), [Waiting(row[0], row[1], row[2], row[3], row[4] or "") for row in rows]
