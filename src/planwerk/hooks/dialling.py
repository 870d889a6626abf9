"""The gate before every connection of a webhook: every address of a name is judged, then once more the one that is dialled.

A name of which any address is not allowed is refused as a whole, since the next try would dial that one. Each lookup has a
thread of its own, so that a name server which does not answer holds up neither other work of the server nor its end.
"""

import asyncio
import ipaddress
import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from planwerk.hooks.address import Network, is_allowed

NOT_ALLOWED = "address not allowed"  # all that is told of it: what was found there is nobody's business
LOOKUPS = 256  # under way at once; as many as a sender has connections

Answer = tuple[int, int, int, str, Any]  # of getaddrinfo: family, kind, protocol, canonical name, socket address
Ask = Callable[..., Sequence[Answer]]


class Forbidden(OSError):
    """The address that a name led to may not be called."""

    def __init__(self) -> None:
        super().__init__(NOT_ALLOWED)


class Gate(AbstractResolver):
    """Resolves names and opens sockets for the HTTP client, as far as the addresses are allowed. `ask` is the system's resolver."""

    def __init__(self, allowed: Sequence[Network], ask: Ask = socket.getaddrinfo) -> None:
        self.allowed = allowed
        self.ask = ask
        self.places = asyncio.Semaphore(LOOKUPS)

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[ResolveResult]:
        """Every address of a name; raises `Forbidden` if one of them is not allowed."""
        async with self.places:
            found = await asyncio.wrap_future(in_thread(self.ask, host, port, family, socket.SOCK_STREAM, 0, socket.AI_ADDRCONFIG))
        for answer in found:
            self.judge(answer[4])
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=family,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for family, _, protocol, _, address in found
        ]

    def open_socket(self, info: Answer) -> socket.socket:
        """A socket for the address that is about to be dialled, if that is allowed."""
        family, kind, protocol, _, address = info
        self.judge(address)
        return socket.socket(family, kind, protocol)

    def judge(self, address: Any) -> None:
        if not is_allowed(ipaddress.ip_address(str(address[0]).partition("%")[0]), self.allowed):
            raise Forbidden

    async def close(self) -> None:
        """Nothing is left open; part of the client's protocol."""


def in_thread(run: Callable[..., Any], *given: Any) -> "Future[Any]":
    """The result of a call that may hang, from a thread that nobody waits for when the process ends."""
    future: Future[Any] = Future()

    def work() -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            result = run(*given)
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(result)

    threading.Thread(target=work, name="name lookup", daemon=True).start()
    return future
