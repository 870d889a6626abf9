"""Apps that users connect with OAuth 2: registering, listing, a new secret, the end. Each function returns JSON; secrets are shown once."""

from typing import Any

import orjson

from planwerk.catalog.oauth_client import OAUTH_CLIENT
from planwerk.commands import Impossible
from planwerk.commands.opened import environment_of, existing
from planwerk.oauth.clients import register, renew_secret
from planwerk.oauth.connections import environments_with, revoke_all
from planwerk.settings import Settings
from planwerk.store.transaction import Row, Transaction

DELETED = "the app was deleted"


def make_app(
    settings: Settings, environment: str | None, name: str, redirect_uris: tuple[str, ...], *, is_public: bool, require_pkce: bool
) -> dict[str, Any]:
    """A new app. A public one has no secret; it proves itself by PKCE, and cannot do without."""
    if is_public and not require_pkce:
        raise Impossible("a public app proves itself by PKCE alone; --public and --no-pkce exclude each other")
    with existing(settings) as database:
        found = environment_of(database, environment)
        try:
            row, secret = database.write_now(
                found.id, lambda tx: register(tx, name, redirect_uris, is_public=is_public, require_pkce=require_pkce)
            )
        except ValueError as error:
            raise Impossible(str(error)) from None
    return {"client_id": row["id"], "client_secret": secret}


def list_apps(settings: Settings, environment: str | None) -> list[dict[str, Any]]:
    """The apps that are registered in an environment, the oldest first."""
    with existing(settings) as database:
        found = environment_of(database, environment)
        return [shown(row) for row in database.write_now(found.id, lambda tx: tx.find(OAUTH_CLIENT, order=("created_at",)))]


def rotate_secret(settings: Settings, environment: str | None, client_id: str) -> dict[str, Any]:
    """A new secret of an app; the old one opens nothing from now on. Users stay connected."""

    def work(tx: Transaction) -> str:
        client = app_of(tx, client_id)
        if client["is_public"]:
            raise Impossible("a public app has no secret")
        return renew_secret(tx, client)[1]

    with existing(settings) as database:
        found = environment_of(database, environment)
        return {"client_id": client_id, "client_secret": database.write_now(found.id, work)}


def delete_app(settings: Settings, environment: str | None, client_id: str) -> dict[str, Any]:
    """The end of an app: no token of it works from now on, in any environment; how many connections it had."""
    with existing(settings) as database:
        found = environment_of(database, environment)
        database.write_now(found.id, lambda tx: tx.delete(OAUTH_CLIENT, app_of(tx, client_id)))
        holders = database.write_now("", lambda tx: environments_with(tx, client_id))
        ended = [database.write_now(holder, lambda tx: revoke_all(tx, DELETED, client_id=client_id)) for holder in holders]
    return {"client_id": client_id, "connections": sum(ended)}


def app_of(tx: Transaction, client_id: str) -> Row:
    row = tx.get(OAUTH_CLIENT, client_id)
    if row is None:
        raise Impossible(f"this environment has no app {client_id}")
    return row


def shown(row: Row) -> dict[str, Any]:
    """An app in the words of OAuth; its secret is not among them."""
    item = orjson.loads(row["document"] + "}")
    return {"client_id": item.pop("id"), **item}
