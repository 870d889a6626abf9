"""The catalog → one page of HTML that needs no script, reads well on a phone and prints well."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson
from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from planwerk import __version__
from planwerk.describe import CREATE, Link, Many, Object, Relation
from planwerk.errors import ALL as KINDS
from planwerk.fields import Field
from planwerk.reference.examples import body_example, object_example
from planwerk.reference.guide import guide
from planwerk.reference.openapi import SECTIONS, facts, note_of
from planwerk.reference.operations import Operation, operations
from planwerk.reference.parameters import SHARED, Parameter, parameters_of
from planwerk.reference.properties import Schema, answer_schema, body_schema
from planwerk.reference.readable import simplify
from planwerk.reference.schemas import documented, known_relations
from planwerk.reference.words import title


@dataclass(frozen=True)
class Chapter:
    """One object on the page: what the template asks for."""

    object: Object
    objects: Mapping[str, Object]

    @property
    def title(self) -> str:
        return title(self.object.name)

    @property
    def anchor(self) -> str:
        """The same as in the reader with scripts."""
        return f"tag/{anchor_of(self.title)}"

    @cached_property
    def facts(self) -> list[Markup]:
        return [markdown(text) for text in (self.object.note, *facts(self.object)) if text]

    @cached_property
    def operations(self) -> list["Entry"]:
        return [Entry(operation, self.objects) for operation in operations([self.object])]

    @cached_property
    def properties(self) -> list["Property"]:
        return [Property(field) for field in self.object.fields if not field.hidden]

    @cached_property
    def relations(self) -> list[tuple[str, "Chapter", str]]:
        """(name, where it leads, how)"""
        return [
            (relation.name, Chapter(self.objects[relation.to], self.objects), kind_of(relation))
            for relation in known_relations(self.object, self.objects)
        ]

    @property
    def examples(self) -> list[tuple[str, str]]:
        """The answer, and the body that creates one where that can be done."""
        found = [("An answer", object_example(self.object))]
        if any(CREATE in place.operations for place in self.object.places):
            found.append(("A body that creates one", body_example(self.object, self.objects)))
        return [(caption, orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()) for caption, value in found]


@dataclass(frozen=True)
class Entry:
    """One operation on the page."""

    operation: Operation
    objects: Mapping[str, Object]

    @property
    def note(self) -> Markup:
        return markdown(note_of(self.operation))

    @property
    def is_deprecated(self) -> bool:
        return bool(self.operation.place and self.operation.place.deprecated)

    @property
    def parameters(self) -> list[str]:
        """The names that may follow the path or stand in the headers."""
        found = [resolve(parameter) for parameter in parameters_of(self.operation, self.objects)]
        return [parameter["name"] for parameter in found if parameter["in"] != "path"]

    @property
    def values(self) -> list["Property"]:
        """The properties of a body that is no object of its own: an action's, or those of a link."""
        fields = self.operation.action.body if self.operation.action else ()
        return [Property(field) for field in fields]


@dataclass(frozen=True)
class Property:
    """One row of a table of properties."""

    field: Field

    @property
    def kind(self) -> str:
        schema = body_schema(self.field) if self.field.write_only else answer_schema(self.field)
        return type_words(simplify(schema))

    @property
    def marks(self) -> list[str]:
        field = self.field
        marks = {
            "required": field.required,
            "read only": field.read_only,
            "only in bodies": field.write_only,
            "deprecated": field.deprecated,
        }
        return [mark for mark, holds in marks.items() if holds]

    @property
    def default(self) -> str:
        return "" if self.field.default in (None, ()) else orjson.dumps(self.field.default).decode()


def resolve(parameter: Parameter) -> Parameter:
    return SHARED[parameter["$ref"].rpartition("/")[2]] if "$ref" in parameter else parameter


def kind_of(relation: Relation) -> str:
    """What a relation leads to, in words."""
    if isinstance(relation, Link):
        values = ", ".join(field.name for field in relation.table.pivot)
        return "linked" + (f", with {values}" if values else "")
    if isinstance(relation, Many):
        return "several of its own" if relation.is_owned else "several"
    return "one"


def type_words(schema: Schema) -> str:
    """A schema in a few words.

    >>> type_words({"type": ["string", "null"], "format": "date"})
    'date or null'
    >>> type_words({"type": "array", "items": {"type": "string", "enum": ["a", "b"]}})
    'list of a | b'
    >>> type_words({"type": "integer", "minimum": 0, "maximum": 5})
    'integer, 0 to 5'
    """
    kinds = schema.get("type", "any value")
    names = [kinds] if isinstance(kinds, str) else kinds
    null = " or null" if "null" in names else ""
    return kind_words(names[0], schema) + null + limit_words(schema)


def kind_words(name: str, schema: Schema) -> str:
    if "enum" in schema:
        return " | ".join(word for word in schema["enum"] if word is not None)
    if name == "array":
        return f"list of {type_words(schema['items'])}"
    if name == "object" and "properties" in schema:
        return "object of " + ", ".join(schema["properties"])
    return str(schema.get("format", name))


def limit_words(schema: Schema) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if "maxLength" in schema:
        return f", at most {schema['maxLength']}"
    if low is not None and high is not None:
        return f", {low:g} to {high:g}"
    return f", from {low:g}" if low is not None else f", up to {high:g}" if high is not None else ""


def markdown(text: str) -> Markup:
    return Markup(MarkdownIt("commonmark").enable("table").render(text))  # noqa: S704 – our own words


def guide_sections() -> list[tuple[str, str, Markup]]:
    """(anchor, heading, HTML) of each section of the guide."""
    parts = [part.partition("\n") for part in guide().removeprefix("# ").split("\n# ")]
    return [(f"section/{anchor_of(heading)}", heading, markdown(text)) for heading, _, text in parts]


def anchor_of(heading: str) -> str:
    """
    >>> anchor_of("Rate Limits")
    'Rate-Limits'
    """
    return heading.replace(" ", "-")


def sections(chapters: Iterable[Chapter]) -> dict[str, list[Chapter]]:
    found: dict[str, list[Chapter]] = {}
    for chapter in chapters:
        name = chapter.object.section
        found.setdefault(SECTIONS.get(name, title(name)), []).append(chapter)
    return found


def render(objects: Sequence[Object]) -> str:
    """The whole page."""
    environment = Environment(
        loader=PackageLoader("planwerk.reference"), autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
    )
    known = {described.name: described for described in documented(objects)}
    chapters = [Chapter(described, known) for described in known.values()]
    context: dict[str, Any] = {"version": __version__, "guide": guide_sections(), "sections": sections(chapters), "kinds": KINDS}
    return environment.get_template("plain.html").render(context)
