"""Access tokens: JWT → Actor, and the making of them.

There are two kinds, told apart by their audience: one that an app holds in the name of a user (OAuth), and one that a browser
gets for its session. A signature is judged once and remembered for as long as its key is there, which is looked up once a
minute; whether the grant or the session still lives, and which role its user has, is looked up whenever any of these may have
changed (on PostgreSQL at most a second ago).
"""

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from joserfc.jws import extract_compact

from planwerk.actor import Actor, Role
from planwerk.errors import UNAUTHORIZED, Refusal, refuse
from planwerk.identity.signing import ALGORITHM, PUBLIC, public_keys, signing_key
from planwerk.settings import Settings, public_url
from planwerk.store.database import Database
from planwerk.store.statements import Statement
from planwerk.store.transaction import Row, Transaction

OAUTH, WEB = "v1", "web"  # the ends of the two audiences
WEB_TOKEN_SECONDS = 300
SKEW_SECONDS = 60  # how far the clocks of several servers may differ
KEYS_SECONDS = 60  # after which a key that was taken away proves nothing more
REMEMBERED = 10_000
NOT_KNOWN = "the access token is not valid"

USER = 'u.id, u.role, u.card_visibility, u.resource_id FROM environment e JOIN "user" u ON u.environment_id = e.id'
LIVES = "e.id = {tenant} AND e.status = 'active' AND u.status = 'active' AND u.archived_at IS NULL AND u.deleted_at IS NULL"
GRANT = (
    " JOIN oauth_grant g ON g.environment_id = e.id AND g.user_id = u.id AND g.id = {id} AND g.revoked_at IS NULL"
    " AND g.deleted_at IS NULL JOIN oauth_client c ON c.environment_id = g.client_environment_id AND c.id = g.client_id"
    " AND c.deleted_at IS NULL JOIN environment o ON o.id = c.environment_id AND o.status = 'active' WHERE "
)
SESSION = (
    " JOIN session s ON s.environment_id = e.id AND s.user_id = u.id AND s.id = {id} AND s.expires_at > {now}"
    " AND s.deleted_at IS NULL WHERE "
)
FIND = {
    OAUTH: Statement(f"SELECT g.client_environment_id, {USER}{GRANT}{LIVES}", {}),
    WEB: Statement(f"SELECT e.id, {USER}{SESSION}{LIVES}", {}),
}
TABLES = ("user", "environment", "oauth_grant", "session")  # what a token depends on in the environment of its user


def audience(settings: Settings, kind: str) -> str:
    """Who a token of a kind is for: `…/v1` for an app, `…/web` for a browser."""
    return f"{public_url(settings)}/{kind}"


# ── making ──


def oauth_token(tx: Transaction, grant: Row) -> str:
    """An access token of a grant, for `access_token_seconds` (RFC 9068)."""
    claims = {"sub": grant["user_id"], "client_id": grant["client_id"], "grant": grant["id"]}
    return make_token(tx, OAUTH, claims, tx.settings.access_token_seconds)


def web_token(tx: Transaction, session: Row) -> str:
    """An access token of a browser's session, for five minutes."""
    return make_token(tx, WEB, {"sub": session["user_id"], "session": session["id"]}, WEB_TOKEN_SECONDS)


def make_token(tx: Transaction, kind: str, claims: dict[str, Any], seconds: int) -> str:
    key, now = signing_key(tx), int(time.time())
    common = {"iss": public_url(tx.settings), "aud": audience(tx.settings, kind), "iat": now, "exp": now + seconds, "jti": tx.new_id()}
    header = {"alg": ALGORITHM, "kid": key.kid, "typ": "at+jwt" if kind == OAUTH else "JWT"}
    return jwt.encode(header, {**common, **claims, "environment": tx.environment_id}, key, algorithms=[ALGORITHM])


# ── judging ──


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token with a right signature says. `kid`: which key it was made with."""

    kid: str
    kind: str
    environment_id: str
    user_id: str
    id: str  # of the grant or the session
    client_id: str
    expires: int


@dataclass(frozen=True, slots=True)
class Known:
    """A token that was found good: for whom it speaks, until when (seconds since 1970), as of which state of the database.

    `owner_id` is the environment in which the app is registered.
    """

    actor: Actor
    expires: int
    owner_id: str
    version: Hashable | None
    generation: int


class Tokens:
    """Finds the holder of an access token."""

    def __init__(self, database: Database, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self.database = database
        self.settings = settings
        self.clock = clock
        self.issuer = public_url(settings)
        self.kinds = {audience(settings, kind): kind for kind in (OAUTH, WEB)}
        self.lives = {OAUTH: settings.access_token_seconds, WEB: WEB_TOKEN_SECONDS}  # at most, in seconds
        self.statements = {kind: database.statements.named(statement) for kind, statement in FIND.items()}
        self.keys: dict[str, ECKey] = {}
        self.keys_read = float("-inf")
        self.judged: dict[bytes, Claims] = {}
        self.known: dict[bytes, Known] = {}

    async def actor(self, token: bytes) -> Actor:
        """The caller; refuses with 401, always in the same words."""
        now = self.clock()
        if not 0 <= now - self.keys_read < KEYS_SECONDS:
            await self.read_keys()
        known = self.known.get(token)
        if known is not None and known.expires > now and self.is_current(known):
            return known.actor
        claims = self.judged.get(token) or await self.judge(token)
        if claims.expires <= self.clock():
            self.known.pop(token, None)
            self.judged.pop(token, None)
            raise unauthorized()
        return await self.find(token, claims)

    def forget(self, token: bytes) -> None:
        """Ask the next time whether the token still holds, also within this generation."""
        self.known.pop(token, None)

    def is_current(self, known: Known) -> bool:
        """Whether nothing that the token depends on has changed since it was looked up."""
        if known.generation == self.database.generation:
            return True
        return known.version is not None and known.version == self.version(known.actor.environment_id, known.owner_id)

    def version(self, environment_id: str, owner_id: str) -> Hashable | None:
        mine, theirs = self.database.version(environment_id, TABLES), self.database.version(owner_id, ("oauth_client", "environment"))
        return None if mine is None or theirs is None else (mine, theirs)

    async def find(self, token: bytes, claims: Claims) -> Actor:
        generation = self.database.generation
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.clock()))
        found = await self.database.fetch(self.statements[claims.kind], {"tenant": claims.environment_id, "id": claims.id, "now": now})
        if found is None or found[1] != claims.user_id:
            self.known.pop(token, None)
            raise unauthorized()
        owner_id, actor = found[0], actor_of(claims, *found[1:])
        # else something was committed meanwhile, perhaps that the grant is revoked, or the key was taken away
        if generation == self.database.generation and claims.kid in self.keys:
            if len(self.known) >= REMEMBERED:
                self.known.clear()
            self.known[token] = Known(actor, claims.expires, owner_id, self.version(claims.environment_id, owner_id), generation)
        return actor

    async def judge(self, token: bytes) -> Claims:
        """The claims of a token whose signature, issuer and audience are right, and which lives no longer than ours do."""
        text = token.decode("ascii", "replace")
        kid = kid_of(text)
        if kid not in self.keys and (not self.keys or not 0 <= self.clock() - self.keys_read < 1):
            await self.read_keys()
        try:
            claims = jwt.decode(text, self.keys[kid], algorithms=[ALGORITHM]).claims
            kind = self.kinds[claims["aud"]]
            made, expires = int(claims["iat"]), int(claims["exp"])
            if claims["iss"] != self.issuer or made > self.clock() + SKEW_SECONDS or expires - made > self.lives[kind]:
                raise unauthorized()
            id, client_id = (claims["grant"], claims["client_id"]) if kind == OAUTH else (claims["session"], "")
            judged = Claims(kid, kind, claims["environment"], claims["sub"], id, client_id, expires)
        except (JoseError, KeyError, TypeError, ValueError, OverflowError):
            raise unauthorized() from None
        if len(self.judged) >= REMEMBERED:
            self.judged.clear()
        self.judged[token] = judged
        return judged

    async def read_keys(self) -> None:
        """Read the public keys again; what one of those that are gone has proved is forgotten."""
        before, self.keys_read = self.keys_read, self.clock()  # first, so that of many requests at once one reads
        try:
            row = await self.database.fetch(PUBLIC[self.database.statements.dialect.name], {})
        except BaseException:  # the database or the caller is gone; the next request tries again
            self.keys_read = before
            raise
        assert row is not None, "an aggregate has a row"
        keys = {key["kid"]: self.keys.get(key["kid"]) or ECKey.import_key(key) for key in public_keys(row[0])}
        if self.keys.keys() - keys.keys():
            self.judged.clear()
            self.known.clear()
        self.keys = keys


def kid_of(token: str) -> str:
    """The id of the key that a token names, before anything is judged; empty if it names none."""
    try:
        return str(extract_compact(token.encode()).headers().get("kid", ""))
    except (JoseError, ValueError):
        return ""


def actor_of(claims: Claims, user_id: str, role: str, card_visibility: str, resource_id: str | None) -> Actor:
    """The caller as its user is now; one who is linked to no resource and may see linked cards only sees none."""
    seen = None if card_visibility == "all" else resource_id or ""
    kind, quota = ("oauth", f"{claims.client_id} {claims.environment_id}") if claims.kind == OAUTH else ("user", None)
    return Actor(claims.environment_id, kind, claims.id, Role[role.upper()], user_id=user_id, resource_id=seen, quota=quota)


def unauthorized() -> Refusal:
    return refuse(UNAUTHORIZED, NOT_KNOWN, www_authenticate='Bearer realm="Planwerk", error="invalid_token"')
