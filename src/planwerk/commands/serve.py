"""`planwerk serve`: take the lock, bring the database up to date, make the first access, then hand over to Granian.

The process that was started watches one or more server processes; settings reach them through the environment.
"""

import multiprocessing
import os
import resource
import signal
import socket
import threading
from collections.abc import Mapping
from dataclasses import fields
from functools import partial
from typing import Any

import structlog

from planwerk import housekeeping, jobs, log, mail, sender
from planwerk.app import App, compose
from planwerk.commands import Impossible
from planwerk.commands.checked import value_faults
from planwerk.commands.lock import hold_lock
from planwerk.commands.opened import NAMED, opened, sqlite_path
from planwerk.commands.stopping import end_streams
from planwerk.edge.proxies import behind_proxies
from planwerk.settings import Settings, load
from planwerk.start import Access, access_file, create_access, has_environment, save_access
from planwerk.store.database import Database
from planwerk.store.environments import find_environment
from planwerk.store.migrations import upgrade

BACKLOG = 1024  # connections that wait to be accepted
CONNECTIONS = 8192  # of one process, idle ones included; so many that silent clients keep nobody out
HANDLES = 256  # what a process opens besides connections
HEAD_BYTES = 64 * 1024  # above our own limit of 32 KiB, so that our 431 answers
HEAD_SECONDS = 20  # for the whole head of a request
STOP_SECONDS = 8  # for the requests under way after SIGTERM; then the process is ended, and within 10 all is over
LOOP = "uvloop"  # a sixth less processor time per request than asyncio (docs/decisions/0009)


def run_server(settings: Settings, *, has_access_log: bool) -> None:
    """Serve until SIGTERM or SIGINT, then answer what is under way and return."""
    log.configure()
    if settings.workers > 1 and sqlite_path(settings) is not None:
        raise Impossible("several workers need PostgreSQL; an SQLite database has one")
    if fault := next(value_faults(settings), None):
        raise Impossible(fault)
    with hold_lock(settings):
        check_port(settings)
        with opened(settings) as database:
            prepare(database, settings)
        os.environ.update(as_environment(settings))
        serve(settings, has_access_log=has_access_log)


def check_port(settings: Settings) -> None:
    """Refuse an address that is taken; Granian would share it with the other server (SO_REUSEPORT)."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        socket.create_server((settings.host, settings.port), family=family).close()
    except OverflowError:
        raise Impossible(f"port {settings.port} does not exist") from None
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)  # names that do not resolve have none
        raise Impossible(f"{settings.host} port {settings.port} cannot be used: {reason}") from None


def prepare(database: Database, settings: Settings) -> None:
    """The schema of this release; on the first run the access, which is shown, and the demo workshop."""
    events = structlog.get_logger("planwerk")
    for step in upgrade(database):
        events.info("schema brought up to date", step=step)
    if has_environment(database):
        return
    path = access_file(settings)
    access = create_access(database, keep=lambda made: save_access(path, made))
    if access is not None:
        show(access, str(path))
        load_demo(database)


def show(access: Access, path: str) -> None:
    lines = [
        f"  X-Api-Env  {access.api_env}",
        f"  X-Api-Key  {access.api_key}",
        f"  login      {access.admin_email}  {access.admin_password}",
    ]
    print(f"Planwerk is new here. This opens the environment {access.environment}:", *lines, f"It is kept in {path}", sep="\n", flush=True)


def load_demo(database: Database) -> None:
    from planwerk.seeds.demo import seed_database

    environment = database.write_now("", find_environment)
    assert environment is not None
    seed_database(database, NAMED, environment.id)


def as_environment(settings: Settings) -> Mapping[str, str]:
    """The settings as the variables that `settings.load` reads."""
    return {f"PLANWERK_{item.name.upper()}": str(getattr(settings, item.name)) for item in fields(settings)}


def serve(settings: Settings, *, has_access_log: bool) -> None:
    import granian
    from granian.constants import Interfaces, Loops
    from granian.http import HTTP1Settings
    from granian.log import LogLevels

    server = granian.Granian(
        "planwerk.commands.serve:create",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        factory=True,
        workers=settings.workers,
        loop=Loops(LOOP),
        websockets=False,
        backlog=BACKLOG,
        backpressure=allow_connections(),
        http1_settings=HTTP1Settings(header_read_timeout=HEAD_SECONDS * 1000, max_buffer_size=HEAD_BYTES + 4096 * 100),
        workers_kill_timeout=STOP_SECONDS,
        log_level=LogLevels.warning,
        log_dictconfig=log.library_lines(),
        log_access=has_access_log,
    )
    structlog.get_logger("planwerk").info("serving", url=f"http://{settings.host}:{settings.port}/v1", database=shown(settings.database))
    server.serve()


def allow_connections() -> int:
    """How many connections a process may hold, once its limit of open files is as high as the system lets it be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + HANDLES
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(HANDLES, min(CONNECTIONS, soft - HANDLES))


def shown(url: str) -> str:
    """A database URL without its password.

    >>> shown("postgresql://planwerk:secret@db:5432/planwerk"), shown("sqlite:///var/planwerk.db")
    ('postgresql://planwerk@db:5432/planwerk', 'sqlite:///var/planwerk.db')
    """
    scheme, separator, rest = url.partition("://")
    user, at, place = rest.rpartition("@")
    return f"{scheme}{separator}{user.partition(':')[0]}{at}{place}"


def create() -> App:
    """The application of one server process; the process ends with the one that watches it, however that ends."""
    log.configure()
    watch_parent()
    settings = load()
    background = (jobs.run, sender.run, partial(mail.run, settings=settings)) if settings.background_work else ()
    return behind_proxies(compose(settings, beside=(end_streams, housekeeping.run, *background)), settings.trusted_proxies)


def watch_parent() -> None:
    parent: Any = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=end_with, args=(parent,), name="watch", daemon=True).start()


def end_with(parent: Any) -> None:
    parent.join()
    os.kill(os.getpid(), signal.SIGKILL)
