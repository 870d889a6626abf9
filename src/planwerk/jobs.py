"""Background work: takes the jobs that are due and does them, one transaction each.

It runs beside the requests of a server, or alone as `planwerk worker`, in as many processes as one likes. A job that fails waits
for its next attempt; one whose process died is simply still there.
"""

from collections.abc import Mapping
from functools import partial

import structlog

from planwerk.describe import Job, Object
from planwerk.errors import Refusal
from planwerk.store.database import Database, happens
from planwerk.store.jobs import finish, next_due, postpone, take
from planwerk.store.transaction import Transaction

LOOK_SECONDS = 1.0  # between two looks for jobs of other processes, and for those whose time has come


def jobs_of(objects: Mapping[str, Object]) -> dict[str, Job]:
    """Every kind of job that a catalog names."""
    return {job.name: job for described in objects.values() for job in described.jobs}


async def run(database: Database) -> None:
    """Do what is due, for ever; ends by being cancelled. A job left by this process is begun at once."""
    log = structlog.get_logger("planwerk")
    with database.bell.heard("jobs") as rung:
        while True:
            rung.clear()
            try:
                await run_due(database)
            except Refusal as refusal:
                log.warning("background work postponed", reason=str(refusal))
            except Exception as error:  # whatever it is, the other jobs must not wait for the next start of the server
                log.error("background work failed", exc_info=error)
            await happens(rung, LOOK_SECONDS)


async def run_due(database: Database) -> int:
    """Do every job that is due; how many were tried. Raises a refusal when the database cannot be used now."""
    known, count = jobs_of(database.statements.objects), 0
    while (found := await database.write("", next_due)) is not None:
        count += 1
        environment_id, id = found
        try:
            await database.write(environment_id, partial(do, known=known, id=id))
        except Exception as error:
            await put_off(database, environment_id, id, error)
    return count


def do(tx: Transaction, known: Mapping[str, Job], id: str) -> None:
    """One job, whole: what it changes and that it is done are committed together. It may leave another of its own key."""
    taken = take(tx, id)
    if taken is not None:
        finish(tx, taken)
        known[taken.name].run(tx, taken.arguments)


async def put_off(database: Database, environment_id: str, id: str, error: Exception) -> None:
    """Remember why a job failed, and when to try again."""
    job = await database.write(environment_id, lambda tx: postpone(tx, id, f"{type(error).__name__}: {error}"))
    if job is not None:
        log = structlog.get_logger("planwerk")
        log.error("background job failed", job=job.name, id=id, attempt=job.attempts + 1, exc_info=error)
