"""Load: wrk drives one running server, and what it did, held and answered becomes a `Measurement`."""

import json
import os
import resource
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.processes import CannotRun, Usage, machine_busy_seconds, usage

SCRIPT = Path(__file__).parent / "wrk" / "bench.lua"
WARM_UP_SECONDS = 1
WARM_UP_CONNECTIONS = 4
QUIET_CPUS = 0.12  # a run in which other programs used more than this part of one processor is repeated
TRIES = 3


@dataclass(frozen=True)
class Target:
    """A running server: how wrk talks to it, and which processes work for it.

    `processes` are the server's own, whose memory is told; `others` help it (the database's), so that their work is not
    taken for a foreign program's.
    """

    name: str
    family: str
    url: str
    dialect: str
    ids: Path
    relation: str
    processes: tuple[int, ...]
    others: tuple[int, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Measurement:
    """One operation at one number of connections. Bytes count the whole answer with its head; `cpu` is in processors."""

    name: str
    family: str
    operation: str
    connections: int
    requests_per_second: float
    p50_ms: float
    p99_ms: float
    errors: int
    answer_bytes: int
    rest_mib: int
    load_mib: int
    cpu: float
    foreign_cpu: float


def warm_up(target: Target, operation: str) -> None:
    """Raises CannotRun with the first refused answer: what is measured must work."""
    result, complaint = run_wrk(target, operation, WARM_UP_CONNECTIONS, WARM_UP_SECONDS, tell=True)
    if result["errors"] or complaint.strip():
        raise CannotRun(f"{operation} is refused: {complaint.strip()[:300] or result}")


def measure(target: Target, operation: str, *, connections: int, seconds: int, rest: Usage) -> Measurement:
    """The quietest of a few tries; the first quiet one ends them."""
    tries = []
    for _ in range(TRIES):
        tries.append(measure_once(target, operation, connections=connections, seconds=seconds, rest=rest))
        if tries[-1].foreign_cpu < QUIET_CPUS:
            break
    return min(tries, key=lambda measurement: measurement.foreign_cpu)


def measure_once(target: Target, operation: str, *, connections: int, seconds: int, rest: Usage) -> Measurement:
    helpers = (*target.processes, *target.others)
    with sampled_memory(target.processes) as samples:
        own, all_own, busy, load = usage(target.processes), usage(helpers), machine_busy_seconds(), children_seconds()
        result, _ = run_wrk(target, operation, connections, seconds)
        used = usage(target.processes).cpu_seconds - own.cpu_seconds
        known = usage(helpers).cpu_seconds - all_own.cpu_seconds + children_seconds() - load
        foreign = machine_busy_seconds() - busy - known
    took, requests = result["duration_us"] / 1e6, result["requests"]
    return Measurement(
        name=target.name,
        family=target.family,
        operation=operation,
        connections=connections,
        requests_per_second=round(requests / took, 1),
        p50_ms=result["p50_us"] / 1e3,
        p99_ms=result["p99_us"] / 1e3,
        errors=result["errors"],
        answer_bytes=round(result["bytes"] / max(1, requests)),
        rest_mib=round(rest.memory_mib),
        load_mib=round(max(samples)),
        cpu=round(used / took, 2),
        foreign_cpu=round(max(0.0, foreign) / took, 2),
    )


@contextmanager
def sampled_memory(processes: Sequence[int]) -> Iterator[list[float]]:
    samples, over = [usage(processes).memory_mib], threading.Event()

    def sample() -> None:
        while not over.wait(0.5):
            samples.append(usage(processes).memory_mib)

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield samples
    finally:
        over.set()
        thread.join()


def children_seconds() -> float:
    """Processor time of ended children: of wrk."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime


def run_wrk(target: Target, operation: str, connections: int, seconds: int, *, tell: bool = False) -> tuple[dict[str, int], str]:
    """What wrk counted, and its first complaint. Creates get a new seed each time, so that no key is sent twice."""
    environment = {
        "OPERATION": operation,
        "DIALECT": target.dialect,
        "IDS": str(target.ids),
        "RELATION": target.relation,
        "TELL": "1" if tell else "0",
        "HEADERS": "\n".join(f"{name}: {value}" for name, value in target.headers),
        "SEED": str(time.time_ns() % 2**31) if operation == "create" else "7",
    }
    shape = ["-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s", "-s", str(SCRIPT)]
    done = subprocess.run(
        ["wrk", *shape, target.url], env={**os.environ, **environment}, capture_output=True, text=True, timeout=seconds + 60
    )
    for line in done.stdout.splitlines():
        if line.startswith("RESULT "):
            return json.loads(line.removeprefix("RESULT ")), done.stderr
    raise CannotRun(f"wrk gave no result: {(done.stdout + done.stderr).strip()[-300:]}")
