"""Query string → `Wish`: what the caller asks for, in values; whether an object can give it is judged by `plan`.

Comes in: the text behind the question mark. Goes out: a `Wish`, or a refusal with 400.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field as attribute
from typing import Any, TypeVar
from urllib.parse import unquote_to_bytes

from planwerk.errors import BAD_REQUEST, INVALID_SORT, Fault, Refusal, refuse
from planwerk.fields import INTEGER_LIMIT, Bad, Field

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000
LISTS = ("with", "show", "hide", "sort", "include")  # given twice they add up: client generators write lists so
FLAGS = ("update_without_delete_nested", "remove_missing", "enrich_custom_fields")
KNOWN = frozenset({*LISTS, *FLAGS, "limit", "offset", "filter", "archived"})
TRUTH = {"true": True, "1": True, "false": False, "0": False}
ARCHIVED = {"true": "true", "1": "true", "false": "false", "0": "false", "only": "only"}
LIST_MARK = re.compile(r"\[\d*\]$")  # with[]=a and with[0]=a name the parameter `with`

Word = TypeVar("Word")


@dataclass(frozen=True, slots=True)
class Wish:
    """A query string in values.

    `limit` and `offset` are in force, `asked_limit` is what was written. `sort` holds (property, is_descending), first key
    first. `archived` is true, false or only. `flags` holds those that were given. `unknown` names the parameters that mean
    nothing here.
    """

    limit: int = DEFAULT_LIMIT
    offset: int = 0
    sort: tuple[tuple[str, bool], ...] = ()
    filter: str | None = None
    show: str | None = None
    hide: str | None = None
    with_: str | None = None
    archived: str = "false"
    flags: Mapping[str, bool] = attribute(default_factory=dict, hash=False)
    unknown: tuple[str, ...] = ()
    asked_limit: int = DEFAULT_LIMIT


def parse_parameters(query_string: str, default_limit: int = DEFAULT_LIMIT) -> Wish:
    """The wish of a query string, whose characters stand for bytes (latin-1), as an ASGI server hands it over.

    A parameter without a value is as good as absent; of one given twice the last counts, but lists add up.

    >>> parse_parameters("limit=5&sort=name:desc&with=a&with[]=b&color=red")
    ... # doctest: +ELLIPSIS
    Wish(limit=5, offset=0, sort=(('name', True),), ..., with_='a,b', ..., unknown=('color',), asked_limit=5)
    >>> parse_parameters("limit=-15")
    Traceback (most recent call last):
    planwerk.errors.Refusal: limit must be a whole number from 0 to 9007199254740991
    """
    given = read_pairs(query_string)
    asked = read_number("limit", given.get("limit"), default_limit)
    with_ = ",".join(given[name] for name in ("with", "include") if name in given)
    return Wish(
        limit=min(asked or MAX_LIMIT, MAX_LIMIT),
        offset=read_number("offset", given.get("offset"), 0),
        sort=parse_sort(given.get("sort", "")),
        filter=given.get("filter"),
        show=given.get("show"),
        hide=given.get("hide"),
        with_=with_ or None,
        archived=read_word("archived", given.get("archived", "false"), ARCHIVED),
        flags={name: read_word(name, given[name], TRUTH) for name in FLAGS if name in given},
        unknown=tuple(name for name in given if name not in KNOWN),
        asked_limit=asked,
    )


def parse_values(fields: Iterable[Field], query_string: str) -> tuple[dict[str, Any], list[str]]:
    """The values that an action reads from the query string, typed, and the names of those it does not know.

    >>> from planwerk.fields import Date
    >>> parse_values([Date("start")], "start=2026-03-16&color=red")
    ({'start': '2026-03-16'}, ['color'])
    >>> parse_values([Date("start", required=True)], "start=")
    Traceback (most recent call last):
    planwerk.errors.Refusal: start is required
    """
    pairs, values, faults = read_pairs(query_string), dict[str, Any](), list[Fault]()
    for field in fields:
        text = pairs.pop(field.name, None)
        if text is None and field.required:
            faults.append(Fault(BAD_REQUEST, f"{field.name} is required", field.name))
        elif text is not None:
            try:
                values[field.name] = field.parse(field.operand(text))
            except Bad as bad:
                faults.append(Fault(BAD_REQUEST, f"{field.name} {bad.description}", field.name))
    if faults:
        raise Refusal(*faults)
    return values, list(pairs)


def read_pairs(query_string: str) -> dict[str, str]:
    """The parameters that have a value, in the order they first came."""
    given: dict[str, str] = {}
    for pair in query_string.split("&"):
        raw_name, _, raw_value = pair.partition("=")
        name, value = LIST_MARK.sub("", decode(raw_name)), decode(raw_value)
        if name and value.strip():
            given[name] = f"{given[name]},{value}" if name in given and name in LISTS else value
    return given


def decode(text: str) -> str:
    """
    >>> decode("d%C3%BCnn+1%2B1")
    'dünn 1+1'
    """
    try:
        decoded = unquote_to_bytes(text.replace("+", " ").encode("latin-1")).decode("utf-8")
    except UnicodeError:
        raise refuse(BAD_REQUEST, "the query string is not UTF-8") from None
    if "\x00" in decoded:
        raise refuse(BAD_REQUEST, "the query string may not hold the character U+0000")
    return decoded


def read_number(name: str, text: str | None, default: int) -> int:
    if text is None:
        return default
    written = text.strip()
    if not re.fullmatch(r"\d{1,16}", written, re.ASCII) or int(written) > INTEGER_LIMIT:
        raise refuse(BAD_REQUEST, f"{name} must be a whole number from 0 to {INTEGER_LIMIT}", name)
    return int(written)


def read_word(name: str, text: str, words: Mapping[str, Word]) -> Word:
    """What one of a few words means; case is ignored."""
    word = text.strip().lower()
    if word not in words:
        raise refuse(BAD_REQUEST, f"{name} must be one of {', '.join(words)}", name)
    return words[word]


def parse_sort(text: str) -> tuple[tuple[str, bool], ...]:
    """(property, is_descending) for each key; of a property named twice the first counts.

    >>> parse_sort("updated_at:desc,name")
    (('updated_at', True), ('name', False))
    >>> parse_sort("name:up")
    Traceback (most recent call last):
    planwerk.errors.Refusal: sort name:up: the direction must be asc or desc
    """
    keys: dict[str, bool] = {}
    for key in filter(None, map(str.strip, text.split(","))):
        name, colon, direction = (part.strip() for part in key.partition(":"))
        if not name:
            raise refuse(INVALID_SORT, f"sort {key[:100]}: a property must come before the colon", "sort")
        if colon and direction.lower() not in ("asc", "desc"):
            raise refuse(INVALID_SORT, f"sort {key[:100]}: the direction must be asc or desc", "sort")
        keys.setdefault(name, direction.lower() == "desc")
    return tuple(keys.items())
