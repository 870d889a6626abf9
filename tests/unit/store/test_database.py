"""A database is opened from its URL."""

from pathlib import Path

import pytest
from tests.unit.store.shop import OBJECTS

from planwerk.errors import MEMORY_EXHAUSTED, SERVICE_UNAVAILABLE
from planwerk.settings import Settings
from planwerk.store.database import Unusable, open_database, too_large, unavailable
from planwerk.store.postgresql import PostgreSQL
from planwerk.store.sqlite import SQLite


def test_a_url_names_the_kind_of_database(tmp_path: Path) -> None:
    database = open_database(Settings(database=f"sqlite:///{tmp_path / 'a.db'}"), OBJECTS)
    assert isinstance(database, SQLite)
    assert database.path == tmp_path / "a.db"
    database.close()


@pytest.mark.parametrize("url", ["postgresql://me@localhost/plan", "postgres://me@localhost/plan"])
def test_a_server_is_not_asked_before_it_is_needed(url: str) -> None:
    database = open_database(Settings(database=url), OBJECTS)
    assert isinstance(database, PostgreSQL)
    database.close()


@pytest.mark.parametrize("url", ["", "mysql://localhost/plan", "sqlite:plan.db", "plan.db"])
def test_a_url_of_another_kind_is_refused_with_what_it_must_be(url: str) -> None:
    with pytest.raises(Unusable, match=r"must be sqlite:///path/file\.db or postgresql://user@host:port/name"):
        open_database(Settings(database=url), OBJECTS)


def test_an_answer_that_is_too_large_and_a_database_that_is_away_are_refusals_of_the_api() -> None:
    assert too_large().faults[0].kind is MEMORY_EXHAUSTED
    refusal = unavailable("the disk is full", 7)
    assert (refusal.faults[0].kind, refusal.headers) == (SERVICE_UNAVAILABLE, {"retry-after": "7"})
