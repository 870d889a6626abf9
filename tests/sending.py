"""A sender beside the server of the tests, receivers on this machine that write down what they get, and names that lead where told.

No name is looked up outside: the resolver of the tests knows only those that a test gives it.
"""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field as attribute
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.client import Client
from tests.world import World

from planwerk.hooks.address import networks_of
from planwerk.hooks.dialling import Gate
from planwerk.sender import Sender
from planwerk.store.statements import Statement

PATIENCE_SECONDS = 60.0  # for what is certain to come
HERE = "127.0.0.0/8, ::1"
LEFT_BEHIND = Statement("UPDATE webhook_delivery SET due_at = NULL WHERE environment_id <> {environment} AND due_at IS NOT NULL", {})


@dataclass
class Call:
    """One request that a receiver got; names of headers are in lower case."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Receiver:
    """An HTTP server on this machine. `connections` counts what was accepted, whether or not a request followed."""

    status: int = 204
    location: str = ""
    host: str = "127.0.0.1"
    calls: list[Call] = attribute(default_factory=list)
    connections: int = 0
    port: int = 0

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/hook"

    @contextmanager
    def listening(self, port: int = 0) -> Iterator["Receiver"]:
        receiver = self

        class Answer(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                receiver.calls.append(Call(self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(receiver.status)
                if receiver.location:
                    self.send_header("location", receiver.location)
                self.send_header("content-length", "0")
                self.end_headers()

            do_GET = do_CONNECT = do_POST  # of one that follows a redirect, and of one that takes it for a proxy

            def log_message(self, *_: Any) -> None:
                """Not to the console."""

        class Listener(ThreadingHTTPServer):
            address_family = socket.AF_INET6 if ":" in receiver.host else socket.AF_INET
            daemon_threads = True

            def get_request(self) -> Any:
                accepted = super().get_request()
                receiver.connections += 1
                return accepted

        with Listener((self.host, port), Answer) as listener:
            self.port = int(listener.server_address[1])
            thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
            thread.start()
            try:
                yield self
            finally:
                listener.shutdown()
                thread.join()


@dataclass
class Names:
    """A resolver that answers a name with its addresses, one list for each question, the last one for ever."""

    known: dict[str, list[Sequence[str]]] = attribute(default_factory=dict)
    asked: list[str] = attribute(default_factory=list)

    def __call__(self, host: str, port: int, *_: Any) -> Any:
        self.asked.append(host)
        answers = self.known.get(host)
        if not answers:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [self.answer(address, port) for address in addresses]

    def answer(self, address: str, port: int) -> Any:
        six = ":" in address
        return (socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port, 0, 0) if six else (address, port))


@contextmanager
def sending(world: World, names: Names | None = None, allowed: str = "", gate: Gate | None = None) -> Iterator[Names]:
    """A sender at work until the block ends, with that gate, or one for these names and networks.

    What the tenants of other tests have left on the server is not sent.
    """
    names = names or Names()
    gate = gate or Gate(networks_of(allowed), names)
    server = world.server
    server.database.write_now("", lambda tx: tx.run_named(LEFT_BEHIND, environment=world.environment_id))

    async def work() -> None:
        async with Sender(server.database, gate=gate) as sender:
            await sender.run()

    async def begin() -> "asyncio.Task[None]":
        return asyncio.ensure_future(work())

    async def end(task: "asyncio.Task[None]") -> None:
        task.cancel()
        (result,) = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(result, asyncio.CancelledError), f"the sender ended by itself: {result!r}"

    task = server.loop.run(begin())
    try:
        yield names
    finally:
        server.loop.run(end(task))


def tried(api: Client, webhook_id: str) -> list[dict[str, Any]]:
    """The deliveries of a webhook, oldest first, once each was tried."""

    def log() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = api.get(f"/v1/webhook/{webhook_id}/delivery", sort="id:asc", limit=1000)["data"]
        return found

    wait_until(lambda: bool(log()) and all(delivery["attempts"] for delivery in log()), "each delivery was tried")
    return log()


def wait_until(condition: Callable[[], bool], words: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain until {words}"
        time.sleep(0.02)
