"""What the server tidies up by itself, hourly: what has expired and what nobody reads any more. The rows are really gone.

Each task is one short transaction per environment. When it ran last is a row of `state`, so that of several processes one
does the work. Once a day it leaves work for the background: the schedule rows of days that have come into sight.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial

import structlog

from planwerk.errors import Refusal
from planwerk.idempotency import HOURS
from planwerk.identity.registration import forget_unconfirmed
from planwerk.identity.signing import forget_keys
from planwerk.rules.apps import end_lapsed
from planwerk.rules.schedules import keep_horizon, renew
from planwerk.store.database import Database
from planwerk.store.identifiers import first_id
from planwerk.store.statements import Statement
from planwerk.store.transaction import Transaction

EVERY_HOURS = 1
LOOK_SECONDS = 300.0  # between two looks at what is due
DAY, MONTH, QUARTER = 24, 30 * 24, 90 * 24  # hours
CALENDAR_HOURS = 24  # between two looks at how far the calendars reach
HORIZON, HOLIDAYS = "housekeeping horizon", "holidays"  # names in `state`

ENVIRONMENTS = Statement("SELECT id FROM environment ORDER BY id", {})
LAST = Statement("SELECT value FROM state WHERE name = {name}", {})
MARK = Statement("INSERT INTO state (name, value) VALUES ({name}, {value}) ON CONFLICT (name) DO UPDATE SET value = excluded.value", {})


@dataclass(frozen=True)
class Task:
    """One thing to tidy up: the rows of a table for which a moment, named by its column, is longer ago than `hours`, and
    which a further condition of the database's own does not spare. The column `id` says when a row was made: a large table
    needs no other index to find those that are old."""

    name: str
    table: str
    column: str
    hours: int
    condition: str = ""

    @property
    def statement(self) -> Statement:
        further = f" AND {self.condition}" if self.condition else ""
        text = f"DELETE FROM {self.table} WHERE environment_id = {{environment}} AND {self.column} < {{before}}{further} RETURNING 1"
        return Statement(text, {})


TASKS = (
    Task("idempotency keys", "idempotency", "created_at", HOURS),
    Task("api messages", "api_message", "updated_at", MONTH),
    Task("sessions", "session", "expires_at", DAY),
    Task("ended sessions", "session", "deleted_at", DAY),
    Task("used invitations", "invitation", "used_at", MONTH),
    Task("expired invitations", "invitation", "expires_at", MONTH),
    Task("mails", "mail", "updated_at", MONTH, "due_at IS NULL"),  # sent, or given up
    Task("oauth codes", "oauth_code", "expires_at", DAY),
    Task("refresh tokens", "oauth_token", "expires_at", DAY),
    Task("revoked connections", "oauth_grant", "revoked_at", QUARTER),
    Task("lapsed connections", "oauth_grant", "expires_at", QUARTER),
    Task("events", "event", "id", MONTH),
    Task("webhook deliveries", "webhook_delivery", "id", MONTH),
)


def tidy(tx: Transaction, task: Task) -> int:
    """Remove what the task names from the transaction's environment; the number of rows that went."""
    moment = tx.ago(hours=task.hours)
    removed = len(tx.run_named(task.statement, before=first_id(moment) if task.column == "id" else moment))
    if removed:
        tx.touched.add(task.table)
    return removed


def take_due(tx: Transaction, tasks: Iterable[Task] = TASKS) -> list[Task]:
    """The tasks that have not run for an hour; they count as run from now on."""
    due = [task for task in tasks if last_run(tx, task) < tx.ago(hours=EVERY_HOURS)]
    for task in due:
        tx.run_named(MARK, name=f"housekeeping {task.name}", value=tx.now)
    return due


def last_run(tx: Transaction, task: Task) -> str:
    """The moment a task ran last; empty if it never did."""
    return read_state(tx, f"housekeeping {task.name}")


def read_state(tx: Transaction, name: str) -> str:
    found = tx.run_named(LAST, name=name)
    return str(found[0][0]) if found else ""


def take_calendars(tx: Transaction) -> list[Callable[[Transaction], None]]:
    """What the calendars of every environment need now: once a day to reach further, at once other holidays."""
    needed: list[Callable[[Transaction], None]] = []
    if read_state(tx, HORIZON) < tx.ago(hours=CALENDAR_HOURS):
        tx.run_named(MARK, name=HORIZON, value=tx.now)
        needed.append(keep_horizon)
    if read_state(tx, HOLIDAYS) != tx.settings.holidays:
        needed.append(renew)
    return needed


async def keep_calendars(database: Database) -> None:
    """Leave the work that calendars need for the background. Which holidays were seen to is noted last, so that none is missed."""
    needed = await database.write("", take_calendars)
    environments = [row[0] for row in await database.write("", lambda tx: tx.run_named(ENVIRONMENTS))] if needed else []
    for work in needed:
        for environment in environments:
            await database.write(environment, work)
    if renew in needed:
        await database.write("", lambda tx: tx.run_named(MARK, name=HOLIDAYS, value=tx.settings.holidays))


async def tidy_all(database: Database) -> dict[str, int]:
    """Do what is due; the number of rows that went, by task. Signing keys, connections of apps and whole environments go along
    with the others."""
    due = await database.write("", take_due)
    environments = [row[0] for row in await database.write("", lambda tx: tx.run_named(ENVIRONMENTS))] if due else []
    removed = {task.name: 0 for task in due}
    if due:
        removed["connections not renewed"] = sum([await database.write(environment, end_lapsed) for environment in environments])
    for task in due:
        for environment in environments:
            removed[task.name] += await database.write(environment, partial(tidy, task=task))
    if due:
        removed["signing keys"] = await database.write("", forget_keys)
        removed["environments nobody confirmed"] = await forget_unconfirmed(database)
    return removed


async def run(database: Database, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
    """Tidy up for ever; ends by being cancelled. A database that is not writable now is tried again later."""
    log = structlog.get_logger("planwerk")
    while True:
        try:
            removed = await tidy_all(database)
            await keep_calendars(database)
        except Refusal as refusal:
            log.warning("housekeeping postponed", reason=str(refusal))
        except Exception as error:  # whatever it is, the next round must not wait for the next start of the server
            log.error("housekeeping failed", exc_info=error)
        else:
            if any(removed.values()):
                log.info("housekeeping", **{name.replace(" ", "_"): count for name, count in removed.items()})
        await sleep(LOOK_SECONDS)
