"""A floor on which everything can happen that webhooks tell, and the words in which the tests say what was told.

`floor.hears(request)` gives the events of one request, shortened: a whole object is its name, an id that the floor knows is
`$name`, a moment is `…`.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from tests.client import Client
from tests.server import OBJECTS, Server

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT[\d:]+Z")
WHOLE = ("card", "collection", "attachment", "comment", "time_tracking", "checklist", "label", "resource", "activity", "user")
MEMBERS = {name: {field.name for field in OBJECTS[name].shown} | {*OBJECTS[name].always_with} for name in WHOLE}
BOARD = {
    "name": "hall",
    "stages": [{"name": "sawing", "priority": 0}],
    "statuses": [{"name": "todo", "priority": 0, "entry": True}, {"name": "done", "priority": 1, "exit": True}],
    "labels": [{"name": "rush"}, {"name": "late"}],
}
CHECKLIST = {"name": "before", "items": [{"description": "oak"}, {"description": "glue"}]}

Data = dict[str, Any]
Heard = tuple[str, Data]


class Floor:
    """One board with a collection that holds one card, a checklist, a comment and a link to a file."""

    def __init__(self, api: Client, server: Server) -> None:
        self.api = api
        self.server = server
        self.ids: dict[str, str] = {}
        board = self.keep("hall", api.post("/v1/board", BOARD, with_="stages,statuses,labels"))
        for made in (*board["stages"], *board["statuses"], *board["labels"]):
            self.keep(made["name"], made)
        self.keep("saw", api.post("/v1/activity", {"description": "saw"}))
        self.keep("Jan", api.post("/v1/resource", {"name": "Jan", "type": "employee"}))
        self.keep("Els", api.post("/v1/user", {"email": "els@example.com", "role": "member"}))
        self.keep("stairs", api.post("/v1/collection", {"name": "stairs"}))
        self.keep("steps", api.post(f"{self.collection}/card", {"name": "steps"}))
        self.keep("before", api.post(f"{self.collection}/checklist", CHECKLIST))
        self.keep("hello", api.post(f"{self.collection}/comment", {"text": "hello"}))
        self.keep("plan", api.post(f"{self.collection}/attachment", {"file": "https://example.com/plan.pdf"}))

    def keep(self, name: str, made: Data) -> Data:
        self.ids[name] = made["id"]
        return made

    @property
    def collection(self) -> str:
        return f"/v1/collection/{self.ids['stairs']}"

    @property
    def card(self) -> str:
        return f"{self.collection}/card/{self.ids['steps']}"

    def part(self, kind: str, name: str) -> str:
        return f"{self.collection}/{kind}/{self.ids[name]}"

    def track(self) -> Data:
        body = {"card_id": self.ids["steps"], "start": "2026-03-02T08:00:00Z", "duration": 30}
        return self.keep("half an hour", self.api.post("/v1/time_tracking", body))

    # ── what is told ──

    def listen(self, request: Callable[["Floor"], Any]) -> list[Data]:
        """The events of a request as the feed has them."""
        path, since = "/v1/event", self.newest()
        request(self)
        found: list[Data] = self.api.get(path, after=since, limit=1000)["data"]
        return found

    def newest(self) -> int:
        position: int = self.api.get("/v1/event", limit=1000)["next"]
        return position

    def hears(self, request: Callable[["Floor"], Any]) -> list[Heard]:
        return [(event["event"], self.short(event["data"])) for event in self.listen(request)]

    def short(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.short(item) for item in value]
        if isinstance(value, dict):
            return self.short_object(value)
        names = {id: f"${name}" for name, id in self.ids.items()}
        return "…" if isinstance(value, str) and MOMENT.fullmatch(value) else names.get(value, value) if isinstance(value, str) else value

    def short_object(self, value: Data) -> Any:
        if "checklist_id" in value and "id" in value:
            return f"item {value['description']}"
        name = next((name for name in WHOLE if MEMBERS[name] <= value.keys()), None)
        if name is None:
            return {key: self.short(inner) for key, inner in value.items()}
        rest = {key: inner for key, inner in value.items() if key not in MEMBERS[name]}
        return (name, rest) if rest else name


# ── what is expected ──


def created(name: str) -> Heard:
    return f"{name}.created", {"new": name, "old": {}, "current": name}


def deleted(name: str) -> Heard:
    return f"{name}.deleted", {"new": {}, "old": name, "current": name}


def updated(name: str, verb: str = "updated", /, **properties: tuple[Any, Any]) -> Heard:
    """`properties` are pairs: the value before, the value after."""
    new, old = ({key: pair[place] for key, pair in properties.items()} for place in (1, 0))
    return f"{name}.{verb}", {"new": new, "old": old, "current": name}


def part(verb: str, data: Heard) -> Heard:
    """An event of a checklist, told as one of its collection."""
    return f"collection.checklist.{verb}", data[1]


def item(verb: str, description: str, **more: Any) -> Heard:
    return f"collection.checklist.item.{verb}", {verb: f"item {description}", **more, "current": "checklist"}


def linked(owner: str, other: str, verb: str) -> Heard:
    return f"{owner}.{'follower' if other == 'user' else other}.{verb}", {verb: other, "current": owner}


def with_pivot(owner: str, other: str, verb: str, *, shown: Data, new: Data | None = None, old: Data | None = None) -> Heard:
    """An event of a link that has properties of its own."""
    return f"{owner}.{other}.{verb}", {verb: (other, shown), "new": new or {}, "old": old or {}, "current": owner}


def merged(*links: Heard, **properties: tuple[Any, Any]) -> Heard:
    """The event of a card that sums up others."""
    name, data = updated("card", "updated.merged", **properties)
    nested: dict[str, list[Data]] = {}
    for single, its in links:
        nested.setdefault(single.removeprefix("card."), []).append(its)
    return name, {**data, **({"nested": nested} if nested else {})}


def written(value: Any) -> str:
    """Shortened data as docs/webhooks.md writes them.

    >>> written({"attached": ("activity", {"time": 60}), "old": {}, "current": "card"})
    '{"attached": {activity, "time": 60}, "old": {}, "current": {card}}'
    """
    if isinstance(value, tuple):
        return f"{{{value[0]}, {written(value[1])[1:]}"
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{name}": {written(inner)}' for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    is_whole = value in WHOLE or (isinstance(value, str) and value.startswith("item "))
    return f"{{{value}}}" if is_whole else json.dumps(value, ensure_ascii=False)
