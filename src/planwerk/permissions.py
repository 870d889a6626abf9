"""Who may do what: the least role for each operation, and for what of a row may be changed; from the object's description.

Comes in: the caller, and the route, the row or the names of what changes. Goes out: nothing, or a refusal with 403. What the
server does by itself (no caller) is not judged. Which rows a caller sees is not judged here: the others do not exist for it.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from planwerk.actor import Actor, Role
from planwerk.describe import Action, Link, Object
from planwerk.errors import FORBIDDEN, Refusal, refuse
from planwerk.fields import join
from planwerk.routes import Route

NEEDS = {"list": "read", "one": "read", "create": "create", "archive": "update", "restore": "update"}


def permit(actor: Actor, route: Route) -> None:
    """Refuse with 403 what the caller's role, or a read-only key, does not allow whatever the row is."""
    if actor.is_read_only and route.method != "GET":
        raise refuse(FORBIDDEN, "this API key may only read")
    if actor.role is Role.ADMIN:
        return
    least = least_role(route.object, route.kind, route.link, route.action)
    if actor.role < least:
        raise refuse(FORBIDDEN, f"{route.kind} {route.object.name} needs the role {least.name.lower()}")


def least_role(described: Object, kind: str, link: Link | None = None, action: Action | None = None) -> Role:
    """The least role with which an operation may succeed; rows, properties and links may ask for more."""
    allow = described.allow
    if action is not None:
        return action.role or (allow.read if action.method == "GET" else allow.update)
    if link is not None:
        return min(allow.update, link.own_role or allow.update)
    if kind == "update":
        return min(allow.update, allow.part or allow.update, least_of_owner(described, allow.update))
    if kind == "delete":
        return min(allow.delete, least_of_owner(described, allow.delete))
    least: Role = getattr(allow, NEEDS[kind])
    return least


def least_of_owner(described: Object, otherwise: Role) -> Role:
    return described.allow.create if described.allow.own else otherwise


def permit_create(actor: Actor | None, described: Object, values: Mapping[str, Any], place: str) -> None:
    """Refuse an object that stands in a body at `place`, or one made in the name of another user."""
    if actor is None or actor.role >= max(described.allow.create, described.allow.update):
        return
    if actor.role < described.allow.create:
        raise refuse(FORBIDDEN, f"create {described.name} needs the role {described.allow.create.name.lower()}", place or None)
    own = described.allow.own
    if own and values.get(own) != actor.user_id:
        raise not_allowed(described, own, place)


def permit_change(actor: Actor | None, described: Object, row: Mapping[str, Any], changed: Iterable[str], place: str) -> None:
    """Refuse the first property that the caller may not change; `changed` is read only if any may not be."""
    allow = described.allow
    if actor is None or actor.role >= allow.update:
        return
    is_owner = is_own(actor, described, row)
    parts = allow.parts if allow.part is not None and actor.role >= allow.part else ()
    for name in changed:
        if name == allow.own or not (is_owner or name in parts):
            raise not_allowed(described, name, place)


def permit_delete(actor: Actor | None, described: Object, row: Mapping[str, Any]) -> None:
    """Refuse to delete a row unless the caller's role is enough, or it is the caller's own."""
    if actor is not None and actor.role < described.allow.delete and not is_own(actor, described, row):
        raise refuse(FORBIDDEN, f"delete {described.name} needs the role {described.allow.delete.name.lower()}")


def permit_links(actor: Actor | None, described: Object, link: Link, others: Collection[str], place: str) -> None:
    """Refuse to link or unlink others, unless the caller's role is enough or it links nobody but itself."""
    if actor is None or not others or actor.role >= described.allow.update:
        return
    if link.own_role is None or actor.role < link.own_role or set(others) != {actor.user_id}:
        raise not_allowed(described, link.name, place)


def is_own(actor: Actor, described: Object, row: Mapping[str, Any]) -> bool:
    """Whether the row is the caller's, and the caller's role enough for making one."""
    own = described.allow.own
    return bool(own) and actor.user_id is not None and row[own] == actor.user_id and actor.role >= described.allow.create


def not_allowed(described: Object, name: str, place: str) -> Refusal:
    name = name.partition(".")[0]
    return refuse(FORBIDDEN, f"{name} of this {described.name} needs the role {described.allow.update.name.lower()}", join(place, name))
