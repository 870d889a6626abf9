"""An environment that somebody makes for themselves: it waits, with one invited admin, until that admin has accepted.

One whose link has expired before anybody used it is forgotten (`planwerk.housekeeping`).
"""

from dataclasses import dataclass

from planwerk.rules.invitations import INVITE, invite, name_invitation
from planwerk.rules.people import names_of_user
from planwerk.store.database import Database
from planwerk.store.environments import SIGN_UP, create_environment, find_environment, parse_name, remove
from planwerk.store.statements import Statement
from planwerk.store.transaction import Row, Transaction

UNCONFIRMED = Statement(
    f"SELECT e.id FROM environment e WHERE e.status = '{SIGN_UP}' AND NOT EXISTS (SELECT 1 FROM invitation i WHERE"
    " i.environment_id = e.id AND i.used_at IS NULL AND i.expires_at > {now} AND i.deleted_at IS NULL)",
    {},
)


@dataclass(frozen=True, slots=True)
class Registered:
    """A new environment; `link` opens its invitation and is empty where that was mailed."""

    name: str
    email: str
    link: str


def register(tx: Transaction, name: str, email: str) -> Registered | None:
    """A new environment with an invited admin; None if the name is taken.

    Raises `Bad` for an email address that is none, another ValueError with a sentence for a name that no environment can have, and
    `Duplicate` if somebody takes the name at the same time.
    """
    chosen, address = parse_name(name), tx.object("user").field["email"].parse(email)
    if find_environment(tx, name=chosen) is not None:
        return None
    tx.environment_id = create_environment(tx, chosen, status=SIGN_UP).id
    invite_user(tx, {"email": address, "role": "admin", "card_visibility": "all"})
    return Registered(chosen, address, tx.revealed.pop(f"{INVITE}_link", ""))


def invite_user(tx: Transaction, values: dict[str, str]) -> Row:
    """A new invited user, as `POST /user` makes one. Raises a duplicate-entry refusal for an email address that is taken."""
    whole = dict(values)
    name_invitation(tx, whole)
    names_of_user(tx, whole, None)
    user = tx.insert(tx.object("user"), whole)
    invite(tx, user, None)
    return user


async def forget_unconfirmed(database: Database) -> int:
    """Delete the environments that nobody can confirm any more; how many they were."""
    found = [row[0] for row in await database.write("", lambda tx: tx.run_named(UNCONFIRMED, now=tx.now))]
    for id in found:
        await database.write(id, remove_unconfirmed)
    return len(found)


def remove_unconfirmed(tx: Transaction) -> None:
    """Delete the environment unless it was confirmed, or somebody was invited again, since it was found."""
    if tx.environment_id in {row[0] for row in tx.run_named(UNCONFIRMED, now=tx.now)}:
        remove(tx)
