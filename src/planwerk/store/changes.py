"""What a transaction has changed so far, and the values that follow from it.

Every write notes a `Change`. `settle` hands the changes to the catalog's `Upkeep` until none is left that somebody still
wants to see. It runs before an answer is made and again before the commit, so that no write, whoever makes it, leaves a
value behind that contradicts the rows it follows from.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from planwerk.describe import Object, Upkeep

Row = dict[str, Any]  # column name → stored value

ROUNDS = 50  # more means that two rules undo each other's work


@dataclass(frozen=True, slots=True)
class Change:
    """One row of an object or a link table, before and after; None: it was not there, or is no more."""

    name: str
    old: Row | None
    new: Row | None

    @property
    def row(self) -> Row:
        """The row as it is, or as it was last."""
        row = self.new or self.old
        assert row is not None, "a change has a row"
        return row

    def values(self, column: str) -> set[Any]:
        """What the column held before and after, without null."""
        return {row[column] for row in (self.old, self.new) if row is not None and row[column] is not None}

    def moves(self, *columns: str) -> bool:
        """Whether the row came, went, or differs in one of the columns."""
        return self.old is None or self.new is None or any(self.old[column] != self.new[column] for column in columns)


class Changes:
    """The changes of one transaction, in their order."""

    def __init__(self, upkeep: tuple[Upkeep, ...]) -> None:
        self.upkeep = upkeep
        self.log: list[Change] = []
        self.seen = [0] * len(upkeep)  # how much of the log each has been shown
        self.settled = 0  # how much of it was there when the last round began
        self.newest: dict[tuple[str, str], Row] = {}

    def note(self, name: str, old: Row | None, new: Row | None) -> None:
        self.log.append(Change(name, old, new))

    def keep(self, name: str, row: Row) -> None:
        """Remember the row as the newest of its id."""
        self.newest[name, row["id"]] = row

    def latest(self, name: str, row: Row) -> Row:
        """The row as this transaction has written it last."""
        return self.newest.get((name, row["id"]), row)

    def settle(self, tx: Any) -> None:
        """Run the upkeep until it has seen every change; what it writes itself is seen by the others."""
        for _ in range(ROUNDS):
            if self.settled == len(self.log):
                return
            self.settled = len(self.log)
            for index, upkeep in enumerate(self.upkeep):
                fresh = [change for change in self.log[self.seen[index] :] if change.name in upkeep.watches]
                self.seen[index] = len(self.log)
                if fresh:
                    upkeep.run(tx, fresh)
        raise RuntimeError(f"the values that follow from others do not settle: {[change.name for change in self.log[-6:]]}")


def upkeep_of(objects: Mapping[str, Object]) -> tuple[Upkeep, ...]:
    """Every upkeep of a catalog: details first, then what sums them up (the catalog names the whole before its parts)."""
    return tuple(upkeep for described in reversed(list(objects.values())) for upkeep in described.upkeep)


def ids_of(changes: Iterable[Change], column: str) -> set[str]:
    """The values of a column in the rows that changed, before and after."""
    return {value for change in changes for value in change.values(column)}
