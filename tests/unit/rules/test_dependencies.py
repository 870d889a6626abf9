"""What moves with a card, and whether the dates keep a relation: on random plans, against what is promised in words.

To see it fail: take `min` for `max` in `pushed`, or count the days of the moved card's start in `open_days_moved`.
"""

import datetime as dt
import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings, strategies as some
from tests.unit.rules.plant import OBJECTS, Plant

from planwerk.errors import Refusal
from planwerk.rules.dependencies import Planned, is_kept, keep_relations, open_days_moved, pushed, shifted
from planwerk.rules.workdays import Workdays, ordinal
from planwerk.store.card_relations import REACHED, Dependency, dependencies_from
from planwerk.store.transaction import Transaction

WEEKS = [Workdays(tuple(letter == "x" for letter in text)) for text in ("xxxxx..", "xxxxxxx", "x.x.x..", "......x")]
FIRST = dt.date(2026, 6, 1).toordinal()

days = some.integers(0, 40).map(lambda number: dt.date.fromordinal(FIRST + number).isoformat())
times = some.none() | some.sampled_from(("00:00", "08:00", "12:00", "23:59"))
weeks = some.sampled_from(WEEKS)


@some.composite
def cards(draw: Any, week: Any = weeks, time: Any = times) -> Planned:
    first, last = sorted((draw(days), draw(days)))
    begin, finish = draw(time), draw(time)
    if draw(some.booleans()):
        last = first
    if first == last and begin and finish:
        begin, finish = sorted((begin, finish))
    return Planned(first, last, begin, finish, draw(week), is_fixed=draw(some.sampled_from((False, False, False, True))))


@some.composite
def plans(draw: Any, card: Any) -> tuple[dict[str, Planned], list[Dependency]]:
    """Cards a, b, c … and dependencies from earlier letters to later ones, so that there is no cycle."""
    names = "abcdefgh"[: draw(some.integers(2, 8))]
    pairs = [(before, after) for before in names for after in names if before < after]
    chosen = draw(some.lists(some.sampled_from(pairs), unique=True))
    return {name: draw(card) for name in names}, [Dependency(f"{before}{after}", before, after) for before, after in chosen]


def length(card: Planned) -> int:
    assert card.start is not None
    assert card.end is not None
    return max(card.workdays.between(card.start, card.end), 1)


def has_open_day(card: Planned) -> bool:
    """Whether any of its days is open: a card on closed days alone gets a day of its own when it moves."""
    assert card.start is not None
    assert card.end is not None
    return card.workdays.between(card.start, card.end) > 0


def gap(before: Planned, after: Planned) -> int:
    """The open days between two cards, negative if they overlap."""
    assert before.last_day is not None
    assert after.start is not None
    return after.workdays.number(ordinal(after.start)) - after.workdays.number(ordinal(before.last_day) + 1)


@given(plans(cards()), some.data())
@settings(max_examples=500, deadline=None)
def test_after_a_push_nothing_that_moved_or_was_pushed_is_in_the_way(plan: tuple[Any, Any], data: Any) -> None:
    before, dependencies = plan
    origin = data.draw(some.sampled_from(sorted(before)))
    moved = pushed(before, dependencies, origin)
    now = before | moved
    for link in dependencies:
        if link.before in (origin, *moved) and not now[link.after].is_fixed:
            assert is_kept(now[link.before], now[link.after]), link
    for id, card in moved.items():
        assert not before[id].is_fixed
        assert card.start is not None
        assert card.workdays.open(card.start)
        assert length(card) == length(before[id])
        causes = [now[link.before] for link in dependencies if link.after == id and link.before in (origin, *moved)]
        earlier = card.begun_on(card.workdays.add(card.start, -1))
        assert not all(is_kept(cause, earlier) for cause in causes), f"{id} could start earlier"
    assert origin not in moved


@given(plans(cards()), some.data())
@settings(max_examples=300, deadline=None)
def test_in_a_sound_plan_a_push_leaves_no_broken_dependency_between_cards_that_may_move(plan: tuple[Any, Any], data: Any) -> None:
    first, dependencies = plan
    sound = {name: replace(card, is_fixed=False) for name, card in first.items()}
    for name in sorted(sound):
        sound |= pushed(sound, dependencies, name)
    assert all(is_kept(sound[link.before], sound[link.after]) for link in dependencies)
    origin = data.draw(some.sampled_from(sorted(sound)))
    now = sound | {origin: data.draw(cards())}
    now |= pushed(now, dependencies, origin)
    assert [link for link in dependencies if link.after != origin and not is_kept(now[link.before], now[link.after])] == []


@given(weeks.flatmap(lambda week: plans(cards(some.just(week), some.none()).filter(has_open_day))), some.data())
@settings(max_examples=500, deadline=None)
def test_maintain_keeps_every_gap_in_open_days(plan: tuple[Any, Any], data: Any) -> None:
    first, dependencies = plan
    before = {name: replace(card, is_fixed=False) for name, card in first.items()}
    origin = data.draw(some.sampled_from(sorted(before)))
    target = data.draw(cards(some.just(before[origin].workdays), some.none()).filter(has_open_day))
    count = open_days_moved(before[origin], target)
    moved = shifted(before | {origin: target}, dependencies, origin, count)
    now = before | {origin: target} | moved
    for link in dependencies:
        if link.before in (origin, *moved):
            assert link.after in moved
            assert gap(now[link.before], now[link.after]) == gap(before[link.before], before[link.after])
    assert all(length(card) == length(before[id]) for id, card in moved.items())


@given(cards(), some.integers(-30, 30))
def test_a_card_that_is_shifted_there_and_back_is_where_its_open_days_were(card: Planned, count: int) -> None:
    back = card.shifted_by(count).shifted_by(-count)
    assert card.start is not None
    assert back.start == card.workdays.on_or_after(card.start)
    assert length(back) == length(card)


def test_a_card_that_has_only_an_end_is_shifted_by_it() -> None:
    card = Planned(None, "2026-06-06", workdays=WEEKS[0])
    assert (card.shifted_by(1).end, card.shifted_by(-1).end, Planned(None).shifted_by(3)) == ("2026-06-08", "2026-06-04", Planned(None))


@pytest.mark.parametrize("move", [pushed, lambda cards, chain, origin: shifted(cards, chain, origin, 1)])
def test_nothing_moves_behind_a_card_that_must_stay(move: Callable[..., Any]) -> None:
    plan = {name: Planned("2026-06-01", is_fixed=name == "b") for name in "abcd"}
    chain = [Dependency("1", "a", "b"), Dependency("2", "b", "c"), Dependency("3", "c", "d")]
    assert move(plan, chain, "a") == {}


# ── in the database ──


@pytest.mark.parametrize("of", ["a", "b"])
def test_what_comes_after_a_card_is_found_in_one_statement_whichever_of_the_two_says_it(of: str, plant: Plant) -> None:
    ids = {name: plant.add("card", name=name)["id"] for name in "abcde"}
    for kind, first, last in (("blocks", "a", "b"), ("depends", "c", "b"), ("blocks", "c", "d"), ("related", "d", "e")):
        plant.add("card_relation", type=kind, card_id=ids[first], related_card_id=ids[last])
    names = {id: name for name, id in ids.items()}
    found = plant.work(lambda tx: dependencies_from(tx, [ids[of]]))
    expected = {("a", "b"), ("b", "c"), ("c", "d")}
    assert {(names[link.before], names[link.after]) for link in found} == {pair for pair in expected if pair[0] >= of}


def test_the_statement_goes_by_the_indexes_of_a_card(plant: Plant) -> None:
    statement = plant.database.statements.named(REACHED["sqlite"])
    steps = [row[3] for row in plant.database.query(f"EXPLAIN QUERY PLAN {statement.text}", {"environment": "e", "ids": "[]"})]
    assert [step for step in steps if "INDEX index_card_relation_card_id" in step]
    assert [step for step in steps if "INDEX index_card_relation_related_card_id" in step]
    assert [step for step in steps if "index_card_relation (" in step] == []


def test_many_relations_at_once_are_judged_together(plant: Plant) -> None:
    ids = [plant.add("card", name=str(number), start_date=f"2026-06-{1 + number:02}")["id"] for number in range(20)]
    chain = [{"type": "blocks", "card_id": first, "related_card_id": last} for first, last in itertools.pairwise(ids)]
    plant.work(lambda tx: tx.insert_many(OBJECTS["card_relation"], chain[::2]))

    def close(tx: Transaction) -> None:
        tx.insert_many(OBJECTS["card_relation"], [*chain[1::2], {"type": "blocks", "card_id": ids[-1], "related_card_id": ids[0]}])

    with pytest.raises(Refusal, match="cycle"):
        plant.work(close)
    plant.work(lambda tx: tx.insert_many(OBJECTS["card_relation"], chain[1::2]))
    statuses = plant.work(lambda tx: [row["status"] for row in tx.find(OBJECTS["card_relation"])])
    assert statuses == ["valid"] * 19


Step = tuple[str, int, int, str]
steps = some.lists(
    some.tuples(
        some.sampled_from(("relate", "move", "move", "remove", "free")),
        some.integers(0, 4),
        some.integers(0, 4),
        some.sampled_from(("blocks", "depends", "related")),
    ),
    max_size=25,
)


def apply(tx: Transaction, step: Step, ids: list[str]) -> None:
    """One random step; what is refused changes nothing."""
    kind, first, last, word = step
    card, relation = OBJECTS["card"], OBJECTS["card_relation"]
    row, found = tx.get(card, ids[first]), tx.find(relation, card_id=ids[first])
    if kind == "relate" and row and tx.get(card, ids[last]) and first != last:
        tx.insert(relation, {"type": word, "card_id": ids[first], "related_card_id": ids[last]})
    elif kind == "move" and row:
        day = None if word == "related" else f"2026-06-{1 + 5 * last:02}"
        tx.update(card, row, {"start_date": day, "end_date": day, "end_time": "10:00" if word == "blocks" else None})
    elif kind == "remove" and row and word == "related":
        tx.delete(card, row)
    elif kind == "free" and found:
        tx.delete(relation, found[0])


def broken(tx: Transaction) -> list[tuple[str, str]]:
    """(relation, status) where the status is not what the dates say, worked out anew from every row."""
    cards = {row["id"]: row for row in tx.find(OBJECTS["card"])}
    wrong = []
    for relation in tx.find(OBJECTS["card_relation"]):
        ends = (cards[relation["card_id"]], cards[relation["related_card_id"]])
        before, after = ends if relation["type"] == "blocks" else ends[::-1]
        is_broken = relation["type"] != "related" and before["end_date"] is not None and after["start_date"] is not None
        is_broken = is_broken and (before["end_date"] + (before["end_time"] or "24:00")) > (after["start_date"] + "00:00")
        if relation["status"] != ("invalid" if is_broken else "valid"):
            wrong.append((relation["id"], relation["status"]))
    return wrong


@given(steps)
@settings(max_examples=60, deadline=None)
def test_after_any_history_every_status_is_what_the_dates_say(history: list[Step]) -> None:
    plant = HISTORIES[0]
    ids = [plant.add("card", name=str(number), start_date="2026-06-10", end_date="2026-06-12")["id"] for number in range(5)]
    for step in history:
        try:
            plant.work(lambda tx, step=step: apply(tx, step, ids))  # type: ignore[misc]
        except Refusal:  # a cycle, or a dependency that is there already
            pass
        assert plant.work(broken) == []


HISTORIES: list[Plant] = []


@pytest.fixture(autouse=True)
def _plant_of_histories(plant: Plant) -> None:
    """Hypothesis runs many histories in one test; they share its plant, whose cards are new each time."""
    HISTORIES[:] = [plant]


def test_the_upkeep_is_named_by_the_catalog() -> None:
    assert [upkeep.run for upkeep in OBJECTS["card_relation"].upkeep] == [keep_relations]
