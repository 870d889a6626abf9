"""Who is measured, in the order of the tables.

`prepare` answers a `Server` on a fresh copy of the data, or raises CannotRun with the reason why it is left out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from bench.ground import Ground
from bench.node_peers import directus, postgraphile
from bench.peers import fastapi_on_postgresql, fastapi_on_sqlite, pocketbase
from bench.planwerk_servers import ceiling, planwerk_on_postgresql, planwerk_on_sqlite
from bench.server import Server

ONE_PROCESS = "one process, SQLite"
TWO_PROCESSES = "two processes, PostgreSQL"
ALL = ("get", "list", "count", "embed", "create")
READS = ("get", "list", "count", "embed")
OURS = ("get", "count", "embed", "create")  # Planwerk's list always counts


@dataclass(frozen=True)
class Contestant:
    """One that can be measured; `is_extra` ones only run when asked for."""

    name: str
    family: str
    operations: tuple[str, ...]
    prepare: Callable[[Ground], Server]
    is_extra: bool = False


CONTESTANTS = (
    Contestant("planwerk", ONE_PROCESS, OURS, planwerk_on_sqlite),
    Contestant("planwerk-uncached", ONE_PROCESS, OURS, partial(planwerk_on_sqlite, PLANWERK_RESPONSE_CACHE_BYTES="0")),
    Contestant("pocketbase", ONE_PROCESS, ALL, pocketbase),
    Contestant("pocketbase-one-core", ONE_PROCESS, ALL, partial(pocketbase, processors=1), is_extra=True),
    Contestant("fastapi-sqlalchemy", ONE_PROCESS, ALL, fastapi_on_sqlite),
    Contestant("ceiling", ONE_PROCESS, ("get", "count", "embed"), ceiling),
    Contestant("planwerk-postgresql", TWO_PROCESSES, OURS, planwerk_on_postgresql),
    Contestant("fastapi-sqlalchemy-postgresql", TWO_PROCESSES, ALL, fastapi_on_postgresql),
    Contestant("postgraphile", TWO_PROCESSES, READS, postgraphile, is_extra=True),
    Contestant("directus", TWO_PROCESSES, ALL, directus, is_extra=True),
)
