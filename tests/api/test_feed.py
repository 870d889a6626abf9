"""The feed as pages: everything that has happened, once and in order, to be resumed from any position.

To see it fail: answer `after` plus the number of events as `next`, read `position >= after`, take the names of events as they come, or
compare `after` with what is kept (`newest_position`) instead of what was given out.
"""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from tests.client import Client, Loop
from tests.process.running import wait_until
from tests.server import Server, quoted, running, scratch_database, settings_for
from tests.world import World

from planwerk.catalog.webhook import EVENT_TYPES
from planwerk.rules.feed import MOST
from planwerk.store.database import PROBE
from planwerk.store.outbox import LOCK, Record, record_events
from planwerk.store.transaction import Transaction

FEED = "/v1/event"


def stored(server: Server, world: World) -> list[tuple[int, str]]:
    """(position, id) of every event of the tenant, in order."""
    text = f"SELECT position, id FROM event WHERE environment_id = {quoted(world.environment_id)} ORDER BY position"
    return [(row[0], row[1]) for row in server.database.query(text)]


def shown(page: Any) -> list[tuple[int, str]]:
    return [(event["position"], event["id"]) for event in page["data"]]


@pytest.fixture
def told(server: Server, world: World) -> list[tuple[int, str]]:
    """Some events."""
    path = f"/v1/collection/{world.id('collection')}"
    world.client.post(f"{path}/card", {"name": "one"})
    world.client.post(f"{path}/comment", {"text": "two"})
    world.client.put(path, {"description": "three"})
    return stored(server, world)


# ── pages ──


def test_an_event_is_what_a_webhook_sends_with_where_and_when(server: Server, world: World, told: Any) -> None:
    first = world.client.get(FEED, limit=1)["data"][0]
    text = f"SELECT body, created_at FROM event WHERE id = {quoted(first['id'])}"
    body, created_at = server.database.query(text)[0]
    raw = world.client.ask("GET", FEED, limit=1).body
    head = f'{{"position":{told[0][0]},"id":"{told[0][1]}","created_at":"{created_at}",'
    assert raw == f'{{"next":{told[0][0]},"data":[{head}{body[1:]}]}}'.encode()
    assert first["environment"] == world.environment_id


def test_without_after_the_feed_begins_with_the_oldest(world: World, told: Any) -> None:
    assert shown(world.client.get(FEED)) == told


@pytest.mark.parametrize("limit", [1, 2, 3, 1000])
def test_pages_that_follow_one_another_are_the_whole(limit: int, world: World, told: Any) -> None:
    assert read_on(world.client, limit) == told


def read_on(api: Client, limit: int, after: int = 0) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    while data := shown(page := api.get(FEED, after=after, limit=limit)):
        assert len(data) <= limit
        assert data[0][0] > after
        assert page["next"] == data[-1][0]
        found, after = found + data, page["next"]
    assert page["next"] == after
    return found


def test_a_page_holds_a_hundred_unless_it_is_asked_for_more(server: Server, world: World) -> None:
    write_records(server, world, 101)
    assert len(world.client.get(FEED)["data"]) == 100
    assert len(world.client.get(FEED, limit=1000)["data"]) == 101


def test_a_limit_of_zero_or_too_much_is_the_most(server: Server, world: World) -> None:
    """As in every list. To see it fail: take the limit as it comes."""
    write_records(server, world, MOST + 1)
    assert [len(world.client.get(FEED, limit=limit)["data"]) for limit in (0, MOST + 1, 10**15)] == [MOST] * 3


def test_next_moves_over_events_that_are_not_wanted(world: World, told: Any) -> None:
    page = world.client.get(FEED, types="comment.created")
    assert [event["event"] for event in page["data"]] == ["comment.created"]
    assert page["next"] == told[-1][0]
    assert world.client.get(FEED, types="comment.deleted", limit=1) == {"next": told[0][0], "data": []}


def test_several_names_of_events_may_be_asked_for(world: World, told: Any) -> None:
    page = world.client.get(FEED, types="comment.created, card.created,")
    assert [event["event"] for event in page["data"]] == ["card.created", "comment.created"]


def test_a_position_whose_events_are_gone_leads_to_the_oldest_that_is_kept(server: Server, world: World, told: Any) -> None:
    server.database.query(f"DELETE FROM event WHERE id = {quoted(told[1][1])}")
    assert shown(world.client.get(FEED, after=told[0][0])) == told[2:]


def test_a_position_that_was_never_given_out_is_refused(world: World, told: Any) -> None:
    """Whoever has one has it from before a backup was put back. To see it fail: leave `check_position` out of `read_feed`."""
    answer = world.client.ask("GET", FEED, after=told[-1][0] + 1_000_000)
    assert (answer.status, answer.codes) == (400, [10001])
    assert answer.faults == [("after", f"after lies beyond the newest position, which is {told[-1][0]}")]


def test_a_position_is_good_for_as_long_as_nothing_came_after_it(server: Server, world: World, told: Any) -> None:
    """Also when nothing at all is kept any more."""
    last = told[-1][0]
    assert world.client.get(FEED, after=last) == {"next": last, "data": []}
    server.database.query(f"DELETE FROM event WHERE environment_id = {quoted(world.environment_id)}")
    assert world.client.get(FEED, after=last) == {"next": last, "data": []}
    assert world.client.get(FEED, after=last - 1) == {"next": last - 1, "data": []}


def test_in_a_new_database_nothing_but_the_beginning_can_be_asked_for(backend: str, tmp_path: Path, loop: Loop) -> None:
    with scratch_database(backend, tmp_path) as url, running(loop, settings_for(url, tmp_path)) as server:
        api = server.client(server.tenant())
        assert api.get(FEED, after=0) == {"next": 0, "data": []}
        assert api.ask("GET", FEED, after=1).faults == [("after", "after lies beyond the newest position, which is 0")]


def test_nobody_sees_the_events_of_another_tenant(world: World, other: World, told: Any) -> None:
    assert shown(world.client.get(FEED, limit=1000)) == told
    assert not {id for _, id in told} & {id for _, id in read_on(other.client, 1000)}


def test_the_same_page_again_is_304(world: World, told: Any) -> None:
    first = world.client.ask("GET", FEED)
    assert world.client.ask("GET", FEED, headers={"if-none-match": first.headers["etag"]}).status == 304


# ── what is no good ──


@pytest.mark.parametrize(
    ("query", "property"),
    [
        ({"after": "-1"}, "after"),
        ({"after": "x"}, "after"),
        ({"after": "1.5"}, "after"),
        ({"after": "9" * 16}, "after"),
        ({"after": "9" * 40}, "after"),
        ({"limit": "-1"}, "limit"),
        ({"limit": "9" * 16}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"types": "card.creatd"}, "types"),
        ({"types": "card.created,thing.created"}, "types"),
        ({"types": "card.created," * 200}, "types"),
    ],
)
@pytest.mark.parametrize("kind", ["application/json", "text/event-stream"])
def test_a_bad_value_is_400_and_named(query: dict[str, str], property: str, kind: str, api: Client) -> None:
    answer = api.ask("GET", FEED, headers={"accept": kind}, **query)
    assert (answer.status, answer.codes, answer.faults[0][0]) == (400, [10001], property)


@pytest.mark.parametrize("query", ["after=", "limit=", "types=", "types=,"])
def test_an_empty_value_is_as_good_as_none(query: str, world: World, told: Any) -> None:
    assert shown(world.client.get(f"{FEED}?{query}")) == told


def test_every_event_of_the_catalog_can_be_asked_for(api: Client) -> None:
    assert api.get(FEED, types=",".join((*EVENT_TYPES, "webhook.test"))) == {"next": 0, "data": []}


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_the_feed_is_read_only(method: str, api: Client) -> None:
    assert api.ask(method, FEED).status == 405


def test_an_unknown_parameter_is_noted(world: World) -> None:
    world.client.get(FEED, color="red")
    wait_until(lambda: world.client.get("/v1/api_message")["count"], "the note is written")
    assert [note["message_code"] for note in world.client.get("/v1/api_message")["data"]] == ["UNKNOWN_PARAMETER"]


# ── which form it has ──


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/event-stream;q=0", "application/json, text/event-stream;q=0.1"])
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_who_does_not_prefer_the_stream_gets_a_page_and_is_told_that_there_is_another_form(
    accept: str, encoding: str, world: World, told: Any
) -> None:
    answer = world.client.ask("GET", FEED, headers={"accept": accept, "accept-encoding": encoding})
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.headers["vary"].split("\n") == ["accept", *(["accept-encoding"] if encoding == "gzip" else [])]
    again = world.client.ask("GET", FEED, headers={"accept": accept, "if-none-match": answer.headers["etag"], "accept-encoding": encoding})
    assert (again.status, again.headers["vary"].split("\n")[0]) == (304, "accept")


# ── while others write ──


def write_records(server: Server, world: World, count: int, then: Callable[[], object] = lambda: None) -> None:
    """Events out of nothing; `then` runs when they have their positions and are not committed."""

    def work(tx: Transaction) -> None:
        body = f'{{"environment":"{tx.environment_id}","trigger":"system","event":"card.created","data":{{}}}}'
        record_events(tx, [Record(tx.new_id(), "card.created", "card", tx.new_id(), body) for _ in range(count)], lambda _: [])
        then()

    server.database.write_now(world.environment_id, work)


def test_a_reader_waits_for_no_writer_that_tells_nothing_yet(server: Server, world: World) -> None:
    """To see it fail on SQLite: read a page with `database.write`, which waits for the one writer."""
    is_writing, go = Event(), Event()

    def hold(tx: Transaction) -> None:
        tx.run_named(PROBE, now=tx.now)
        is_writing.set()
        assert go.wait(60)

    with ThreadPoolExecutor() as threads:
        writer = threads.submit(server.database.write_now, world.environment_id, hold)
        try:
            assert is_writing.wait(60)
            assert threads.submit(world.client.get, FEED).result(30)["data"] == []
        finally:
            go.set()
        writer.result()


def test_a_reader_waits_for_a_writer_that_has_its_position_and_is_not_committed(backend: str, server: Server, world: World) -> None:
    """The first writer has its position, the second has a later one and is done; the reader between them sees both, in order.

    On SQLite no two can write at once. To see it fail: leave `WAIT` out of `read_events`.
    """
    if backend == "sqlite":
        write_records(server, world, 2)
        assert shown(world.client.get(FEED)) == stored(server, world)
        return
    has_position, go = Event(), Event()

    def hold() -> None:
        has_position.set()
        assert go.wait(60)

    with ThreadPoolExecutor() as threads:
        first = threads.submit(write_records, server, world, 1, hold)
        assert has_position.wait(60)
        write_records(server, world, 1)
        assert len(stored(server, world)) == 1
        reader = threads.submit(world.client.get, FEED)
        wait_until(lambda: reader.done() or is_waiting(server), "the reader waits")
        assert not reader.done()
        go.set()
        page = reader.result(60)
        first.result(60)
    assert shown(page) == stored(server, world)
    assert len(page["data"]) == 2


def is_waiting(server: Server) -> bool:
    return bool(server.database.query(f"SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND classid = {LOCK} AND NOT granted"))


def test_readers_among_writers_lose_nothing_and_see_nothing_twice(server: Server, world: World) -> None:
    """To see it fail on PostgreSQL: leave `WAIT` out of `read_events`."""
    path, done = f"/v1/collection/{world.id('collection')}", Event()

    def write(number: int) -> None:
        for index in range(15):
            world.client.put(path, {"description": f"{number} {index}"})
            world.client.post(f"{path}/comment", {"text": f"{number} {index}"})

    def read(seed: int) -> list[tuple[int, str]]:
        choose, found, after = random.Random(seed), list[tuple[int, str]](), 0
        while True:
            is_last = done.is_set()
            page = world.client.get(FEED, after=after, limit=choose.randint(1, 9))
            found, after = found + shown(page), page["next"]
            if is_last and not page["data"]:
                return found

    with ThreadPoolExecutor() as threads:
        readers = [threads.submit(read, seed) for seed in range(3)]
        for writer in [threads.submit(write, number) for number in range(4)]:
            writer.result(120)
        done.set()
        for reader in readers:
            assert reader.result(120) == stored(server, world)
