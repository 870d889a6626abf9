"""Which statement shows a caller what it may see: none of its own for who sees everything, one for each view otherwise.

To see it fail: let `is_narrow` look at the object alone and not at its relations, or drop the check of roles in it.
"""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from planwerk.actor import Actor, Role, View, Viewer, viewer_of
from planwerk.catalog import ALL
from planwerk.describe import Allow, Link, LinkTable, Many, Object, One, Sight, identity
from planwerk.fields import Ref
from planwerk.plan import is_narrow, plan_read
from planwerk.query.parameters import parse_parameters
from planwerk.store.select import Builder
from planwerk.store.statements import POSTGRESQL, SQLITE
from planwerk.store.tables import Tables

OBJECTS = {described.name: described for described in ALL}
KEY = Actor("environment", "api-key", "key")
ADMIN, ORGANISER, MEMBER, GUEST = (View(role, is_linked=False) for role in (Role.ADMIN, Role.ORGANISER, Role.MEMBER, Role.GUEST))
LINKED = View(Role.ADMIN, is_linked=True)


def narrow(name: str, query: str, view: View) -> bool:
    return is_narrow(plan_read(OBJECTS[name], parse_parameters(query), OBJECTS), view, OBJECTS)


# ── who is narrowed ──


@pytest.mark.parametrize(
    ("actor", "viewer"),
    [
        (None, None),
        (KEY, None),
        (replace(KEY, is_read_only=True), None),
        (replace(KEY, user_id="me"), None),
        (replace(KEY, user_id="me", resource_id="mine"), Viewer(Role.ADMIN, "me", "mine")),
        (replace(KEY, user_id="me", resource_id=""), Viewer(Role.ADMIN, "me", "")),
        (replace(KEY, user_id="me", role=Role.MEMBER), Viewer(Role.MEMBER, "me", None)),
    ],
)
def test_an_admin_with_all_cards_and_a_key_see_everything(actor: Actor | None, viewer: Viewer | None) -> None:
    assert viewer_of(actor) == viewer


def test_who_is_linked_to_nothing_is_limited_all_the_same() -> None:
    assert Viewer(Role.MEMBER, "me", "").view == View(Role.MEMBER, is_linked=True)
    assert Viewer(Role.MEMBER, "me", None).view == MEMBER


@pytest.mark.parametrize(
    ("name", "query", "narrowed"),
    [
        ("board", "", ()),
        ("board", "with=cards", (LINKED,)),
        ("board", "with=collections.cards.time_tracking", (LINKED, MEMBER, GUEST)),
        ("card", "", (LINKED,)),
        ("card", "filter=time_tracking:has:", (LINKED, MEMBER, GUEST)),
        ("card", "filter=name:eq:x,or,time_tracking.note:eq:x", (LINKED, MEMBER, GUEST)),
        ("time_tracking", "", (LINKED, MEMBER, GUEST)),
        ("user", "with=settings", (ORGANISER, MEMBER, GUEST)),
        ("resource", "with=stages,groups", ()),
    ],
)
def test_a_read_is_narrow_for_whom_it_shows_less(name: str, query: str, narrowed: tuple[View, ...]) -> None:
    assert {view for view in (ADMIN, ORGANISER, MEMBER, GUEST, LINKED) if narrow(name, query, view)} == set(narrowed)


# ── statements ──


@pytest.mark.parametrize("dialect", [SQLITE, POSTGRESQL], ids=lambda dialect: str(dialect.name))
@pytest.mark.parametrize("name", ["card", "collection", "card_relation", "time_tracking"])
def test_a_statement_names_a_viewer_only_for_a_view(name: str, dialect: object) -> None:
    builder = Builder(Tables(ALL), OBJECTS, dialect)  # type: ignore[arg-type]
    read = plan_read(OBJECTS[name], parse_parameters(""), OBJECTS)
    assert "viewer" not in builder.page(read, {}).counted.text
    assert "viewer_resource" in builder.page(read, {}, LINKED).counted.text
    assert "viewer" not in builder.one(OBJECTS[name], (), {})[0].text
    assert "viewer_resource" in builder.one(OBJECTS[name], (), {}, LINKED)[0].text


def test_an_answer_depends_on_the_tables_that_decide_who_sees_it() -> None:
    builder = Builder(Tables(ALL), OBJECTS, SQLITE)
    assert set(builder.one(OBJECTS["checklist"], (), {}, LINKED)[1]) == {"checklist", "card", "card_resource", "collection"}


def test_no_sight_goes_round_in_a_circle() -> None:
    def ways(described: Object, passed: tuple[str, ...]) -> None:
        assert described.name not in passed, passed
        for name in described.sight.through:
            ways(OBJECTS[described.relation[name].to], (*passed, described.name))

    for described in ALL:
        ways(described, ())


# ── descriptions ──

FRIENDS = Link("friends", to="thing", table=LinkTable("thing_friend", "thing_id", "friend_id"), by="thing_id")


@pytest.mark.parametrize(
    ("access", "sentence"),
    [
        ({"allow": Allow(part=Role.MEMBER, parts=("colour",))}, "access names colour, which is no property"),
        ({"allow": Allow(part=Role.MEMBER, parts=("colour.shade",))}, "access names colour.shade, which is no property"),
        ({"allow": Allow(own="user_id")}, "access names user_id, which is no property"),
        ({"sight": Sight(own="user_id")}, "access names user_id, which is no property"),
        ({"sight": Sight(linked="parts")}, "sight goes by parts, which is no link"),
        ({"sight": Sight(through=("friends",))}, "sight goes through friends, which is no reference and no list"),
        ({"sight": Sight(through=("nothing",))}, "sight goes through nothing, which is no reference and no list"),
    ],
)
def test_access_that_names_what_is_not_there_is_a_contradiction(access: Mapping[str, object], sentence: str) -> None:
    relations = (FRIENDS, Many("parts", to="part", by="thing_id"), One("whole", to="thing", by="thing_id"))
    with pytest.raises(ValueError, match=sentence):
        Object(
            name="thing",
            section="base",
            purpose="A thing.",
            fields=(identity(), Ref("thing_id", to="thing")),
            relations=relations,
            **access,  # type: ignore[arg-type]
        )
