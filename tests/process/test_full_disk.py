"""A disk that is full, failing or read-only, and a process without file handles: refused, told, whole, and over without a restart."""

import contextlib
import os
import resource
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.process.asking import DROPPED, Asker, Reply
from tests.process.running import wait_until
from tests.process.serving import Place, Serving, environ_for, prepared, run_command
from tests.process.writing import Ledger, an_order, cards_path, check

DISK_BYTES = 12 * 1024 * 1024
NOTE = "x" * 100_000
HANDLES = 64
UNLIMITED = resource.RLIM_INFINITY


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, which only root can mount; what happens without one is told by the failing disk below."""
    folder = tmp_path / "disk"
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(["mount", *options], capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting a small disk needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_refuses_writes_whole_and_recovers_by_itself(small_disk: Path) -> None:
    """To see it fail: leave `apsw.FullError` out of `sqlite.Handle.execute`, or commit after each statement."""
    place = prepared(f"sqlite:///{small_disk / 'planwerk.db'}", small_disk)
    filler = small_disk / "filler"
    with place.serving() as server, server.client() as asker:
        ledger, cards = Ledger(), cards_path(server)
        fill(filler)
        refused = write_until_refused(asker, ledger)
        assert_unavailable(refused)
        assert_readable(server, asker, ledger, is_writable=False)
        filler.unlink()
        ledger.write(asker, cards)
        assert_readable(server, asker, ledger, is_writable=True)
        assert server.stop() == 0
    check(place, ledger)
    assert "Traceback" not in place.log.read_text()


def test_a_failing_disk_refuses_writes_whole_and_recovers_by_itself(sqlite_place: Place) -> None:
    """No file may grow beyond its first page, so every write fails in the middle. To see it fail: leave out `apsw.IOError`."""
    with sqlite_place.serving() as server, server.client() as asker:
        ledger, cards = Ledger(), cards_path(server)
        ledger.write(asker, cards)
        limit(server, resource.RLIMIT_FSIZE, 4096)
        assert_unavailable(write_until_refused(asker, ledger))
        assert_readable(server, asker, ledger, is_writable=False)
        limit(server, resource.RLIMIT_FSIZE, UNLIMITED)
        ledger.write(asker, cards)
        assert_readable(server, asker, ledger, is_writable=True)
        assert server.stop() == 0
    check(sqlite_place, ledger)


def test_a_folder_that_cannot_be_written_stops_the_start_with_a_sentence(small_disk: Path, tmp_path: Path) -> None:
    """To see it fail: let `OSError` pass `commands.lock.take` untranslated."""
    place = prepared(f"sqlite:///{small_disk / 'planwerk.db'}", small_disk)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    stopped = run_command(("serve", "--port", "1"), environ_for(place.database, small_disk, {}), tmp_path)
    assert stopped.returncode == 1
    assert "Traceback" not in stopped.stderr
    assert stopped.stderr.startswith("Error: ")


def test_a_process_without_file_handles_serves_again_once_clients_leave(sqlite_place: Place) -> None:
    """Far more clients connect than there are handles. To see it fail: end the process at the first failed accept."""
    with sqlite_place.serving() as server, contextlib.ExitStack() as crowd:
        limit(server, resource.RLIMIT_NOFILE, HANDLES)
        for _ in range(3 * HANDLES):
            crowd.enter_context(socket.create_connection(("127.0.0.1", server.port)))
        crowd.close()
        wait_until(lambda: is_served(server), "the server answers again")
        with server.client() as asker:
            assert asker.ask("POST", "/v1/order", {"external_ref": "after"}).status == 201


# ── what is done to the server, and what it must still do ──


def fill(filler: Path) -> None:
    """Leave no free byte on the disk."""
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"0" * 4096)


def limit(server: Serving, kind: int, value: int) -> None:
    for pid in server.pids:
        resource.prlimit(pid, kind, (value, resource.prlimit(pid, kind)[1]))


def write_until_refused(asker: Asker, ledger: Ledger) -> Reply:
    """Large orders as long as they fit, then small ones; the answer to the first small one that is refused."""
    for note in (NOTE, ""):
        for _ in range(DISK_BYTES // 1000):
            reference, path, body = an_order(next(ledger.numbers))
            ledger.sent.add(reference)
            reply = asker.ask("POST", path, {**body, "note": note})
            if reply.status != 201:
                break
            ledger.acknowledged.add(reference)
    return reply


def assert_unavailable(reply: Reply) -> None:
    assert reply.status == 503, reply.body
    assert int(reply.headers["retry-after"]) > 0
    assert reply.json["reference"] == reply.headers["reference-tag"]
    assert reply.json["errors"][0]["code"] == 10010


def assert_readable(server: Serving, asker: Asker, ledger: Ledger, *, is_writable: bool) -> None:
    """Reads are answered, none shows a part of a refused write, and the health page tells whether writing works."""
    orders = sum(reference.startswith("order") for reference in ledger.acknowledged)
    assert asker.value("GET", "/v1/order?limit=1")["count"] == orders
    wait_until(lambda: server.health().json == {"status": "ready", "writable": is_writable}, f"writable is {is_writable}")


def is_served(server: Serving) -> bool:
    try:
        return server.health().status == 200
    except DROPPED:
        return False
