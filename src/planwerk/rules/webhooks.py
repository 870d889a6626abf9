"""Webhooks as their owners handle them: secrets, what an address may be, sending a test, sending again.

Comes in: what a body gives, a path. Goes out: values, faults, rows. Nothing here calls an address.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import orjson

from planwerk.actor import Actor
from planwerk.errors import NOT_FOUND, VALIDATION_FAILED, Fault, refuse
from planwerk.fields import instant
from planwerk.hooks.address import faults_of, networks_of
from planwerk.hooks.signature import new_secret
from planwerk.rules.apps import keep_from_others
from planwerk.rules.outbox import STARTED, SUSPENDED, deliver
from planwerk.secret import seal, secret_of, unseal
from planwerk.store.outbox import Record, event_body
from planwerk.store.statements import Statement
from planwerk.store.transaction import Row, Transaction

PURPOSE = "webhook secret"
TEST = "webhook.test"
OLD_SECRET_HOURS = 24
MOST = 1000  # sent again by one request
FORGET = "webhook.forget"  # the job that ends the rest of a log
BATCH = 5000  # deliveries that it ends in one transaction
FAILED = Statement(
    "SELECT id FROM webhook_delivery WHERE environment_id = {environment} AND webhook_id = {webhook_id} AND status = 'failed'"
    " AND created_at >= {since} AND deleted_at IS NULL ORDER BY position LIMIT {limit}",
    {},
)
SOME = (
    "SELECT id FROM webhook_delivery WHERE environment_id = {environment} AND webhook_id = {webhook_id} AND deleted_at IS NULL"
    " LIMIT {limit}"
)
THESE = {"sqlite": f"IN ({SOME})", "postgresql": f"= ANY (ARRAY ({SOME}))"}  # as a join it may run once for each row of a new table
END_DELIVERIES = {
    name: Statement(
        "UPDATE webhook_delivery SET deleted_at = {now}, version = version + 1 WHERE environment_id = {environment}"
        f" AND id {these} RETURNING id",
        {},
    )
    for name, these in THESE.items()
}


def first_secret(tx: Transaction, values: dict[str, Any]) -> None:
    """A new webhook gets a secret, which its answer shows and nothing else ever does."""
    values["secret"] = make_secret(tx)


def make_secret(tx: Transaction) -> str:
    """A new secret, sealed; the answer to the present request shows it."""
    secret = new_secret()
    tx.reveal(secret=secret)
    return seal(secret_of(tx.settings), PURPOSE, secret)


def valid_secrets(tx: Transaction, webhook: Row) -> list[str]:
    """The secrets that sign now: the newest, and for a day the one before; none if the file is lost that they were sealed with.

    A webhook from before messages were signed gets one now; its owner learns one by replacing it.
    """
    if webhook["secret"] is None:
        webhook = tx.write(tx.object("webhook"), webhook, {"secret": make_secret(tx)})
    sealed = [webhook["secret"]]
    if webhook["old_secret"] and webhook["old_secret_until"] > tx.now:
        sealed.append(webhook["old_secret"])
    return list(opened(tx, sealed))


def opened(tx: Transaction, sealed: Iterable[str]) -> Iterator[str]:
    """Those of the sealed secrets that this server can read."""
    for text in sealed:
        with suppress(ValueError):
            yield unseal(secret_of(tx.settings), PURPOSE, text)


def allowed_url(tx: Transaction, values: Mapping[str, Any], row: Row | None) -> Iterator[Fault]:
    """The address must be one that the server may call; its name is asked for only when it does."""
    url = values.get("url")
    if url is not None and (row is None or url != row["url"]):
        for sentence in faults_of(url, networks_of(tx.settings.webhook_allowed_networks)):
            yield Fault(VALIDATION_FAILED, f"url {sentence}", "url")


def remove_webhook(tx: Transaction, webhook: Row) -> None:
    """A deleted webhook sends nothing more. Its log may be very long: what does not go at once goes in the background."""
    keep_from_others(tx, webhook, "delete")
    tx.write(tx.object("webhook"), webhook, {"deleted_at": tx.now})
    forget_log(tx, {"webhook_id": webhook["id"]})


def forget_log(tx: Transaction, arguments: Mapping[str, Any]) -> None:
    """End the deliveries of a deleted webhook, some at a time. Also a job."""
    tx.touched.add("webhook_delivery")
    webhook_id = arguments["webhook_id"]
    ended = tx.run_named(END_DELIVERIES[tx.statements.dialect.name], webhook_id=webhook_id, now=tx.now, limit=BATCH)
    if len(ended) == BATCH:
        tx.enqueue(FORGET, webhook_id, webhook_id=webhook_id)


def webhook_of(tx: Transaction, path: Mapping[str, str], *, locks: bool = True) -> Row:
    """The webhook of a path; what only reads may lock nothing."""
    return row_of(tx, "webhook", path["webhook_id"].lower(), locks=locks)


def delivery_of(tx: Transaction, path: Mapping[str, str], *, locks: bool = True) -> tuple[Row, Row]:
    """(webhook, delivery) of a path."""
    webhook, delivery = webhook_of(tx, path, locks=locks), row_of(tx, "webhook_delivery", path["id"].lower(), locks=locks)
    if delivery["webhook_id"] != webhook["id"]:
        raise refuse(NOT_FOUND, "webhook_delivery not found")
    return webhook, delivery


def row_of(tx: Transaction, name: str, id: str, *, locks: bool) -> Row:
    row = tx.get(tx.object(name), id) if locks else tx.first(tx.object(name), id=id)
    if row is None:
        raise refuse(NOT_FOUND, f"{name} not found")
    return row


def rotate_secret(tx: Transaction, actor: Actor, path: Mapping[str, str], given: Any) -> Row:  # noqa: ARG001 (the signature of an action)
    """A new secret; for a day both sign, so that the receiver can change over."""
    webhook = webhook_of(tx, path)
    keep_from_others(tx, webhook)
    until = instant(dt.datetime.fromisoformat(tx.now) + dt.timedelta(hours=OLD_SECRET_HOURS))
    values = {"secret": make_secret(tx), "old_secret": webhook["secret"], "old_secret_until": until}
    return tx.update(tx.object("webhook"), webhook, values)


def send_test(tx: Transaction, actor: Actor, path: Mapping[str, str], given: Any) -> Row:  # noqa: ARG001
    """An event `webhook.test` for this webhook alone, tried once, also if it wants no events, is off or suspended; its delivery."""
    webhook = webhook_of(tx, path)
    keep_from_others(tx, webhook, "test")
    body = orjson.dumps(
        {"environment": tx.environment_id, "trigger": actor.kind, "event": TEST, "data": {"webhook_id": webhook["id"]}}
    ).decode()
    return deliver(tx, {**webhook, "disabled_until": None}, Record(tx.new_id(), TEST, "webhook", webhook["id"], body))


def resend(tx: Transaction, actor: Actor, path: Mapping[str, str], given: Any) -> Row:  # noqa: ARG001
    """A delivery is sent again, with the same webhook-id; its attempts begin anew."""
    webhook, delivery = delivery_of(tx, path)
    keep_from_others(tx, webhook, "call")
    return tx.update(tx.object("webhook_delivery"), delivery, again(tx, webhook, delivery))


def again(tx: Transaction, webhook: Row, delivery: Row) -> dict[str, Any]:
    """What a delivery becomes that is to be sent again: now, or when the suspension of its webhook ends."""
    tx.rings.add("deliveries")
    until = webhook["disabled_until"]
    waits = until is not None and until > tx.now and delivery["object_id"] != webhook["id"]
    return {"status": SUSPENDED if waits else STARTED, "attempts": 0, "due_at": until if waits else tx.now, "lease_until": None}


def resend_failed(tx: Transaction, actor: Actor, path: Mapping[str, str], given: Mapping[str, Any]) -> dict[str, int]:  # noqa: ARG001
    """The oldest deliveries that have failed since a moment are sent again, `MOST` at a time; how many."""
    webhook = webhook_of(tx, path)
    keep_from_others(tx, webhook, "call")
    found = tx.run_named(FAILED, webhook_id=webhook["id"], since=given.get("since") or "", limit=MOST)
    failed = tx.lock("webhook_delivery", {row[0] for row in found})
    return {"count": tx.update_many(tx.object("webhook_delivery"), [(row, again(tx, webhook, row)) for row in failed.values()])}


def shown_request(tx: Transaction, actor: Actor, path: Mapping[str, str], given: Any) -> dict[str, Any]:  # noqa: ARG001
    """What was or will be sent: the address and the body."""
    webhook, delivery = delivery_of(tx, path, locks=False)
    body = event_body(tx, delivery["event_id"])
    return {"url": webhook["url"], "body": orjson.loads(body) if body is not None else None}
