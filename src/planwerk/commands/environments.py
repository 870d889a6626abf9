"""Environments made, listed, suspended, resumed and deleted from the command line, also while a server runs on the database.

Each function returns what the command prints. A running server notices at once; on PostgreSQL within a second.
"""

from dataclasses import asdict
from functools import partial
from typing import Any

from planwerk.commands import Impossible
from planwerk.commands.credentials import make_access
from planwerk.commands.opened import environment_of, existing
from planwerk.files.vault import open_vault
from planwerk.oauth.connections import connected_elsewhere, revoke_all
from planwerk.settings import Settings
from planwerk.store.database import Database
from planwerk.store.environments import (
    DELETING,
    SIGN_UP,
    SUSPENDED,
    Environment,
    activate,
    clear,
    list_environments,
    remove,
    set_status,
)

OWNER_DELETED = "the environment of the app was deleted"


def make_environment(settings: Settings, name: str, email: str | None) -> dict[str, Any]:
    """A new environment with one admin and one API key, shown once."""
    with existing(settings) as database:
        return make_access(database, name, email)


def all_environments(settings: Settings) -> list[dict[str, Any]]:
    """All environments by name, without their ids; a hash opens nothing without a key."""
    with existing(settings) as database:
        return [shown(environment) for environment in database.write_now("", list_environments)]


def shown(environment: Environment) -> dict[str, Any]:
    found = asdict(environment)
    del found["id"]
    return {"environment": found.pop("name"), "api_env": found.pop("hash"), **found}


def suspend(settings: Settings, name: str) -> dict[str, Any]:
    """From now on every credential of the environment is refused, and its background work waits. Nothing is lost."""
    with existing(settings) as database:
        found = in_use(database, name)
        database.write_now(found.id, lambda tx: set_status(tx, found.id, SUSPENDED))
        return shown(environment_of(database, name))


def resume(settings: Settings, name: str) -> dict[str, Any]:
    """The credentials of a suspended environment open it again."""
    with existing(settings) as database:
        found = in_use(database, name)
        database.write_now(found.id, lambda tx: activate(tx, found.id))
        return shown(environment_of(database, name))


def in_use(database: Database, name: str) -> Environment:
    """The environment, if it may be suspended and resumed: one that is not confirmed yet would come back as if it were."""
    found = environment_of(database, name)
    if found.status == SIGN_UP:
        raise Impossible(f"environment {name} waits for the person who signed up for it")
    if found.status == DELETING:
        raise Impossible(f"environment {name} is being deleted; `planwerk environment delete` finishes that")
    return found


def delete(settings: Settings, name: str, *, is_sure: bool) -> dict[str, Any]:
    """The environment with all its rows and files, for good; how many rows they were. One that was interrupted goes on."""
    with existing(settings) as database:
        found = environment_of(database, name)
        if not is_sure:
            raise Impossible(f"this deletes environment {name} with all it holds, for good; add --yes to do it")
        database.write_now(found.id, lambda tx: set_status(tx, found.id, DELETING))
        end_connections(database, found.id)
        rows = 0
        while count := database.write_now(found.id, clear):
            rows += count
        clear_files(settings, found)
        database.write_now(found.id, remove)
    return {"environment": found.name, "rows": rows}


def end_connections(database: Database, environment_id: str) -> None:
    """End what users of other environments have with the apps of this one, as if each app were deleted: their webhooks there end, too."""
    for holder, client_id in database.write_now("", lambda tx: connected_elsewhere(tx, environment_id)):
        database.write_now(holder, partial(revoke_all, reason=OWNER_DELETED, client_id=client_id))


def clear_files(settings: Settings, environment: Environment) -> None:
    try:
        open_vault(settings).clear(environment.id)
    except Exception as error:  # the disk, the network, the store: each has exceptions of its own
        raise Impossible(f"the files of environment {environment.name} could not be deleted ({error}); give the command again") from error
