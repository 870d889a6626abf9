"""Who may see only the cards of one resource, and only time of their own, sees nothing else anywhere, as if it never was.

A sweep over all lists, with everything that can come along, looks for the mark and for the hidden ids. To see it fail:
leave `visible` out of `related`, `conditions` or `one` in `store/select.py`, or `seen` for `living` in `run.py`.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.client import Client
from tests.contract.test_isolation import ASIDE, ROUTES, UNKNOWN, object_of, parameters, path_with, same
from tests.people import Person, person
from tests.scene import HANGING, Scene, make_scene, secrets_in
from tests.server import OBJECTS, Server
from tests.world import World

from planwerk.describe import LIST, Object, Relation
from planwerk.routes import Route


@pytest.fixture
def scene(world: World) -> Scene:
    return make_scene(world)


@pytest.fixture
def ann(server: Server, scene: Scene) -> Client:
    """An organiser who is limited to the cards of a resource: she may do much, with what she sees."""
    return person(server, scene.world, "organiser", scene.resources["Ann"], "linked").client


# ── nothing shows ──


def paths_from(described: Object, depth: int) -> Iterator[tuple[Relation, ...]]:
    for relation in described.relations:
        if relation.to in OBJECTS:
            yield (relation,)
            if depth > 1:
                yield from ((relation, *rest) for rest in paths_from(OBJECTS[relation.to], depth - 1))


def brought(described: Object, depth: int, at_once: int = 12) -> Iterator[str]:
    """Everything that can come along, some at once."""
    paths = [".".join(relation.name for relation in path) for path in paths_from(described, depth)]
    yield from (",".join(paths[start : start + at_once]) for start in range(0, len(paths), at_once))


def places(scene: Scene, route: Route) -> Iterator[str]:
    """The path of a route with every id of this scene that fits, hidden ones too."""
    names = [name for name in parameters(route) if name not in ASIDE]
    for ids in (scene.seen, scene.hidden, {**scene.hidden, **scene.hidden_in_shared, "collection": scene.shared}):
        known = {"resource": scene.resources["Ann"], "board": scene.board, **ids}
        if all(object_of(route, name) in known for name in names):
            yield path_with(route, {name: known[object_of(route, name)] for name in names})


@pytest.mark.parametrize("name", sorted({route.object.name for route in ROUTES if route.kind == LIST and route.object.name != "schedule"}))
def test_no_list_shows_what_is_hidden(name: str, scene: Scene, ann: Client) -> None:
    for route in (route for route in ROUTES if route.kind == LIST and route.object.name == name and not route.place.narrowing):
        if route.object.allow.read > 3:
            continue
        for path in dict.fromkeys(places(scene, route)):
            for with_ in ("", *brought(route.object, 2)):
                answer = ann.ask("GET", path, with_=with_, archived="true")
                assert answer.status == 200, answer.body
                assert secrets_in(scene, answer.body) == [], (path, with_)


@pytest.mark.parametrize(
    "path",
    [
        "board.collections.cards.comments",
        "stage.board.collections.cards",
        "resource.cards.collection.order",
        "stage.cards.relations.related_card",
    ],
)
def test_nothing_hidden_comes_along_at_any_depth(path: str, scene: Scene, ann: Client) -> None:
    start, _, names = path.partition(".")
    assert secrets_in(scene, scene.api.ask("GET", f"/v1/{start}", with_=names).body) != []
    assert secrets_in(scene, ann.ask("GET", f"/v1/{start}", with_=names).body) == []


@pytest.mark.parametrize("name", HANGING)
def test_what_hangs_on_a_card_of_ones_own_is_seen(name: str, scene: Scene, ann: Client) -> None:
    route = [route for route in ROUTES if route.object.name == name and route.kind == "one"][-1 if name == "checklist" else 0]
    ids = {parameter: scene.seen[object_of(route, parameter)] for parameter in parameters(route)}
    assert ann.get(path_with(route, ids))["id"] == scene.seen[name]
    lists = path_with(route, ids).rpartition("/")[0]
    assert scene.seen[name] in ann.ids(lists)
    assert len(ann.ids(lists)) == ann.get(lists)["count"]


def test_totals_count_what_is_seen(scene: Scene, ann: Client) -> None:
    counts = {path: (ann.get(path)["count"], scene.api.get(path)["count"]) for path in ("/v1/card", "/v1/collection", "/v1/order")}
    assert counts == {"/v1/card": (2, 4), "/v1/collection": (1, 2), "/v1/order": (1, 2)}


# ── a filter does not tell ──


@pytest.mark.parametrize(
    "name", sorted({route.object.name for route in ROUTES if route.kind == LIST} & {"board", "stage", "resource", *HANGING})
)
def test_a_filter_does_not_tell_of_what_is_hidden(name: str, scene: Scene, ann: Client) -> None:
    described = OBJECTS[name]
    route = next(route for route in ROUTES if route.object is described and route.kind == LIST)
    path = next(places(scene, route))
    for relation in described.relations:
        if relation.to in HANGING:
            id = scene.hidden[relation.to]
            for text in (f"{relation.name}:has:{id}", f"{relation.name}.id:eq:{id}"):
                assert ann.get(path, filter=text)["count"] == 0, text
            all_of_them = ann.get(path)["count"]
            assert ann.get(path, filter=f"{relation.name}:not:has:{id}")["count"] == all_of_them, relation.name


def test_a_filter_counts_what_is_seen(scene: Scene, ann: Client) -> None:
    assert scene.api.ids("/v1/collection", filter="cards:has:3") == [scene.shared]
    assert ann.ids("/v1/collection", filter="cards:has:2") == [scene.shared]
    assert ann.ids("/v1/collection", filter="cards:has:3") == []


# ── ids in paths and bodies ──


def below(route: Route) -> dict[str, str]:
    """The parameters of a path that name something that may be hidden, with the object each names."""
    named = {parameter: object_of(route, parameter) for parameter in parameters(route)}
    return {parameter: name for parameter, name in named.items() if name in HANGING}


WRITTEN = [route for route in ROUTES if route.kind != LIST and below(route)]


def asked(scene: Scene, route: Route) -> Any:
    """A body that a route takes."""
    if route.method not in ("POST", "PUT"):
        return b""
    fields = route.action.body if route.action else route.object.writable if route.kind == "create" else ()
    return {field.name: scene.world.value(field) for field in fields if field.required and field.name not in below(route)}


@pytest.mark.parametrize("name", sorted({route.object.name for route in WRITTEN}))
def test_a_hidden_id_in_a_path_is_like_one_that_never_existed(name: str, server: Server, scene: Scene, ann: Client) -> None:
    before = server.rows(scene.world.environment_id)
    for route in (route for route in WRITTEN if route.object.name == name):
        named = below(route)
        others = {parameter: scene.board if parameter == "board_id" else UNKNOWN for parameter in parameters(route)}
        for parameter, what in named.items():
            hidden = scene.hidden if parameter == "collection_id" or "collection_id" not in named else scene.hidden_in_shared
            ids = {**others, **{other: scene.seen[object] for other, object in named.items()}}
            paths = [path_with(route, {**ids, parameter: id}) for id in (UNKNOWN, hidden[what])]
            answers = [ann.ask(route.method, path, asked(scene, route)) for path in paths]
            assert same(*answers), (route.method, route.path, parameter, answers)
            assert answers[0].status == 404, (route.method, route.path, parameter, answers[0].body)
    assert server.rows(scene.world.environment_id) == before


BODIES: dict[str, tuple[str, str, str, dict[str, Any]]] = {  # what → method, path, the hidden object, body
    "time": ("POST", "/v1/time_tracking", "card", {"card_id": "?", "start": "2026-03-02T08:00:00Z"}),
    "relation": ("POST", "/v1/card_relation", "card", {"card_id": "{card}", "related_card_id": "?"}),
    "relation of a card": ("PUT", "/v1/collection/{collection}/card/{card}", "card", {"relations": [{"related_card_id": "?"}]}),
    "comment": ("POST", "/v1/collection/{collection}/comment", "card", {"text": "x", "card_id": "?"}),
    "attachment": ("POST", "/v1/collection/{collection}/attachment", "card", {"file": "https://example.com/x", "card_id": "?"}),
    "sub card": ("PUT", "/v1/collection/{collection}/card/{card}", "card", {"parent_card_id": "?"}),
    "nested card": ("PUT", "/v1/collection/{collection}", "card", {"cards": [{"id": "?", "name": "mine now"}]}),
    "order": ("POST", "/v1/order", "collection", {"code": "x", "collection_id": "?"}),
    "supply": ("PUT", "/v1/order/{order}", "order_row", {"supplies_order_rows": [{"id": "?"}]}),
    "rank": ("PUT", "/v1/collection/{collection}/card/{card}/rank", "card", {"before": "?"}),
    "backlog": ("PUT", "/v1/collection/{collection}/backlog", "collection", {"related_collections": ["?"]}),
}


def filled(value: Any, id: str) -> Any:
    if isinstance(value, dict):
        return {name: filled(inner, id) for name, inner in value.items()}
    return [filled(inner, id) for inner in value] if isinstance(value, list) else id if value == "?" else value


@pytest.mark.parametrize("what", BODIES)
def test_a_hidden_id_in_a_body_is_like_one_that_never_existed(what: str, server: Server, scene: Scene, ann: Client) -> None:
    method, path, name, body = BODIES[what]
    body = {key: scene.seen["card"] if value == "{card}" else value for key, value in body.items()}
    before = server.rows(scene.world.environment_id)
    ids = (UNKNOWN, *{ids[name] for ids in (scene.hidden, scene.hidden_in_shared) if name in ids})
    first, *others = (ann.ask(method, path.format_map(scene.seen), filled(body, id)) for id in ids)
    assert first.status == 422, first.body
    assert others
    assert all(same(first, answer) for answer in others), (first, others)
    assert server.rows(scene.world.environment_id) == before


# ── writes and their answers ──


def test_what_a_list_leaves_out_stays_if_it_is_hidden(scene: Scene, ann: Client) -> None:
    ann.put(f"/v1/collection/{scene.shared}", {"cards": []})
    assert scene.api.ids(f"/v1/collection/{scene.shared}/card") == [scene.hidden_in_shared["card"]]


def test_relations_to_hidden_cards_stay(scene: Scene, ann: Client) -> None:
    ann.put(f"/v1/collection/{scene.shared}/card/{scene.seen['card']}", {"relations": []})
    assert set(scene.api.ids("/v1/card_relation")) == {scene.hidden["card_relation"], scene.hidden_in_shared["card_relation"]}


def test_the_answer_to_a_write_shows_nothing_hidden(scene: Scene, ann: Client) -> None:
    names = "cards,cards.comments,comments,attachments,checklists"
    answer = ann.ask("PUT", f"/v1/collection/{scene.shared}", {"description": "new"}, with_=names)
    assert answer.status == 200
    assert secrets_in(scene, answer.body) == []
    assert scene.seen["card"].encode() in answer.body


def test_a_card_that_is_given_away_is_answered_once_more(scene: Scene, ann: Client) -> None:
    path = f"/v1/collection/{scene.shared}/card/{scene.seen['card']}"
    answer = ann.put(path, {"resources": [{"id": scene.resources["Bob"]}]}, with_="resources,comments")
    assert [resource["name"] for resource in answer["resources"]] == ["Bob"]
    assert ann.refused("GET", path) == (404, [10004])


# ── whose time it is ──


def entry_of(scene: Scene, who: Person) -> str:
    body = {"card_id": scene.seen["card"], "start": "2026-03-02T08:00:00Z", "duration": 30, "note": "mine"}
    entry: dict[str, Any] = who.client.post("/v1/time_tracking", body)
    assert entry["user_id"] == who.id
    return str(entry["id"])


def test_a_member_sees_only_time_of_their_own(server: Server, scene: Scene) -> None:
    member = person(server, scene.world, "member")
    mine, card = entry_of(scene, member), f"/v1/collection/{scene.shared}/card/{scene.seen['card']}"
    assert member.client.ids("/v1/time_tracking") == [mine]
    assert [entry["id"] for entry in member.client.get(card, with_="time_tracking")["time_tracking"]] == [mine]
    assert member.client.get(f"/v1/time_tracking/{mine}")["id"] == mine
    for method, path in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/stop")):
        body = {"note": "x"} if method == "PUT" else b""
        assert member.client.refused(method, f"/v1/time_tracking/{scene.seen['time_tracking']}{path}", body) == (404, [10004])
    assert member.client.get("/v1/card", filter=f"time_tracking:has:{scene.seen['time_tracking']}")["count"] == 0
    assert member.client.get("/v1/card", filter="time_tracking:has:")["count"] == 1
    assert member.client.get("/v1/time_tracking/export")["total"] == 30


@pytest.mark.parametrize("role", ["organiser", "manager", "admin"])
def test_organisers_see_everybodys_time(role: str, server: Server, scene: Scene) -> None:
    client = person(server, scene.world, role).client
    assert client.get("/v1/time_tracking")["count"] == scene.api.get("/v1/time_tracking")["count"] > 2


def test_a_guest_sees_no_time_at_all(server: Server, scene: Scene) -> None:
    """Not even their own, of when they were a member."""
    guest = person(server, scene.world, "guest")
    card = scene.seen["card"]
    scene.api.post("/v1/time_tracking", {"card_id": card, "start": "2026-03-02T08:00:00Z", "duration": 5, "user_id": guest.id})
    assert guest.client.refused("GET", "/v1/time_tracking") == (403, [10003])
    cards = guest.client.get("/v1/card", with_="time_tracking")["data"]
    assert card in [item["id"] for item in cards]
    assert all(item["time_tracking"] == [] for item in cards)
    assert guest.client.get("/v1/card", filter="time_tracking:has:")["count"] == 0


def test_an_export_holds_time_on_cards_that_are_seen(scene: Scene, ann: Client) -> None:
    assert ann.get("/v1/time_tracking/export")["total"] == 60 * ann.get("/v1/time_tracking")["count"] == 120
    assert secrets_in(scene, ann.ask("GET", "/v1/time_tracking/export", group_by="collections").body) == []


def test_time_on_a_card_that_is_gone_is_still_ones_own(server: Server, scene: Scene) -> None:
    member = person(server, scene.world, "member", scene.resources["Ann"], "linked")
    mine = entry_of(scene, member)
    scene.api.delete(f"/v1/collection/{scene.shared}/card/{scene.seen['card']}")
    assert member.client.ids("/v1/time_tracking") == [mine]


# ── who sees what ──


def test_who_is_linked_to_no_resource_sees_no_cards(server: Server, scene: Scene) -> None:
    nobody = person(server, scene.world, "member", None, "linked").client
    for path in ("/v1/card", "/v1/collection", "/v1/order", "/v1/card_relation", "/v1/time_tracking"):
        assert nobody.get(path)["count"] == 0


def test_who_was_a_resource_that_is_deleted_sees_no_cards(server: Server, scene: Scene) -> None:
    """To see it fail: leave `follow_resources` out of catalog/user.py."""
    ann, bob = (person(server, scene.world, "member", scene.resources[name], "linked") for name in ("Ann", "Bob"))
    before = ann.client.get("/v1/card")["count"], bob.client.get("/v1/card")["count"]
    scene.api.delete(f"/v1/resource/{scene.resources['Ann']}")
    server.app.api.callers.tokens.known.clear()  # on PostgreSQL a user is remembered for a second
    assert min(before) > 0
    assert [who.client.get("/v1/card")["count"] for who in (ann, bob)] == [0, before[1]]
    user = scene.api.get(f"/v1/user/{ann.id}", with_="resource")
    assert (user["resource_id"], user["resource"]) == (None, None)
    assert scene.api.get(f"/v1/user/{bob.id}")["resource_id"] == scene.resources["Bob"]


def test_callers_who_see_different_things_never_get_each_others_answers(server: Server, scene: Scene) -> None:
    """Again and again the same requests: the second time around they are answered from what is remembered."""
    people = {
        "key": (scene.api, 4),
        "ann": (person(server, scene.world, "member", scene.resources["Ann"], "linked").client, 2),
        "bob": (person(server, scene.world, "member", scene.resources["Bob"], "linked").client, 2),
        "nobody": (person(server, scene.world, "member", None, "linked").client, 0),
        "all": (person(server, scene.world, "member").client, 4),
    }
    board = f"/v1/board/{scene.board}"
    for _ in range(3):
        for name, (client, count) in people.items():
            page = client.get("/v1/card", limit=1)
            assert (page["count"], len(client.ids("/v1/card"))) == (count, count), name
            assert len(client.get(board, with_="cards")["cards"]) == count, name
    ids = {name: set(client.ids("/v1/card")) for name, (client, _) in people.items()}
    assert ids["ann"] | ids["bob"] == ids["key"] == ids["all"]
    assert not ids["ann"] & ids["bob"]


def test_what_is_assigned_later_is_seen_at_once(scene: Scene, ann: Client) -> None:
    path = f"/v1/collection/{scene.hidden['collection']}/card/{scene.hidden['card']}"
    assert ann.refused("GET", path) == (404, [10004])
    assert ann.get("/v1/card")["count"] == 2
    scene.api.put(f"{path}/resource/{scene.resources['Ann']}", expect=204)
    assert ann.get(path)["id"] == scene.hidden["card"]
    assert ann.get("/v1/card")["count"] == 3


def test_the_preferences_of_others_are_their_own(server: Server, world: World) -> None:
    member = person(server, world, "member")
    other = person(server, world, "member")
    world.client.put(f"/v1/user/{member.id}", {"settings": [{"name": "theme", "value": "dark"}]})
    assert [setting["name"] for setting in member.client.get(f"/v1/user/{member.id}", with_="settings")["settings"]] == ["theme"]
    assert other.client.get(f"/v1/user/{member.id}", with_="settings")["settings"] == []
