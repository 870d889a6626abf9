"""Results of one run, read back: the machine, the measurements, and who was left out."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.load import Measurement


@dataclass(frozen=True)
class Results:
    """Everything one run found. `left_out` maps a contestant to the reason."""

    machine: dict[str, str]
    orders: int
    seconds: int
    measurements: tuple[Measurement, ...]
    left_out: dict[str, str]

    def names(self, family: str) -> list[str]:
        return list(dict.fromkeys(found.name for found in self.measurements if found.family == family))

    def of(self, name: str, operation: str) -> list[Measurement]:
        return [found for found in self.measurements if found.name == name and found.operation == operation]

    def speed(self, name: str, operation: str) -> float | None:
        """Requests a second at the better number of connections; None where nothing was measured."""
        return max((found.requests_per_second for found in self.of(name, operation)), default=None)

    def best(self, names: Iterable[str], operation: str) -> tuple[str, float] | None:
        """The fastest of the named contestants."""
        found = [(name, speed) for name in names if (speed := self.speed(name, operation))]
        return max(found, key=lambda pair: pair[1], default=None)


def read_results(path: Path) -> Results:
    head, *lines = [json.loads(line) for line in path.read_text().splitlines()]
    return Results(
        machine=head["machine"],
        orders=head["orders"],
        seconds=head["seconds"],
        measurements=tuple(Measurement(**line) for line in lines if is_measurement(line)),
        left_out={line["name"]: line["left_out"] for line in lines if not is_measurement(line)},
    )


def is_measurement(line: dict[str, Any]) -> bool:
    return "left_out" not in line
