"""Receivers of webhooks on this machine, on raw streams, so that they can misbehave: one class notes, small functions behave.

A behaviour is given the request and answers it, or not; what the connection does then is its affair.
"""

import asyncio
import gzip
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field as attribute

from tests.client import Loop

HOST = "127.0.0.1"
ALLOWED = "127.0.0.0/8"  # for the setting webhook_allowed_networks
GONE_AWAY = (OSError, asyncio.IncompleteReadError)


@dataclass(frozen=True)
class Message:
    """One request that was read whole; header names are in lower case."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


@dataclass
class Receiver:
    """What came, in its order, and the connections: how many there are, were at most, and were in all."""

    behave: "Behaviour"
    port: int = 0
    messages: list[Message] = attribute(default_factory=list)
    open: int = 0
    most: int = 0
    connections: int = 0
    sent: int = 0  # bytes of answers that the other side took

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/hook"

    @property
    def ids(self) -> Counter[str]:
        """How often each message came."""
        return Counter(message.id for message in self.messages)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open, self.connections = self.open + 1, self.connections + 1
        self.most = max(self.most, self.open)
        try:
            while True:
                self.messages.append(await read_message(reader))
                await self.behave(self, reader, writer)
        except GONE_AWAY:
            pass
        finally:
            self.open -= 1
            writer.close()

    async def write(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        writer.write(data)
        await writer.drain()
        self.sent += len(data)


Behaviour = Callable[[Receiver, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def read_message(reader: asyncio.StreamReader) -> Message:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    return Message(headers, await reader.readexactly(int(headers["content-length"])))


@contextmanager
def receiving(loop: Loop, behave: Behaviour) -> Iterator[Receiver]:
    """A receiver that behaves so, on a port of its own."""
    receiver, tasks = Receiver(behave), set[asyncio.Task[None]]()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with suppress(asyncio.CancelledError):
            await receiver.serve(reader, writer)
        tasks.discard(task)

    async def start() -> asyncio.Server:
        return await asyncio.start_server(accept, HOST, 0)

    async def stop(server: asyncio.Server) -> None:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    server = loop.run(start())
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        loop.run(stop(server))


# ── how they behave ──


def answering(status: int = 204, headers: bytes = b"", body: bytes = b"") -> Behaviour:
    """Answers at once."""
    length = b"" if status == 204 else b"content-length: %d\r\n" % len(body)

    async def behave(receiver: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await receiver.write(writer, b"HTTP/1.1 %d Whatever\r\n%s%s\r\n%s" % (status, length, headers, body))

    return behave


def packing(body: bytes) -> Behaviour:
    """Answers with a body that is compressed if the message takes that."""

    async def behave(receiver: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        is_packed = "gzip" in receiver.messages[-1].headers.get("accept-encoding", "gzip")
        packed = answering(200, b"content-encoding: gzip\r\n", gzip.compress(body))
        await (packed if is_packed else answering(200, b"", body))(receiver, reader, writer)

    return behave


async def hold(receiver: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accepts and never answers; ends when the other side does."""
    await reader.read()
    raise ConnectionResetError


async def close(receiver: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    raise ConnectionResetError


def dripping(head: bytes, seconds: float) -> Behaviour:
    """Sends `head`, then one byte after the other for ever."""

    async def behave(receiver: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await receiver.write(writer, head)
        while not reader.at_eof():
            await receiver.write(writer, b"a")
            await asyncio.sleep(seconds)

    return behave


async def flood(receiver: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A success whose body never ends, as fast as it is taken."""
    await receiver.write(writer, b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n")
    while True:
        await receiver.write(writer, b"b" * 10_000)


def in_pieces(*pieces: bytes) -> Behaviour:
    """A success whose body comes in chunks, with a pause between them."""

    async def behave(receiver: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await receiver.write(writer, b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        for piece in pieces:
            await receiver.write(writer, b"%x\r\n%s\r\n" % (len(piece), piece))
            await asyncio.sleep(0.01)
        await receiver.write(writer, b"0\r\n\r\n")

    return behave


@dataclass
class Gate:
    """Answers every request once the gate is open, in the order in which they came."""

    status: int = 204
    opened: asyncio.Event = attribute(default_factory=asyncio.Event)

    async def __call__(self, receiver: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self.opened.wait()
        await answering(self.status)(receiver, reader, writer)
