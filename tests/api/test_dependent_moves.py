"""What moves with a card that others depend on; the days are those of `tests/depending.py`.

To see it fail: forget `is_fixed` in `pushed` and `shifted`, or count the days of a closed weekend.
"""

import asyncio
import datetime as dt
import itertools
import random
import re
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from tests.depending import Plan, plan_of, planned
from tests.server import OBJECTS
from tests.world import World

from planwerk.store.transaction import Transaction


@dataclass(frozen=True)
class Case:
    """A card is moved; the others are where `then` says, or where they were, and exactly `invalid` are broken."""

    words: str
    behavior: str
    given: Mapping[str, str]
    relations: str
    when: tuple[str, str]
    then: Mapping[str, str]
    invalid: str = ""


CASES = [
    # notify
    Case("nothing moves, the status tells", "notify", {"a": "1", "b": "2"}, "a>b", ("a", "3"), {}, "a>b"),
    # push
    Case("just enough", "push", {"a": "1", "b": "2"}, "a>b", ("a", "3"), {"b": "4"}),
    Case("the same said the other way", "push", {"a": "1", "b": "2"}, "b<a", ("a", "3"), {"b": "4"}),
    Case("a gap that is large enough is used up", "push", {"a": "1", "b": "4"}, "a>b", ("a", "3"), {}),
    Case("nothing is pulled back", "push", {"a": "3", "b": "4"}, "a>b", ("a", "1"), {}),
    Case("what comes before stays", "push", {"a": "1", "b": "2"}, "a>b", ("b", "1"), {}, "a>b"),
    Case("related cards stay", "push", {"a": "1", "b": "2", "c": "2"}, "a-b a=c", ("a", "3"), {}),
    Case("over a weekend", "push", {"a": "4", "b": "5"}, "a>b", ("a", "5"), {"b": "8"}),
    Case("the length is kept in open days", "push", {"a": "1", "b": "2-4"}, "a>b", ("a", "3"), {"b": "4-8"}),
    Case("a length that spanned a weekend", "push", {"a": "4", "b": "5-8"}, "a>b", ("a", "5"), {"b": "8-9"}),
    Case("by a later end alone", "push", {"a": "1", "b": "2"}, "a>b", ("a", "1-5"), {"b": "8"}),
    Case("a chain", "push", {"a": "1", "b": "2", "c": "3"}, "a>b b>c", ("a", "2"), {"b": "3", "c": "4"}),
    Case("a chain with a gap", "push", {"a": "1", "b": "2", "c": "4", "d": "5"}, "a>b b>c c>d", ("a", "2"), {"b": "3"}),
    Case(
        "a diamond waits for its later side",
        "push",
        {"a": "1", "b": "2", "c": "2-3", "d": "4"},
        "a>b a>c b>d c>d",
        ("a", "3"),
        {"b": "4", "c": "4-5", "d": "8"},
    ),
    Case("a short cut does not move a card twice", "push", {"a": "1", "b": "2", "c": "3"}, "a>b b>c a>c", ("a", "2"), {"b": "3", "c": "4"}),
    Case(
        "the same day if the times allow it",
        "push",
        {"a": "1", "b": "2 12:00-13:00"},
        "a>b",
        ("a", "3 08:00-12:00"),
        {"b": "3 12:00-13:00"},
    ),
    Case("the day after if they do not", "push", {"a": "1", "b": "2 11:00-13:00"}, "a>b", ("a", "3 08:00-12:00"), {"b": "4 11:00-13:00"}),
    Case(
        "by a later time alone", "push", {"a": "1 08:00-09:00", "b": "1 09:00-10:00"}, "a>b", ("a", "1 08:00-09:30"), {"b": "2 09:00-10:00"}
    ),
    Case("a board that is open at weekends", "push", {"a": "4", "b": "5 always"}, "a>b", ("a", "5"), {"b": "6 always"}),
    Case("a board that is open on three days", "push", {"a": "1", "b": "3-5 odd"}, "a>b", ("a", "3"), {"b": "5-8 odd"}),
    Case("a card without days has none", "push", {"a": "1", "b": "", "c": "2"}, "a>b b>c", ("a", "3"), {}),
    Case("a card that had no days", "push", {"a": "", "b": "2"}, "a>b", ("a", "3"), {"b": "4"}),
    Case("a card that loses its days", "push", {"a": "1", "b": "2"}, "a>b", ("a", ""), {}),
    Case("a locked card stays", "push", {"a": "1", "b": "2 locked", "c": "3"}, "a>b b>c", ("a", "3"), {}, "a>b"),
    Case("a finished card stays", "push", {"a": "1", "b": "2 done", "c": "3"}, "a>b b>c", ("a", "3"), {}, "a>b"),
    Case("a card without any workday stays", "push", {"a": "1", "b": "2 never"}, "a>b", ("a", "3"), {}, "a>b"),
    Case(
        "round a locked card there is another way",
        "push",
        {"a": "1", "b": "2 locked", "c": "2", "d": "3"},
        "a>b a>c b>d c>d",
        ("a", "3"),
        {"c": "4", "d": "5"},
        "a>b",
    ),
    Case(
        "what was broken before and does not depend on it stays",
        "push",
        {"a": "1", "b": "2", "c": "9", "d": "9"},
        "a>b c>d",
        ("a", "2"),
        {"b": "3"},
        "c>d",
    ),
    # maintain
    Case("by as many days", "maintain", {"a": "1", "b": "4"}, "a>b", ("a", "2"), {"b": "5"}),
    Case("also back", "maintain", {"a": "3", "b": "4"}, "a>b", ("a", "1"), {"b": "2"}),
    Case("by the end of the card", "maintain", {"a": "1-2", "b": "3"}, "a>b", ("a", "1-3"), {"b": "4"}),
    Case("not by its start", "maintain", {"a": "1-2", "b": "3"}, "a>b", ("a", "2-2"), {}),
    Case("not by its time", "maintain", {"a": "1", "b": "2"}, "a>b", ("a", "1 08:00-09:00"), {}),
    Case("over weekends", "maintain", {"a": "4", "b": "5"}, "a>b", ("a", "9"), {"b": "10"}),
    Case("a weekend counts nothing", "maintain", {"a": "5", "b": "8"}, "a>b", ("a", "6"), {}),
    Case("the length is kept in open days", "maintain", {"a": "1", "b": "4-5"}, "a>b", ("a", "2"), {"b": "5-8"}),
    Case(
        "a diamond moves once",
        "maintain",
        {"a": "1", "b": "2", "c": "2-3", "d": "4"},
        "a>b a>c b>d c>d",
        ("a", "2"),
        {"b": "3", "c": "3-4", "d": "5"},
    ),
    Case("days of the board of each", "maintain", {"a": "4", "b": "5 always"}, "a>b", ("a", "8"), {"b": "7 always"}, "a>b"),
    Case("a board that is open on three days", "maintain", {"a": "1", "b": "3 odd"}, "a>b", ("a", "3"), {"b": "8 odd"}),
    Case("what was broken stays as broken", "maintain", {"a": "2", "b": "1"}, "a>b", ("a", "3"), {"b": "2"}, "a>b"),
    Case("a card without days lets the move through", "maintain", {"a": "1", "b": "", "c": "2"}, "a>b b>c", ("a", "2"), {"c": "3"}),
    Case("a card that had no days moves nothing", "maintain", {"a": "", "b": "2"}, "a>b", ("a", "3"), {}, "a>b"),
    Case("a locked card stays", "maintain", {"a": "1", "b": "2 locked", "c": "3"}, "a>b b>c", ("a", "2"), {}, "a>b"),
    Case("a finished card stays", "maintain", {"a": "1", "b": "2 done", "c": "3"}, "a>b b>c", ("a", "2"), {}, "a>b"),
    Case("a card without any workday stays", "maintain", {"a": "1", "b": "2 never", "c": "3"}, "a>b b>c", ("a", "2"), {}, "a>b"),
    Case("what comes before stays", "maintain", {"a": "1", "b": "2"}, "a>b", ("b", "5"), {}),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.behavior}: {case.words}")
def test_what_depends_on_a_moved_card(case: Case, world: World) -> None:
    plan = plan_of(world, case.given, case.relations, case.behavior)
    plan.move(*case.when)
    expected = {**case.given, case.when[0]: case.when[1], **case.then}
    assert plan.days() == {name: planned(re.sub(" ?[a-z]+", "", text)) for name, text in expected.items()}
    assert plan.invalid() == set(case.invalid.split())


def test_the_deprecated_names_of_the_days_move_along(world: World) -> None:
    plan = plan_of(world, {"a": "1", "b": "2-3"}, "a>b", "push")
    plan.move("a", "2")
    moved = plan.api.get(plan.paths["b"])
    assert (moved["date"], moved["start"], moved["end"]) == ("2026-06-03", "2026-06-03", "2026-06-04")


@pytest.mark.parametrize("behavior", ["push", "maintain"])
def test_a_chain_of_fifty_moves_as_one(behavior: str, world: World) -> None:
    plan, names = Plan(world, behavior), [f"card{number}" for number in range(50)]
    days = [(dt.date(2026, 7, 1) + dt.timedelta(number)).isoformat() for number in range(51)]
    for name, day in zip(names, days, strict=False):
        plan.add(name, "1 always")
        plan.write("card", plan.cards[name], start_date=day, end_date=day)
    for first, last in itertools.pairwise(names):
        plan.relate(f"{first}>{last}")
    plan.put("card0", start_date=days[1], end_date=days[1])
    assert [card["start_date"] for card in plan.days().values()] == days[1:]
    assert plan.invalid() == set()


@pytest.mark.parametrize(("behavior", "end"), [("push", "9999-12-31"), ("maintain", "9999-12-30")])
def test_a_move_that_pushes_others_beyond_the_calendar_is_refused_whole(behavior: str, end: str, world: World) -> None:
    plan = plan_of(world, {"a": "1", "b": "2"}, "a>b", behavior)
    if behavior == "maintain":
        plan.write("card", plan.cards["b"], start_date="9999-12-30", end_date="9999-12-30")
    before = world.server.rows(world.environment_id)
    answer = plan.api.ask("PUT", plan.paths["a"], {"start_date": end, "end_date": end})
    assert (answer.status, answer.codes, [name for name, _ in answer.faults]) == (422, [10007], ["start_date"])
    assert world.server.rows(world.environment_id) == before


def test_only_the_board_of_the_moved_card_decides(world: World) -> None:
    plan = Plan(world, "notify")
    plan.add("a", "1")
    plan.behavior = "push"
    plan.add("b", "2 always")
    plan.add("c", "3 always")
    plan.relate("a>b")
    plan.relate("b>c")
    plan.move("a", "2")
    assert (plan.days()["b"], plan.invalid()) == (planned("2"), {"a>b"})
    plan.move("b", "3")
    assert (plan.days()["c"], plan.invalid()) == (planned("4"), set())


def test_cards_moved_inside_their_collection_move_what_depends_on_them_once(world: World) -> None:
    plan = plan_of(world, {"a": "1", "b": "2", "c": "3"}, "a>b b>c", "maintain")
    cards = [{"id": plan.cards["a"], **planned("2")}, {"id": plan.cards["b"], "name": "renamed"}, {"id": plan.cards["c"]}]
    plan.api.put(f"/v1/collection/{plan.board('usual')['collection']}", {"cards": cards})
    assert plan.days() == {"a": planned("2"), "b": planned("3"), "c": planned("4")}


def test_two_moves_at_once_leave_the_right_status(world: World) -> None:
    plan = plan_of(world, {"a": "1", "b": "2"}, "a>b")

    async def move_both(first: str, last: str) -> None:
        moves = (("a", first), ("b", last))
        answers = await asyncio.gather(*(plan.api.ask_async("PUT", plan.paths[name], planned(text)) for name, text in moves))
        assert [answer.status for answer in answers] == [200, 200]

    for first, last, invalid in (("4", "3", {"a>b"}), ("8", "9", set()), ("12", "11", {"a>b"}), ("15", "16", set())):
        plan.api.loop.run(move_both(first, last))
        assert plan.invalid() == invalid


def test_of_two_moves_that_have_not_seen_each_other_the_last_gives_the_status(world: World, backend: str) -> None:
    """Both have moved their card before either looks at the relation; to see it fail: read the relations without locking them."""
    if backend == "sqlite":
        pytest.skip("SQLite has one writer: no move is between another's beginning and end")
    plan = plan_of(world, {"a": "1", "b": "8"}, "a>b")
    both = threading.Barrier(2, timeout=30)

    def move(name: str, text: str) -> None:
        def work(tx: Transaction) -> None:
            row = tx.get(OBJECTS["card"], plan.cards[name])
            assert row is not None
            tx.update(OBJECTS["card"], row, planned(text))
            both.wait()

        world.server.database.write_now(world.environment_id, work)

    with ThreadPoolExecutor(2) as threads:
        for _ in range(8):  # in about half of them both look before either has committed
            list(threads.map(move, "ab", ("4", "3")))
            assert plan.invalid() == {"a>b"}
            list(threads.map(move, "ab", ("1", "8")))
            assert plan.invalid() == set()


@pytest.mark.parametrize("behavior", ["push", "maintain"])
def test_many_who_move_cards_of_one_chain_at_once_all_get_through(behavior: str, world: World) -> None:
    """To see it fail: lock all that depends on a card in the order of the ids; these cards were made last first."""
    names, chance = "abcdefgh", random.Random(3)
    relations = " ".join(f"{first}>{last}" for first, last in itertools.pairwise(names))
    plan = plan_of(world, {name: str(8 - place) for place, name in enumerate(reversed(names))}, f"{relations} a>d b>h", behavior)

    async def move_some() -> list[int]:
        moves = [(chance.choice(names), planned(str(chance.randint(1, 28)))) for _ in range(6)]
        answers = await asyncio.gather(*(plan.api.ask_async("PUT", plan.paths[name], when) for name, when in moves))
        return [answer.status for answer in answers]

    for _ in range(6):
        assert plan.api.loop.run(move_some()) == [200] * 6
    days = plan.days()
    ends = [(relation, relation[0], relation[-1]) for relation in plan.relations]
    assert plan.invalid() == {relation for relation, first, last in ends if days[first]["end_date"] >= days[last]["start_date"]}
