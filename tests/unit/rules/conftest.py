"""An empty plant for each test that asks for one."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from tests.unit.rules.plant import Plant, opened

from planwerk.store.database import Database


@pytest.fixture(scope="package")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = opened(tmp_path_factory.mktemp("plant"))
    yield database
    database.close()


@pytest.fixture
def plant(database: Database) -> Plant:
    return Plant(database, str(uuid4()))
