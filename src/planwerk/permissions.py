"""Who may do what: the least role for each kind of operation, from the object's description."""

from planwerk.actor import Actor, Role
from planwerk.errors import FORBIDDEN, refuse
from planwerk.routes import Route

NEEDS = {
    "list": "read",
    "one": "read",
    "create": "create",
    "update": "update",
    "archive": "update",
    "restore": "update",
    "attach": "update",
    "detach": "update",
    "delete": "delete",
}


def permit(actor: Actor, route: Route) -> None:
    """Refuse with 403 what the caller's role, or a read-only key, does not allow."""
    if actor.is_read_only and route.method != "GET":
        raise refuse(FORBIDDEN, "this API key may only read")
    needed = NEEDS.get(route.kind) or ("read" if route.method == "GET" else "update")
    role: Role = (route.action and route.action.role) or getattr(route.object.allow, needed)
    if actor.role < role:
        raise refuse(FORBIDDEN, f"{route.kind} {route.object.name} needs the role {role.name.lower()}")
