"""Requests and answers: bodies, content types, paths, methods, and what is told in api_messages.

To see it fail: answer 200 to a create, take the slash at the end of a path seriously, or store an unknown property.
"""

import time
from typing import Any

import pytest
from tests.client import Client
from tests.server import Server
from tests.world import World

JSON = {"content-type": "application/json"}


def messages(api: Client, code: str) -> list[dict[str, Any]]:
    """The notes with a code; those of a read are written just after its answer."""
    for _ in range(200):
        found: list[dict[str, Any]] = api.get("/v1/api_message", filter=f"message_code:eq:{code}")["data"]
        if found:
            return found
        time.sleep(0.01)
    return []


def test_a_partial_update_keeps_what_it_does_not_name(api: Client) -> None:
    made = api.post("/v1/item", {"description": "oak", "code": "A1"})
    assert api.put(f"/v1/item/{made['id']}", {"code": "B2"})["description"] == "oak"


def test_an_update_that_changes_nothing_leaves_the_version_alone(api: Client) -> None:
    made = api.post("/v1/item", {"description": "oak"})
    path = f"/v1/item/{made['id']}"
    before = api.ask("GET", path).headers["etag"]
    assert api.put(path, {"description": "oak"}) == made
    assert api.ask("GET", path).headers["etag"] == before


def test_an_unknown_property_is_ignored_and_noted(api: Client) -> None:
    made = api.post("/v1/item", {"description": "oak", "colour": "red"})
    assert "colour" not in made
    [note] = messages(api, "UNKNOWN_PROPERTY")
    assert (note["method"], note["endpoint"], note["log_level"]) == ("POST", "v1/item", "warning")
    assert "colour" in note["message"]


def test_an_unknown_parameter_is_ignored_and_noted(api: Client) -> None:
    assert api.get("/v1/item", colour="red", limit=5)["count"] == 0
    [note] = messages(api, "UNKNOWN_PARAMETER")
    assert "colour" in note["message"]
    assert note["query_params"] == {"colour": "red", "limit": 5}


def test_an_unknown_name_in_show_is_ignored_and_noted(api: Client) -> None:
    made = api.post("/v1/item", {"description": "oak"})
    assert api.get(f"/v1/item/{made['id']}", show="description,colour") == {"description": "oak"}
    assert "colour" in messages(api, "UNKNOWN_PROPERTY")[0]["message"]


def test_equal_notes_are_one(api: Client) -> None:
    for _ in range(3):
        api.post("/v1/item", {"colour": "red"})
    assert len(messages(api, "UNKNOWN_PROPERTY")) == 1


def test_a_limit_above_the_maximum_is_cut_and_noted(api: Client) -> None:
    for code in ("A", "B"):
        api.post("/v1/item", {"code": code})
    assert api.get("/v1/item", limit=2000)["limit"] == 1000
    [note] = messages(api, "RESULT_GT_100")
    assert note["message"] == "limit=2000, greater than max (1000), count 2"


def test_a_known_property_with_a_bad_value_is_named(api: Client) -> None:
    answer = api.ask("POST", "/v1/board", {"name": "Hall", "workdays": {"1": "open"}, "color": "nice", "stages": [{"name": 5}]})
    assert answer.status == 422
    assert {name for name, _ in answer.faults} == {"workdays.1", "color", "stages[0].name"}


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("2024-04-11T10:22:15Z", "2024-04-11T10:22:15Z"),
        ("2024-04-11T10:22:15.987+02:00", "2024-04-11T08:22:15Z"),
        ("2024-04-11t10:22:15z", "2024-04-11T10:22:15Z"),
        ("2024-01-01T00:30:00-05:30", "2024-01-01T06:00:00Z"),
    ],
)
def test_a_moment_with_any_offset_is_read_and_shown_in_utc(sent: str, stored: str, world: World, api: Client) -> None:
    assert api.post("/v1/time_tracking", {"card_id": world.id("card"), "start": sent})["start"] == stored


@pytest.mark.parametrize("sent", ["2024-04-11", "2024-04-11T10:22:15", "2024-02-30T10:00:00Z", "yesterday", "0000-01-01T00:00:00Z", 5])
def test_a_moment_without_offset_or_that_never_was_is_refused(sent: Any, world: World, api: Client) -> None:
    body = {"card_id": world.id("card"), "start": sent}
    assert api.refused("POST", "/v1/time_tracking", body) == (422, [10007])


# ── content types and bodies ──


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON", "text/json", "application/vnd.api+json"]
)
def test_a_json_type_is_read(kind: str, api: Client) -> None:
    assert api.ask("POST", "/v1/item", b'{"code":"A"}', {"content-type": kind}).json["code"] == "A"


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", "application/json; charset=latin-1", "☃"]
)
def test_another_type_is_415_and_makes_nothing(kind: str, api: Client) -> None:
    assert api.refused("POST", "/v1/item", b'{"code":"A"}', {"content-type": kind.encode().decode("latin-1")}) == (415, [10015])
    assert api.get("/v1/item")["count"] == 0


def test_json_without_a_type_is_read_and_noted(api: Client) -> None:
    assert api.ask("POST", "/v1/item", b'{"code":"A"}').json["code"] == "A"
    assert messages(api, "CONTENT_TYPE_MISSING")


def test_something_else_without_a_type_is_415(api: Client) -> None:
    assert api.refused("POST", "/v1/item", b"code=A") == (415, [10015])


@pytest.mark.parametrize("body", [b"", b"{", b"[1", b"'a'", b"nul", b'{"code":"A"} x', b"\xff\xfe{\x00}\x00"])
def test_a_body_that_is_no_json_is_400(body: bytes, api: Client) -> None:
    assert api.refused("POST", "/v1/item", body, JSON) == (400, [10001])


@pytest.mark.parametrize("body", [b"[]", b"5", b'"text"', b"null", b"true"])
def test_a_body_that_is_no_object_is_400(body: bytes, api: Client) -> None:
    made = api.post("/v1/item", {})
    assert api.refused("POST", "/v1/item", body, JSON) == (400, [10001])
    assert api.refused("PUT", f"/v1/item/{made['id']}", body, JSON) == (400, [10001])


def test_the_last_of_two_equal_names_counts(api: Client) -> None:
    assert api.ask("POST", "/v1/item", b'{"code":"A","code":"B"}', JSON).json["code"] == "B"


# ── paths and methods ──


def test_a_slash_at_the_end_is_the_same_path(api: Client) -> None:
    made = api.post("/v1/item/", {"code": "A"})
    assert api.get("/v1/item/")["data"] == [made]
    assert api.get(f"/v1/item/{made['id']}/") == made


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1/nothing", "/v1/item/a/b", "/v1/Item", "/v1/../item", "/v1/item%00", "/v1/%FF"])
def test_a_path_that_is_not_there_is_404(path: str, api: Client) -> None:
    assert api.refused("GET", path) == (404, [10004])


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v1/item", "GET, HEAD, POST"),
        ("PATCH", "/v1/item/{id}", "DELETE, GET, HEAD, PUT"),
        ("POST", "/v1/me", "GET, HEAD"),
        ("DELETE", "/v1/api_message", "GET, HEAD"),
        ("GET", "/v1/board/{id}/archive", "POST"),
        ("PUT", "/v1/card_relation/{id}", "DELETE, GET, HEAD"),
        ("OPTIONS", "/v1/item", "GET, HEAD, POST"),
    ],
)
def test_another_method_is_405_and_says_which_are_possible(method: str, path: str, allowed: str, world: World, api: Client) -> None:
    answer = api.ask(method, path.replace("{id}", world.id("item")), {})
    assert (answer.status, answer.codes, answer.headers["allow"]) == (405, [10006], allowed)


def test_head_answers_like_get_without_the_body(world: World, api: Client) -> None:
    path = f"/v1/item/{world.id('item')}"
    head, get = api.ask("HEAD", path), api.ask("GET", path)
    assert head.body == b""
    assert head.status == 200
    for name in ("etag", "content-length", "content-type"):
        assert head.headers[name] == get.headers[name]
    missing = api.ask("HEAD", f"/v1/item/{world.id('board')}")
    assert (missing.status, missing.body) == (404, b"")


@pytest.mark.parametrize(
    "id", ["1", "x" * 36, "00000000-0000-4000-8000-000000000000", "%20", "ZZZZZZZZ-0000-4000-8000-000000000000", "%C3%A4", "a" * 5000]
)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_an_id_that_names_nothing_is_404(id: str, method: str, api: Client) -> None:
    assert api.refused(method, f"/v1/item/{id}", {} if method == "PUT" else b"") == (404, [10004])


def test_an_id_may_be_written_in_capitals(world: World, api: Client) -> None:
    assert api.get(f"/v1/item/{world.id('item').upper()}")["id"] == world.id("item")


def test_a_list_below_an_unknown_parent_is_empty_and_a_write_is_404(world: World, api: Client) -> None:
    unknown = "00000000-0000-4000-8000-000000000000"
    for path in (f"/v1/collection/{unknown}/card", f"/v1/order/{unknown}/row"):
        assert api.get(path)["data"] == []
        assert api.refused("POST", path, {"name": "saw"}) == (404, [10004])
    assert api.refused("GET", "/v1/collection/nonsense/card") == (404, [10004])


def test_an_object_is_found_below_its_own_parent_only(world: World, api: Client) -> None:
    card, collection = world.id("card"), world.id("collection")
    stranger = api.post("/v1/collection", {"name": "another", "board_id": world.id("board")})["id"]
    assert api.get(f"/v1/collection/{collection}/card/{card}")["id"] == card
    for method in ("GET", "PUT", "DELETE"):
        assert api.refused(method, f"/v1/collection/{stranger}/card/{card}", {} if method == "PUT" else b"") == (404, [10004])
    assert api.ids(f"/v1/collection/{stranger}/card") == []
    assert api.ids("/v1/card") == [card]


def test_the_deprecated_list_says_so(world: World, api: Client) -> None:
    world.id("card")
    answer = api.ask("GET", "/v1/collection/detail")
    assert answer.headers["deprecated"] == "GET v1/collection/detail is deprecated and will be removed in future versions"
    assert answer.json["data"][0]["cards"]
    assert messages(api, "DEPRECATED")[0]["endpoint"] == "v1/collection/detail"
    assert "deprecated" not in api.ask("GET", "/v1/collection").headers


def test_every_request_has_a_reference_of_its_own(world: World, api: Client) -> None:
    tags = {api.ask("GET", "/v1/me").headers["reference-tag"] for _ in range(5)}
    assert len(tags) == 5


def test_who_am_i(world: World, api: Client) -> None:
    found = api.get("/v1/me")
    assert found["type"] == "api-key"
    assert found["environment"]["id"] == world.environment_id
    assert len(found["environment"]["hash"]) == 40
    assert "key_hash" not in found["api-key"]


def test_nothing_that_is_hidden_is_ever_shown(world: World, server: Server, api: Client) -> None:
    user = api.get(f"/v1/user/{world.id('user')}", with_="board_views,settings")
    assert "password_hash" not in user
    assert "secret" not in api.get(f"/v1/webhook/{world.id('webhook')}")
    assert api.refused("GET", "/v1/user", filter="password_hash:not:eq:null") == (400, [10011])
    assert api.refused("GET", "/v1/user", sort="password_hash") == (400, [10013])
