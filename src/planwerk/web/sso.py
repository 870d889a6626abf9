"""Single sign-on: /login/sso sends the browser to the OpenID provider, /login/sso/callback takes it back and opens a session.

Without the setting `oidc_issuer` there are no such pages. Whatever goes wrong, the visitor sees one page; the reason is in the
log, with the reference that the page shows. What a login has to remember is sealed in a cookie of ten minutes.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from planwerk.actor import Role
from planwerk.edge.reference import new_reference
from planwerk.errors import Refusal
from planwerk.identity.openid import ATTEMPT_SECONDS, CALLBACK, Attempt, Provider, new_attempt, parse_attempt, provider_faults
from planwerk.identity.openid_users import WORDS, arrive, is_enough, use_once
from planwerk.identity.openid_wire import NoLogin
from planwerk.identity.sessions import open_session
from planwerk.secret import seal, unseal
from planwerk.settings import Settings
from planwerk.store.environments import BY_NAME, FIRST
from planwerk.store.transaction import Transaction
from planwerk.web.consent import sent_back
from planwerk.web.site import Site, local_path

START = "/login/sso"
COOKIE, PURPOSE = "planwerk_sso", "single sign-on"
ENOUGH = 2000  # bytes of an address to go on to; a browser keeps 4096 bytes of a cookie
ANSWERS = ("code", "state", "iss", "error")  # the parameters of the callback


def routes(site: Site) -> list[Route]:
    """The two pages; none without a provider. Raises ValueError with a sentence for settings that could not be used safely."""
    if not site.settings.oidc_issuer:
        return []
    for fault in sso_faults(site.settings):
        raise ValueError(fault)
    provider = Provider(site.settings, site.database.identifiers.clock)
    says_enough = partial(is_enough, site.settings)

    async def start(request: Request) -> Response:
        following = local_path(request.query_params.get("next"))
        if len(following.encode()) > ENOUGH:
            if (response := await sent_back(site, following)) is not None:
                return response
            following = local_path(None)
        attempt = new_attempt(following, provider.clock())
        try:
            response = site.redirect(await provider.address(attempt))
        except NoLogin as reason:
            return failed(site, request, str(reason))
        site.set_cookie(response, COOKIE, seal(site.secret, PURPOSE, attempt.text()), ATTEMPT_SECONDS)
        return response

    async def callback(request: Request) -> Response:
        try:
            attempt = remembered(site, request)
            claims = await provider.claims(attempt, answer_of(request), says_enough)
            token = await log_in(site, request, attempt, claims)
        except (NoLogin, Refusal) as reason:
            return site.drop_cookie(failed(site, request, str(reason)), COOKIE)
        return site.drop_cookie(site.log_in(site.redirect(attempt.next), token), COOKIE)

    return [Route(START, start), Route(CALLBACK, callback)]


def sso_name(settings: Settings) -> str:
    """What the login page calls the provider; empty if there is none."""
    return settings.oidc_name if settings.oidc_issuer else ""


def sso_faults(settings: Settings) -> Iterator[str]:
    """What is wrong with the settings of single sign-on, in sentences; nothing is where there is no provider."""
    if settings.oidc_issuer:
        yield from provider_faults(settings)
        if settings.oidc_default_role and settings.oidc_default_role.lower() not in WORDS:
            yield f"oidc_default_role {settings.oidc_default_role} is none of {', '.join(role.name.lower() for role in Role)}"


def remembered(site: Site, request: Request) -> Attempt:
    """The login that this browser has begun."""
    try:
        return parse_attempt(unseal(site.secret, PURPOSE, request.cookies.get(COOKIE, "")))
    except (ValueError, TypeError):
        raise NoLogin("this browser has begun no login, or has finished it") from None


def answer_of(request: Request) -> dict[str, str]:
    """What the provider lets the browser bring; a parameter that comes twice is refused (RFC 6749, section 3.1)."""
    given = [(name, value) for name, value in request.query_params.multi_items() if name in ANSWERS]
    if len(given) != len(dict(given)):
        raise NoLogin("the answer says something twice")
    return dict(given)


async def log_in(site: Site, request: Request, attempt: Attempt, claims: dict[str, Any]) -> str:
    """The cookie of a new session of the user of these claims; the database is asked only now, after the provider."""
    name = site.settings.oidc_environment
    found = await site.database.fetch(site.database.statements.named(BY_NAME if name else FIRST), {"name": name} if name else {})
    if found is None or found[3] != "active":
        raise NoLogin("the environment of the provider's users is not there, or not active")

    def work(tx: Transaction) -> str:
        use_once(tx, attempt.state)
        user = arrive(tx, claims)
        agent = request.headers.get("user-agent", "")
        return open_session(tx, user, method="sso", address=request.client.host if request.client else "", agent=agent)

    return await site.database.write(found[0], work)


def failed(site: Site, request: Request, reason: str) -> Response:
    """The page of every login that did not work."""
    reference = new_reference()
    structlog.get_logger("planwerk").warning("single sign-on refused", reference=reference, reason=reason)
    response = site.page(request, "sso_failed.html", 403, name=site.settings.oidc_name, reference=reference)
    response.headers["reference-tag"] = reference
    return response
