"""Slows down guessing: failures are counted by kind and name; too many of them in a while, and even the right answer is refused.
`Lines` lets the attempts of one address be made one after another.

Comes in: a kind of `LIMITS` and the name of who or what is tried, such as an account or an address. Goes out: nothing, or a
refusal with 429. Names are hashed before they reach the store. With a shared store each call is a round trip: call from a thread.
"""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field as attribute
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from limits import RateLimitItem, parse
from limits.storage import storage_from_string

from planwerk.errors import TOO_MANY_REQUESTS, Refusal, refuse

LIMITS: dict[str, RateLimitItem] = {
    "account": parse("10 per 15 minutes"),  # wrong passwords for one email address, whether it is anybody's or not
    "address": parse("100 per 15 minutes"),  # logins that fail and links asked for on /reset, from one network address
    "factor": parse("5 per 15 minutes"),  # wrong codes of the second factor of one user
    "client": parse("10 per 15 minutes"),  # wrong secrets of one app
    "mail": parse("5 per hour"),  # mails that somebody lets go to one recipient
    "registration": parse("5 per hour"),  # environments made from one network address
    "name": parse("10 per hour"),  # names of environments that one network address was told are taken
}

LONGEST_LINE = 16  # of one network address that work with a password in one process, or wait for it
LINE_SECONDS = 5  # after which one who found the line too long may try again


class Throttle:
    """Counts failures. `storage` is that of the setting `rate_limit_storage`; a window begins with its first failure.

    An attempt is counted by `fail` before it is made, and taken back by `take_back` or `clear` when it has succeeded: so many
    attempts at once learn no more, and are no more work, than as many after each other.
    """

    def __init__(self, storage: str, clock: Callable[[], float] = time.time) -> None:
        self.storage: Any = storage_from_string(storage)
        self.clock = clock

    def check(self, kind: str, name: str) -> None:
        """Refuses with 429 and Retry-After once the limit is reached."""
        if self.storage.get(key_of(kind, name)) >= LIMITS[kind].amount:
            raise self.refusal(kind, name)

    def fail(self, kind: str, name: str) -> None:
        """Count a failure; refuses with 429 like `check` if it is one too many."""
        limit = LIMITS[kind]
        if self.storage.incr(key_of(kind, name), limit.get_expiry()) > limit.amount:
            raise self.refusal(kind, name)

    def take_back(self, kind: str, name: str) -> None:
        """Count one failure less, after a success that forgets no others."""
        self.storage.incr(key_of(kind, name), LIMITS[kind].get_expiry(), -1)

    def clear(self, kind: str, name: str) -> None:
        """Forget the failures, after a success."""
        self.storage.clear(key_of(kind, name))

    def refusal(self, kind: str, name: str) -> Refusal:
        seconds = max(1, int(self.storage.get_expiry(key_of(kind, name)) - self.clock()) + 1)
        return refuse(TOO_MANY_REQUESTS, f"too many attempts; try again in {-(-seconds // 60)} minutes", retry_after=str(seconds))


@dataclass(slots=True)
class Line:
    """Those of one name that work or wait."""

    turn: asyncio.Lock = attribute(default_factory=asyncio.Lock)
    length: int = 0


class Lines:
    """Lets the work of each name be done one after another, so that much work of one name holds up no other name."""

    def __init__(self) -> None:
        self.of: dict[str, Line] = {}

    @asynccontextmanager
    async def turn(self, name: str) -> AsyncIterator[None]:
        """Wait for the name's turn; refuses with 429 at once if `LONGEST_LINE` of it work or wait."""
        line = self.of.setdefault(name, Line())
        if line.length >= LONGEST_LINE:
            raise refuse(TOO_MANY_REQUESTS, "too many attempts at once; try again in a few seconds", retry_after=str(LINE_SECONDS))
        line.length += 1
        try:
            async with line.turn:
                yield
        finally:
            line.length -= 1
            if not line.length:
                del self.of[name]


async def each(act: Callable[[str, str], None], names: Sequence[tuple[str, str]]) -> None:
    """Call a method of a throttle for several (kind, name), in a thread."""

    def work() -> None:
        for kind, name in names:
            act(kind, name)

    await asyncio.to_thread(work)


def key_of(kind: str, name: str) -> str:
    return f"throttle {kind} {hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()}"


def neighbourhood(address: str) -> str:
    """What is counted as one network address: of IPv6 the network of 64 bits, all of which one household has.

    >>> neighbourhood("2001:db8::1:2:3:4"), neighbourhood("192.0.2.7"), neighbourhood("::ffff:192.0.2.7"), neighbourhood("unknown")
    ('2001:db8::/64', '192.0.2.7', '192.0.2.7', 'unknown')
    """
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        return str(found.ipv4_mapped or ip_network((found, 64), strict=False))
    return str(found)
