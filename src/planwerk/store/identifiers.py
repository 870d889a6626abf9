"""Ids and moments: time-ordered UUIDs that pass as version 4, and the clock that both come from."""

import datetime as dt
import secrets
import time
from collections.abc import Callable


def first_id(moment: str) -> str:
    """The text before which all ids sort that were made before a moment.

    >>> first_id("2026-03-02T08:00:00Z")
    '019cad8f-ac00'
    """
    text = f"{int(dt.datetime.fromisoformat(moment).timestamp() * 1000):012x}"
    return f"{text[:8]}-{text[8:]}"


class Identifiers:
    """Makes ids that sort by creation: 48 bits of milliseconds, the version digit 4, 12 bits that count within the
    millisecond, then 62 random bits in the layout of RFC 9562. Clients check that the version digit is 1 to 5.

    Safe to share between threads: two threads that read the same counter still differ in the random bits.
    """

    def __init__(self, clock: Callable[[], float] = time.time, bits: Callable[[int], int] = secrets.randbits) -> None:
        self.clock = clock
        self.bits = bits
        self.last = 0

    def new(self) -> str:
        stamp = int(self.clock() * 1000) << 12
        self.last = stamp = stamp if stamp > self.last else self.last + 1
        text = f"{stamp >> 12:012x}4{stamp & 0xFFF:03x}{0x8000000000000000 | self.bits(62):016x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def now(self) -> str:
        """The present moment as the API writes it: UTC, whole seconds."""
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.clock()))
