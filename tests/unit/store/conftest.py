"""A database of the small catalog for each test that asks for one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.store.shop import Clock, opened

from planwerk.store.sqlite import SQLite


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(tmp_path: Path, clock: Clock) -> Iterator[SQLite]:
    database = opened(tmp_path, clock)
    yield database
    database.close()
