"""What OAuth libraries read to find their way: the server's metadata (RFC 8414) and its public keys (RFC 7517).

Both are public and the same for everybody. There are no scopes: an app may do what its user may.
"""

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from planwerk.edge.reference import new_reference
from planwerk.identity.signing import PUBLIC, public_keys
from planwerk.oauth.rfc6749_code import METHODS
from planwerk.oauth.rfc7636_pkce import METHOD
from planwerk.settings import Settings, public_url
from planwerk.store.database import Database

METADATA, KEYS = "/.well-known/oauth-authorization-server", "/.well-known/jwks.json"
REMEMBERED_SECONDS = 300


def metadata(settings: Settings) -> dict[str, Any]:
    """The members of RFC 8414, section 2, and RFC 9207, section 3."""
    issuer = public_url(settings)
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/v1/oauth/authorize",
        "token_endpoint": f"{issuer}/v1/oauth/token",
        "revocation_endpoint": f"{issuer}/v1/oauth/revoke",
        "jwks_uri": issuer + KEYS,
        "scopes_supported": [],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": METHODS,
        "revocation_endpoint_auth_methods_supported": METHODS,
        "code_challenge_methods_supported": [METHOD],
        "authorization_response_iss_parameter_supported": True,
        "service_documentation": f"{issuer}/docs",
    }


def routes(database: Database, settings: Settings) -> list[Route]:
    described = orjson.dumps(metadata(settings))

    async def server(_: Request) -> Response:
        return public(described)

    async def keys(_: Request) -> Response:
        row = await database.fetch(PUBLIC[database.statements.dialect.name], {})
        assert row is not None, "an aggregate has a row"
        return public(orjson.dumps({"keys": public_keys(row[0])}))

    return [Route(METADATA, server), Route(KEYS, keys)]


def public(body: bytes) -> Response:
    headers = {"Cache-Control": f"max-age={REMEMBERED_SECONDS}", "Reference-Tag": new_reference()}
    return Response(body, 200, headers, "application/json")
