"""Planwerk ready to be started on a fresh copy of its data, and the constant answers of the same stack."""

import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from bench import planwerk_commands as planwerk
from bench.ground import Ground
from bench.processes import free_port
from bench.server import HERE, Server
from planwerk.commands.serve import LOOP


def planwerk_on_sqlite(ground: Ground, **settings: str) -> Server:
    filled = ground.planwerk_on_sqlite
    folder = ground.fresh("planwerk-run")
    shutil.copytree(ground.work / "planwerk-filled", folder, dirs_exist_ok=True)
    database = f"sqlite:///{folder / 'planwerk.db'}"
    return planwerk_server(filled, planwerk.serve_command(database, port := free_port()), port, folder, settings)


def planwerk_on_postgresql(ground: Ground, **settings: str) -> Server:
    filled, folder = ground.planwerk_on_postgresql, ground.fresh("planwerk-run")
    database = ground.postgresql.create_ordinary("planwerk_run", template="planwerk")
    command = planwerk.serve_command(database, port := free_port(), workers=2)
    return planwerk_server(filled, command, port, folder, settings, others=(ground.postgresql.process,))


def planwerk_server(
    filled: planwerk.Filled,
    command: tuple[str, ...],
    port: int,
    folder: Path,
    settings: Mapping[str, str],
    others: tuple[int, ...] = (),
) -> Server:
    return Server(
        command=command,
        port=port,
        ready="/health/ready",
        dialect="planwerk",
        ids=filled.ids,
        environment={**planwerk.UNLIMITED, **settings},
        folder=folder,
        headers=filled.headers,
        others=others,
    )


def ceiling(ground: Ground) -> Server:
    port = free_port()
    options = ("--interface", "asginl", "--host", "127.0.0.1", "--port", str(port), "--no-ws", "--loop", LOOP, "--log-level", "warning")
    return Server(
        command=(str(Path(sys.executable).parent / "granian"), *options, "ceiling:app"),
        port=port,
        ready="/",
        dialect="planwerk",
        ids=ground.data.ids,
        relation=ground.data.first_relation,
        environment={"SIZES": json.dumps(ground.sizes)},
        folder=HERE / "servers",
        headers=(("X-Api-Key", "x" * 64), ("X-Api-Env", "x" * 40)),
    )
