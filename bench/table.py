"""Tables of one run: absolute figures, ratios beside their targets, and what is missed. `python -m bench.table` writes them again."""

from pathlib import Path

from bench.contestants import ONE_PROCESS, TWO_PROCESSES
from bench.load import Measurement
from bench.page import table, write_section
from bench.results import Results, read_results
from bench.targets import OPERATIONS, OURS, Outcome, outcomes

NOTHING = "–"


def markdown(results: Results) -> str:
    """Everything between the marks of the page."""
    parts = [machine(results)]
    for family in (ONE_PROCESS, TWO_PROCESSES):
        if results.names(family):
            parts += [f"### Requests a second: {family}", speeds(results, family)]
    if list(outcomes(results)):
        parts += ["### Ratios and targets", ratios(results), missed(results)]
    for operation, title in OPERATIONS.items():
        if rows := details(results, operation):
            parts += [f"### In detail: {title}", rows]
    return "\n\n".join(part for part in parts if part)


def machine(results: Results) -> str:
    told = [f"- {name}: {value}" for name, value in results.machine.items() if value]
    data = f"- data: {results.orders:,} orders × 3 rows, {results.orders // 20:,} relations; {results.seconds} s for each measurement"
    left_out = [f"- left out: {name}, because {reason}" for name, reason in results.left_out.items()]
    return "\n".join([*told, data, *left_out])


def speeds(results: Results, family: str) -> str:
    """The better of the numbers of connections. Planwerk always counts: its list with the count stands in both columns."""
    rows = [
        [name, *(number(listed(results, name, operation)) for operation in OPERATIONS), memory(results, name)]
        for name in results.names(family)
    ]
    return table(["", *OPERATIONS.values(), "MiB at rest → under load"], rows)


def listed(results: Results, name: str, operation: str) -> float | None:
    is_same = operation == "list" and name in (*OURS, "ceiling")
    return results.speed(name, "count" if is_same else operation)


def memory(results: Results, name: str) -> str:
    own = [found for found in results.measurements if found.name == name]
    return f"{own[0].rest_mib} → {max(found.load_mib for found in own)}"


def number(value: float | None) -> str:
    """A speed as people read it: no more digits than it deserves.

    >>> number(12345.6), number(27.44), number(None)
    ('12,346', '27.4', '–')
    """
    if value is None:
        return NOTHING
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def times(value: float) -> str:
    """A ratio: below one as a percentage.

    >>> times(3.25), times(0.5)
    ('3.2×', '50 %')
    """
    return f"{value:.1f}×" if value >= 1 else f"{value:.0%}".replace("%", " %")


def ratios(results: Results) -> str:
    rows = [
        [
            outcome.aim.ours,
            OPERATIONS[outcome.aim.operation],
            outcome.other,
            times(outcome.ratio),
            times(outcome.aim.at_least),
            "reached" if outcome.is_reached else "**missed**",
        ]
        for outcome in outcomes(results)
    ]
    return table(["", "operation", "against", "measured", "target", ""], rows)


def missed(results: Results) -> str:
    """A sentence for each target that was not reached, and for errors."""
    sentences = [told(outcome) for outcome in outcomes(results) if not outcome.is_reached]
    wrong = [f"{found.name} refused {found.errors} requests of {found.operation}." for found in results.measurements if found.errors]
    return (
        "\n".join(f"- {sentence}" for sentence in (*sentences, *wrong))
        or "Every target that was measured is reached, and no request failed."
    )


def told(outcome: Outcome) -> str:
    wanted, got = times(outcome.aim.at_least), times(outcome.ratio)
    return f"Missed: {outcome.aim.ours}, {OPERATIONS[outcome.aim.operation]}: {got} of {outcome.other} instead of {wanted}."


def details(results: Results, operation: str) -> str:
    found = [measurement for measurement in results.measurements if measurement.operation == operation]
    head = ["server", "connections", "requests/s", "p50 ms", "p99 ms", "bytes", "MiB", "processors", "foreign", "errors"]
    return table(head, [detail(measurement) for measurement in found]) if found else ""


def detail(found: Measurement) -> list[str]:
    speed = [number(found.requests_per_second), f"{found.p50_ms:.2f}", f"{found.p99_ms:.2f}", f"{found.answer_bytes:,}"]
    cost = [str(found.load_mib), f"{found.cpu:.2f}", f"{found.foreign_cpu:.2f}", str(found.errors)]
    return [found.name, str(found.connections), *speed, *cost]


def write_page(results: Results) -> None:
    write_section("speed", markdown(results))


if __name__ == "__main__":
    write_page(read_results(Path("build/bench/results.jsonl")))
