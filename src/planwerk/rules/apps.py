"""Apps: what they may not do though their user may, and what ends with their connection.

An app reaches the API as long as its user lets it, so it makes nothing that would let it in for longer. Its webhooks send while an
admin of the environment has it connected: only in the name of an admin may it have them.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from planwerk.actor import Actor
from planwerk.errors import FORBIDDEN, UNAUTHORIZED, Fault, refuse
from planwerk.store.changes import Change, Row
from planwerk.store.environments import lock_environment
from planwerk.store.statements import Statement
from planwerk.store.transaction import Transaction

# A connection whose code the app has not fetched yet counts for its minute; when that is over, `end_lapsed` looks again.
CONNECTED = Statement(
    "SELECT g.id FROM oauth_grant g JOIN \"user\" u ON u.environment_id = g.environment_id AND u.id = g.user_id AND u.role = 'admin'"
    " AND u.status = 'active' AND u.archived_at IS NULL AND u.deleted_at IS NULL WHERE g.environment_id = {environment}"
    " AND g.client_id = {client} AND g.revoked_at IS NULL AND g.deleted_at IS NULL AND (g.expires_at IS NULL OR g.expires_at > {now})"
    " LIMIT 1",
    {},
)
LAPSED = Statement(
    "SELECT id FROM oauth_grant WHERE environment_id = {environment} AND revoked_at IS NULL AND deleted_at IS NULL AND expires_at <= {now}",
    {},
)


def is_app(actor: Actor | None) -> bool:
    """Whether an app asks, in the name of a user."""
    return actor is not None and actor.kind == "oauth"


def refuse_apps(actor: Actor | None, what: str, property: str | None = None) -> None:
    """Refuse an app with 403: it may not do what would outlive its connection."""
    if is_app(actor):
        raise refuse(FORBIDDEN, f"an app may not {what}; a user or an API key may", property)


# ── webhooks ──


def made_by(tx: Transaction, values: dict[str, Any]) -> None:
    """A webhook belongs to the API key or the app that made it; one that a user has made is no third party's."""
    if tx.actor is not None and tx.actor.kind == "api-key":
        values |= {"api_key_id": tx.actor.credential_id, "third_party": True}
    elif is_app(tx.actor):
        values |= {"developer_client_id": client_of(tx, is_new=True), "third_party": True}


def own_webhook(tx: Transaction, values: Mapping[str, Any], row: Row | None) -> Iterator[Fault]:  # noqa: ARG001 (the signature of a check)
    """An app changes the webhooks that it made and no others: these would go on sending to it when its connection is over."""
    if row is not None:
        keep_from_others(tx, row)
    yield from ()


def keep_from_others(tx: Transaction, webhook: Row, what: str = "change") -> None:
    """Refuse an app the webhook of somebody else: what it would do with it is said in one word."""
    if is_app(tx.actor) and webhook["developer_client_id"] != client_of(tx, is_new=False):
        refuse_apps(tx.actor, f"{what} a webhook that it did not make")


def client_of(tx: Transaction, *, is_new: bool) -> str:
    """The app that asks; 401 if its connection has ended since the request came in.

    Whoever makes a webhook locks the connection, so that the end of one sees what the other has done. Whoever changes a webhook has
    locked that.
    """
    assert tx.actor is not None, "an app asks"
    grant, id = tx.object("oauth_grant"), tx.actor.credential_id
    row = tx.get(grant, id) if is_new else tx.first(grant, id=id)
    if row is None or row["revoked_at"] is not None:
        raise refuse(UNAUTHORIZED, "the connection of the app has ended")
    return str(row["client_id"])


# ── the end of a connection ──


def follow_connections(tx: Transaction, changes: Iterable[Change]) -> None:
    """Switch off the webhooks of an app that no admin of the environment has connected any more, whatever has ended that."""
    for client_id in sorted({id for change in changes for id in clients_concerned(tx, change)}):
        switch_off(tx, client_id)


def clients_concerned(tx: Transaction, change: Change) -> Iterator[str]:
    """The apps whose connection a change has ended, or those of a user who is perhaps no admin any more."""
    if change.old is None:
        return
    if change.name == "oauth_grant":
        if change.old["revoked_at"] is None and change.moves("revoked_at"):
            yield change.old["client_id"]
    elif change.old["role"] == "admin" and change.moves("role"):
        yield from (grant["client_id"] for grant in tx.find(tx.object("oauth_grant"), user_id=change.old["id"], revoked_at=None))


def switch_off(tx: Transaction, client_id: str) -> None:
    """End what the webhooks of an app send, unless an admin has it connected. Of two last connections that end at once, the
    second to get the lock sees that the first is over."""
    webhook = tx.object("webhook")
    found = {row["id"] for row in tx.find(webhook, developer_client_id=client_id)}
    if not found:
        return
    lock_environment(tx)
    if not tx.run_named(CONNECTED, client=client_id, now=tx.now):
        for row in tx.lock("webhook", found).values():
            tx.update(webhook, row, {"active": False, "can_send": False})


def end_lapsed(tx: Transaction) -> int:
    """End the connections of the environment that were not renewed in time; how many they were."""
    grant = tx.object("oauth_grant")
    found = tx.lock("oauth_grant", {row[0] for row in tx.run_named(LAPSED, now=tx.now)}).values()
    lapsed = [row for row in found if row["revoked_at"] is None and row["expires_at"] <= tx.now]
    return tx.update_many(grant, [(row, {"revoked_at": tx.now, "reason": "it was not renewed"}) for row in lapsed])
