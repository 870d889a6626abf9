"""What no client library sends: each gets an answer below 500 or a closed connection, and the next client is served as usual.

The server's HTTP library refuses most of it before our code sees it; these tests notice when another one, or another setting, does not.
"""

import contextlib
import re
import socket
import threading
from collections.abc import Iterator, Mapping

import pytest
from tests.process.serving import IS_LONG, Serving, prepared

JSON = b"Content-Type: application/json\r\n"
STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
PATIENCE_SECONDS = 10.0  # less than the server's own with silent clients
SILENT = 300  # more than the connections of a small server
SLOW_BYTES = 60 if IS_LONG else 4  # that each slow client sends, one a second

HEADS: Mapping[str, tuple[int, bytes, bytes]] = {  # name: status, request line, further headers
    "absolute form": (200, b"GET http://127.0.0.1/v1/order HTTP/1.1", b""),
    "HTTP/1.0": (200, b"GET /v1/order HTTP/1.0", b""),
    "a header that is no text": (200, b"GET /v1/order HTTP/1.1", b"X-Name: \xff\xfe\r\n"),
    "an upgrade that we do not know": (200, b"GET /v1/order HTTP/1.1", b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"),
    "100 KB of headers": (431, b"GET /v1/order HTTP/1.1", b"X-Long: " + b"a" * 100_000 + b"\r\n"),
    "1 MB of headers": (431, b"GET /v1/order HTTP/1.1", b"X-Long: " + b"a" * 1_000_000 + b"\r\n"),
    "1,000 headers": (431, b"GET /v1/order HTTP/1.1", b"".join(b"X-%d: a\r\n" % number for number in range(1000))),
    "a long address": (414, b"GET /v1/order?filter=" + b"a" * 60_000 + b" HTTP/1.1", b""),
    "a longer address": (414, b"GET /v1/order?filter=" + b"a" * 100_000 + b" HTTP/1.1", b""),
    "bad percent-encoding in the path": (404, b"GET /v1/order/%zz HTTP/1.1", b""),
    "bad percent-encoding in the query": (400, b"GET /v1/order?filter=%zz&sort=% HTTP/1.1", b""),
    "a path that is not UTF-8": (404, b"GET /v1/order/%ff%fe HTTP/1.1", b""),
    "raw bytes in the path": (400, b"GET /v1/order/\xff HTTP/1.1", b""),
    "a NUL in the path": (404, b"GET /v1/order/%00 HTTP/1.1", b""),
    "a NUL in the query": (400, b"GET /v1/order?filter=code:eq:%00 HTTP/1.1", b""),
    "dots in the path": (404, b"GET /v1/../v1/order HTTP/1.1", b""),
    "a path without a slash": (400, b"GET v1/order HTTP/1.1", b""),
    "an asterisk": (404, b"OPTIONS * HTTP/1.1", b""),
    "an unknown method": (405, b"BREW /v1/order HTTP/1.1", b""),
    "a method that is none": (400, b"G@T\x01 /v1/order HTTP/1.1", b""),
    "another protocol version": (400, b"GET /v1/order HTTP/3.0", b""),
    "no protocol version": (400, b"GET /v1/order", b""),
    "a header without a colon": (400, b"GET /v1/order HTTP/1.1", b"nonsense\r\n"),
    "a space before the colon": (400, b"GET /v1/order HTTP/1.1", b"X-Name : a\r\n"),
    "a folded header": (400, b"GET /v1/order HTTP/1.1", b"X-Name: a\r\n b\r\n"),
    "a NUL in a header": (400, b"GET /v1/order HTTP/1.1", b"X-Name: a\x00b\r\n"),
    "another key beside the right one": (401, b"GET /v1/order HTTP/1.1", b"X-Api-Key: \xff\r\n"),
    "If-Match that is no entity tag": (404, b"DELETE /v1/order/none HTTP/1.1", b'If-Match: "\xff,,,\r\n'),
}
BODIES: Mapping[str, tuple[int, bytes, bytes]] = {  # name: status, headers, body of a POST
    "two lengths that differ": (400, b"Content-Length: 2\r\nContent-Length: 40\r\n", b"{}"),
    "a length and chunks": (400, b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", b"{}"),
    "a chunk size that is no number": (400, b"Transfer-Encoding: chunked\r\n", b"zz\r\n{}\r\n0\r\n\r\n"),
    "a chunk size beyond all bounds": (400, b"Transfer-Encoding: chunked\r\n", b"ffffffffffffffffff\r\n{}\r\n0\r\n\r\n"),
    "a negative length": (400, b"Content-Length: -2\r\n", b"{}"),
    "a length with a sign": (400, b"Content-Length: +2\r\n", b"{}"),
    "a length beyond all bounds": (400, b"Content-Length: 99999999999999999999999\r\n", b"{}"),
    "a length beyond our limit": (413, b"Content-Length: 9999999999\r\n", b"{}"),
    "a form whose boundary is no text": (415, b"Content-Length: 2\r\n", b"{}"),
    "chunks": (201, b"Transfer-Encoding: chunked\r\n", b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"),
}
NO_HTTP: Mapping[str, bytes] = {
    "a TLS greeting": bytes.fromhex("16030100c8010000c40303") + bytes(190),
    "all bytes": bytes(range(256)) * 4,
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("sockets")
    with prepared(f"sqlite:///{folder / 'planwerk.db'}", folder).serving() as server:
        yield server


@pytest.fixture(autouse=True)
def still_serving(server: Serving) -> Iterator[None]:
    """After each of these tests a client is served by the same processes, and nothing unforeseen is in the log."""
    pids = server.pids
    yield
    with server.client() as asker:
        assert asker.ask("GET", "/v1/order").status == 200
    assert server.pids == pids
    assert "Traceback" not in server.place.log.read_text()


@pytest.mark.parametrize("name", HEADS)
def test_a_head_that_nobody_should_send_has_its_answer(server: Serving, name: str) -> None:
    """To see it fail: raise `HEAD_BYTES` above what the limit in `edge.limits` lets through, or leave that limit out."""
    expected, line, headers = HEADS[name]
    assert statuses(server, line + b"\r\n" + usual(server) + headers + b"\r\n") == [expected]


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_nobody_should_send_has_its_answer(server: Serving, name: str) -> None:
    """To see it fail: return without an answer when the body breaks off; the HTTP library then makes a 500 of it."""
    expected, headers, body = BODIES[name]
    kind = b"Content-Type: multipart/form-data; boundary=\xff\r\n" if expected == 415 else JSON
    assert statuses(server, b"POST /v1/order HTTP/1.1\r\n" + usual(server) + kind + headers + b"\r\n" + body) == [expected]


@pytest.mark.parametrize("name", NO_HTTP)
def test_what_is_no_http_is_refused(server: Serving, name: str) -> None:
    assert statuses(server, NO_HTTP[name]) == [400]


def test_requests_that_do_not_wait_for_answers_get_all_of_them_in_order(server: Serving) -> None:
    """To see it fail: send `Connection: close` with every answer."""
    lines = [b"GET /v1/order HTTP/1.1", b"GET /v1/nothing HTTP/1.1", b"BREW /v1/order HTTP/1.1", b"GET /v1/item HTTP/1.1"]
    heads = [line + b"\r\n" + usual(server, closes=line == lines[-1]) + b"\r\n" for line in lines]
    assert statuses(server, b"".join(heads)) == [200, 404, 405, 200]


def test_a_client_that_leaves_in_the_middle_harms_nobody(server: Serving) -> None:
    """To see it fail: let `read_body` wait for a client that has gone."""
    whole = b"POST /v1/order HTTP/1.1\r\n" + usual(server) + JSON + b"Content-Length: 1000\r\n\r\n{"
    for end in (1, 10, 30, len(whole) - 1, len(whole)):
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", server.port)) as connection:
                connection.sendall(whole[:end])


def test_silent_and_slow_clients_keep_nobody_out(server: Serving) -> None:
    """Hundreds say nothing, or one byte a second, in head or body. To see it fail: `CONNECTIONS = 256` in `commands.serve`."""
    head = b"POST /v1/order HTTP/1.1\r\n" + usual(server) + JSON + b"Content-Length: 1000\r\n\r\n"
    with contextlib.ExitStack() as kept:
        crowd = [kept.enter_context(socket.create_connection(("127.0.0.1", server.port))) for _ in range(SILENT)]
        slow = [(crowd[1::3], head[:SLOW_BYTES]), (crowd[2::3], b" " * SLOW_BYTES)]
        for connection in crowd[2::3]:
            connection.sendall(head)
        spoken = kept.enter_context(slow_speech(slow))
        with server.client() as asker:
            asker.connection.timeout = PATIENCE_SECONDS
            answered = [asker.ask("GET", "/v1/order").status]
            while not spoken.wait(0.01):
                answered.append(asker.ask("POST", "/v1/order", {}).status)
    assert set(answered) <= {200, 201}


# ── sockets ──


def usual(server: Serving, *, closes: bool = True) -> bytes:
    """The headers that every request carries."""
    named = {"Host": "127.0.0.1", **server.place.headers, "Connection": "close" if closes else "keep-alive"}
    return "".join(f"{name}: {value}\r\n" for name, value in named.items()).encode()


def statuses(server: Serving, sent: bytes) -> list[int]:
    """The status of each answer until the server closes the connection."""
    got = b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection, contextlib.suppress(ConnectionError):
        connection.sendall(sent)
        while part := connection.recv(65536):
            got += part
    return [int(status) for status in STATUS.findall(got)]


@contextlib.contextmanager
def slow_speech(speakers: list[tuple[list[socket.socket], bytes]]) -> Iterator[threading.Event]:
    """Every second another byte of each text from all who say it; the event tells that all has been said."""
    spoken, ended = threading.Event(), threading.Event()

    def speak() -> None:
        for index in range(SLOW_BYTES):
            for connections, text in speakers:
                for connection in connections:
                    with contextlib.suppress(OSError):
                        connection.sendall(text[index : index + 1])
            ended.wait(1)
        spoken.set()

    thread = threading.Thread(target=speak)
    thread.start()
    try:
        yield spoken
    finally:
        ended.set()
        thread.join()
