"""A job shop planned through the API: every operation has its machine to itself, every job keeps its sequence, and a run
leaves what the one before has made.

To see it fail: let `first_come_first_served` forget when a machine is free, date the cards from the first to the last, or
take today instead of the first day of an earlier run.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from tests.client import Client as Caller
from tests.server import Server
from tests.through import FT06, Through

from planwerk.seeds import CannotSeed
from planwerk.seeds.client import Client, Json
from planwerk.seeds.dispatch import first_come_first_served, makespan, timed
from planwerk.seeds.instances import Instance, Operation
from planwerk.seeds.jobshop import Loaded, load_instance
from planwerk.seeds.jobshop_plan import PAUSES, plan_instance, plan_steps
from planwerk.seeds.outcome import Outcome

TINY = Instance(  # the first job returns to a machine, the second has an operation that takes no time
    "tiny",
    (
        (Operation(0, 3), Operation(1, 2), Operation(0, 1)),
        (Operation(1, 2), Operation(0, 0)),
        (Operation(0, 2), Operation(1, 4)),
    ),
    8,
    9,
)
ALL_OF_TINY = {"activity": 4, "resource": 2, "board": 1, "item": 3, "order": 3}
WRITES_OF_TINY = 26  # those objects, the machines on the board, three planning calls, three relations and six cards
COLLECTIONS = "cards.activities,cards.resources,cards.relations,cards.stage,order"


@pytest.fixture
def through(api: Caller) -> Through:
    return Through(api)


@pytest.fixture
def client(through: Through, server: Server) -> Iterator[Client]:
    """While it waits the server does its background work."""

    def work(_: float) -> None:
        server.work()

    with Client("http://planwerk.invalid/v1", "key", "env", transport=through, sleep=work) as client:
        yield client


def plan(client: Client, instance: Instance = TINY, today: dt.date | None = None) -> tuple[Loaded, Outcome]:
    return plan_instance(client, instance, today=today)


def collections(api: Caller) -> list[Json]:
    """The collections of the jobs in their order, each with its cards by date."""
    found: list[Json] = api.get("/v1/collection", with_=COLLECTIONS, sort="name")["data"]
    for collection in found:
        collection["cards"].sort(key=lambda card: card["start_date"])
    return found


def days(card: Json) -> tuple[dt.date, dt.date]:
    return dt.date.fromisoformat(card["start_date"]), dt.date.fromisoformat(card["end_date"])


def placed(api: Caller) -> list[list[tuple[str, str, str]]]:
    """(machine, first day, last day) of each card of each job."""
    return [
        [(card["resources"][0]["name"], card["start_date"], card["end_date"]) for card in collection["cards"]]
        for collection in collections(api)
    ]


# ── a plan ──


@pytest.mark.parametrize("instance", [FT06, TINY], ids=lambda instance: instance.name)
def test_every_operation_is_a_card_of_so_many_days_on_the_stage_of_its_machine(instance: Instance, client: Client, api: Caller) -> None:
    plan(client, instance)
    for collection, job in zip(collections(api), timed(instance), strict=True):
        lengths = [(last - first).days + 1 for first, last in map(days, collection["cards"])]
        assert lengths == [operation.minutes for operation in job]
        assert [card["time"] for card in collection["cards"]] == [480 * operation.minutes for operation in job]
        assert [card["stage"]["name"] for card in collection["cards"]] == [f"Machine {operation.machine}" for operation in job]
        machines = [[resource["name"] for resource in card["resources"]] for card in collection["cards"]]
        assert machines == [[f"Machine {operation.machine} ({instance.name})"] for operation in job]


@pytest.mark.parametrize("instance", [FT06, TINY], ids=lambda instance: instance.name)
def test_no_machine_does_two_operations_at_once_and_every_job_keeps_its_sequence(instance: Instance, client: Client, api: Caller) -> None:
    plan(client, instance)
    taken: set[tuple[str, dt.date]] = set()
    for collection in collections(api):
        for before, after in pairwise(collection["cards"]):
            assert days(before)[1] < days(after)[0]
            assert [(relation["type"], relation["related_card_id"], relation["status"]) for relation in before["relations"]] == [
                ("blocks", after["id"], "valid")
            ]
        for card in collection["cards"]:
            first, last = days(card)
            own = {(card["resources"][0]["id"], first + dt.timedelta(days=day)) for day in range((last - first).days + 1)}
            assert own.isdisjoint(taken)
            taken |= own
        assert collection["warnings"] == []


def test_the_outcome_says_what_the_board_says(client: Client, api: Caller) -> None:
    _, outcome = plan(client, FT06)
    cards = [card for collection in collections(api) for card in collection["cards"]]
    first, last = min(days(card)[0] for card in cards), max(days(card)[1] for card in cards)
    assert (outcome.first, outcome.last) == (first, last)
    assert first.weekday() == 0
    assert makespan(outcome.jobs) == (last - first).days + 1 == makespan(first_come_first_served(FT06)) == 65
    assert (outcome.warnings.total(), outcome.judged_until > last.isoformat()) == (0, True)


def test_the_board_counts_the_work_of_a_machine_and_never_too_much_of_it(client: Client, api: Caller) -> None:
    _, outcome = plan(client, FT06)
    (board,) = api.get("/v1/board")["data"]
    first, last = outcome.first.isoformat(), outcome.last.isoformat()
    for name in ("stage", "resource"):
        periods = api.get(f"/v1/board/{board['id']}/capacity/{name}", date_range_start=first, date_range_end=last)["data"]
        figures = [(item["time_planned"], item["time_available"]) for period in periods for item in period[name]]
        assert {available for _, available in figures} == {480}
        assert {planned for planned, _ in figures} == {0, 480}
        assert sum(planned for planned, _ in figures) == 480 * FT06.minutes


def test_the_progress_ends_where_it_was_said_to_end(client: Client) -> None:
    for instance in (FT06, TINY):
        progress: list[int] = []
        plan_instance(client, instance, progress.append)
        assert sum(progress) == plan_steps(instance)


# ── once more ──


def test_a_second_run_writes_nothing(client: Client, through: Through, api: Caller) -> None:
    assert plan(client)[0] == Loaded(created=ALL_OF_TINY, updated={"card": 6})
    before, writes = placed(api), list(through.writes)
    assert plan(client)[0] == Loaded(unchanged={**ALL_OF_TINY, "card": 6})
    assert (through.writes, placed(api)) == (writes, before)


def test_a_later_run_keeps_the_first_day(client: Client, api: Caller) -> None:
    today = dt.date(2026, 11, 26)
    assert plan(client, today=today)[1].first == dt.date(2026, 11, 30)
    before = placed(api)
    assert plan(client, today=today + dt.timedelta(days=40))[1].first == dt.date(2026, 11, 30)
    assert placed(api) == before


@pytest.mark.parametrize("patience", [0, 6, 7, 13, 16, 19, 25])
def test_an_interrupted_run_is_finished_by_the_next(patience: int, client: Client, through: Through, api: Caller) -> None:
    through.patience = patience
    with pytest.raises(KeyboardInterrupt):
        plan(client)
    through.patience = 10_000
    _, outcome = plan(client)
    assert outcome.jobs == tuple(tuple(runs) for runs in first_come_first_served(TINY))
    assert (outcome.warnings.total(), len(through.writes)) == (0, WRITES_OF_TINY)


def test_an_instance_that_was_only_loaded_is_planned_with_its_time_in_days(client: Client, server: Server, api: Caller) -> None:
    load_instance(client, FT06)
    loaded, outcome = plan(client, FT06)
    assert loaded.updated == {"activity": 6, "resource": 6, "order": 6, "card": 36}
    assert makespan(outcome.jobs) == 65
    assert plan(client, FT06)[0].updated == {}


Change = Callable[[Caller, list[Json]], Any]


def move(api: Caller, jobs: list[Json]) -> None:
    card = jobs[0]["cards"][0]
    api.put(f"/v1/collection/{jobs[0]['id']}/card/{card['id']}", {"start_date": "2027-06-01", "end_date": "2027-06-02"})


def stretch(api: Caller, jobs: list[Json]) -> None:
    """The first card lies too early, and the second is so long that it would push the third along if the first came back first."""
    first, second, third = jobs[0]["cards"]
    before = dt.date.fromisoformat(first["start_date"]) - dt.timedelta(days=30)
    end = dt.date.fromisoformat(third["start_date"]) - dt.timedelta(days=1)
    for card, start, last in ((first, before, before), (second, before + dt.timedelta(days=1), end)):
        api.put(f"/v1/collection/{jobs[0]['id']}/card/{card['id']}", {"start_date": start.isoformat(), "end_date": last.isoformat()})


def staff_otherwise(api: Caller, jobs: list[Json]) -> None:
    card, resource = jobs[0]["cards"][0], api.post("/v1/resource", {"name": "Stand-in"})
    api.put(f"/v1/collection/{jobs[0]['id']}/card/{card['id']}", {"resources": [{"id": resource["id"]}]})


def forget_the_sequence(api: Caller, jobs: list[Json]) -> None:
    api.delete(f"/v1/card_relation/{jobs[0]['cards'][0]['relations'][0]['id']}")


def take_off_the_board(api: Caller, jobs: list[Json]) -> None:
    api.put(f"/v1/collection/{jobs[0]['id']}/backlog", {})


def close_the_weekends(api: Caller, jobs: list[Json]) -> None:
    api.put(f"/v1/board/{jobs[0]['board_id']}", {"workdays": {"6": False, "7": False}})


def put_a_stage_in_order(api: Caller, jobs: list[Json]) -> None:
    api.put(f"/v1/stage/{jobs[0]['cards'][0]['stage']['id']}", {"independent": False, "resources": [], "activities": []})


@pytest.mark.parametrize(
    "change", [move, stretch, staff_otherwise, forget_the_sequence, take_off_the_board, close_the_weekends, put_a_stage_in_order]
)
def test_what_was_changed_since_is_put_right(change: Change, client: Client, server: Server, api: Caller) -> None:
    plan(client)
    before = placed(api)
    change(api, collections(api))
    server.work()
    _, outcome = plan(client)
    assert (placed(api), outcome.warnings.total()) == (before, 0)
    relations = [[len(card["relations"]) for card in collection["cards"]] for collection in collections(api)]
    assert relations == [[1, 1, 0], [0], [1, 0]]
    assert plan(client)[0].updated == {}


def test_what_people_have_put_on_the_board_stays(client: Client, api: Caller) -> None:
    plan(client)
    (board,) = api.get("/v1/board")["data"]
    api.post("/v1/stage", {"board_id": board["id"], "name": "Packing", "priority": 9})
    api.put(f"/v1/stage/{api.ids('/v1/stage')[0]}", {"name": "Saw"})
    plan(client)
    assert set(api.names("/v1/stage")) == {"Saw", "Machine 0", "Machine 1", "Packing"}


# ── what cannot be planned ──


def ignore(api: Caller, jobs: list[Json]) -> None:
    take_off_the_board(api, jobs)
    api.put(f"/v1/collection/{jobs[0]['id']}", {"status": "ignored"})


def plan_elsewhere(api: Caller, jobs: list[Json]) -> None:
    board = api.post("/v1/board", {"name": "Elsewhere"})
    api.post(f"/v1/collection/{jobs[0]['id']}/board/{board['id']}", {}, expect=200)


def delete_a_card(api: Caller, jobs: list[Json]) -> None:
    api.delete(f"/v1/collection/{jobs[0]['id']}/card/{jobs[0]['cards'][0]['id']}")


def split_a_card(api: Caller, jobs: list[Json]) -> None:
    parts = [{"date": "2027-06-01", "time": 480}, {"date": "2027-06-02", "time": 960}]
    api.post(f"/v1/collection/{jobs[0]['id']}/card/{jobs[0]['cards'][0]['id']}/split", {"date_parts": parts}, expect=200)


def lock_a_moved_card(api: Caller, jobs: list[Json]) -> None:
    move(api, jobs)
    api.post(f"/v1/collection/{jobs[0]['id']}/card/{jobs[0]['cards'][0]['id']}/lock", expect=200)


def estimate_by_hand(api: Caller, jobs: list[Json]) -> None:
    take_off_the_board(api, jobs)
    link = jobs[0]["cards"][0]["activities"][0]["id"]
    api.put(f"/v1/collection/{jobs[0]['id']}", {"activities": [{"id": link, "time": 5}]})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (ignore, "tiny job 0 is ignored; set the status of its collection to not_planned first"),
        (plan_elsewhere, "tiny job 0 is planned on another board; move its collection to the backlog first"),
        (delete_a_card, "tiny job 0 has 2 cards, which are not one for each of its 3 operations; move its collection to the backlog first"),
        (split_a_card, "tiny job 0 has 4 cards, which are not one for each of its 3 operations; move its collection to the backlog first"),
        (lock_a_moved_card, "was refused: 409 the card is locked: its planning cannot be changed until it is unlocked"),
        (estimate_by_hand, "the collection of tiny job 0 has other activities than the rows of its order, even after 31 seconds"),
    ],
)
def test_what_people_have_decided_otherwise_is_said_in_a_sentence(change: Change, sentence: str, client: Client, api: Caller) -> None:
    plan(client)
    change(api, collections(api))
    with pytest.raises(CannotSeed) as refused:
        plan(client)
    assert sentence in str(refused.value)


def test_a_job_whose_collection_is_gone_is_not_planned(client: Client, api: Caller) -> None:
    plan(client)
    order = api.get("/v1/order", sort="code")["data"][0]
    other = api.post("/v1/collection", {"name": "A detour"})
    api.put(f"/v1/order/{order['id']}", {"collection_id": other["id"]})
    api.delete(f"/v1/collection/{other['id']}")
    with pytest.raises(CannotSeed, match="tiny job 0 has no collection any more; delete the order"):
        plan(client)


def test_cards_that_do_not_come_are_waited_for_and_then_given_up(through: Through) -> None:
    waited: list[float] = []
    with (
        Client("http://planwerk.invalid/v1", "key", "env", transport=through, sleep=waited.append) as client,
        pytest.raises(CannotSeed, match="the cards of tiny job 0 are not there, even after 31 seconds; is background work done"),
    ):
        plan(client)
    assert waited == list(PAUSES)
