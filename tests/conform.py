"""Checks any answer of the server against the reference: used by the test client for every answer of every test.

It is stricter than the document that is published: a property that the document does not know is a fault here, and so is
one that is missing although nobody asked for less with `show` or `hide`.
"""

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

import jsonschema_rs

from planwerk.errors import ALL as KINDS

Document = Mapping[str, Any]
SCHEMAS = "#/components/schemas/"
BODIES = ("Create", "Update", "Nested")
STATUS_OF = {kind.code: kind.status for kind in KINDS}
ANYWHERE = frozenset({303, 401, 403, 414, 429, 431, 500, 503})  # may come before the path is even looked at


class Conformity:
    """One document, ready to judge answers; validators are compiled when they are first needed."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.prefix = document["servers"][0]["url"].rstrip("/")
        self.tree = path_tree(document["paths"])
        self.schemas = {is_whole: strict_schemas(document["components"]["schemas"], is_whole) for is_whole in (True, False)}
        self.validator = lru_cache(maxsize=None)(self.compile)

    def check(self, method: str, path: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Raises AssertionError with a sentence when the answer is not as documented. `path` may carry a query."""
        names = {name.lower(): value for name, value in headers.items()}
        plain, _, query = path.partition("?")
        here = f"{method} {path} → {status}"
        answer, where = self.answer(method, plain, status, here)
        for name in required_headers(answer, self.document):
            assert name.lower() in names, f"{here}: the header {name} is missing"
        if "content" not in answer or method == "HEAD":
            assert not body or status == 303, f"{here}: a body where none is documented: {body[:200]!r}"
            return
        media_type = names.get("content-type", "").partition(";")[0].strip()
        assert media_type in answer["content"], f"{here}: the content type is {media_type or 'missing'}, not {list(answer['content'])}"
        is_whole = not any(name in ("show", "hide") and value for name, value in parse_qsl(query))
        value = self.value(body, here)
        validator = self.validator(*where, media_type, is_whole)
        if not validator.is_valid(value):
            raise AssertionError(f"{here}: {sentence(next(iter(validator.iter_errors(value))))}")
        if status >= 400:
            check_refusal(value, status, names, here)

    def answer(self, method: str, path: str, status: int, here: str) -> tuple[Document, tuple[str, ...]]:
        """The documented answer, and the way to it in the document."""
        template = self.template(path)
        item = self.document["paths"].get(template, {})
        verb = "get" if method == "HEAD" else method.lower()
        if verb not in item:
            expected = {405} if item else {404}
            assert status in expected | ANYWHERE, f"{here}: no such {'method' if item else 'path'}; expected {expected}"
            return self.shared(f"Status{status}" if status != 303 else "SeeOther")
        answers = item[verb]["responses"]
        assert str(status) in answers, f"{here}: the status is not documented; {', '.join(answers)} are"
        if "$ref" in answers[str(status)]:
            return self.shared(answers[str(status)]["$ref"].rpartition("/")[2])
        return answers[str(status)], ("paths", template, verb, "responses", str(status))

    def shared(self, name: str) -> tuple[Document, tuple[str, ...]]:
        return self.document["components"]["responses"][name], ("components", "responses", name)

    def template(self, path: str) -> str:
        """The path template that a path fits; words win over parameters. "" if there is none."""
        below = path.removeprefix(self.prefix) if path.startswith(self.prefix) else ""
        return find(self.tree, [part for part in below.split("/") if part]) or ""

    def compile(self, *where: Any) -> jsonschema_rs.Draft202012Validator:
        *steps, media_type, is_whole = where
        found: Any = self.document
        for step in steps:
            found = found[step]
        schema = found["content"][media_type]["schema"]
        return jsonschema_rs.Draft202012Validator(
            {**strict(schema, is_whole=is_whole), "components": {"schemas": self.schemas[is_whole]}}, validate_formats=True
        )

    @staticmethod
    def value(body: bytes, here: str) -> Any:
        try:
            return json.loads(body.decode("utf-8"), object_pairs_hook=without_repeats)
        except ValueError as error:
            raise AssertionError(f"{here}: the body is no JSON: {error}; {body[:200]!r}") from None


def sentence(error: jsonschema_rs.ValidationError) -> str:
    return f"{'/'.join(map(str, error.instance_path)) or 'the body'}: {error.message[:500]}"


def without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object in which every name stands once (RFC 8259, section 4)."""
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"a name stands twice in {names}")
    return found


def check_refusal(value: Any, status: int, headers: Mapping[str, str], here: str) -> None:
    """What a schema cannot say: the references are one, and the code belongs to the status."""
    references = {value["reference"], headers.get("reference-tag"), *(fault["reference"] for fault in value["errors"])}
    assert len(references) == 1, f"{here}: the references differ: {references}"
    code = value["errors"][0]["code"]
    assert STATUS_OF.get(code) == status, f"{here}: code {code} belongs to status {STATUS_OF.get(code)}"


def required_headers(answer: Document, document: Document) -> Iterator[str]:
    for name, header in answer.get("headers", {}).items():
        known = document["components"]["headers"][header["$ref"].rpartition("/")[2]] if "$ref" in header else header
        if known.get("required"):
            yield name


Tree = dict[str, Any]


def path_tree(paths: Document) -> Tree:
    """Path templates by their parts; a parameter is "{}" and the template itself stands under ""."""
    tree: Tree = {}
    for template in paths:
        node = tree
        for part in template.strip("/").split("/"):
            node = node.setdefault("{}" if part.startswith("{") else part, {})
        node[""] = template
    return tree


def find(node: Tree, parts: list[str]) -> str | None:
    if not parts:
        return node.get("")
    for key in (parts[0], "{}"):
        if key in node and (found := find(node[key], parts[1:])):
            return found
    return None


def strict_schemas(schemas: Document, is_whole: bool) -> dict[str, Any]:
    """The schemas of answers, closed; those of bodies are left out."""
    return {name: strict(schema, is_whole=is_whole) for name, schema in schemas.items() if not name.endswith(BODIES)}


def strict(schema: Any, *, is_whole: bool) -> Any:
    """A copy in which objects with properties have no others; `is_whole`: and all of them but the relations and what is shown
    once, unless the document itself says which are sure to be there."""
    if isinstance(schema, list):
        return [strict(item, is_whole=is_whole) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    copy = {name: strict(value, is_whole=is_whole) for name, value in schema.items() if name != "properties"}
    if "properties" in schema:
        properties: Mapping[str, Any] = schema["properties"]
        copy["properties"] = {name: strict(value, is_whole=is_whole) for name, value in properties.items()}
        copy["additionalProperties"] = False
        if is_whole and "required" not in schema:
            copy["required"] = [name for name, value in properties.items() if value.keys().isdisjoint({"x-relation", "x-once"})]
    return copy
