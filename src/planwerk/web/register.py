"""Making an environment of one's own, where the setting `registration` allows it; else there is no such page.

Comes in: a company and an email address. Goes out: an environment that waits to be confirmed by its invitation, which is mailed,
or shown where no mail is sent. Nothing tells whether an email address is known.
"""

import re

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from planwerk.errors import NOT_FOUND, Refusal, refuse
from planwerk.fields import Bad
from planwerk.identity.registration import Registered, register
from planwerk.identity.throttle import each
from planwerk.store.environments import find_environment
from planwerk.store.transaction import Duplicate
from planwerk.web.login import sentence, with_headers
from planwerk.web.site import Site

COMPANY = re.compile(r"[\w .,&+'’()\-]{2,80}")  # no slash, colon or @: the name stands in mails to people who know nobody here
COMPANY_RULE = "A name has 2 to 80 letters, digits, spaces and . , & + ' ( ) -"
NO_EMAIL = "This is not an email address."
TAKEN = "There is an environment of that name already. Choose another one, or ask its admin to invite you."


def routes(site: Site) -> list[Route]:
    async def show(request: Request) -> Response:
        require_registration(site)
        return form_page(site, request)

    async def make(request: Request) -> Response:
        require_registration(site)
        fields = await site.form(request)
        company, email = " ".join(fields.get("company", "").split()), fields.get("email", "").strip()
        if not COMPANY.fullmatch(company):
            return form_page(site, request, company, email, COMPANY_RULE)
        try:
            site.objects["user"].field["email"].parse(email)
            registered = await registered_by(site, site.address(request), company, email)
        except Bad:
            return form_page(site, request, company, email, NO_EMAIL)
        except Refusal as refusal:
            page = form_page(site, request, company, email, sentence(refusal), refusal.status)
            return with_headers(page, refusal)
        if registered is None:
            return form_page(site, request, company, email, TAKEN)
        return done_page(site, request, registered)

    return [Route("/register", show), Route("/register", make, methods=["POST"])]


def require_registration(site: Site) -> None:
    """Where people cannot register there is no such page."""
    if not site.settings.registration:
        raise refuse(NOT_FOUND, "there is no such page")


async def registered_by(site: Site, address: str, company: str, email: str) -> Registered | None:
    """The new environment; None if the name is taken. Refuses with 429 an address that has made, or found taken, too many.

    Only what was made counts as a registration. That a name is taken is counted by itself, for it names a tenant.
    """
    throttle, made, found_taken = site.throttle, [("registration", address), ("mail", email.casefold())], [("name", address)]
    await each(throttle.check, made + found_taken)
    if await site.database.read("", lambda tx: find_environment(tx, name=company)) is not None:
        await each(throttle.fail, found_taken)
        return None
    await each(throttle.fail, made)
    try:
        return await site.database.write("", lambda tx: register(tx, company, email))
    except Duplicate:
        return None


def form_page(site: Site, request: Request, company: str = "", email: str = "", fault: str = "", status: int = 422) -> Response:
    return site.page(request, "register.html", status if fault else 200, company=company, email=email, fault=fault)


def done_page(site: Site, request: Request, registered: Registered) -> Response:
    return site.page(request, "registered.html", registered=registered)
