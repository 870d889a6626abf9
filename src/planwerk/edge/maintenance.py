"""Maintenance: while it is on, every request is answered 503, or 303 to a page for people if one is set.

`planwerk maintenance on|off` writes the state to the database, so that all server processes see it: on SQLite with the
next request, on PostgreSQL within a second.
"""

from collections.abc import Hashable

from planwerk.errors import SERVICE_UNAVAILABLE, refuse
from planwerk.store.database import Database
from planwerk.store.statements import Statement
from planwerk.store.transaction import Transaction

RETRY_SECONDS = 60

FIND = Statement("SELECT value FROM state WHERE name = 'maintenance'", {})
SET = Statement(
    "INSERT INTO state (name, value) VALUES ('maintenance', {value}) ON CONFLICT (name) DO UPDATE SET value = excluded.value", {}
)


def set_maintenance(tx: Transaction, *, is_on: bool) -> None:
    tx.run_named(SET, value="on" if is_on else "off")
    tx.touched.add("state")


class Maintenance:
    """Knows whether the server is in maintenance."""

    def __init__(self, database: Database, unavailable_url: str) -> None:
        self.database = database
        self.unavailable_url = unavailable_url
        self.statement = database.statements.named(FIND)
        self.generation = -1
        self.version: Hashable | None = None
        self.is_on = False

    async def check(self) -> str:
        """The page to send people to, "" for business as usual; refuses with 503 where no page is set."""
        if self.generation != self.database.generation:
            await self.look()
        if self.is_on and not self.unavailable_url:
            raise refuse(SERVICE_UNAVAILABLE, "the server is in maintenance", retry_after=str(RETRY_SECONDS))
        return self.unavailable_url if self.is_on else ""

    async def look(self) -> None:
        generation, version = self.database.generation, self.database.version("", ("state",))
        if version is None or version != self.version:
            found = await self.database.fetch(self.statement, {})
            self.is_on = found is not None and found[0] == "on"
        self.generation, self.version = generation, version
