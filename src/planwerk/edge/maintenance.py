"""Maintenance: while it is on, every request is answered 503, or 303 to a page for people if one is set.

`planwerk maintenance on|off` writes the state to the database, so that all server processes see it: on SQLite with the
next request, on PostgreSQL within a second.
"""

import time
from collections.abc import Callable, Hashable

from planwerk.errors import SERVICE_UNAVAILABLE, refuse
from planwerk.store.database import Database
from planwerk.store.statements import Statement
from planwerk.store.transaction import Transaction

RETRY_SECONDS = 60
SECONDS = 1.0

FIND = Statement("SELECT value FROM state WHERE name = 'maintenance'", {})
SET = Statement(
    "INSERT INTO state (name, value) VALUES ('maintenance', {value}) ON CONFLICT (name) DO UPDATE SET value = excluded.value", {}
)


def set_maintenance(tx: Transaction, *, is_on: bool) -> None:
    tx.run_named(SET, value="on" if is_on else "off")
    tx.touched.add("state")


class Maintenance:
    """Knows whether the server is in maintenance."""

    def __init__(self, database: Database, unavailable_url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.database = database
        self.unavailable_url = unavailable_url
        self.clock = clock
        self.statement = database.statements.named(FIND)
        self.version: Hashable | None = ()
        self.until = 0.0
        self.is_on = False

    async def check(self) -> str:
        """The page to send people to, "" for business as usual; refuses with 503 where no page is set."""
        version = self.database.version("", ("state",))
        if (version is None and self.clock() >= self.until) or version != self.version:
            found = await self.database.fetch(self.statement, {})
            self.is_on = found is not None and found[0] == "on"
            self.version, self.until = version, self.clock() + SECONDS
        if self.is_on and not self.unavailable_url:
            raise refuse(SERVICE_UNAVAILABLE, "the server is in maintenance", retry_after=str(RETRY_SECONDS))
        return self.unavailable_url if self.is_on else ""
