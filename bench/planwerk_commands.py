"""Planwerk as a contestant: its commands make a database with one environment and one key, and fill it."""

import json
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from bench.processes import run

COMMAND = Path(sys.executable).parent / "planwerk"
LIST = "/v1/order?limit=100&sort=promised_date:desc&filter=status:eq:new,and,promised_date:gte:2026-03-04"
UNLIMITED = {"PLANWERK_RATE_LIMIT": "100000000/minute"}  # counted like any limit, never reached


@dataclass(frozen=True)
class Filled:
    """A filled database: the headers that open it, and a file of order ids."""

    database: str
    ids: Path
    headers: tuple[tuple[str, str], ...]


def fill(database: str, *, orders: int, ids: Path) -> Filled:
    """Makes tables, environment and key, then the orders. Raises CannotRun."""
    made = json.loads(run([str(COMMAND), "init", "--database", database, "--json"]))
    run([str(COMMAND), "seed", "bench", "--orders", str(orders), "--database", database, "--ids-file", str(ids)])
    return Filled(database, ids, (("X-Api-Key", made["api_key"]), ("X-Api-Env", made["api_env"])))


def serve_command(database: str, port: int, workers: int = 1) -> tuple[str, ...]:
    return (str(COMMAND), "serve", "--host", "127.0.0.1", "--port", str(port), "--database", database, "--workers", str(workers))


def fetch(url: str, path: str, headers: tuple[tuple[str, str], ...]) -> bytes:
    request = urllib.request.Request(url + path, headers=dict(headers))
    with urllib.request.urlopen(request, timeout=30) as answer:
        return bytes(answer.read())


def first_relation(url: str, headers: tuple[tuple[str, str], ...]) -> str:
    return str(json.loads(fetch(url, "/v1/relation?limit=1", headers))["data"][0]["id"])


def body_sizes(url: str, headers: tuple[tuple[str, str], ...], order: str) -> dict[str, int]:
    """Bytes of one body of each reading operation: the measure of the constant answers."""
    paths = {"get": f"/v1/order/{order}", "count": LIST, "embed": LIST + "&with=order_rows,relation"}
    return {operation: len(fetch(url, path, headers)) for operation, path in paths.items()}
