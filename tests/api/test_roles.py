"""What a role may change of a row: which properties, whose rows, which links; and that a refused write leaves nothing behind.

To see it fail: leave `permit_change`, `permit_create`, `permit_delete` or `permit_links` out of `run.py`, one at a time.
"""

from typing import Any

import pytest
from tests.client import Client
from tests.people import Person, person
from tests.server import Server
from tests.world import World

ROLES = ("guest", "member", "organiser", "manager", "admin")
COLLECTION, CARD = "/v1/collection/{collection}", "/v1/collection/{collection}/card/{card}"
CHECKLIST = "/v1/collection/{collection}/checklist/{checklist}"


@pytest.fixture
def shop(world: World) -> World:
    """A board with a card that has something of everything."""
    fields = [{"name": "Wood", "type": "text", "scope": "card"}]
    board: dict[str, Any] = {"name": "Shop", "custom_fields": fields, "labels": [{"name": "Hot"}, {"name": "Cold"}]}
    board |= {"stages": [{"name": "Saw"}], "statuses": [{"name": "New", "entry": True}, {"name": "Done", "exit": True}]}
    made = world.client.post("/v1/board", board, with_="labels,statuses")
    world.ids |= {"board": made["id"], "label": made["labels"][0]["id"], "other_label": made["labels"][1]["id"]}
    world.ids |= {"done": next(status["id"] for status in made["statuses"] if status["name"] == "Done")}
    world.ids["collection"] = world.client.post("/v1/collection", {"name": "Table", "board_id": made["id"]})["id"]
    items = [{"description": "oak"}, {"description": "glue"}]
    card: dict[str, Any] = {"name": "Saw it", "custom_fields": [{"name": "Wood", "value": "oak"}], "labels": [{"id": world.ids["label"]}]}
    card |= {"time": 90, "start_date": "2026-03-02", "end_date": "2026-03-03", "checklists": [{"name": "Tools", "items": items}]}
    world.ids["card"] = world.client.post(path(world, f"{COLLECTION}/card"), card)["id"]
    world.ids["checklist"] = world.client.post(path(world, f"{COLLECTION}/checklist"), {"name": "List", "items": items})["id"]
    return world


def path(world: World, template: str) -> str:
    return template.format_map(world.ids)


def as_(server: Server, world: World, role: str) -> Client:
    return person(server, world, role).client


def refused(client: Client, method: str, path: str, body: Any = b"") -> Any:
    """The property that a 403 names."""
    answer = client.ask(method, path, body)
    assert (answer.status, answer.codes) == (403, [10003]), answer.body
    return answer.faults[0][0]


# ── properties ──

WHOLE_CARD = "labels,resources,activities,followers,checklists,relations"
CARD_CHANGES: list[tuple[dict[str, Any], str, str | None]] = [  # body, the least role, the property that is named to the others
    ({"status_id": "{done}"}, "member", None),
    ({"custom_fields": [{"name": "Wood", "value": "ash"}]}, "member", None),
    ({"name": "Mine"}, "organiser", "name"),
    ({"start_date": "2026-03-03"}, "organiser", "start_date"),
    ({"status_id": "{done}", "time": 5}, "organiser", "time"),
    ({"description": "x", "status_id": "{done}"}, "organiser", "description"),
    ({"labels": []}, "organiser", "labels"),
    ({"labels": [{"id": "{label}"}, {"id": "{other_label}"}]}, "organiser", "labels"),
    ({"checklists": [{"name": "New"}]}, "organiser", "checklists[0]"),
    ({"checklists": []}, "organiser", None),
    ({"comments": [{"text": "no way in"}]}, "member", None),
]


def filled(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: filled(inner, ids) for name, inner in value.items()}
    return (
        [filled(inner, ids) for inner in value] if isinstance(value, list) else value.format_map(ids) if isinstance(value, str) else value
    )


@pytest.mark.parametrize("change", CARD_CHANGES, ids=lambda change: "-".join(change[0]))
def test_a_member_changes_of_a_card_what_its_work_is_and_no_more(change: Any, server: Server, shop: World) -> None:
    body, least, named = filled(change[0], shop.ids), change[1], change[2]
    for role in ROLES[1:]:
        who = as_(server, shop, role)
        before = server.rows(shop.environment_id)
        if ROLES.index(role) >= ROLES.index(least):
            who.put(path(shop, CARD), body)
        else:
            assert refused(who, "PUT", path(shop, CARD), body) == named
            assert server.rows(shop.environment_id) == before


@pytest.mark.parametrize("role", ["member", "organiser"])
def test_a_card_sent_back_as_it_was_read_is_no_change(role: str, server: Server, shop: World) -> None:
    who = as_(server, shop, role)
    read = who.get(path(shop, CARD), with_=WHOLE_CARD)
    answer = who.put(path(shop, CARD), read, with_=WHOLE_CARD)
    assert answer == read
    done = who.put(path(shop, CARD), {**read, "status_id": shop.ids["done"]}, with_=WHOLE_CARD)
    assert done["status_id"] == shop.ids["done"] != read["status_id"]
    assert done["completed_at"] is not None  # what follows from a change is nobody's change


def test_a_member_changes_one_custom_field_by_its_name(server: Server, shop: World) -> None:
    who, name = as_(server, shop, "member"), path(shop, f"{CARD}/custom_fields/Wood")
    assert who.put(name, {"value": "elm"})["custom_fields"][0]["value"] == "elm"
    assert refused(as_(server, shop, "guest"), "PUT", name, {"value": "fir"}) is None


@pytest.mark.parametrize(
    ("change", "is_allowed"),
    [
        ([{"checked": True}, {}], True),
        ([{"checked": True}, {"checked": True}], True),
        ([{"description": "x"}, {}], False),
        ([{"checked": True, "description": "x"}, {}], False),
        ([{}], False),
        ([{}, {}, {"description": "new"}], False),
    ],
)
def test_a_member_ticks_off_a_checklist_and_writes_none(change: Any, is_allowed: bool, server: Server, shop: World) -> None:
    who, place = as_(server, shop, "member"), path(shop, CHECKLIST)
    items = who.get(place)["items"]
    new = [{**(items[index] if index < len(items) else {}), **given} for index, given in enumerate(change)]
    if is_allowed:
        assert [item["checked"] for item in who.put(place, {"items": new})["items"]] == [bool(given.get("checked")) for given in change]
    else:
        assert refused(who, "PUT", place, {"items": new}) == "items"
        assert who.get(place)["items"] == items


def test_a_nested_checklist_is_judged_like_one_by_itself(server: Server, shop: World) -> None:
    who, place = as_(server, shop, "member"), path(shop, CARD)
    (checklist,) = who.get(place, with_="checklists")["checklists"]
    first, second = checklist["items"]
    ticked = {**checklist, "items": [{**first, "checked": True}, second]}
    assert who.put(place, {"checklists": [ticked]}, with_="checklists")["checklists"][0]["items"][0]["checked"] is True
    assert refused(who, "PUT", place, {"checklists": [{**ticked, "name": "Mine"}]}) == "checklists[0].name"


def test_what_is_nested_needs_the_role_for_it(server: Server, shop: World) -> None:
    """An organiser writes orders, but makes no activities and no stages, wherever they stand in a body."""
    who = as_(server, shop, "organiser")
    assert refused(who, "PUT", path(shop, "/v1/board/{board}"), {"stages": [{"name": "Paint"}]}) == "stages[0]"
    assert (
        refused(who, "POST", "/v1/order", {"code": "1", "order_rows": [{"activity": {"description": "Paint"}}]}) == "order_rows[0].activity"
    )
    assert who.post("/v1/order", {"code": "1", "item": {"code": "oak"}, "relation": {"name": "Jo"}})["code"] == "1"


# ── what is a user's own ──


def made(server: Server, shop: World, who: Person) -> dict[str, str]:
    """The paths of a comment and an attachment that somebody made."""
    comment = who.client.post(path(shop, f"{COLLECTION}/comment"), {"text": "Well done"})
    file = who.client.post(path(shop, f"{COLLECTION}/attachment"), {"file": "https://example.com/a.pdf"})
    assert (comment["user_id"], file["user_id"]) == (who.id, who.id)
    return {name: path(shop, f"{COLLECTION}/{name}/{id}") for name, id in (("comment", comment["id"]), ("attachment", file["id"]))}


@pytest.mark.parametrize(
    ("name", "body", "overseer"), [("comment", {"text": "x"}, "manager"), ("attachment", {"filename": "x"}, "organiser")]
)
def test_what_a_user_made_is_changed_by_that_user_or_by_who_oversees(
    name: str, body: Any, overseer: str, server: Server, shop: World
) -> None:
    author = person(server, shop, "member")
    place = made(server, shop, author)[name]
    for role in ROLES:
        who = as_(server, shop, role)
        if ROLES.index(role) >= ROLES.index(overseer):
            who.put(place, body)
        else:
            refused(who, "DELETE", place)
            refused(who, "PUT", place, {**body, "external_ref": "x"} if name == "attachment" else {"text": "no"})
    author.client.put(place, body)
    author.client.delete(place)


def test_a_guest_takes_back_a_comment_and_writes_none_for_others(server: Server, shop: World) -> None:
    guest, other = person(server, shop, "guest"), person(server, shop, "guest")
    place = path(shop, f"{COLLECTION}/comment")
    mine = guest.client.post(place, {"text": "Nice"})
    assert refused(guest.client, "POST", place, {"text": "I said", "user_id": other.id}) == "user_id"
    assert refused(guest.client, "PUT", f"{place}/{mine['id']}", {"user_id": other.id}) == "user_id"
    guest.client.delete(f"{place}/{mine['id']}")


def test_a_key_writes_in_the_name_of_any_user(server: Server, shop: World) -> None:
    user = person(server, shop, "guest")
    comment = shop.client.post(path(shop, f"{COLLECTION}/comment"), {"text": "Hello", "user_id": user.id})
    assert comment["user_id"] == user.id
    assert shop.client.post(path(shop, f"{COLLECTION}/comment"), {"text": "Hello"})["user_id"] is None


def test_a_member_keeps_views_of_a_board_and_leaves_the_rest_of_it_alone(server: Server, shop: World) -> None:
    board, member = path(shop, "/v1/board/{board}"), person(server, shop, "member")
    (mine,) = member.client.put(board, {"board_views": [{"name": "My week"}]}, with_="board_views")["board_views"]
    assert mine["user_id"] == member.id
    member.client.put(board, {"board_views": [{"id": mine["id"], "name": "Week"}]})
    other = as_(server, shop, "member")
    assert refused(other, "PUT", board, {"board_views": [{"id": mine["id"], "name": "Mine"}]}) == "board_views[0].name"
    assert refused(other, "PUT", board, {"board_views": [{"name": "For all", "user_id": None}]}) == "board_views[0].user_id"
    assert refused(member.client, "PUT", board, {"name": "Mine"}) == "name"
    assert refused(member.client, "POST", f"{board}/archive") is None
    assert refused(as_(server, shop, "guest"), "PUT", board, {"board_views": [{"name": "x"}]}) is None


# ── links ──


@pytest.mark.parametrize("template", [COLLECTION, CARD])
@pytest.mark.parametrize("role", ROLES)
def test_anybody_follows_and_only_organisers_make_others_follow(role: str, template: str, server: Server, shop: World) -> None:
    who, other = person(server, shop, role), person(server, shop, "guest")
    place = path(shop, template)
    who.client.put(f"{place}/follower/{who.id}", expect=204)
    assert [user["id"] for user in shop.client.get(place, with_="followers")["followers"]] == [who.id]
    if role in ROLES[2:]:
        who.client.put(f"{place}/follower/{other.id}", expect=204)
        who.client.delete(f"{place}/follower/{other.id}")
    else:
        assert refused(who.client, "PUT", f"{place}/follower/{other.id}") == "followers"
        shop.client.put(f"{place}/follower/{other.id}", expect=204)
        assert refused(who.client, "DELETE", f"{place}/follower/{other.id}") == "followers"
    who.client.delete(f"{place}/follower/{who.id}")


def test_a_member_follows_in_a_body_too_and_makes_nobody_else_follow(server: Server, shop: World) -> None:
    who, other, place = person(server, shop, "member"), person(server, shop, "member"), path(shop, CARD)
    who.client.put(place, {"followers": [{"id": who.id}]})
    assert refused(who.client, "PUT", place, {"followers": [{"id": who.id}, {"id": other.id}]}) == "followers"
    assert refused(other.client, "PUT", place, {"followers": []}) == "followers"
    who.client.put(place, {"followers": []})


def test_a_refused_request_with_an_idempotency_key_is_not_remembered_as_done(server: Server, shop: World) -> None:
    who = as_(server, shop, "member")
    for _ in range(2):
        answer = who.ask("POST", path(shop, f"{COLLECTION}/card"), {"name": "x"}, headers={"idempotency-key": "again"})
        assert (answer.status, answer.codes) == (403, [10003])
    assert server.count(shop.environment_id, "card") == 1


# ── what follows ──


def test_what_the_server_writes_by_itself_is_not_judged(server: Server, shop: World) -> None:
    """A member's change of a status lets the server write what follows from it, in objects that a member may not write."""
    who = as_(server, shop, "member")
    who.put(path(shop, CARD), {"status_id": shop.ids["done"]})
    assert shop.client.get(path(shop, COLLECTION))["progress"] == "done"
