"""The real server as a process of its own: started, asked over a socket, measured, stopped or killed."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.process.asking import DROPPED, Asker, Reply
from tests.process.running import COMMAND, PATIENCE_SECONDS, children, free_port

START_SECONDS = 60.0  # far above what a start takes, even on a busy machine
STOP_SECONDS = 10.0  # promised: the longest that a stop takes
IS_LONG = os.environ.get("PLANWERK_LONG") == "1"


@dataclass
class Place:
    """A prepared database and the settings of the servers that run on it; they may follow one another."""

    database: str
    folder: Path
    access: Mapping[str, str]
    chosen: Mapping[str, str]

    @property
    def environ(self) -> dict[str, str]:
        return environ_for(self.database, self.folder, self.chosen)

    @property
    def headers(self) -> dict[str, str]:
        return {"x-api-key": self.access["api_key"], "x-api-env": self.access["api_env"]}

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    @contextmanager
    def serving(self, *options: str, wrapped_by: Sequence[str] = (), port: int = 0) -> Iterator["Serving"]:
        """A server that is ready; whatever is left of it afterwards is killed."""
        port = port or free_port()
        with self.log.open("ab") as log:
            command = [*wrapped_by, str(COMMAND), "serve", "--port", str(port), *options]
            process = subprocess.Popen(command, env=self.environ, cwd=self.folder, stdout=log, stderr=log, start_new_session=True)
        server = Serving(self, process, port)
        try:
            server.wait_until_ready()
            yield server
        finally:
            server.kill()

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """A command of ours, run to its end whatever its exit code."""
        return run_command(arguments, self.environ, self.folder)

    @contextmanager
    def working(self) -> Iterator["subprocess.Popen[bytes]"]:
        """A `planwerk worker` on the database, killed at the end if it has not ended by then."""
        with self.log.open("ab") as log:
            process = subprocess.Popen([str(COMMAND), "worker"], env=self.environ, cwd=self.folder, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.kill()
            process.wait(PATIENCE_SECONDS)


@dataclass
class Serving:
    """A server that runs."""

    place: Place
    process: "subprocess.Popen[bytes]"
    port: int

    def client(self, **headers: str) -> Asker:
        return Asker(self.port, {**self.place.headers, **headers})

    def anonymous(self) -> Asker:
        return Asker(self.port, {})

    def health(self) -> Reply:
        with self.anonymous() as asker:
            return asker.ask("GET", "/health/ready")

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if self.health().status == 200:
                    return
            except DROPPED:
                pass
            time.sleep(0.02)
        raise AssertionError(f"the server did not start: {self.place.log.read_text()[-2000:]}")

    # ── its end ──

    def stop(self) -> int:
        """Ask it to stop; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)

    def kill(self) -> None:
        """End all its processes at once, as a crash would; nothing happens if it has ended."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait(STOP_SECONDS)

    # ── its processes, as the kernel sees them ──

    @property
    def pids(self) -> list[int]:
        """The process that was started and those it has started."""
        return [self.process.pid, *descendants(self.process.pid)]

    @property
    def workers(self) -> list[int]:
        return self.pids[1:]

    def memory_bytes(self) -> int:
        """Resident memory of all its processes; pages that they share count once (PSS)."""
        return sum(proportional_bytes(pid) for pid in self.pids)

    def descriptors(self) -> int:
        return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in self.pids)

    def threads(self) -> int:
        return sum(len(os.listdir(f"/proc/{pid}/task")) for pid in self.pids)


def proportional_bytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def descendants(pid: int) -> list[int]:
    """The children of a process, and theirs."""
    return [later for child in sorted(children(pid)) for later in (child, *descendants(child))]


def environ_for(database: str, folder: Path, chosen: Mapping[str, str]) -> dict[str, str]:
    """The environment of a server: nothing of ours but what it needs, no rate limit unless one is chosen."""
    settings = {"database": database, "files": str(folder / "files"), "secret_file": str(folder / "secret"), "rate_limit": "0", **chosen}
    return {"PATH": os.environ["PATH"], **{f"PLANWERK_{name.upper()}": value for name, value in settings.items()}}


def run_command(arguments: Sequence[str], environ: Mapping[str, str], folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([str(COMMAND), *arguments], env=environ, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def prepared(database: str, folder: Path, **chosen: str) -> Place:
    """A database with one environment and a key, ready to be served."""
    made = run_command(("init", "--json"), environ_for(database, folder, chosen), folder)
    assert made.returncode == 0, made.stderr
    return Place(database, folder, json.loads(made.stdout), chosen)
