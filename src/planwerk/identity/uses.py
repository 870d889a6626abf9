"""When credentials were used last: written down beside the answer, at most once a minute, and old API keys are told about.

Comes in: who asked, and what. Goes out: `last_used_at` of the key, `last_request_…` of the environment, an entry of
api_message. Nothing here decides whether a request is answered.
"""

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass

from planwerk.actor import Actor
from planwerk.fields import instant
from planwerk.notes import Note, write_notes
from planwerk.store.statements import Statement
from planwerk.store.transaction import Row, Transaction

EVERY_SECONDS = 60
REMEMBERED = 10_000
OLD_DAYS = 182  # six months: when a key had better be replaced
TOLD_HOURS = 24  # between two reminders of one key
DAYS_OF_MONTH = 30.44

PERSON = Statement(
    "UPDATE environment SET last_request_user = {now} WHERE id = {environment}"
    " AND (last_request_user IS NULL OR last_request_user <= {before})",
    {},
)
PROGRAM = Statement(
    "UPDATE environment SET last_request_third_party = {now} WHERE id = {environment}"
    " AND (last_request_third_party IS NULL OR last_request_third_party <= {before})",
    {},
)


@dataclass(frozen=True, slots=True)
class Use:
    """One request, as the entry of api_message names it if there is one."""

    actor: Actor
    method: str
    path: str
    query: str


class Uses:
    """Knows in memory whose use was written down within the last minute; `clock` counts seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.due: dict[str, float] = {}

    def is_due(self, actor: Actor) -> bool:
        """Whether this use shall be written down; the next one then is not for a minute. People count by environment."""
        name, now = actor.environment_id if actor.kind == "user" else actor.credential_id, self.clock()
        if self.due.get(name, now) > now:
            return False
        if len(self.due) >= REMEMBERED:
            self.due.clear()
        self.due[name] = now + EVERY_SECONDS
        return True


def write_use(tx: Transaction, use: Use) -> None:
    """Write a use down, unless another process of the server has done so within the minute."""
    before = instant(dt.datetime.fromisoformat(tx.now) - dt.timedelta(seconds=EVERY_SECONDS))
    if use.actor.kind == "api-key":
        use_key(tx, use, before)
    tx.run_named(PERSON if use.actor.kind == "user" else PROGRAM, now=tx.now, before=before)


def use_key(tx: Transaction, use: Use, before: str) -> None:
    row = tx.get(tx.object("api_key"), use.actor.credential_id)
    if row is None or (row["last_used_at"] is not None and row["last_used_at"] > before):
        return
    tx.write(tx.object("api_key"), row, {"last_used_at": tx.now})  # a use is no change: updated_at stays
    days = age_days(tx, row)
    if days > OLD_DAYS and not is_told(tx, row):
        write_notes(tx, tx.object("api_message"), use.method, use.path, use.query, [reminder(row, days)])


def age_days(tx: Transaction, row: Row) -> int:
    return (dt.datetime.fromisoformat(tx.now) - dt.datetime.fromisoformat(row["created_at"])).days


def is_told(tx: Transaction, row: Row) -> bool:
    """Whether an entry of the last day tells about this key."""
    since = tx.ago(hours=TOLD_HOURS)
    told = tx.find(tx.object("api_message"), message_code="API_KEY_OLD")
    return any(entry["updated_at"] > since and row["id"] in entry["message"] for entry in told)


def reminder(row: Row, days: int) -> Note:
    """The same sentence for a month, so that it is one entry whose date moves."""
    name = f"{row['description']} ({row['id']})" if row["description"] else row["id"]
    return Note("warning", "API_KEY_OLD", f"API key {name} is {int(days / DAYS_OF_MONTH)} months old: make a new one and revoke this one")
