"""A real server as a process, started by the command that people use, on a free port of this machine."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COMMAND = Path(sys.executable).parent / "planwerk"
PATIENCE_SECONDS = 60.0  # for what is certain to come; a test that runs into it fails


@dataclass
class Process:
    """A server process, the folder it works in, and its port."""

    popen: subprocess.Popen[str]
    folder: Path
    port: int

    @property
    def access(self) -> dict[str, str]:
        kept = next((self.folder / "var").glob("first-run*.json"))  # named after the database, unless that is called planwerk
        found: dict[str, str] = json.loads(kept.read_text())
        return found

    @property
    def headers(self) -> dict[str, str]:
        return {"X-Api-Key": self.access["api_key"], "X-Api-Env": self.access["api_env"]}

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """(status, JSON) of one request with the key of the first run."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        try:
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text, {**self.headers, "Content-Type": "application/json", **headers})
            answer = connection.getresponse()
            content = answer.read()
            return answer.status, json.loads(content) if content else None
        finally:
            connection.close()

    def is_ready(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"GET /health/ready HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                return connection.recv(12) == b"HTTP/1.1 200"
        except OSError:
            return False

    def stop(self, signal_number: int) -> int:
        """The exit code after a signal."""
        self.popen.send_signal(signal_number)
        return self.popen.wait(PATIENCE_SECONDS)


def wait_until(condition: Any, words: str) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end, f"waited in vain until {words}"
        time.sleep(0.02)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def environment(**chosen: str) -> dict[str, str]:
    """The variables of this process without settings of Planwerk, but those chosen."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PLANWERK_")}
    return {**plain, **chosen}


def start(folder: Path, *arguments: str, settings: Mapping[str, str] | None = None) -> Process:
    """`planwerk serve` in a folder, not yet ready."""
    port = free_port()
    command = [str(COMMAND), "serve", "--port", str(port), *arguments]
    with (folder / "log").open("a") as log:
        popen = subprocess.Popen(command, cwd=folder, env=environment(**(settings or {})), stdout=log, stderr=log, text=True)
    return Process(popen, folder, port)


@contextmanager
def serving(folder: Path, *arguments: str, settings: Mapping[str, str] | None = None) -> Iterator[Process]:
    """`planwerk serve` in a folder, ready; gone afterwards."""
    process = start(folder, *arguments, settings=settings)
    try:
        wait_until(lambda: process.is_ready() or process.popen.poll() is not None, "the server is ready")
        assert process.popen.poll() is None, (folder / "log").read_text()
        yield process
    finally:
        if process.popen.poll() is None:
            process.popen.kill()
            process.popen.wait(PATIENCE_SECONDS)


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """One command of `planwerk` in a folder, run to its end."""
    return subprocess.run(
        [str(COMMAND), *arguments], cwd=folder, env=environment(), capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS
    )


def children(process_id: int) -> list[int]:
    """The living child processes."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == process_id and fields[0] != "Z":
            found.append(int(entry.parent.name))
    return found


def is_alive(process_id: int) -> bool:
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def memory_mib(process_ids: list[int]) -> float:
    """The proportional memory of processes together."""
    kibibytes = 0
    for process_id in process_ids:
        lines = Path(f"/proc/{process_id}/smaps_rollup").read_text().splitlines()
        kibibytes += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kibibytes / 1024
