"""Who may do what: every kind of operation asks for the role that the description names, and for no more."""

import pytest

from planwerk.actor import Actor, Role
from planwerk.describe import Action, Allow, Object, Place, identity
from planwerk.errors import FORBIDDEN, Refusal
from planwerk.permissions import permit
from planwerk.routes import Route

THING = Object(
    name="thing",
    section="base",
    purpose="A thing.",
    fields=(identity(),),
    allow=Allow(read=Role.MEMBER, create=Role.ORGANISER, update=Role.MANAGER, delete=Role.ADMIN),
)

NEEDED = [
    ("GET", "list", Role.MEMBER),
    ("GET", "one", Role.MEMBER),
    ("POST", "create", Role.ORGANISER),
    ("PUT", "update", Role.MANAGER),
    ("POST", "archive", Role.MANAGER),
    ("POST", "restore", Role.MANAGER),
    ("PUT", "attach", Role.MANAGER),
    ("DELETE", "detach", Role.MANAGER),
    ("DELETE", "delete", Role.ADMIN),
    ("GET", "action", Role.MEMBER),
    ("POST", "action", Role.MANAGER),
]


def route(method: str, kind: str) -> Route:
    action = Action(method, "/thing/do", "do", lambda: None) if kind == "action" else None
    return Route(method, "/thing", kind, THING, Place("/thing"), action=action)


def actor(role: Role, *, is_read_only: bool = False) -> Actor:
    return Actor("environment", "user", "credential", role, is_read_only)


def is_permitted(method: str, kind: str, who: Actor) -> bool:
    try:
        permit(who, route(method, kind))
    except Refusal as refusal:
        return refusal.faults[0].kind is not FORBIDDEN
    return True


@pytest.mark.parametrize(("method", "kind", "least"), NEEDED)
def test_the_least_role_and_those_above_may(method: str, kind: str, least: Role) -> None:
    assert [role for role in Role if is_permitted(method, kind, actor(role))] == [role for role in Role if role >= least]


@pytest.mark.parametrize(("method", "kind", "least"), NEEDED)
def test_a_read_only_key_may_read_and_nothing_else(method: str, kind: str, least: Role) -> None:
    assert is_permitted(method, kind, actor(Role.ADMIN, is_read_only=True)) == (method == "GET")


@pytest.mark.parametrize("role", list(Role))
def test_an_action_may_ask_for_a_role_of_its_own(role: Role) -> None:
    action = Action("POST", "/thing/do", "do", lambda: None, role=Role.ORGANISER)
    special = Route("POST", "/thing", "action", THING, Place("/thing"), action=action)
    if role >= Role.ORGANISER:
        permit(actor(role), special)
    else:
        with pytest.raises(Refusal, match="needs the role organiser"):
            permit(actor(role), special)


def test_a_refusal_names_the_role_that_is_needed() -> None:
    with pytest.raises(Refusal, match="delete thing needs the role admin"):
        permit(actor(Role.MANAGER), route("DELETE", "delete"))
