"""What a transaction changes, and the upkeep that sees it."""

from typing import Any

import pytest

from planwerk.describe import Object, Upkeep, identity
from planwerk.fields import Integer
from planwerk.store.changes import Change, Changes, ids_of, upkeep_of


def change(old: Any, new: Any) -> Change:
    return Change("thing", old, new)


def test_a_change_tells_what_a_column_held_before_and_after() -> None:
    assert change({"id": "1", "n": 1}, {"id": "1", "n": 2}).values("n") == {1, 2}
    assert change(None, {"id": "1", "n": None}).values("n") == set()
    assert ids_of([change({"n": "1"}, None), change(None, {"n": "3"})], "n") == {"1", "3"}


def test_a_change_moves_a_column_when_it_differs_or_the_row_came_or_went() -> None:
    assert not change({"n": 1, "m": 1}, {"n": 1, "m": 2}).moves("n")
    assert change({"n": 1, "m": 1}, {"n": 1, "m": 2}).moves("n", "m")
    assert change(None, {"n": 1}).moves("n")
    assert change({"n": 1}, None).moves()


def test_the_row_of_a_change_is_the_newest_there_is() -> None:
    assert change({"n": 1}, {"n": 2}).row == {"n": 2}
    assert change({"n": 1}, None).row == {"n": 1}


class Told:
    """An upkeep that remembers what it saw, and may write in turn."""

    def __init__(self, *watches: str, writes: tuple[str, int] = ("", 0)) -> None:
        self.upkeep = Upkeep(watches, self.run)
        self.seen: list[list[str]] = []
        self.name, self.left = writes

    def run(self, tx: Any, changes: list[Change]) -> None:
        self.seen.append([change.name for change in changes])
        if self.left:
            self.left -= 1
            tx.note(self.name, None, {"id": "x"})


def settled(*told: Told, names: tuple[str, ...]) -> None:
    changes = Changes(tuple(item.upkeep for item in told))
    for name in names:
        changes.note(name, None, {"id": "1"})
    changes.settle(changes)
    changes.settle(changes)


def test_upkeep_sees_each_change_that_it_watches_once() -> None:
    told = Told("a", "b")
    settled(told, names=("a", "c", "b"))
    assert told.seen == [["a", "b"]]


def test_what_upkeep_writes_is_seen_by_the_others_and_by_itself() -> None:
    first, second = Told("b"), Told("a", writes=("b", 1))
    itself = Told("c", writes=("c", 2))
    settled(first, second, itself, names=("a", "c"))
    assert (first.seen, second.seen, itself.seen) == ([["b"]], [["a"]], [["c"], ["c"], ["c"]])


def test_upkeep_that_never_rests_is_a_fault_of_ours() -> None:
    with pytest.raises(RuntimeError, match="do not settle"):
        settled(Told("a", writes=("a", 1000)), names=("a",))


def test_details_are_looked_after_before_what_sums_them_up() -> None:
    whole, part = Upkeep(("part",), lambda *_: None), Upkeep(("part",), lambda *_: None)
    objects = {
        name: Object(name=name, section="s", purpose="p", fields=(identity(), Integer("n")), upkeep=(upkeep,))
        for name, upkeep in (("whole", whole), ("part", part))
    }
    assert upkeep_of(objects) == (part, whole)
