"""Dependencies between cards: which there may be, whether the dates keep them, and what moves when a card is moved.

The arithmetic (`Planned`, `is_kept`, `pushed`, `shifted`) is pure; the rules at the end load what it needs, lock what they
change, and write what comes out. Only a move by a request moves others: what was pushed does not begin anew.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from itertools import chain
from typing import Any

from planwerk.errors import VALIDATION_FAILED, Fault, Refusal, refuse
from planwerk.rules.cards import dates
from planwerk.rules.workdays import BeyondCalendar, Workdays, day_of, ordinal, workdays_of
from planwerk.store.card_relations import Dependency, dependencies_from, hold_dependencies
from planwerk.store.changes import Change
from planwerk.store.transaction import Row, Transaction

MOMENTS = ("start_date", "start_time", "end_date", "end_time")
EVERY_DAY = Workdays((True,) * 7)


# ── when a card is planned ──


@dataclass(frozen=True)
class Planned:
    """The days and times of a card, the workdays of its board, and whether it must stay where it is.

    It takes the whole of its days unless it has times; with a first day alone it ends on that day.
    """

    start: str | None
    end: str | None = None
    start_time: str | None = None
    end_time: str | None = None
    workdays: Workdays = EVERY_DAY
    is_fixed: bool = False

    @property
    def last_day(self) -> str | None:
        return self.end or self.start

    def begun_on(self, day: str) -> "Planned":
        """The same card from another open day on: as many open days as before, but at least one."""
        if self.end is None or self.start is None:
            return replace(self, start=day)
        length = max(self.workdays.between(self.start, self.end), 1)
        return replace(self, start=day, end=self.workdays.add(day, length - 1))

    def shifted_by(self, count: int) -> "Planned":
        """The same card so many open days later, or earlier; a card without days has nothing to shift.

        A first day that is closed counts as the next open one, a last day as the open one before.
        """
        if self.start is not None:
            return self.begun_on(self.workdays.nth(self.workdays.number(ordinal(self.start)) + count))
        return replace(self, end=self.end and self.workdays.nth(self.workdays.number(ordinal(self.end) + 1) - 1 + count))


def is_kept(before: Planned, after: Planned) -> bool:
    """Whether one card ends before the other starts; a day that is not known breaks nothing.

    >>> is_kept(Planned("2026-11-23", "2026-11-24"), Planned("2026-11-25")), is_kept(Planned("2026-11-24"), Planned("2026-11-24"))
    (True, False)
    >>> is_kept(Planned("2026-11-24", end_time="10:00"), Planned("2026-11-24", start_time="10:00")), is_kept(Planned(None), Planned(None))
    (True, True)
    """
    if before.last_day is None or after.start is None:
        return True
    return (before.last_day, before.end_time or "24:00") <= (after.start, after.start_time or "00:00")


def first_day_after(before: Planned, after: Planned) -> str:
    """The first open day on which a card may start that comes after another; the same day only if the times allow it.

    >>> first_day_after(Planned("2026-11-24"), Planned("2026-11-20"))
    '2026-11-25'
    """
    assert before.last_day is not None, "a card without days is in nobody's way"
    fits = is_kept(before, replace(after, start=before.last_day))
    return after.workdays.on_or_after(before.last_day if fits else day_of(ordinal(before.last_day) + 1))


def open_days_moved(old: Planned, new: Planned) -> int:
    """By how many open days of its board a card now ends later (negative: earlier); 0 if it had, or has, no days.

    >>> week = Workdays((True, True, True, True, True, False, False))
    >>> friday, saturday, monday = (Planned(day, workdays=week) for day in ("2026-11-27", "2026-11-28", "2026-11-30"))
    >>> open_days_moved(friday, saturday), open_days_moved(friday, monday), open_days_moved(monday, saturday)
    (0, 1, -1)
    >>> open_days_moved(Planned(None), monday)
    0
    """
    if old.last_day is None or new.last_day is None:
        return 0
    return new.workdays.number(ordinal(new.last_day) + 1) - new.workdays.number(ordinal(old.last_day) + 1)


# ── what moves with a card ──

Plan = Mapping[str, Planned]  # by the card's id


def befores_of(dependencies: Iterable[Dependency]) -> dict[str, list[str]]:
    """The cards right before each card that comes after any."""
    befores: dict[str, list[str]] = {}
    for dependency in dependencies:
        befores.setdefault(dependency.after, []).append(dependency.before)
    return befores


def layers(befores: Mapping[str, list[str]]) -> Iterator[list[str]]:
    """The cards in layers, each card after all that come before it. Raises `CycleError`.

    >>> list(layers({"b": ["a"], "c": ["a"], "d": ["b", "c", "a"]}))
    [['a'], ['b', 'c'], ['d']]
    """
    sorter = TopologicalSorter(befores)
    sorter.prepare()
    while sorter.is_active():
        layer = sorter.get_ready()
        yield sorted(layer)
        sorter.done(*layer)


def befores_in_order(dependencies: Iterable[Dependency]) -> Iterator[tuple[str, list[str]]]:
    """(card, the cards right before it), each card after all that come before it. Raises `CycleError`.

    >>> list(befores_in_order([Dependency("1", "a", "b"), Dependency("2", "b", "c"), Dependency("3", "a", "c")]))
    [('a', []), ('b', ['a']), ('c', ['a', 'b'])]
    """
    befores = befores_of(dependencies)
    for id in chain.from_iterable(layers(befores)):
        yield id, sorted(befores.get(id, ()))


def pushed(cards: Plan, dependencies: Iterable[Dependency], origin: str) -> dict[str, Planned]:
    """The cards that must move, just enough, because `origin` is where it is now; those behind them, too.

    >>> cards = {"a": Planned("2026-11-24"), "b": Planned("2026-11-24"), "c": Planned("2026-11-26")}
    >>> pushed(cards, [Dependency("1", "a", "b"), Dependency("2", "b", "c")], "a").keys()
    dict_keys(['b'])
    """
    moved = {origin: cards[origin]}
    for id, befores in befores_in_order(dependencies):
        broken = [moved[before] for before in befores if before in moved and not is_kept(moved[before], cards[id])]
        if broken and id != origin and not cards[id].is_fixed:
            moved[id] = cards[id].begun_on(max(first_day_after(before, cards[id]) for before in broken))
    del moved[origin]
    return moved


def shifted(cards: Plan, dependencies: Iterable[Dependency], origin: str, count: int) -> dict[str, Planned]:
    """All cards that come after `origin`, so many open days of their own boards later; none behind one that must stay.

    >>> cards = {"a": Planned("2026-11-24"), "b": Planned("2026-11-24", is_fixed=True), "c": Planned("2026-11-26")}
    >>> shifted(cards, [Dependency("1", "a", "b"), Dependency("2", "b", "c")], "a", 2)
    {}
    """
    moved = {origin: cards[origin]}
    for id, befores in befores_in_order(dependencies):
        if id != origin and not cards[id].is_fixed and not moved.keys().isdisjoint(befores):
            moved[id] = cards[id].shifted_by(count)
    del moved[origin]
    return moved


# ── the rules ──


def joins_two_cards(_: Transaction, values: Mapping[str, Any], row: Row | None) -> Iterator[Fault]:
    """A card has no relation with itself, of whatever type."""
    card_id, related_card_id = (values.get(name, row and row[name]) for name in ("card_id", "related_card_id"))
    if related_card_id is not None and card_id == related_card_id:
        yield Fault(VALIDATION_FAILED, "related_card_id must name another card than card_id", "related_card_id")


def keep_relations(tx: Transaction, changes: Sequence[Change]) -> None:
    """New relations make no cycle, and the status of every relation says whether the dates of its cards keep it."""
    ends = ("type", "card_id", "related_card_id")
    changed = {change.new["id"] for change in changes if change.name == "card_relation" and change.new and change.moves(*ends)}
    moved = {change.row["id"] for change in changes if change.name == "card" and change.old and change.new and change.moves(*MOMENTS)}
    added = tx.among("card_relation", "id", changed)
    living = tx.lock("card", ends_of(added))  # whoever moves one of them now does not see the relation yet
    refuse_circles(tx, [relation for relation in added if ends_of([relation]) <= living.keys()])
    known = [relation for name in ("card_id", "related_card_id") for relation in tx.among("card_relation", name, moved)]
    relations = tx.lock("card_relation", {relation["id"] for relation in (*added, *known)})
    cards = {row["id"]: planned(row) for row in tx.among("card", "id", ends_of(relations.values()))}
    for relation in relations.values():
        tx.update(tx.object("card_relation"), relation, {"status": status_of(relation, cards)})


def ends_of(relations: Iterable[Row]) -> set[str]:
    return {relation[name] for relation in relations for name in ("card_id", "related_card_id")}


def dependency_of(relation: Row) -> Dependency | None:
    """The relation in the direction of time; None if its type says nothing about time."""
    ends = {"blocks": (relation["card_id"], relation["related_card_id"]), "depends": (relation["related_card_id"], relation["card_id"])}
    return Dependency(relation["id"], *ends[relation["type"]]) if relation["type"] in ends else None


def status_of(relation: Row, cards: Plan) -> str:
    dependency, nowhere = dependency_of(relation), Planned(None)
    if dependency is None:
        return "valid"
    return "valid" if is_kept(cards.get(dependency.before, nowhere), cards.get(dependency.after, nowhere)) else "invalid"


def refuse_circles(tx: Transaction, relations: Iterable[Row]) -> None:
    """Refuse relations because of which a card would come before itself, and a dependency that is there already."""
    added = [dependency for relation in relations if (dependency := dependency_of(relation))]
    if not added:
        return
    hold_dependencies(tx)
    reached = dependencies_from(tx, {dependency.before for dependency in added})
    times = Counter((dependency.before, dependency.after) for dependency in reached)
    if any(times[dependency.before, dependency.after] > 1 for dependency in added):
        raise refuse(VALIDATION_FAILED, "related_card_id names a card with which there is the same dependency already", "related_card_id")
    try:
        list(befores_in_order(reached))
    except CycleError:
        raise cycle() from None


def cycle() -> Refusal:
    return refuse(VALIDATION_FAILED, "related_card_id closes a cycle: a card would have to end before it starts", "related_card_id")


def follow_move(tx: Transaction, row: Row, old: Row | None) -> None:
    """Move the cards that come after a moved card, as its board has it: not at all, just enough, or by as many workdays."""
    if old is None or all(row[name] == old[name] for name in MOMENTS):
        return
    board = tx.first(tx.object("board"), id=row["board_id"]) if row["board_id"] else None
    if board is None or board["dependency_behavior"] == "notify":
        return
    try:
        move_dependents(tx, row, old, board["dependency_behavior"])
    except BeyondCalendar:
        raise refuse(VALIDATION_FAILED, "a card that depends on this one would move beyond the calendar", "start_date") from None
    except CycleError:
        raise cycle() from None


def move_dependents(tx: Transaction, row: Row, old: Row, behavior: str) -> None:
    dependencies, rows = dependents(tx, row["id"])
    cards = plan_of(tx, rows)
    if behavior == "push":
        moved = pushed(cards, dependencies, row["id"])
    else:
        origin = cards[row["id"]]
        count = open_days_moved(planned(old, origin.workdays), origin)
        moved = shifted(cards, dependencies, row["id"], count) if count else {}
    for id, card in moved.items():
        tx.update(tx.object("card"), rows[id], dates(card.start, card.end))


def dependents(tx: Transaction, card_id: str) -> tuple[list[Dependency], dict[str, Row]]:
    """(the dependencies that lead away from a card, the cards in them by id); all locked, also those that others add meanwhile.

    What comes first is locked first, so that two who move cards of one chain wait for each other instead of standing in
    each other's way.
    """
    rows, asked = tx.lock("card", [card_id]), {card_id}
    while True:
        dependencies = dependencies_from(tx, [card_id])
        found = [[id for id in layer if id not in asked] for layer in layers(befores_of(dependencies))]
        if not any(found):
            return [link for link in dependencies if link.before in rows and link.after in rows], rows
        for layer in found:
            rows |= tx.lock("card", layer)
            asked.update(layer)


def plan_of(tx: Transaction, rows: Mapping[str, Row]) -> dict[str, Planned]:
    """When the cards are planned; those that are locked, finished, or on a board without workdays must stay."""
    boards = {board["id"]: workdays_of(board) for board in tx.among("board", "id", present(rows, "board_id"))}
    finished = {status["id"] for status in tx.among("status", "id", present(rows, "status_id")) if status["exit"]}
    plan = {}
    for id, row in rows.items():
        workdays = boards.get(row["board_id"], EVERY_DAY)
        is_fixed = bool(row["locked"]) or row["status_id"] in finished or workdays.is_closed
        plan[id] = planned(row, workdays, is_fixed=is_fixed)
    return plan


def present(rows: Mapping[str, Row], column: str) -> set[str]:
    return {row[column] for row in rows.values() if row[column] is not None}


def planned(row: Row, workdays: Workdays = EVERY_DAY, *, is_fixed: bool = False) -> Planned:
    return Planned(row["start_date"], row["end_date"], row["start_time"], row["end_time"], workdays, is_fixed)
