"""Sending mails: takes those that are due, one at a time, and hands each to the mail server of the setting `smtp`.

Runs beside the requests and in `planwerk worker`, in as many processes as one likes. A mail is claimed first, sent without a
transaction, then marked. If the process dies in between it is sent again after the claim has run out: twice perhaps, never lost.
"""

import asyncio
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from functools import lru_cache, partial
from typing import Any

import orjson
from jinja2 import Environment, PackageLoader, StrictUndefined
from structlog import get_logger

from planwerk.errors import Refusal
from planwerk.fields import instant
from planwerk.postbox import Postbox, is_final, reason_of
from planwerk.rules.links import link_to
from planwerk.settings import Settings
from planwerk.store.database import Database
from planwerk.store.environments import ACTIVE, SIGN_UP
from planwerk.store.jobs import storable
from planwerk.store.statements import Statement
from planwerk.store.transaction import Row, Transaction

LOOK_SECONDS = 1.0  # between two looks for mails that are due
PAUSE_MINUTES = (1, 5, 30, 120, 300)  # after each attempt that failed; after one more the mail is given up
CLAIM_MINUTES = 10  # longer than a mail server may keep us waiting
VALUE_CHARACTERS = 200

NEXT = Statement(  # the environments come first, so that each is asked by its index; one that is suspended waits
    f"SELECT m.environment_id, m.id FROM environment e CROSS JOIN mail m WHERE e.status IN ('{ACTIVE}', '{SIGN_UP}')"
    " AND m.environment_id = e.id AND m.due_at <= {now} AND m.deleted_at IS NULL ORDER BY m.due_at, m.id LIMIT 1",
    {},
)


@dataclass(frozen=True, slots=True)
class Claim:
    """A mail that this process sends now; `attempt` counts from 1."""

    environment_id: str
    id: str
    attempt: int
    recipient: str
    template: str
    values: Mapping[str, Any]


async def run(database: Database, settings: Settings) -> None:
    """Send what is due, for ever; ends by being cancelled. Without a mail server it only waits for that."""
    log = get_logger("planwerk")
    if not settings.smtp:
        await asyncio.Event().wait()
    postbox = Postbox(settings)
    while True:
        try:
            await send_due(database, postbox)
        except Refusal as refusal:
            log.warning("mails postponed", reason=str(refusal))
        except Exception as error:  # whatever it is, the other mails must not wait for the next start of the server
            log.error("mails failed", exc_info=error)
        await asyncio.sleep(LOOK_SECONDS)


async def send_due(database: Database, postbox: Postbox) -> int:
    """Send every mail that is due; how many were tried. Raises a refusal when the database cannot be used now."""
    statement, count = database.statements.named(NEXT), 0
    while (found := await database.fetch(statement, {"now": database.identifiers.now()})) is not None:
        claim = await database.write(found[0], partial(claim_mail, id=found[1]))
        if claim is not None:
            count += 1
            await deliver(database, postbox, claim)
    return count


async def deliver(database: Database, postbox: Postbox, claim: Claim) -> None:
    """Send one mail and note what became of it."""
    try:
        await asyncio.to_thread(lambda: postbox.send(written(postbox, claim)))
    except Exception as error:  # one that cannot be written must not keep the others waiting
        is_over = is_final(error) or claim.attempt > len(PAUSE_MINUTES)
        reason = storable(reason_of(error))
        await database.write(claim.environment_id, lambda tx: note(tx, claim, postponed(tx, claim, reason, is_over=is_over)))
        get_logger("planwerk").log(40 if is_over else 30, "mail given up" if is_over else "mail failed", id=claim.id, reason=reason)
    else:
        await database.write(claim.environment_id, lambda tx: note(tx, claim, {"due_at": None, "sent_at": tx.now, "error": None}))


def written(postbox: Postbox, claim: Claim) -> EmailMessage:
    """The message, from its template."""
    subject, _, text = templates().get_template(f"{claim.template}.txt").render(claim.values).partition("\n")
    return postbox.letter(claim.id, claim.recipient, subject, text.strip() + "\n")


# ── the table ──


def claim_mail(tx: Transaction, id: str) -> Claim | None:
    """The mail, for this process alone until the claim runs out; None if another one has it or nobody needs it any more."""
    described = tx.object("mail")
    row = tx.get(described, id)
    if row is None or row["due_at"] is None or row["due_at"] > tx.now:
        return None
    values = told(tx, row)
    if values is None:
        tx.update(described, row, {"due_at": None, "error": "its link opens no more"})
        return None
    row = tx.update(described, row, {"attempts": row["attempts"] + 1, "due_at": later(tx, CLAIM_MINUTES)})
    return Claim(tx.environment_id, id, row["attempts"], row["recipient"], row["template"], values)


def told(tx: Transaction, row: Row) -> Mapping[str, Any] | None:
    """What the template shows, with the link of an invitation, which is made here; None if that opens no more."""
    values = {name: " ".join(str(value).split())[:VALUE_CHARACTERS] for name, value in orjson.loads(row["values"]).items()}
    values |= {"recipient": row["recipient"]}
    if "invitation_id" not in values:
        return values
    invitation = tx.first(tx.object("invitation"), id=values["invitation_id"])
    if invitation is None or invitation["used_at"] is not None or invitation["expires_at"] <= tx.now:
        return None
    link = link_to(tx.settings, tx.environment_id, invitation["id"], invitation["purpose"])
    return {**values, "link": link, "expires": f"{invitation['expires_at'][:10]} {invitation['expires_at'][11:16]} UTC"}


def note(tx: Transaction, claim: Claim, values: Mapping[str, Any]) -> None:
    """What became of a mail, unless somebody else has claimed it since."""
    row = tx.get(tx.object("mail"), claim.id)
    if row is not None and row["attempts"] == claim.attempt:
        tx.update(tx.object("mail"), row, values)


def postponed(tx: Transaction, claim: Claim, reason: str, *, is_over: bool) -> dict[str, Any]:
    return {"error": reason, "due_at": None if is_over else later(tx, PAUSE_MINUTES[claim.attempt - 1])}


def later(tx: Transaction, minutes: int) -> str:
    return instant(dt.datetime.fromisoformat(tx.now) + dt.timedelta(minutes=minutes))


@lru_cache
def templates() -> Environment:
    """The texts of mails; the first line of each is the subject. They are plain text, so nothing is escaped."""
    return Environment(loader=PackageLoader("planwerk.web", "templates/mail"), autoescape=False, undefined=StrictUndefined)  # noqa: S701
