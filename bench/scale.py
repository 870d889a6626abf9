"""Does a page cost the same in a large table? The median time of a page at several depths, by key and by offset, in two sizes."""

import argparse
import http.client
import json
import statistics
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from bench import planwerk_commands as planwerk
from bench.ground import Ground
from bench.page import table, write_section
from bench.processes import answers, free_port, running, wait_until

PAGE = 100
PAGES = 30
DEPTHS = (0.0, 0.25, 0.5, 0.75, 1.0)  # of the way to the last page
AT_MOST = 1.3  # a page by key of the large table against one of the small table


class Client:
    """One connection that stays open; pages are counted in milliseconds."""

    def __init__(self, port: int, headers: tuple[tuple[str, str], ...]) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = dict(headers)

    def close(self) -> None:
        self.connection.close()

    def fetch(self, query: str) -> tuple[float, dict[str, list[dict[str, str]]]]:
        """Milliseconds until the last byte, and the answer."""
        start = time.perf_counter()
        self.connection.request("GET", f"/v1/order?limit={PAGE}&{query}", headers=self.headers)
        answer = self.connection.getresponse()
        body = answer.read()
        took = (time.perf_counter() - start) * 1000
        if answer.status != 200:
            raise SystemExit(f"bench: {query} is answered with {answer.status}: {body[:300]!r}")
        return took, json.loads(body)

    def median(self, queries: list[str]) -> float:
        return statistics.median(self.fetch(query)[0] for query in queries)


def by_key(client: Client, depth: int) -> float:
    """Following pages: each begins after the last id of the one before."""
    last = client.fetch(f"sort=id&offset={depth}")[1]["data"][0]["id"]
    times = []
    for _ in range(PAGES):
        took, page = client.fetch("sort=id&filter=" + quote(f"id:gt:'{last}'"))
        times.append(took)
        last = page["data"][-1]["id"]
    return statistics.median(times)


def by_offset(client: Client, depth: int) -> float:
    return client.median([f"sort=id&offset={depth + number * PAGE}" for number in range(PAGES)])


def by_offset_sorted(client: Client, depth: int) -> float:
    return client.median([f"sort=promised_date:desc&offset={depth + number * PAGE}" for number in range(PAGES)])


WAYS: dict[str, Callable[[Client, int], float]] = {
    "by key (`filter=id:gt:'…'&sort=id`)": by_key,
    "by offset (`sort=id`)": by_offset,
    "by offset (`sort=promised_date:desc`)": by_offset_sorted,
}


@dataclass(frozen=True)
class Size:
    """Milliseconds a page, by way and depth, in a table of `orders` orders."""

    orders: int
    times: dict[str, list[float]]


def measure_size(work: Path, orders: int) -> Size:
    """Fills a database, serves it without the response cache, and reads."""
    with closing(Ground(work / "scale", orders)) as ground:
        filled, port = ground.planwerk_on_sqlite, free_port()
        log = ground.work / "planwerk.log"
        settings = {**planwerk.UNLIMITED, "PLANWERK_RESPONSE_CACHE_BYTES": "0"}
        command = planwerk.serve_command(filled.database, port)
        with running(command, log=log, environment=settings, folder=ground.work) as process:
            wait_until(lambda: answers(f"http://127.0.0.1:{port}/health/ready"), process, log)
            with closing(Client(port, filled.headers)) as client:
                last = max(0, orders - (PAGES + 1) * PAGE)
                return Size(orders, {name: [way(client, int(last * depth)) for depth in DEPTHS] for name, way in WAYS.items()})


def markdown(small: Size, large: Size) -> str:
    """Milliseconds a page, the large table's beside the small one's, and whether paging by key keeps its promise."""
    head = ["milliseconds a page of 100", *(f"at {depth:.0%}".replace("%", " %") for depth in DEPTHS)]
    rows = []
    for name in WAYS:
        pairs = list(zip(small.times[name], large.times[name], strict=True))
        rows.append([f"{name}, {small.orders:,} orders", *(f"{before:.2f}" for before, _ in pairs)])
        rows.append([f"{name}, {large.orders:,} orders", *(f"{after:.2f} ({after / before:.1f}×)" for before, after in pairs)])
    worst = max(after / before for before, after in zip(*(size.times[next(iter(WAYS))] for size in (small, large)), strict=True))
    verdict = "reached" if worst <= AT_MOST else "**missed**"
    return f"{table(head, rows)}\n\nBy key the large table costs at most {worst:.2f}× of the small one; target {AT_MOST}×: {verdict}."


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench/scale", description="The time of a page in a small and a large table.")
    parser.add_argument("--small", type=int, default=100_000, help="orders of the small table (default 100,000)")
    parser.add_argument("--large", type=int, default=1_000_000, help="orders of the large table (default 1,000,000)")
    parser.add_argument("--work", type=Path, default=Path("build/bench"), help="folder for the databases")
    options = parser.parse_args()
    small, large = (measure_size(options.work, orders) for orders in (options.small, options.large))
    section = markdown(small, large)
    print(section)
    if options.large == parser.get_default("large"):
        write_section("scale", section)


if __name__ == "__main__":
    main()
