"""Counts a request against its credential: RateLimit-* headers, and 429 beyond the limit.

Fixed windows of the `limits` package, counted in memory or, for several processes, in its shared stores. The headers are
those of the API (older drafts of the IETF's RateLimit header fields); `RateLimit-Reset` is in seconds from now.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from limits import parse
from limits.storage import storage_from_string

from planwerk.errors import TOO_MANY_REQUESTS, refuse

Headers = list[tuple[bytes, bytes]]

CREDENTIALS = 10_000  # whose windows are remembered


class Quota:
    """The limit of all credentials; `notation` such as `600/minute`, `0` counts nothing."""

    def __init__(self, notation: str, storage: str, clock: Callable[[], float] = time.time) -> None:
        self.item = None if notation.strip() in ("0", "") else parse(notation)
        self.storage: Any = storage_from_string(storage)
        self.is_local = storage.startswith("memory")
        self.clock = clock
        self.limit = self.item.amount if self.item else 0
        self.window_seconds = self.item.get_expiry() if self.item else 0
        self.limit_text = str(self.limit).encode()
        self.ends: dict[str, float] = {}  # when each credential's window ends; asked of the store once a window

    async def hit(self, credential: str) -> Headers:
        """The headers of the answer; refuses with 429 when the window is used up."""
        if self.item is None:
            return []
        used, until = self.count(credential) if self.is_local else await asyncio.to_thread(self.count, credential)
        seconds = max(0, int(until - self.clock()) + 1)
        headers = [
            (b"ratelimit-limit", self.limit_text),
            (b"ratelimit-remaining", b"%d" % max(0, self.limit - used)),
            (b"ratelimit-reset", b"%d" % seconds),
        ]
        if used > self.limit:
            text = {name.decode(): value.decode() for name, value in headers}
            refusal = refuse(TOO_MANY_REQUESTS, f"at most {self.limit} requests in {self.window_seconds} seconds", retry_after=str(seconds))
            refusal.headers.update(text)
            raise refusal
        return headers

    def count(self, credential: str) -> tuple[int, float]:
        """(requests in this window, when it ends)."""
        used = self.storage.incr(credential, self.window_seconds)
        until = self.ends.get(credential, 0.0)
        if used == 1 or until <= self.clock():
            if len(self.ends) > CREDENTIALS:
                self.ends.clear()
            until = self.ends[credential] = self.storage.get_expiry(credential)
        return used, until
