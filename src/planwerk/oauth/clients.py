"""Apps: found by their client_id, registered, given new secrets, deleted; and which redirect addresses they may use.

An app is registered in one environment and may be connected by users of every other, so it is looked up as the server's own
work, outside the walls between environments. Its secret is random and shown once; only the SHA-256 is stored.
"""

import hmac
import re
import secrets
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import orjson
from authlib.oauth2.rfc6749 import ClientMixin

from planwerk.catalog.oauth_client import OAUTH_CLIENT
from planwerk.fields import UUID
from planwerk.identity.opaque import token_hash
from planwerk.store.database import Database
from planwerk.store.statements import Statement
from planwerk.store.transaction import Row, Transaction

LOOPBACK = ("localhost", "127.0.0.1", "::1")
HOST = re.compile(r"[a-z0-9.-]+|[0-9a-f:.]+")  # a name or an IPv6 address; it stands in a header of the consent page
LOOPBACK_PORT = re.compile(r"(http://(?:localhost|127\.0\.0\.1|\[::1\])):([1-9][0-9]{0,4})(?=[/?]|$)")
LAST_PORT = 65535
SECRET_BYTES = 32
NAME_CHARACTERS = 255
ADDRESSES, ADDRESS_CHARACTERS = 20, 2048

FIND = Statement(
    "SELECT c.id, c.environment_id, e.name, c.name, c.secret_hash, c.redirect_uris, c.is_public, c.require_pkce FROM environment e"
    " JOIN oauth_client c ON c.environment_id = e.id AND c.id = {client} AND c.deleted_at IS NULL WHERE e.status = 'active'",
    {},
)


class Client(ClientMixin):  # type: ignore[misc]  # Authlib is untyped
    """An app, with what Authlib asks of one. `owner_id` and `owner` are the environment it is registered in."""

    def __init__(self, found: Sequence[Any]) -> None:
        self.id, self.owner_id, self.owner, self.name, self.secret_hash, addresses, is_public, requires_pkce = found
        self.redirect_uris: list[str] = orjson.loads(addresses or "[]")
        self.is_public = bool(is_public)
        self.requires_pkce = self.is_public or bool(requires_pkce)

    def get_client_id(self) -> str:
        return str(self.id)

    def get_default_redirect_uri(self) -> None:
        """There is none: an app says where to return to, every time."""

    def get_allowed_scope(self, _: str) -> str:
        """No scopes: an app may do what its user may."""
        return ""

    def check_redirect_uri(self, address: str) -> bool:
        """Whether an address is a registered one, to the letter. The port of a public app on the user's own machine is free
        (RFC 8252, section 7.3)."""
        if not self.is_public:
            return address in self.redirect_uris
        return without_port(address) in map(without_port, self.redirect_uris)

    def check_client_secret(self, secret: str) -> bool:
        return hmac.compare_digest(token_hash(secret), self.secret_hash or "")

    def check_endpoint_auth_method(self, method: str, _: str) -> bool:
        return (method == "none") == self.is_public

    def check_response_type(self, _: str) -> bool:
        """True: the grant itself judges it, for Authlib 1.9 breaks on characters that it must not repeat."""
        return True

    def check_grant_type(self, _: str) -> bool:
        return True


async def find_client(database: Database, client_id: str) -> Client | None:
    """The app with this client_id; None if there is none, or its environment is suspended."""
    if not UUID.fullmatch(client_id):
        return None
    found = await database.fetch(database.statements.named(FIND), {"client": client_id})
    return None if found is None else Client(found)


def without_port(address: str) -> str:
    """An http address on the user's own machine without its port; any other as it is.

    >>> without_port("http://127.0.0.1:51004/back"), without_port("http://127.0.0.1.example:51004/back")
    ('http://127.0.0.1/back', 'http://127.0.0.1.example:51004/back')
    """
    found = LOOPBACK_PORT.match(address)
    return address if found is None or int(found[2]) > LAST_PORT else found[1] + address[found.end() :]


# ── registering ──


def check_name(name: str) -> str:
    """The name of an app, without spaces around it. Raises ValueError with a sentence for one that people cannot read."""
    name = name.strip()
    if not 1 <= len(name) <= NAME_CHARACTERS or not name.isprintable():
        raise ValueError(f"an app needs a name of at most {NAME_CHARACTERS} characters")
    return name


def check_redirect(address: str) -> None:
    """Raises ValueError with a sentence for an address that may not receive codes: it must be https, or http on the user's own
    machine, without a fragment (RFC 6749, section 3.1.2; RFC 9700, section 4.1)."""
    try:
        parts = urlsplit(address)
        is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
        is_plain = bool(HOST.fullmatch(parts.hostname or "")) and parts.username is None and parts.password is None
        is_plain = is_plain and parts.port != 0 and not parts.netloc.endswith(":")
    except ValueError:  # a port or an IPv6 address that is none
        is_safe = is_plain = False
    is_written = address.isascii() and address.isprintable() and not set(address) & set(' "<>\\^`{|}#*')
    if not (is_safe and is_plain and is_written):
        raise ValueError(f"redirect address {address}: must be https, or http on this machine, without a fragment")
    if len(address) > ADDRESS_CHARACTERS:
        raise ValueError(f"a redirect address may have at most {ADDRESS_CHARACTERS} characters")


def check_redirects(addresses: Sequence[str]) -> None:
    """Raises ValueError with a sentence unless there are one to twenty addresses, each of which may receive codes."""
    if not 1 <= len(addresses) <= ADDRESSES:
        raise ValueError(f"an app needs 1 to {ADDRESSES} redirect addresses")
    for address in addresses:
        check_redirect(address)


def register(tx: Transaction, name: str, addresses: Sequence[str], *, is_public: bool, require_pkce: bool = True) -> tuple[Row, str | None]:
    """(a new app of the environment, its secret); a public app has none. Raises ValueError with a sentence."""
    check_redirects(addresses)
    values = {"name": check_name(name), "redirect_uris": stored(addresses), "is_public": is_public}
    row = tx.insert(OAUTH_CLIENT, {**values, "require_pkce": is_public or require_pkce})
    return (row, None) if is_public else renew_secret(tx, row)


def renew_secret(tx: Transaction, client: Row) -> tuple[Row, str]:
    """(the app, its new secret); the old one opens nothing from now on."""
    secret = secrets.token_urlsafe(SECRET_BYTES)
    return tx.update(OAUTH_CLIENT, client, {"secret_hash": token_hash(secret), "secret_created_at": tx.now}), secret


def change(tx: Transaction, client: Row, name: str, addresses: Sequence[str], *, require_pkce: bool) -> Row:
    """The app with another name and other addresses. Raises ValueError with a sentence."""
    check_redirects(addresses)
    values = {"name": check_name(name), "redirect_uris": stored(addresses), "require_pkce": bool(client["is_public"]) or require_pkce}
    return tx.update(OAUTH_CLIENT, client, values)


def addresses_of(client: Row) -> list[str]:
    """The redirect addresses of a stored app."""
    found: list[str] = orjson.loads(client["redirect_uris"] or "[]")
    return found


def stored(addresses: Sequence[str]) -> Any:
    return OAUTH_CLIENT.field["redirect_uris"].store(list(addresses))
