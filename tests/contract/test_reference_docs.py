"""The guide of the reference tells every code, operator and section that an integrator looks for, and the real catalog
gives a valid document."""

import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from openapi_spec_validator import validate

from planwerk import errors, fields
from planwerk.catalog import ALL
from planwerk.reference.guide import guide
from planwerk.reference.openapi import build
from planwerk.reference.operations import operations
from planwerk.routes import routes_of

SECTIONS = (
    "Introduction",
    "Authentication",
    "Rate Limits",
    "Pagination",
    "Sorting",
    "Filtering",
    "Show and hide",
    "With",
    "Errors",
    "Deep insertion",
    "Idempotency",
    "Conditional requests",
    "Deprecated",
    "Maintenance",
)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return build(ALL)


@pytest.mark.parametrize("kind", errors.ALL, ids=lambda kind: str(kind.code))
def test_every_error_code_is_in_the_table(document: dict[str, Any], kind: errors.Kind) -> None:
    assert f"| {kind.code} | {kind.status} | {kind.message} |" in document["info"]["description"]


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_is_there(section: str) -> None:
    assert f"\n# {section}\n" in f"\n{guide()}"


@pytest.mark.parametrize("operator", sorted(fields.EQUALITY | fields.ORDER | fields.TEXT | {"has"}))
def test_every_operator_is_in_the_guide(operator: str) -> None:
    table = guide().split("# Filtering")[1].split("\n# ")[0]
    assert f"`{operator}`" in table


def test_the_document_of_the_whole_catalog_is_valid(document: dict[str, Any]) -> None:
    validate(document)


def test_no_two_operations_of_the_catalog_share_a_name_or_a_path(document: dict[str, Any]) -> None:
    found = list(operations(ALL))
    assert len({operation.id for operation in found}) == len(found)
    assert sum(len(item) for item in document["paths"].values()) == len(found)


def test_the_document_and_the_router_have_the_same_operations() -> None:
    documented = {(operation.method, shape(operation.path), operation.kind) for operation in operations(ALL)}
    served = {(route.method, shape(route.path), route.kind) for route in routes_of(ALL)}
    assert documented == served


def shape(path: str) -> str:
    """A path without the names of its parameters."""
    return re.sub(r"\{\w+\}", "{}", path)


def test_every_object_with_a_path_is_in_the_document(document: dict[str, Any]) -> None:
    for described in ALL:
        for place in described.places:
            assert any(path.startswith(place.path) for path in document["paths"]), described.name


def test_every_example_of_the_catalog_fits_its_schema(document: dict[str, Any]) -> None:
    components = document["components"]
    wrong = []
    for name, found in examples(document):
        validator = jsonschema_rs.Draft202012Validator({**found["schema"], "components": components}, validate_formats=True)
        wrong += [f"{name}: {error.message[:200]}" for error in validator.iter_errors(found["example"])]
    assert wrong == []


def examples(document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            contents = [operation.get("requestBody", {}), *operation["responses"].values()]
            for found in (media for content in contents for media in content.get("content", {}).values() if "example" in media):
                yield f"{method} {path}", found
