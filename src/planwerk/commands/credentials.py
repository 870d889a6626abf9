"""Making what opens a door: environments, API keys, users and apps. Each function returns what is shown once, as JSON keys."""

import hashlib
import secrets
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from planwerk.catalog.api_key import API_KEY
from planwerk.catalog.oauth_client import OAUTH_CLIENT
from planwerk.catalog.user import USER
from planwerk.commands import Impossible
from planwerk.commands.opened import environment_of, existing, opened
from planwerk.fields import Bad
from planwerk.identity.api_keys import create_key
from planwerk.identity.passwords import Passwords, new_password
from planwerk.settings import Settings
from planwerk.start import ADMIN, ENVIRONMENT, access_file, create_access, create_user, has_environment, read_email, save_access
from planwerk.store.migrations import upgrade

LOOPBACK = ("localhost", "127.0.0.1", "::1")
SECRET_BYTES = 32


def initialise(settings: Settings, environment: str | None, email: str | None) -> dict[str, Any]:
    """An environment with an admin and a key, in a database that is prepared if it is new."""
    with opened(settings) as database:
        upgrade(database)
        is_first = not has_environment(database)
        if not is_first and environment is None:
            raise Impossible("the database has an environment already; --environment NAME makes another one")
        path = access_file(settings)
        name = environment or ENVIRONMENT
        try:
            access = create_access(
                database, environment=name, email=email or ADMIN, keep=(lambda made: save_access(path, made)) if is_first else None
            )
        except Bad as bad:
            raise Impossible(f"--admin-email {bad.description}") from None
    if access is None:
        raise Impossible(f"there is an environment {name} already")
    return asdict(access)


def make_key(settings: Settings, environment: str | None, *, is_read_only: bool) -> dict[str, Any]:
    """A new API key; a server that runs on the database knows it at once."""
    with existing(settings) as database:
        found = environment_of(database, environment)
        key, _ = database.write_now(found.id, lambda tx: create_key(tx, API_KEY, "made on the command line", is_read_only=is_read_only))
    return {"api_env": found.hash, "api_key": key}


def make_user(settings: Settings, environment: str | None, email: str, role: str, password: str | None) -> dict[str, Any]:
    """A new user who can log in; without a password given one is made and returned."""
    try:
        address = read_email(email)
        USER.field["role"].read(role)
        password_hash = Passwords().hash(chosen := password or new_password())
    except Bad as bad:
        raise Impossible(f"{email} {bad.description}") from None
    except ValueError as error:
        raise Impossible(str(error)) from None
    with existing(settings) as database:
        found = environment_of(database, environment)
        id = database.write_now(found.id, lambda tx: create_user(tx, address, role, password_hash))
    made = {"id": id, "email": address, "role": role, "environment": found.name}
    return made if password else {**made, "password": chosen}


def make_app(settings: Settings, environment: str | None, name: str, redirect_uris: tuple[str, ...], *, is_public: bool) -> dict[str, Any]:
    """A new OAuth client. A public one has no secret; it proves itself by PKCE."""
    for address in redirect_uris:
        check_redirect(address)
    secret = None if is_public else secrets.token_urlsafe(SECRET_BYTES)
    values = {
        "name": name,
        "redirect_uris": OAUTH_CLIENT.field["redirect_uris"].store(list(redirect_uris)),
        "is_public": is_public,
        "secret_hash": None if secret is None else hashlib.sha256(secret.encode()).hexdigest(),
    }
    with existing(settings) as database:
        found = environment_of(database, environment)
        row = database.write_now(found.id, lambda tx: tx.insert(OAUTH_CLIENT, values))
    return {"client_id": row["id"], "client_secret": secret}


def check_redirect(address: str) -> None:
    """Refuse an address that may not receive codes: RFC 9700, section 2.1; https except loopback, and no fragment."""
    parts = urlsplit(address)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    if not is_safe or not parts.hostname or parts.fragment:
        raise Impossible(f"redirect address {address}: must be https, or http on this machine, without a fragment")
