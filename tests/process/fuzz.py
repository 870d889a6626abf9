"""Thousands of requests made from the OpenAPI document, against the real server with the demo workshop.

`scripts/fuzz` runs it long, `test_fuzz.py` short. It passes when no answer was 500 or more or disagreed with the document, none
took two seconds, the server's memory did not grow by 20 MiB, and the database is sound.
"""

import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import apsw
from tests.process.running import Process, children, memory_mib, serving

SCHEMATHESIS = Path(sys.executable).parent / "schemathesis"
CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
SLOWEST_SECONDS = 2.0
GROWTH_MIB = 20.0
SHORT = ("examples", "fuzzing")
LONG = ("examples", "coverage", "fuzzing", "stateful")
OPTIONS = (  # one worker: CPython 3.11 counts the depth of ast.parse for all threads together, and then fails in Hypothesis
    "--mode all --checks all --continue-on-failure --workers 1 --request-timeout 10"
    f" --no-color --warnings off --suppress-health-check all --max-response-time {SLOWEST_SECONDS}"
)


@dataclass(frozen=True)
class Outcome:
    """What a run did: its cases, whether all were right, by how much the server grew, and the report."""

    cases: int
    is_right: bool
    growth_mib: float
    is_sound: bool
    report: str

    @property
    def is_passed(self) -> bool:
        return self.is_right and self.is_sound and self.growth_mib < GROWTH_MIB


def fuzz(phases: tuple[str, ...], max_examples: int, stateful_seconds: int = 60) -> Outcome:
    """Run the phases against a server of its own; it counts no requests."""
    with TemporaryDirectory(prefix="planwerk-fuzz-") as name:
        folder = Path(name)
        with serving(folder, settings={"PLANWERK_RATE_LIMIT": "0"}) as process:
            runs = [send(process, phases[0], max_examples)]
            before = memory(process)  # now that it is warm
            runs += [send(process, phase, max_examples, stateful_seconds) for phase in phases[1:]]
            growth = memory(process) - before
            process.stop(signal.SIGTERM)
        report = "\n".join(run.stdout + run.stderr for run in runs)
        cases = sum(map(int, re.findall(r"(\d+) generated", report)))
        return Outcome(cases, all(run.returncode == 0 for run in runs), growth, is_sound(folder / "var" / "planwerk.db"), report)


def send(process: Process, phase: str, max_examples: int, seconds: int = 60) -> subprocess.CompletedProcess[str]:
    """One run of schemathesis."""
    address = f"http://127.0.0.1:{process.port}"
    headers = [part for name, value in process.headers.items() for part in ("-H", f"{name}: {value}")]
    command = [str(SCHEMATHESIS), "--config-file", str(CONFIGURATION), "run", f"{address}/openapi.json", "--url", f"{address}/v1"]
    timed = ["--max-time", str(seconds)] if phase == "stateful" else []
    chosen = ["--phases", phase, "--max-examples", str(max_examples), *timed, *OPTIONS.split()]
    return subprocess.run([*command, *headers, *chosen], cwd=process.folder, capture_output=True, text=True, check=False)


def memory(process: Process) -> float:
    return memory_mib([process.popen.pid, *children(process.popen.pid)])


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
        f"{outcome.cases} cases; memory grew by {outcome.growth_mib:.1f} MiB; the database is {'sound' if outcome.is_sound else 'DAMAGED'}"
    )
    is_passed = outcome.is_passed and outcome.cases >= wanted
    print("passed" if is_passed else "FAILED")
    return 0 if is_passed else 1


if __name__ == "__main__":
    sys.exit(main())
