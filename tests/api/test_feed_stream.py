"""The feed as an answer that stays open: it tells everything from its beginning on, and lets go of everything when it ends.

To see it fail: compute the beginning inside `follow`; wake nobody in `watch`; leave `confirm` out of the loop; do not wait for the client
to leave; leave out `ring_last`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.client import Client, Loop
from tests.following import Stream, following
from tests.people import person, read_only
from tests.server import Server, quoted, running, scratch_database, settings_for
from tests.world import World

from planwerk.edge.feed import PAGE, Feed, Followed
from planwerk.store.database import Database, unavailable
from planwerk.store.outbox import Kept, read_behind_writers

FEED = "/v1/event"


def feed_of(server: Server) -> Feed:
    feed: Feed = getattr(server.app, "app", server.app).api.feed
    return feed


@pytest.fixture
def path(world: World) -> str:
    return f"/v1/collection/{world.id('collection')}"


@pytest.fixture
def _talkative(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Comments come whenever nothing else does."""
    monkeypatch.setattr(feed_of(server), "quiet_seconds", 0.0)


@pytest.fixture
def _silent(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing wakes a stream but what happens."""
    monkeypatch.setattr(feed_of(server), "quiet_seconds", 1e6)


def comment(world: World, path: str, text: str) -> str:
    return str(world.client.post(f"{path}/comment", {"text": text})["id"])


def told(stream: Stream) -> str:
    return str(stream.event()["data"]["current"]["id"])


# ── what it tells ──


def test_it_begins_with_how_to_come_back(world: World, path: str) -> None:
    newest = world.client.get(FEED, limit=1000)["next"]
    with following(world.client) as stream:
        assert (stream.status, stream.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        assert stream.headers["cache-control"] == "no-store"
        assert stream.headers["vary"] == "accept"
        assert "content-encoding" not in stream.headers
        assert stream.block() == {"retry": "2000", "id": str(newest)}


@pytest.mark.usefixtures("_silent")
def test_what_happens_is_told_at_once_and_in_order(world: World, path: str) -> None:
    with following(world.client) as stream:
        made = [comment(world, path, text) for text in ("one", "two", "three")]
        assert [told(stream) for _ in made] == made


def test_an_event_reads_like_one_of_a_page(world: World, path: str) -> None:
    with following(world.client) as stream:
        comment(world, path, "line\nbreak \u2028 and more")
        event = stream.event()
    assert event == world.client.get(FEED, after=event["position"] - 1, limit=1)["data"][0]


def test_what_happens_between_its_opening_and_its_first_look_is_told(
    world: World, server: Server, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed, whole = feed_of(server), feed_of(server).follow

    async def follow(*arguments: Any) -> AsyncIterator[bytes]:
        await world.client.ask_async("POST", f"{path}/comment", {"text": "early"})
        async for part in whole(*arguments):
            yield part

    monkeypatch.setattr(feed, "follow", follow)
    with following(world.client) as stream:
        assert stream.event()["data"]["new"]["text"] == "early"


@pytest.mark.parametrize(("query", "headers"), [("after={}", {}), ("", {"last_event_id": "{}"}), ("after=0", {"last_event_id": "{}"})])
def test_it_goes_on_behind_a_position(query: str, headers: dict[str, str], world: World, path: str) -> None:
    comment(world, path, "one")
    last = world.client.get(FEED, limit=1000)["next"]
    made = comment(world, path, "two")
    with following(world.client, query.format(last), **{name: value.format(last) for name, value in headers.items()}) as stream:
        assert told(stream) == made


def test_more_than_a_page_is_told_whole(world: World, path: str) -> None:
    world.client.put(path, {"comments": [{"text": str(number)} for number in range(PAGE + 20)]})
    expected = [event["id"] for event in world.client.get(FEED, limit=1000)["data"]]
    with following(world.client, "after=0") as stream:
        assert [stream.event()["id"] for _ in expected] == expected


def test_only_the_wanted_are_told(world: World, path: str) -> None:
    with following(world.client, "types=comment.deleted") as stream:
        made = comment(world, path, "one")
        world.client.delete(f"{path}/comment/{made}")
        assert stream.event()["event"] == "comment.deleted"


def test_streams_of_one_environment_tell_the_same(world: World, path: str) -> None:
    with following(world.client) as one, following(world.client, "after=0") as two, following(world.client) as three:
        made = comment(world, path, "one")
        assert told(one) == told(three) == made
        while told(two) != made:
            pass


def test_who_is_woken_does_not_share_a_page_that_began_before(
    world: World, server: Server, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may lack what the stream was woken for. To see it fail: leave the page alone in `wake`."""
    begun, released = asyncio.Event(), asyncio.Event()

    async def read(*given: Any) -> Any:
        found = await read_behind_writers(*given)
        if not begun.is_set():  # the first page is read, and on its way
            begun.set()
            await released.wait()
        return found

    async def work() -> tuple[list[Kept], list[Kept]]:
        followed, environment_id = Followed(), world.environment_id
        early = asyncio.ensure_future(feed.page(environment_id, followed, after))
        await begun.wait()
        await world.client.ask_async("POST", f"{path}/comment", {"text": "one"})
        followed.wake()
        late = asyncio.ensure_future(feed.page(environment_id, followed, after))
        await asyncio.sleep(0)  # it has chosen its page
        released.set()
        return await early, await late

    feed = Feed(server.database)
    after = server.loop.run(feed.begin(world.environment_id))
    monkeypatch.setattr("planwerk.edge.feed.read_behind_writers", read)
    early, late = server.loop.run(work())
    assert ([kept.name for kept in early], [kept.name for kept in late]) == ([], ["comment.created"])


def test_nobody_hears_of_another_tenant(world: World, other: World, path: str) -> None:
    with following(world.client) as stream:
        other.client.put(f"/v1/collection/{other.id('collection')}", {"description": f"{other.mark} moved {world.environment_id}"})
        made = comment(world, path, "mine")
        assert told(stream) == made


def test_head_shows_what_the_stream_would_begin_with(world: World, server: Server) -> None:
    with following(world.client, method="HEAD") as stream:
        assert (stream.status, stream.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        assert stream.block() is None
    assert feed_of(server).followed == {}


@pytest.mark.parametrize("header", ["x", "-1", "1.5", "9" * 17, "\u00b2"])
def test_a_last_event_id_that_is_no_position_is_refused(header: str, api: Client) -> None:
    answer = api.ask("GET", FEED, headers={"accept": "text/event-stream", "last-event-id": header})
    assert (answer.status, answer.faults[0][0]) == (400, "Last-Event-ID")


@pytest.mark.parametrize("accept", ["Text/Event-Stream", "application/json;q=0.5, text/event-stream;q=0.5", "text/event-stream, */*"])
def test_who_asks_for_it_by_its_name_gets_the_stream(accept: str, world: World) -> None:
    with following(world.client, accept=accept) as stream:
        assert (stream.status, stream.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")


@pytest.mark.parametrize("name", ["after", "Last-Event-ID"])
def test_a_position_that_was_never_given_out_is_refused(name: str, world: World, path: str) -> None:
    comment(world, path, "one")
    newest = world.client.get(FEED, limit=1000)["next"]
    beyond, accept = str(newest + 1_000_000), {"accept": "text/event-stream"}
    as_header = name == "Last-Event-ID"
    answer = world.client.ask(
        "GET", FEED, headers={**accept, "last-event-id": beyond} if as_header else accept, **({} if as_header else {"after": beyond})
    )
    assert (answer.status, answer.faults) == (400, [(name, f"{name} lies beyond the newest position, which is {newest}")])


def test_a_position_that_is_the_last_ever_given_out_is_good(world: World, server: Server, path: str) -> None:
    """Also when nothing is kept any more. To see it fail: compare with `newest_position` in `check_position`."""
    comment(world, path, "one")
    newest = world.client.get(FEED, limit=1000)["next"]
    server.database.query(f"DELETE FROM event WHERE environment_id = {quoted(world.environment_id)}")
    with following(world.client, f"after={newest}") as stream:
        made = comment(world, path, "two")
        assert told(stream) == made


@pytest.mark.usefixtures("_talkative")
def test_silence_is_broken_by_comments_that_say_how_far_it_is(world: World, path: str) -> None:
    """So what was passed over is not passed over again after a break."""
    with following(world.client, "types=comment.deleted") as stream:
        comment(world, path, "one")
        last = str(world.client.get(FEED, limit=1000)["next"])
        stream.block()
        while (block := stream.block()) is not None and block.get("id") != last:
            assert block[""] == "still here"
        assert block is not None


# ── its end ──


def test_a_revoked_key_hears_nothing_more(world: World, server: Server, path: str) -> None:
    made = world.client.post("/v1/api_key", {"description": "short"})
    listener = Client(server.app, server.loop, world.client.conformity, {**world.client.headers, "x-api-key": made["key"]})
    with following(listener) as stream:
        comment(world, path, "one")
        assert stream.event() is not None
        world.client.delete(f"/v1/api_key/{made['id']}")
        expire(server, listener)
        comment(world, path, "two")
        assert stream.event() is None


def test_a_user_who_is_archived_hears_nothing_more(world: World, server: Server, path: str) -> None:
    guest = person(server, world, "guest")
    with following(guest.client) as stream:
        comment(world, path, "one")
        assert stream.event() is not None
        world.client.post(f"/v1/user/{guest.id}/archive", expect=200)
        expire(server, guest.client)
        comment(world, path, "two")
        assert stream.event() is None


@pytest.mark.parametrize("kind", ["key", "token"])
def test_what_is_revoked_at_another_process_hears_nothing_more_within_the_second(
    kind: str, world: World, server: Server, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL remembers a credential for a second, which never ends here. To see it fail: leave `forget` out of `confirm`."""
    guest, made = person(server, world, "guest"), world.client.post("/v1/api_key", {"description": "short"})
    key = Client(server.app, server.loop, world.client.conformity, {**world.client.headers, "x-api-key": made["key"]})
    if server.database.statements.dialect.name == "postgresql":
        monkeypatch.setattr(server.database, "refresh", lambda: None)
    with following(key if kind == "key" else guest.client) as stream:
        comment(world, path, "one")
        assert stream.event() is not None
        world.client.delete(f"/v1/api_key/{made['id']}")
        world.client.post(f"/v1/user/{guest.id}/archive", expect=200)
        comment(world, path, "two")
        assert stream.event() is None


def expire(server: Server, client: Client) -> None:
    """PostgreSQL remembers a credential for a second; this is the next one. A look that began before may yet come back."""
    callers = getattr(server.app, "app", server.app).api.callers
    is_refused = False
    while not is_refused:
        callers.keys.confirmed.clear()
        callers.tokens.known.clear()
        is_refused = client.ask("GET", FEED).status == 401


@pytest.mark.usefixtures("_talkative")
def test_an_idle_stream_of_a_revoked_key_ends_by_itself(world: World, server: Server) -> None:
    made = world.client.post("/v1/api_key", {"description": "short"})
    listener = Client(server.app, server.loop, world.client.conformity, {**world.client.headers, "x-api-key": made["key"]})
    with following(listener) as stream:
        world.client.delete(f"/v1/api_key/{made['id']}")
        expire(server, listener)
        while stream.block() is not None:
            pass


def test_a_client_that_leaves_frees_everything(world: World, server: Server, path: str) -> None:
    feed, bell = feed_of(server), server.database.bell
    ears = len(bell.ears["events"])
    for _ in range(3):
        with following(world.client) as one, following(world.client) as two:
            comment(world, path, "one")
            assert told(one) == told(two)
            assert (len(bell.ears["events"]), feed.followed[world.environment_id].streams) == (ears + 1, 2)
        assert (len(bell.ears["events"]), feed.followed, feed.watcher) == (ears, {}, None)


def test_a_client_that_leaves_while_it_takes_nothing_frees_everything(world: World, server: Server, path: str) -> None:
    with following(world.client, "after=0"):
        world.client.put(path, {"comments": [{"text": str(number)} for number in range(20)]})
    assert feed_of(server).followed == {}


def test_streams_end_when_the_process_does(backend: str, tmp_path: Path, loop: Loop) -> None:
    with ExitStack() as kept:
        url = kept.enter_context(scratch_database(backend, tmp_path))
        server = kept.enter_context(running(loop, settings_for(url, tmp_path)))
        stream = kept.enter_context(following(server.client(server.tenant())))
        assert stream.block() is not None
        loop.loop.call_soon_threadsafe(server.database.bell.ring_last)
        assert stream.block() is None


def test_a_look_that_fails_unforeseen_ends_the_stream_and_is_told_to_nobody(
    world: World, server: Server, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with following(world.client) as stream:
        stream.block()
        monkeypatch.setattr("planwerk.edge.feed.framed", lambda event: 1 / 0)
        comment(world, path, "one")
        assert stream.block() is None
    assert feed_of(server).followed == {}


def test_a_database_that_is_away_for_a_while_is_waited_for(
    world: World, server: Server, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = iter([unavailable("away"), unavailable("away")])

    async def read(database: Database, environment_id: str, function: Any) -> Any:
        for failure in failures:
            raise failure
        return await read_behind_writers(database, environment_id, function)

    with following(world.client) as stream:
        monkeypatch.setattr("planwerk.edge.feed.LOOK_SECONDS", 0.0)
        monkeypatch.setattr("planwerk.edge.feed.read_behind_writers", read)
        made = comment(world, path, "one")
        assert told(stream) == made


# ── what it costs the caller ──


def test_a_stream_counts_as_one_request(backend: str, tmp_path: Path, world: World) -> None:
    """To see it fail: hit the quota in `confirm`."""
    with scratch_database(backend, tmp_path) as url, running(world.server.loop, settings_for(url, tmp_path, rate_limit="7/hour")) as server:
        tenant = server.tenant()
        writer = server.client(tenant)
        reader = replace(writer, headers={**writer.headers, "x-api-key": server.new_key(tenant.environment)})
        board = writer.post("/v1/board", {"name": "x"})["id"]
        with following(reader) as stream:
            assert stream.headers["ratelimit-remaining"] == "6"
            for number in range(4):
                writer.post("/v1/collection", {"name": str(number), "board_id": board})
                assert stream.event() is not None
        assert reader.ask("GET", FEED).headers["ratelimit-remaining"] == "5"


def test_a_read_only_key_may_listen(world: World, server: Server) -> None:
    tenant = server.tenant()
    with following(read_only(server, tenant)) as stream:
        assert stream.status == 200
