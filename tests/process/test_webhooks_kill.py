"""Every committed change reaches its webhook, whatever kills the server: before it sends, while it calls, before it writes that down.

To see it fail: take deliveries without a lease and mark them when they are taken, write events in a transaction of their own, or
make the body anew for each attempt.
"""

import asyncio
import random
import time
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.client import Loop
from tests.process.asking import DROPPED, Asker
from tests.process.receiving import ALLOWED, Behaviour, Gate, Receiver, answering, hold, receiving
from tests.process.running import PATIENCE_SECONDS, wait_until
from tests.process.serving import IS_LONG, Place
from tests.process.writing import Ledger, a_card, cards_path, rows_of, writers

from planwerk.catalog.webhook import EVENT_TYPES

CYCLES = 50 if IS_LONG else 5
CLIENTS = 3
SHORTEST_SECONDS, LONGEST_SECONDS = 0.2, 0.6
SHARED = 500 if not IS_LONG else 10_000  # events for two workers
EACH = 40  # more than one webhook has connections
AFTER_SECONDS = 0.3
LEASES_END = "UPDATE webhook_delivery SET lease_until = '2020-01-01T00:00:00Z' WHERE lease_until IS NOT NULL"
DUE_NOW = "UPDATE webhook_delivery SET due_at = '2020-01-01T00:00:00Z' WHERE due_at IS NOT NULL"


@pytest.fixture
def open_place(place: Place) -> Place:
    """A place whose servers may call this machine."""
    return replace(place, chosen={**place.chosen, "webhook_allowed_networks": ALLOWED})


def change(place: Place, statement: str) -> None:
    """Behind the server's back, such as what the clock does."""
    if place.database.startswith("sqlite"):
        rows_of(place, statement)
        return
    with psycopg.connect(place.database, options="-c planwerk.environment_id=*") as server:
        server.execute(statement.encode())


def subscribe(asker: Asker, receiver: Receiver) -> None:
    asker.value("POST", "/v1/webhook", {"url": receiver.url, "event_types": EVENT_TYPES})


def events_of(place: Place) -> dict[str, str]:
    return {row[0]: row[1] for row in rows_of(place, "SELECT id, body FROM event")}


def waiting(place: Place) -> int:
    return int(rows_of(place, "SELECT count(*) FROM webhook_delivery WHERE due_at IS NOT NULL")[0][0])


def slow(seconds: float) -> Behaviour:
    async def behave(receiver: Receiver, reader: Any, writer: Any) -> None:
        await asyncio.sleep(seconds)
        await answering()(receiver, reader, writer)

    return behave


def fail_to_write(asker: Asker, cards: str) -> None:
    """A card and its refused double; a board with two collections, the second of which is refused: all of it is undone."""
    reference, _, body = a_card(-1, cards)
    asker.ask("POST", cards, {**body, "external_ref": reference})
    assert asker.ask("POST", cards, {**body, "external_ref": reference}).status == 422
    collections = [{"name": "undone", "external_ref": "the same"}] * 2
    refused = {"name": "B", "stages": [{"name": "S"}], "statuses": [{"name": "open", "entry": True}], "collections": collections}
    assert asker.ask("POST", "/v1/board", refused).status == 422


def test_kill_after_kill_every_event_is_received_and_nothing_else(open_place: Place, loop: Loop) -> None:
    ledger, chance, cards = Ledger(), random.Random(7), ""
    behaviours = (answering(), hold, slow(0.05))
    with receiving(loop, answering()) as receiver:
        for cycle in range(CYCLES):
            receiver.behave = behaviours[cycle % len(behaviours)]
            with open_place.serving() as server:
                if not cards:
                    with server.client() as asker:
                        subscribe(asker, receiver)
                    cards = cards_path(server)
                before = len(receiver.messages)
                with writers(server, ledger, cards, CLIENTS), server.client() as asker:
                    fail_to_write(asker, cards)
                    if receiver.behave is hold:  # killed when it has been called and not answered
                        wait_until(lambda before=before: len(receiver.messages) > before, "a message was read")
                    else:
                        time.sleep(chance.uniform(SHORTEST_SECONDS, LONGEST_SECONDS))
                    server.kill()
            change(open_place, LEASES_END)
            change(open_place, DUE_NOW)
        assert waiting(open_place), "nothing was left to be sent by the next"
        receiver.behave = answering()
        with open_place.serving():
            wait_until(lambda: not waiting(open_place), "everything is sent and written down")
    events, bodies = events_of(open_place), defaultdict(set)
    for message in receiver.messages:
        bodies[message.id].add(message.body.decode())
    assert bodies == {id: {body} for id, body in events.items()}
    assert not any("undone" in body for body in events.values())
    assert len(ledger.acknowledged) > CYCLES, "hardly anything was written before the kills"
    assert any(count > 1 for count in receiver.ids.values()), "no kill came between the call and the bookkeeping"


def test_what_a_killed_server_has_begun_is_sent_when_its_lease_is_over(open_place: Place, loop: Loop) -> None:
    with receiving(loop, hold) as receiver:
        with open_place.serving() as server:
            with server.client() as asker:
                subscribe(asker, receiver)
            cards = cards_path(server)
            wait_until(lambda: receiver.messages, "a message was read")
            server.kill()
        assert rows_of(open_place, "SELECT count(*) FROM webhook_delivery WHERE lease_until IS NOT NULL")[0][0]
        receiver.behave = answering()
        with open_place.serving() as server:
            wait_until(lambda: not waiting(open_place), "the next server has sent it, by the clock alone")
    assert cards
    assert receiver.ids.keys() == events_of(open_place).keys()


def test_two_workers_send_each_message_once(backend: str, open_place: Place, loop: Loop) -> None:
    """Of a server that sends nothing itself. On SQLite, which has one writer, they take turns."""
    quiet = replace(open_place, chosen={**open_place.chosen, "background_work": "false"})
    with receiving(loop, answering()) as receiver, quiet.serving() as server:
        with server.client() as asker:
            subscribe(asker, receiver)
            assert cards_path(server)  # makes the board that collections need
            for number in range(SHARED):
                asker.value("POST", "/v1/collection", {"name": str(number)})
        assert receiver.messages == []
        with quiet.working() as first, quiet.working() as second:
            wait_until(lambda: not waiting(quiet), "everything is sent")
            assert (first.poll(), second.poll()) == (None, None)
    assert receiver.ids == Counter(events_of(quiet).keys())
    assert len(receiver.ids) >= SHARED
    assert backend in quiet.database


def test_a_server_that_is_stopped_has_written_down_what_it_sent(open_place: Place, loop: Loop) -> None:
    with receiving(loop, answering()) as receiver:
        with open_place.serving() as server:
            with server.client() as asker:
                subscribe(asker, receiver)
            cards = cards_path(server)
            with writers(server, Ledger(), cards, 1), server.client() as asker:
                wait_until(lambda: len(receiver.messages) > 20, "messages are being sent")
                try:
                    assert server.stop() == 0
                except DROPPED:
                    pass
        assert rows_of(open_place, "SELECT count(*) FROM webhook_delivery WHERE lease_until IS NOT NULL")[0][0] == 0
        sent = Path(open_place.log).read_text()
        with open_place.serving():
            wait_until(lambda: not waiting(open_place), "the rest is sent")
    assert "Traceback" not in sent
    assert receiver.ids == Counter(events_of(open_place).keys())


def test_a_worker_that_is_stopped_waits_for_the_calls_under_way_and_frees_the_rest(open_place: Place, loop: Loop) -> None:
    """To see it fail: cancel the tasks of the worker a second time."""
    quiet, gate = replace(open_place, chosen={**open_place.chosen, "background_work": "false"}), Gate()
    with receiving(loop, gate) as receiver, quiet.serving() as server:
        cards = cards_path(server)
        with server.client() as asker:
            subscribe(asker, receiver)
            for number in range(EACH):
                asker.value("POST", cards, {"name": str(number)})
        with quiet.working() as worker:
            wait_until(lambda: receiver.messages, "a message is under way")
            worker.terminate()
            time.sleep(AFTER_SECONDS)  # by then it ends, and waits for what is under way
            loop.loop.call_soon_threadsafe(gate.opened.set)
            assert worker.wait(PATIENCE_SECONDS) == 0
        assert rows_of(quiet, "SELECT count(*) FROM webhook_delivery WHERE lease_until IS NOT NULL")[0][0] == 0
        sent = set(receiver.ids)
        with quiet.working():
            wait_until(lambda: not waiting(quiet), "the rest is sent")
    assert "Unclosed" not in Path(quiet.log).read_text()
    assert receiver.ids == Counter(row[0] for row in rows_of(quiet, "SELECT event_id FROM webhook_delivery"))
    assert sent
