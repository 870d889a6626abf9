"""Lists: paging, order, archives, filters at the database, show and hide, with.

To see it fail: leave `id` out of the sort keys, let nulls lie where the database puts them, or join deleted rows.
"""

from typing import Any

import pytest
from tests.client import Client
from tests.world import World


@pytest.fixture
def items(api: Client) -> list[dict[str, Any]]:
    """Seven items; two have no note, three share a type."""
    rows = [
        ("D", "wood", "b"),
        ("a", "wood", None),
        ("C", "steel", "a"),
        ("é", "wood", "É"),
        ("B", "steel", None),
        ("%", "glue", "c"),
        ("_", "glue", "d"),
    ]
    return [api.post("/v1/item", {"code": code, "type": kind, "note": note}) for code, kind, note in rows]


def codes(api: Client, **query: Any) -> str:
    return "".join(item["code"] for item in api.get("/v1/item", **query)["data"])


@pytest.mark.usefixtures("items")
@pytest.mark.parametrize(
    ("query", "envelope"),
    [
        ({}, (7, 100, 0, 7)),
        ({"limit": 3}, (7, 3, 0, 3)),
        ({"limit": 3, "offset": 6}, (7, 3, 6, 1)),
        ({"limit": 3, "offset": 4}, (7, 3, 4, 3)),
        ({"limit": 3, "offset": 7}, (7, 3, 7, 0)),
        ({"limit": 3, "offset": 700}, (7, 3, 700, 0)),
        ({"limit": 7}, (7, 7, 0, 7)),
        ({"limit": 0}, (7, 1000, 0, 7)),
        ({"limit": 1001}, (7, 1000, 0, 7)),
        ({"limit": "", "offset": "", "filter": "", "sort": "", "show": "", "hide": "", "with_": ""}, (7, 100, 0, 7)),
        ({"filter": "type:eq:glue", "limit": 1}, (2, 1, 0, 1)),
    ],
)
def test_the_envelope_repeats_what_is_in_force(query: dict[str, Any], envelope: tuple[int, ...], api: Client) -> None:
    page = api.get("/v1/item", **query)
    assert (page["count"], page["limit"], page["offset"], len(page["data"])) == envelope


@pytest.mark.parametrize(
    "query", [{"limit": -15}, {"limit": "ten"}, {"limit": 1.5}, {"offset": -1}, {"offset": "1e3"}, {"limit": 10**17}, {"archived": "yes"}]
)
def test_a_bad_page_is_400(query: dict[str, Any], api: Client) -> None:
    assert api.refused("GET", "/v1/item", **query) == (400, [10001])


@pytest.mark.usefixtures("items")
@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("", "DaCéB%_"),
        ("id:desc", "_%BéCaD"),
        ("code", "%BCD_aé"),
        ("code:desc", "éa_DCB%"),
        ("note", "CD%_éaB"),
        ("note:asc", "CD%_éaB"),
        ("note:desc", "Baé_%DC"),
        ("type", "%_CBDaé"),
        ("type:desc", "éaDBC_%"),
        ("type,note:desc", "_%BCaéD"),
        ("type:desc,code:asc", "DaéBC%_"),
        ("type,type:desc,code", "%_BCDaé"),
    ],
)
def test_a_list_is_sorted_with_nulls_last_and_id_as_the_last_key(sort: str, expected: str, api: Client) -> None:
    assert codes(api, sort=sort) == expected


@pytest.mark.usefixtures("items")
@pytest.mark.parametrize("sort", ["", "type", "type:desc", "note:desc", "note"])
def test_pages_never_repeat_and_never_skip(sort: str, api: Client) -> None:
    whole = codes(api, sort=sort)
    assert "".join(codes(api, sort=sort, limit=2, offset=offset) for offset in range(0, 8, 2)) == whole


@pytest.mark.parametrize(
    "sort", ["colour", "orders", "orders.code", "code:up", ":asc", "environment_id", "version", "document", "deleted_at"]
)
def test_an_unknown_sort_is_400(sort: str, api: Client) -> None:
    assert api.refused("GET", "/v1/item", sort=sort) == (400, [10013])


@pytest.mark.usefixtures("items")
@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        ("code:eq:a", "a"),
        ("code:eq:A", ""),
        ("code:contains:É", "é"),
        ("code:contains:%", "%"),
        ("code:contains:_", "_"),
        ("code:starts_with:d", "D"),
        ("code:start_with:d", "D"),
        ("code:ends_with:b", "B"),
        ("code:end_with:B", "B"),
        ("note:eq:null", "aB"),
        ("note:not:eq:null", "DCé%_"),
        ("note:eq:'null'", ""),
        ("note:not:eq:a", "DaéB%_"),
        ("note:not:'a'", "DaéB%_"),
        ("note:not:contains:a", "DaéB%_"),
        ("note:gt:b", "é%_"),
        ("note:lte:b", "DC"),
        ("type:eq:wood,and,code:eq:a,or,type:eq:glue", "a%_"),
        ("type:eq:wood,and,(code:eq:a,or,code:eq:D)", "Da"),
        ("(type:eq:wood,or,type:eq:steel),and,note:eq:null", "aB"),
        ("orders:has:", ""),
        ("orders:not:has:", "DaCéB%_"),
        ("created_at:gt:2020-01-01", "DaCéB%_"),
        ("created_at:lt:2020-01-01T00:00:00+01:00", ""),
        ("stockmanagement:eq:true", ""),
        ("stockmanagement:not:eq:1", "DaCéB%_"),
    ],
)
def test_a_filter_picks_its_rows(filter_: str, expected: str, api: Client) -> None:
    assert codes(api, filter=filter_) == expected


@pytest.mark.parametrize(
    "filter_",
    [
        "colour:eq:red",
        "code",
        "code:",
        "code:is:a",
        "code:eq:a,",
        "code:eq:a,xor,code:eq:b",
        "(code:eq:a",
        "code:eq:a)",
        "code:eq:'a",
        "stockmanagement:eq:maybe",
        "stockmanagement:contains:t",
        "created_at:gt:yesterday",
        "orders:eq:1",
        "orders:has:many",
        "orders.relation.name:eq:x",
        "code:gt:null",
        "'':eq:a",
        ",and,",
        "deleted_at:eq:null",
        "document:contains:a",
    ],
)
def test_a_bad_filter_is_400_and_shows_the_place(filter_: str, api: Client) -> None:
    answer = api.ask("GET", "/v1/item", filter=filter_)
    assert (answer.status, answer.codes) == (400, [10011])
    assert "position" in answer.faults[0][1]


def test_a_quote_inside_a_value_is_doubled(api: Client) -> None:
    made = api.post("/v1/item", {"code": "it's, (a):b"})
    assert api.ids("/v1/item", filter="code:eq:'it''s, (a):b'") == [made["id"]]


def test_a_filter_asks_related_rows(world: World, api: Client) -> None:
    oak = api.post("/v1/item", {"code": "oak"})["id"]
    relation = api.post("/v1/relation", {"name": "Visser"})["id"]
    both = api.post(
        "/v1/order",
        {
            "code": "1",
            "item_id": oak,
            "relation_id": relation,
            "order_rows": [{"code": "a"}, {"code": "b"}],
            "meta": {"priority": 7, "is good": "ja"},
        },
    )["id"]
    none = api.post("/v1/order", {"code": "2"})["id"]
    table = {
        "item.code:eq:oak": [both],
        "item.code:not:eq:oak": [none],
        "order_rows.code:eq:b": [both],
        "orderRows.code:eq:b": [both],
        "order_rows:has:2": [both],
        "order_rows:has:3": [],
        "order_rows:has:0": [both, none],
        "order_rows:not:has:": [none],
        f"relation:has:{relation}": [both],
        f"relation:has:{oak}": [],
        "meta.priority:eq:7": [both],
        "meta.priority:not:eq:7": [none],
        "meta.is good:eq:ja": [both],
        "meta.missing:eq:null": [both, none],
    }
    for text, expected in table.items():
        assert api.ids("/v1/order", filter=text) == expected, text


def test_a_filter_asks_custom_fields_by_name(world: World, api: Client) -> None:
    fields = [
        {"name": "Wood type", "type": "text", "value": "Oak"},
        {"name": "Done", "type": "checkbox", "value": True},
        {"name": "Size", "type": "number", "value": 3},
    ]
    path = f"/v1/collection/{world.id('collection')}/card"
    card = api.post(path, {"custom_fields": fields})["id"]
    plain = api.post(path, {})["id"]
    table = {
        "custom_fields.Wood type:eq:Oak": [card],
        "custom_fields.Wood type:contains:OA": [card],
        "custom_fields.Wood type:not:eq:Oak": [plain],
        "custom_fields.Wood type:eq:null": [plain],
        "custom_fields.Done:eq:true": [card],
        "custom_fields.Size:eq:3": [card],
        "custom_fields.Size:eq:4": [],
    }
    for text, expected in table.items():
        assert api.ids(path, filter=text) == expected, text


# ── archives ──


def test_an_archived_object_leaves_the_list_and_returns(api: Client) -> None:
    active, away = (api.post("/v1/board", {"name": name}) for name in ("active", "away"))
    archived = api.post(f"/v1/board/{away['id']}/archive", expect=200)
    assert archived["archived_at"]
    table = {"false": ["active"], "0": ["active"], "true": ["active", "away"], "TRUE": ["active", "away"], "only": ["away"]}
    assert api.names("/v1/board") == ["active"]
    for word, expected in table.items():
        assert api.names("/v1/board", archived=word) == expected, word
    assert api.get(f"/v1/board/{away['id']}")["archived_at"] == archived["archived_at"]
    assert api.post(f"/v1/board/{away['id']}/archive", expect=200)["archived_at"] == archived["archived_at"]
    assert api.post(f"/v1/board/{away['id']}/restore", expect=200)["archived_at"] is None
    assert api.names("/v1/board") == ["active", "away"]
    assert api.get("/v1/board", archived="only")["count"] == 0
    assert active["archived_at"] is None


# ── show, hide and with ──


@pytest.fixture
def order(world: World, api: Client) -> dict[str, Any]:
    body = {
        "code": "1042",
        "meta": {"a": 1, "b": 2},
        "relation": {"name": "Visser"},
        "order_rows": [{"code": "x", "position": 2}, {"code": "y", "position": 1}],
    }
    made: dict[str, Any] = api.post("/v1/order", body)
    return made


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"show": "code"}, {"code": "1042"}),
        ({"show": "code,code, meta "}, {"code": "1042", "meta": {"a": 1, "b": 2}}),
        ({"show": "meta.a"}, {"meta": {"a": 1}}),
        ({"show": "code", "with_": "order_rows"}, {"code": "1042"}),
        ({"show": "code,order_rows.code", "with_": "order_rows"}, {"code": "1042", "order_rows": [{"code": "y"}, {"code": "x"}]}),
        ({"show": "order_rows.*.code", "with_": "order_rows"}, {"order_rows": [{"code": "y"}, {"code": "x"}]}),
        ({"show": "orderRows.*.code", "with_": "orderRows"}, {"order_rows": [{"code": "y"}, {"code": "x"}]}),
        ({"show": "order_rows.0.code", "with_": "order_rows"}, {"order_rows": [{"code": "y"}]}),
        ({"show": "order_rows.1.code", "with_": "order_rows"}, {"order_rows": [{"code": "x"}]}),
        ({"show": "relation.name", "with_": "relation"}, {"relation": {"name": "Visser"}}),
        ({"show": "code,nothing"}, {"code": "1042"}),
        ({"show": "nothing"}, {}),
        ({"show": "code,meta", "hide": "meta.b"}, {"code": "1042", "meta": {"a": 1}}),
    ],
)
def test_show_keeps_what_it_names(query: dict[str, Any], expected: dict[str, Any], order: dict[str, Any], api: Client) -> None:
    assert api.get(f"/v1/order/{order['id']}", **query) == expected
    assert api.get("/v1/order", **query)["data"] == [expected]
    assert api.put(f"/v1/order/{order['id']}", {}, **query) == expected


def test_hide_drops_what_it_names(order: dict[str, Any], api: Client) -> None:
    whole = api.get(f"/v1/order/{order['id']}", with_="order_rows")
    found = api.get(f"/v1/order/{order['id']}", with_="order_rows", hide="code,meta.a,order_rows.*.id,order_rows.0.position,nothing")
    assert set(whole) - set(found) == {"code"}
    assert found["meta"] == {"b": 2}
    assert [set(row) & {"id", "position"} for row in found["order_rows"]] == [set(), {"position"}]


def test_show_and_hide_work_on_a_create(api: Client) -> None:
    assert api.post("/v1/item", {"code": "A"}, show="code") == {"code": "A"}
    assert "id" not in api.post("/v1/item", {"code": "A"}, hide="id")


@pytest.mark.parametrize(
    ("with_", "names"),
    [
        ("order_rows", {"order_rows"}),
        ("orderRows", {"order_rows"}),
        ("relation,order_rows", {"relation", "order_rows"}),
        ("project", {"project"}),
        (" relation , , item ", {"relation", "item"}),
        ("order_rows.order.relation.orders", {"order_rows"}),
    ],
)
def test_relations_come_along_under_their_declared_names(with_: str, names: set[str], order: dict[str, Any], api: Client) -> None:
    plain = api.get(f"/v1/order/{order['id']}")
    found = api.get(f"/v1/order/{order['id']}", with_=with_)
    assert set(found) - set(plain) == names
    assert api.get("/v1/order", with_=with_)["data"] == [found]


def test_relations_come_in_their_natural_order_and_nest(order: dict[str, Any], api: Client) -> None:
    found = api.get(f"/v1/order/{order['id']}", with_="order_rows.order.relation,project")
    assert [row["code"] for row in found["order_rows"]] == ["y", "x"]
    assert found["order_rows"][0]["order"]["relation"]["name"] == "Visser"
    assert found["project"] is None


@pytest.mark.parametrize(
    ("with_", "codes"),
    [
        ("nothing", [10012]),
        ("order_rows.nothing", [10012]),
        ("order_rows.order.order_rows.order.order_rows", [10001]),
        ("code", [10012]),
        ("statuses", [10012]),
    ],
)
def test_an_unknown_or_too_deep_relation_is_400(with_: str, codes: list[int], api: Client) -> None:
    assert api.refused("GET", "/v1/order", with_=with_) == (400, codes)


def test_the_unknown_relation_is_named(api: Client) -> None:
    assert api.ask("GET", "/v1/order", with_="colour").faults[0][1] == "Relation not found: colour"


def test_related_objects_that_are_archived_come_along_and_deleted_ones_do_not(world: World, api: Client) -> None:
    group = api.post("/v1/group", {"name": "hall"})["id"]
    ids = [api.post("/v1/resource", {"name": name, "groups": [{"id": group}]})["id"] for name in ("saw", "old saw", "lost saw")]
    api.post(f"/v1/resource/{ids[1]}/archive", expect=200)
    api.delete(f"/v1/resource/{ids[2]}")
    found = api.get(f"/v1/group/{group}", with_="resources")["resources"]
    assert [resource["name"] for resource in found] == ["saw", "old saw"]
    assert api.ids("/v1/group", filter=f"resources:has:{ids[2]}") == []
    assert api.ids("/v1/group", filter="resources:has:3") == []


def test_a_single_board_carries_labels_and_statuses_without_asking(world: World, api: Client) -> None:
    made = api.post("/v1/board", {"name": "Hall", "labels": [{"name": "Rush"}], "statuses": [{"name": "Open"}]})
    found = api.get(f"/v1/board/{made['id']}")
    assert [label["name"] for label in found["labels"]] == ["Rush"]
    assert [status["name"] for status in found["statuses"]] == ["Open"]
    assert found["custom_fields"] == []
    assert "labels" not in api.get("/v1/board")["data"][0]
    assert api.get(f"/v1/board/{made['id']}", with_="custom_fields,labels") == found


def test_a_card_has_a_status_and_no_statuses(world: World, api: Client) -> None:
    world.id("card")
    assert api.get("/v1/card", with_="status")["data"][0]["status"]["id"] == world.id("status")
    assert api.refused("GET", "/v1/card", with_="statuses") == (400, [10012])
