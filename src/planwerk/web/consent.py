"""The page on which a user allows an app, or refuses it: /v1/oauth/authorize (RFC 6749, section 3.1).

It asks every time. What the app asked stays in the address, as it came, and is examined again when the user has answered; the
form adds only the answer, and for which of the person's users it holds.
"""

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from authlib.oauth2 import OAuth2Error
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from planwerk.edge.limits import ADDRESS_BYTES
from planwerk.errors import BAD_REQUEST, FORBIDDEN, Refusal, refuse
from planwerk.identity.logins import Membership, users_of
from planwerk.identity.sessions import Visitor
from planwerk.oauth.answers import describe
from planwerk.oauth.clients import Client
from planwerk.oauth.request import Parameters, parse_parameters
from planwerk.oauth.rfc6749_authorize import allow, deny, examine, fault, origin_of, too_long
from planwerk.oauth.rfc6749_token import PREFIXES
from planwerk.store.transaction import Transaction
from planwerk.web.site import POLICY, Site

PATHS = [f"{prefix}/authorize" for prefix in PREFIXES]
LONGEST = len("/environments")  # of the pages between a login and this one; each has the address of this one in its own


def routes(site: Site) -> list[Route]:
    page = Consent(site)
    return [*(Route(path, page.show) for path in PATHS), *(Route(path, page.decide, methods=["POST"]) for path in PATHS)]


@dataclass
class Consent:
    """The page, and what its buttons do."""

    site: Site

    async def show(self, request: Request) -> Response:
        asked = parameters_of(request.scope["query_string"])
        try:
            client = await examine(self.site.database, asked)
        except OAuth2Error as error:
            return self.turned_away(asked, error)
        visitor = await self.site.visitor(request)
        return await self.to_login(request, asked) if visitor is None else await self.page(request, asked, client, visitor)

    async def page(self, request: Request, asked: Parameters, client: Client, visitor: Visitor) -> Response:
        users = await users_of(self.site.database, visitor)
        return self.site.page(
            request,
            "consent.html",
            policy=f"{POLICY} {origin_of(asked['redirect_uri'])}",  # browsers ask the policy for the redirect after the form, too
            client=client,
            returns_to=asked["redirect_uri"],
            users=[user for user in users if not user.login.asks_code],
            locked=[user for user in users if user.login.asks_code],
            visitor=visitor,
            here=quote(address_of(request, asked), safe=""),
        )

    async def decide(self, request: Request) -> Response:
        form, asked = await self.site.form(request), parameters_of(request.scope["query_string"])
        visitor = await self.site.visitor(request)
        if visitor is None:
            return await self.to_login(request, asked)
        try:
            client = await examine(self.site.database, asked)
        except OAuth2Error as error:
            return self.turned_away(asked, error)
        if form.get("decision") != "allow":
            return self.site.redirect(deny(self.site.settings, asked))
        user = await self.chosen(visitor, form.get("user", ""))

        def work(tx: Transaction) -> str:
            return allow(tx, client, asked, user.user_id)

        return self.site.redirect(await self.site.database.write(user.environment_id, work))

    async def chosen(self, visitor: Visitor, user_id: str) -> Membership:
        """The user that the person chose; refuses with 403 one who is not theirs, or asks for a second factor first."""
        for user in await users_of(self.site.database, visitor):
            if user.user_id == user_id and not user.login.asks_code:
                return user
        raise refuse(FORBIDDEN, "you cannot allow this app there; load the page again")

    def turned_away(self, asked: Parameters, error: OAuth2Error) -> Response:
        """Back to the app with the error; a page as long as the app's address is not proved."""
        if not error.redirect_uri:
            raise cannot_be_met(error)
        return self.site.redirect(fault(self.site.settings, asked, error))

    async def to_login(self, request: Request, asked: Parameters) -> Response:
        query = f"next={quote(address_of(request, asked), safe='')}"
        return await self.sent_back(asked) if LONGEST + len(query) > ADDRESS_BYTES else self.site.redirect(f"/login?{query}")

    async def sent_back(self, asked: Parameters) -> Response:
        """Back to the app, whose request no login can carry."""
        try:
            await examine(self.site.database, asked)
        except OAuth2Error as error:
            return self.turned_away(asked, error)
        return self.site.redirect(too_long(self.site.settings, asked))


async def sent_back(site: Site, address: str) -> Response | None:
    """Back to the app that sent a user to this page, if that is what is at an address which is too long to be kept."""
    path, _, query = address.partition("?")
    return await Consent(site).sent_back(parameters_of(query.encode())) if path in PATHS else None


def address_of(request: Request, asked: Parameters) -> str:
    """This very page, as a path."""
    return f"{request.url.path}?{urlencode(asked)}"


def parameters_of(query: bytes) -> Parameters:
    """What the app asked, from the address; refuses with 400 what cannot be read."""
    try:
        return parse_parameters(query)
    except OAuth2Error as error:
        raise cannot_be_met(error) from None


def cannot_be_met(error: OAuth2Error) -> Refusal:
    return refuse(BAD_REQUEST, f"An app sent you here with a request that cannot be met: {describe(error)}.")
