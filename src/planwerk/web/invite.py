"""The page of an invitation: whoever holds its link sets a password and a name, once, and is logged in.

A link that does not open, for whatever reason, leads to one page with the same words.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from planwerk.identity.invitations import Invitation, accept, find_invitation
from planwerk.identity.password_rules import RULES, password_fault
from planwerk.identity.sessions import open_session
from planwerk.rules.invitations import INVITE
from planwerk.store.transaction import Transaction
from planwerk.web.site import Site

NAME_CHARACTERS = 100


def routes(site: Site) -> list[Route]:
    async def show(request: Request) -> Response:
        invitation = await opened(site, request, INVITE)
        return no_link(site, request) if invitation is None else form_page(site, request, invitation)

    async def send(request: Request) -> Response:
        fields = await site.form(request)
        invitation = await opened(site, request, INVITE)
        if invitation is None:
            return no_link(site, request)
        names = {name: " ".join(fields.get(name, "").split())[:NAME_CHARACTERS] for name in ("firstname", "lastname")}
        fault = new_password_fault(fields, (invitation.email, *names.values(), " ".join(names.values())))
        if fault:
            return form_page(site, request, invitation, fault, names)
        async with site.turn(request):
            hash = await site.passwords.apart(site.passwords.hash, fields["password"])
        where = site.address(request), request.headers.get("user-agent", "")
        cookie = await site.database.write(invitation.environment_id, lambda tx: let_in(tx, invitation, hash, names, where))
        return no_link(site, request) if cookie is None else site.log_in(site.redirect("/account"), cookie)

    return [Route("/invite/{token}", show), Route("/invite/{token}", send, methods=["POST"])]


def let_in(tx: Transaction, invitation: Invitation, hash: str, names: dict[str, str], where: tuple[str, str]) -> str | None:
    """The cookie of the new user's first session."""
    user = accept(tx, invitation.id, hash, names)
    return None if user is None else open_session(tx, user, address=where[0], agent=where[1])


def form_page(site: Site, request: Request, invitation: Invitation, fault: str = "", names: dict[str, str] | None = None) -> Response:
    given = names or {"firstname": invitation.firstname, "lastname": invitation.lastname}
    values: dict[str, Any] = {"invitation": invitation, "fault": fault, "names": given, "rules": RULES}
    return site.page(request, "invite.html", 422 if fault else 200, **values)


# ── what the pages of invitations and of resets share ──


async def opened(site: Site, request: Request, purpose: str) -> Invitation | None:
    return await find_invitation(site.database, site.secret, request.path_params["token"], purpose)


def no_link(site: Site, request: Request) -> Response:
    """The page of every link that does not open."""
    return site.page(request, "no_link.html", 404)


def new_password_fault(fields: dict[str, str], known: tuple[str, ...]) -> str:
    """What is wrong with a password that was typed twice; empty if it may be taken."""
    if fields.get("password", "") != fields.get("again", ""):
        return "The two passwords differ."
    return password_fault(fields.get("password", ""), known)
