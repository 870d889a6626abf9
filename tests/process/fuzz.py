"""Thousands of requests made from the OpenAPI document, against the real server on a scratch database.

`scripts/fuzz` runs it long, `test_fuzz.py` short. It passes when no answer was 500 or more or disagreed with the document, none
took two seconds, the server's memory did not grow by 20 MiB, and the database is sound.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import apsw

COMMANDS = Path(sys.executable).parent
CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
SLOWEST_SECONDS = 2.0
GROWTH_BYTES = 20 * 1024 * 1024
START_SECONDS = 30.0
SHORT = "examples,fuzzing"
LONG = "examples,coverage,fuzzing,stateful"


@dataclass(frozen=True)
class Outcome:
    """What a run did: its cases, whether all were right, by how much the server grew, and the report."""

    cases: int
    is_right: bool
    growth_bytes: int
    is_sound: bool
    report: str


def fuzz(phases: str, max_examples: int, stateful_seconds: int = 60) -> Outcome:
    """Run the phases against a server of its own."""
    with TemporaryDirectory(prefix="planwerk-fuzz-") as folder:
        path = Path(folder) / "planwerk.db"
        with server(path) as (url, headers, pid):
            ask(url, phases="examples", headers=headers, max_examples=1)  # so that memory is measured warm
            before = memory(pid)
            reports = [
                ask(url, phases=phase, headers=headers, max_examples=max_examples, seconds=stateful_seconds) for phase in phases.split(",")
            ]
            growth = memory(pid) - before
        found = [int(number) for report, _ in reports for number in re.findall(r"(\d+) generated", report)]
        report = "\n".join(report for report, _ in reports)
        return Outcome(sum(found), all(is_right for _, is_right in reports), growth, is_sound(path), report)


def ask(url: str, *, phases: str, headers: dict[str, str], max_examples: int, seconds: int = 60) -> tuple[str, bool]:
    """(the report, whether all was right) of one schemathesis run."""
    named = [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    options = (
        f"--phases {phases} --mode all --checks all --continue-on-failure --workers 2 --no-color --warnings off --suppress-health-check all"
    )
    limits = f"--max-examples {max_examples} --max-response-time {SLOWEST_SECONDS} --request-timeout 10"
    timed = ["--max-time", str(seconds)] if phases == "stateful" else []
    command = [COMMANDS / "schemathesis", "--config-file", CONFIGURATION, "run", f"{url}/openapi.json", "--url", f"{url}/v1", *named]
    done = subprocess.run([*command, *options.split(), *limits.split(), *timed], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr, done.returncode == 0


@contextmanager
def server(path: Path) -> Iterator[tuple[str, dict[str, str], int]]:
    """(address, headers of a caller, process id) of a server that runs as users run it, but counts no requests."""
    database = f"sqlite:///{path}"
    first = subprocess.run([COMMANDS / "planwerk", "init", "--database", database, "--json"], capture_output=True, check=True)
    secrets = json.loads(first.stdout)
    port = free_port()
    command = [COMMANDS / "planwerk", "serve", "--database", database, "--port", str(port)]
    process = subprocess.Popen(
        command, env={**os.environ, "PLANWERK_RATE_LIMIT": "0"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/health/ready")
        yield f"http://127.0.0.1:{port}", {"X-Api-Key": secrets["api_key"], "X-Api-Env": secrets["api_env"]}, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def memory(pid: int) -> int:
    """The bytes that a process and its children hold alone or share (PSS)."""
    ids = [pid, *children(pid)]
    return (
        sum(
            int(found)
            for id in ids
            for found in re.findall(r"^Pss:\s+(\d+) kB", Path(f"/proc/{id}/smaps_rollup").read_text(), re.MULTILINE)
        )
        * 1024
    )


def children(pid: int) -> list[int]:
    found = [int(id) for id in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [*found, *(inner for id in found for inner in children(id))]


def is_sound(path: Path) -> bool:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    finally:
        connection.close()


def main() -> int:
    """The long form: N=… cases at least, 10,000 unless told otherwise."""
    wanted = int(os.environ.get("N", "10000"))
    outcome = fuzz(LONG, max(1, wanted // 1_000), stateful_seconds=max(60, wanted // 100))
    print(outcome.report)
    print(
        f"{outcome.cases} cases; memory grew by {outcome.growth_bytes / 2**20:.1f} MiB; database {'sound' if outcome.is_sound else 'DAMAGED'}"
    )
    is_passed = outcome.is_right and outcome.is_sound and outcome.growth_bytes < GROWTH_BYTES and outcome.cases >= wanted
    print("passed" if is_passed else "FAILED")
    return 0 if is_passed else 1


if __name__ == "__main__":
    sys.exit(main())
