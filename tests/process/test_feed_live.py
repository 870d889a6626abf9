"""Streams of events over real sockets: a stop ends them, a client that does not read holds nothing up, one that leaves costs nothing.

To see it fail: leave `end_streams` out of `commands.serve.create`; let `send_parts` put parts in a list and send them later; leave
`client_leaves` out.
"""

import json
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection, HTTPResponse
from typing import Any

from tests.process.running import wait_until
from tests.process.serving import STOP_SECONDS, Place, Serving

IDLE = 300
STALLED, EVENTS, EVENT_BYTES = 20, 150, 100_000  # 15 MB for each stream, 300 MB for all
MEMORY_BYTES = 150_000_000  # that these may cost: a page of events, shared or not, and what the sockets hold


@contextmanager
def stream(server: Serving, query: str = "", **headers: str) -> Iterator[HTTPResponse]:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("GET", f"/v1/event{query}", headers={**server.place.headers, "accept": "text/event-stream", **headers})
    answer = connection.getresponse()
    assert (answer.status, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    try:
        yield answer
    finally:
        answer.close()
        connection.close()


def event(answer: HTTPResponse) -> Any:
    """The next event; None when the stream has ended."""
    while line := answer.readline():
        if line.startswith(b"data: "):
            return json.loads(line[6:])
    return None


def change(server: Serving, name: str) -> str:
    """The id of a new collection."""
    with server.client() as asker:
        if not asker.value("GET", "/v1/board")["data"]:
            asker.value("POST", "/v1/board", {"name": "hall"})
        return str(asker.value("POST", "/v1/collection", {"name": name})["id"])


def test_what_happens_is_told_uncompressed_and_at_once(place: Place) -> None:
    with place.serving() as server, stream(server, **{"accept-encoding": "gzip"}) as answer:
        assert answer.headers["content-encoding"] is None
        made = change(server, "one")
        assert event(answer)["data"]["new"]["id"] == made


def test_a_stop_ends_open_streams(place: Place) -> None:
    with place.serving() as server, ExitStack() as kept:
        streams = [kept.enter_context(stream(server)) for _ in range(5)]
        made = change(server, "one")
        assert [event(answer)["data"]["new"]["id"] for answer in streams] == [made] * 5
        server.process.send_signal(signal.SIGTERM)
        assert [event(answer) for answer in streams] == [None] * 5
        assert server.process.wait(STOP_SECONDS) == 0
    assert "Killing" not in place.log.read_text(), "a process had to be ended"


def test_a_stop_does_not_wait_for_a_client_that_reads_nothing(sqlite_place: Place) -> None:
    """Only the end of the process can close such a connection."""
    with sqlite_place.serving() as server, stalled(server):
        fill(server, 60)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(STOP_SECONDS) == 0


def test_a_client_goes_on_where_it_was_after_a_restart(place: Place) -> None:
    with place.serving() as server, stream(server) as answer:
        change(server, "one")
        last = event(answer)["position"]
        assert server.stop() == 0
    with place.serving() as server:
        made = change(server, "two")
        with stream(server, **{"last-event-id": str(last)}) as answer:
            assert event(answer)["data"]["new"]["id"] == made


def test_events_of_another_process_are_told(place: Place) -> None:
    """On PostgreSQL of another server, on SQLite of a command."""
    if place.database.startswith("sqlite"):
        with place.serving() as server, stream(server) as answer:
            assert place.command("seed", "demo").returncode == 0
            assert event(answer) is not None
        return
    with place.serving() as one, place.serving() as other, stream(one) as answer:
        made = change(other, "one")
        assert event(answer)["data"]["new"]["id"] == made


def test_idle_clients_that_leave_free_everything(sqlite_place: Place) -> None:
    with sqlite_place.serving() as server:
        change(server, "one")
        before = server.descriptors()
        with ExitStack() as kept:
            streams = [kept.enter_context(stream(server)) for _ in range(IDLE)]
            made = change(server, "two")
            assert {event(answer)["data"]["new"]["id"] for answer in streams} == {made}
            assert server.descriptors() >= before + IDLE
        wait_until(lambda: server.descriptors() <= before + 5, "the connections are closed")
        assert server.stop() == 0
    assert "Killing" not in sqlite_place.log.read_text(), "a process had to be ended"


@contextmanager
def stalled(server: Serving) -> Iterator[None]:
    """A client that asks for everything and reads nothing."""
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        named = "".join(f"{name}: {value}\r\n" for name, value in server.place.headers.items())
        connection.sendall(f"GET /v1/event?after=0 HTTP/1.1\r\nhost: a\r\naccept: text/event-stream\r\n{named}\r\n".encode())
        yield


def fill(server: Serving, count: int) -> None:
    """Large events."""
    id = change(server, "large")
    with server.client() as asker:
        for number in range(count):
            asker.ask("PUT", f"/v1/collection/{id}", {"description": str(number % 10) * (EVENT_BYTES // 3)})


def test_clients_that_read_nothing_do_not_fill_the_memory(sqlite_place: Place) -> None:
    with sqlite_place.serving() as server, ExitStack() as kept:
        fill(server, EVENTS)
        before = server.memory_bytes()
        for _ in range(STALLED):
            kept.enter_context(stalled(server))
        with stream(server, "?after=0") as reader:
            for _ in range(EVENTS):
                assert event(reader) is not None
        assert server.memory_bytes() - before < MEMORY_BYTES
