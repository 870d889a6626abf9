"""A database of the first schema is brought to today's: nothing is lost, and what follows from cards is made by a job.

How to make it fail: leave the job out of step 0002 or the email addresses out of 0003, or give a card no rank in `rules/recount.py`.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.server import OBJECTS, scratch_database

from planwerk.jobs import do, jobs_of
from planwerk.settings import Settings
from planwerk.store import migrations
from planwerk.store.database import Database, open_database
from planwerk.store.environments import create_environment
from planwerk.store.jobs import next_due
from planwerk.store.migrations import KEEP, upgrade
from planwerk.store.transaction import Transaction

NOW = "2026-11-01T08:00:00Z"
COMMON = {"created_at": NOW, "updated_at": NOW, "version": 1, "document": "{}"}
ROWS: list[tuple[str, dict[str, Any]]] = [
    ("board", {"id": "b", "name": "Production", "custom_fields": "[]", "restricted_users": "[]", "card_lock_options": "[]"}),
    ("collection", {"id": "c1", "name": "with cards", "board_id": "b", "status": "not_planned", "due_date": "2026-12-02"}),
    ("collection", {"id": "c2", "name": "without", "board_id": "b", "status": "planned"}),
    ("card", {"id": "k1", "name": "one", "collection_id": "c1", "board_id": "b", "start_date": "2026-12-01", "end_date": "2026-12-07"}),
    ("card", {"id": "k2", "name": "two", "collection_id": "c1", "board_id": "b", "start_date": "2026-11-30", "end_date": "2026-11-30"}),
]
USERS = {"u1": "Eva@Mill.nl", "u2": "ole@mill.nl", "u3": "Jo@Mill.nl", "u4": "jo@mill.nl"}
ROWS += [("user", {"id": id, "email": email, "username": email, "role": "member", "status": "active"}) for id, email in USERS.items()]
PLAIN: dict[str, dict[str, Any]] = {
    "collection": {"warnings": "[]", "custom_fields": "[]", "edited_properties": "[]", "progress": "open", "source_type": "custom"},
    "card": {"custom_fields": "[]", "rank": "aaa", "time": 60},
}


@pytest.fixture
def database(backend: str, tmp_path: Path) -> Iterator[Database]:
    with scratch_database(backend, tmp_path) as url:
        database = open_database(Settings(database=url), OBJECTS)
        yield database
        database.close()


def fill(tx: Transaction) -> str:
    """An environment of the first schema, with rows as that release left them; its id."""
    migrations.run(tx, migrations.script("0001_initial", tx))
    tx.run_named(KEEP, name="schema", value="0001")
    environment = create_environment(tx, "Workshop").id
    for table, values in ROWS:
        row = {"environment_id": environment, **COMMON, **PLAIN.get(table, {}), **values}
        names, marks = ", ".join(f'"{name}"' for name in row), ", ".join(f"{{{name}}}" for name in row)
        tx.connection.execute(f'INSERT INTO "{table}" ({names}) VALUES ({marks.format_map(Quoted(row))})', {})
    return environment


class Quoted(dict[str, Any]):
    def __getitem__(self, name: str) -> str:
        value = super().__getitem__(name)
        return str(value) if isinstance(value, int) else f"'{value}'"


def work(database: Database) -> int:
    """Do the jobs that are due."""
    count = 0
    while (found := database.write_now("", next_due)) is not None:
        database.write_now(found[0], partial(do, known=jobs_of(OBJECTS), id=found[1]))
        count += 1
    return count


def test_what_follows_from_cards_is_made_after_the_update(database: Database) -> None:
    environment = database.write_now("", fill)
    assert upgrade(database) == [step for step in migrations.steps() if step > "0001_initial"]
    assert work(database) == 2, "one for the collections there are, one that finds no more"

    def look(tx: Transaction) -> tuple[dict[str, Any], dict[str, Any]]:
        return (
            {row["id"]: row for row in tx.find(tx.object("collection"))},
            {row["id"]: row for row in tx.find(tx.object("card"))},
        )

    collections, cards = database.write_now(environment, look)
    assert {name: collections["c1"][name] for name in ("status", "position", "start", "end", "warnings")} == {
        "status": "planned",
        "position": None,
        "start": "2026-11-30",
        "end": "2026-12-07",
        "warnings": '["due_date_exceeded"]',
    }
    assert (collections["c2"]["status"], collections["c2"]["position"]) == ("not_planned", 0)
    assert [(cards[id]["days_diff"], cards[id]["days_active"], cards[id]["time_remaining"]) for id in ("k1", "k2")] == [
        (6, 5, 60),
        (0, 1, 60),
    ]
    assert len({card["rank"] for card in cards.values()} - {"aaa"}) == 2


def test_email_addresses_lose_their_capitals_unless_two_users_would_have_the_same(database: Database) -> None:
    environment = database.write_now("", fill)
    upgrade(database)
    users = database.write_now(environment, lambda tx: {row["id"]: row for row in tx.find(tx.object("user"))})
    assert {id: row["email"] for id, row in users.items()} == {**USERS, "u1": "eva@mill.nl"}
    assert '"email":"eva@mill.nl"' in users["u1"]["document"]
