"""What several files about events and deliveries begin with."""

from collections.abc import Iterator

import pytest
from tests.api.eventful import Floor
from tests.client import Client, Loop
from tests.delivering import Mill, quiet_mill, sending_server
from tests.server import Server


@pytest.fixture(scope="module")
def delivering(backend: str, tmp_path_factory: pytest.TempPathFactory, loop: Loop) -> Iterator[Server]:
    """A server whose senders are those of the tests of one file."""
    with sending_server(backend, tmp_path_factory.mktemp("delivering"), loop) as server:
        yield server


@pytest.fixture
def mill(delivering: Server) -> Mill:
    return quiet_mill(delivering)


@pytest.fixture
def floor(api: Client, server: Server) -> Floor:
    return Floor(api, server)
