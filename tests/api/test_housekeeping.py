"""Housekeeping on both databases: what is too old goes, what is not stays, and once an hour is enough."""

from functools import partial

from tests.server import Server
from tests.world import World

from planwerk import housekeeping
from planwerk.housekeeping import TASKS, Task, last_run, take_due, tidy
from planwerk.store.transaction import Transaction

OLD, FRESH = "2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z"
KEYS, MESSAGES = TASKS


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
    assert set(removed) == {task.name for task in TASKS}
    assert removed[KEYS.name] >= 1
    assert server.loop.run(housekeeping.tidy_all(server.database)) == {}
