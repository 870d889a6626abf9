"""What a job shop looks like in the API's words, and when an object is as it should be.

To see it fail: give each order row an activity of its own, or let `agrees` stop at the first property.
"""

import pytest

from planwerk.seeds.client import Json
from planwerk.seeds.instances import Instance, Operation
from planwerk.seeds.jobshop import agrees, steps, with_ids
from planwerk.seeds.shop import activities_of, items_of, orders_of, resources_of

SHOP = Instance("tiny", ((Operation(1, 3), Operation(0, 4)), (Operation(0, 5), Operation(1, 6), Operation(0, 7))), reference="A book.")


def test_a_machine_does_its_own_activity() -> None:
    resources = list(resources_of(SHOP, ["a", "b"]))
    assert [(body["type"], body["activities"], body["description"]) for body in resources] == [
        ("machine", [{"id": "a"}], "A book."),
        ("machine", [{"id": "b"}], "A book."),
    ]


def test_a_job_is_an_order_with_a_row_for_each_operation() -> None:
    order = list(orders_of(SHOP, ["a", "b"], ["x", "y"]))[1]
    assert (order["external_ref"], order["item_id"]) == ("jobshop-tiny-job-1", "y")
    assert [(row["position"], row["activity_id"], row["unit"], row["quantity"]) for row in order["order_rows"]] == [
        (0, "a", "minutes", 5),
        (1, "b", "minutes", 6),
        (2, "a", "minutes", 7),
    ]


def test_every_object_has_a_reference_of_its_own() -> None:
    bodies = [*activities_of(SHOP), *resources_of(SHOP, ["a", "b"]), *items_of(SHOP), *orders_of(SHOP, ["a", "b"], ["x", "y"])]
    references = [body["external_ref"] for body in bodies] + [row["external_ref"] for body in bodies for row in body.get("order_rows", ())]
    assert len(references) == len(set(references)) == steps(SHOP) + SHOP.operations
    assert all(reference.startswith("jobshop-tiny-") for reference in references)


@pytest.mark.parametrize(
    ("found", "is_same"),
    [
        ({"code": "A", "rows": [{"id": "7", "position": 0}], "note": None}, True),
        ({"code": "B", "rows": [{"id": "7", "position": 0}]}, False),
        ({"code": "A", "rows": [{"id": "7", "position": 1}]}, False),
        ({"code": "A", "rows": [{"position": 0}, {"position": 1}]}, False),
        ({"code": "A", "rows": []}, False),
        ({"code": "A", "rows": None}, False),
        ({"rows": [{"position": 0}]}, False),
    ],
)
def test_an_object_is_as_it_should_be_if_every_wanted_value_is_there(found: Json, is_same: bool) -> None:
    assert agrees({"code": "A", "rows": [{"position": 0}]}, found) is is_same


def test_rows_that_exist_are_named_by_their_id() -> None:
    body = {"order_rows": [{"external_ref": "r0"}, {"external_ref": "r1"}]}
    found = {"order_rows": [{"id": "7", "external_ref": "r1"}, {"id": "8", "external_ref": "r2"}]}
    assert with_ids(body, found) == {"order_rows": [{"external_ref": "r0"}, {"id": "7", "external_ref": "r1"}]}
    assert with_ids({"code": "A"}, found) == {"code": "A"}
