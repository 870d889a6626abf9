"""The document is valid OpenAPI 3.1 and says of the catalog what the server does."""

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from openapi_spec_validator import validate
from tests.unit.reference.sample import SAMPLE, refuse_to_run

from planwerk import errors
from planwerk.catalog import ALL
from planwerk.describe import Action, Object, Place, identity, timestamps
from planwerk.fields import Text
from planwerk.reference.openapi import build

Document = dict[str, Any]


@pytest.fixture(scope="module")
def document() -> Document:
    return build(SAMPLE)


def schema_of(document: Document, name: str) -> Any:
    return document["components"]["schemas"][name]


def media(document: Document) -> Iterator[tuple[str, Any]]:
    """Every media type of the document that has an example, with a name for the test's answer."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            bodies = operation.get("requestBody", {}).get("content", {}).items()
            answers = (pair for answer in operation["responses"].values() for pair in answer.get("content", {}).items())
            yield from ((f"{method} {path} {name}", found) for name, found in (*bodies, *answers) if "example" in found)
    for name, answer in document["components"]["responses"].items():
        yield from ((f"{name} {kind}", found) for kind, found in answer.get("content", {}).items() if "example" in found)


def is_valid(document: Document, schema: Any, value: Any) -> bool:
    whole = {**schema, "components": document["components"]}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True).is_valid(value)


def test_the_document_is_valid_openapi(document: Document) -> None:
    validate(document)


def test_every_example_fits_its_schema(document: Document) -> None:
    examples = list(media(document))
    assert len(examples) > 20
    assert [name for name, found in examples if not is_valid(document, found["schema"], found["example"])] == []


def test_the_same_catalog_gives_the_same_document(document: Document) -> None:
    assert build(SAMPLE) == document


def test_no_two_schemas_have_the_same_title() -> None:
    """Generators of clients name a class after the title, and leave out the second one of a name."""
    titles = [schema["title"] for schema in build(ALL)["components"]["schemas"].values() if "title" in schema]
    assert sorted(set(titles)) == sorted(titles)


def test_every_tag_stands_in_one_group(document: Document) -> None:
    grouped = [tag for group in document["x-tagGroups"] for tag in group["tags"]]
    used = {operation["tags"][0] for item in document["paths"].values() for operation in item.values()}
    assert sorted(grouped) == sorted(used) == sorted(tag["name"] for tag in document["tags"])


def test_every_relation_is_named_in_the_answer_and_in_with(document: Document) -> None:
    described = next(parameter for parameter in document["paths"]["/job"]["get"]["parameters"] if parameter.get("name") == "with")
    for name in ("owner", "steps", "labels", "tools"):
        assert name in schema_of(document, "Job")["properties"]
        assert f"`{name}`" in described["description"]


def test_a_relation_to_an_object_outside_the_reference_is_left_out(document: Document) -> None:
    assert "unknowns" not in schema_of(document, "Job")["properties"]


def test_an_object_without_paths_is_described_when_a_relation_leads_to_it(document: Document) -> None:
    assert "Label" in document["components"]["schemas"]
    assert "LabelCreate" not in document["components"]["schemas"]


def test_only_a_create_requires_properties(document: Document) -> None:
    assert schema_of(document, "JobCreate")["required"] == ["name"]
    assert "required" not in schema_of(document, "JobUpdate")


def test_what_the_path_gives_is_no_part_of_the_body(document: Document) -> None:
    assert "job_id" not in schema_of(document, "StepCreate")["properties"]
    assert schema_of(document, "StepCreate")["required"] == ["name"]


def test_read_only_and_hidden_properties_are_no_part_of_a_body(document: Document) -> None:
    assert not {"id", "position", "created_at", "internal"} & set(schema_of(document, "JobCreate")["properties"])


def test_a_write_only_property_is_taken_and_never_shown(document: Document) -> None:
    assert "secret" in schema_of(document, "JobCreate")["properties"]
    assert "secret" not in schema_of(document, "Job")["properties"]


@pytest.mark.parametrize(
    ("body", "fits"),
    [
        ({"name": "a", "start": ""}, True),
        ({"name": "a", "start": None}, True),
        ({"name": "a", "start": "2026-13-01"}, False),
        ({"name": "a", "quantity": "5"}, False),
        ({"name": "a", "quantity": ""}, True),
        ({"name": "a", "is_urgent": None}, False),
        ({"name": "a", "is_urgent": ""}, False),
        ({"name": "a", "status": ""}, False),
        ({"name": "a", "kind": None}, True),
        ({"name": "a", "whatever": [1]}, True),
        ({"name": None}, False),
        ({"name": "a" * 81}, False),
        ({}, False),
        ({"name": "a", "custom_fields": [{"value": 5}]}, False),
        ({"name": "a", "custom_fields": [{"id": None, "name": "b", "value": 5}]}, True),
        ({"name": "a", "owner": {"id": "5e8c9902-207a-4aeb-b120-430c585a445f"}}, True),
        ({"name": "a", "owner": None}, True),
        ({"name": "a", "owner": 5}, False),
        ({"name": "a", "steps": [{"name": "b"}]}, True),
        ({"name": "a", "steps": None}, False),
        ({"name": "a", "labels": [{"id": "5e8c9902-207a-4aeb-b120-430c585a445f"}]}, True),
        ({"name": "a", "labels": ["5e8c9902-207a-4aeb-b120-430c585a445f"]}, True),
        ({"name": "a", "labels": [[{"id": "5e8c9902-207a-4aeb-b120-430c585a445f"}]]}, True),
        ({"name": "a", "labels": [{}]}, False),
    ],
)
def test_a_body_fits_the_schema_exactly_when_the_server_takes_it(document: Document, body: Any, fits: bool) -> None:
    assert is_valid(document, schema_of(document, "JobCreate"), body) is fits


def test_null_is_shown_only_where_nothing_may_be_known(document: Document) -> None:
    properties = schema_of(document, "Job")["properties"]
    assert {name: properties[name]["type"] for name in ("id", "created_at", "name", "is_urgent", "note")} == {
        "id": "string",
        "created_at": "string",
        "name": "string",
        "is_urgent": "boolean",
        "note": ["string", "null"],
    }


def test_the_values_of_a_link_stand_beside_the_properties_of_the_object_and_win(document: Document) -> None:
    properties = schema_of(document, "ToolOfJob")["properties"]
    assert properties["time"]["type"] == ["integer", "null"]
    assert properties["priority"]["default"] == 1
    assert "name" in properties


def test_the_statuses_of_the_five_operations_are_201_200_and_204(document: Document) -> None:
    single, many = document["paths"]["/job/{job_id}"], document["paths"]["/job"]
    assert "201" in many["post"]["responses"]
    assert "200" in single["put"]["responses"]
    assert "204" in single["delete"]["responses"]
    assert {"200", "304", "400", "401", "403", "429", "500", "503"} <= set(many["get"]["responses"])
    assert {"404", "409", "412", "413", "415", "422"} <= set(single["put"]["responses"])


def test_every_status_of_the_error_table_has_an_answer(document: Document) -> None:
    assert {f"Status{kind.status}" for kind in errors.ALL} <= set(document["components"]["responses"])


def test_a_deprecated_place_says_so_in_the_document_and_in_its_header(document: Document) -> None:
    operation = document["paths"]["/job/detail"]["get"]
    assert operation["deprecated"] is True
    assert "Deprecated" in operation["responses"]["200"]["headers"]


def test_lists_of_archivable_objects_take_archived_and_others_do_not(document: Document) -> None:
    archived = {"$ref": "#/components/parameters/archived"}
    assert archived in document["paths"]["/job"]["get"]["parameters"]
    assert archived not in document["paths"]["/step"]["get"]["parameters"]


def test_flags_of_put_are_there_where_nested_objects_are(document: Document) -> None:
    names = {parameter.get("$ref", "").rpartition("/")[2] for parameter in document["paths"]["/job/{job_id}"]["put"]["parameters"]}
    assert {"update_without_delete_nested", "remove_missing", "If-Match"} <= names
    step = document["paths"]["/job/{job_id}/step/{step_id}"]["put"]["parameters"]
    assert {"$ref": "#/components/parameters/remove_missing"} not in step


def test_a_file_may_be_sent_as_a_form(document: Document) -> None:
    content = document["paths"]["/job/{job_id}/drawing"]["post"]["requestBody"]["content"]
    assert set(content) == {"application/json", "multipart/form-data"}
    assert content["multipart/form-data"]["schema"]["required"] == ["file"]


def test_an_action_that_is_read_takes_its_values_from_the_query(document: Document) -> None:
    parameters = document["paths"]["/job/capacity/{year}"]["get"]["parameters"]
    assert [(parameter["name"], parameter["in"]) for parameter in parameters if "name" in parameter] == [
        ("year", "path"),
        ("from", "query"),
    ]


def test_an_action_that_is_written_takes_a_body(document: Document) -> None:
    body = document["paths"]["/job/{job_id}/split"]["post"]["requestBody"]
    assert body["required"] is True
    assert body["content"]["application/json"]["schema"]["required"] == ["parts"]


def test_the_form_of_an_upload_tells_what_the_file_is_for(document: Document) -> None:
    form = document["paths"]["/job/{job_id}/drawing"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert set(form["properties"]) == {"file", "external_ref"}


def test_a_picture_is_sent_as_a_text_of_any_length_and_shown_as_an_address(document: Document) -> None:
    assert "maxLength" not in schema_of(document, "PersonCreate")["properties"]["avatar"]
    assert schema_of(document, "Person")["properties"]["avatar"]["maxLength"] == 2048


def test_a_worked_out_answer_has_the_properties_that_are_sure(document: Document) -> None:
    assert schema_of(document, "Weather")["required"] == ["kind"]


def test_a_word_in_a_path_is_a_text(document: Document) -> None:
    (parameter,) = [found for found in document["paths"]["/weather/{place}"]["get"]["parameters"] if "name" in found]
    assert parameter["schema"] == {"type": "string", "minLength": 1}


def test_attaching_and_detaching_answer_nothing_and_may_ask_for_a_version(document: Document) -> None:
    item = document["paths"]["/job/{job_id}/tool/{tool_id}"]
    for operation in item.values():
        assert "204" in operation["responses"]
        assert "412" in operation["responses"]
        assert {"$ref": "#/components/parameters/If-Match"} in operation["parameters"]
    assert "requestBody" in item["put"]
    assert "requestBody" not in item["delete"]


def test_an_action_without_an_answer_has_none(document: Document) -> None:
    assert "content" not in document["paths"]["/job/forget"]["post"]["responses"]["204"]


def test_a_key_needs_both_headers_and_a_token_none_of_them(document: Document) -> None:
    assert document["security"] == [{"apiKey": [], "apiEnvironment": []}, {"accessToken": []}]


# ── what is shown once ──


def revealing() -> Document:
    key = Text("key", max=64, note="the key itself.")
    described = Object(
        name="safe",
        section="base",
        purpose="A safe.",
        fields=(identity(), Text("name"), *timestamps()),
        places=(Place("/safe"),),
        actions=(
            Action("POST", "/safe/{safe_id}/turn", "turn a safe's key", refuse_to_run, answer="safe", reveals=(key,)),
            Action("POST", "/safe/{safe_id}/copy", "copy a safe's key", refuse_to_run, reveals=(key,)),
        ),
        reveals=(key,),
    )
    return build([described])


def answered(document: Document, path: str, method: str, status: str) -> dict[str, Any]:
    """The properties of an answer."""
    schema = document["paths"][path][method]["responses"][status]["content"]["application/json"]["schema"]
    named = schema.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = (document["components"]["schemas"][named] if named else schema)["properties"]
    return found


@pytest.mark.parametrize(
    ("path", "status", "others"),
    [("/safe", "201", {"id", "name"}), ("/safe/{safe_id}/turn", "200", {"id", "name"}), ("/safe/{safe_id}/copy", "200", set())],
)
def test_what_an_answer_shows_once_is_marked_there(path: str, status: str, others: set[str]) -> None:
    """To see it fail: leave `once_schema` out of `answers`."""
    document = revealing()
    validate(document)
    shown = answered(document, path, "post", status)
    assert shown["key"] == {"type": "string", "maxLength": 64, "description": "The key itself.", "readOnly": True, "x-once": True}
    assert others <= set(shown)


@pytest.mark.parametrize(("path", "method"), [("/safe/{safe_id}", "get"), ("/safe/{safe_id}", "put")])
def test_no_other_answer_shows_it(path: str, method: str) -> None:
    assert "key" not in answered(revealing(), path, method, "200")
