"""The command: which contestants, how long, and where the tables go. `bench/run --help` lists the options."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.contestants import ALL, CONTESTANTS, Contestant
from bench.results import read_results
from bench.session import Wish, run_session
from bench.table import markdown, write_page

WHOLE_ORDERS = 100_000
QUICK = {"orders": 10_000, "seconds": 2, "conns": "16"}


def read_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/run", description="Speed of Planwerk beside its peers, in one run on this machine.")
    parser.add_argument("--orders", type=int, default=WHOLE_ORDERS, help="orders of three rows (default 100,000)")
    parser.add_argument("--seconds", type=int, default=4, help="length of one measurement (default 4)")
    parser.add_argument("--conns", default="16,64", help="numbers of connections (default 16,64)")
    parser.add_argument("--only", default="", help=f"some of: {', '.join(contestant.name for contestant in CONTESTANTS)}")
    parser.add_argument("--operations", default=",".join(ALL), help=f"some of: {', '.join(ALL)}")
    parser.add_argument("--peers", choices=("usual", "all"), default="usual", help="all: also those that need npm packages")
    parser.add_argument("--quick", action="store_true", help="2 s, 16 connections, 10,000 orders: does it work? Writes no page")
    parser.add_argument("--work", type=Path, default=Path("build/bench"), help="folder for data, databases and results")
    options = parser.parse_args(arguments)
    if options.quick:
        vars(options).update(QUICK)
    return options


def chosen(options: argparse.Namespace) -> list[Contestant]:
    """The contestants asked for, in the order of the table. An unknown name ends the program with a sentence."""
    names = set(options.only.split(",")) - {""}
    if unknown := names - {contestant.name for contestant in CONTESTANTS}:
        sys.exit(f"bench: no contestant is called {', '.join(sorted(unknown))}")
    wanted = [contestant for contestant in CONTESTANTS if contestant.name in names]
    return wanted or [contestant for contestant in CONTESTANTS if options.peers == "all" or not contestant.is_extra]


def is_whole(options: argparse.Namespace) -> bool:
    """Whether the run is one for the page: all contestants, all operations, all orders."""
    return not options.only and options.operations == ",".join(ALL) and options.orders >= WHOLE_ORDERS


def main() -> None:
    options = read_options()
    for name in [name for name in os.environ if name.startswith("PLANWERK_")]:
        del os.environ[name]  # the caller's settings would change what is measured
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: stopped"))  # so that started processes are stopped, too
    options.work.mkdir(parents=True, exist_ok=True)
    connections = tuple(int(number) for number in options.conns.split(","))
    wish = Wish(options.work, options.orders, options.seconds, connections, tuple(options.operations.split(",")))
    results = read_results(run_session(wish, chosen(options)))
    print(markdown(results))
    if is_whole(options):
        write_page(results)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("bench: stopped")
