"""Processes: started in a group of their own, watched, and stopped with the whole group whatever happens."""

import contextlib
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
KIB_PER_MIB = 1024


class CannotRun(Exception):
    """A sentence that says why something cannot be measured here."""


@dataclass(frozen=True)
class Usage:
    """What processes hold and have used: proportional memory in MiB, processor time in seconds."""

    memory_mib: float
    cpu_seconds: float


@contextlib.contextmanager
def running(
    command: Sequence[str],
    *,
    log: Path,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    stop_signal: signal.Signals = signal.SIGTERM,
) -> Iterator[subprocess.Popen[bytes]]:
    """The command in a process group of its own, which is gone afterwards. Its output goes to `log`."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, cwd=folder, env={**os.environ, **(environment or {})}, start_new_session=True
        )
    try:
        yield process
    finally:
        stop_group(process, stop_signal)


def stop_group(process: subprocess.Popen[bytes], stop_signal: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, stop_signal)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(10)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def run(command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> str:
    """What the command prints. Raises CannotRun with the end of its complaint."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **(environment or {})}, check=True)
    except FileNotFoundError:
        raise CannotRun(f"{command[0]} is not installed") from None
    except subprocess.CalledProcessError as error:
        raise CannotRun(f"{Path(command[0]).name} {' '.join(command[1:3])} failed: {last_words(error.stderr or error.stdout)}") from None
    return done.stdout


def last_words(complaint: str) -> str:
    """The last line that says something; it goes into the page, so the folder we work in is not named.

    >>> last_words("Traceback\\nValueError: no such port\\n   ^\\n")
    'ValueError: no such port'
    """
    lines = [line.strip() for line in complaint.splitlines() if any(character.isalpha() for character in line)]
    return lines[-1].replace(str(Path.cwd()), ".")[:300] if lines else "without a word"


def wait_until(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, seconds: int = 60) -> None:
    """Returns when `ready` says so. Raises CannotRun when the process ends or stays silent."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise CannotRun(f"it ended at once: {last_words(log.read_text(errors='replace'))}")
        if ready():
            return
        time.sleep(0.2)
    raise CannotRun(f"no answer within {seconds} s; its log ends with: {last_words(log.read_text(errors='replace'))}")


def succeeds(command: Sequence[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def answers(url: str) -> bool:
    """Whether the address gives any answer but a server error."""
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except urllib.error.HTTPError as answer:
        return answer.code < 500
    except OSError:
        return False


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def usage(processes: Iterable[int]) -> Usage:
    """Memory and processor time of the processes and of all their descendants."""
    memory, ticks = 0, 0
    for process in family(processes):
        with contextlib.suppress(OSError, ValueError):
            memory += memory_kib(process)
            values = stat(process)
            ticks += int(values[11]) + int(values[12])
    return Usage(memory / KIB_PER_MIB, ticks / TICKS_PER_SECOND)


def memory_kib(process: int) -> int:
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def stat(process: int) -> list[str]:
    """The fields of /proc/PID/stat after the name, which may hold spaces; the first is the state, the second the parent."""
    return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()


def family(processes: Iterable[int]) -> set[int]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            children.setdefault(int(stat(int(entry.name))[1]), []).append(int(entry.name))
    found: set[int] = set()
    waiting = list(processes)
    while waiting:
        process = waiting.pop()
        if process not in found:
            found.add(process)
            waiting += children.get(process, [])
    return found


def machine_busy_seconds() -> float:
    """Processor time that the whole machine has spent on work, since its start."""
    values = [int(value) for value in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    return (sum(values) - values[3] - values[4]) / TICKS_PER_SECOND
