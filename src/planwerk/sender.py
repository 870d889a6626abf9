"""Sends webhooks: takes what is due, calls the receivers, writes down what came of it; beside a server or as a worker.

Deliveries about one object go one after the other, all others side by side. A webhook and an environment have a bounded share of
the connections, so that a slow or hostile receiver harms nobody else. No transaction is held while one is called.
"""

import asyncio
import datetime as dt
import time
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import structlog

from planwerk import __version__
from planwerk.errors import Refusal
from planwerk.fields import instant
from planwerk.hooks.address import networks_of
from planwerk.hooks.calls import Answer, Caller, Limits
from planwerk.hooks.dialling import Gate
from planwerk.hooks.signature import headers_of
from planwerk.rules.outcomes import Outcome
from planwerk.rules.sending import Parcel, exchange, put_back
from planwerk.store.database import Database, happens
from planwerk.store.deliveries import DUE, STANDS, Taken, due_webhooks, give_back
from planwerk.store.transaction import Row

POSTPONE_SECONDS = 1.0  # for what cannot be written now
FLUSH_SECONDS = 0.02  # for which outcomes are collected, so that many share a transaction
REMEMBERED = 4096  # webhooks, of the last looks at them
STALE_SECONDS = 1.0  # after that a webhook is looked at again before more of what was taken from it is sent
PAUSE_SECONDS = 60.0  # for a webhook whose deliveries cannot be taken
STOP_SECONDS = 2.0  # for the calls under way when it is to end
WRITES = 4  # environments that are written at once; a server has twice as many connections for that
AHEAD = 256  # deliveries of a webhook whose receiver is quick that are taken before there is a connection for them
UNREADABLE = "the secret of the webhook cannot be read; replace it"
UNKEPT = "what was answered cannot be kept"
# Of a process that does nothing else, and hears of no event; on SQLite the server beside it waits for its writes. A look takes
# 0.5 ms on SQLite and 2 ms on PostgreSQL with 1,000 webhooks.
WORKER = {"sqlite": Limits(at_once=64, look_seconds=0.2), "postgresql": Limits(at_once=256, rest=0.0, look_seconds=0.2)}
NO_EVENT = "the event is no longer kept"


async def run(database: Database, limits: Limits | None = None) -> None:
    """Send what is due, for ever; ends by being cancelled. Without limits it gives way to the requests beside it."""
    async with Sender(database, limits=limits) as sender:
        await sender.run()


@dataclass(frozen=True, slots=True)
class Chain:
    """Deliveries about one object, which are sent one after the other; when they were taken, and until when one may be begun
    (`time.monotonic`)."""

    parcel: Parcel
    deliveries: Sequence[Taken]
    taken_at: float
    begin_until: float


class Sender:
    """One sender of one process. Whatever it takes and does not finish is sent by another when the lease ends."""

    def __init__(self, database: Database, gate: Gate | None = None, limits: Limits | None = None) -> None:
        self.database = database
        self.limits = limits or Limits()
        self.caller = Caller(gate or Gate(networks_of(database.settings.webhook_allowed_networks)), self.limits)
        self.due = database.statements.named(DUE[database.statements.dialect.name])
        self.standing = database.statements.named(STANDS)
        self.looks: dict[str, tuple[float, Sequence[Any] | None]] = {}  # webhook → when it was looked at again, and what was found
        self.log = structlog.get_logger("planwerk")
        self.waiting: dict[str, deque[Chain]] = {}  # by webhook, those that have no connection yet
        self.busy: Counter[str] = Counter()  # connections by webhook and by environment
        self.held: Counter[str] = Counter()  # deliveries taken and not finished, by webhook
        self.earned: Counter[str] = Counter()  # deliveries finished since the last were taken, by webhook
        self.more: dict[str, set[str]] = defaultdict(set)  # environment → webhooks that may have something due
        self.left: set[str] = set()  # webhooks of which the last look left something, such as what waits for a call under way
        self.paused: dict[str, float] = {}
        self.outcomes: dict[str, list[Outcome]] = defaultdict(list)  # by environment
        self.unsent: dict[tuple[str, str], set[str]] = defaultdict(set)  # (environment, end of the lease) → deliveries
        self.calls: set[asyncio.Task[None]] = set()
        self.desks: dict[str, asyncio.Task[None]] = {}  # environment → who writes for it
        self.writes = asyncio.Semaphore(WRITES)
        self.is_ending = False

    async def __aenter__(self) -> "Sender":
        await self.caller.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Calls under way may end, what came of them is written, and what was not sent is free for the next sender."""
        self.is_ending = True
        self.waiting.clear()
        if self.calls:
            await asyncio.wait(self.calls, timeout=STOP_SECONDS)
        for call in self.calls:
            call.cancel()
        await asyncio.gather(*self.calls, *self.desks.values(), return_exceptions=True)
        with suppress(Refusal):
            for environment_id in list(self.outcomes):
                await self.write(environment_id, self.outcomes.pop(environment_id), [])
            for (environment_id, until), ids in self.unsent.items():
                await self.database.write(environment_id, partial(give_back, ids=ids, held_until=until))
        await self.caller.__aexit__()

    # ── looking ──

    async def run(self) -> None:
        with self.database.bell.heard("deliveries") as rung:
            while True:
                rung.clear()
                try:
                    await self.look()
                except Refusal as refusal:
                    self.log.warning("sending webhooks is postponed", reason=str(refusal))
                except Exception as error:  # whatever it is, it must not end the sending
                    self.log.error("sending webhooks failed", exc_info=error)
                await asyncio.sleep(FLUSH_SECONDS)  # of many changes in a row the first is seen at once
                await happens(rung, self.limits.look_seconds)

    async def look(self) -> None:
        """Find the webhooks that have something to send now, and begin to take it."""
        now = time.monotonic()
        for environment_id, webhook_id in due_webhooks(await self.database.fetch(self.due, {"now": self.database.identifiers.now()})):
            if self.paused.get(webhook_id, 0) <= now:
                self.more[environment_id].add(webhook_id)
        for environment_id in list(self.more):
            if self.wanted(environment_id):
                self.open_desk(environment_id)

    # ── writing ──

    def open_desk(self, environment_id: str) -> None:
        if environment_id not in self.desks and not self.is_ending:
            self.desks[environment_id] = task = asyncio.create_task(self.desk(environment_id))
            task.add_done_callback(partial(self.close_desk, environment_id))

    def close_desk(self, environment_id: str, _: object) -> None:
        del self.desks[environment_id]
        if self.outcomes.get(environment_id):
            self.open_desk(environment_id)

    async def desk(self, environment_id: str) -> None:
        """Write and take for one environment, as long as there is something to do."""
        if self.outcomes.get(environment_id):
            await asyncio.sleep(FLUSH_SECONDS)
        while not self.is_ending:
            began, outcomes = time.monotonic(), list[Outcome]()
            try:
                wanted = [id for id in self.wanted(environment_id) if await self.is_open(environment_id, id)]
                outcomes = self.some_outcomes(environment_id)
                if not outcomes and not wanted:
                    return
                await self.write(environment_id, outcomes, wanted)
            except Refusal as refusal:
                self.outcomes[environment_id] = [*outcomes, *self.outcomes[environment_id]]
                self.log.warning("sending webhooks is postponed", reason=str(refusal))
                await asyncio.sleep(POSTPONE_SECONDS)
            else:
                await asyncio.sleep(max(FLUSH_SECONDS, self.limits.rest * (time.monotonic() - began)))

    def some_outcomes(self, environment_id: str) -> list[Outcome]:
        """As many outcomes as one transaction writes down; the others wait for the next."""
        found = self.outcomes.pop(environment_id, [])
        if later := found[self.limits.at_once :]:
            self.outcomes[environment_id] = later
        return found[: self.limits.at_once]

    def wanted(self, environment_id: str) -> dict[str, int]:
        """How many deliveries to take of which webhooks: more of those whose receivers are quick."""
        limits, found = self.limits, {}
        for webhook_id in self.more.get(environment_id, ()):
            count = limits.per_webhook + min(self.earned[webhook_id], AHEAD) - self.held[webhook_id]
            if count > 0 and not self.is_ending:
                found[webhook_id] = min(count, limits.at_once)
        return found

    async def write(self, environment_id: str, outcomes: Sequence[Outcome], webhook_ids: Sequence[str]) -> None:
        """One transaction for all of it; if that fails for a reason of our own, one for each part, so that the others are not harmed."""
        try:
            await self.write_part(environment_id, outcomes, webhook_ids)
        except Refusal:
            raise
        except Exception as error:
            self.log.error("sending webhooks failed", exc_info=error, environment=environment_id)
            for outcome in outcomes:
                await self.write_plainly(environment_id, outcome)
            for webhook_id in webhook_ids:
                await self.take_carefully(environment_id, webhook_id)

    async def write_part(self, environment_id: str, outcomes: Sequence[Outcome], webhook_ids: Sequence[str]) -> None:
        began, wanted = time.monotonic(), {id: count for id, count in self.wanted(environment_id).items() if id in webhook_ids}
        async with self.writes:
            work = partial(exchange, outcomes=outcomes, wanted=wanted, lease_seconds=self.limits.lease_seconds)
            parcels, suspended = await self.database.write(environment_id, work)
        for webhook in suspended:
            self.log_suspended(environment_id, webhook)
        for outcome in outcomes:
            self.settle(environment_id, outcome.delivery["lease_until"], {outcome.delivery["id"]})
        for webhook_id in wanted:
            self.earned.pop(webhook_id, None)
            self.more[environment_id].discard(webhook_id)
        if not self.more[environment_id]:
            del self.more[environment_id]
        for parcel in parcels:
            self.accept(parcel, began)

    def log_suspended(self, environment_id: str, webhook: Row) -> None:
        """For the operator, who may be the only one to hear of it."""
        is_mailed = webhook["mailed_disabled_at"] is not None
        told = {"environment": environment_id, "webhook": webhook["id"], "until": webhook["disabled_until"], "is_mailed": is_mailed}
        self.log.warning("a webhook is suspended", **told)

    async def write_plainly(self, environment_id: str, outcome: Outcome) -> None:
        """Keep one outcome; if that cannot be, then that there was one, so that the attempt counts."""
        try:
            await self.write_part(environment_id, [outcome], [])
        except Refusal:
            raise
        except Exception as error:
            self.log.error("what a receiver answered cannot be kept", exc_info=error, delivery=outcome.delivery["id"])
            await self.write_part(environment_id, [replace(outcome, headers={}, answer=None, error=UNKEPT)], [])

    async def take_carefully(self, environment_id: str, webhook_id: str) -> None:
        try:
            await self.write_part(environment_id, [], [webhook_id])
        except Refusal:
            raise
        except Exception as error:
            self.log.error("deliveries cannot be taken", exc_info=error, webhook=webhook_id)
            self.paused[webhook_id] = time.monotonic() + PAUSE_SECONDS
            self.more[environment_id].discard(webhook_id)

    # ── sending ──

    def accept(self, parcel: Parcel, began: float) -> None:
        """Deliveries that were just taken wait for connections, in chains of one object each."""
        chains: dict[str, list[Taken]] = defaultdict(list)
        for delivery in parcel.deliveries:
            chains[delivery.row["object_id"]].append(delivery)
        self.unsent[parcel.environment_id, parcel.lease_until].update(delivery.row["id"] for delivery in parcel.deliveries)
        self.held[parcel.webhook_id] += len(parcel.deliveries)
        self.left.discard(parcel.webhook_id)
        if parcel.has_more:
            self.left.add(parcel.webhook_id)
            self.more[parcel.environment_id] |= {parcel.webhook_id} if parcel.deliveries else set()
        begin_until = began + self.limits.lease_seconds - self.limits.whole_seconds - 1  # moments are whole seconds
        line = self.waiting.setdefault(parcel.webhook_id, deque())
        line.extend(Chain(parcel, deliveries, began, begin_until) for deliveries in chains.values())
        self.begin(parcel.webhook_id)

    def begin(self, webhook_id: str) -> None:
        """Send what waits of a webhook, as far as there are connections."""
        line = self.waiting.get(webhook_id, ())
        while line and not self.is_ending and self.has_connection(line[0].parcel):
            chain = line.popleft()
            self.busy[webhook_id] += 1
            self.busy[chain.parcel.environment_id] += 1
            self.calls.add(task := asyncio.create_task(self.send(chain)))
            task.add_done_callback(partial(self.go_on, chain.parcel))
        if rest := self.waiting.pop(webhook_id, None):
            self.waiting[webhook_id] = rest  # behind the others

    def has_connection(self, parcel: Parcel) -> bool:
        limits, busy = self.limits, self.busy
        is_free = len(self.calls) < limits.connections and busy[parcel.environment_id] < limits.per_environment
        return is_free and busy[parcel.webhook_id] < limits.per_webhook

    def go_on(self, parcel: Parcel, call: "asyncio.Task[None]") -> None:
        """A connection is free for those that have waited longest."""
        self.calls.discard(call)
        for name in (parcel.webhook_id, parcel.environment_id):
            self.busy[name] -= 1
            if not self.busy[name]:
                del self.busy[name]
        for webhook_id in list(self.waiting):
            if len(self.calls) >= self.limits.connections:
                break
            self.begin(webhook_id)

    async def send(self, chain: Chain) -> None:
        """Send deliveries of one object in their order, until the lease is about to end."""
        for sent, delivery in enumerate(chain.deliveries):
            if time.monotonic() > chain.begin_until:
                self.release(chain.parcel, chain.deliveries[sent:])
                return
            try:
                stands = await self.stands(chain, delivery)
            except Exception as error:  # it cannot be known now: they are due again when the lease ends
                self.log.warning("sending webhooks is postponed", reason=str(error))
                self.release(chain.parcel, chain.deliveries[sent:])
                return
            if not stands:
                await self.put_back(chain.parcel, chain.deliveries[sent:])
                return
            outcome = await self.attempt(chain.parcel, delivery)
            self.held[chain.parcel.webhook_id] -= 1
            self.earned[chain.parcel.webhook_id] += outcome.status_code is not None and outcome.status_code < 300
            self.outcomes[chain.parcel.environment_id].append(outcome)
            if chain.parcel.webhook_id in self.left:
                self.more[chain.parcel.environment_id].add(chain.parcel.webhook_id)
            self.open_desk(chain.parcel.environment_id)

    async def stands(self, chain: Chain, delivery: Taken) -> bool:
        """Whether the webhook still sends this, and there; as of a second ago at most, so that a long line costs few looks."""
        parcel = chain.parcel
        if time.monotonic() - chain.taken_at < STALE_SECONDS:
            return True
        found = await self.look_at(parcel.environment_id, parcel.webhook_id)
        return found is not None and found[0] == parcel.url and bool(found[1] or delivery.row["object_id"] == parcel.webhook_id)

    async def is_open(self, environment_id: str, webhook_id: str) -> bool:
        """Whether anything may be taken from a webhook; if not, it is left until a look finds it again."""
        if await self.look_at(environment_id, webhook_id) is not None:
            return True
        self.more[environment_id].discard(webhook_id)
        return False

    async def look_at(self, environment_id: str, webhook_id: str) -> Sequence[Any] | None:
        """(where a webhook sends, whether more than tests), None if it does not; as of a second ago at most."""
        now = time.monotonic()
        looked_at, found = self.looks.get(webhook_id, (-STALE_SECONDS, None))
        if now - looked_at >= STALE_SECONDS:
            asked = {"owner": environment_id, "webhook_id": webhook_id, "now": self.database.identifiers.now()}
            found = await self.database.fetch(self.standing, asked)
            if len(self.looks) >= REMEMBERED:
                self.looks.clear()
            self.looks[webhook_id] = (now, found)
        return found

    async def put_back(self, parcel: Parcel, deliveries: Sequence[Taken]) -> None:
        """These are free at once, for when the webhook sends again, or for its new address."""
        work = partial(put_back, parcel=parcel, ids=[delivery.row["id"] for delivery in deliveries])
        with suppress(Refusal):  # then they are free when the lease ends
            await self.database.write(parcel.environment_id, work)
        self.release(parcel, deliveries)

    def release(self, parcel: Parcel, deliveries: Iterable[Taken]) -> None:
        """There was no time for these: they are due again when the lease ends."""
        ids = {delivery.row["id"] for delivery in deliveries}
        self.held[parcel.webhook_id] -= len(ids)
        self.settle(parcel.environment_id, parcel.lease_until, ids)

    def settle(self, environment_id: str, lease_until: str, ids: set[str]) -> None:
        """Nothing has to be done about these any more when the sender ends."""
        self.unsent[environment_id, lease_until] -= ids
        if not self.unsent[environment_id, lease_until]:
            del self.unsent[environment_id, lease_until]

    async def attempt(self, parcel: Parcel, delivery: Taken) -> Outcome:
        began, attempted_at = time.monotonic(), instant(dt.datetime.now(dt.UTC))
        answer = await self.answer_to(parcel, delivery)
        duration = int((time.monotonic() - began) * 1000)
        answered = (answer.status_code, answer.headers, answer.text, answer.error)
        return Outcome(delivery.row, attempted_at, duration, *answered, is_last=delivery.body is None)

    async def answer_to(self, parcel: Parcel, delivery: Taken) -> Answer:
        if delivery.body is None:
            return Answer(error=NO_EVENT)
        if not parcel.secrets:
            return Answer(error=UNREADABLE)
        body = delivery.body.encode()
        headers = {
            "content-type": "application/json",
            "user-agent": f"Planwerk/{__version__}",
            **headers_of(delivery.row["event_id"], int(time.time()), body, parcel.secrets),
        }
        return await self.caller.call(parcel.url, headers, body)
