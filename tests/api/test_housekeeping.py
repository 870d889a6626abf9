"""Housekeeping on both databases: what is too old goes, what is not stays, and once an hour is enough.

To see it fail: halve the hours of a task, or leave out the condition of the mails.
"""

import asyncio
import datetime as dt
from functools import partial

import pytest
from structlog.testing import capture_logs
from tests.server import OBJECTS, Server
from tests.world import World

from planwerk import housekeeping
from planwerk.housekeeping import TASKS, Task, last_run, take_due, tidy
from planwerk.identity.signing import list_keys, rotate_keys
from planwerk.store.database import Database, unavailable
from planwerk.store.identifiers import Identifiers
from planwerk.store.transaction import Transaction

OLD, FRESH = "2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z"
KEYS, MESSAGES, *CREDENTIALS, EVENTS, DELIVERIES = TASKS
NAMED = {task.name: task for task in CREDENTIALS}


def insert_key(tx: Transaction, request: str, created_at: str) -> None:
    tx.connection.execute(
        "INSERT INTO idempotency (environment_id, credential_id, request, body_hash, status, answer, created_at)"
        f" VALUES ('{tx.environment_id}', 'c', '{request}', 'h', 201, '', '{created_at}')",
        {},
    )


def insert_message(tx: Transaction, text: str, updated_at: str) -> None:
    described = tx.object("api_message")
    row = tx.insert(described, {"log_level": "info", "method": "GET", "endpoint": "v1/order", "message_code": "X", "message": text})
    tx.write(described, row, {"updated_at": updated_at})


def write(server: Server, world: World, task: Task) -> int:
    return server.database.write_now(world.environment_id, lambda tx: tidy(tx, task))


def test_idempotency_keys_go_after_a_day(server: Server, world: World) -> None:
    def fill(tx: Transaction) -> None:
        insert_key(tx, "old", OLD)
        insert_key(tx, "fresh", FRESH)

    server.database.write_now(world.environment_id, fill)
    assert write(server, world, KEYS) == 1
    left = server.database.query(f"SELECT request FROM idempotency WHERE environment_id = '{world.environment_id}'")
    assert [row[0] for row in left] == ["fresh"]


def test_messages_go_after_a_month_and_lists_see_it(server: Server, world: World) -> None:
    def fill(tx: Transaction) -> None:
        insert_message(tx, "old", OLD)
        insert_message(tx, "fresh", FRESH)

    server.database.write_now(world.environment_id, fill)
    assert world.client.get("/v1/api_message")["count"] == 2
    assert write(server, world, MESSAGES) == 1
    assert [item["message"] for item in world.client.get("/v1/api_message")["data"]] == ["fresh"]


# ── what opened a door ──

DAYS = {
    "sessions": ("expires_at", 1),
    "ended sessions": ("deleted_at", 1),
    "used invitations": ("used_at", 30),
    "expired invitations": ("expires_at", 30),
    "mails": ("updated_at", 30),
    "oauth codes": ("expires_at", 1),
    "refresh tokens": ("expires_at", 1),
    "revoked connections": ("revoked_at", 90),
    "lapsed connections": ("expires_at", 90),
}


def insert_two(tx: Transaction, task: Task, days: int) -> tuple[str, str]:
    """The ids of a row that is as old as told and an hour, and one that lacks an hour to it."""
    described = tx.object(task.table)
    ids = []
    for hours in (days * 24 + 1, days * 24 - 1):
        row = tx.insert(described, {field.name: f"{hours}" for field in described.fields if field.name.endswith("_hash")})
        tx.write(described, row, {task.column: tx.ago(hours=hours)})
        ids.append(row["id"])
    return ids[0], ids[1]


def ids_of(server: Server, table: str, environment_id: str) -> list[str]:
    """Rows that are there, also those that were deleted softly."""
    return [row[0] for row in server.database.query(f"SELECT id FROM {table} WHERE environment_id = '{environment_id}'")]


def test_every_task_about_credentials_is_in_the_table() -> None:
    assert {task.name: (task.column, task.hours // 24) for task in CREDENTIALS} == DAYS


@pytest.mark.parametrize("name", DAYS)
def test_what_opened_a_door_goes_some_days_after_it_has_ended(server: Server, world: World, name: str) -> None:
    task, days = NAMED[name], DAYS[name][1]
    old, fresh = server.database.write_now(world.environment_id, lambda tx: insert_two(tx, task, days))
    assert write(server, world, task) == 1
    left = ids_of(server, task.table, world.environment_id)
    assert (old in left, fresh in left) == (False, True)


def test_a_mail_that_waits_does_not_go(server: Server, world: World) -> None:
    def fill(tx: Transaction) -> None:
        described = tx.object("mail")
        row = tx.insert(described, {"recipient": "a@example.com", "template": "a", "due_at": OLD})
        tx.write(described, row, {"updated_at": OLD})

    server.database.write_now(world.environment_id, fill)
    assert write(server, world, NAMED["mails"]) == 0


@pytest.mark.parametrize("name", ["sessions", "used invitations", "revoked connections"])
def test_what_has_not_ended_does_not_go(server: Server, world: World, name: str) -> None:
    task = NAMED[name]
    server.database.write_now(world.environment_id, lambda tx: tx.insert(tx.object(task.table), {}))
    assert write(server, world, task) == 0


# ── how it is done ──


def test_events_and_their_deliveries_go_together_after_a_month(server: Server, world: World) -> None:
    api, made = world.client, []
    api.post("/v1/webhook", {"url": "https://example.com/", "event_types": ["collection.created"]})
    for days in (31, 29):
        made.append(world.make(OBJECTS["collection"])["id"])
        server.database.write_now(world.environment_id, partial(age, object_id=made[-1], days=days))
    for task in (EVENTS, DELIVERIES):
        assert write(server, world, task) == 1, task.name
        left = server.database.query(f"SELECT object_id FROM {task.table} WHERE environment_id = '{world.environment_id}'")
        assert [id for (id,) in map(tuple, left) if id in made] == made[1:], task.name


def age(tx: Transaction, object_id: str, days: int) -> None:
    """Give what an event has left behind an id of that many days ago."""
    made = dt.datetime.now(dt.UTC) - dt.timedelta(days=days)
    new = Identifiers(clock=lambda: made.timestamp()).new()
    for name in ("event", "webhook_delivery"):
        tx.connection.execute(f"UPDATE {name} SET id = '{new}' WHERE object_id = '{object_id}'", {})


def test_the_rows_of_another_environment_are_not_touched(server: Server, world: World) -> None:
    other = server.tenant()
    server.database.write_now(other.environment.id, lambda tx: insert_key(tx, "old", OLD))
    assert write(server, world, KEYS) == 0


def test_what_ran_is_not_due_for_an_hour(server: Server) -> None:
    task = Task("a task of the tests", "idempotency", "created_at", 1)
    due, again = (server.database.write_now("", lambda tx: take_due(tx, (task,))) for _ in range(2))
    assert (due, again) == ([task], [])


def pretend_old(tx: Transaction, task: Task) -> None:
    tx.run_named(housekeeping.MARK, name=f"housekeeping {task.name}", value=OLD)


def test_what_ran_an_hour_ago_is_due_again(server: Server) -> None:
    task = Task("an older task of the tests", "idempotency", "created_at", 1)
    server.database.write_now("", lambda tx: pretend_old(tx, task))
    assert server.database.write_now("", lambda tx: last_run(tx, task)) == OLD
    assert server.database.write_now("", lambda tx: take_due(tx, (task,))) == [task]


def test_one_round_does_all_that_is_due(server: Server, world: World) -> None:
    for task in TASKS:
        server.database.write_now("", partial(pretend_old, task=task))
    server.database.write_now(world.environment_id, lambda tx: insert_key(tx, "old", OLD))
    removed = server.loop.run(housekeeping.tidy_all(server.database))
    assert set(removed) == {*(task.name for task in TASKS), "signing keys", "connections not renewed", "environments nobody confirmed"}
    assert removed[KEYS.name] >= 1
    assert server.loop.run(housekeeping.tidy_all(server.database)) == {}


def test_a_signing_key_goes_when_nothing_it_has_signed_is_alive(server: Server) -> None:
    def rotate_twice(tx: Transaction) -> tuple[str, str]:
        return rotate_keys(tx), rotate_keys(tx)

    first, second = server.database.write_now("", rotate_twice)
    server.database.query(f"UPDATE signing_key SET retired_at = '{OLD}' WHERE id = '{first}' RETURNING id")
    for task in TASKS[:1]:
        server.database.write_now("", partial(pretend_old, task=task))
    assert server.loop.run(housekeeping.tidy_all(server.database))["signing keys"] >= 1
    left = {key["id"] for key in server.database.write_now("", list_keys)}
    assert (first in left, second in left) == (False, True)


@pytest.mark.parametrize(
    ("error", "line"), [(ZeroDivisionError("a fault"), "housekeeping failed"), (unavailable("x"), "housekeeping postponed")]
)
def test_a_round_that_fails_is_logged_and_the_next_one_comes(
    server: Server, monkeypatch: pytest.MonkeyPatch, error: Exception, line: str
) -> None:
    """Whatever it fails of."""
    rounds: list[str] = []

    async def tidy_all(_: Database) -> dict[str, int]:
        rounds.append("tidied")
        if len(rounds) == 1:
            raise error
        return {}

    async def sleep(_: float) -> None:
        if len(rounds) == 2:
            raise asyncio.CancelledError

    async def keep_calendars(_: Database) -> None:
        pass

    monkeypatch.setattr(housekeeping, "tidy_all", tidy_all)
    monkeypatch.setattr(housekeeping, "keep_calendars", keep_calendars)
    with capture_logs() as lines, pytest.raises(asyncio.CancelledError):
        asyncio.run(housekeeping.run(server.database, sleep))
    assert [entry["event"] for entry in lines if entry["event"].startswith("housekeeping")] == [line]
    assert len(rounds) == 2
