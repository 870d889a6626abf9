"""A lost password: whoever asks is told the same in the same time, and gets a mail only if there is such a user.

The users are looked up and the mails written after the answer has gone out. The link sets a password and logs nobody in.
"""

from functools import partial

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from structlog import get_logger

from planwerk.errors import Refusal
from planwerk.identity.invitations import Invitation, leave_reset, set_password, users_asking
from planwerk.identity.password_rules import RULES
from planwerk.identity.throttle import each
from planwerk.rules.invitations import RESET
from planwerk.store.database import Database
from planwerk.web.invite import new_password_fault, no_link, opened
from planwerk.web.site import Site

EMAIL_CHARACTERS = 254


def routes(site: Site) -> list[Route]:
    async def ask(request: Request) -> Response:
        return site.page(request, "reset.html", is_mailed=bool(site.settings.smtp), is_asked=False)

    async def send_link(request: Request) -> Response:
        email = (await site.form(request)).get("email", "").strip()[:EMAIL_CHARACTERS]
        await each(site.throttle.fail, [("address", site.address(request)), ("mail", email.casefold())])
        response = site.page(request, "reset.html", is_mailed=bool(site.settings.smtp), is_asked=True)
        if site.settings.smtp:
            response.background = BackgroundTask(leave_mails, site.database, email)
        return response

    async def show(request: Request) -> Response:
        invitation = await opened(site, request, RESET)
        return no_link(site, request) if invitation is None else form_page(site, request, invitation)

    async def change(request: Request) -> Response:
        fields = await site.form(request)
        invitation = await opened(site, request, RESET)
        if invitation is None:
            return no_link(site, request)
        if fault := new_password_fault(fields, (invitation.email, invitation.firstname, invitation.lastname)):
            return form_page(site, request, invitation, fault)
        async with site.turn(request):
            hash = await site.passwords.apart(site.passwords.hash, fields["password"])
        user = await site.database.write(invitation.environment_id, lambda tx: set_password(tx, invitation.id, hash))
        if user is None:
            return no_link(site, request)
        await each(site.throttle.clear, [("account", invitation.email.casefold())])
        return site.page(request, "reset_done.html", invitation=invitation)

    return [
        Route("/reset", ask),
        Route("/reset", send_link, methods=["POST"]),
        Route("/reset/{token}", show),
        Route("/reset/{token}", change, methods=["POST"]),
    ]


def form_page(site: Site, request: Request, invitation: Invitation, fault: str = "") -> Response:
    return site.page(request, "new_password.html", 422 if fault else 200, invitation=invitation, fault=fault, rules=RULES)


async def leave_mails(database: Database, email: str) -> None:
    """A mail for each user with this address; one who has got enough of them gets none."""
    try:
        for environment_id, user_id in await users_asking(database, email):
            await database.write(environment_id, partial(leave_reset, user_id=user_id))
    except Refusal as refusal:
        get_logger("planwerk").warning("a mail was not left", status=refusal.status)
