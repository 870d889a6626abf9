"""Making environments and users on the command line. Each function returns what is shown once, as JSON keys."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from planwerk.catalog.user import USER
from planwerk.commands import Impossible
from planwerk.commands.opened import environment_of, existing, opened
from planwerk.fields import Bad
from planwerk.identity.password_rules import password_fault
from planwerk.identity.passwords import Passwords, new_password
from planwerk.settings import Settings
from planwerk.start import ADMIN, ENVIRONMENT, Access, access_file, create_access, create_user, has_environment, read_email, save_access
from planwerk.store.database import Database
from planwerk.store.migrations import upgrade


def initialise(settings: Settings, environment: str | None, email: str | None) -> dict[str, Any]:
    """An environment with an admin and a key, in a database that is prepared if it is new."""
    with opened(settings) as database:
        upgrade(database)
        is_first = not has_environment(database)
        if not is_first and environment is None:
            raise Impossible("the database has an environment already; --environment NAME makes another one")
        path = access_file(settings)
        name = ENVIRONMENT if environment is None else environment
        return make_access(database, name, email, keep=(lambda made: save_access(path, made)) if is_first else None)


def make_access(database: Database, name: str, email: str | None, keep: Callable[[Access], None] | None = None) -> dict[str, Any]:
    """A new environment with one admin and one API key, shown once; `keep` as for `create_access`."""
    try:
        access = create_access(database, environment=name, email=ADMIN if email is None else email, keep=keep)
    except Bad as bad:
        raise Impossible(f"--admin-email {bad.description}") from None
    except ValueError as error:
        raise Impossible(str(error)) from None
    if access is None:
        raise Impossible(f"there is an environment {name.strip()} already")
    return asdict(access)


def make_user(settings: Settings, environment: str | None, email: str, role: str, password: str | None) -> dict[str, Any]:
    """A new user who can log in; without a password given one is made and returned."""
    try:
        address = read_email(email)
        USER.field["role"].read(role)
    except Bad as bad:
        raise Impossible(f"{email} {bad.description}") from None
    chosen = new_password() if password is None else password
    if fault := password_fault(chosen, (address,)):
        raise Impossible(f"{fault[:1].lower()}{fault[1:]}".rstrip("."))
    password_hash = Passwords().hash(chosen)
    with existing(settings) as database:
        found = environment_of(database, environment)
        id = database.write_now(found.id, lambda tx: create_user(tx, address, role, password_hash))
    made = {"id": id, "email": address, "role": role, "environment": found.name}
    return {**made, "password": chosen} if password is None else made
