"""The authorization endpoint without its page (RFC 6749, section 4.1.1): judge what an app asks, and send the user back.

Until the app and its address are proved nothing goes to that address. What goes there names us (RFC 9207), so that an app with
several servers knows whose answer it has.
"""

from typing import Any
from urllib.parse import urlencode, urlsplit

from authlib.oauth2 import OAuth2Error

from planwerk.oauth.answers import describe
from planwerk.oauth.clients import Client, find_client
from planwerk.oauth.connections import connect, new_code
from planwerk.oauth.request import OAuthRequest, Parameters
from planwerk.oauth.server import Server
from planwerk.settings import Settings, public_url
from planwerk.store.database import Database
from planwerk.store.transaction import Transaction


async def examine(database: Database, parameters: Parameters) -> Client:
    """The app, if all is right with what it asks. Raises Authlib's OAuth2Error, whose `redirect_uri` is set once that is proved."""
    client = await find_client(database, parameters.get("client_id", ""))

    def work(tx: Transaction) -> None:
        Server(tx, client).get_consent_grant(OAuthRequest("GET", parameters))

    await database.read("", work)
    assert client is not None, "an app that is not known is refused"
    return client


def allow(tx: Transaction, client: Client, parameters: Parameters, user_id: str) -> str:
    """Where to send a user of the transaction's environment who has allowed what was examined: the app's address with a code."""
    address = parameters["redirect_uri"]
    code = new_code(tx, connect(tx, client, user_id), address, parameters.get("code_challenge"))
    return returned(tx.settings, parameters, address, code=code)


def deny(settings: Settings, parameters: Parameters) -> str:
    """Where to send a user who has refused."""
    words = {"error": "access_denied", "error_description": "the user has refused"}
    return returned(settings, parameters, parameters["redirect_uri"], **words)


def too_long(settings: Settings, parameters: Parameters) -> str:
    """Where to send a user whose login cannot remember the way back to what was examined."""
    words = {"error": "invalid_request", "error_description": "the request is too long for the way through a login; send a shorter state"}
    return returned(settings, parameters, parameters["redirect_uri"], **words)


def fault(settings: Settings, parameters: Parameters, error: OAuth2Error) -> str:
    """Where to send a user with the news that the app asked for something wrong."""
    return returned(settings, parameters, error.redirect_uri, error=error.error, error_description=describe(error))


def returned(settings: Settings, parameters: Parameters, address: str, **answer: str) -> str:
    """The app's address, to the letter, with an answer, the state it had sent, and who we are."""
    members: dict[str, Any] = {**answer, "state": parameters.get("state"), "iss": public_url(settings)}
    text = urlencode({name: value for name, value in members.items() if value is not None})
    return f"{address}{'&' if '?' in address else '?'}{text}"


def origin_of(address: str) -> str:
    """Where an address lies, as a Content-Security-Policy names it; there an IPv6 address cannot be named, only its scheme.

    >>> origin_of("https://app.example:8443/back?x=1"), origin_of("http://[::1]:5000/back")
    ('https://app.example:8443', 'http:')
    """
    parts = urlsplit(address)
    return f"{parts.scheme}:" if parts.netloc.startswith("[") else f"{parts.scheme}://{parts.netloc}"
