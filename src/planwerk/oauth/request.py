"""Parameters of a query string or a form → the request object that Authlib reads. Nothing here looks at what they mean.

An empty parameter counts as absent, and one that comes twice is a fault (RFC 6749, section 3.1).
"""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from authlib.oauth2.rfc6749 import InvalidClientError, InvalidRequestError, OAuth2Request
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc6749.util import extract_basic_authorization

Parameters = dict[str, str]

PARAMETERS = 100
SOMEWHERE = "https://localhost/"  # Authlib asks for TLS, which ends at the proxy before us


class OAuthRequest(OAuth2Request):  # type: ignore[misc]  # Authlib is untyped
    """What an OAuth endpoint was asked. `grant_id` is the connection that an access token among the parameters is of."""

    def __init__(self, method: str, parameters: Parameters, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(method, SOMEWHERE, headers=headers)
        self.parameters = parameters
        self.grant_id: str | None = None
        self.payload = BasicOAuth2Payload(parameters)

    @property
    def args(self) -> Parameters:
        return self.parameters

    @property
    def form(self) -> Parameters:
        return self.parameters


def parse_parameters(text: bytes) -> Parameters:
    """The parameters by name; raises Authlib's InvalidRequestError for text that cannot be read.

    >>> parse_parameters(b"state=%C3%A9+1&scope=&client_id=a")
    {'state': 'é 1', 'client_id': 'a'}
    """
    try:
        pairs = parse_qsl(text.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=PARAMETERS)
    except ValueError:
        raise InvalidRequestError("the parameters cannot be read") from None
    if len({name for name, _ in pairs}) < len(pairs):
        raise InvalidRequestError("a parameter may be sent once only")
    return {name: value for name, value in pairs if value}


def named_client(request: OAuthRequest) -> str:
    """The client_id that a request names, in one way only: as a parameter, or by HTTP Basic (RFC 6749, section 2.3)."""
    try:
        name, secret = extract_basic_authorization(request.headers)
    except ValueError:
        raise InvalidClientError from None
    given = request.parameters.get("client_id", "")
    if secret is not None and "client_secret" in request.parameters:
        raise InvalidRequestError("prove the app in one way only: by HTTP Basic, or by client_secret")
    if name and given and name != given:
        raise InvalidRequestError("client_id is not the app that HTTP Basic names")
    return str(name or given)
