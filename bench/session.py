"""One session: each contestant in turn is prepared, started, measured and stopped; what was found goes to a file of JSON lines."""

import json
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from bench import planwerk_commands as planwerk
from bench.contestants import Contestant
from bench.ground import Ground
from bench.load import Measurement, Target, measure, warm_up
from bench.machine import describe_machine
from bench.processes import CannotRun, answers, run, running, usage, wait_until
from bench.server import Server

REST_SECONDS = 2


@dataclass(frozen=True)
class Wish:
    """What a person asked for: seconds for each measurement, connections, operations."""

    work: Path
    orders: int
    seconds: int
    connections: tuple[int, ...]
    operations: tuple[str, ...]


def run_session(wish: Wish, contestants: Iterable[Contestant]) -> Path:
    """Measures all of them on the same ground; answers the file of results. A contestant that cannot run is told and left out."""
    results = wish.work / "results.jsonl"
    with results.open("w") as file, closing(Ground(wish.work, wish.orders)) as ground:
        write(file, {"machine": describe_machine(ground.work), "orders": wish.orders, "seconds": wish.seconds})
        for contestant in contestants:
            try:
                for measurement in measure_contestant(contestant, ground, wish):
                    write(file, asdict(measurement))
            except CannotRun as reason:
                print(f"{contestant.name} is left out: {reason}", flush=True)
                write(file, {"name": contestant.name, "left_out": str(reason)})
    return results


def write(file: Any, line: dict[str, Any]) -> None:
    file.write(json.dumps(line) + "\n")
    file.flush()


def measure_contestant(contestant: Contestant, ground: Ground, wish: Wish) -> Iterator[Measurement]:
    print(f"{contestant.name} ({contestant.family})", flush=True)
    server = contestant.prepare(ground)
    log = ground.work / f"{contestant.name}.log"
    with running(server.command, log=log, environment=server.environment, folder=server.folder) as process:
        wait_until(lambda: answers(server.url + server.ready), process, log)
        if server.set_up:
            run(server.set_up)
        target = aim(contestant, server, process)
        if contestant.name == "planwerk":
            ground.sizes = planwerk.body_sizes(server.url, server.headers, server.ids.read_text().split("\n", 1)[0])
        time.sleep(REST_SECONDS)
        yield from measure_operations(target, contestant, wish)


def aim(contestant: Contestant, server: Server, process: subprocess.Popen[bytes]) -> Target:
    """How to load the running server; asks Planwerk for a relation that orders may name."""
    target = Target(
        name=contestant.name,
        family=contestant.family,
        url=server.url,
        dialect=server.dialect,
        ids=server.ids,
        relation=server.relation,
        processes=(process.pid,),
        others=server.others,
        headers=server.headers,
    )
    return target if server.relation else replace(target, relation=planwerk.first_relation(server.url, server.headers))


def measure_operations(target: Target, contestant: Contestant, wish: Wish) -> Iterator[Measurement]:
    rest = usage(target.processes)
    for operation in (operation for operation in contestant.operations if operation in wish.operations):
        warm_up(target, operation)
        for connections in wish.connections:
            measurement = measure(target, operation, connections=connections, seconds=wish.seconds, rest=rest)
            print(f"  {operation:7}{connections:4} connections {tell(measurement)}", flush=True)
            yield measurement


def tell(measurement: Measurement) -> str:
    """One line for the person who waits."""
    speed = f"{measurement.requests_per_second:10,.0f}/s  p50 {measurement.p50_ms:8.2f} ms  p99 {measurement.p99_ms:8.2f} ms"
    return f"{speed}  {measurement.load_mib:4} MiB  {measurement.errors} errors"
