"""The keys that sign access tokens: made on first use, rotated by `planwerk keys rotate`, private parts sealed in the database.

Tokens are JWTs signed with ES256 (RFC 7518, section 3.4). A retired key still verifies what it has signed, until that has
expired; then it goes. One that was sealed with another secret file goes with all before it as soon as one that opens is
needed: perhaps the file was changed because somebody had seen it.
"""

import datetime as dt
from functools import lru_cache
from typing import Any

import orjson
import structlog
from joserfc.jwk import ECKey

from planwerk.fields import instant
from planwerk.secret import seal, secret_of, unseal
from planwerk.store.statements import Statement
from planwerk.store.transaction import Transaction

ALGORITHM = "ES256"
PURPOSE = "signing key"
LEEWAY_SECONDS = 300  # for which a retired key is kept beyond the life of its last token

NEWEST = Statement("SELECT id, private FROM signing_key WHERE retired_at IS NULL ORDER BY created_at DESC, id DESC LIMIT 1", {})
INSERT = Statement("INSERT INTO signing_key (id, private, public, created_at) VALUES ({id}, {private}, {public}, {now})", {})
RETIRE = Statement("UPDATE signing_key SET retired_at = {now} WHERE retired_at IS NULL AND id <> {id}", {})
LIST = Statement("SELECT id, created_at, retired_at FROM signing_key ORDER BY created_at, id", {})
FORGET = Statement("DELETE FROM signing_key WHERE retired_at < {before} RETURNING id", {})
REMOVE = Statement("DELETE FROM signing_key WHERE created_at <= (SELECT created_at FROM signing_key WHERE id = {id})", {})
PUBLIC = {  # one row, so that `Database.fetch` can read it
    "sqlite": Statement("SELECT json_group_array(json(public)) FROM signing_key", {}),
    "postgresql": Statement("SELECT coalesce(json_agg(public::json), '[]')::text FROM signing_key", {}),
}


def signing_key(tx: Transaction) -> ECKey:
    """The newest key that signs; the first one is made when it is needed, and another where the secret file is another."""
    for id, sealed in tx.run_named(NEWEST):
        try:
            return open_key(secret_of(tx.settings), id, sealed)
        except ValueError:
            tx.run_named(REMOVE, id=id)
            structlog.get_logger("planwerk").warning("new signing key, for the old one was sealed with another secret file", gone=id)
    return new_signing_key(tx)


def is_openable(tx: Transaction, secret: bytes | None) -> bool:
    """Whether the newest key that signs opens with the secret, or there is none."""
    try:
        return all(secret is not None and open_key(secret, id, sealed) for id, sealed in tx.run_named(NEWEST))
    except ValueError:
        return False


@lru_cache(16)
def open_key(secret: bytes, id: str, sealed: str) -> ECKey:
    return ECKey.import_key({**orjson.loads(unseal(secret, PURPOSE, sealed)), "kid": id})


def new_signing_key(tx: Transaction) -> ECKey:
    """A new key that signs from now on."""
    id = tx.new_id()
    key = ECKey.generate_key("P-256", {"kid": id, "use": "sig", "alg": ALGORITHM})
    public, private = orjson.dumps(key.as_dict(private=False)).decode(), orjson.dumps(key.as_dict(private=True)).decode()
    tx.run_named(INSERT, id=id, public=public, private=seal(secret_of(tx.settings), PURPOSE, private), now=tx.now)
    return key


def rotate_keys(tx: Transaction) -> str:
    """The id of a new key; those before it sign no more, and go once nothing they signed is alive."""
    key = new_signing_key(tx)
    tx.run_named(RETIRE, id=key.kid, now=tx.now)
    forget_keys(tx)
    return str(key.kid)


def list_keys(tx: Transaction) -> list[dict[str, Any]]:
    """Every key without its private part, the oldest first: `id`, `created_at`, and `retired_at` of those that only verify."""
    return [{"id": id, "created_at": created_at, "retired_at": retired_at} for id, created_at, retired_at in tx.run_named(LIST)]


def forget_keys(tx: Transaction) -> int:
    """How many retired keys went, since everything they signed has expired."""
    gone = dt.datetime.fromisoformat(tx.now) - dt.timedelta(seconds=tx.settings.access_token_seconds + LEEWAY_SECONDS)
    return len(tx.run_named(FORGET, before=instant(gone)))


def public_keys(text: str) -> list[dict[str, Any]]:
    """The keys that the `PUBLIC` statement reads, as a JWK set holds them (RFC 7517, section 5)."""
    keys: list[dict[str, Any]] = orjson.loads(text)
    return keys
