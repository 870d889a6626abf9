"""A prepared database for each test of the real server, on each kind of database where that matters."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.process.serving import Place, prepared
from tests.server import scratch_database


@pytest.fixture
def place(backend: str, tmp_path: Path) -> Iterator[Place]:
    """A database of each kind."""
    with scratch_database(backend, tmp_path) as url:
        yield prepared(url, tmp_path)


@pytest.fixture
def sqlite_place(tmp_path: Path) -> Place:
    return prepared(f"sqlite:///{tmp_path / 'planwerk.db'}", tmp_path)
