"""The types whose value is one text, number, truth, day or moment: a column of its own type that filters and sorts use."""

import datetime as dt
import re
from dataclasses import KW_ONLY, dataclass
from functools import lru_cache
from typing import Any, ClassVar
from zoneinfo import available_timezones

from sqlalchemy.types import BigInteger, Boolean as BooleanType, Float, String, TypeEngine

from planwerk.fields.field import EQUALITY, INTEGER_LIMIT, ORDER, Bad, Field, Value, is_clean


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
URL = r"[Hh][Tt][Tt][Pp][Ss]?://[^\s\x00-\x1f]+"  # a scheme in any case (RFC 3986, section 3.1); JSON Schema has no flag for that
HEX_COLOR = r"^#([A-Fa-f0-9]{3}){1,2}$"


def LongText(name: str, **options: Any) -> Text:
    """Text as long as a note: 65,535 characters."""
    return Text(name, **{"max": 65535, **options})


def Email(name: str, **options: Any) -> Text:
    return Text(name, **{"max": 254, "pattern": EMAIL, "like": "an e-mail address", **options})


@dataclass(frozen=True)
class LoginEmail(Text):
    """The email address that a person is known by. It is kept in small letters, so that capitals make no second person of one."""

    _: KW_ONLY
    max: int = 254
    pattern: str | None = EMAIL
    like: str = "an e-mail address"

    def parse(self, raw: Value) -> Value:
        return super().parse(raw.lower() if isinstance(raw, str) else raw)

    def operand(self, text: str) -> Value:
        return text.lower()


@lru_cache
def timezones_known() -> frozenset[str]:
    """The names of all time zones that this machine knows."""
    return frozenset(available_timezones())


@dataclass(frozen=True)
class TimeZone(Text):
    """The name of a time zone of the IANA database."""

    blank_is_null: ClassVar[bool] = True

    def parse(self, raw: Value) -> Value:
        name = super().parse(raw)
        if timezones_known() and name not in timezones_known():  # a machine without the database cannot tell
            raise Bad("must be the name of a time zone, such as Europe/Amsterdam")
        return name


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
    is_rendered: ClassVar[bool] = True

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
    is_rendered: ClassVar[bool] = True

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
