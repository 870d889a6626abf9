"""What Planwerk wants to reach, as ratios, and how far a run came."""

from collections.abc import Iterator
from dataclasses import dataclass

from bench.contestants import CONTESTANTS, ONE_PROCESS
from bench.results import Results

OPERATIONS = {
    "get": "GET one",
    "list": "list 100",
    "count": "list 100 + count",
    "embed": "list 100 + rows + relation",
    "create": "create 1 + 3 rows",
}
CEILING = "ceiling"
OURS = tuple(contestant.name for contestant in CONTESTANTS if contestant.name.startswith("planwerk"))
PEERS_ON_SQLITE = tuple(
    contestant.name for contestant in CONTESTANTS if contestant.family == ONE_PROCESS and contestant.name not in (*OURS, CEILING)
)


@dataclass(frozen=True)
class Aim:
    """`ours` shall be `at_least` times as fast as the fastest of `others` in one operation."""

    ours: str
    others: tuple[str, ...]
    operation: str
    at_least: float


@dataclass(frozen=True)
class Outcome:
    """An aim and what came of it; `other` is the one it was compared with."""

    aim: Aim
    other: str
    ratio: float

    @property
    def is_reached(self) -> bool:
        return self.ratio >= self.aim.at_least


PEER_AIMS = {"get": 3, "count": 10, "embed": 10, "create": 2}
CEILING_AIMS = {"get": 0.50, "count": 0.20, "embed": 0.12}
POSTGRESQL_AIM = 4
AIMS = (
    *(Aim(ours, PEERS_ON_SQLITE, operation, least) for ours in OURS[:2] for operation, least in PEER_AIMS.items()),
    *(Aim(ours, (CEILING,), operation, least) for ours in OURS[:2] for operation, least in CEILING_AIMS.items()),
    *(Aim(OURS[2], (peer,), operation, POSTGRESQL_AIM) for peer in ("postgraphile", "directus") for operation in PEER_AIMS),
    *(Aim(OURS[2], ("fastapi-sqlalchemy-postgresql",), operation, POSTGRESQL_AIM) for operation in PEER_AIMS),
)


def outcomes(results: Results) -> Iterator[Outcome]:
    """Every aim of which both sides were measured."""
    for aim in AIMS:
        ours, other = results.speed(aim.ours, aim.operation), results.best(aim.others, aim.operation)
        if ours and other:
            yield Outcome(aim, other[0], ours / other[1])
