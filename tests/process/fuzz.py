"""Thousands of requests made from the OpenAPI document, against the real server with the demo workshop.

`scripts/fuzz` runs it long, `test_fuzz.py` short. It passes when no answer was 500 or more or disagreed with the document, none
took two seconds, the server's memory did not grow by 20 MiB once its caches were full, and the database is sound.
"""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import urlopen

import apsw
from tests.process.running import Process, children, memory_mib, serving

SCHEMATHESIS = Path(sys.executable).parent / "schemathesis"
CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
SLOWEST_SECONDS = 2.0
STATEFUL_SECONDS = 20  # for each group of objects
GROWTH_MIB = 20.0
SOON_FULL = {"PLANWERK_RESPONSE_CACHE_BYTES": "1048576"}  # the first run fills a cache of this size, not one of 16 MiB
OPTIONS = (  # one worker: CPython 3.11 counts the depth of ast.parse for all threads together, and then fails in Hypothesis
    "--mode all --checks all --continue-on-failure --workers 1 --request-timeout 10"
    f" --no-color --warnings off --suppress-health-check all --max-response-time {SLOWEST_SECONDS}"
)
GROUPS = (  # sequences of requests are made within a group; over all operations there would be 300,000 links between two
    "(item|warehouse|address)(/|$)",
    "(order|project|relation)(/|$)",
    "(board|stage|activity|space)(/|$)",
    "(resource|group|schedule)(/|$)",
    "(user|time_tracking|webhook)(/|$)",
    r"collection(/\{collection_id\}(/(checklist|comment|attachment)(/\{\w+\})?)?)?$",
    r"(card|card_relation|collection(/\{collection_id\}(/card)?)?)(/\{\w+\})?$",
)

Run = tuple[str, ...]  # options of one run of schemathesis


def short(max_examples: int) -> list[Run]:
    return [("--phases", phase, "--max-examples", str(max_examples)) for phase in ("examples", "fuzzing")]


def long(max_examples: int) -> list[Run]:
    phases = [("--phases", phase, "--max-examples", str(max_examples)) for phase in ("coverage", "examples", "fuzzing")]
    timed = ("--phases", "stateful", "--max-examples", str(max_examples), "--max-time", str(STATEFUL_SECONDS))
    return [*phases, *((*timed, "--include-path-regex", f"^/{group}") for group in GROUPS)]


@dataclass(frozen=True)
class Outcome:
    """What a series of runs did: its cases, whether all were right, by how much the server grew, and the report."""

    cases: int
    is_right: bool
    growth_mib: float
    is_sound: bool
    report: str

    @property
    def is_passed(self) -> bool:
        return self.is_right and self.is_sound and self.growth_mib < GROWTH_MIB


def fuzz(runs: Sequence[Run]) -> Outcome:
    """Run them against a server of their own, which counts no requests. The first one fills its caches."""
    with TemporaryDirectory(prefix="planwerk-fuzz-") as name:
        folder = Path(name)
        with serving(folder, settings={"PLANWERK_RATE_LIMIT": "0", **SOON_FULL}) as process:
            done = [send(process, runs[0])]
            before = memory(process)
            done += [send(process, run) for run in runs[1:]]
            growth = memory(process) - before
            process.stop(signal.SIGTERM)
        report = "\n".join(run.stdout + run.stderr for run in done)
        cases = sum(map(cases_of, done))
        is_right = all(run.returncode == 0 and cases_of(run) for run in done)
        return Outcome(cases, is_right, growth, is_sound(folder / "var" / "planwerk.db"), report)


def send(process: Process, run: Run) -> subprocess.CompletedProcess[str]:
    """One run of schemathesis."""
    address = f"http://127.0.0.1:{process.port}"
    headers = [part for name, value in process.headers.items() for part in ("-H", f"{name}: {value}")]
    document = described(process.folder, address)
    command = [str(SCHEMATHESIS), "--config-file", str(CONFIGURATION), "run", str(document), "--url", f"{address}/v1"]
    return subprocess.run([*command, *headers, *run, *OPTIONS.split()], cwd=process.folder, capture_output=True, text=True, check=False)


def described(folder: Path, address: str) -> Path:
    """The reference document without bearer tokens: schemathesis would make some up, which count more than the key it was given."""
    with urlopen(f"{address}/openapi.json") as answer:
        document = json.load(answer)
    document["security"] = [ways for ways in document["security"] if "accessToken" not in ways]
    document["components"]["securitySchemes"].pop("accessToken")
    path = folder / "openapi.json"
    path.write_text(json.dumps(document))
    return path


def cases_of(run: subprocess.CompletedProcess[str]) -> int:
    return sum(map(int, re.findall(r"(\d+) generated", run.stdout)))


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
    outcome = fuzz(long(max(1, wanted // 1_000)))
    print(outcome.report)
    print(
        f"{outcome.cases} cases; memory grew by {outcome.growth_mib:.1f} MiB; the database is {'sound' if outcome.is_sound else 'DAMAGED'}"
    )
    is_passed = outcome.is_passed and outcome.cases >= wanted
    print("passed" if is_passed else "FAILED")
    return 0 if is_passed else 1


if __name__ == "__main__":
    sys.exit(main())
