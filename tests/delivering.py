"""A tenant with webhooks to receivers on this machine, senders that run for as long as a test needs, and what is in the tables."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.client import Loop
from tests.inviting import change, mailing_server
from tests.process.receiving import ALLOWED, Receiver
from tests.server import OBJECTS, Server
from tests.world import World

from planwerk.hooks.calls import Limits
from planwerk.rules.outcomes import FOLLOW
from planwerk.sender import Sender
from planwerk.store.statements import Statement
from planwerk.store.transaction import Row, Transaction, document_of as made

CREATED = ("collection.created",)
SHORT = Limits(connect_seconds=0.3, whole_seconds=0.5, lease_seconds=30)
UNHURRIED = Limits(connect_seconds=5, whole_seconds=60, lease_seconds=120)  # no attempt ends by the clock within a test
PATIENCE_SECONDS = 60.0  # for what is certain to come; a test that runs into it fails
LONG_AGO, FAR_OFF = "2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z"
SILENCE = Statement("UPDATE webhook SET deleted_at = {now}", {})
STATUS = Statement("UPDATE environment SET status = {status} WHERE id = {environment}", {})
FREE = Statement("UPDATE webhook_delivery SET lease_until = {until} WHERE environment_id = {environment}", {})
DUE = Statement("UPDATE webhook_delivery SET due_at = {due} WHERE environment_id = {environment} AND due_at IS NOT NULL", {})


@contextmanager
def sending_server(backend: str, folder: Path, loop: Loop) -> Iterator[Server]:
    """A server that has a mail server and may call this machine; its senders are those of the tests."""
    with mailing_server(backend, folder, loop, webhook_allowed_networks=ALLOWED) as server:
        yield server


def quiet_mill(server: Server) -> "Mill":
    """A new tenant of a server on which no other webhook sends any more."""
    server.database.write_now("", lambda tx: tx.run_named(SILENCE, now=tx.now))
    return new_mill(server)


def new_mill(server: Server) -> "Mill":
    tenant = server.tenant()
    return Mill(World(server, server.client(tenant), tenant.environment.id))


@dataclass(frozen=True)
class Mill:
    """One tenant. `write` makes events of its own objects, `hook` a webhook for them."""

    world: World

    @property
    def server(self) -> Server:
        return self.world.server

    def neighbour(self) -> "Mill":
        return new_mill(self.server)

    def hook(self, receiver: Receiver, *types: str, **values: Any) -> str:
        body = {"url": receiver.url, "event_types": types or CREATED, **values}
        return str(self.world.client.post("/v1/webhook", body)["id"])

    def write(self, count: int) -> None:
        """So many new collections, one event each."""

        def work(tx: Transaction) -> None:
            for number in range(count):
                tx.insert(OBJECTS["collection"], {"name": f"order {number}"})

        self.server.database.write_now(self.world.environment_id, work)

    # ── time and fate ──

    def change(self, name: str, id: str, **values: Any) -> None:
        change(self.server, self.world.environment_id, name, id, **values)

    def follow(self, webhook_id: str) -> None:
        """Leave the job that a suspension leaves."""
        database = self.server.database
        database.write_now(self.world.environment_id, lambda tx: tx.enqueue(FOLLOW, webhook_id, webhook_id=webhook_id))

    def run(self, statement: Statement, **values: Any) -> None:
        self.server.database.write_now(self.world.environment_id, lambda tx: tx.run_named(statement, **values))

    def let_leases_end(self) -> None:
        self.run(FREE, until=LONG_AGO)

    def let_retries_be_due(self) -> None:
        self.run(DUE, due=LONG_AGO)

    def let_retries_wait(self) -> None:
        """However slow the machine is, no retry is due before the test ends."""
        self.run(DUE, due=FAR_OFF)

    # ── what is there ──

    def rows(self, name: str, **equal: Any) -> list[Row]:
        def work(tx: Transaction) -> list[Row]:
            return tx.find(OBJECTS[name], **equal)

        return self.server.database.write_now(self.world.environment_id, work)

    def webhook(self, id: str) -> Row:
        return self.rows("webhook", id=id)[0]

    def deliveries(self, webhook_id: str) -> list[Row]:
        return sorted(self.rows("webhook_delivery", webhook_id=webhook_id), key=lambda row: row["position"])

    def tried(self, webhook_id: str) -> int:
        """How many attempts at deliveries were written down."""
        return sum(row["attempts"] for row in self.deliveries(webhook_id))

    def events(self) -> dict[str, str]:
        """The bodies of all events, by id."""
        text = f"SELECT id, body FROM event WHERE environment_id = '{self.world.environment_id}'"
        return {row[0]: row[1] for row in self.server.database.query(text)}

    # ── sending ──

    def send_until(self, condition: Callable[[], Any], limits: Limits = SHORT, count: int = 1) -> None:
        """Run so many senders until it is so."""

        async def work() -> None:
            async with sending(self.server, limits, count):
                await until(condition)

        self.server.loop.run(work())

    def send_all(self, *webhook_ids: str, limits: Limits = SHORT, count: int = 1) -> None:
        """Send until each delivery of these was tried, and that is written down."""
        self.send_until(lambda: all(row["attempts"] for id in webhook_ids for row in self.deliveries(id)), limits, count)


@asynccontextmanager
async def sending(server: Server, limits: Limits = SHORT, count: int = 1) -> AsyncIterator[list[Sender]]:
    """Senders that run."""
    senders = [Sender(server.database, limits=limits) for _ in range(count)]

    async def run(sender: Sender) -> None:
        async with sender:
            await sender.run()

    tasks = [asyncio.ensure_future(run(sender)) for sender in senders]
    try:
        yield senders
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await asyncio.to_thread(condition):
            await asyncio.sleep(0.01)


def document_of(row: Row) -> Row:
    """The row of a delivery with the text that it should have."""
    return {**row, "document": made(OBJECTS["webhook_delivery"].shown, row)}
