"""Several server processes on one PostgreSQL behave as one: each sees at once what another wrote, and within a second what was switched."""

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.process.asking import Asker
from tests.process.running import wait_until
from tests.process.serving import Serving, prepared
from tests.process.writing import rows_of
from tests.server import scratch_database

pytestmark = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)  # an SQLite database has one server process

WORKERS = 2
CONNECTIONS = 16  # so many that each process has some of them
SETTLED_SECONDS = 1.2  # a second is promised, and the rest is for what is under way


@pytest.fixture(scope="module")
def server(backend: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("workers")
    with scratch_database(backend, folder) as url, prepared(url, folder).serving("--workers", str(WORKERS)) as server:
        yield server


@pytest.fixture
def askers(server: Serving) -> Iterator[list[Asker]]:
    """Connections to all processes of the server."""
    with contextlib.ExitStack() as kept:
        found: list[Asker] = []

        def connect() -> bool:
            """Whether each process has a connection after some more of them; one may have started later than the other."""
            found.extend(kept.enter_context(server.client()) for _ in range(CONNECTIONS))
            assert asked(found) == {200}
            ours = connections(server.port)
            return len(server.workers) == WORKERS and all(sockets(worker) & ours for worker in server.workers)

        wait_until(connect, "each process has a connection")
        yield found


def test_what_one_process_wrote_the_others_see_at_once(askers: list[Asker]) -> None:
    """To see it fail: keep answers on PostgreSQL, too (a constant from `PostgreSQL.version`)."""
    for number, writer in enumerate(askers):
        made = writer.value("POST", "/v1/order", {"external_ref": f"order-{number}"})
        assert {asker.value("GET", f"/v1/order/{made['id']}")["external_ref"] for asker in askers} == {f"order-{number}"}
        listed = {asker.value("GET", "/v1/order?filter=external_ref:starts_with:order-")["count"] for asker in askers}
        assert listed == {number + 1}
        changed = askers[number - 1].value("PUT", f"/v1/order/{made['id']}", {"code": "changed"})
        assert {asker.value("GET", f"/v1/order/{made['id']}")["code"] for asker in askers} == {changed["code"]}


def test_one_reference_is_taken_once_whichever_process_is_asked(askers: list[Asker]) -> None:
    """To see it fail: look for the reference before the insert and leave the unique index out."""
    statuses = sorted(asker.ask("POST", "/v1/order", {"external_ref": "same", "type": "Sales", "sub_type": "a"}).status for asker in askers)
    assert statuses == [201] + [422] * (len(askers) - 1)


def test_maintenance_reaches_all_processes_within_a_second(askers: list[Asker], server: Serving) -> None:
    """To see it fail: look at the state when a process starts and never again."""
    for state, expected in (("on", {503}), ("off", {200})):
        assert server.place.command("maintenance", state).returncode == 0
        time.sleep(SETTLED_SECONDS)
        assert asked(askers) == expected


def test_a_revoked_key_opens_nothing_after_a_second(askers: list[Asker], server: Serving) -> None:
    """To see it fail: remember keys for a minute (`ApiKeys.confirmed`)."""
    made = json.loads(server.place.command("key", "create", "--json").stdout)["api_key"]
    digest = hashlib.sha256(made.encode()).hexdigest()
    for asker in askers:
        asker.headers = {**asker.headers, "x-api-key": made}
    assert asked(askers) == {200}
    revoke = f"UPDATE api_key SET revoked_at = '2026-01-01T00:00:00Z' WHERE key_hash = '{digest}' RETURNING id"
    assert len(rows_of(server.place, revoke)) == 1
    time.sleep(SETTLED_SECONDS)
    assert asked(askers) == {401}


def asked(askers: list[Asker]) -> set[int]:
    return {asker.ask("GET", "/v1/order").status for asker in askers}


# ── which process holds a connection, as the kernel sees it (proc(5), /proc/net/tcp) ──


def connections(port: int) -> set[str]:
    """The inodes of the server's ends of all established connections to a port."""
    lines = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return {fields[9] for fields in lines if fields[1].endswith(f":{port:04X}") and fields[3] == "01"}


def sockets(pid: int) -> set[str]:
    """The inodes of a process's sockets."""
    links = (os.readlink(f"/proc/{pid}/fd/{name}") for name in os.listdir(f"/proc/{pid}/fd"))
    return {link.removeprefix("socket:[").rstrip("]") for link in links if link.startswith("socket:")}
