"""What is remembered is bounded, valid by version, and the least recently used goes first."""

import tracemalloc

from hypothesis import given, settings, strategies

from planwerk.actor import Role, Viewer
from planwerk.store.memory import ENTRY_BYTES, Answer, Memory


def test_an_entry_is_found_at_its_version_only() -> None:
    memory: Memory[str] = Memory(10)
    memory.keep("a", 1, "one", size=1)
    assert [memory.get("a", version) for version in (1, 2, None)] == ["one", None, None]


def test_a_newer_entry_replaces_the_older_and_its_size() -> None:
    memory: Memory[str] = Memory(20)
    memory.keep("a", 1, "one", size=5)
    memory.keep("a", 2, "two", size=3)
    assert (memory.get("a", 2), memory.size) == ("two", 3)


def test_the_least_recently_used_goes_first() -> None:
    memory: Memory[int] = Memory(4)
    for number, key in enumerate("abcd"):
        memory.keep(key, 1, number, size=1)
    memory.get("a", 1)
    memory.keep("e", 1, 4, size=1)
    assert [key for key in "abcde" if key in memory] == ["a", "c", "d", "e"]


def test_what_is_offered_finds_room_or_comes_again() -> None:
    memory: Memory[int] = Memory(4)
    for key in "abcdefe":
        memory.offer(key, 1, 1, size=1)
    assert [key for key in "abcdef" if key in memory] == ["b", "c", "d", "e"]
    memory.offer("c", 2, 7, size=1)
    assert memory.get("c", 2) == 7


def test_those_that_found_no_room_are_forgotten_after_as_many_others() -> None:
    memory: Memory[int] = Memory(4)
    for key in "abcdefghief":
        memory.offer(key, 1, 1, size=1)
    assert [key for key in "abcdefghi" if key in memory] == ["a", "b", "c", "d"]
    assert [*memory.passed] == [hash(key) for key in "hief"]


def test_what_could_not_be_kept_leaves_no_trace() -> None:
    memory: Memory[int] = Memory(4)
    for key in "abcd":
        memory.keep(key, 1, 1, size=1)
    memory.offer("too large", 1, 1, size=2)
    memory.offer("of no version", None, 1, size=1)
    assert not memory.passed
    memory.offer("a", None, 1, size=1)
    assert "a" not in memory


def test_an_entry_takes_what_it_is_counted_as() -> None:
    """By tracemalloc, with the keys and answers of `handlers`; the second half of the callers sees less than everything."""
    memory: Memory[Answer] = Memory(2**30)
    texts = 0
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(4000):
            body, path, query = b"%0100d" % number, f"v1/order/{number:036}/row", f"filter=code:eq:{number}"
            viewer = Viewer(Role.MEMBER, f"{number:036}", f"{number:036}") if number % 2 else None
            answer = Answer(body, f"{number:032}")
            key, size = (f"{number:036}", path, query, viewer), len(body) + len(path) + len(query)
            memory.keep(key, (number + 10_000, str(number)), answer, size=size + ENTRY_BYTES)
            memory.passed[hash(("passed", key))] = None
            texts += size
        taken = tracemalloc.get_traced_memory()[0] - before - texts
    finally:
        tracemalloc.stop()
    assert ENTRY_BYTES * 0.7 < taken / 4000 < ENTRY_BYTES


def test_what_is_larger_than_a_quarter_is_not_kept_and_forgets_what_stood_there() -> None:
    memory: Memory[str] = Memory(100)
    memory.keep("a", 1, "small", size=25)
    memory.keep("a", 2, "large", size=26)
    assert ("a" in memory, memory.size) == (False, 0)


def test_without_a_version_nothing_is_kept() -> None:
    memory: Memory[str] = Memory(100)
    memory.keep("a", None, "one", size=1)
    assert "a" not in memory


def test_a_limit_of_nothing_keeps_nothing() -> None:
    memory: Memory[str] = Memory(0)
    memory.keep("a", 1, "one", size=1)
    assert "a" not in memory


def test_a_look_tells_the_version_that_was_kept() -> None:
    memory: Memory[str] = Memory(10)
    memory.keep("a", 1, "one", size=1)
    assert (memory.peek("a"), memory.peek("b")) == ((1, "one"), None)


@settings(deadline=None)
@given(strategies.lists(strategies.tuples(strategies.integers(0, 9), strategies.integers(0, 60), strategies.booleans())))
def test_the_bound_holds_and_the_size_is_that_of_the_entries(steps: list[tuple[int, int, bool]]) -> None:
    memory: Memory[int] = Memory(100)
    for key, size, is_kept in steps:
        if is_kept:
            memory.keep(key, 1, size, size=size)
        else:
            assert memory.get(key, 1) in (None, *(size for step_key, size, _ in steps if step_key == key))
        assert memory.size == sum(entry[2] for entry in memory.entries.values()) <= 100
