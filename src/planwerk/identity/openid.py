"""The OpenID Connect login, seen from the app: where the browser goes, and who came back.

Comes in: the settings `oidc_…`, and what the browser brings from the provider. Goes out: an address, then claims about a person
that the provider has signed for this very login; or `NoLogin`. Authorization code flow with PKCE (RFC 7636), state and nonce.
Nothing here knows a user or touches the database.
"""

import base64
import secrets
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import quote_plus

import orjson
from authlib.oauth2.client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError, SecurityWarning

from planwerk.identity.openid_discovery import Metadata, Published, is_private_way
from planwerk.identity.openid_wire import NoLogin, ask, error_code
from planwerk.identity.tokens import SKEW_SECONDS, kid_of
from planwerk.settings import Settings, public_url

CALLBACK = "/login/sso/callback"
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")  # public keys only
ATTEMPT_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a login remembers between its two requests; only the browser keeps it, sealed. `expires` is in seconds since 1970."""

    state: str
    nonce: str
    verifier: str
    next: str
    expires: float

    def text(self) -> str:
        return orjson.dumps(asdict(self)).decode()


def new_attempt(next: str, now: float) -> Attempt:
    """A login that begins now and goes on to the path `next`."""
    return Attempt(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48), next, now + ATTEMPT_SECONDS)


def parse_attempt(text: str) -> Attempt:
    return Attempt(**orjson.loads(text))


def provider_faults(settings: Settings) -> Iterator[str]:
    """Why the provider of the settings could not be used safely."""
    if not is_private_way(settings.oidc_issuer, settings.oidc_issuer):
        yield f"oidc_issuer {settings.oidc_issuer} must begin with https://"
    if not settings.oidc_client_id:
        yield "oidc_client_id must hold what the provider of oidc_issuer calls this server"
    if "openid" not in settings.oidc_scopes.split():
        yield "oidc_scopes must hold openid"


class Provider:
    """The OpenID provider of the settings, in which `provider_faults` has found none."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self.issuer = settings.oidc_issuer
        self.client_id = settings.oidc_client_id
        self.client_secret = settings.oidc_client_secret
        self.scopes = settings.oidc_scopes
        self.callback = public_url(settings) + CALLBACK
        self.clock = clock
        self.published = Published(self.issuer, clock)

    # ── the way there ──

    async def address(self, attempt: Attempt) -> str:
        """Where the browser proves who it is: the provider's page, with this login's state, nonce and challenge."""
        known = await self.published.metadata()
        client = OAuth2Client(None, self.client_id, redirect_uri=self.callback, scope=self.scopes, code_challenge_method="S256")
        named = {"state": attempt.state, "nonce": attempt.nonce, "code_verifier": attempt.verifier}
        return str(client.create_authorization_url(known.authorization, **named)[0])

    # ── the way back ──

    async def claims(self, attempt: Attempt, answer: Mapping[str, str], is_enough: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """What the provider says about the person whose browser brought `answer`; `sub` is always in it.

        If the ID token does not say enough, the provider is asked for its list of claims, too.
        """
        known = await self.published.metadata()
        self.judge(known, attempt, answer)
        tokens = await self.redeem(known, attempt, answer["code"])
        claims = await self.read_id_token(known, attempt, tokens)
        if known.userinfo and "access_token" in tokens and not is_enough(claims):
            return merge(claims, await ask("GET", known.userinfo, headers={"authorization": f"Bearer {tokens['access_token']}"}))
        return claims

    def judge(self, known: Metadata, attempt: Attempt, answer: Mapping[str, str]) -> None:
        """Whether the answer belongs to this login and comes from this provider (RFC 6749, section 4.1.2; RFC 9207)."""
        if not secrets.compare_digest(answer.get("state", "").encode(), attempt.state.encode()):
            raise NoLogin("the answer belongs to another login")
        if attempt.expires <= self.clock():
            raise NoLogin("the login took too long")
        if answer.get("iss", "" if known.names_itself else self.issuer) != self.issuer:
            raise NoLogin("the answer comes from another provider")
        if "error" in answer:
            raise NoLogin(f"the provider refused{error_code(answer)}")
        if not answer.get("code"):
            raise NoLogin("the answer has no code")

    async def redeem(self, known: Metadata, attempt: Attempt, code: str) -> dict[str, Any]:
        """The tokens for a code (RFC 6749, section 4.1.3)."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.callback, "code_verifier": attempt.verifier}
        if not self.client_secret:
            return await ask("POST", known.token, form={**form, "client_id": self.client_id})
        if is_posted(self.client_id + self.client_secret, known.secret_ways):
            return await ask("POST", known.token, form={**form, "client_id": self.client_id, "client_secret": self.client_secret})
        return await ask("POST", known.token, form=form, headers={"authorization": basic(self.client_id, self.client_secret)})

    async def read_id_token(self, known: Metadata, attempt: Attempt, tokens: Mapping[str, Any]) -> dict[str, Any]:
        """The claims of an ID token that was signed for this login (OpenID Connect Core 1.0, section 3.1.3.7)."""
        text = str(tokens.get("id_token", ""))
        keys = await self.published.key_set(known, kid_of(text))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SecurityWarning)  # providers still call Ed25519 by its older name
                token = jwt.decode(text, keys, algorithms=ALGORITHMS)
            header = {"alg": token.header["alg"].replace("Ed25519", "EdDSA")}  # what at_hash is made with
            options = {name: {"essential": True, "value": value} for name, value in (("iss", self.issuer), ("aud", self.client_id))}
            params = {"nonce": attempt.nonce, "client_id": self.client_id, "access_token": tokens.get("access_token")}
            CodeIDToken(token.claims, header, options, params).validate(int(self.clock()), SKEW_SECONDS)
        except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise NoLogin(f"the ID token is not valid: {type(error).__name__} {getattr(error, 'description', '')}".rstrip(" :")) from None
        return token.claims


def is_posted(credentials: str, ways: tuple[str, ...]) -> bool:
    """Whether the secret goes in the form: where it must, and where HTTP Basic would be read differently by different providers.

    >>> is_posted("a-b", ("client_secret_post", "client_secret_basic")), is_posted("a:b", ("client_secret_post", "client_secret_basic"))
    (False, True)
    >>> is_posted("a-b", ("client_secret_post",)), is_posted("a:b", ("client_secret_basic",))
    (True, False)
    """
    return "client_secret_post" in ways and ("client_secret_basic" not in ways or quote_plus(credentials) != credentials)


def basic(client_id: str, client_secret: str) -> str:
    """Both, form-encoded, then as HTTP Basic has them (RFC 6749, section 2.3.1).

    >>> basic("planwerk", "a:b")
    'Basic cGxhbndlcms6YSUzQWI='
    """
    return "Basic " + base64.b64encode(f"{quote_plus(client_id)}:{quote_plus(client_secret)}".encode()).decode()


def merge(claims: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """The ID token's claims and those of the provider's list, which must be about the same person; the token counts where both speak.

    That an address is verified counts for the very address it was said of.

    >>> merge({"sub": "7", "email": "me@x"}, {"sub": "7", "email": "you@x", "email_verified": True, "name": "Me"})
    {'sub': '7', 'email': 'me@x', 'name': 'Me'}
    >>> merge({"sub": "7", "email_verified": True}, {"sub": "7", "email": "you@x"})
    {'sub': '7', 'email': 'you@x'}
    """
    if more.get("sub") != claims["sub"]:
        raise NoLogin("the provider's list of claims is about somebody else")
    if "email" not in claims:
        claims = without_verification(claims)
    elif claims["email"] != more.get("email"):
        more = without_verification(more)
    return {**more, **claims}


def without_verification(claims: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in claims.items() if name != "email_verified"}
