"""A throw-away PostgreSQL with its default, durable settings: made for one run, on loopback, gone afterwards.

PostgreSQL refuses to run as root; then it runs as the first unprivileged user found.
"""

import contextlib
import os
import pwd
import shutil
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.data import COLUMNS, Data
from bench.processes import CannotRun, free_port, run, running, succeeds, wait_until

USERS = ("postgres", "nobody")
OWNER = "bench"
ORDINARY = "planwerk"  # Planwerk's role: no superuser, so that row-level security holds it back as in real life
SCHEMA = """
CREATE TABLE relation(id uuid PRIMARY KEY, code text, name text, email text, phone text, city text, country text,
 external_ref text, note text, created_at timestamp, updated_at timestamp);
CREATE TABLE orders(id uuid PRIMARY KEY, code text, type text, sub_type text, status text, description text, date date,
 due_date date, quantity integer, priority integer, color text, external_ref text,
 relation_id uuid REFERENCES relation(id), note text, created_at timestamp, updated_at timestamp);
CREATE TABLE order_row(id uuid PRIMARY KEY, order_id uuid REFERENCES orders(id) ON DELETE CASCADE, code text, description text,
 quantity integer, unit text, price double precision, status text, position integer, created_at timestamp, updated_at timestamp);
"""
INDEXES = """
CREATE INDEX orders_status_due ON orders(status, due_date);
CREATE INDEX orders_relation ON orders(relation_id);
CREATE INDEX order_row_order ON order_row(order_id, position);
VACUUM ANALYZE;
"""


@dataclass(frozen=True)
class Cluster:
    """A running PostgreSQL on loopback, and the process at its head."""

    port: int
    process: int

    def address(self, database: str, scheme: str = "postgresql", user: str = OWNER) -> str:
        return f"{scheme}://{user}@127.0.0.1:{self.port}/{database}"

    def execute(self, *statements: str, database: str = "postgres") -> None:
        """Each statement commits by itself. Raises CannotRun with PostgreSQL's own words."""
        orders = [part for statement in statements for part in ("-c", statement)]
        run(["psql", "-q", "-v", "ON_ERROR_STOP=1", self.address(database), *orders])

    def create(self, database: str, template: str = "template1", owner: str = OWNER) -> None:
        self.execute(f"DROP DATABASE IF EXISTS {database}", f"CREATE DATABASE {database} TEMPLATE {template} OWNER {owner}")

    def create_ordinary(self, database: str, template: str = "template1") -> str:
        """The address of a new database for Planwerk, whose role is an ordinary one."""
        self.create(database, template, ORDINARY)
        return self.address(database, user=ORDINARY)

    def load(self, database: str, data: Data) -> None:
        """The peers' tables, filled."""
        self.create(database)
        copies = [f"\\copy {table} from '{data.csv(table).resolve()}' csv header" for table in COLUMNS]
        self.execute(SCHEMA, *copies, *INDEXES.strip().splitlines(), database=database)


@contextlib.contextmanager
def throw_away_cluster(work: Path) -> Iterator[Cluster]:
    """Raises CannotRun when PostgreSQL is not installed or refuses to start."""
    if not shutil.which("initdb"):
        raise CannotRun("PostgreSQL is not installed (initdb is not on PATH)")
    user = unprivileged_user()
    with cluster_folder(work, user) as folder:
        run([*acting_as(user), program("initdb"), "-D", str(folder), "-U", OWNER, "--auth=trust", "--encoding=UTF8"])
        port = free_port()
        options = ["-p", str(port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=60"]
        log = work / "postgresql.log"
        command = [*acting_as(user), program("postgres"), "-D", str(folder), *options]
        with running(command, log=log, folder=folder, stop_signal=signal.SIGINT) as process:  # SIGINT: close connections, then stop
            wait_until(lambda: succeeds([program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]), process, log)
            cluster = Cluster(port, process.pid)
            cluster.execute(f"CREATE ROLE {ORDINARY} LOGIN")
            yield cluster


def program(name: str) -> str:
    return str(Path(os.path.realpath(shutil.which("initdb") or "initdb")).parent / name)


def unprivileged_user() -> str:
    """The user that PostgreSQL runs as; empty: the present one."""
    if os.getuid() != 0:
        return ""
    for user in USERS:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(user).pw_name
    raise CannotRun("PostgreSQL does not run as root, and there is no user postgres or nobody")


def acting_as(user: str) -> list[str]:
    return ["runuser", "-u", user, "--"] if user else []


@contextlib.contextmanager
def cluster_folder(work: Path, user: str) -> Iterator[Path]:
    """An empty folder of that user: below `work`, or in /var/tmp when the user cannot enter it."""
    folder = Path(tempfile.mkdtemp(prefix="postgresql-", dir=work.resolve()))
    try:
        if user:
            shutil.chown(folder, user)
            if not succeeds([*acting_as(user), "test", "-w", str(folder)]):
                folder.rmdir()
                folder = Path(tempfile.mkdtemp(prefix="postgresql-", dir="/var/tmp"))
                shutil.chown(folder, user)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
