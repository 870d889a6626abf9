"""The ground that all contestants of one run stand on: generated data, filled databases, one PostgreSQL; made when first asked for."""

import contextlib
import shutil
from functools import cached_property
from pathlib import Path

from bench import planwerk_commands as planwerk
from bench.data import Data, make_data
from bench.postgresql import Cluster, throw_away_cluster

PEERS = Path("venv") / "bin"


class Ground:
    """Lives for one run; `close` ends what it started. `sizes` are the bodies that the ceiling answers with."""

    def __init__(self, work: Path, orders: int) -> None:
        self.work = work.resolve()
        self.work.mkdir(parents=True, exist_ok=True)
        self.orders = orders
        self.sizes = {"get": 900, "count": 90_000, "embed": 300_000}
        self.ending = contextlib.ExitStack()

    def close(self) -> None:
        self.ending.close()

    def peer(self, name: str) -> str:
        """A program of the peers' own environment."""
        return str(self.work / PEERS / name)

    def fresh(self, name: str) -> Path:
        """An empty folder."""
        folder = self.work / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    @cached_property
    def data(self) -> Data:
        print(f"data of {self.orders:,} orders", flush=True)
        return make_data(self.work / f"data-{self.orders}", self.orders)

    @cached_property
    def postgresql(self) -> Cluster:
        return self.ending.enter_context(throw_away_cluster(self.work))

    @cached_property
    def peers_on_postgresql(self) -> str:
        self.postgresql.load("peers", self.data)
        return "peers"

    @cached_property
    def planwerk_on_sqlite(self) -> planwerk.Filled:
        print(f"filling Planwerk on SQLite with {self.orders:,} orders", flush=True)
        folder = self.fresh("planwerk-filled")
        return planwerk.fill(f"sqlite:///{folder / 'planwerk.db'}", orders=self.orders, ids=folder / "ids.txt")

    @cached_property
    def planwerk_on_postgresql(self) -> planwerk.Filled:
        print(f"filling Planwerk on PostgreSQL with {self.orders:,} orders", flush=True)
        address = self.postgresql.create_ordinary("planwerk")
        return planwerk.fill(address, orders=self.orders, ids=self.work / "planwerk-postgresql-ids.txt")
