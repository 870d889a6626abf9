"""The times of cards, their activities and their resources follow from what was estimated and tracked, on both databases.

To see it fail: leave "activity" out of `WATCHES` in `rules/estimates.py`, count rejected entries in `store/tracked.py`, or let
`shared` give its rest to the last resource.
"""

import asyncio
from dataclasses import dataclass, field as attribute
from typing import Any

import pytest
from tests.client import Answer, Client
from tests.world import World


@dataclass
class Workshop:
    """A collection with one card, and what work on it needs, by name."""

    api: Client
    path: str
    activities: dict[str, str] = attribute(default_factory=dict)
    resources: dict[str, str] = attribute(default_factory=dict)

    @property
    def collection(self) -> str:
        return self.path.split("/")[3]

    @property
    def card_id(self) -> str:
        return self.path.rpartition("/")[2]

    def change(self, **body: Any) -> dict[str, Any]:
        changed: dict[str, Any] = self.api.put(self.path, body)
        return changed

    def track(self, minutes: int, activity: str | None = None, **more: Any) -> dict[str, Any]:
        activity_id = self.activities[activity] if activity else None
        body = {"card_id": self.card_id, "activity_id": activity_id, "duration": minutes, **more}
        entry: dict[str, Any] = self.api.post("/v1/time_tracking", body)
        return entry

    def card(self) -> tuple[int | None, int | None]:
        card = self.api.get(self.path)
        return card["time"], card["time_remaining"]

    def links(self, path: str = "") -> dict[str, tuple[int | None, ...]]:
        """(time, time_remaining, time_original) of each activity of the card, or of another object that has activities."""
        names = {id: name for name, id in self.activities.items()}
        found = self.api.get(path or self.path, with_="activities")["activities"]
        return {names[item["id"]]: (item["time"], item["time_remaining"], item["time_original"]) for item in found}

    def shares(self) -> dict[str, tuple[int | None, ...]]:
        names = {id: name for name, id in self.resources.items()}
        found = self.api.get(self.path, with_="resources")["resources"]
        return {names[item["id"]]: (item["time"], item["time_remaining"]) for item in found}

    def work(self, **minutes: int | None) -> list[dict[str, Any]]:
        """Activities as a body names them."""
        return [{"id": self.activities[name], **({} if time is None else {"time": time})} for name, time in minutes.items()]

    def people(self, *names: str) -> list[dict[str, Any]]:
        return [{"id": self.resources[name]} for name in names]


KINDS = {"saw": "machine", "glue": "employee", "bake": "cell"}
RESOURCES = {"ann": "employee", "bob": "employee", "mill": "machine"}


@pytest.fixture
def shop(api: Client, world: World) -> Workshop:
    path = f"/v1/collection/{world.id('collection')}/card"
    card = api.post(path, {"name": "a table", "board_id": world.id("board")})
    shop = Workshop(api, f"{path}/{card['id']}")
    for number, (name, kind) in enumerate(KINDS.items(), 1):
        body = {"description": name, "resource_type": kind, "default_duration": 100 * number}
        shop.activities[name] = api.post("/v1/activity", body)["id"]
    for name, kind in RESOURCES.items():
        shop.resources[name] = api.post("/v1/resource", {"name": name, "type": kind})["id"]
    return shop


# ── the card ──


@pytest.mark.parametrize(
    ("given", "tracked", "then"),
    [
        (None, (), (None, None)),
        (90, (), (90, 90)),
        (90, (30,), (90, 60)),
        (90, (60, 60), (90, 0)),
        (None, (30,), (None, None)),
        (0, (), (0, 0)),
    ],
)
def test_a_card_without_activities_keeps_its_time_and_what_was_not_tracked_of_it_remains(
    shop: Workshop, given: int | None, tracked: tuple[int, ...], then: tuple[int | None, int | None]
) -> None:
    shop.change(time=given)
    for minutes in tracked:
        shop.track(minutes)
    assert shop.card() == then


def test_a_card_with_activities_takes_as_long_as_they_do(shop: Workshop) -> None:
    assert shop.change(time=5, activities=shop.work(saw=60, glue=30))["time"] == 90
    assert shop.change(time=5)["time"] == 90
    assert shop.change(activities=shop.work(glue=30))["time"] == 30
    assert shop.change(activities=[], time=7)["time"] == 7


@pytest.mark.parametrize(
    ("tracked", "links", "card"),
    [
        ({}, {"saw": 60, "glue": 30}, 90),
        ({"saw": 45}, {"saw": 15, "glue": 30}, 45),
        ({"saw": 80}, {"saw": 0, "glue": 30}, 30),
        ({None: 20}, {"saw": 60, "glue": 30}, 70),
        ({"bake": 20}, {"saw": 60, "glue": 30}, 70),
        ({"saw": 60, None: 31}, {"saw": 0, "glue": 30}, 0),
    ],
    ids=str,
)
def test_tracked_time_is_taken_off_its_activity_and_otherwise_off_the_card(
    shop: Workshop, tracked: dict[str | None, int], links: dict[str, int], card: int
) -> None:
    shop.change(activities=shop.work(saw=60, glue=30))
    for activity, minutes in tracked.items():
        shop.track(minutes, activity)
    assert {name: found[1] for name, found in shop.links().items()} == links
    assert shop.card() == (90, card)


def test_sums_beyond_what_a_number_can_say_stop_there(shop: Workshop) -> None:
    most = 2**53 - 1
    assert shop.change(activities=shop.work(saw=most, glue=most))["time"] == most


def test_the_answer_to_a_link_change_shows_the_new_times(shop: Workshop) -> None:
    card = shop.api.put(shop.path, {"activities": shop.work(saw=None)}, with_="activities")
    assert (card["time"], card["time_remaining"]) == (100, 100)
    assert [item["time"] for item in card["activities"]] == [100]


def test_a_timer_that_runs_shows_on_the_card_and_has_no_minutes_yet(shop: Workshop) -> None:
    shop.change(time=60)
    entry = shop.api.post("/v1/time_tracking", {"card_id": shop.card_id, "start": "2026-03-02T08:00:00Z"})
    assert shop.api.get(shop.path)["time_tracking_running"] is True
    assert shop.card() == (60, 60)
    shop.api.put(f"/v1/time_tracking/{entry['id']}", {"end": "2026-03-02T08:45:00Z"})
    assert shop.api.get(shop.path)["time_tracking_running"] is False
    assert shop.card() == (60, 15)


def test_a_deleted_timer_does_not_run(shop: Workshop) -> None:
    entry = shop.api.post("/v1/time_tracking", {"card_id": shop.card_id, "start": "2026-03-02T08:00:00Z"})
    shop.api.delete(f"/v1/time_tracking/{entry['id']}")
    assert shop.api.get(shop.path)["time_tracking_running"] is False


# ── entries come, change and go ──


@pytest.mark.parametrize(
    ("body", "remaining"),
    [
        ({"duration": 10}, 80),
        ({"status": "rejected"}, 90),
        ({"status": "approved"}, 60),
        ({"note": "it was hot"}, 60),
        (None, 90),
    ],
    ids=str,
)
def test_what_remains_follows_every_change_of_an_entry(shop: Workshop, body: dict[str, Any] | None, remaining: int) -> None:
    shop.change(time=90)
    path = f"/v1/time_tracking/{shop.track(30, status='pending')['id']}"
    shop.api.delete(path) if body is None else shop.api.put(path, body)
    assert shop.card() == (90, remaining)


def test_an_entry_that_moves_to_another_card_counts_there(shop: Workshop, api: Client) -> None:
    shop.change(time=90)
    other = api.post(shop.path.rpartition("/")[0], {"name": "a chair", "time": 50})
    api.put(f"/v1/time_tracking/{shop.track(30)['id']}", {"card_id": other["id"]})
    assert shop.card() == (90, 90)
    assert api.get(f"{shop.path.rpartition('/')[0]}/{other['id']}")["time_remaining"] == 20


def test_an_entry_that_moves_to_another_activity_counts_there(shop: Workshop, api: Client) -> None:
    shop.change(activities=shop.work(saw=60, glue=30))
    api.put(f"/v1/time_tracking/{shop.track(30, 'saw')['id']}", {"activity_id": shop.activities["glue"]})
    assert shop.links() == {"saw": (60, 60, 60), "glue": (30, 0, 30)}


# ── the links to activities ──


def test_an_estimate_that_is_left_out_is_the_default_of_the_activity(shop: Workshop) -> None:
    shop.change(activities=shop.work(saw=None, glue=None))
    assert shop.links() == {"saw": (100, 100, 100), "glue": (200, 200, 200)}


def test_the_first_estimate_is_kept(shop: Workshop) -> None:
    shop.change(activities=shop.work(saw=60))
    shop.change(activities=shop.work(saw=80))
    assert shop.links() == {"saw": (80, 80, 60)}


def test_an_estimate_that_is_cleared_becomes_the_default_again(shop: Workshop) -> None:
    shop.change(activities=shop.work(saw=60))
    shop.change(activities=[{"id": shop.activities["saw"], "time": None}])
    assert shop.links() == {"saw": (100, 100, 60)}


def test_a_default_that_changes_later_leaves_estimates_alone(shop: Workshop, api: Client) -> None:
    shop.change(activities=shop.work(saw=None))
    api.put(f"/v1/activity/{shop.activities['saw']}", {"default_duration": 7})
    assert shop.links() == {"saw": (100, 100, 100)}


def test_links_made_and_undone_one_by_one_count_at_once(shop: Workshop, api: Client) -> None:
    one = f"{shop.path}/activity/{shop.activities['saw']}"
    api.put(one, {"time": 60}, expect=204)
    api.put(f"{shop.path}/activity/{shop.activities['glue']}", expect=204)
    assert shop.card() == (260, 260)
    api.delete(one)
    assert shop.card() == (200, 200)


def test_derived_times_of_a_link_cannot_be_written(shop: Workshop) -> None:
    shop.change(activities=[{"id": shop.activities["saw"], "time": 60, "time_remaining": 1, "time_original": 2}])
    assert shop.links() == {"saw": (60, 60, 60)}


def test_a_deleted_activity_counts_no_more(shop: Workshop, api: Client) -> None:
    shop.change(activities=shop.work(saw=60, glue=30))
    shop.track(10, "saw")
    api.delete(f"/v1/activity/{shop.activities['saw']}")
    assert shop.card() == (30, 20)


# ── the resources ──


@pytest.mark.parametrize(
    ("activities", "people", "then"),
    [
        ({"glue": 31}, ("ann", "bob"), {"ann": 16, "bob": 15}),
        ({"glue": 30, "saw": 60}, ("ann", "mill"), {"ann": 30, "mill": 60}),
        ({"glue": 30, "saw": 60}, ("ann", "bob", "mill"), {"ann": 15, "bob": 15, "mill": 60}),
        ({"saw": 60}, ("ann", "bob"), {"ann": 30, "bob": 30}),
        ({"glue": 30, "bake": 9}, ("ann", "mill"), {"ann": 35, "mill": 4}),
        ({"glue": 30}, (), {}),
        ({}, ("ann", "mill"), {"ann": 10, "mill": 10}),
    ],
    ids=str,
)
def test_work_falls_to_the_resources_of_its_type_and_else_to_all(
    shop: Workshop, activities: dict[str, int], people: tuple[str, ...], then: dict[str, int]
) -> None:
    """The ids of the resources grow with their age, so the first one made gets what cannot be shared."""
    shop.change(time=20, activities=shop.work(**activities), resources=shop.people(*people))
    assert {name: time for name, (time, _) in shop.shares().items()} == then
    assert shop.shares() == {name: (time, time) for name, time in then.items()}


def test_what_remains_for_the_resources_is_what_remains_of_the_card(shop: Workshop) -> None:
    shop.change(activities=shop.work(saw=60, glue=30), resources=shop.people("ann", "bob", "mill"))
    shop.track(20, "saw")
    shop.track(5)
    assert sum(remaining or 0 for _, remaining in shop.shares().values()) == shop.card()[1] == 65


def test_a_card_without_an_estimate_gives_its_resources_none(shop: Workshop) -> None:
    shop.change(resources=shop.people("ann"))
    assert shop.shares() == {"ann": (None, None)}


def test_shares_follow_when_resources_come_go_and_change_their_type(shop: Workshop, api: Client) -> None:
    shop.change(activities=shop.work(glue=30), resources=shop.people("ann"))
    api.put(f"{shop.path}/resource/{shop.resources['bob']}", expect=204)
    assert shop.shares() == {"ann": (15, 15), "bob": (15, 15)}
    api.put(f"/v1/resource/{shop.resources['ann']}", {"type": "machine"})
    assert shop.shares() == {"ann": (0, 0), "bob": (30, 30)}
    api.put(f"/v1/activity/{shop.activities['glue']}", {"resource_type": "machine"})
    assert shop.shares() == {"ann": (30, 30), "bob": (0, 0)}
    api.delete(f"{shop.path}/resource/{shop.resources['ann']}")
    assert shop.shares() == {"bob": (30, 30)}


def test_a_deleted_resource_leaves_its_share_to_the_others(shop: Workshop, api: Client) -> None:
    shop.change(activities=shop.work(glue=30), resources=shop.people("ann", "bob"))
    api.delete(f"/v1/resource/{shop.resources['ann']}")
    assert shop.shares()["bob"] == (30, 30)


# ── the collection ──


def test_what_is_tracked_on_any_card_is_taken_off_the_collection(shop: Workshop, api: Client, world: World) -> None:
    whole = f"/v1/collection/{world.id('collection')}"
    api.put(whole, {"activities": shop.work(saw=100, glue=None)})
    other = api.post(f"{whole}/card", {"name": "a chair"})
    shop.track(30, "saw")
    api.post("/v1/time_tracking", {"card_id": other["id"], "activity_id": shop.activities["saw"], "duration": 25})
    assert shop.links(whole) == {"saw": (100, 45, 100), "glue": (200, 200, 200)}
    api.delete(f"{whole}/card/{other['id']}")
    assert shop.links(whole) == {"saw": (100, 70, 100), "glue": (200, 200, 200)}


def test_a_backlog_estimate_needs_no_card(shop: Workshop, api: Client, world: World) -> None:
    made = world.make(world.server.database.statements.objects["collection"], activities=shop.work(saw=None), external_ref=None)
    assert shop.links(f"/v1/collection/{made['id']}") == {"saw": (100, 100, 100)}
    api.put(f"/v1/collection/{made['id']}", {"activities": shop.work(saw=60)})
    assert shop.links(f"/v1/collection/{made['id']}") == {"saw": (60, 60, 100)}


# ── at once ──


def test_nothing_is_lost_of_what_many_track_at_once(shop: Workshop, api: Client, world: World) -> None:
    whole = f"/v1/collection/{world.id('collection')}"
    api.put(whole, {"activities": shop.work(saw=1000)})
    other = api.post(f"{whole}/card", {"name": "a chair", "activities": shop.work(saw=500)})
    shop.change(activities=shop.work(saw=500))
    saw = {"activity_id": shop.activities["saw"], "duration": 10}
    bodies = [{**saw, "card_id": card} for card in (shop.card_id, other["id"])] * 10

    async def track_all() -> list[Answer]:
        return await asyncio.gather(*(api.ask_async("POST", "/v1/time_tracking", body) for body in bodies))

    assert {answer.status for answer in api.loop.run(track_all())} == {201}
    assert shop.links(whole)["saw"] == (1000, 800, 1000)
    assert shop.links()["saw"] == (500, 400, 500)
    assert shop.card() == (500, 400)


# ── what does not concern it ──


def test_a_change_that_concerns_no_time_writes_nothing_more(shop: Workshop) -> None:
    shop.change(activities=shop.work(saw=60), resources=shop.people("mill"))
    before = shop.api.ask("GET", shop.path).headers["etag"]
    assert shop.change(start_date="2026-03-02", end_date="2026-03-03")["time"] == 60
    after = shop.api.ask("GET", shop.path).headers["etag"]
    assert after != before
    shop.change(activities=shop.work(saw=60))
    assert shop.api.ask("GET", shop.path).headers["etag"] == after
