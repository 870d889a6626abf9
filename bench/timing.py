"""Does the time of a refusal tell how close a guess was? `python -m bench.timing` asks a server; exit code 1 if it does.

The classes of a question are asked in random order over one connection. Of their trimmed times no two may differ by a Welch's
t of 4.5 or more, the level at which the assessment of side channels calls it a leak. A busy machine hides a difference, it does not make
one: run it on a calm one.
"""

import argparse
import math
import random
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.guesses import Guess, Line, Target, foreign_ids, logins, target, wrong_keys
from bench.page import table
from bench.processes import CannotRun

LEVEL = 4.5
TRIMMED = 0.1  # of the times, at each end

Times = dict[str, list[float]]  # seconds, by class


@dataclass(frozen=True)
class Question:
    """Classes of guesses that must be refused with one status, and how often each is asked."""

    name: str
    guesses: Callable[[Target], dict[str, Guess]]
    status: int
    count: int


def measure(line: Line, guesses: dict[str, Guess], count: int, status: int) -> Times:
    """The trimmed times of so many requests of each class, in random order. Raises RuntimeError for another status."""
    times: Times = {name: [] for name in guesses}
    requests = [(name, guess()) for name, guess in guesses.items() for _ in range(count)]  # made before: the pauses must be alike, too
    random.shuffle(requests)
    for name, request in requests:
        begun = time.perf_counter()
        answer = line.ask(request)
        times[name].append(time.perf_counter() - begun)
        if int(answer[9:12]) != status:
            raise RuntimeError(f"{name} is answered with {answer[9:12].decode()}, not {status}")
    return {name: trimmed(found) for name, found in times.items()}


def trimmed(times: list[float]) -> list[float]:
    cut = int(len(times) * TRIMMED)
    return sorted(times)[cut : len(times) - cut]


def welch(one: list[float], two: list[float]) -> float:
    """Welch's t of two samples.

    >>> welch([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]), round(welch([1.0, 2.0, 3.0], [4.0, 5.0, 6.0]), 2)
    (0.0, -3.67)
    """
    spread = statistics.variance(one) / len(one) + statistics.variance(two) / len(two)
    return (statistics.fmean(one) - statistics.fmean(two)) / math.sqrt(spread)


def report(question: Question, times: Times) -> tuple[str, float]:
    """(a table, the greatest t)."""
    worst = {name: max(abs(welch(times[name], found)) for other, found in times.items() if other != name) for name in times}
    rows = [
        [
            name,
            f"{question.count:,}",
            f"{statistics.fmean(found) * 1e6:,.1f}",
            f"{statistics.median(found) * 1e6:,.1f}",
            f"{worst[name]:.2f}",
        ]
        for name, found in times.items()
    ]
    return table([question.name, "requests", "mean µs", "median µs", "greatest t"], rows), max(worst.values())


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.timing", description="Compares the times of refusals.")
    parser.add_argument("--requests", type=int, default=20_000, help="of each class of wrong keys (default 20,000)")
    parser.add_argument("--pairs", type=int, default=2_000, help="of foreign and unknown ids (default 2,000)")
    parser.add_argument("--logins", type=int, default=500, help="of known and of unknown people (default 500)")
    return parser.parse_args()


def main() -> None:
    options = read_options()
    questions = (
        Question("wrong key", wrong_keys, 401, options.requests),
        Question("id", foreign_ids, 404, options.pairs),
        Question("login", logins, 403, options.logins),
    )
    greatest = []
    with TemporaryDirectory() as folder, target(Path(folder), options.logins) as place:
        for question in (question for question in questions if question.count):
            times = measure(Line(place.port), question.guesses(place), question.count, question.status)
            text, worst = report(question, times)
            greatest.append(worst)
            print(f"{text}\n", flush=True)
    if max(greatest, default=0.0) >= LEVEL:
        sys.exit(f"the times tell classes apart: t = {max(greatest):.1f}, allowed is less than {LEVEL}")
    print(f"no class can be told from another: the greatest t is {max(greatest, default=0.0):.2f}, below {LEVEL}")


if __name__ == "__main__":
    try:
        main()
    except (CannotRun, RuntimeError) as reason:
        sys.exit(f"bench.timing: {reason}")
