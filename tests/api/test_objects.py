"""Every object with a place can be created, read, found, changed and deleted; generated from the catalog.

To see it fail: forget a property in `store/transaction.py:document_of`, leave the condition on `deleted_at` out of
`store/select.py`, or refuse a read-only property in `query/body.py`.
"""

import re
from typing import Any

import pytest
from tests.client import Client
from tests.server import OBJECTS
from tests.world import CREATED, MADE, PLACED, World, place_of

from planwerk.describe import DELETE, LIST, ONE, UPDATE, Object, Place
from planwerk.fields import Boolean, Field, Integer, Json, Number, Text

EACH = pytest.mark.parametrize("described", CREATED, ids=lambda described: described.name)
CHANGED = [(described, place) for described in PLACED for place in described.places if UPDATE in place.operations]
EACH_CHANGED = pytest.mark.parametrize(
    ("described", "place"), CHANGED, ids=lambda value: value.path if isinstance(value, Place) else value.name
)
LISTED = [
    (described, place) for described in PLACED if described.name not in MADE for place in described.places if LIST in place.operations
]
EACH_LISTED = pytest.mark.parametrize(
    ("described", "place"), LISTED, ids=lambda value: value.path if isinstance(value, Place) else value.name
)
FILLED = {("schedule_deviation", "start_date"), ("schedule_deviation", "end_date")}  # null there stands for the other date
CLIENT_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"


def shown(described: Object, body: dict[str, Any]) -> dict[str, Any]:
    """What of a body must come back as it was sent."""
    names = {field.name for field in described.shown if not isinstance(field, Json)} - set(described.pictures)
    return {name: value for name, value in body.items() if name in names and name != "fullname"}


def lasting(described: Object, made: dict[str, Any]) -> dict[str, Any]:
    """What of the answer to a create later answers hold, too: not what it shows once."""
    once = {field.name for field in described.reveals}
    return {name: value for name, value in made.items() if name not in once}


@EACH
def test_what_is_sent_comes_back(described: Object, world: World, api: Client) -> None:
    body = world.body(described)
    made = api.post(world.path(place_of(described)), body)
    assert {name: made[name] for name in shown(described, body)} == shown(described, body)


@EACH
def test_the_id_passes_the_pattern_that_clients_check(described: Object, world: World, api: Client) -> None:
    assert re.fullmatch(CLIENT_ID, world.make(described)["id"])


@EACH
def test_what_was_created_is_read_as_it_was_answered(described: Object, world: World, api: Client) -> None:
    made = lasting(described, world.make(described))
    read = api.get(f"{world.path(place_of(described, ONE))}/{made['id']}")
    assert {name: read[name] for name in made} == made


@EACH
def test_an_empty_body_is_no_fault_unless_something_is_required(described: Object, world: World, api: Client) -> None:
    place = place_of(described)
    answer = api.ask("POST", world.path(place), {})
    required = {field.name for field in described.writable if field.required} - {*place.parameters, *place.fixed}
    assert answer.status in (201, 422)
    if required:
        assert {name for name, _ in answer.faults} == required


@EACH_LISTED
def test_a_list_holds_what_was_created(described: Object, place: Place, world: World, api: Client) -> None:
    mine = world.id(described.name)
    row = world.server.database.write_now(world.environment_id, lambda tx: tx.get(described, mine))
    assert row is not None
    expected = {**place.fixed, **{name: world.id(name.removesuffix("_id")) for name in place.parameters}}
    is_here = all(row[name] == value for name, value in expected.items())
    found = api.get(world.path(place))
    assert [item["id"] for item in found["data"]].count(mine) == (1 if is_here else 0)
    assert found["count"] == len(found["data"])


@EACH_LISTED
def test_a_list_can_be_filtered_by_every_property(described: Object, place: Place, world: World, api: Client) -> None:
    world.id(described.name)
    listed = api.get(world.path(place))["data"]
    for field in described.shown:
        if isinstance(field, Json) or not listed or field.name == "last_used_at":  # of a key: asking moves it
            continue
        value = listed[0][field.name]
        expected = [item["id"] for item in listed if item[field.name] == value]
        assert api.ids(world.path(place), filter=f"{field.name}:eq:{written(value)}") == expected, field.name
        rest = [item["id"] for item in listed if item[field.name] != value]
        assert api.ids(world.path(place), filter=f"{field.name}:not:eq:{written(value)}") == rest, field.name


@EACH_LISTED
def test_a_list_can_be_sorted_by_every_property_with_one_value(described: Object, place: Place, world: World, api: Client) -> None:
    world.id(described.name)
    for field in described.shown:
        if not isinstance(field, Json):
            both = [api.ids(world.path(place), sort=f"{field.name}:{way}") for way in ("asc", "desc")]
            assert sorted(both[0]) == sorted(both[1]), field.name


@EACH_LISTED
def test_every_relation_can_come_along(described: Object, place: Place, world: World, api: Client) -> None:
    world.id(described.name)
    names = [relation.name for relation in described.relations if relation.to in OBJECTS]
    for item in api.get(world.path(place), with_=",".join(names))["data"]:
        assert set(names) <= set(item)


def written(value: Any) -> str:
    """A value as a filter spells it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value) if isinstance(value, int | float) else "'" + value.replace("'", "''") + "'"


@EACH_CHANGED
def test_what_was_read_can_be_sent_back(described: Object, place: Place, world: World, api: Client) -> None:
    made = api.post(world.path(place), world.body(described, place))
    path = f"{world.path(place)}/{made['id']}"
    read = api.get(path)
    assert without_times(api.put(path, read)) == without_times(read)


def without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_times(inner) for name, inner in value.items() if name not in ("updated_at", "avatar")}
    return [without_times(item) for item in value] if isinstance(value, list) else value


@EACH_CHANGED
def test_each_property_can_be_changed_alone(described: Object, place: Place, world: World, api: Client) -> None:
    made = lasting(described, api.post(world.path(place), world.body(described, place)))
    path = f"{world.path(place)}/{made['id']}"
    for name, value in shown(described, world.body(described, place)).items():
        new = api.put(path, {name: value})
        assert new[name] == value, name
        kept = set(made) - {name, "updated_at", "fullname", *following(described, name)}
        assert {key: new[key] for key in kept} == {key: made[key] for key in kept}, name
        made = new


FOLLOWING = {
    ("webhook", "active"): {"can_send"},
    ("schedule_deviation", "type"): {"icon", "color"},
    ("card", "time"): {"time_remaining"},
}


def following(described: Object, name: str) -> set[str]:
    """Properties that the server derives from another one."""
    return FOLLOWING.get((described.name, name), set())


@EACH_CHANGED
def test_null_clears_every_property_that_takes_null(described: Object, place: Place, world: World, api: Client) -> None:
    made = api.post(world.path(place), world.body(described, place))
    path = f"{world.path(place)}/{made['id']}"
    for field in described.writable:
        if field.name in {*place.parameters, *place.fixed} or not field.is_shown:
            continue
        answer = api.ask("PUT", path, {field.name: None})
        assert answer.status == (200 if field.takes_null else 422), field.name
        assert answer.status == 422 or answer.json[field.name] is None or (described.name, field.name) in FILLED, field.name


@EACH_CHANGED
def test_an_empty_text_is_null_where_no_text_is_kept(described: Object, place: Place, world: World, api: Client) -> None:
    made = api.post(world.path(place), world.body(described, place))
    path = f"{world.path(place)}/{made['id']}"
    for field in described.writable:
        if field.name in {*place.parameters, *place.fixed, *described.pictures} or not field.is_shown or not field.blank_is_null:
            continue
        answer = api.ask("PUT", path, {field.name: ""})
        assert answer.status == (200 if field.takes_null else 422), field.name
        assert answer.status == 422 or answer.json[field.name] is None or (described.name, field.name) in FILLED, field.name


@EACH_CHANGED
def test_a_read_only_property_is_ignored(described: Object, place: Place, world: World, api: Client) -> None:
    made = lasting(described, api.post(world.path(place), world.body(described, place)))
    path = f"{world.path(place)}/{made['id']}"
    body = {field.name: "not to be taken" for field in described.fields if field.read_only}
    assert api.put(path, body) == made


def wrong_values(field: Field) -> list[Any]:
    """Values of every JSON type that a property does not take."""
    wrong: list[Any] = [True, 1.5, "¿", [True], {"?": True}, 2**63, -(2**63), "\x00"]
    if isinstance(field, Boolean):
        wrong = wrong[1:]
    if isinstance(field, Number):
        wrong = [value for value in wrong if not isinstance(value, float)]
    if isinstance(field, Text) and not field.pattern:
        wrong = [value for value in wrong if value != "¿"] + ["x" * (field.max + 1)]
    if isinstance(field, Integer | Number):
        wrong += [field.min - 1, field.max + 1]
    return [value for value in wrong if not is_taken(field, value)]


def is_taken(field: Field, value: Any) -> bool:
    """Free JSON takes nearly everything; only there a wrong value may be right."""
    return (
        isinstance(field, Json)
        and (isinstance(value, list | dict) or type(field).__name__ == "Anything")
        and value not in (2**63, -(2**63))
    )


@EACH
def test_a_wrong_value_is_refused_and_names_its_property(described: Object, world: World, api: Client) -> None:
    place = place_of(described)
    body = {name: value for name, value in world.body(described).items() if name not in described.pictures}
    path, before = world.path(place), world.server.rows(world.environment_id)
    for field in described.writable:
        if field.name in {*place.parameters, *place.fixed, *described.pictures}:
            continue
        for value in wrong_values(field):
            answer = api.ask("POST", path, {**body, field.name: value})
            assert answer.status == 422, (field.name, value, answer.body)
            assert any((name or "").startswith(field.name) for name, _ in answer.faults), (field.name, value)
    assert world.server.rows(world.environment_id) == before


@EACH
def test_all_faults_come_in_one_answer(described: Object, world: World, api: Client) -> None:
    place = place_of(described)
    taken = {*place.parameters, *place.fixed, *described.pictures}
    names = {field.name for field in described.writable if field.name not in taken and not isinstance(field, Json)}
    body = {name: {"no": "value"} for name in names}
    assert {name for name, _ in api.ask("POST", world.path(place), body).faults} == names


@EACH
def test_what_is_deleted_is_gone_from_everywhere(described: Object, world: World, api: Client) -> None:
    place = place_of(described, DELETE)
    path = f"{world.path(place)}/{world.id(described.name)}"
    api.delete(path)
    assert api.refused("GET", path) == (404, [10004])
    assert api.refused("DELETE", path) == (404, [10004])
    if UPDATE in place.operations:
        assert api.refused("PUT", path, {}) == (404, [10004])
    for listed in described.places:
        assert world.id(described.name) not in api.ids(world.path(listed))


@EACH
def test_what_is_deleted_frees_its_unique_keys(described: Object, world: World, api: Client) -> None:
    settable = {field.name for field in described.writable}
    if not any(settable.issuperset(key) for key in described.unique):
        pytest.skip("has no unique key that a body sets")
    place = place_of(described)
    body = world.body(described)
    made = api.post(world.path(place), body)
    assert api.refused("POST", world.path(place), body) == (422, [10008])
    api.delete(f"{world.path(place_of(described, DELETE))}/{made['id']}")
    assert api.post(world.path(place), body)["id"] != made["id"]


@EACH
def test_null_never_clashes(described: Object, world: World, api: Client) -> None:
    if "external_ref" not in described.field:
        pytest.skip("has no external_ref")
    unique = {key[0] for key in described.unique if len(key) == 1} - {"external_ref"}
    for _ in range(2):
        body = {**world.body(described), "external_ref": None}
        assert unique <= set(body)
        assert api.post(world.path(place_of(described)), body)["external_ref"] is None
