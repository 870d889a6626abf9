"""A job shop, planned: its machines become the stages of a board, its jobs orders, its operations cards with dates.

Like `jobshop` it knows nothing but the HTTP API, finds what an earlier run has made, and brings it to the state that it should
have. A planning call is answered before its cards are there, so it looks for them again, for a while.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from planwerk.seeds import CannotSeed, silent
from planwerk.seeds.client import Client, Json
from planwerk.seeds.dispatch import Run, first_come_first_served, timed
from planwerk.seeds.instances import Instance
from planwerk.seeds.jobshop import Loaded, Loading, agrees, count, steps
from planwerk.seeds.outcome import Outcome, outcome_of
from planwerk.seeds.shop import items_of
from planwerk.seeds.shop_board import put_board
from planwerk.seeds.shop_in_days import (
    Shop,
    activities_in_days,
    first_monday_after,
    most_visits,
    orders_in_days,
    resources_in_days,
)

PAUSES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, *[1.0] * 30)  # seconds between two looks for what the server does in the background
CARDS = "cards.activities,cards.resources,cards.relations"
JOBS = "collection.cards.resources"


def plan_steps(instance: Instance) -> int:
    """How often `progress` will be called: once for each object, for the board, for each planning call and each card."""
    more_activities = (most_visits(instance) - 1) * instance.machines
    return steps(instance) + more_activities + 1 + len(instance.jobs) + sum(map(len, timed(instance)))


def plan_instance(
    client: Client, instance: Instance, progress: Callable[[int], None] = silent, today: dt.date | None = None
) -> tuple[Loaded, Outcome]:
    """Load and plan an instance, and say what came of it. Raises `CannotSeed` with a sentence."""
    loading = Loading(client, f"jobshop-{instance.name}-", progress)
    first = first_day(loading, today or dt.datetime.now(dt.UTC).date())
    activities = loading.put_all("/activity", activities_in_days(instance))
    machines = loading.put_all("/resource", resources_in_days(instance, activities), with_="activities")
    shop = Shop(instance, activities, machines)
    board_id = put_board(loading, shop)
    items = loading.put_all("/item", items_of(instance))
    loading.put_all("/order", orders_in_days(shop, items, first), with_="order_rows", at_first={"board_id": board_id})
    planning = Planning(loading, shop, board_id, first)
    planning.plan_all(jobs_of(loading, instance))
    return loading.loaded, outcome_of(instance, first, machines, jobs_of(loading, instance), last_schedule(client, machines))


def first_day(loading: Loading, today: dt.date) -> dt.date:
    """The first day of the plan: that of an earlier run, else the first Monday after today."""
    order = loading.present("/order", "").get(f"{loading.prefix}job-0")
    return dt.date.fromisoformat(order["date"]) if order and order["date"] else first_monday_after(today)


def jobs_of(loading: Loading, instance: Instance) -> list[Json]:
    """The orders of the jobs, in their order, with their collections and cards."""
    found = loading.present("/order", JOBS)
    return [found[f"{loading.prefix}job-{number}"] for number in range(len(instance.jobs))]


def last_schedule(client: Client, machines: Iterable[str]) -> str:
    """The last day of which every machine has a schedule row; no capacity is judged behind it."""
    lists = [client.get(f"/resource/{id}/schedule", limit=1, sort="date:desc")["data"] for id in machines]
    return min((rows[0]["date"] if rows else "" for rows in lists), default="")


# ── the jobs ──


class Planning:
    """One run over the jobs of a shop whose board is there."""

    def __init__(self, loading: Loading, shop: Shop, board_id: str, first: dt.date) -> None:
        self.loading = loading
        self.client = loading.client
        self.shop = shop
        self.board_id = board_id
        self.first = first

    def plan_all(self, jobs: Sequence[Json]) -> None:
        """Plan every job that is not on the board yet, then put its cards in their sequence and on their days."""
        runs = first_come_first_served(self.shop.instance)
        for number, order in enumerate(jobs):
            self.plan(number, order)
            self.loading.progress(1)
        for number, order in enumerate(jobs):
            cards = self.cards_of(number, order["collection_id"])
            self.put_in_sequence(cards)
            self.put_on_days(cards, runs[number])

    def plan(self, number: int, order: Json) -> None:
        """Plan the collection of a job, unless it is."""
        collection = order["collection"]
        if collection is None:
            raise CannotSeed(f"{order['code']} has no collection any more; delete the order, and the next run makes it anew")
        if collection["status"] == "planned" and collection["board_id"] == self.board_id:
            return
        if collection["status"] == "ignored":
            raise CannotSeed(f"{order['code']} is ignored; set the status of its collection to not_planned first")
        if collection["status"] == "planned":
            raise CannotSeed(f"{order['code']} is planned on another board; move its collection to the backlog first")
        self.wait_for_minutes(number, order)
        self.client.create(f"/collection/{collection['id']}/board/{self.board_id}", {"start": self.first.isoformat()})

    def wait_for_minutes(self, number: int, order: Json) -> None:
        """A collection follows its order's rows in the background."""
        path, wanted = f"/collection/{order['collection_id']}", self.shop.minutes_of(number)

        def is_there() -> Json | None:
            collection = self.client.get(path, **{"with": "activities"})
            return collection if {item["id"]: item["time"] for item in collection["activities"]} == wanted else None

        self.wait_for(is_there, f"the collection of {order['code']} has other activities than the rows of its order")

    def cards_of(self, number: int, collection_id: str) -> list[Json]:
        """The cards of a job in the sequence of its operations."""
        code = f"{self.shop.instance.name} job {number}"

        def are_there() -> Json | None:
            collection = self.client.get(f"/collection/{collection_id}", **{"with": CARDS})
            return collection if collection["cards"] or not wanted else None

        wanted = [activity for activity in self.shop.activities_of(number) if activity]
        cards = self.wait_for(are_there, f"the cards of {code} are not there")["cards"]
        found = {card["activities"][0]["id"]: {**card, "collection_id": collection_id} for card in cards if card["activities"]}
        if len(cards) != len(wanted) or found.keys() != set(wanted):
            sentence = f"{code} has {len(cards)} cards, which are not one for each of its {len(wanted)} operations"
            raise CannotSeed(f"{sentence}; move its collection to the backlog first")
        return [found[activity] for activity in wanted]

    def put_in_sequence(self, cards: Sequence[Json]) -> None:
        """Each card blocks the next one."""
        for before, after in pairwise(cards):
            wanted = {"type": "blocks", "related_card_id": after["id"]}
            if not any(agrees(wanted, relation) for relation in before["relations"]):
                self.client.create("/card_relation", {**wanted, "card_id": before["id"]})

    def put_on_days(self, cards: Sequence[Json], runs: Sequence[Run]) -> None:
        """Each card gets its days and its machine; the last one first, so that no card pushes another along."""
        for card, run in reversed(list(zip(cards, runs, strict=True))):
            first, last = (self.first + dt.timedelta(days=day) for day in (run.start, run.end - 1))
            machine = [{"id": self.shop.machines[run.machine]}]
            body = {"start_date": first.isoformat(), "end_date": last.isoformat(), "resources": machine}
            is_right = agrees(body, card)
            if not is_right:
                self.client.update(f"/collection/{card['collection_id']}/card/{card['id']}", body)
            count(self.loading.loaded.unchanged if is_right else self.loading.loaded.updated, "/card")
            self.loading.progress(1)

    def wait_for(self, look: Callable[[], Json | None], sentence: str) -> Json:
        """What a look finds, sooner or later."""
        for pause in PAUSES:
            found = look()
            if found is not None:
                return found
            self.client.sleep(pause)
        raise CannotSeed(f"{sentence}, even after {sum(PAUSES):.0f} seconds; is background work done, by the server or `planwerk worker`?")
