"""The servers that tests ask, one for each kind of database, and the tenants that ask them.

A test gets an environment of its own, so that it starts with nothing and sees nothing of the others; the tables are shared.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from tests.client import MARKER, Client, Loop
from tests.server import Server, running, scratch_database, settings_for
from tests.world import STORED, World


@pytest.fixture(scope="session", autouse=True)
def _plain_log() -> None:
    """Faults that tests provoke are written on one line; the coloured form takes seconds for each."""
    structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.JSONRenderer()])


@pytest.fixture(scope="session")
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.stop()


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    """The kind of database; PostgreSQL is left out only where nobody promised one."""
    kind: str = request.param
    if kind == "postgresql" and "PLANWERK_TEST_POSTGRESQL" not in os.environ:
        assert os.environ.get("PLANWERK_REQUIRE_POSTGRESQL") != "1", "PLANWERK_TEST_POSTGRESQL must name a server"
        pytest.skip("PLANWERK_TEST_POSTGRESQL names no server; `make test` starts one")
    return kind


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="session")
def server(backend: str, folder: Path, loop: Loop) -> Iterator[Server]:
    place = folder / backend
    place.mkdir()
    with scratch_database(backend, place) as url, running(loop, settings_for(url, place)) as server:
        yield server


@pytest.fixture(scope="session")
def other(server: Server) -> World:
    """The tenant whose data nobody else may see: one object of every kind, with the marker in every text."""
    tenant = server.tenant(MARKER)
    world = World(server, server.client(tenant, sees_marker=True), tenant.environment.id, MARKER)
    for described in STORED:
        world.id(described.name)
    return world


@pytest.fixture
def world(server: Server, other: World) -> World:
    """A tenant with nothing yet, beside one that has everything."""
    tenant = server.tenant()
    return World(server, server.client(tenant), tenant.environment.id)


@pytest.fixture
def api(world: World) -> Client:
    return world.client
