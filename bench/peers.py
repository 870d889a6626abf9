"""The usual peers, ready to be started on a fresh copy of the data: PocketBase, and FastAPI with SQLAlchemy."""

import shutil
import sqlite3
from pathlib import Path

from bench.data import Data
from bench.ground import Ground
from bench.processes import free_port, run
from bench.server import HERE, Server


def pocketbase(ground: Ground, processors: int = 0) -> Server:
    """As it is shipped it uses every processor; `processors` holds it to fewer."""
    folder = ground.fresh("pocketbase")
    store = str(folder / "pb_data")
    run([ground.peer("pocketbase"), "migrate", "up", "--dir", store, "--migrationsDir", str(HERE / "pocketbase")])
    load_pocketbase(folder / "pb_data" / "data.db", ground.data)
    port = free_port()
    return Server(
        command=(ground.peer("pocketbase"), "serve", "--dir", store, "--http", f"127.0.0.1:{port}"),
        port=port,
        ready="/api/health",
        dialect="pocketbase",
        ids=ground.data.ids,
        relation=ground.data.first_relation,
        environment={"GOMAXPROCS": str(processors)} if processors else {},
        folder=folder,
    )


def load_pocketbase(database: Path, data: Data) -> None:
    """PocketBase's ids have no dashes; everything else is copied as it is."""
    connection = sqlite3.connect(database)
    connection.execute("ATTACH ? AS source", [str(data.sqlite)])
    for table in ("relation", "orders", "order_row"):
        columns = [row[1] for row in connection.execute(f"PRAGMA source.table_info({table})")]
        values = [f"replace({name}, '-', '')" if name in ("id", "relation_id", "order_id") else name for name in columns]
        connection.execute(f"INSERT INTO {table}({', '.join(columns)}) SELECT {', '.join(values)} FROM source.{table}")
    connection.commit()
    connection.execute("ANALYZE")
    connection.close()


def fastapi_on_sqlite(ground: Ground) -> Server:
    database = ground.fresh("fastapi") / "peers.db"
    shutil.copy(ground.data.sqlite, database)
    return fastapi_server(ground, f"sqlite+aiosqlite:///{database}", workers=1)


def fastapi_on_postgresql(ground: Ground) -> Server:
    ground.postgresql.create("peers_run", template=ground.peers_on_postgresql)
    address = ground.postgresql.address("peers_run", "postgresql+asyncpg")
    return fastapi_server(ground, address, workers=2, others=(ground.postgresql.process,))


def fastapi_server(ground: Ground, database: str, workers: int, others: tuple[int, ...] = ()) -> Server:
    port = free_port()
    options = ("--port", str(port), "--workers", str(workers), "--no-access-log", "--log-level", "warning")
    return Server(
        command=(ground.peer("uvicorn"), "fastapi_sqlalchemy:app", *options),
        port=port,
        ready=f"/orders/{ground.data.first_order}",
        dialect="plain",
        ids=ground.data.ids,
        relation=ground.data.first_relation,
        environment={"DATABASE_URL": database},
        folder=HERE / "servers",
        others=others,
    )
