"""What a sender does with the database, in one transaction: outcomes are kept, then the next deliveries are taken.

Comes in: what came of attempts, and from which webhooks how many deliveries are wanted. Goes out: parcels, each with all that
is needed to send it, so that no transaction is open while a receiver is called; and the webhooks that are suspended now.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from planwerk.fields import instant
from planwerk.rules.outcomes import FOLLOW, Outcome, is_suspended, keep_outcomes
from planwerk.rules.webhooks import valid_secrets
from planwerk.store.deliveries import Taken, give_back, take_deliveries
from planwerk.store.transaction import Row, Transaction


@dataclass(frozen=True, slots=True)
class Parcel:
    """Deliveries of one webhook that this sender alone may send until `lease_until`. `has_more`: others may wait."""

    environment_id: str
    webhook_id: str
    url: str
    secrets: Sequence[str]
    lease_until: str
    deliveries: Sequence[Taken]
    has_more: bool


def exchange(
    tx: Transaction, outcomes: Sequence[Outcome], wanted: Mapping[str, int], lease_seconds: float
) -> tuple[list[Parcel], list[Row]]:
    """Keep what came of attempts and take more, up to so many deliveries of each webhook: parcels, and webhooks suspended by it."""
    suspended = keep_outcomes(tx, outcomes) if outcomes else []
    return [parcel for id, limit in wanted.items() if (parcel := take(tx, id, limit, lease_seconds)) is not None], suspended


def take(tx: Transaction, webhook_id: str, limit: int, lease_seconds: float) -> Parcel | None:
    """What a webhook sends next; if it is off or suspended, its tests alone. A suspension that is over ends here."""
    webhook = tx.first(tx.object("webhook"), id=webhook_id)
    if webhook is None:
        return None
    if webhook["disabled_until"] is not None and not is_suspended(webhook, tx.now):
        webhook = tx.update(tx.object("webhook"), webhook, {"disabled_until": None, "can_send": bool(webhook["active"])})
    may_send = webhook["active"] and webhook["disabled_until"] is None
    until = instant(dt.datetime.fromisoformat(tx.now) + dt.timedelta(seconds=lease_seconds))
    deliveries, has_more = take_deliveries(tx, webhook_id, limit, until, "" if may_send else webhook_id)
    secrets = valid_secrets(tx, webhook) if deliveries else ()
    return Parcel(tx.environment_id, webhook_id, webhook["url"], secrets, until, deliveries, has_more)


def put_back(tx: Transaction, parcel: Parcel, ids: Iterable[str]) -> None:
    """Deliveries of a webhook that does not send them now, or not there, wait like all others of it."""
    give_back(tx, ids, parcel.lease_until)
    tx.enqueue(FOLLOW, parcel.webhook_id, webhook_id=parcel.webhook_id)
    tx.rings.add("deliveries")
