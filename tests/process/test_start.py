"""`planwerk serve` as a process: the first run, the second, a stop, a kill, and what may not happen twice.

How to make them fail: leave out hold_lock (two servers on one file), watch_parent (a killed server leaves its worker and
its lock behind), or close the database before the requests under way are answered.
"""

import json
import os
import signal
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.process.running import PATIENCE_SECONDS, Process, children, command, is_alive, memory_mib, serving, wait_until

REST_MIB = 120  # of all processes together, with nothing to do


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the first run has been, and is over."""
    folder = tmp_path_factory.mktemp("first")
    with serving(folder) as process:
        assert process.stop(signal.SIGTERM) == 0
    return folder


@pytest.fixture
def process(folder: Path) -> Iterator[Process]:
    with serving(folder) as process:
        yield process


def test_the_first_run_shows_the_key_once_and_keeps_it_for_its_owner(folder: Path) -> None:
    path = folder / "var" / "first-run.json"
    key = json.loads(path.read_text())["api_key"]
    assert (folder / "log").read_text().count(key) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_first_run_loads_a_workshop(process: Process) -> None:
    status, found = process.ask("GET", "/v1/order?limit=1&with=order_rows")
    assert status == 200
    assert found["count"] > 0
    assert found["data"][0]["order_rows"]


def test_another_start_keeps_everything(folder: Path) -> None:
    with serving(folder) as process:
        before = process.ask("GET", "/v1/order?limit=0")
        made = process.ask("POST", "/v1/warehouse", {"external_ref": "kept", "description": "kept"})
        assert made[0] == 201
        assert process.stop(signal.SIGTERM) == 0
    with serving(folder) as process:
        assert process.ask("GET", "/v1/order?limit=0") == before
        assert process.ask("GET", f"/v1/warehouse/{made[1]['id']}") == (200, made[1])


def test_the_server_at_rest_is_small(process: Process) -> None:
    process.ask("GET", "/v1/order")
    assert memory_mib([process.popen.pid, *children(process.popen.pid)]) < REST_MIB


def test_a_second_server_on_the_same_file_stops_with_a_sentence(process: Process) -> None:
    second = command(process.folder, "serve", "--port", str(process.port))
    assert second.returncode == 1
    assert second.stderr == "Error: another server is running on var/planwerk.db; stop it first\n"
    assert process.is_ready()


def test_a_key_made_while_the_server_runs_opens_it_at_once(process: Process) -> None:
    made = json.loads(command(process.folder, "key", "create", "--json").stdout)
    assert process.ask("GET", "/v1/me", **{"X-Api-Key": made["api_key"], "X-Api-Env": made["api_env"]})[0] == 200


def test_maintenance_is_seen_by_the_next_request(process: Process) -> None:
    command(process.folder, "maintenance", "on")
    refused = process.ask("GET", "/v1/me")[0]
    command(process.folder, "maintenance", "off")
    assert (refused, process.ask("GET", "/v1/me")[0]) == (503, 200)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_answers_what_is_under_way_and_frees_the_lock(folder: Path, number: int) -> None:
    with serving(folder) as process:
        lock = folder / "var" / "planwerk.db.lock"
        assert lock.exists()
        body = json.dumps({"description": "written during the stop"}).encode()
        head = "".join(f"{name}: {value}\r\n" for name, value in process.headers.items())
        with socket.create_connection(("127.0.0.1", process.port), timeout=PATIENCE_SECONDS) as connection:
            text = f"POST /v1/warehouse HTTP/1.1\r\nHost: a\r\n{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(text.encode() + body[:10])
            wait_until(lambda: process.ask("GET", "/v1/me")[0] == 200, "the request is under way")
            process.popen.send_signal(number)
            wait_until(lambda: not process.is_ready(), "new requests are refused")
            connection.sendall(body[10:])
            assert connection.recv(12) == b"HTTP/1.1 201"
        assert process.popen.wait(PATIENCE_SECONDS) == 0
        assert not lock.exists()


def test_a_killed_server_takes_its_workers_along_and_can_be_started_again(folder: Path) -> None:
    with serving(folder) as process:
        workers = children(process.popen.pid)
        process.stop(signal.SIGKILL)
        wait_until(lambda: not any(map(is_alive, workers)), "the workers are gone")
    with serving(folder) as process:
        assert process.ask("GET", "/v1/me")[0] == 200


def test_a_server_whose_worker_dies_stops_too(folder: Path) -> None:
    with serving(folder) as process:
        for worker in children(process.popen.pid):
            os.kill(worker, signal.SIGKILL)
        assert process.popen.wait(PATIENCE_SECONDS) == 1


def test_several_workers_need_postgresql(tmp_path: Path) -> None:
    refused = command(tmp_path, "serve", "--workers", "2")
    assert (refused.returncode, refused.stderr) == (1, "Error: several workers need PostgreSQL; an SQLite database has one\n")


def test_holidays_of_no_country_stop_the_server_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "planwerk.toml").write_text('holidays = "XX"\n')
    refused = command(tmp_path, "serve")
    assert refused.returncode == 1
    assert refused.stderr.startswith("Error: holidays: there is no calendar for XX")


def test_a_port_in_use_stops_the_server_with_a_sentence(process: Process, tmp_path: Path) -> None:
    other = command(tmp_path, "serve", "--port", str(process.port))
    assert other.returncode == 1
    assert f"port {process.port}" in other.stderr.splitlines()[-1]
    assert "Traceback" not in other.stderr


@pytest.mark.parametrize(
    "target", [b"/v1/\xff\xfe", b"/v1/%ff", b"/v1/%zz", b"/%zz", b"/v1/order?\xff", b"/v1/order?filter=%ff", b"http://[::1/x"]
)
def test_an_address_that_is_no_text_is_refused(process: Process, target: bytes) -> None:
    with socket.create_connection(("127.0.0.1", process.port), timeout=PATIENCE_SECONDS) as connection:
        connection.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert connection.recv(10) == b"HTTP/1.1 4"


def test_headers_beyond_our_limit_get_our_own_answer(process: Process) -> None:
    status, body = process.ask("GET", "/v1/me", **{"X-Long": "a" * 40_000})
    assert (status, body["errors"][0]["code"]) == (431, 10019)
