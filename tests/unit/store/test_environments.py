"""Environments: the tenants, found by name or id, with a hash that clients send."""

import re

import pytest

from planwerk.store.environments import create_environment, find_environment
from planwerk.store.sqlite import SQLite
from planwerk.store.transaction import Duplicate


def test_a_new_environment_has_a_hash_of_40_hex_digits(database: SQLite) -> None:
    made = database.write_now("", lambda tx: create_environment(tx, "Workshop"))
    assert re.fullmatch("[0-9a-f]{40}", made.hash)
    assert (made.name, made.status, made.created_at) == ("Workshop", "active", made.updated_at)


def test_no_two_environments_share_a_hash(database: SQLite) -> None:
    assert len({database.write_now("", lambda tx, name=name: create_environment(tx, name)).hash for name in "abc"}) == 3  # type: ignore[misc]


def test_an_environment_is_found_by_name_or_id_and_without_either_the_oldest(database: SQLite) -> None:
    first, second = (database.write_now("", lambda tx, name=name: create_environment(tx, name)) for name in ("a", "b"))  # type: ignore[misc]
    found = database.write_now(
        "",
        lambda tx: (
            find_environment(tx, name="b"),
            find_environment(tx, id=first.id),
            find_environment(tx),
            find_environment(tx, name="c"),
        ),
    )
    assert found == (second, first, first, None)


def test_a_name_is_taken_once(database: SQLite) -> None:
    database.write_now("", lambda tx: create_environment(tx, "Workshop"))
    with pytest.raises(Duplicate):
        database.write_now("", lambda tx: create_environment(tx, "Workshop"))
