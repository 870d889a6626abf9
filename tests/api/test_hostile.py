"""Whatever is sent, the answer is a refusal in the one shape, and nothing is written.

To see it fail: parse with the standard library's `json`, let a text with U+0000 through `fields.is_clean`, or hand a pattern
to LIKE.
"""

from typing import Any

import pytest
from tests.client import Client, segment
from tests.world import CREATED, PLACED, World, place_of

from planwerk.describe import LIST, Object
from planwerk.fields import Json, Text

JSON = {"content-type": "application/json"}
EACH = pytest.mark.parametrize("described", CREATED, ids=lambda described: described.name)
LONG = "x" * 60_000


def nested(depth: int, *, is_closed: bool = True) -> bytes:
    return b"[" * depth + (b"]" * depth if is_closed else b"")


BODIES: dict[str, bytes] = {
    "open brackets": nested(100_000, is_closed=False),
    "nested lists": nested(2_000),
    "nested objects": b'{"order_rows":[' * 3_000 + b"]}" * 3_000,
    "not a number": b'{"quantity":NaN}',
    "infinity": b'{"quantity":Infinity}',
    "too large a float": b'{"quantity":1e400}',
    "half a surrogate pair": b'{"code":"\\ud800"}',
    "bad utf-8": b'{"code":"\xff\xfe"}',
    "overlong utf-8": b'{"code":"\xc0\x80"}',
    "byte order mark": b'\xef\xbb\xbf{"code":"A"}',
    "utf-16": '{"code":"A"}'.encode("utf-16"),
    "5,000 digits": b'{"quantity":' + b"9" * 5_000 + b"}",
    "5,000 digits below the point": b'{"quantity":0.' + b"9" * 5_000 + b"e999}",
    "two values": b"{}{}",
    "a comma too many": b'{"code":"A",}',
    "a comment": b'{/* A */"code":"A"}',
    "single quotes": b"{'code':'A'}",
    "U+0000": b'{"code":"a\\u0000b"}',
    "U+0000 unescaped": b'{"code":"a\x00b"}',
    "U+0000 in a map": b'{"meta":{"a":["\\u0000"]}}',
    "U+0000 in a key": b'{"meta":{"\\u0000":1}}',
    "2**63": b'{"quantity":9223372036854775808}',
    "2**64": b'{"order_rows":[{"position":18446744073709551616}]}',
    "-2**63 in a map": b'{"meta":{"a":-9223372036854775808}}',
    "2**53 in a map": b'{"meta":{"a":9007199254740992}}',
    "no object where one is": b'{"relation":5}',
    "no list where one is": b'{"order_rows":{"0":{}}}',
    "a list in a list": b'{"order_rows":[[{"code":"A"}]]}',
    "an id that is none": b'{"relation":{"id":"1"}}',
    "an id of another kind": b'{"relation":{"id":{"id":1}}}',
    "a wrong date": b'{"date":"2024-02-30"}',
    "a year too many": b'{"date":"10000-01-01"}',
    "digits that are no ASCII": '{"date":"２０２４-01-01"}'.encode(),
    "many keys": b'{"meta":{' + b",".join(b'"%d":1' % number for number in range(201)) + b"}}",
    "a text beyond its limit": b'{"code":"' + b"x" * 101 + b'"}',
    "a long list": b'{"order_rows":[' + b",".join([b"5"] * 20_000) + b"]}",
}


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_hostile_body_is_refused_and_nothing_is_written(method: str, name: str, world: World, api: Client) -> None:
    path = "/v1/order" if method == "POST" else f"/v1/order/{world.id('order')}"
    before = world.server.rows(world.environment_id)
    status, _ = api.refused(method, path, BODIES[name], JSON)
    assert status in (400, 413, 422), status
    assert world.server.rows(world.environment_id) == before


DEEP = "(" * 11 + "code:eq:a" + ")" * 11
FILTERS: dict[str, str] = {
    "1,000 ors": ",or,".join(["code:eq:a"] * 1_000),
    "101 ands": ",and,".join(["code:eq:a"] * 101),
    "brackets": "(" * 5_000,
    "brackets that close": DEEP,
    "quotes": "'" * 5_001,
    "dots": "." * 5_000,
    "colons": ":" * 5_000,
    "joiners": ",and," * 2_000,
    "U+0000": "code:eq:a\x00b",
    "U+0000 quoted": "code:eq:'\x00'",
    "too large a number": "quantity:eq:" + "9" * 5_000,
    "NaN": "quantity:eq:NaN",
    "2**64": "order_rows.position:eq:18446744073709551616",
    "1e400": "quantity:gt:1e400",
    "a wrong moment": "created_at:gt:2024-13-45",
    "many rows": "order_rows:has:99999999999999999999",
    "sql": 'code\'; DROP TABLE "order"; --:eq:a',
    "another object's property": "stages.name:eq:a",
    "two relations": "order_rows.item.code:eq:a",
}


@pytest.mark.parametrize("name", FILTERS)
def test_a_hostile_filter_is_400(name: str, api: Client) -> None:
    status, _ = api.refused("GET", "/v1/order", filter=FILTERS[name])
    assert status in (400, 414)


@pytest.mark.parametrize("operator", ["eq", "contains", "starts_with", "ends_with", "gt"])
@pytest.mark.parametrize("pattern", ["%" * 5_000, "_" * 5_000, "[a-z]*", "\\", "*" * 5_000, "'" * 2_000])
def test_a_strange_pattern_is_only_a_text(pattern: str, operator: str, world: World, api: Client) -> None:
    world.id("item")
    doubled = pattern.replace("'", "''")
    assert api.get("/v1/item", filter=f"code:{operator}:'{doubled}'")["count"] in (0, 1)


@pytest.mark.parametrize("operator", ["eq", "contains", "starts_with", "ends_with"])
def test_a_pattern_of_60_000_characters_is_refused(operator: str, api: Client) -> None:
    status, _ = api.refused("GET", "/v1/item", filter=f"code:{operator}:{LONG}")
    assert status in (400, 414)


@pytest.mark.parametrize(
    "name", ["filter", "sort", "show", "hide", "with", "limit", "offset", "archived", "nothing", "update_without_delete_nested"]
)
@pytest.mark.parametrize("value", ["%00", "%FF", "%C0%80", "%ED%A0%80", "a%00b"])
def test_a_parameter_that_is_no_clean_utf_8_is_400(value: str, name: str, api: Client) -> None:
    assert api.refused("GET", f"/v1/item?{name}={value}") == (400, [10001])


@pytest.mark.parametrize(
    "query",
    [
        "sort=" + ",".join(f"x{number}" for number in range(2_000)),
        "with=" + ",".join(["orders"] * 101),
        "with=" + ".".join(["orders"] * 50),
        "show=" + ",".join(f"x{number}.y" for number in range(501)),
        "limit=" + "9" * 5_000,
        "offset=9999999999999999999",
        "limit=%D9%A1",
        "limit=1e2",
        "limit=0x10",
        "archived=perhaps",
        "with=orders.",
        "sort=code:asc:desc",
        "&".join(f"{number}={number}" for number in range(3_000)),
    ],
    ids=lambda query: query[:20],
)
def test_a_hostile_query_is_400(query: str, api: Client) -> None:
    status, _ = api.refused("GET", f"/v1/item?{query}")
    assert status in (400, 414)


@pytest.mark.parametrize(
    "query",
    [
        "=&=&&&",
        "%",
        "%zz=1",
        "limit",
        "?limit=1",
        "sort=,,,",
        "with=,",
        "show=,",
        "a" * 10_000,
        "show=" + ".*" * 1_000,
        "hide=0" + ".0" * 1_000,
    ],
)
def test_a_query_that_means_nothing_is_let_pass(query: str, api: Client) -> None:
    assert api.ask("GET", f"/v1/item?{query}").status == 200


def test_a_query_beyond_16_kib_is_414(api: Client) -> None:
    assert api.refused("GET", "/v1/item?filter=" + LONG) == (414, [10018])
    assert api.refused("GET", "/v1/" + LONG) == (414, [10018])


def test_headers_beyond_32_kib_are_431(api: Client) -> None:
    assert api.refused("GET", "/v1/item", headers={"x-large": "x" * 100_000}) == (431, [10019])
    assert api.refused("GET", "/v1/item", headers={f"x-{number}": "x" for number in range(200)}) == (431, [10019])


@pytest.mark.parametrize(
    "name", ["x-api-key", "x-api-env", "if-none-match", "if-match", "accept-encoding", "content-type", "idempotency-key", "content-length"]
)
@pytest.mark.parametrize("value", ["\x00", "ÿ", "'", "\\", ", , ,", "W/", '"', "x" * 20_000, "-1", "1e9"])
def test_a_hostile_header_is_never_a_fault_of_ours(name: str, value: str, world: World, api: Client) -> None:
    for method, path, body in (("GET", "/v1/item", b""), ("POST", "/v1/item", b"{}"), ("PUT", f"/v1/item/{world.id('item')}", b"{}")):
        headers = {"content-type": "application/json", name: value}
        assert api.ask(method, path, body, headers).status < 500


@pytest.mark.parametrize(
    "text", ["\x00", "a\x00b", "%00", "..", "%2e%2e%2f", "'; --", "\ufffe", "𐀀" * 100, "\u202e", "*", "{id}", "x" * 8_000]
)
def test_a_strange_path_is_404(text: str, api: Client) -> None:
    assert api.refused("GET", f"/v1/item/{segment(text)}") == (404, [10004])
    assert api.refused("DELETE", f"/v1/order/{segment(text)}/row/{segment(text)}") == (404, [10004])
    assert api.refused("GET", f"/v1/order/{segment(text)}/row") == (404, [10004])


@EACH
def test_no_text_takes_the_character_zero_or_half_a_pair(described: Object, world: World, api: Client) -> None:
    place = place_of(described)
    path, body = world.path(place), world.body(described)
    names = [field.name for field in described.writable if isinstance(field, Text) and field.name in body]
    before = world.server.rows(world.environment_id)
    for name in names:
        assert api.refused("POST", path, {**body, name: "a\x00b"}) == (422, [10007])
        assert api.refused("POST", path, b'{"' + name.encode() + b'":"\\ud800"}', JSON) == (400, [10001])
    assert world.server.rows(world.environment_id) == before


@pytest.mark.parametrize("described", PLACED, ids=lambda described: described.name)
def test_no_filter_makes_the_server_fail(described: Object, world: World, api: Client) -> None:
    operands = (
        "",
        "'",
        "''",
        "null",
        "'null'",
        "true",
        "0",
        "-1",
        "1.5",
        "2024-01-01",
        "x" * 1000,
        "é",
        "9" * 16,
        "%",
        "00000000-0000-4000-8000-000000000000",
    )
    path = world.path(place_of(described, LIST))
    for field in described.fields:
        for operator in ("eq", "gt", "contains", "has"):
            for operand in operands if not isinstance(field, Json) else operands[:4]:
                answer = api.ask("GET", path, filter=f"{field.name}:{operator}:{operand}")
                assert answer.status in (200, 400), (field.name, operator, operand)


NOWHERE = [{"id": None, "\x00": 1}]
WRONG: list[Any] = [5, "x", True, [5], ["x"], [[[]]], [None], [{"id": 5}], NOWHERE, {"id": []}, {"id": "x"}, [{"id": {"id": 1}}]]


@EACH
def test_wrong_nesting_never_makes_the_server_fail(described: Object, world: World, api: Client) -> None:
    place = place_of(described)
    path, body = world.path(place), world.body(described)
    relations = [relation.name for relation in described.relations if relation.is_writable]
    for name in relations:
        for value in WRONG:
            answer = api.ask("POST", path, {**body, name: value})
            assert answer.status in (201, 422), (name, value)
            if answer.status == 201:
                api.delete(f"{path}/{answer.json['id']}")
