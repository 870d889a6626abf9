"""A stop and an update lose nothing: what is under way is answered, what comes later is refused, and another server takes over."""

import contextlib
import http.client
import json
import signal
import socket
from collections.abc import Iterator
from typing import Any

from tests.process.asking import DROPPED, Asker, Reply
from tests.process.running import free_port, wait_until
from tests.process.serving import STOP_SECONDS, Place, Serving
from tests.process.writing import Ledger, an_order, cards_path, check, stored, writers

UNDER_WAY = 20
HANDED_OVER = 30  # requests to each of two servers that follow one another


def test_a_stop_answers_what_is_under_way_and_refuses_what_comes_later(place: Place) -> None:
    """To see it fail: end the workers soon after SIGTERM (`STOP_SECONDS = 0.001`)."""
    ledger = Ledger()
    with place.serving() as server, contextlib.ExitStack() as kept, server.client() as idle:
        idle.value("GET", "/v1/order")
        begun = [kept.enter_context(under_way(server, ledger)) for _ in range(UNDER_WAY)]
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: is_refused(server), "new connections are refused")
        for connection, content in begun:
            connection.send(content)
        for connection, _ in begun:
            answer = connection.getresponse()
            assert answer.status == 201
            ledger.acknowledged.add(json.loads(answer.read())["external_ref"])
        assert server.process.wait(STOP_SECONDS) == 0
    assert len(ledger.acknowledged) == UNDER_WAY
    assert not list(place.folder.glob("*.lock"))
    check(place, ledger)


def test_a_stop_under_load_ends_by_itself_and_loses_nothing_that_was_acknowledged(place: Place) -> None:
    """To see it fail: leave `waiting.put(None)` out of `SQLite.stop`, so that its thread never ends."""
    ledger = Ledger()
    with place.serving() as server, writers(server, ledger, cards_path(server), 8):
        wait_until(lambda: len(ledger.acknowledged) > 100, "the load is under way")
        assert server.stop() == 0
    check(place, ledger)
    assert ledger.refused == []
    assert "Killing" not in place.log.read_text(), "a process had to be ended"


def test_a_server_hands_over_to_another_and_no_request_fails(place: Place) -> None:
    """Both run on one PostgreSQL, as in an update without a pause; on SQLite the second starts once the first has stopped.

    The client does as a proxy does: it asks the next server when one refuses or closes the connection without an answer, which is
    safe because of the Idempotency-Key. To see it fail: let `hold_lock` keep a second server off PostgreSQL, too.
    """
    ledger, ports = Ledger(), (free_port(), free_port())
    with contextlib.ExitStack() as kept:
        asked = order_after_order(place, ports, ledger)
        first = kept.enter_context(place.serving(port=ports[0]))
        answered = [next(asked) for _ in range(HANDED_OVER)]
        if place.database.startswith("sqlite"):
            assert first.stop() == 0
        kept.enter_context(place.serving(port=ports[1]))
        answered += [next(asked)]
        if first.process.poll() is None:
            first.process.send_signal(signal.SIGTERM)
        answered += [next(asked) for _ in range(HANDED_OVER)]
        assert first.process.wait(STOP_SECONDS) == 0
        answered += [next(asked) for _ in range(HANDED_OVER)]
        check(place, ledger)
    assert stored(place) == ledger.sent
    assert set(answered[:HANDED_OVER]) == {ports[0]}
    assert set(answered[-HANDED_OVER:]) == {ports[1]}


# ── clients in the middle of a request ──


@contextlib.contextmanager
def under_way(server: Serving, ledger: Ledger) -> Iterator[tuple[http.client.HTTPConnection, bytes]]:
    """(connection, body) of a request that is under way: the server has asked for its body (RFC 9110, section 10.1.1)."""
    reference, path, body = an_order(next(ledger.numbers))
    content = json.dumps(body).encode()
    ledger.sent.add(reference)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.putrequest("POST", path)
    about = {"content-type": "application/json", "content-length": str(len(content)), "expect": "100-continue"}
    for name, value in {**server.place.headers, **about}.items():
        connection.putheader(name, value)
    connection.endheaders()
    with contextlib.closing(connection):
        assert connection.sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        yield connection, content


def is_refused(server: Serving) -> bool:
    try:
        socket.create_connection(("127.0.0.1", server.port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        pass
    return False


def order_after_order(place: Place, ports: tuple[int, ...], ledger: Ledger) -> Iterator[int]:
    """Creates orders for ever, each with the first server that answers; the port that did."""
    while True:
        reference, path, body = an_order(next(ledger.numbers))
        ledger.sent.add(reference)
        port, reply = next(filter(None, (try_to_ask(place, port, path, body, reference) for port in ports)))
        assert reply.status == 201
        ledger.acknowledged.add(reference)
        yield port


def try_to_ask(place: Place, port: int, path: str, body: Any, key: str) -> tuple[int, Reply] | None:
    with Asker(port, place.headers) as asker:
        try:
            return port, asker.ask("POST", path, body, idempotency_key=key)
        except DROPPED:
            return None
