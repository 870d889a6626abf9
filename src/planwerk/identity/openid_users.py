"""Claims of the OpenID provider → the user who has just proved who they are.

A user is known by the provider's name for the person, else by an email address that the provider has verified; a person whom
nobody knows becomes a user if a role is found. Everything happens in the caller's transaction: `NoLogin` undoes it all.
"""

import contextlib
from collections.abc import Mapping
from typing import Any

import structlog

from planwerk.actor import Role
from planwerk.errors import Refusal
from planwerk.fields import Bad
from planwerk.identity.opaque import token_hash
from planwerk.identity.openid_wire import NoLogin
from planwerk.rules.invitations import void_links
from planwerk.rules.people import names_of_user
from planwerk.settings import Settings
from planwerk.store.environments import lock_environment
from planwerk.store.statements import Statement
from planwerk.store.transaction import Row, Transaction

OLDER_WORDS = {"administrator": Role.ADMIN, "planner": Role.ORGANISER, "worker": Role.MEMBER}
WORDS = {**{role.name.lower(): role for role in Role}, **OLDER_WORDS}
NAMES = {"given_name": "firstname", "family_name": "lastname", "name": "fullname", "zoneinfo": "timezone"}

ONCE = "sso login "  # how the names of finished logins begin in `state`
USE = Statement("INSERT INTO state (name, value) VALUES ({name}, {now}) ON CONFLICT (name) DO NOTHING RETURNING name", {})
FORGET = Statement("DELETE FROM state WHERE substr(name, 1, 10) = {prefix} AND value < {before}", {})


def use_once(tx: Transaction, state: str) -> None:
    """Let the login with this state be finished by one answer only; raises `NoLogin` for every other one. Kept for an hour."""
    tx.run_named(FORGET, prefix=ONCE, before=tx.ago(hours=1))
    if not tx.run_named(USE, name=ONCE + token_hash(state), now=tx.now):
        raise NoLogin("the answer has been used before")


def arrive(tx: Transaction, claims: Mapping[str, Any]) -> Row:
    """The user of these claims, as the provider says they are now: linked, active, in the role that it names. Raises `NoLogin`."""
    settings = tx.settings
    role = role_of(claims, settings)
    user = linked_user(tx, claims) or verified_user(tx, claims)
    if user is None:
        return new_user(tx, claims, role)
    user = tx.get(tx.object("user"), user["id"])  # locked, and as it is now
    if user is None or user["archived_at"] is not None:
        raise NoLogin("the user is archived or deleted")
    changed = {"idp_id": claims["sub"], "idp_issuer": settings.oidc_issuer, "is_sso": True, "status": "active"}
    if settings.oidc_role_claim:
        changed["role"] = kept_role(tx, user, role)
    if user["status"] != "active":
        void_links(tx, user["id"])
    return tx.update(tx.object("user"), user, changed)


def linked_user(tx: Transaction, claims: Mapping[str, Any]) -> Row | None:
    """The user whom the provider has vouched for before."""
    return tx.first(tx.object("user"), idp_issuer=tx.settings.oidc_issuer, idp_id=text_of(tx, "idp_id", claims["sub"]))


def verified_user(tx: Transaction, claims: Mapping[str, Any]) -> Row | None:
    """The user with the address of the claims; raises `NoLogin` if there is one who must not be taken for this person."""
    email = email_of(tx, claims)
    user = tx.first(tx.object("user"), email=email)
    is_verified = claims.get("email_verified") in (True, "true")  # some providers write the word
    if user is None and "email_verified" in claims and not is_verified:
        raise NoLogin("the provider says that the address of this new person is not verified")
    if user is not None and not is_verified:
        raise NoLogin("the address is that of a user, and the provider does not say that it is verified")
    if user is not None and user["idp_issuer"] == tx.settings.oidc_issuer:
        raise NoLogin("the address is that of a user who is somebody else at the provider")
    return user


def email_of(tx: Transaction, claims: Mapping[str, Any]) -> str:
    return text_of(tx, "email", claims.get("email"))


def text_of(tx: Transaction, name: str, value: Any) -> str:
    """A claim as a property of the user holds it."""
    try:
        text = str(tx.object("user").field[name].parse(value))
    except Bad:
        text = ""
    if not text:
        raise NoLogin(f"the provider says nothing that could be the {name} of a user")
    return text


def new_user(tx: Transaction, claims: Mapping[str, Any], role: Role | None) -> Row:
    """An active user made from claims."""
    if role is None:
        raise NoLogin("a person whom nobody knows needs a role; neither a claim nor oidc_default_role names one")
    lock_environment(tx)
    if linked_user(tx, claims):
        raise NoLogin("another login has brought this new person at the same moment")
    known = {"idp_id": claims["sub"], "idp_issuer": tx.settings.oidc_issuer, "is_sso": True, "status": "active", "role": role.name.lower()}
    values = {**names(tx, claims), **known, "email": email_of(tx, claims)}
    names_of_user(tx, values, None)
    try:
        return tx.insert(tx.object("user"), values)
    except Refusal as refusal:
        raise NoLogin(f"the user cannot be made: {refusal}") from None


def names(tx: Transaction, claims: Mapping[str, Any]) -> dict[str, Any]:
    """The names, time zone and language among the claims that a user can have; the others are left out."""
    given = {mine: claims[theirs] for theirs, mine in NAMES.items() if claims.get(theirs)}
    given["language"] = str(claims.get("locale", ""))[:2].lower()
    values = {}
    for name, value in given.items():
        with contextlib.suppress(Bad):
            values[name] = tx.object("user").field[name].parse(value)
    return values


# ── roles ──


def is_enough(settings: Settings, claims: Mapping[str, Any]) -> bool:
    """Whether the claims say all that `arrive` decides by."""
    is_named = not settings.oidc_role_claim or claim_at(claims, settings.oidc_role_claim) is not None
    return is_named and "email" in claims and "email_verified" in claims


def role_of(claims: Mapping[str, Any], settings: Settings) -> Role | None:
    """The highest role that the claim names, else the default; None if there is neither. Raises `NoLogin` if a claim must name one."""
    default = WORDS.get(settings.oidc_default_role.lower())
    if not settings.oidc_role_claim:
        return default
    named = roles_in(claim_at(claims, settings.oidc_role_claim))
    role = max(named, default=default)
    if role is None:
        raise NoLogin("the claim names no role, and there is no oidc_default_role")
    return role


def claim_at(claims: Any, path: str) -> Any:
    """The claim of that name; or, where dots lead into claims, the one at their end.

    >>> claim_at({"realm_access": {"roles": ["guest"]}}, "realm_access.roles"), claim_at({"https://a.example/roles": "admin"}, "https://a.example/roles")
    (['guest'], 'admin')
    >>> claim_at({"realm_access": "guest"}, "realm_access.roles")
    """
    if not isinstance(claims, Mapping) or path in claims:
        return claims[path] if isinstance(claims, Mapping) else None
    name, _, rest = path.partition(".")
    return claim_at(claims.get(name), rest) if rest else None


def roles_in(value: Any) -> list[Role]:
    """The roles that a claim names: a word, several, or an object whose keys are the words. Other words mean nothing.

    >>> roles_in(["offline_access", "Planner", "guest"]), roles_in("worker"), roles_in({"admin": {"1": "x"}}), roles_in(5)
    ([<Role.ORGANISER: 3>, <Role.GUEST: 1>], [<Role.MEMBER: 2>], [<Role.ADMIN: 5>], [])
    """
    words = [value] if isinstance(value, str) else value if isinstance(value, list | dict) else []
    return [WORDS[word.lower()] for word in words if isinstance(word, str) and word.lower() in WORDS]


def kept_role(tx: Transaction, user: Row, role: Role | None) -> str:
    """The role that the claims give a user; the last admin stays one, for nobody could make another."""
    word = role.name.lower() if role is not None else str(user["role"])
    if user["role"] != "admin" or word == "admin" or user["status"] != "active" or other_admins(tx, user):
        return word
    structlog.get_logger("planwerk").warning("the last admin keeps that role", user=user["id"], claim=word)
    return "admin"


def other_admins(tx: Transaction, user: Row) -> list[Row]:
    """The other active admins. Of two who are demoted at once, the second sees that the first is gone."""
    lock_environment(tx)
    found = tx.find(tx.object("user"), role="admin", status="active", archived_at=None)
    return [row for row in found if row["id"] != user["id"]]
