"""A PostgreSQL server that is killed under write load: nothing acknowledged is lost, and ours serves again without a restart."""

import os
import pwd
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.process.running import free_port, wait_until
from tests.process.serving import IS_LONG, Serving, prepared
from tests.process.writing import Ledger, cards_path, check, writers

pytestmark = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)  # SQLite is no server

CLIENTS = 8
CYCLES = 20 if IS_LONG else 2
OWNERS = ("postgres", "nobody")  # PostgreSQL does not run as root


@dataclass
class Cluster:
    """A PostgreSQL server of our own, which may be killed."""

    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"postgresql://planwerk@127.0.0.1:{self.port}/postgres"

    def create(self) -> None:
        self.run("initdb", "--username", "planwerk", "--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8")

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories="
        self.run("pg_ctl", "--log", str(self.folder / "log"), "--options", options, "--wait", "start")

    def stop(self, mode: str) -> None:
        self.run("pg_ctl", "--mode", mode, "--wait", "stop")

    def kill(self) -> None:
        """End it as a crash would: the server process itself; its children notice and follow."""
        pid = int((self.folder / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not (Path("/proc") / str(pid)).exists(), "the server process is gone")

    def run(self, program: str, *arguments: str) -> None:
        command = [*as_owner(), str(programs() / program), "--pgdata", str(self.folder), *arguments]
        subprocess.run(command, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True, timeout=120)


def programs() -> Path:
    """The folder of PostgreSQL's programs."""
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else max(Path("/usr/lib/postgresql").glob("*/bin"))


def as_owner() -> list[str]:
    return ["setpriv", f"--reuid={owner()}", "--clear-groups"] if os.geteuid() == 0 else []


def owner() -> str:
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in OWNERS if name in known)


@pytest.fixture
def cluster(backend: str) -> Iterator[Cluster]:
    folder = Path(tempfile.mkdtemp(prefix="planwerk-cluster-"))  # not below tmp_path, where another user may not look
    if os.geteuid() == 0:
        shutil.chown(folder, owner())
    cluster = Cluster(folder, free_port())
    try:
        cluster.create()
        cluster.start()
        yield cluster
    finally:
        if (folder / "postmaster.pid").exists():
            cluster.stop("immediate")
        shutil.rmtree(folder)


def test_a_killed_database_server_loses_nothing_and_ours_goes_on(cluster: Cluster, tmp_path: Path) -> None:
    """To see it fail: keep broken connections in `PostgreSQL.handle`, or set `synchronous_commit=off` for a crash of the machine."""
    place, ledger, chance = prepared(cluster.url, tmp_path), Ledger(), random.Random(1)
    with place.serving() as server:
        cards = cards_path(server)
        for cycle in range(CYCLES):
            with writers(server, ledger, cards, CLIENTS):
                time.sleep(chance.uniform(0.3, 1.0))
                cluster.kill() if cycle % 2 else cluster.stop("immediate")
                wait_until(lambda: len(ledger.refused) >= CLIENTS, "clients are told")
                assert server.health().status == 503
            cluster.start()
            wait_until(lambda: is_writable(server), "the server writes again")
            check(place, ledger)
            assert {refusal[:3] for refusal in ledger.refused} == {"503"}
            ledger.refused.clear()
        with server.client() as asker:
            ledger.write(asker, cards)
        assert server.stop() == 0
    check(place, ledger)
    assert ledger.refused == []
    assert "unforeseen" not in place.log.read_text()


def is_writable(server: Serving) -> bool:
    reply = server.health()
    return reply.status == 200 and bool(reply.json["writable"])
