"""Entity tags, If-None-Match, If-Match, compression, and Idempotency-Key.

To see it fail: judge If-Match before the transaction, hash the answer without its projection, or keep the claim of a
refused request.
"""

import gzip
from typing import Any

import pytest
from tests.client import Client
from tests.process.running import wait_until
from tests.server import Server, quoted
from tests.world import World


@pytest.fixture
def path(api: Client) -> str:
    made = api.post("/v1/order", {"code": "1", "order_rows": [{"code": "a"}]})
    return f"/v1/order/{made['id']}"


def etag(api: Client, path: str, **query: Any) -> str:
    return api.ask("GET", path, **query).headers["etag"]


def test_the_tag_names_the_version_and_the_answer(path: str, api: Client) -> None:
    plain, projected, again = etag(api, path), etag(api, path, show="code"), etag(api, path)
    assert plain == again
    assert plain[1:17] == projected[1:17]
    assert plain[17:] != projected[17:]
    api.put(path, {"code": "2"})
    assert etag(api, path)[1:17] != plain[1:17]


def test_a_change_in_what_comes_along_changes_the_answers_half(path: str, api: Client) -> None:
    before = etag(api, path, with_="order_rows")
    row = api.ids(f"{path}/row")[0]
    api.put(f"{path}/row/{row}", {"code": "b"})
    assert etag(api, path, with_="order_rows") != before


@pytest.mark.parametrize("where", ["/v1/order", "one", "/v1/me"])
def test_what_the_caller_has_already_is_304(where: str, path: str, api: Client) -> None:
    target = path if where == "one" else where
    wait_until(lambda: api.get("/v1/me")["environment"]["last_request_third_party"], "the use is written down, which /me shows")
    tag = etag(api, target)
    for value in (tag, f"W/{tag}", f'"0", {tag}', "*"):
        answer = api.ask("GET", target, headers={"if-none-match": value})
        assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", tag)
    assert api.ask("GET", target, headers={"if-none-match": '"' + "0" * 32 + '"'}).status == 200
    assert api.ask("HEAD", target, headers={"if-none-match": tag}).status == 304


def test_a_list_answers_304_until_one_of_its_rows_changes(path: str, api: Client) -> None:
    tag = etag(api, "/v1/order", with_="order_rows")
    assert api.ask("GET", "/v1/order", with_="order_rows", headers={"if-none-match": tag}).status == 304
    api.post(f"{path}/row", {"code": "b"})
    assert api.ask("GET", "/v1/order", with_="order_rows", headers={"if-none-match": tag}).status == 200


@pytest.mark.parametrize("query", [{}, {"show": "code"}, {"with_": "order_rows"}, {"hide": "meta"}])
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_the_tag_of_any_projection_serves_for_a_write(method: str, query: dict[str, str], path: str, api: Client) -> None:
    tag = etag(api, path, **query)
    body = {"code": "2"} if method == "PUT" else b""
    assert api.ask(method, path, body, {"if-match": f'"{"0" * 32}", {tag}'}).status in (200, 204)


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize("given", ["stale", '"' + "0" * 32 + '"', '""', "nonsense", "W/{fresh}"])
def test_a_stale_or_weak_tag_is_412_and_nothing_changes(given: str, method: str, path: str, api: Client) -> None:
    stale = etag(api, path)
    api.put(path, {"code": "2"})
    header = {"stale": stale}.get(given, given.replace("{fresh}", etag(api, path)))
    before = api.get(path)
    assert api.refused(method, path, {"code": "3"} if method == "PUT" else b"", {"if-match": header}) == (412, [10014])
    assert api.get(path) == before


def test_a_star_matches_whatever_is_there_and_only_that(path: str, api: Client) -> None:
    assert api.ask("PUT", path, {"code": "2"}, {"if-match": "*"}).status == 200
    api.delete(path)
    assert api.ask("PUT", path, {"code": "3"}, {"if-match": "*"}).status in (404, 412)


def test_the_answer_to_a_write_carries_the_tag_for_the_next(path: str, api: Client) -> None:
    first = api.ask("PUT", path, {"code": "2"})
    second = api.ask("PUT", path, {"code": "3"}, {"if-match": first.headers["etag"]})
    assert second.status == 200
    assert api.refused("PUT", path, {"code": "4"}, {"if-match": first.headers["etag"]}) == (412, [10014])


def test_a_nested_change_counts_as_a_change_of_the_parent(path: str, api: Client) -> None:
    tag = etag(api, path)
    api.put(path, {"order_rows": [{"code": "b"}]})
    assert api.refused("PUT", path, {"code": "2"}, {"if-match": tag}) == (412, [10014])


# ── compression ──


def test_a_large_answer_is_compressed_for_those_who_take_it(api: Client) -> None:
    for _ in range(10):
        api.post("/v1/item", {"note": "oak " * 50})
    plain = api.ask("GET", "/v1/item")
    packed = api.ask("GET", "/v1/item", headers={"accept-encoding": "br, gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "accept-encoding" in packed.headers["vary"].lower()
    assert gzip.decompress(packed.body) == plain.body
    assert int(packed.headers["content-length"]) == len(packed.body) < len(plain.body)
    assert packed.headers["etag"] != plain.headers["etag"]
    again = api.ask("GET", "/v1/item", headers={"accept-encoding": "gzip", "if-none-match": packed.headers["etag"]})
    assert again.status == 304


@pytest.mark.parametrize("header", ["identity", "gzip;q=0", "br"])
def test_who_does_not_take_gzip_gets_none(header: str, api: Client) -> None:
    api.post("/v1/item", {"note": "oak " * 500})
    assert "content-encoding" not in api.ask("GET", "/v1/item", headers={"accept-encoding": header}).headers


# ── Idempotency-Key ──


def keyed(api: Client, key: str, body: Any, path: str = "/v1/item") -> Any:
    return api.ask("POST", path, body, {"idempotency-key": key})


def test_the_same_key_gets_the_first_answer(api: Client) -> None:
    first, second = keyed(api, "k1", {"code": "A"}), keyed(api, "k1", {"code": "A"})
    assert (second.status, second.body, second.headers["etag"]) == (201, first.body, first.headers["etag"])
    assert second.headers["idempotency-replayed"] == "true"
    assert api.get("/v1/item")["count"] == 1


def test_the_same_key_with_another_body_is_422(api: Client) -> None:
    keyed(api, "k1", {"code": "A"})
    assert (keyed(api, "k1", {"code": "B"}).status, keyed(api, "k1", {"code": "B"}).codes) == (422, [10007])
    assert api.get("/v1/item")["count"] == 1


def test_a_key_belongs_to_one_path_and_one_credential(world: World, server: Server, api: Client) -> None:
    keyed(api, "k1", {"name": "A"}, "/v1/group")
    assert "idempotency-replayed" not in keyed(api, "k1", {"name": "A"}, "/v1/space").headers
    stranger = server.client(server.tenant())
    assert "idempotency-replayed" not in keyed(stranger, "k1", {"name": "A"}, "/v1/group").headers
    assert api.get("/v1/group")["count"] == 1


def test_a_refused_request_uses_no_key_up(api: Client) -> None:
    assert keyed(api, "k1", {"name": 5}, "/v1/board").status == 422
    assert keyed(api, "k1", {"name": "Hall"}, "/v1/board").status == 201


def test_a_key_is_forgotten_after_a_day(world: World, server: Server, api: Client) -> None:
    keyed(api, "k1", {"code": "A"})
    server.database.query(
        f"UPDATE idempotency SET created_at = '2020-01-01T00:00:00Z' WHERE environment_id = {quoted(world.environment_id)}"
    )
    assert "idempotency-replayed" not in keyed(api, "k1", {"code": "B"}).headers
    assert api.get("/v1/item")["count"] == 2


@pytest.mark.parametrize("key", ["x" * 256, "sägen"])
def test_a_key_that_is_too_long_or_no_ascii_is_422(key: str, api: Client) -> None:
    assert keyed(api, key, {}).status == 422


def test_an_empty_key_is_no_key(api: Client) -> None:
    for _ in range(2):
        assert "idempotency-replayed" not in keyed(api, "", {"code": "A"}).headers
