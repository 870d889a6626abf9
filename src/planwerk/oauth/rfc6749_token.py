"""The endpoints that apps call: a code or a refresh token → tokens (RFC 6749, section 3.2), and a token → nothing (RFC 7009).

Comes in: a form. Goes out: JSON. Each request is one transaction in the environment that its code or token names. Wrong secrets
are counted by app and network address, so that nobody shuts out an app by guessing from elsewhere.
"""

import asyncio
from collections.abc import Awaitable, Callable

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidRequestError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from planwerk.edge.limits import read_body
from planwerk.edge.maintenance import RETRY_SECONDS, Maintenance
from planwerk.errors import METHOD_NOT_ALLOWED, UNSUPPORTED_MEDIA_TYPE, Refusal, refuse
from planwerk.fields import UUID
from planwerk.identity.opaque import environment_in
from planwerk.identity.throttle import Throttle, neighbourhood
from planwerk.identity.tokens import OAUTH, Tokens
from planwerk.oauth.answers import protocol_error, refused, success
from planwerk.oauth.clients import find_client
from planwerk.oauth.request import OAuthRequest, named_client, parse_parameters
from planwerk.oauth.server import Outcome, Server
from planwerk.settings import Settings
from planwerk.store.database import Database, unavailable
from planwerk.store.transaction import Transaction

PREFIXES = ("/v1/oauth", "/api/v1/oauth")
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
FORM = "application/x-www-form-urlencoded"
BODY_BYTES = 64 * 1024

Endpoint = Callable[[OAuthRequest, str], Awaitable[Outcome]]


class TokenEndpoints:
    """The token and the revocation endpoint."""

    def __init__(self, database: Database, settings: Settings, maintenance: Maintenance) -> None:
        self.database = database
        self.maintenance = maintenance
        self.tokens = Tokens(database, settings)
        self.throttle = Throttle(settings.rate_limit_storage)

    def routes(self) -> list[Route]:
        endpoints = {"token": self.exchange, "revoke": self.revoke}
        return [
            Route(f"{prefix}/{name}", self.endpoint(function), methods=METHODS)
            for prefix in PREFIXES
            for name, function in endpoints.items()
        ]

    def endpoint(self, function: Endpoint) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                outcome = await self.proved(request, function)
                return protocol_error(outcome.error) if outcome.error is not None else success(outcome.body)
            except OAuth2Error as error:
                return protocol_error(error)
            except Exception as error:
                return refused(error, f"{request.method} {request.url.path}")

        return answer

    async def proved(self, request: Request, function: Endpoint) -> Outcome:
        """What a function answers to a form; refuses with 429 after too many that did not prove their app, 503 in maintenance."""
        self.database.refresh()
        if await self.maintenance.check():
            raise unavailable("the server is in maintenance", RETRY_SECONDS)
        asked = await read_form(request)
        client_id = named_client(asked)
        if not UUID.fullmatch(client_id):  # no app has such a name, so there is no secret to guess
            return await function(asked, client_id)
        attempts = f"{client_id} {neighbourhood(request.client.host if request.client else '')}"
        await asyncio.to_thread(self.throttle.check, "client", attempts)
        outcome = await function(asked, client_id)
        if outcome.error is not None and outcome.error.error == "invalid_client":
            await asyncio.to_thread(self.throttle.fail, "client", attempts)
        return outcome

    async def exchange(self, asked: OAuthRequest, client_id: str) -> Outcome:
        """New tokens for a code or a refresh token."""
        kind = asked.parameters.get("grant_type")
        if kind is None:
            raise InvalidRequestError("grant_type is missing")
        brought = asked.parameters.get("refresh_token" if kind == "refresh_token" else "code", "")
        client = await find_client(self.database, client_id)

        def work(tx: Transaction) -> Outcome:
            outcome: Outcome = Server(tx, client).create_token_response(asked)
            return outcome

        return await self.database.write(environment_in(brought) or "", work)

    async def revoke(self, asked: OAuthRequest, client_id: str) -> Outcome:
        """The connection that a token is of is over."""
        token = asked.parameters.get("token", "")
        environment_id = environment_in(token)
        if environment_id is None and token:
            environment_id, asked.grant_id = await self.judged(token)
        client = await find_client(self.database, client_id)

        def work(tx: Transaction) -> Outcome:
            outcome: Outcome = Server(tx, client).create_endpoint_response("revocation", asked)
            return outcome

        return await self.database.write(environment_id or "", work)

    async def judged(self, token: str) -> tuple[str | None, str | None]:
        """(environment, connection) of an access token that this server has made for an app, expired or not; else nothing."""
        try:
            claims = await self.tokens.judge(token.encode("ascii", "replace"))
        except Refusal:
            return None, None
        return (claims.environment_id, claims.id) if claims.kind == OAUTH else (None, None)


async def read_form(request: Request) -> OAuthRequest:
    """The form that was posted; refuses with 405, 413 and 415 what is none."""
    if request.method != "POST":
        raise refuse(METHOD_NOT_ALLOWED, f"{request.method} is not possible here", allow="POST")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise refuse(UNSUPPORTED_MEDIA_TYPE, f"send {FORM}")
    body = await read_body(request.receive, request.headers.get("content-length", "").encode(), BODY_BYTES)
    return OAuthRequest("POST", parse_parameters(body), request.headers)
