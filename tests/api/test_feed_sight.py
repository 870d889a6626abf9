"""Nobody hears of what they may not see, not even that it happened.

To see it fail: return `events` at once in `seen_events`; leave out `inner_parts`, or `owners`; or ask `seen` for living rows only.
"""

from typing import Any

import pytest
from tests.client import Client
from tests.following import following
from tests.people import person
from tests.scene import MARK, Scene, make_scene, secrets_in
from tests.server import Server, quoted
from tests.world import World

FEED = "/v1/event"


@pytest.fixture
def scene(world: World) -> Scene:
    return make_scene(world)


@pytest.fixture
def ann(server: Server, scene: Scene) -> Client:
    """An organiser who is limited to the cards of a resource."""
    return person(server, scene.world, "organiser", scene.resources["Ann"], "linked").client


def since(client: Client, after: int = 0) -> list[Any]:
    events: list[Any] = client.get(FEED, after=after, limit=1000)["data"]
    return events


def names(client: Client, after: int) -> list[str]:
    return [event["event"] for event in since(client, after)]


def now(scene: Scene) -> int:
    return int(scene.api.get(FEED, limit=1000)["next"])


# ── cards of one's own ──


def test_the_feed_holds_nothing_of_what_is_hidden(scene: Scene, ann: Client) -> None:
    assert secrets_in(scene, scene.api.ask("GET", FEED, limit=1000).body) != []
    assert secrets_in(scene, ann.ask("GET", FEED, limit=1000).body) == []


def test_the_stream_holds_nothing_of_what_is_hidden(scene: Scene, ann: Client) -> None:
    last = since(ann)[-1]["position"]
    with following(ann, "after=0") as stream:
        heard = [stream.event()]
        while heard[-1]["position"] < last:
            heard.append(stream.event())
    assert heard == since(ann)


def test_what_is_seen_is_told(scene: Scene, ann: Client) -> None:
    told = {(event["event"], event["data"]["current"]["id"]) for event in since(ann)}
    card, collection = scene.seen["card"], scene.shared
    assert told >= {
        ("card.created", card),
        ("card.resource.attached", card),
        ("collection.created", collection),
        ("collection.checklist.created", scene.seen["checklist"]),
        ("comment.created", scene.seen["comment"]),
        ("attachment.created", scene.seen["attachment"]),
        ("time_tracking.created", scene.seen["time_tracking"]),
    }


def test_next_moves_over_what_is_not_seen(scene: Scene, ann: Client) -> None:
    hidden = f"/v1/collection/{scene.hidden['collection']}"
    before = now(scene)
    scene.api.put(hidden, {"description": "x"})
    scene.api.put(f"{hidden}/card/{scene.hidden['card']}", {"description": "x"})
    page = ann.get(FEED, after=before)
    assert (page["data"], page["next"]) == ([], now(scene))
    assert page["next"] > before


def test_of_a_shared_collection_only_the_checklists_of_cards_that_are_seen(scene: Scene, ann: Client) -> None:
    """Its events are those of the collection, which is seen."""
    before, at = now(scene), f"/v1/collection/{scene.shared}/card"
    for ids in (scene.hidden_in_shared, scene.seen):
        scene.api.put(f"{at}/{ids['card']}/checklist/{ids['checklist']}", {"items": [{"description": "new"}]})
    told = since(ann, before)
    assert {event["data"]["current"]["id"] for event in told} == {scene.seen["checklist"]}
    assert "collection.checklist.item.attached" in [event["event"] for event in told]


def test_a_card_that_is_given_away_is_heard_of_no_more(scene: Scene, ann: Client) -> None:
    before = now(scene)
    scene.api.put(f"/v1/collection/{scene.shared}/card/{scene.seen['card']}", {"resources": [{"id": scene.resources["Bob"]}]})
    assert "card.resource.detached" in names(scene.api, before)
    assert [event for event in since(ann) if event["data"]["current"]["id"] == scene.seen["card"]] == []


def test_who_is_linked_to_no_resource_hears_nothing_of_cards(server: Server, scene: Scene) -> None:
    nobody = person(server, scene.world, "admin", None, "linked").client
    page = nobody.get(FEED, limit=1000)
    assert (page["data"], page["next"]) == ([], now(scene))


# ── what is gone ──


def test_who_saw_it_hears_that_it_is_gone(scene: Scene, ann: Client) -> None:
    before, at = now(scene), f"/v1/collection/{scene.shared}"
    for kind in ("comment", "attachment"):
        scene.api.delete(f"{at}/{kind}/{scene.seen[kind]}")
    scene.api.delete(f"{at}/card/{scene.seen['card']}")
    told = {event["event"]: event["data"]["old"]["id"] for event in since(ann, before) if event["event"].endswith(".deleted")}
    expected = {f"{kind}.deleted": scene.seen[kind] for kind in ("card", "comment", "attachment")}
    assert told == expected | {"collection.checklist.deleted": scene.seen["checklist"]}


def test_who_did_not_see_it_does_not_hear_that_it_is_gone(scene: Scene, ann: Client) -> None:
    collection = scene.api.post("/v1/collection", {"name": MARK, "board_id": scene.board})["id"]
    scene.card(collection, "Bob", MARK)
    before = now(scene)
    scene.api.delete(f"/v1/collection/{scene.shared}/card/{scene.hidden_in_shared['card']}")
    scene.api.delete(f"/v1/collection/{collection}")
    assert {"card.deleted", "collection.deleted", "comment.deleted"} <= set(names(scene.api, before))
    assert secrets_in(scene, ann.ask("GET", FEED, after=before).body) == []
    assert all(not name.endswith(".deleted") for name in names(ann, before))


def test_with_a_whole_collection_only_ones_own_cards_are_heard_to_go(scene: Scene, ann: Client) -> None:
    """Whether the collection was seen cannot be told any more once its cards are gone."""
    collection = scene.api.post("/v1/collection", {"name": "mixed", "board_id": scene.board})["id"]
    mine = scene.card(collection, "Ann", "mine")["card"]
    scene.card(collection, "Bob", MARK)
    before = now(scene)
    scene.api.delete(f"/v1/collection/{collection}")
    gone = [(event["event"], event["data"]["old"]["id"]) for event in since(ann, before) if event["event"].endswith(".deleted")]
    assert gone == [("card.deleted", mine)]


@pytest.mark.parametrize("change", ["object = 'parcel'", "body = replace(body, '\"current\":', '\"now\":')"])
def test_an_event_that_is_not_understood_any_more_is_for_those_who_see_all(change: str, server: Server, scene: Scene, ann: Client) -> None:
    name = "collection.checklist.created"
    assert names(ann, 0).count(name) > 0
    server.database.query(f"UPDATE event SET {change} WHERE name = '{name}' AND environment_id = {quoted(scene.world.environment_id)}")
    assert names(ann, 0).count(name) == 0
    assert names(scene.api, 0).count(name) > 0


def test_that_a_label_is_deleted_is_heard_of_the_cards_that_are_seen(scene: Scene, ann: Client) -> None:
    board = scene.api.put(f"/v1/board/{scene.board}", {"labels": [{"name": "rush"}]}, with_="labels")
    cards = [scene.seen["card"], scene.hidden_in_shared["card"]]
    for card in cards:
        scene.api.put(f"/v1/collection/{scene.shared}/card/{card}/label/{board['labels'][0]['id']}", expect=204)
    before = now(scene)
    scene.api.put(f"/v1/board/{scene.board}", {"labels": []})
    told = [[(event["event"], event["data"]["current"]["id"]) for event in since(client, before)] for client in (scene.api, ann)]
    assert told == [[("card.label.detached", card) for card in cards], [("card.label.detached", scene.seen["card"])]]


def test_who_was_a_resource_that_is_deleted_sees_no_cards_and_hears_of_none(scene: Scene, ann: Client) -> None:
    before = now(scene)
    for id in scene.resources.values():
        scene.api.delete(f"/v1/resource/{id}")
    assert names(scene.api, before).count("card.resource.detached") == 4
    assert ann.get("/v1/card")["data"] == []
    assert since(ann, before) == []


# ── time ──


def entry(client: Client, scene: Scene, **more: Any) -> str:
    body = {"card_id": scene.seen["card"], "start": "2026-03-02T08:00:00Z", "duration": 30, **more}
    return str(client.post("/v1/time_tracking", body)["id"])


def heard_time(client: Client) -> set[str]:
    return {event["data"]["current"]["id"] for event in since(client) if event["event"].startswith("time_tracking.")}


def test_members_hear_of_time_of_their_own(server: Server, scene: Scene) -> None:
    one, other = (person(server, scene.world, "member") for _ in range(2))
    mine, theirs = entry(one.client, scene), entry(other.client, scene)
    assert (heard_time(one.client), heard_time(other.client)) == ({mine}, {theirs})
    one.client.delete(f"/v1/time_tracking/{mine}")
    assert [event["event"] for event in since(one.client) if event["data"]["current"]["id"] == mine][-1] == "time_tracking.deleted"
    assert heard_time(other.client) == {theirs}


@pytest.mark.parametrize("role", ["organiser", "manager", "admin"])
def test_organisers_hear_of_everybodys_time(role: str, server: Server, scene: Scene) -> None:
    assert heard_time(person(server, scene.world, role).client) == heard_time(scene.api) != set()


def test_guests_hear_of_no_time_but_of_all_else(server: Server, scene: Scene) -> None:
    guest = person(server, scene.world, "guest")
    entry(scene.api, scene, user_id=guest.id)
    assert since(guest.client) == [event for event in since(scene.api) if not event["event"].startswith("time_tracking.")]


def test_what_happened_while_it_was_anothers_stays_the_others(server: Server, scene: Scene) -> None:
    one, other = (person(server, scene.world, "member") for _ in range(2))
    id = entry(one.client, scene, note="private")
    text = f"UPDATE time_tracking SET user_id = {quoted(other.id)} WHERE id = {quoted(id)}"
    server.database.query(text)
    assert heard_time(other.client) == set()
    assert heard_time(one.client) == set()


# ── who asks ──


def test_tests_of_webhooks_are_for_those_who_see_webhooks(server: Server, scene: Scene) -> None:
    webhook = scene.api.post("/v1/webhook", {"url": "https://example.com/hook"})["id"]
    before = now(scene)
    scene.api.post(f"/v1/webhook/{webhook}/test", expect=200)
    told = {role: names(person(server, scene.world, role).client, before) for role in ("guest", "manager", "admin")}
    assert told == {"guest": [], "manager": [], "admin": ["webhook.test"]}


def test_nobody_may_not_read_the_feed(world: World, server: Server) -> None:
    stranger = Client(server.app, server.loop, world.client.conformity, {})
    assert stranger.refused("GET", FEED) == (401, [10002])
