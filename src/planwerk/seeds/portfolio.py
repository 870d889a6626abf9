"""The demo's order book, loaded: each order with its rows, and the labels, cards, notes and hours on its collection."""

import datetime as dt
from collections.abc import Iterator, Mapping

from planwerk.seeds.business import ADDRESSES, ARTICLES, Line
from planwerk.seeds.remarks import REMARKS, checklist, custom_fields
from planwerk.seeds.work import CardPlan, board_of, cards_of, minutes_of, order_status, time_of
from planwerk.seeds.workshop import BOARDS, EXIT, RESOURCES, STATUS_OF, USERS, Body
from planwerk.seeds.writing import Writer

TRACKED_MINUTES = 420  # of one day


class Portfolio:
    """Loads orders into a workshop whose ids are known by kind and key."""

    def __init__(self, writer: Writer, ids: Mapping[str, Mapping[str, str]]) -> None:
        self.writer = writer
        self.ids = ids
        self.stages = self.parts("stage")
        self.statuses = self.parts("status")
        self.labels = self.parts("label")
        self.users = writer.ids("user", "firstname")

    def parts(self, name: str) -> dict[str, dict[str, str]]:
        """The ids of what belongs to the boards, by board and name."""
        return {board: self.writer.ids(name, "name", board_id=self.ids["board"][board]) for board in BOARDS}

    def load(self, number: int, line: Line) -> None:
        """One order, and what people add to the collection that is made from it."""
        cards = list(cards_of(number, line))
        order = self.writer.create("order", self.order_body(number, line, cards))
        collection = self.writer.row("order", order)["collection_id"]
        self.writer.change("collection", collection, self.collection_body(number, line, cards))
        if cards:
            planned = {"status": "planned", "position": None, "planned_promised_date": self.writer.day(line.due)}
            self.writer.put("collection", collection, planned)
        for entry in self.hours(collection, number, cards):
            self.writer.create("time_tracking", entry)

    # ── the order ──

    def order_body(self, number: int, line: Line, cards: list[CardPlan]) -> Body:
        address = {"address_id": self.ids["address"][line.relation]} if line.relation in ADDRESSES else {}
        project = {"project_id": self.ids["project"][line.project]} if line.project else {}
        return {
            "external_ref": f"DEMO-order-{number:02}",
            "code": code(number),
            "type": "Project" if line.project else "Sales",
            "status": order_status(cards),
            "description": ARTICLES[line.article][0],
            "quantity": line.pieces,
            "date": self.writer.day(line.due - 35),
            "promised_date": self.writer.day(line.due),
            "board_id": self.ids["board"][board_of(line)],
            "relation_id": self.ids["relation"][line.relation],
            "item_id": self.ids["item"][line.article],
            "warehouse_id": self.ids["warehouse"]["finished"],
            "order_rows": list(self.row_bodies(number, line)),
            **address,
            **project,
        }

    def row_bodies(self, number: int, line: Line) -> Iterator[Body]:
        """First the article, then the time for each activity."""
        article = {"item_id": self.ids["item"][line.article], "quantity": line.pieces, "unit": "pcs"}
        yield {"position": 0, "code": code(number), "description": ARTICLES[line.article][0], **article}
        for position, (activity, minutes) in enumerate(minutes_of(line).items(), 1):
            quantity, unit = time_of(minutes)
            yield {
                "position": position,
                "external_ref": f"DEMO-order-{number:02}-{position}",
                "description": f"{activity.capitalize()}, {line.pieces} pcs",
                "activity_id": self.ids["activity"][activity],
                "quantity": quantity,
                "unit": unit,
            }

    # ── the collection ──

    def collection_body(self, number: int, line: Line, cards: list[CardPlan]) -> Body:
        """What the order does not say: its name, dates and activities are there."""
        board = board_of(line)
        return {
            "external_ref": f"DEMO-collection-{number:02}",
            "labels": [{"id": self.labels[board][name]} for name in line.labels],
            "custom_fields": [{**field, "board_id": self.ids["board"][board]} for field in custom_fields(number, line)],
            "checklists": [checklist(board, cards)] if cards else [],
            "comments": [{"text": text, "user_id": self.users[user]} for user, text in REMARKS.get(number, ())],
            "cards": [self.card_body(number, place, line, card) for place, card in enumerate(cards)],
        }

    def card_body(self, number: int, place: int, line: Line, card: CardPlan) -> Body:
        board = board_of(line)
        finished = {"completed_at": f"{self.writer.day(card.end)}T15:00:00Z"} if card.state == EXIT else {}
        return {
            "external_ref": f"DEMO-card-{number:02}-{place}",
            "name": f"{code(number)} {ARTICLES[line.article][0]}",
            "stage_id": self.stages[board][card.stage],
            "status_id": self.statuses[board][STATUS_OF[board][card.state]],
            "start_date": self.writer.day(card.start),
            "end_date": self.writer.day(card.end),
            "activities": [{"id": self.ids["activity"][name], "time": minutes} for name, minutes in card.minutes.items()],
            "resources": [{"id": self.ids["resource"][name]} for name in card.resources],
            "labels": [{"id": self.labels[board][name]} for name in line.labels],
            **finished,
        }

    # ── the hours ──

    def hours(self, collection: str, number: int, cards: list[CardPlan]) -> Iterator[Body]:
        """What the people with a login have worked before today, on the first day of each card."""
        made = self.writer.ids("card", "external_ref", collection_id=collection)
        logins = {body["resource"]: self.users[body["firstname"]] for body in USERS if "resource" in body}
        for place, card in enumerate(cards):
            for resource in card.resources if card.start < 0 else ():
                activity = next((name for name in card.minutes if name in RESOURCES[resource]["activities"]), None)
                if resource in logins and activity:
                    yield {
                        "external_ref": f"DEMO-hours-{number:02}-{place}",
                        "card_id": made[f"DEMO-card-{number:02}-{place}"],
                        "activity_id": self.ids["activity"][activity],
                        "user_id": logins[resource],
                        **stretch(self.writer.day(card.start), min(card.minutes[activity], TRACKED_MINUTES)),
                        "status": "approved" if card.state == EXIT else "pending",
                    }


def code(number: int) -> str:
    """
    >>> code(7)
    'V26-0107'
    """
    return f"V26-{100 + number:04}"


def stretch(day: str, minutes: int) -> Body:
    """A stretch of time from eight in the morning, UTC.

    >>> stretch("2026-11-23", 90)
    {'start': '2026-11-23T08:00:00Z', 'end': '2026-11-23T09:30:00Z', 'duration': 90}
    """
    start = dt.datetime.fromisoformat(f"{day}T08:00:00+00:00")
    return {"start": f"{day}T08:00:00Z", "end": f"{start + dt.timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}", "duration": minutes}
