"""One small class per type of property: its column, how a JSON value is read, shown, described and compared.

A field is asked five things: `column()` (SQLAlchemy type), `parse(raw)` (JSON value to value, or `Bad`),
`store(value)` (value to column), `render(stored)` (column to JSON) and `schema()` (JSON Schema 2020-12).
`operators` and `operand(text)` serve filters. Nothing here knows an object, a database or HTTP.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

import orjson
from sqlalchemy.types import BigInteger, Boolean as BooleanType, Float, String, TypeEngine

Value = Any  # a JSON value, or what a column holds: str, int, float, bool or None

MAX_LEVELS = 64  # of lists and objects in a free value; orjson writes 254, SQLite's JSON functions read 1000
INTEGER_LIMIT = 2**53 - 1  # the largest integer every JSON reader keeps exactly (RFC 8259, section 6)
EQUALITY = frozenset({"eq"})
ORDER = frozenset({"gt", "gte", "lt", "lte"})
TEXT = frozenset({"contains", "starts_with", "ends_with"})


class Bad(ValueError):
    """A value that a field does not take; the text says what it takes. `at` leads to the place inside the value."""

    def __init__(self, description: str, at: str = "") -> None:
        super().__init__(description)
        self.description = description
        self.at = at


class ManyBad(Exception):
    """Several bad places inside one value."""

    def __init__(self, items: Iterable[Bad]) -> None:
        super().__init__("several bad values")
        self.items = tuple(items)


@dataclass(frozen=True)
class Field:
    """A property of an object.

    `required`: a create without it is refused. `read_only`: set by the server, ignored in a body.
    `hidden`: a column that is no property. `write_only`: taken from a body, never shown.
    """

    name: str
    _: KW_ONLY
    nullable: bool = False
    required: bool = False
    default: Value = None
    read_only: bool = False
    write_only: bool = False
    hidden: bool = False
    deprecated: bool = False
    note: str = ""

    operators: ClassVar[frozenset[str]] = EQUALITY | ORDER | TEXT
    blank_is_null: ClassVar[bool] = True

    @property
    def takes_null(self) -> bool:
        """A property without a default is shown as null when absent, so null must be taken back."""
        return self.nullable or (self.default is None and not self.required)

    @property
    def is_shown(self) -> bool:
        return not self.hidden and not self.write_only

    def column(self) -> TypeEngine[Any]:
        raise NotImplementedError

    def read(self, raw: Value) -> Value:
        """The value of a property in a body, null handling included; raises `Bad` or `ManyBad`."""
        if raw == "" and self.blank_is_null:
            raw = None
        if raw is None:
            if not self.takes_null:
                raise Bad("may not be null")
            return None
        return self.parse(raw)

    def parse(self, raw: Value) -> Value:
        raise NotImplementedError

    def store(self, value: Value) -> Value:
        return value

    def render(self, stored: Value) -> Value:
        return stored

    def operand(self, text: str) -> Value:
        """The value a filter compares with, read from its text; raises `Bad`."""
        return self.parse(text)

    def schema(self) -> dict[str, Any]:
        raise NotImplementedError


def is_clean(text: str) -> bool:
    """Whether both databases can store the text: PostgreSQL refuses U+0000 and neither takes half of a surrogate pair."""
    return "\x00" not in text and not any("\ud800" <= char <= "\udfff" for char in text if char > "\ud7ff")


@dataclass(frozen=True)
class Text(Field):
    """Text of at most `max` characters; `like` says in words what the pattern asks for."""

    _: KW_ONLY
    max: int = 255
    pattern: str | None = None
    like: str = ""
    format: str | None = None

    blank_is_null: ClassVar[bool] = False

    def column(self) -> TypeEngine[Any]:
        return String()

    def parse(self, raw: Value) -> Value:
        if not isinstance(raw, str):
            raise Bad("must be a text")
        if len(raw) > self.max:
            raise Bad(f"must have at most {self.max} characters, has {len(raw)}")
        if not is_clean(raw):
            raise Bad("may not hold the character U+0000")
        if self.pattern and not re.fullmatch(self.pattern, raw):
            raise Bad(f"must be {self.like}" if self.like else f"must match {self.pattern}")
        return raw

    def operand(self, text: str) -> Value:
        return text

    def schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": "string", "maxLength": self.max}
        if self.pattern:
            schema["pattern"] = self.pattern if self.pattern.startswith("^") else f"^{self.pattern}$"
        if self.format:
            schema["format"] = self.format
        return schema


EMAIL = r"[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+"  # one @ with something on both sides; more is for the mail server to judge
URL = r"https?://[^\s\x00-\x1f]+"
HEX_COLOR = r"^#([A-Fa-f0-9]{3}){1,2}$"


def LongText(name: str, **options: Any) -> Text:
    """Text as long as a note: 65,535 characters."""
    return Text(name, **{"max": 65535, **options})


def Email(name: str, **options: Any) -> Text:
    return Text(name, **{"max": 254, "pattern": EMAIL, "like": "an e-mail address", **options})


def Url(name: str, **options: Any) -> Text:
    return Text(name, **{"max": 2048, "pattern": URL, "like": "an address that begins with http:// or https://", **options})


def HexColor(name: str, **options: Any) -> Text:
    return Text(name, **{"max": 7, "pattern": HEX_COLOR, "like": "a colour like #1a2b3c", **options})


UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Uuid(Field):
    """A lower-case UUID (RFC 9562); capitals are read, too."""

    def column(self) -> TypeEngine[Any]:
        return String(36)

    def parse(self, raw: Value) -> Value:
        if isinstance(raw, str):
            lower = raw.lower()
            if UUID.fullmatch(lower):
                return lower
        raise Bad("must be a UUID")

    def operand(self, text: str) -> Value:
        return text.lower()

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "uuid"}


@dataclass(frozen=True)
class Ref(Uuid):
    """The id of another object; `to` is the other object's name. The server checks that it exists."""

    _: KW_ONLY
    to: str = ""


@dataclass(frozen=True)
class Choice(Field):
    """One of a few words."""

    _: KW_ONLY
    words: tuple[str, ...] = ()

    blank_is_null: ClassVar[bool] = False

    def column(self) -> TypeEngine[Any]:
        return String()

    def parse(self, raw: Value) -> Value:
        if raw not in self.words or not isinstance(raw, str):
            raise Bad(f"must be one of {', '.join(self.words)}")
        return raw

    def operand(self, text: str) -> Value:
        return text

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": list(self.words)}


@dataclass(frozen=True)
class Integer(Field):
    """A whole number; 5.0 is read as 5."""

    _: KW_ONLY
    min: int = -INTEGER_LIMIT
    max: int = INTEGER_LIMIT

    operators: ClassVar[frozenset[str]] = EQUALITY | ORDER

    def column(self) -> TypeEngine[Any]:
        return BigInteger()

    def parse(self, raw: Value) -> Value:
        if isinstance(raw, float) and raw.is_integer():
            raw = int(raw)
        if not isinstance(raw, int) or isinstance(raw, bool):
            raise Bad("must be a whole number")
        if not self.min <= raw <= self.max:
            raise Bad(f"must lie between {self.min} and {self.max}")
        return raw

    def operand(self, text: str) -> Value:
        if not re.fullmatch(r"[+-]?\d{1,16}", text, re.ASCII):
            raise Bad("must be a whole number")
        return int(text)

    def schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.min, "maximum": self.max}


@dataclass(frozen=True)
class Number(Field):
    """A decimal number, kept as an IEEE 754 double; whole values are shown without a point."""

    _: KW_ONLY
    min: float = -1e15
    max: float = 1e15

    operators: ClassVar[frozenset[str]] = EQUALITY | ORDER

    def column(self) -> TypeEngine[Any]:
        return Float(53)

    def parse(self, raw: Value) -> Value:
        if not isinstance(raw, int | float) or isinstance(raw, bool):
            raise Bad("must be a number")
        if not self.min <= raw <= self.max:
            raise Bad(f"must lie between {self.min:g} and {self.max:g}")
        return float(raw)

    def render(self, stored: Value) -> Value:
        return int(stored) if isinstance(stored, float) and stored.is_integer() else stored

    def operand(self, text: str) -> Value:
        if not re.fullmatch(r"[+-]?\d{1,16}(\.\d{1,16})?", text, re.ASCII):
            raise Bad("must be a number")
        return float(text)

    def schema(self) -> dict[str, Any]:
        return {"type": "number", "minimum": self.min, "maximum": self.max}


@dataclass(frozen=True)
class Boolean(Field):
    """true or false."""

    operators: ClassVar[frozenset[str]] = EQUALITY

    def column(self) -> TypeEngine[Any]:
        return BooleanType()

    def parse(self, raw: Value) -> Value:
        if not isinstance(raw, bool):
            raise Bad("must be true or false")
        return raw

    def render(self, stored: Value) -> Value:
        return None if stored is None else bool(stored)

    def operand(self, text: str) -> Value:
        word = text.lower()
        if word not in ("true", "false", "1", "0"):
            raise Bad("must be true, false, 1 or 0")
        return word in ("true", "1")

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


@dataclass(frozen=True)
class Date(Field):
    """A calendar day, `YYYY-MM-DD`."""

    def column(self) -> TypeEngine[Any]:
        return String(10)

    def parse(self, raw: Value) -> Value:
        if isinstance(raw, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", raw, re.ASCII):
            try:
                return dt.date.fromisoformat(raw).isoformat()
            except ValueError:
                pass
        raise Bad("must be a date, YYYY-MM-DD")

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date"}


@dataclass(frozen=True)
class Time(Field):
    """A time of day, `HH:MM`."""

    def column(self) -> TypeEngine[Any]:
        return String(5)

    def parse(self, raw: Value) -> Value:
        if isinstance(raw, str) and re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", raw, re.ASCII):
            return raw
        raise Bad("must be a time, HH:MM")

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": r"^([01]\d|2[0-3]):[0-5]\d$"}


INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def instant(moment: dt.datetime) -> str:
    """A moment as the API writes it: UTC, whole seconds, Z."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")


@dataclass(frozen=True)
class DateTime(Field):
    """A moment: RFC 3339 with any offset comes in, UTC with whole seconds and Z goes out."""

    def column(self) -> TypeEngine[Any]:
        return String(20)

    def parse(self, raw: Value) -> Value:
        found = INSTANT.fullmatch(raw) if isinstance(raw, str) else None
        if found:
            day, clock, offset = found.groups()
            try:
                return instant(dt.datetime.fromisoformat(f"{day}T{clock}{offset.upper().replace('Z', '+00:00')}"))
            except (ValueError, OverflowError):
                pass
        raise Bad("must be a moment of RFC 3339, such as 2024-04-11T10:22:15Z")

    def operand(self, text: str) -> Value:
        """A bare date stands for its midnight, UTC."""
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
            text += "T00:00:00Z"
        return self.parse(text)

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date-time"}


class Json(Field):
    """Fields whose value is an array or object: one column of JSON text, spliced into the answer as it is."""

    operators: ClassVar[frozenset[str]] = frozenset()

    def column(self) -> TypeEngine[Any]:
        return String()

    def store(self, value: Value) -> Value:
        return None if value is None else orjson.dumps(value).decode()

    def render(self, stored: Value) -> Value:
        return None if stored is None else orjson.Fragment(stored)


def load(stored: str | None) -> Any:
    """The value of a stored JSON column."""
    return None if stored is None else orjson.loads(stored)


@dataclass(frozen=True)
class Words(Json):
    """A list of words; without `words` any text is one."""

    _: KW_ONLY
    words: tuple[str, ...] = ()

    operators: ClassVar[frozenset[str]] = frozenset({"contains"})

    def parse(self, raw: Value) -> Value:
        if not isinstance(raw, list) or len(raw) > 1000:
            raise Bad("must be a list of at most 1000 words")
        word = Choice("", words=self.words) if self.words else Text("")
        return list(dict.fromkeys(parse_each(raw, word.parse)))

    def operand(self, text: str) -> Value:
        return text

    def schema(self) -> dict[str, Any]:
        word = Choice("", words=self.words) if self.words else Text("")
        return {"type": "array", "items": word.schema(), "maxItems": 1000}


@dataclass(frozen=True)
class Map(Json):
    """A map of free keys to values; `values` reads each one. Filters reach a key with `name.key`."""

    _: KW_ONLY
    values: Callable[[Value], Value] | None = None

    def parse(self, raw: Value) -> Value:
        if not isinstance(raw, dict) or len(raw) > 200:
            raise Bad("must be an object of at most 200 keys")
        return parse_any(raw)

    def schema(self) -> dict[str, Any]:
        return {"type": "object", "additionalProperties": True, "maxProperties": 200}


@dataclass(frozen=True)
class Anything(Json):
    """Any JSON value."""

    blank_is_null: ClassVar[bool] = False

    def parse(self, raw: Value) -> Value:
        return parse_any(raw)

    def schema(self) -> dict[str, Any]:
        return {}


@dataclass(frozen=True)
class Record(Json):
    """An object with the given fields; every key is shown, absent ones with their default."""

    _: KW_ONLY
    fields: tuple[Field, ...] = ()

    def parse(self, raw: Value) -> Value:
        if not isinstance(raw, dict):
            raise Bad("must be an object")
        return parse_record(raw, self.fields)

    def schema(self) -> dict[str, Any]:
        return record_schema(self.fields)


@dataclass(frozen=True)
class Items(Json):
    """A list of objects that live inside their owner and have no path of their own.

    With an `id` among the fields the server gives each item its id and timestamps, and an item that is sent with
    its id changes the stored one.
    """

    _: KW_ONLY
    fields: tuple[Field, ...] = ()
    default: Value = ()

    @property
    def is_identified(self) -> bool:
        return any(field.name == "id" and field.read_only for field in self.fields)

    def parse(self, raw: Value) -> Value:
        if not isinstance(raw, list) or len(raw) > 1000:
            raise Bad("must be a list of at most 1000 objects")
        return parse_each(raw, self.parse_item)

    def parse_item(self, raw: Value) -> Value:
        if not isinstance(raw, dict):
            raise Bad("must be an object")
        item = parse_record(raw, [field for field in self.fields if not field.read_only], defaults=not raw.get("id"))
        if self.is_identified and raw.get("id"):
            item["id"] = parse_record(raw, [Uuid("id")])["id"]
        return item

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": record_schema(self.fields), "maxItems": 1000}


def parse_record(raw: Mapping[str, Value], fields: Iterable[Field], *, defaults: bool = True) -> dict[str, Value]:
    """The named fields of an object; unknown keys are dropped, all faults are told at once."""
    bad: list[Bad] = []
    record: dict[str, Value] = {}
    for field in fields:
        if field.name in raw:
            with collect(bad, field.name):
                record[field.name] = field.read(raw[field.name])
        elif field.required:
            bad.append(Bad("is required", field.name))
        elif defaults:
            record[field.name] = field.default
    if bad:
        raise ManyBad(bad)
    return record


def parse_each(raw: list[Value], parse: Callable[[Value], Value]) -> list[Value]:
    """Each item of a list, all faults told at once."""
    bad: list[Bad] = []
    items = []
    for index, item in enumerate(raw):
        with collect(bad, f"[{index}]"):
            items.append(parse(item))
    if bad:
        raise ManyBad(bad)
    return items


class collect:
    """Collects what a block finds bad, under the name of the place: `with collect(bad, "name"): …`."""

    def __init__(self, bad: list[Bad], place: str) -> None:
        self.bad, self.place = bad, place

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if isinstance(error, Bad):
            self.bad.append(Bad(error.description, join(self.place, error.at)))
        elif isinstance(error, ManyBad):
            self.bad.extend(Bad(item.description, join(self.place, item.at)) for item in error.items)
        else:
            return False
        return True


def join(place: str, inner: str) -> str:
    """The way to a place inside a value: `stages[0].name`.

    >>> join("stages", "[0]"), join("stages[0]", "name"), join("name", ""), join("", "name")
    ('stages[0]', 'stages[0].name', 'name', 'name')
    """
    return place + inner if inner.startswith("[") or not inner or not place else f"{place}.{inner}"


def parse_any(raw: Value, level: int = 0) -> Value:
    """Any JSON value that both databases can keep; raises `Bad` for U+0000 in a text, numbers out of range and deep nesting."""
    if level > MAX_LEVELS:
        raise Bad(f"may be nested to {MAX_LEVELS} levels")
    if isinstance(raw, str) and not is_clean(raw):
        raise Bad("may not hold the character U+0000")
    if isinstance(raw, int) and not isinstance(raw, bool) and abs(raw) > INTEGER_LIMIT:
        raise Bad(f"must lie between {-INTEGER_LIMIT} and {INTEGER_LIMIT}")
    if isinstance(raw, list):
        return [parse_any(item, level + 1) for item in raw]
    if isinstance(raw, dict):
        return {parse_any(key): parse_any(item, level + 1) for key, item in raw.items()}
    return raw


def record_schema(fields: Iterable[Field]) -> dict[str, Any]:
    """The JSON Schema of an object with these fields, as it is shown."""
    return {
        "type": "object",
        "properties": {field.name: shown_schema(field) for field in fields if field.is_shown},
    }


def shown_schema(field: Field) -> dict[str, Any]:
    """The JSON Schema of a property in an answer: null where it may be null, with its note."""
    schema = field.schema()
    if field.takes_null or field.read_only:
        schema = or_null(schema)
    if field.note:
        schema["description"] = field.note
    if field.deprecated:
        schema["deprecated"] = True
    if field.read_only:
        schema["readOnly"] = True
    if field.default is not None:
        schema["default"] = list(field.default) if isinstance(field.default, tuple) else field.default
    return schema


def or_null(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema that takes null, too."""
    if "type" not in schema:
        return schema
    schema = {**schema, "type": [schema["type"], "null"]}
    if "enum" in schema:
        schema["enum"] = [*schema["enum"], None]
    return schema
