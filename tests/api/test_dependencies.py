"""What card may depend on what, and whether the dates keep it; the days are those of `tests/depending.py`.

To see it fail: leave out `refuse_circles`, or let the upkeep watch `card_relation` alone.
"""

import asyncio
from typing import Any

import pytest
from tests.depending import TYPES, Plan, plan_of, planned
from tests.world import World

# ── whether the dates keep a relation ──


@pytest.mark.parametrize(
    ("first", "last", "status"),
    [
        ("1-2", "3", "valid"),
        ("1-2", "2-3", "invalid"),
        ("3", "3", "invalid"),
        ("5", "8", "valid"),
        ("5", "1", "invalid"),
        ("3 08:00-10:00", "3 10:00-11:00", "valid"),
        ("3 08:00-10:00", "3 09:59-11:00", "invalid"),
        ("3 08:00-10:00", "3", "invalid"),
        ("3", "3 10:00-11:00", "invalid"),
        ("3 08:00-10:00", "4", "valid"),
        ("", "3", "valid"),
        ("3", "", "valid"),
        ("", "", "valid"),
    ],
)
@pytest.mark.parametrize("kind", [">", "<", "-", "="])
def test_a_relation_is_invalid_exactly_if_the_dates_break_it(kind: str, first: str, last: str, status: str, world: World) -> None:
    plan = plan_of(world, {"a": first, "b": last}, "")
    made = plan.relate("b<a" if kind == "<" else f"a{kind}b")
    assert made["status"] == (status if kind in "<>" else "valid")


@pytest.mark.parametrize(
    ("name", "text", "status"),
    [
        ("a", "3", "invalid"),
        ("a", "2 08:00-10:00", "valid"),
        ("a", "", "valid"),
        ("b", "2", "invalid"),
        ("b", "", "valid"),
    ],
)
def test_the_status_follows_whichever_card_is_moved(name: str, text: str, status: str, world: World) -> None:
    plan = plan_of(world, {"a": "1-2", "b": "3"}, "a>b")
    plan.move(name, text)
    found = plan.api.get(f"/v1/card_relation/{plan.relations['a>b']}")
    assert found["status"] == status


def test_a_relation_whose_status_stays_is_not_touched(world: World) -> None:
    plan = plan_of(world, {"a": "1-2", "b": "10"}, "a>b")
    path = f"/v1/card_relation/{plan.relations['a>b']}"
    tag = plan.api.ask("GET", path).headers["etag"]
    plan.move("a", "2-3")
    plan.put("a", name="renamed")
    assert plan.api.ask("GET", path).headers["etag"] == tag


def test_a_card_with_a_first_day_alone_ends_on_it(world: World) -> None:
    plan = plan_of(world, {"a": "", "b": "3"}, "a>b")
    for start, invalid in (("02", set()), ("03", {"a>b"})):
        plan.put("a", start_date=f"2026-06-{start}", end_date=None)
        plan.write("card", plan.cards["a"], end_date=None)
        assert plan.invalid() == invalid


# ── what is refused ──


@pytest.mark.parametrize(
    ("relations", "closing"),
    [
        ("a>b", "b>a"),
        ("a>b", "a<b"),
        ("a<b", "a>b"),
        ("a<b", "b<a"),
        ("a>b b>c", "c>a"),
        ("a>b b>c", "a<c"),
        ("b<a c<b", "c>a"),
        ("a>b a>c b>d c>d", "d>a"),
        ("a>b b>c c>d", "b<d"),
    ],
)
def test_a_cycle_is_refused_and_nothing_has_changed(relations: str, closing: str, world: World) -> None:
    plan = plan_of(world, dict.fromkeys("abcd", "1"), relations)
    before = world.server.rows(world.environment_id)
    answer = plan.api.ask("POST", "/v1/card_relation", plan.relation(closing))
    assert (answer.status, answer.codes, [name for name, _ in answer.faults]) == (422, [10007], ["related_card_id"])
    assert "cycle" in answer.faults[0][1]
    assert world.server.rows(world.environment_id) == before


@pytest.mark.parametrize("relations", ["a>b a>c b>d c>d", "a>b b>c a>c", "a-b b-a a-a2", "a>b b-a b=a"])
def test_what_is_no_cycle_is_taken(relations: str, world: World) -> None:
    plan = plan_of(world, dict.fromkeys(("a", "a2", "b", "c", "d"), "1"), relations)
    assert len(plan.relations) == len(relations.split())


@pytest.mark.parametrize("kind", list(TYPES.values()))
def test_a_card_has_no_relation_with_itself(kind: str, world: World) -> None:
    card = world.id("card")
    answer = world.client.ask("POST", "/v1/card_relation", {"type": kind, "card_id": card, "related_card_id": card})
    assert (answer.status, [name for name, _ in answer.faults]) == (422, ["related_card_id"])
    assert world.client.get("/v1/card_relation")["count"] == 0


@pytest.mark.parametrize("again", ["a>b", "b<a"])
def test_the_same_dependency_is_taken_once(again: str, world: World) -> None:
    plan = plan_of(world, {"a": "1", "b": "2"}, "a>b")
    answer = plan.api.ask("POST", "/v1/card_relation", plan.relation(again))
    assert (answer.status, [name for name, _ in answer.faults]) == (422, ["related_card_id"])
    assert "the same dependency already" in answer.faults[0][1]
    assert plan.api.get("/v1/card_relation")["count"] == 1


@pytest.mark.parametrize("kind", ["-", "="])
def test_what_says_nothing_about_time_may_be_said_again(kind: str, world: World) -> None:
    plan = plan_of(world, {"a": "1", "b": "2"}, f"a{kind}b")
    plan.api.post("/v1/card_relation", plan.relation(f"a{kind}b"))


def test_a_card_of_another_environment_is_no_card(world: World, other: World) -> None:
    theirs, mine = other.id("card"), world.id("card")
    for body, name in (
        ({"card_id": mine, "related_card_id": theirs}, "related_card_id"),
        ({"card_id": theirs, "related_card_id": mine}, "card_id"),
    ):
        answer = world.client.ask("POST", "/v1/card_relation", {"type": "blocks", **body})
        assert (answer.status, [fault for fault, _ in answer.faults]) == (422, [name])


def test_two_who_close_a_cycle_together_do_not_both_succeed(world: World) -> None:
    plan = plan_of(world, dict.fromkeys("abcdef", "1"), "")
    ring = [f"{first}>{last}" for first, last in zip("abcdef", "bcdefa", strict=True)]

    async def ask_all() -> list[int]:
        asked = (plan.api.ask_async("POST", "/v1/card_relation", plan.relation(relation)) for relation in ring)
        return [answer.status for answer in await asyncio.gather(*asked)]

    assert sorted(plan.api.loop.run(ask_all())) == [201] * 5 + [422]


# ── nested in a card ──


def nested(plan: Plan, *relations: str) -> list[dict[str, Any]]:
    bodies = (plan.relation(relation) for relation in relations)
    return [{name: value for name, value in body.items() if name != "card_id"} for body in bodies]


def test_relations_are_written_inside_their_card(world: World) -> None:
    plan = plan_of(world, {"a": "1", "b": "2", "c": "1"}, "")
    plan.put("a", relations=nested(plan, "a>b", "a>c"))
    found = plan.api.get("/v1/card_relation", sort="status:asc")["data"]
    assert [(item["type"], item["card_id"], item["status"]) for item in found] == [
        ("blocks", plan.cards["a"], "invalid"),
        ("blocks", plan.cards["a"], "valid"),
    ]


def test_the_same_relations_may_be_sent_again_and_replaced_by_their_reverse(world: World) -> None:
    plan = plan_of(world, {"a": "1", "b": "2"}, "")
    for relation in ("a>b", "a>b", "a<b"):
        plan.put("a", relations=nested(plan, relation))
        [found] = plan.api.get("/v1/card_relation")["data"]
        assert found["type"] == TYPES[relation[1]]


@pytest.mark.parametrize(
    ("relations", "place"),
    [(("a>c", "a<b"), "related_card_id"), (("a>b", "a>b"), "related_card_id"), (("a-b", "a>a"), "relations[1].related_card_id")],
)
def test_a_cycle_inside_a_card_is_refused_and_nothing_has_changed(relations: tuple[str, ...], place: str, world: World) -> None:
    plan = plan_of(world, {"a": "1", "b": "2", "c": "3"}, "c>b", "push")
    before = world.server.rows(world.environment_id)
    answer = plan.api.ask("PUT", plan.paths["a"], {**planned("4"), "relations": nested(plan, *relations)})
    assert (answer.status, [name for name, _ in answer.faults]) == (422, [place])
    assert world.server.rows(world.environment_id) == before


def test_a_new_card_brings_its_relations(world: World) -> None:
    plan = plan_of(world, {"b": "2"}, "")
    relations = [{"type": "blocks", "related_card_id": plan.cards["b"]}]
    made = plan.api.post(f"/v1/collection/{plan.board('usual')['collection']}/card", {**planned("2"), "relations": relations})
    [found] = plan.api.get("/v1/card_relation", filter=f"card_id:eq:{made['id']}")["data"]
    assert found["status"] == "invalid"


# ── the end of a relation ──


@pytest.mark.parametrize("name", ["a", "b"])
@pytest.mark.parametrize("relation", ["a>b", "a<b", "a-b", "a=b"])
def test_a_relation_goes_with_either_of_its_cards(relation: str, name: str, world: World) -> None:
    plan = plan_of(world, {"a": "1", "b": "2", "c": "3"}, f"{relation} a-c b-c")
    plan.api.delete(plan.paths[name])
    assert plan.api.refused("GET", f"/v1/card_relation/{plan.relations[relation]}")[0] == 404
    assert plan.api.get("/v1/card_relation")["count"] == 1


def test_relations_go_with_the_collection_of_a_card(world: World) -> None:
    plan = plan_of(world, {"a": "1", "b": "2 always"}, "a>b")
    plan.api.delete(f"/v1/collection/{plan.board('usual')['collection']}")
    assert plan.api.get("/v1/card_relation")["count"] == 0


def test_a_deleted_dependency_holds_nothing_any_more(world: World) -> None:
    plan = plan_of(world, {"a": "1", "b": "2"}, "a>b", "push")
    plan.api.delete(f"/v1/card_relation/{plan.relations['a>b']}")
    plan.move("a", "9")
    assert plan.days()["b"] == planned("2")
    plan.relate("b>a")
