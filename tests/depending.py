"""Cards that depend on each other, by name and on the days of one month, for tests to move.

The days are those of June 2026, which begins on a Monday: 6, 7, 13, 14, 20, 21, 27 and 28 are weekends.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field as attribute
from typing import Any

from tests.client import Client
from tests.server import OBJECTS
from tests.world import World

from planwerk.store.transaction import Transaction

TYPES = {">": "blocks", "<": "depends", "-": "related", "=": "cloned"}
OPEN = {"usual": "12345", "always": "1234567", "odd": "135", "never": "12345"}  # the open weekdays of a board, by its name
CLOSED = '{"1":false,"2":false,"3":false,"4":false,"5":false,"6":false,"7":false}'


def planned(text: str) -> dict[str, str | None]:
    """The dates and times that a text stands for: "3", "3-4", "3 08:00-10:00", "" for none.

    >>> planned("3-4")
    {'start_date': '2026-06-03', 'start_time': None, 'end_date': '2026-06-04', 'end_time': None}
    """
    span, _, times = text.partition(" ")
    first, _, last = span.partition("-")
    begin, _, finish = times.partition("-")
    start, end = (f"2026-06-{int(number):02}" if number else None for number in (first, last or first))
    return {"start_date": start, "start_time": begin or None, "end_date": end, "end_time": finish or None}


@dataclass
class Plan:
    """Cards by name, on boards that all treat what depends on a moved card in one way."""

    world: World
    behavior: str = "notify"
    boards: dict[str, dict[str, str]] = attribute(default_factory=dict)  # name → ids of the board, its last status, a collection
    cards: dict[str, str] = attribute(default_factory=dict)  # name → id
    paths: dict[str, str] = attribute(default_factory=dict)
    relations: dict[str, str] = attribute(default_factory=dict)  # "a>b" → id

    @property
    def api(self) -> Client:
        return self.world.client

    def board(self, name: str) -> dict[str, str]:
        if name not in self.boards:
            body: dict[str, Any] = {"name": name, "dependency_behavior": self.behavior, "stages": [{"name": "saw"}]}
            body |= {"workdays": {str(number): str(number) in OPEN[name] for number in range(1, 8)}}
            body |= {"statuses": [{"name": "to do", "priority": 1, "entry": True}, {"name": "done", "priority": 2, "exit": True}]}
            board = self.api.post("/v1/board", body)
            done = next(status["id"] for status in self.api.get(f"/v1/board/{board['id']}")["statuses"] if status["exit"])
            collection = self.api.post("/v1/collection", {"name": name, "board_id": board["id"]})
            self.boards[name] = {"board": board["id"], "done": done, "collection": collection["id"]}
        return self.boards[name]

    def add(self, name: str, text: str) -> None:
        """A new card: its days, then in words its board if that is not the usual one, and whether it is `locked` or `done`."""
        words = re.findall("[a-z]+", text)
        board = self.board(next((word for word in words if word in OPEN), "usual"))
        path = f"/v1/collection/{board['collection']}/card"
        made = self.api.post(path, {"name": name, **planned(re.sub(" ?[a-z]+", "", text))})
        self.cards[name], self.paths[name] = made["id"], f"{path}/{made['id']}"
        if "done" in words:
            self.put(name, status_id=board["done"])
        if "locked" in words:
            self.write("card", made["id"], locked=True)
        if "never" in words:
            self.write("board", board["board"], workdays=CLOSED)

    def relate(self, relation: str) -> dict[str, Any]:
        made: dict[str, Any] = self.api.post("/v1/card_relation", self.relation(relation))
        self.relations[relation] = made["id"]
        return made

    def relation(self, relation: str) -> dict[str, Any]:
        """The body of a relation that is written as a>b (blocks), a<b (depends), a-b (related), a=b (cloned)."""
        first, kind, last = re.fullmatch("(\\w+)([-<>=])(\\w+)", relation).groups()  # type: ignore[union-attr]
        return {"type": TYPES[kind], "card_id": self.cards[first], "related_card_id": self.cards[last]}

    def write(self, name: str, id: str, **values: Any) -> None:
        """Change what the API does not let change, behind its back."""

        def work(tx: Transaction) -> None:
            row = tx.get(OBJECTS[name], id)
            assert row is not None
            tx.update(OBJECTS[name], row, values)

        self.world.server.database.write_now(self.world.environment_id, work)

    def put(self, card: str, **values: Any) -> dict[str, Any]:
        changed: dict[str, Any] = self.api.put(self.paths[card], values)
        return changed

    def move(self, name: str, text: str) -> dict[str, Any]:
        return self.put(name, **planned(text))

    def days(self) -> dict[str, dict[str, Any]]:
        """The dates and times of all cards."""
        found = {name: self.api.get(path) for name, path in self.paths.items()}
        return {name: {key: card[key] for key in planned("")} for name, card in found.items()}

    def invalid(self) -> set[str]:
        found = {item["id"]: item["status"] for item in self.api.get("/v1/card_relation", limit=100)["data"]}
        return {relation for relation, id in self.relations.items() if found[id] == "invalid"}


def plan_of(world: World, cards: Mapping[str, str], relations: str, behavior: str = "notify") -> Plan:
    plan = Plan(world, behavior)
    for name, text in cards.items():
        plan.add(name, text)
    for relation in relations.split():
        plan.relate(relation)
    return plan
