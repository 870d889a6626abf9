"""What the token and revocation endpoints answer: JSON that nobody may keep, and errors in two languages at once.

An error carries the keys of RFC 6749, section 5.2, for OAuth libraries, and the API's own `errors` and `reference` besides.
"""

from collections.abc import Mapping
from typing import Any

import orjson
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.base import invalid_error_characters
from starlette.responses import Response

from planwerk.edge.problems import error_body, problem
from planwerk.edge.reference import new_reference
from planwerk.errors import BAD_REQUEST, UNAUTHORIZED, Fault, Refusal

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
UNKNOWN_CLIENT = "the app is not known, or it did not prove itself in the way it is registered for"
UNNAMED = {  # what Authlib says of these repeats the request
    "invalid_client": UNKNOWN_CLIENT,
    "unsupported_grant_type": "grant_type must be authorization_code or refresh_token",
    "unsupported_response_type": "response_type must be code",
}


def success(body: Mapping[str, Any]) -> Response:
    """200 with JSON."""
    return Response(orjson.dumps(body), 200, {**NO_STORE, "Reference-Tag": new_reference()}, "application/json")


def protocol_error(error: OAuth2Error) -> Response:
    """An error of the protocol: 401 where the app did not prove itself, else 400."""
    kind = UNAUTHORIZED if error.error == "invalid_client" else BAD_REQUEST
    headers = {"WWW-Authenticate": 'Basic realm="Planwerk"'} if kind is UNAUTHORIZED else {}
    reference, description = new_reference(), describe(error)
    return spoken(error.error, description, error_body([Fault(kind, description)], reference), kind.status, headers, reference)


def refused(error: Exception, request: str) -> Response:
    """Any other refusal, such as 415 for a body of another type, or 429."""
    reference = new_reference()
    status, body, fields = problem(error, reference, request)
    word = "invalid_request" if status < 429 else "temporarily_unavailable" if status in (429, 503) else "server_error"
    description = str(error) if isinstance(error, Refusal) else "an unforeseen error"
    return spoken(word, description, body, status, {name.decode(): value.decode() for name, value in fields}, reference)


def spoken(word: str, description: str, body: bytes, status: int, headers: Mapping[str, str], reference: str) -> Response:
    both = {"error": word, "error_description": description, **orjson.loads(body)}
    return Response(orjson.dumps(both), status, {**headers, **NO_STORE, "Reference-Tag": reference}, "application/json")


def describe(error: OAuth2Error) -> str:
    """What is wrong, in the characters that RFC 6749 allows."""
    text = UNNAMED.get(error.error) or error.get_error_description() or error.error
    return "".join("?" if invalid_error_characters(character) else character for character in text)
