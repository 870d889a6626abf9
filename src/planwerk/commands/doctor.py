"""`planwerk doctor`: looks at everything that must be right for the server, changes nothing, and says what it found.

Each check is a function of the settings, or of the settings and the database, that yields findings.
"""

import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import apsw

from planwerk.commands.checked import value_faults
from planwerk.commands.opened import opened, sqlite_path
from planwerk.errors import Refusal
from planwerk.files.vault import open_vault
from planwerk.hooks.address import network_faults, networks_of
from planwerk.identity.signing import is_openable
from planwerk.postbox import Postbox, mail_faults
from planwerk.secret import parse_secret
from planwerk.settings import MEBIBYTE, Settings, beside_database
from planwerk.store.database import Database, Unusable
from planwerk.store.environments import ACTIVE, find_environment
from planwerk.store.migrations import newest, schema_of
from planwerk.store.sqlite import SOUND_VERSION
from planwerk.store.walls import is_free, missing_walls

OK, WARNING, PROBLEM = "ok", "warning", "problem"
FREE_PROBLEM_BYTES, FREE_WARNING_BYTES = 64 * MEBIBYTE, 1024 * MEBIBYTE
DURABLE = ("fsync", "full_page_writes", "synchronous_commit")


@dataclass(frozen=True)
class Finding:
    """What a check found: ok, warning or problem, and a sentence."""

    state: str
    text: str


def examine(settings: Settings) -> Iterator[Finding]:
    """All findings, in an order in which they can be put right."""
    for check in (check_python, check_settings, check_disk, check_secret, check_files, check_mail, check_webhooks):
        yield from check(settings)
    path = sqlite_path(settings)
    if path is not None and not path.is_file():
        yield Finding(WARNING, f"there is no database {path} yet; `planwerk serve` or `planwerk init` makes it")
        return
    try:
        with opened(settings) as database:
            yield from examine_database(database, path)
            yield from check_provider(settings, database)
            yield from check_keys(settings, database)
    except (Unusable, Refusal) as error:
        yield Finding(PROBLEM, f"the database cannot be used: {error}")


def examine_database(database: Database, path: Path | None) -> Iterator[Finding]:
    yield from check_schema(database)
    for check in SQLITE_CHECKS if path is not None else POSTGRESQL_CHECKS:
        yield from check(database)


# ── the machine and the settings ──


def check_python(_: Settings) -> Iterator[Finding]:
    version = ".".join(str(part) for part in sys.version_info[:3])
    yield Finding(OK if sys.version_info >= (3, 11) else PROBLEM, f"Python {version}")


def check_settings(settings: Settings) -> Iterator[Finding]:
    faults = list(setting_faults(settings))
    yield from (Finding(PROBLEM, fault) for fault in faults)
    if settings.host not in ("127.0.0.1", "::1", "localhost") and not settings.public_url.startswith("https://"):
        yield Finding(
            WARNING, f"the server listens on {settings.host} without TLS; put a proxy in front and set public_url to its https address"
        )
    if settings.workers > 1 and settings.rate_limit_storage.startswith("memory"):
        yield Finding(WARNING, "each worker counts the rate limit for itself; set rate_limit_storage to a shared store")
    if not faults:
        yield Finding(OK, "settings")


def setting_faults(settings: Settings) -> Iterator[str]:
    if not 0 < settings.port < 65536:
        yield f"port {settings.port} does not exist"
    if settings.workers > 1 and sqlite_path(settings) is not None:
        yield "several workers need PostgreSQL"
    yield from value_faults(settings)


def check_disk(settings: Settings) -> Iterator[Finding]:
    folder = beside_database(settings, "").absolute()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    state = PROBLEM if free < FREE_PROBLEM_BYTES else WARNING if free < FREE_WARNING_BYTES else OK
    yield Finding(state, f"{free // MEBIBYTE} MiB free in {folder}")


def secret_path(settings: Settings) -> Path:
    return Path(settings.secret_file) if settings.secret_file else beside_database(settings, "secret")


def check_secret(settings: Settings) -> Iterator[Finding]:
    path = secret_path(settings)
    if not path.exists():
        yield Finding(OK, f"the secret file {path} is made at the first start")
    elif stat.S_IMODE(path.stat().st_mode) & 0o077:
        yield Finding(PROBLEM, f"others may read the secret file {path}; run chmod 600 {path}")
    else:
        yield Finding(OK, f"secret file {path}")


def check_files(settings: Settings) -> Iterator[Finding]:
    place = settings.files or str(beside_database(settings, "files"))
    if not place.startswith("s3://") and not Path(place).exists():
        yield Finding(OK, f"the folder {place} is made at the first upload")
        return
    try:
        is_writable = open_vault(settings).is_writable()
    except (OSError, ValueError) as error:
        yield Finding(PROBLEM, f"uploads cannot be stored: {error}")
    else:
        yield Finding(OK, f"uploads in {place}") if is_writable else Finding(PROBLEM, f"{place} is not writable: uploads would fail")


def check_mail(settings: Settings) -> Iterator[Finding]:
    """Whether the mail server lets us in; nothing is sent."""
    if not settings.smtp:
        yield Finding(OK, "no mail server; links are shown instead of mailed")
    elif not list(mail_faults(settings)):
        postbox = Postbox(settings)
        fault = postbox.answer()
        where = f"{postbox.server.host} port {postbox.server.port}"
        yield Finding(PROBLEM, f"mail server {where}: {fault}") if fault else Finding(OK, f"mail server {where} answers")


def check_webhooks(settings: Settings) -> Iterator[Finding]:
    """Where webhooks may go besides public addresses."""
    if settings.webhook_allowed_networks.strip() and not list(network_faults(settings.webhook_allowed_networks)):
        networks = ", ".join(map(str, networks_of(settings.webhook_allowed_networks)))
        yield Finding(OK, f"webhooks may reach {networks} besides public addresses")


# ── the database ──


def check_schema(database: Database) -> Iterator[Finding]:
    present = schema_of(database)
    if present is None:
        yield Finding(WARNING, "the database is empty; `planwerk serve` or `planwerk init` prepares it")
    elif present != newest():
        yield Finding(PROBLEM, f"the database has schema {present}, this release needs {newest()}; run `planwerk migrate`")
    else:
        yield Finding(OK, f"schema {present}")


def check_engine(_: Database) -> Iterator[Finding]:
    text = apsw.sqlite_lib_version()
    is_sound = tuple(int(part) for part in text.split(".")) >= SOUND_VERSION
    yield Finding(OK if is_sound else PROBLEM, f"SQLite {text}" if is_sound else f"SQLite {text} can lose committed data")


def check_integrity(database: Database) -> Iterator[Finding]:
    verdict = database.query("PRAGMA integrity_check(1)")[0][0]
    yield Finding(OK if verdict == "ok" else PROBLEM, "integrity" if verdict == "ok" else f"the database is damaged: {verdict}")


def check_durability(database: Database) -> Iterator[Finding]:
    for name in DURABLE:
        value = database.query(f"SHOW {name}")[0][0]
        state = OK if value != "off" else WARNING if name == "synchronous_commit" else PROBLEM
        yield Finding(state, f"PostgreSQL {name}={value}" + ("" if state == OK else ": a crash can lose confirmed writes"))


def check_server(database: Database) -> Iterator[Finding]:
    version, encoding = database.query("SHOW server_version")[0][0], database.query("SHOW server_encoding")[0][0]
    yield Finding(OK if encoding == "UTF8" else PROBLEM, f"PostgreSQL {version}, encoding {encoding}")


def check_walls(database: Database) -> Iterator[Finding]:
    """Whether the database itself keeps environments apart, should a statement forget to."""
    if database.write_now("", is_free):
        text = "the role of this connection is not held back by row-level security; connect as an ordinary role that owns the tables"
        yield Finding(WARNING, f"PostgreSQL does not keep environments apart by itself: {text}")
    missing = database.write_now("", missing_walls) if database.has_schema() else []
    if missing:
        yield Finding(PROBLEM, f"there is no row-level security on {', '.join(missing)}; run `planwerk migrate`")
    elif database.has_schema():
        yield Finding(OK, "row-level security on every table of an environment")


def check_provider(settings: Settings, database: Database) -> Iterator[Finding]:
    """Whether the users of the OpenID provider have an environment."""
    name = settings.oidc_environment or None
    if (name is None and not settings.oidc_issuer) or schema_of(database) != newest():
        return
    found = database.write_now("", lambda tx: find_environment(tx, name=name))
    if found is None:
        text = f"setting oidc_environment: there is no environment {name}" if name else "there is no environment for the provider's users"
        yield Finding(PROBLEM, text)
    elif found.status != ACTIVE:
        yield Finding(PROBLEM, f"the environment of the provider's users, {found.name}, is not active")


def check_keys(settings: Settings, database: Database) -> Iterator[Finding]:
    """Whether the secret file is the one that the database was used with."""
    path = secret_path(settings)
    try:
        secret = parse_secret(path) if path.exists() else None
    except (OSError, ValueError) as error:
        yield Finding(PROBLEM, str(error))
        return
    if schema_of(database) == newest() and not database.write_now("", lambda tx: is_openable(tx, secret)):
        lost = "access tokens, links that were sent, the codes of second factors and the secrets of webhooks"
        remedy = "bring the file back, or go on without: apps and browsers get new tokens by themselves, docs/access.md tells the rest"
        yield Finding(PROBLEM, f"the database was used with another secret file than {path}; {lost} are lost: {remedy}")


SQLITE_CHECKS: tuple[Callable[[Database], Iterator[Finding]], ...] = (check_engine, check_integrity)
POSTGRESQL_CHECKS: tuple[Callable[[Database], Iterator[Finding]], ...] = (check_server, check_durability, check_walls)
