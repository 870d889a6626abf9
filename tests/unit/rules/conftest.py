"""A plant for each test that asks for one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.rules.plant import Plant


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    plant = Plant(tmp_path)
    yield plant
    plant.database.close()
