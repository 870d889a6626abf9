"""The pages come from this server alone, need no script where they promise it, and are sent once."""

import hashlib
import re
from importlib.resources import files

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from tests.unit.reference.sample import SAMPLE

from planwerk.reference.openapi import build
from planwerk.reference.page import routes
from planwerk.reference.plain import type_words
from planwerk.reference.readable import readable

PATHS = [route.path for route in routes(SAMPLE)]


@pytest.fixture(scope="module")
def client() -> TestClient:
    return TestClient(Starlette(routes=routes(SAMPLE)))


@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_there_and_allows_no_other_host(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-security-policy"].startswith("default-src 'self'")


@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_not_sent_again_to_those_who_have_it(client: TestClient, path: str) -> None:
    etag = client.get(path).headers["etag"]
    answer = client.get(path, headers={"if-none-match": etag})
    assert (answer.status_code, answer.content) == (304, b"")


def test_a_page_is_compressed_only_when_asked(client: TestClient) -> None:
    plain = client.get("/openapi.json", headers={"accept-encoding": "identity"})
    compressed = client.get("/openapi.json", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert compressed.headers["content-encoding"] == "gzip"
    assert plain.content == compressed.content
    assert int(compressed.headers["content-length"]) < len(plain.content) / 3


def test_openapi_json_is_the_document(client: TestClient) -> None:
    assert client.get("/openapi.json").json() == build(SAMPLE)


@pytest.mark.parametrize("path", ["/docs", "/docs/plain"])
def test_a_page_names_no_address_of_another_host(client: TestClient, path: str) -> None:
    text = client.get(path).text
    assert not re.search(r"""(src|href|action)=["'](https?:)?//""", text)


def test_every_file_that_a_page_names_is_served(client: TestClient) -> None:
    text = client.get("/docs").text + client.get("/docs/plain").text
    named = set(re.findall(r'(?:src|href)="(/[^"#]+)"', text))
    assert len(named) > 5
    assert {name for name in named if client.get(name).status_code != 200} == set()


def test_the_plain_page_has_no_script_and_no_style_of_its_own(client: TestClient) -> None:
    text = client.get("/docs/plain").text
    assert "<script" not in text
    assert " style=" not in text


def test_every_link_inside_the_plain_page_leads_somewhere(client: TestClient) -> None:
    text = client.get("/docs/plain").text
    anchors = re.findall(r'id="([^"]+)"', text)
    assert set(re.findall(r'href="#([^"]+)"', text)) <= set(anchors)
    assert len(anchors) == len(set(anchors))


def test_the_plain_page_shows_every_property_relation_and_operation(client: TestClient) -> None:
    text = client.get("/docs/plain").text
    for described in SAMPLE:
        names = [field.name for field in described.fields if not field.hidden]
        names += [relation.name for relation in described.relations if relation.to != "nowhere"]
        assert [name for name in names if f"<code>{name}</code>" not in text] == []
    for operation in (operation for item in build(SAMPLE)["paths"].values() for operation in item.values()):
        assert f'/operation/{operation["operationId"]}"' in text


def test_the_plain_page_escapes_what_the_catalog_says(client: TestClient) -> None:
    assert "&#34;" in client.get("/docs/plain").text


def test_the_vendored_reader_is_the_one_that_was_looked_at() -> None:
    static = files("planwerk.reference").joinpath("static")
    for line in static.joinpath("redoc.sha256").read_text().splitlines():
        digest, name = line.split()
        assert hashlib.sha256(static.joinpath(name).read_bytes()).hexdigest() == digest


def test_the_readers_document_leaves_out_the_inside_of_related_objects() -> None:
    found = readable(build(SAMPLE))
    schemas = found["components"]["schemas"]
    assert schemas["Job"]["properties"]["owner"]["title"] == "Person"
    assert schemas["JobCreate"]["properties"]["steps"]["items"] == {"$ref": "#/components/schemas/StepNested"}
    assert schemas["JobCreate"]["properties"]["start"] == {"type": ["string", "null"], "format": "date"}
    assert "RateLimit-Limit" not in found["paths"]["/job"]["get"]["responses"]["200"]["headers"]


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "string", "maxLength": 80}, "string, at most 80"),
        ({"type": ["integer", "null"], "minimum": 0}, "integer or null, from 0"),
        ({"type": "number", "maximum": 5}, "number, up to 5"),
        ({"type": "object", "properties": {"a": {}, "b": {}}}, "object of a, b"),
        ({"type": ["string", "null"], "enum": ["x", None]}, "x or null"),
        ({}, "any value"),
    ],
)
def test_a_type_is_told_in_a_few_words(schema: dict[str, object], words: str) -> None:
    assert type_words(schema) == words
