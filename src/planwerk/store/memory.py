"""What the server remembers between requests, each with a bound: finished answers and the totals of lists.

An entry is valid while the version it was made at is the database's version for the tables it read.
"""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

Kept = TypeVar("Kept")

# What an answer takes besides its body, path and query, by tracemalloc: 740 bytes, 960 for one that sees less; and 140 in `passed`.
ENTRY_BYTES = 1100


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished answer: its bytes and its entity tag."""

    body: bytes
    etag: str


class Memory(Generic[Kept]):
    """A map from a request to what was found, least recently used first out.

    >>> memory: Memory[int] = Memory(limit=8)
    >>> memory.keep("a", 7, 1, size=1), memory.get("a", 7), memory.get("a", 8)
    (None, 1, None)
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self.entries: OrderedDict[Hashable, tuple[Hashable, Kept, int]] = OrderedDict()
        self.passed: OrderedDict[int, None] = OrderedDict()  # hashes of the keys that were asked for once and found no room

    def __contains__(self, key: Hashable) -> bool:
        return key in self.entries

    def get(self, key: Hashable, version: Hashable | None) -> Kept | None:
        """What was found for a key, if it was found at this version; None is no version."""
        entry = self.entries.get(key)
        if entry is None or version is None or entry[0] != version:
            return None
        self.entries.move_to_end(key)
        return entry[1]

    def peek(self, key: Hashable) -> tuple[Hashable, Kept] | None:
        """(the version, what was found then)."""
        entry = self.entries.get(key)
        return entry and entry[:2]

    def offer(self, key: Hashable, version: Hashable | None, found: Kept, *, size: int) -> None:
        """`keep`, but what was asked for once pushes nothing out: it is kept if it is asked for again before as many others.

        A memory for a sixth of what callers ask for in turn was slower than none: nearly all that was kept went unused.
        """
        name, is_full = hash(key), self.size + size > self.limit
        if self.may_hold(version, size) and key not in self.entries and name not in self.passed and is_full:
            self.passed[name] = None
            while len(self.passed) > len(self.entries):
                self.passed.popitem(last=False)
            return
        self.passed.pop(name, None)
        self.keep(key, version, found, size=size)

    def keep(self, key: Hashable, version: Hashable | None, found: Kept, *, size: int) -> None:
        old = self.entries.pop(key, None)
        self.size -= old[2] if old else 0
        if not self.may_hold(version, size):
            return
        self.entries[key] = (version, found, size)
        self.size += size
        while self.size > self.limit:
            self.size -= self.entries.popitem(last=False)[1][2]

    def may_hold(self, version: Hashable | None, size: int) -> bool:
        """Whether a thing of this size is kept at all: none takes more than a quarter of the room."""
        return version is not None and size <= self.limit // 4
