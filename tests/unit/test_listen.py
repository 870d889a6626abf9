"""How `planwerk listen` behaves on what answers it: what passes is waited for, longer and longer, and what never will be a feed ends it.

To see it fail: leave the pause as it is, say the same line after each attempt, or take what is no HTTP for a connection that broke off.
"""

import socket
import ssl
from collections.abc import Callable, Iterator

import httpx2
import pytest

from planwerk.commands import Impossible
from planwerk.commands.listen import Place, cause_of, entries

ADDRESS = "http://127.0.0.1:9/v1/event"
FEED = {"content-type": "text/event-stream; charset=utf-8"}
LINE = "; the feed is opened again in 2 seconds, and then after longer pauses"


class Enough(Exception):
    """The script has come to its end."""


def follow(monkeypatch: pytest.MonkeyPatch, *script: Callable[[], httpx2.Response]) -> tuple[list[bytes], list[float]]:
    """The entries that a server with this script tells, and the pauses between the attempts."""
    steps, told, pauses = iter(script), list[bytes](), list[float]()

    def answer(_: httpx2.Request) -> httpx2.Response:
        step = next(steps, None)
        if step is None:
            raise Enough
        return step()

    monkeypatch.setattr("planwerk.commands.listen.time.sleep", pauses.append)
    with httpx2.Client(transport=httpx2.MockTransport(answer)) as client, pytest.raises(Enough):
        told.extend(entries(client, ADDRESS, {}, "", Place()))
    return told, pauses


def failing(error: httpx2.HTTPError) -> Callable[[], httpx2.Response]:
    def fail() -> httpx2.Response:
        raise error

    return fail


def answering(status: int, content: bytes = b"") -> Callable[[], httpx2.Response]:
    return lambda: httpx2.Response(status, headers=FEED, content=content)


REFUSED = failing(httpx2.ConnectError("refused"))


def test_pauses_grow_to_half_a_minute_and_the_failure_is_said_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, pauses = follow(monkeypatch, *[REFUSED, answering(503)] * 4)
    assert pauses == [2, 4, 8, 16, 30, 30, 30, 30]
    assert capsys.readouterr().err == f"no connection: nobody is there{LINE}\n"


def test_once_it_is_back_that_is_said_and_the_pauses_begin_anew(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    back = answering(200, b"id: 7\n\n")
    _, pauses = follow(monkeypatch, REFUSED, REFUSED, REFUSED, back, REFUSED, back)
    assert pauses == [2, 4, 8, 2, 4, 2]
    assert capsys.readouterr().err.splitlines() == [
        f"no connection: nobody is there{LINE}",
        f"following {ADDRESS} again",
        f"the server ended the feed{LINE}",
        f"following {ADDRESS} again",
        f"the server ended the feed{LINE}",
    ]


def test_a_server_that_ends_the_feed_without_a_word_is_not_back(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, pauses = follow(monkeypatch, *[answering(200)] * 3)
    assert pauses == [2, 4, 8]
    assert capsys.readouterr().err == f"the server ended the feed{LINE}\n"


def test_the_server_may_ask_for_a_longer_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    _, pauses = follow(monkeypatch, answering(200, b"retry: 60000\nid: 7\n\n"), REFUSED)
    assert pauses == [60, 60]


def breaking(error: httpx2.HTTPError) -> Callable[[], httpx2.Response]:
    """A feed that breaks off behind its first event."""

    class Body(httpx2.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            yield b"id: 7\ndata: {}\n\n"
            raise error

    return lambda: httpx2.Response(200, headers=FEED, stream=Body())


def test_a_feed_that_breaks_off_is_opened_again(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    broken = httpx2.RemoteProtocolError("incomplete")
    told, pauses = follow(monkeypatch, breaking(broken), failing(broken), breaking(broken))
    assert (told, pauses) == ([b"{}", b"{}"], [2, 4, 2])
    assert "Error" not in capsys.readouterr().err


def test_what_speaks_no_http_at_first_is_no_server_of_ours() -> None:
    def answer(_: httpx2.Request) -> httpx2.Response:
        raise httpx2.RemoteProtocolError("illegal status line")

    with (
        httpx2.Client(transport=httpx2.MockTransport(answer)) as client,
        pytest.raises(Impossible, match="is no feed of events: what answers there is no HTTP"),
    ):
        list(entries(client, ADDRESS, {}, "", Place()))


@pytest.mark.parametrize(
    ("error", "cause", "words"),
    [
        (httpx2.ConnectError("x"), OSError(), "no connection: nobody is there"),
        (httpx2.ConnectError("x"), socket.gaierror(), "no connection: the name of the address is not known"),
        (httpx2.ConnectError("x"), ssl.SSLCertVerificationError(), "no connection: TLS failed"),
        (httpx2.ConnectTimeout("x"), None, "no connection in time"),
        (httpx2.ReadTimeout("x"), None, "nothing came in time"),
        (httpx2.ReadError("x"), OSError(), "the connection broke off"),
        (httpx2.RemoteProtocolError("x"), None, "the connection broke off"),
    ],
)
def test_a_failure_is_told_in_words(error: httpx2.HTTPError, cause: Exception | None, words: str) -> None:
    error.__cause__ = cause
    assert cause_of(error) == words
