"""X-Api-Key with X-Api-Env → Actor.

A key is 64 random letters and digits, shown once; only its SHA-256 is stored (a random secret needs no slow hash). What was
found is remembered until the environment's keys change, on PostgreSQL for a second.
"""

import hashlib
import secrets
import string
import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass

from planwerk.actor import Actor, Role
from planwerk.describe import Object
from planwerk.errors import UNAUTHORIZED, Refusal, refuse
from planwerk.store.database import Database
from planwerk.store.statements import Statement
from planwerk.store.transaction import Row, Transaction

ALPHABET = string.ascii_letters + string.digits
REMEMBERED = 10_000
SECONDS = 1.0  # how long a key is trusted where changes by other processes are not seen for free

FIND = Statement(
    "SELECT k.id, k.environment_id, k.is_read_only, k.expires_at, k.created_at FROM environment e JOIN api_key k"
    " ON k.environment_id = e.id AND k.key_hash = {key_hash} AND k.deleted_at IS NULL AND k.revoked_at IS NULL"
    " WHERE e.hash = {hash} AND e.status = 'active'",
    {},
)


@dataclass(frozen=True, slots=True)
class Known:
    """A key that was found: for whom it speaks, and until when that may be believed."""

    actor: Actor
    expires_at: str | None
    created_at: str
    version: Hashable | None
    until: float


def new_key() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(64))


def key_hash(key: bytes) -> str:
    return hashlib.sha256(key).hexdigest()


def create_key(tx: Transaction, described: Object, description: str, *, is_read_only: bool = False) -> tuple[str, Row]:
    """(the key, its row); the key itself is nowhere else."""
    key = new_key()
    row = tx.insert(described, {"description": description, "is_read_only": is_read_only, "key_hash": key_hash(key.encode())})
    return key, row


class ApiKeys:
    """Finds the holder of a key."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self.database = database
        self.clock = clock
        self.known: dict[tuple[bytes, bytes], Known] = {}
        self.statement = database.statements.named(FIND)

    async def actor(self, headers: Mapping[bytes, bytes]) -> Actor:
        """The caller; refuses with 401 when a header is missing or the pair is not known, always in the same words."""
        key, environment = headers.get(b"x-api-key", b""), headers.get(b"x-api-env", b"")
        known = self.known.get((key, environment))
        if known is not None and self.is_fresh(known):
            return known.actor
        if not key or not environment:
            raise unauthorized("the headers X-Api-Key and X-Api-Env are needed together")
        return await self.find(key, environment)

    def is_fresh(self, known: Known) -> bool:
        if known.expires_at is not None and known.expires_at <= time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.clock())):
            return False
        if known.version is not None:
            return self.database.version(known.actor.environment_id, ("api_key",)) == known.version
        return self.clock() < known.until

    async def find(self, key: bytes, environment: bytes) -> Actor:
        found = await self.database.fetch(self.statement, {"key_hash": key_hash(key), "hash": printable(environment)})
        if found is None:
            raise unauthorized("the API key is not known in this environment")
        id, environment_id, is_read_only, expires_at, created_at = found
        actor = Actor(environment_id, "api-key", id, Role.ADMIN, bool(is_read_only))
        version = self.database.version(environment_id, ("api_key",))
        known = Known(actor, expires_at, created_at, version, self.clock() + SECONDS)
        if not self.is_fresh(known):
            raise unauthorized("the API key is not known in this environment")
        if len(self.known) >= REMEMBERED:
            self.known.clear()
        self.known[key, environment] = known
        return actor


def printable(header: bytes) -> str:
    return header.decode("ascii", "replace").replace("\x00", "")


def unauthorized(description: str) -> Refusal:
    return refuse(UNAUTHORIZED, description)
