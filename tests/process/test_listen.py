"""`planwerk listen` as people run it: it prints what happens, hands it on as a webhook would, and gives up only when it must.

To see it fail: make the body anew with `json.dumps` in `body_in`; split lines with `splitlines`; leave `place.last` as it was; let
KeyboardInterrupt pass; retry what is refused with 401.
"""

import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field as attribute
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import IO, Any

import httpx2
import pytest
from standardwebhooks import Webhook
from tests.process.running import COMMAND, PATIENCE_SECONDS, Process, environment, free_port, serving, start, wait_until

EVENTS_PAGE = Path(__file__).parents[2] / "docs" / "events.md"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass
class Listening:
    """A command that runs; its lines arrive in queues."""

    popen: "subprocess.Popen[str]"
    out: "Queue[str]" = attribute(default_factory=Queue)
    err: "Queue[str]" = attribute(default_factory=Queue)

    def __post_init__(self) -> None:
        sources = ((self.popen.stdout, self.out), (self.popen.stderr, self.err))
        self.readers = [threading.Thread(target=read_into, args=pair, daemon=True) for pair in sources]
        for reader in self.readers:
            reader.start()

    def line(self) -> str:
        return self.out.get(timeout=PATIENCE_SECONDS)

    def said(self, words: str) -> str:
        """The next line for people that holds the words."""
        while words not in (line := self.err.get(timeout=PATIENCE_SECONDS)):
            pass
        return line

    def interrupt(self) -> int:
        self.popen.send_signal(signal.SIGINT)
        return self.popen.wait(PATIENCE_SECONDS)


def read_into(source: "IO[str] | None", queue: "Queue[str]") -> None:
    assert source is not None
    with source:
        for line in source:
            queue.put(line.rstrip("\n"))


@contextmanager
def listening(folder: Path, *arguments: str, **variables: str) -> Iterator[Listening]:
    """`planwerk listen` in a folder, which follows the feed already."""
    pipes: Mapping[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "encoding": "utf-8"}
    command = subprocess.Popen([str(COMMAND), "listen", *arguments], cwd=folder, env=environment(**variables), **pipes)
    listening = Listening(command)
    try:
        yield listening
    finally:
        if command.poll() is None:
            command.kill()
        command.wait(PATIENCE_SECONDS)
        for reader in listening.readers:
            reader.join(PATIENCE_SECONDS)


@dataclass
class Receiver:
    """A program on this machine that takes what is handed to it; `status` is what it answers."""

    port: int = 0
    status: int = 204
    got: "Queue[tuple[dict[str, str], bytes]]" = attribute(default_factory=Queue)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def take(self) -> tuple[dict[str, str], bytes]:
        return self.got.get(timeout=PATIENCE_SECONDS)


@contextmanager
def receiving(status: int = 204, port: int = 0) -> Iterator[Receiver]:
    receiver = Receiver(status=status)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            receiver.got.put(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(receiver.status)
            self.send_header("content-length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            self.send_response(receiver.status)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        receiver.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield receiver
        finally:
            server.shutdown()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("listen")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Process]:
    with serving(folder) as process:
        yield process


def local(server: Process) -> tuple[str, str]:
    return "--url", f"http://127.0.0.1:{server.port}/v1"


def newest(server: Process) -> int:
    after = 0
    while (page := server.ask("GET", f"/v1/event?limit=1000&after={after}")[1])["data"]:
        after = page["next"]
    return after


def make(server: Process, name: str) -> str:
    status, made = server.ask("POST", "/v1/collection", {"name": name})
    assert status == 201
    return str(made["id"])


def last_event(server: Process) -> Any:
    return server.ask("GET", f"/v1/event?after={newest(server) - 1}")[1]["data"][0]


# ── what it prints ──


def test_it_prints_a_line_for_each_event_with_the_access_of_the_first_run(folder: Path, server: Process) -> None:
    """The port is the server's own, so that neither an address nor a key is needed."""
    with listening(folder, "--since", str(newest(server)), PLANWERK_PORT=str(server.port)) as command:
        make(server, "one")
        event = last_event(server)
        assert command.line() == f"{event['created_at']}  collection.created  {event['id']}  {event['position']}"
        assert command.interrupt() == 0
    assert command.err.get() == f"following http://127.0.0.1:{server.port}/v1/event"
    assert command.err.empty()
    assert command.out.empty()


def test_with_json_it_prints_the_event_whole_on_one_line(folder: Path, server: Process) -> None:
    with listening(folder, *local(server), "--json", "--since", str(newest(server))) as command:
        make(server, 'line\u2028break \u0085 \x1c and "quotes"')
        assert json.loads(command.line()) == last_event(server)


def test_only_the_events_that_are_named_are_printed(folder: Path, server: Process) -> None:
    since = ("--since", str(newest(server)))
    with listening(folder, *local(server), *since, "--events", "collection.deleted,collection.updated") as command:
        id = make(server, "one")
        server.ask("DELETE", f"/v1/collection/{id}")
        assert command.line().split()[1] == "collection.deleted"


def test_without_a_position_it_begins_now(folder: Path, server: Process) -> None:
    make(server, "before")
    with listening(folder, *local(server), "--json") as command:
        command.said("following")
        wait_until(lambda: make(server, "after") and not command.out.empty(), "the first event comes")
        assert json.loads(command.line())["data"]["new"]["name"] == "after"


def test_the_loop_of_the_documentation_pauses_only_when_it_has_read_all(server: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is written, but with small pages of which most are empty. To see it fail: let it pause on an empty page."""
    server.ask("DELETE", f"/v1/collection/{make(server, 'gone')}")
    (code,) = (block for block in re.findall(r"```python\n(.*?)```", EVENTS_PAGE.read_text(), re.S) if "load_position" in block)
    address = f"http://127.0.0.1:{server.port}"
    small = '50, "types": "collection.deleted"}'
    for old, new in (("https://plan.example.com", address), ("1000}", small), ("time.sleep(2)", "pause()")):
        assert old in code
        code = code.replace(old, new)
    handled, kept = list[Any](), list[int]()
    own = {"handle": handled.append, "load_position": lambda: 0, "save_position": kept.append, "pause": pause}
    access = {"key": server.access["api_key"], "env": server.access["api_env"]}
    monkeypatch.setitem(sys.modules, "httpx", httpx2)  # the same by another name
    with pytest.raises(Paused):
        exec(code, {**own, **access})
    assert kept[-2:] == [newest(server)] * 2
    assert {event["event"] for event in handled} == {"collection.deleted"}


class Paused(Exception):
    pass


def pause() -> None:
    raise Paused


# ── what it hands on ──


def test_what_is_forwarded_is_what_a_webhook_gets_and_signed(folder: Path, server: Process) -> None:
    with receiving() as receiver:
        forward = ("--forward", receiver.url, "--secret", SECRET, "--since", str(newest(server)))
        with listening(folder, *local(server), *forward) as command:
            make(server, "größe 1.50 \u2028 \U0001f6aa")
            headers, body = receiver.take()
            said = command.said("→")
            assert Webhook(SECRET).verify(body, headers)["data"]["new"]["name"] == "größe 1.50 \u2028 \U0001f6aa"
            event = last_event(server)
            assert said == f"  → 204  collection.created  {event['position']}"
            assert headers["webhook-id"] == event["id"]
            assert headers["content-type"] == "application/json"
            assert server_body(server, event["position"]).endswith(body[1:] + b"]}")
            assert json.loads(body) == {name: event[name] for name in ("environment", "trigger", "event", "data")}


def server_body(server: Process, position: int) -> bytes:
    """A page with one event as it is sent."""
    from http.client import HTTPConnection

    connection = HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_SECONDS)
    connection.request("GET", f"/v1/event?after={position - 1}&limit=1", headers=server.headers)
    content = connection.getresponse().read()
    connection.close()
    return content


def test_without_a_secret_one_is_made_and_shown(folder: Path, server: Process) -> None:
    with receiving() as receiver, listening(folder, *local(server), "--forward", receiver.url, "--since", str(newest(server))) as command:
        secret = command.said("signed with").rpartition(" ")[2]
        make(server, "one")
        headers, body = receiver.take()
        Webhook(secret).verify(body, headers)


def test_a_program_that_is_down_or_fails_is_said_and_it_goes_on(folder: Path, server: Process) -> None:
    port = free_port()
    forward = ("--forward", f"http://127.0.0.1:{port}/hook", "--secret", SECRET)
    with listening(folder, *local(server), *forward, "--since", str(newest(server))) as command:
        make(server, "one")
        assert command.said("→") == f"  → nobody took it (no connection: nobody is there)  collection.created  {newest(server)}"
        with receiving(500, port) as receiver:
            make(server, "two")
            assert command.said("→") == f"  → 500  collection.created  {newest(server)}"
            receiver.status = 302
            make(server, "three")
            assert command.said("→") == f"  → 302  collection.created  {newest(server)}"
            assert [json.loads(receiver.take()[1])["data"]["new"]["name"] for _ in range(2)] == ["two", "three"]
        assert [command.line().split()[1] for _ in range(3)] == ["collection.created"] * 3


# ── when the feed breaks off ──


def test_it_goes_on_where_it_was_when_the_server_comes_back(tmp_path: Path) -> None:
    with serving(tmp_path) as process, listening(tmp_path, *local(process), "--json", "--since", str(newest(process))) as command:
        made = [make(process, "one")]
        heard = [command.line()]
        assert process.stop(signal.SIGTERM) == 0
        assert command.said("opened again in 2 seconds").endswith("and then after longer pauses")
        again = start(tmp_path, "--port", str(process.port))
        try:
            again.port = process.port
            wait_until(again.is_ready, "the server is back")
            made.append(make(again, "two"))
            heard.append(command.line())
            assert command.err.get() == f"following http://127.0.0.1:{process.port}/v1/event again"
            assert command.interrupt() == 0
        finally:
            again.popen.kill()
            again.popen.wait(PATIENCE_SECONDS)
    assert [json.loads(line)["data"]["new"]["id"] for line in heard] == made


def test_it_waits_for_a_server_that_is_not_there_yet(folder: Path) -> None:
    url = ("--url", f"http://127.0.0.1:{free_port()}/v1")
    with listening(folder, *url, "--api-key", "a", "--api-env", "b") as command:
        assert command.said("opened again").startswith("no connection: nobody is there; ")
        assert command.interrupt() == 0


# ── when it gives up ──


def fails(folder: Path, *arguments: str) -> str:
    """The one sentence of a command that ends by itself."""
    ended = subprocess.run(
        [str(COMMAND), "listen", *arguments],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    lines = [line for line in ended.stderr.splitlines() if not line.startswith(("following", "forwarding"))]
    assert len(lines) == 1
    return lines[0].removeprefix("Error: ")


def test_a_wrong_key_is_one_sentence(folder: Path, server: Process) -> None:
    told = fails(folder, *local(server), "--api-key", "wrong", "--api-env", server.access["api_env"])
    assert told == f"http://127.0.0.1:{server.port}/v1/event answers 401: the API key is not known in this environment"


def test_an_event_that_does_not_exist_is_one_sentence(folder: Path, server: Process) -> None:
    assert fails(folder, *local(server), "--events", "card.creatd").endswith("answers 400: types names card.creatd, which is no event")


def test_a_position_beyond_the_newest_is_one_sentence(folder: Path, server: Process) -> None:
    beyond = newest(server) + 1000
    words = f"answers 400: Last-Event-ID lies beyond the newest position, which is {newest(server)}"
    assert fails(folder, *local(server), "--since", str(beyond)).endswith(words)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--api-key", "only"), "--api-key and --api-env are needed"),
        (("--api-key", "ü", "--api-env", "x"), "must be plain letters and digits"),
        (("--secret", "whsec_%%%%!"), "--secret must be whsec_ and base64"),
        (("--url", "ftp://example.com"), "--url must be an address that begins with http:// or https://"),
        (("--url", "http://"), "--url must be"),
        (("--forward", "localhost:3000"), "--forward must be an address that begins with http:// or https://"),
        (("--forward", "http://[::1"), "--forward must be"),
    ],
)
def test_options_that_make_no_sense_are_one_sentence(arguments: tuple[str, ...], words: str, folder: Path, server: Process) -> None:
    assert words in fails(folder, *arguments)


@pytest.mark.parametrize(("status", "words"), [(200, "is no feed of events"), (404, "answers 404: which no Planwerk server would say")])
def test_what_is_no_planwerk_server_is_one_sentence(status: int, words: str, folder: Path) -> None:
    with receiving(status) as receiver:
        assert fails(folder, "--url", f"http://127.0.0.1:{receiver.port}", "--api-key", "a", "--api-env", "b").endswith(words)
