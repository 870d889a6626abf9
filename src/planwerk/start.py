"""The first run: one environment, one admin and one API key in a database that has none.

What a person needs to get in is returned once, and kept in a file of its own that only its owner may read.
"""

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from planwerk.catalog.api_key import API_KEY
from planwerk.catalog.user import USER
from planwerk.fields import Bad
from planwerk.identity.api_keys import create_key
from planwerk.identity.passwords import Passwords, new_password
from planwerk.settings import Settings, beside_database
from planwerk.store.database import Database
from planwerk.store.environments import create_environment, find_environment, parse_name
from planwerk.store.transaction import Transaction

ENVIRONMENT = "Workshop"
ADMIN = "admin@example.com"


@dataclass(frozen=True)
class Access:
    """All that opens a new environment; the key and the password are stored nowhere else in clear."""

    environment: str
    api_env: str
    api_key: str
    admin_email: str
    admin_password: str


def access_file(settings: Settings) -> Path:
    """Where the first run keeps the access: `first-run.json` beside the database, with its name if that is not planwerk.

    >>> access_file(Settings()).as_posix(), access_file(Settings(database="postgresql://me@db:5432/plans?sslmode=require")).as_posix()
    ('var/first-run.json', 'var/first-run-plans.json')
    """
    name = settings.database.partition("?")[0].rpartition("/")[2].partition(".")[0]
    is_usual = settings.database.startswith("sqlite") and name == "planwerk"
    return beside_database(settings, "first-run.json" if is_usual else f"first-run-{name}.json")


def create_access(
    database: Database, *, environment: str = ENVIRONMENT, email: str = ADMIN, keep: Callable[[Access], None] | None = None
) -> Access | None:
    """A new environment with an admin and a key; None if there is one of that name.

    Raises `Bad` for an email that is none, another ValueError with a sentence for a name that no environment can have.
    `keep` is called before the transaction commits, so that no key is lost if the program ends right after.
    """
    name, address = parse_name(environment), read_email(email)
    password = new_password()
    password_hash = Passwords().hash(password)

    def work(tx: Transaction) -> Access | None:
        if find_environment(tx, name=name) is not None:
            return None
        made = create_environment(tx, name)
        tx.environment_id = made.id
        create_user(tx, address, "admin", password_hash)
        key, _ = create_key(tx, API_KEY, "made on the first run")
        access = Access(name, made.hash, key, address, password)
        if keep is not None:
            keep(access)
        return access

    return database.write_now("", work)


def read_email(text: str) -> str:
    """An email address as the user object takes it; raises `Bad` with a sentence."""
    address = USER.field["email"].read(text)
    if address is None:
        raise Bad("must be an email address")
    return str(address)


def create_user(tx: Transaction, email: str, role: str, password_hash: str) -> str:
    """The id of a new active user. Raises a duplicate-entry refusal."""
    values = {"email": email, "username": email, "role": role, "status": "active", "password_hash": password_hash}
    return str(tx.insert(USER, values)["id"])


def has_environment(database: Database) -> bool:
    return database.write_now("", find_environment) is not None


def save_access(path: Path, access: Access) -> None:
    """Write the access for its owner's eyes only; an older file is replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(json.dumps(asdict(access), indent=2) + "\n")
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
