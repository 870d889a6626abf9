"""Leaving a mail: it is written in the transaction of what it tells, and sent once that is committed (`planwerk.mail`).

Comes in: a recipient, the name of a template of `web/templates/mail`, and the values it shows. No value may be a secret: links
are made when the mail goes out.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from planwerk.store.statements import Statement
from planwerk.store.transaction import Transaction

LINKS_PER_HOUR = 5  # mails with a link that one recipient gets from one environment
NOBODY = ("example.com", "example.net", "example.org", "example", "test", "invalid", "localhost")  # RFC 2606

SENT_LINKS = Statement(
    "SELECT count(*) FROM mail WHERE environment_id = {environment} AND recipient = {recipient} AND template IN ('invite', 'reset')"
    " AND created_at > {since} AND deleted_at IS NULL",
    {},
)


def send_mail(tx: Transaction, recipient: str, template: str, values: Mapping[str, Any]) -> bool:
    """Leave a mail to be sent. False: there is no mail server, or nobody can have that address; nothing is left then."""
    if not can_reach(tx, recipient):
        return False
    written = {"recipient": recipient, "template": template, "values": orjson.dumps(dict(values)).decode(), "due_at": tx.now}
    tx.insert(tx.object("mail"), written)
    return True


def can_reach(tx: Transaction, recipient: str) -> bool:
    """Whether mails are sent at all, and this is no address of the names that are kept for examples (RFC 2606)."""
    host = recipient.rpartition("@")[2].lower()
    return bool(tx.settings.smtp) and not any(host == name or host.endswith(f".{name}") for name in NOBODY)


def has_enough(tx: Transaction, recipient: str) -> bool:
    """Whether the recipient got as many mails with a link in the past hour as one may get."""
    found = tx.run_named(SENT_LINKS, recipient=recipient, since=tx.ago(hours=1))
    return int(found[0][0]) >= LINKS_PER_HOUR
