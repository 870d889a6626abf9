"""A small shop for scenarios: a board whose stages are told in a line each, activities by name, and cards as a person reads them.

`Shop(…).board(cut="one", weld="two:1")` has the stages one and two in this order, and one open workday between them and the next.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from tests.client import Client
from tests.server import Server

WEEK = {str(day): day <= 5 for day in range(1, 8)}
STATUSES = [
    {"name": "To do", "priority": 0, "entry": True},
    {"name": "Busy", "priority": 1},
    {"name": "Done", "priority": 2, "exit": True},
]

Body = dict[str, Any]


class Shop:
    """Names what it makes: `ids["cut"]` is the activity, `ids["one"]` the stage, `ids["Done"]` the status of the last board."""

    def __init__(self, api: Client, server: Server) -> None:
        self.api = api
        self.server = server
        self.ids: dict[str, str] = {}

    def activity(self, name: str, **values: Any) -> str:
        if name not in self.ids:
            body = {"description": name, "day_max_duration": 480, **values}
            self.ids[name] = self.api.post("/v1/activity", body)["id"]
        return self.ids[name]

    def resource(self, name: str, kind: str = "employee", **values: Any) -> str:
        self.ids[name] = self.api.post("/v1/resource", {"name": name, "type": kind, **values})["id"]
        return self.ids[name]

    def board(
        self, stages: Mapping[str, Iterable[str]], *, name: str = "board", delays: Mapping[str, int] | None = None, **values: Any
    ) -> str:
        """A board with these stages, in this order, and their activities; those in `independent` stand outside the order."""
        independent = values.pop("independent", ())
        bodies = [
            {
                "name": stage,
                "priority": place,
                "delay_day": (delays or {}).get(stage, 0),
                "independent": stage in independent,
                "activities": [{"id": self.activity(activity)} for activity in activities],
            }
            for place, (stage, activities) in enumerate(stages.items())
        ]
        body = {"name": name, "workdays": WEEK, "statuses": STATUSES, "stages": bodies, **values}
        made = self.api.post("/v1/board", body, with_="stages,statuses")
        self.ids[name] = str(made["id"])
        self.ids |= {row["name"]: row["id"] for row in (*made["stages"], *made["statuses"])}
        return self.ids[name]

    def collection(self, board: str = "board", minutes: Mapping[str, int] | None = None, **values: Any) -> str:
        links = [{"id": self.activity(name), "time": time, "position": place} for place, (name, time) in enumerate((minutes or {}).items())]
        made = self.api.post("/v1/collection", {"name": "work", "board_id": self.ids[board], "activities": links, **values})
        return str(made["id"])

    def wish(self, **values: Any) -> Body:
        """A planning call's body with names in the place of ids."""
        named = {"stage_id", "status_id", "before", "after"}
        found = {key: self.ids.get(value, value) if key in named else value for key, value in values.items()}
        for key in ("force_stages", "resources"):
            if key in found:
                found[key] = [self.ids.get(value, value) for value in found[key]]
        return found

    def plan(self, collection: str, board: str = "board", **wish: Any) -> list[tuple[str, str, str]]:
        """Plan a collection, let the job run, and read its cards."""
        self.api.post(f"/v1/collection/{collection}/board/{self.ids[board]}", self.wish(**wish), expect=200)
        self.server.work()
        return self.cards(collection)

    def rows(self, collection: str, **query: Any) -> list[Body]:
        """The cards of a collection in their order."""
        found: list[Body] = self.api.get(f"/v1/collection/{collection}/card", sort="position", limit=0, **query)["data"]
        return found

    def cards(self, collection: str) -> list[tuple[str, str, str]]:
        """(stage, first day, last day) of each card, as month and day."""
        found = self.rows(collection, with_="stage")
        return [(card["stage"]["name"], card["start_date"][5:], card["end_date"][5:]) for card in found]

    def look(self, collection: str) -> Body:
        found: Body = self.api.get(f"/v1/collection/{collection}")
        return found

    def card_path(self, card: Body) -> str:
        return f"/v1/collection/{card['collection_id']}/card/{card['id']}"
