"""X-Api-Key with X-Api-Env → Actor. What a key is says `rules.keys`; here one is found by its hash.

What was found is remembered until the environment's keys change, on PostgreSQL for a second.
"""

import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass

from planwerk.actor import Actor, Role
from planwerk.describe import Object
from planwerk.errors import UNAUTHORIZED, Refusal, refuse
from planwerk.rules.keys import key_hash, new_key
from planwerk.store.database import Database
from planwerk.store.statements import Statement
from planwerk.store.transaction import Row, Transaction

REMEMBERED = 10_000
NOT_KNOWN = "the API key is not known in this environment"

FIND = Statement(
    "SELECT k.id, k.environment_id, k.is_read_only, k.expires_at FROM environment e JOIN api_key k"
    " ON k.environment_id = e.id AND k.key_hash = {key_hash} AND k.deleted_at IS NULL AND k.revoked_at IS NULL"
    " WHERE e.hash = {hash} AND e.status = 'active'",
    {},
)


@dataclass(frozen=True, slots=True)
class Known:
    """A key that was found: for whom it speaks, until when, and at which version of the environment's keys."""

    actor: Actor
    expires_at: str | None
    version: Hashable | None


def create_key(
    tx: Transaction, described: Object, description: str, *, is_read_only: bool = False, expires_at: str | None = None
) -> tuple[str, Row]:
    """(the key, its row); the key itself is nowhere else."""
    key = new_key()
    values = {"description": description, "is_read_only": is_read_only, "expires_at": expires_at, "key_hash": key_hash(key.encode())}
    return key, tx.insert(described, values)


class ApiKeys:
    """Finds the holder of a key."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self.database = database
        self.clock = clock
        self.known: dict[tuple[bytes, bytes], Known] = {}
        self.confirmed: dict[tuple[bytes, bytes], Actor] = {}  # those of them that hold in this generation
        self.generation = -1
        self.statement = database.statements.named(FIND)

    async def actor(self, headers: Mapping[bytes, bytes]) -> Actor:
        """The caller; refuses with 401 when a header is missing or the pair is not known, always in the same words."""
        pair = pair_of(headers)
        if self.generation != self.database.generation:
            self.confirmed.clear()
            self.generation = self.database.generation
        actor = self.confirmed.get(pair)
        return actor if actor is not None else await self.confirm(*pair)

    def forget(self, headers: Mapping[bytes, bytes]) -> None:
        """Ask the next time whether the pair still holds, also within this generation."""
        self.confirmed.pop(pair_of(headers), None)

    async def confirm(self, key: bytes, environment: bytes) -> Actor:
        """The caller, known from before if no key of the environment has changed, else looked up."""
        if not key or not environment:
            raise unauthorized("the headers X-Api-Key and X-Api-Env are needed together")
        generation, known = self.database.generation, self.known.get((key, environment))
        if known is None or known.version is None or known.version != self.version(known.actor.environment_id):
            known = await self.find(key, environment)
        if known.expires_at is not None and known.expires_at <= self.now():
            raise unauthorized(NOT_KNOWN)
        if generation == self.database.generation:  # else something was committed meanwhile, perhaps that the key is revoked
            self.known[key, environment] = known
            if known.expires_at is None:
                self.confirmed[key, environment] = known.actor
        return known.actor

    async def find(self, key: bytes, environment: bytes) -> Known:
        found = await self.database.fetch(self.statement, {"key_hash": key_hash(key), "hash": printable(environment)})
        if found is None:
            raise unauthorized(NOT_KNOWN)
        id, environment_id, is_read_only, expires_at = found
        if len(self.known) >= REMEMBERED:
            self.known.clear()
        actor = Actor(environment_id, "api-key", id, Role.ADMIN, bool(is_read_only), quota=id)
        return Known(actor, expires_at, self.version(environment_id))

    def version(self, environment_id: str) -> Hashable | None:
        return self.database.version(environment_id, ("api_key", "environment"))

    def now(self) -> str:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.clock()))


def pair_of(headers: Mapping[bytes, bytes]) -> tuple[bytes, bytes]:
    return headers.get(b"x-api-key", b""), headers.get(b"x-api-env", b"")


def printable(header: bytes) -> str:
    return header.decode("ascii", "replace").replace("\x00", "")


def unauthorized(description: str) -> Refusal:
    return refuse(UNAUTHORIZED, description, www_authenticate='ApiKey realm="Planwerk"')
