"""The types whose value is a list or an object: one column of JSON text, whose faults are told by their place inside it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

import orjson
from sqlalchemy.types import String, TypeEngine

from planwerk.fields.field import INTEGER_LIMIT, Bad, Field, ManyBad, Value, is_clean, join, record_schema
from planwerk.fields.single import Choice, Date, Text, Uuid

SHOWN = 100  # characters of a wrong word that the answer repeats
MAX_LEVELS = 64  # of lists and objects in a free value; orjson writes 254, SQLite's JSON functions read 1000


class Json(Field):
    """Fields whose value is an array or object: one column of JSON text, spliced into the answer as it is."""

    operators: ClassVar[frozenset[str]] = frozenset()
    is_rendered: ClassVar[bool] = True

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
        return list(dict.fromkeys(parse_each(raw, self.parse_word)))

    def parse_word(self, raw: Value) -> Value:
        """One word; a text that is none of them is repeated, cut short, so that its owner finds it among many."""
        if not self.words:
            return Text("").parse(raw)
        try:
            return Choice("", words=self.words).parse(raw)
        except Bad as bad:
            shown = raw[:SHOWN].strip() if isinstance(raw, str) and is_clean(raw) else ""
            raise Bad(f"{bad.description}, not {shown}" if shown else bad.description) from None

    def operand(self, text: str) -> Value:
        return text

    def schema(self) -> dict[str, Any]:
        word = Choice("", words=self.words) if self.words else Text("")
        return {"type": "array", "items": word.schema(), "maxItems": 1000}


@dataclass(frozen=True)
class Ids(Json):
    """A list of ids of one kind of object, each bare or as `{id}`."""

    _: KW_ONLY
    to: str = ""
    most: int = 1000

    def parse(self, raw: Value) -> Value:
        if not isinstance(raw, list) or len(raw) > self.most:
            raise Bad(f"must be a list of at most {self.most} ids")
        return list(dict.fromkeys(parse_each(raw, self.parse_id)))

    def parse_id(self, raw: Value) -> Value:
        return Uuid("").parse(raw.get("id") if isinstance(raw, dict) else raw)

    def schema(self) -> dict[str, Any]:
        named = {"type": "object", "required": ["id"], "properties": {"id": Uuid("").schema()}}
        return {"type": "array", "items": {"anyOf": [Uuid("").schema(), named]}, "maxItems": self.most}


@dataclass(frozen=True)
class Days(Json):
    """A list of days, each `YYYY-MM-DD`."""

    _: KW_ONLY
    most: int = 2000

    def parse(self, raw: Value) -> Value:
        if not isinstance(raw, list) or len(raw) > self.most:
            raise Bad(f"must be a list of at most {self.most} dates")
        return parse_each(raw, Date("").parse)

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": Date("").schema(), "maxItems": self.most}


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
    most: int = 1000

    @property
    def is_identified(self) -> bool:
        return any(field.name == "id" and field.read_only for field in self.fields)

    def parse(self, raw: Value) -> Value:
        if not isinstance(raw, list) or len(raw) > self.most:
            raise Bad(f"must be a list of at most {self.most} objects")
        return parse_each(raw, self.parse_item)

    def parse_item(self, raw: Value) -> Value:
        if not isinstance(raw, dict):
            raise Bad("must be an object")
        is_known = raw.get("id") not in (None, "")
        item = parse_record(raw, [field for field in self.fields if not field.read_only], defaults=not is_known)
        if self.is_identified and is_known:
            item["id"] = parse_record(raw, [Uuid("id")])["id"]
        return item

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": record_schema(self.fields), "maxItems": self.most}


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
