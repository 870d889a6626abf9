"""Who may do what: every operation asks for the role that the description names; a row, a property or a link may ask for more.

To see it fail: compare with `>` instead of `>=` anywhere in `permissions.py`, or leave a condition out.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from planwerk.actor import Actor, Role
from planwerk.describe import Action, Allow, Link, LinkTable, Object, Place, identity
from planwerk.errors import FORBIDDEN, Refusal
from planwerk.fields import Text, Uuid
from planwerk.permissions import permit, permit_change, permit_create, permit_delete, permit_links
from planwerk.routes import Route

FANS = LinkTable("thing_fan", "thing_id", "user_id")
LABELS = Link("labels", to="label", table=LinkTable("thing_label", "thing_id", "label_id"), by="thing_id")
FOLLOWERS = Link("followers", to="user", table=FANS, by="thing_id", own_role=Role.GUEST)
THING = Object(
    name="thing",
    section="base",
    purpose="A thing.",
    fields=(identity(), Text("name"), Text("state"), Text("items")),
    relations=(LABELS, FOLLOWERS),
    allow=Allow(
        read=Role.MEMBER,
        create=Role.ORGANISER,
        update=Role.MANAGER,
        delete=Role.ADMIN,
        part=Role.ORGANISER,
        parts=("state", "items.checked"),
    ),
)
WORD = Object(
    name="word",
    section="base",
    purpose="What somebody said.",
    fields=(identity(), Text("text"), Uuid("user_id")),
    allow=Allow(create=Role.MEMBER, own="user_id"),
)

NEEDED = [
    ("GET", "list", Role.MEMBER),
    ("GET", "one", Role.MEMBER),
    ("POST", "create", Role.ORGANISER),
    ("PUT", "update", Role.ORGANISER),
    ("POST", "archive", Role.MANAGER),
    ("POST", "restore", Role.MANAGER),
    ("DELETE", "delete", Role.ADMIN),
    ("GET", "action", Role.MEMBER),
    ("POST", "action", Role.MANAGER),
]


def route(method: str, kind: str, described: Object = THING, *, link: Link | None = None) -> Route:
    action = Action(method, "/thing/do", "do", lambda: None) if kind == "action" else None
    return Route(method, "/thing", kind, described, Place("/thing"), link=link, action=action)


def actor(role: Role, user_id: str | None = "me", *, is_read_only: bool = False) -> Actor:
    return Actor("environment", "user", "credential", role, is_read_only, user_id)


def is_permitted(work: Callable[[], None]) -> bool:
    try:
        work()
    except Refusal as refusal:
        return refusal.faults[0].kind is not FORBIDDEN
    return True


def permitted(judge: Callable[[Actor], None]) -> list[Role]:
    return [role for role in Role if is_permitted(partial(judge, actor(role)))]


def from_role(least: Role) -> list[Role]:
    return [role for role in Role if role >= least]


# ── operations ──


@pytest.mark.parametrize(("method", "kind", "least"), NEEDED)
def test_the_least_role_and_those_above_may(method: str, kind: str, least: Role) -> None:
    assert permitted(lambda who: permit(who, route(method, kind))) == from_role(least)


@pytest.mark.parametrize(("method", "kind", "least"), NEEDED)
def test_a_read_only_key_may_read_and_nothing_else(method: str, kind: str, least: Role) -> None:
    assert is_permitted(lambda: permit(actor(Role.ADMIN, is_read_only=True), route(method, kind))) == (method == "GET")


@pytest.mark.parametrize("kind", ["attach", "detach"])
def test_linking_is_a_change_unless_users_may_link_themselves(kind: str) -> None:
    assert permitted(lambda who: permit(who, route("PUT", kind, link=LABELS))) == from_role(Role.MANAGER)
    assert permitted(lambda who: permit(who, route("PUT", kind, link=FOLLOWERS))) == from_role(Role.GUEST)


@pytest.mark.parametrize(("method", "kind"), [("PUT", "update"), ("DELETE", "delete")])
def test_who_may_make_a_thing_of_their_own_may_ask_to_change_it(method: str, kind: str) -> None:
    assert permitted(lambda who: permit(who, route(method, kind, WORD))) == from_role(Role.MEMBER)


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


# ── properties ──


@pytest.mark.parametrize(
    ("changed", "least"),
    [
        ([], Role.GUEST),
        (["state"], Role.ORGANISER),
        (["state", "items.checked"], Role.ORGANISER),
        (["items"], Role.MANAGER),
        (["items.checked", "items.text"], Role.MANAGER),
        (["state", "name"], Role.MANAGER),
    ],
)
def test_a_part_of_an_object_may_be_open_to_a_lower_role(changed: list[str], least: Role) -> None:
    assert permitted(lambda who: permit_change(who, THING, {}, changed, "")) == from_role(least)


@pytest.mark.parametrize(("place", "named"), [("", "name"), ("things[1]", "things[1].name")])
def test_a_refused_change_names_the_property(place: str, named: str) -> None:
    with pytest.raises(Refusal, match="name of this thing needs the role manager") as caught:
        permit_change(actor(Role.ORGANISER), THING, {}, ["state", "name"], place)
    assert caught.value.faults[0].property == named


def test_nothing_is_compared_for_who_may_change_everything() -> None:
    def never() -> Any:
        raise AssertionError("it was read")
        yield

    permit_change(actor(Role.MANAGER), THING, {}, never(), "")
    permit_change(None, THING, {}, never(), "")


# ── what belongs to a user ──


@pytest.mark.parametrize(("owner", "least"), [("me", Role.MEMBER), ("you", Role.MANAGER), (None, Role.MANAGER)])
def test_a_user_changes_deletes_and_makes_what_is_their_own(owner: str | None, least: Role) -> None:
    row = {"user_id": owner}
    assert permitted(lambda who: permit_change(who, WORD, row, ["text"], "")) == from_role(least)
    assert permitted(lambda who: permit_delete(who, WORD, row)) == from_role(least)
    assert permitted(lambda who: permit_create(who, WORD, row, "")) == from_role(least)


def test_nobody_gives_away_what_is_their_own_without_the_role_for_it() -> None:
    assert permitted(lambda who: permit_change(who, WORD, {"user_id": "me"}, ["user_id"], "")) == from_role(Role.MANAGER)


def test_who_is_no_user_owns_nothing() -> None:
    with pytest.raises(Refusal):
        permit_delete(actor(Role.MEMBER, None), WORD, {"user_id": None})


# ── links, and what the server does ──


@pytest.mark.parametrize(
    ("others", "least"), [([], Role.GUEST), (["me"], Role.GUEST), (["you"], Role.MANAGER), (["me", "you"], Role.MANAGER)]
)
def test_a_user_may_link_nobody_else(others: list[str], least: Role) -> None:
    assert permitted(lambda who: permit_links(who, THING, FOLLOWERS, others, "")) == from_role(least)


@pytest.mark.parametrize("others", [["me"], ["you"]])
def test_a_link_to_anything_else_is_a_change(others: list[str]) -> None:
    assert permitted(lambda who: permit_links(who, THING, LABELS, others, "")) == from_role(Role.MANAGER)


def test_the_server_itself_is_not_judged() -> None:
    permit_create(None, WORD, {"user_id": "you"}, "things[0]")
    permit_change(None, THING, {}, ["name"], "")
    permit_delete(None, THING, {})
    permit_links(None, THING, LABELS, ["you"], "")
