"""What an OpenID provider publishes: its document (OpenID Connect Discovery 1.0) and the keys that it signs with.

Comes in: the issuer. Goes out: addresses that are safe to ask, and public keys; or `NoLogin`. Both are remembered for an hour.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key, KeySet

from planwerk.identity.openid_wire import NoLogin, ask

REMEMBERED_SECONDS = 3600
PAUSE_SECONDS = 5  # after a document that could not be read
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the provider says about itself (OpenID Connect Discovery 1.0, section 3)."""

    authorization: str
    token: str
    keys: str
    userinfo: str
    secret_ways: tuple[str, ...]  # how it takes the client's secret (OpenID Connect Core 1.0, section 9)
    names_itself: bool  # in each answer that the browser brings (RFC 9207)


class Published:
    """The document and the keys of one issuer, read when they are needed."""

    def __init__(self, issuer: str, clock: Callable[[], float]) -> None:
        self.issuer = issuer
        self.clock = clock
        self.known: tuple[float, Metadata] | None = None
        self.keys: tuple[float, KeySet] | None = None
        self.failed_at = float("-inf")
        self.reading = asyncio.Lock()

    async def metadata(self) -> Metadata:
        """The provider's document, read again after an hour; after a failure not for a few seconds."""
        async with self.reading:
            if self.known is not None and self.clock() - self.known[0] < REMEMBERED_SECONDS:
                return self.known[1]
            if self.clock() - self.failed_at < PAUSE_SECONDS:
                raise NoLogin("the provider did not answer a moment ago")
            try:
                found = metadata_of(self.issuer, await ask("GET", self.issuer.rstrip("/") + "/.well-known/openid-configuration"))
            except NoLogin:
                self.failed_at = self.clock()
                raise
            self.known = (self.clock(), found)
            return found

    async def key_set(self, known: Metadata, kid: str) -> KeySet:
        """The provider's keys, read again after an hour, and for a key that is not among them."""
        if self.keys is not None and self.clock() - self.keys[0] < REMEMBERED_SECONDS and any(key.kid == kid for key in self.keys[1]):
            return self.keys[1]
        answer = await ask("GET", known.keys)
        keys = answer.get("keys")
        found = KeySet([key for item in (keys if isinstance(keys, list) else []) for key in signing_keys(item)])
        self.keys = (self.clock(), found)
        return found


def metadata_of(issuer: str, document: Mapping[str, Any]) -> Metadata:
    """The parts of a provider's document that a login needs; raises `NoLogin` if it is another's, or names an unsafe address."""
    if document.get("issuer") != issuer:
        raise NoLogin("the document of the provider names another issuer; the setting oidc_issuer must be written exactly as there")
    names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    for name in (*names, *(("userinfo_endpoint",) if "userinfo_endpoint" in document else ())):
        if not isinstance(document.get(name), str) or not is_private_way(document[name], issuer):
            raise NoLogin(f"the provider's {name} must be an https address")
    ways = document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    secret_ways = tuple(ways) if isinstance(ways, list) else ()
    names_itself = document.get("authorization_response_iss_parameter_supported") is True
    authorization, token, keys = (document[name] for name in names)
    return Metadata(authorization, token, keys, document.get("userinfo_endpoint", ""), secret_ways, names_itself)


def is_private_way(url: str, issuer: str) -> bool:
    """Whether nobody listens on the way: https, or http within this machine if the provider is there, too.

    >>> is_private_way("https://id.example/x", "https://id.example"), is_private_way("http://id.example", "http://id.example")
    (True, False)
    >>> is_private_way("http://localhost:9/x", "http://[::1]:9"), is_private_way("http://localhost/x", "https://id.example")
    (True, False)
    """
    try:
        parts, base = urlsplit(url), urlsplit(issuer)
        is_here = parts.hostname in LOOPBACK and base.hostname in LOOPBACK
    except ValueError:
        return False
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and is_here))


def signing_keys(item: Any) -> list[Key]:
    """The public key that a JWK describes, if it may sign and is of a kind we know (RFC 7517, section 5)."""
    if not isinstance(item, dict) or item.get("kty") not in ("RSA", "EC", "OKP") or item.get("use", "sig") != "sig":
        return []
    try:
        return [JWKRegistry.import_key(item)]
    except (JoseError, ValueError, TypeError, KeyError):
        return []
