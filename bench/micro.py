"""Microseconds of each stage of the hot path, in this process: where a request's time goes. `python -m bench.micro`."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import xxhash

from bench import planwerk_commands as planwerk
from bench.ground import Ground
from bench.page import table
from planwerk.actor import Actor
from planwerk.app import compose
from planwerk.catalog import ALL
from planwerk.edge.limits import check_head
from planwerk.edge.reference import new_reference
from planwerk.plan import plan_read
from planwerk.query.grammar import parse_filter
from planwerk.query.parameters import parse_parameters
from planwerk.settings import Settings

ORDERS = 1_000
ROUNDS = 5
CALLS = 1_000
SLOW_CALLS = 50
FILTER = "status:eq:new,and,promised_date:gte:2026-03-04"
QUERY = f"limit=100&sort=promised_date:desc&filter={FILTER}"
OBJECTS = {described.name: described for described in ALL}
ORDER = OBJECTS["order"]

Stage = Callable[[], Any]


async def microseconds(stage: Stage, calls: int) -> float:
    """The quickest of a few rounds: what the stage costs when nothing disturbs it."""
    is_async = inspect.isawaitable(first := stage())
    if is_async:
        await first
    times = [await one_round(stage, calls, is_async=is_async) for _ in range(ROUNDS)]
    return min(times) / calls * 1e6


async def one_round(stage: Stage, calls: int, *, is_async: bool) -> float:
    start = time.perf_counter()
    if is_async:
        for _ in range(calls):
            await stage()
    else:
        for _ in range(calls):
            stage()
    return time.perf_counter() - start


def request(app: Any, path: str, query: str, headers: list[tuple[bytes, bytes]]) -> Callable[[], Awaitable[None]]:
    """A whole request to the application, without a network. The first answer must be 200."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: dict[str, Any]) -> None:
        if message.get("status", 200) != 200:
            raise RuntimeError(f"{path} is answered with {message['status']}")

    def scope() -> dict[str, Any]:
        return {"type": "http", "method": "GET", "path": path, "query_string": query.encode(), "headers": headers}

    return lambda: app(scope(), receive, send)


def stages(server: Any, headers: list[tuple[bytes, bytes]], order: str) -> dict[str, tuple[Stage, int]]:
    """Every stage in the order of a request, and how often it is called."""
    api, service = server.api, server.api.service
    named, raw = dict(headers), QUERY.encode()
    asker = Actor("environment", "api-key", "key")
    wish = parse_parameters(QUERY)
    read = plan_read(ORDER, wish, OBJECTS)
    answers = {"whole: GET one": (f"/v1/order/{order}", ""), "whole: list 100 + count": ("/v1/order", QUERY)}
    answers["whole: list 100 + rows + relation"] = ("/v1/order", QUERY + "&with=order_rows,relation")
    return {
        "reference": (new_reference, CALLS),
        "limits of the head": (lambda: check_head("/v1/order", raw, named), CALLS),
        "caller (remembered)": (lambda: api.callers.actor(named), CALLS),
        "is the use written down": (lambda: api.uses.is_due(asker), CALLS),
        "quota": (lambda: api.quota.hit("key"), CALLS),
        "route": (lambda: api.find(f"/v1/order/{order}", "GET"), CALLS),
        "parse the query string (new)": (lambda: parse_parameters(QUERY), CALLS),
        "parse the filter (new)": (lambda: parse_filter(FILTER), CALLS),
        "plan (new)": (lambda: plan_read(ORDER, wish, OBJECTS), CALLS),
        "compile the statements (new shape)": (lambda: service.builder.page(read, {}), SLOW_CALLS),
        "entity tag of 90 kB": (lambda: xxhash.xxh3_128_hexdigest(b"x" * 90_000), CALLS),
        **{name: (request(server, path, query, headers), CALLS // 4) for name, (path, query) in answers.items()},
    }


async def measure(filled: planwerk.Filled, cache_bytes: int) -> dict[str, float]:
    settings = Settings(database=filled.database, rate_limit="100000000/minute", response_cache_bytes=cache_bytes)
    server: Any = compose(settings)
    headers = [(name.lower().encode(), value.encode()) for name, value in filled.headers]
    order = filled.ids.read_text().split("\n", 1)[0]
    await server.database.start()
    try:
        return {name: await microseconds(stage, calls) for name, (stage, calls) in stages(server, headers, order).items()}
    finally:
        await server.database.stop()


def main() -> None:
    with closing(Ground(Path("build/bench/micro"), ORDERS)) as ground:
        cached = asyncio.run(measure(ground.planwerk_on_sqlite, Settings().response_cache_bytes))
        uncached = asyncio.run(measure(ground.planwerk_on_sqlite, 0))
    rows = [[name, f"{cached[name]:.1f}", f"{uncached[name]:.1f}"] for name in cached]
    print(table(["stage", "µs", "µs, response cache off"], rows))


if __name__ == "__main__":
    main()
