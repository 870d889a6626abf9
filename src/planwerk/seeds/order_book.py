"""The values of a large order book: always the same for the same numbers, alike in shape and size to a real one."""

import datetime as dt
import random
from dataclasses import dataclass
from typing import Any

SEED = 20261123
ROWS_PER_ORDER = 3
FIRST_DAY = dt.date(2026, 1, 1)
DAYS = 700
STATUSES = ("new", "planned", "in_prog", "on_hold", "done")
TYPES = ("Production", "Project", "Purchase", "Quotation", "Sales")
UNITS = ("pcs", "m", "kg")
TEXT = (
    "frame weld paint saw bend mill drill coat pack ship install check plan cut press "
    "door window panel beam rail bracket cover shaft valve pump motor cabinet table rack"
)
WORDS = TEXT.split()

Values = dict[str, Any]


@dataclass(frozen=True)
class OrderWish:
    """An order that shall be inserted with its rows."""

    values: Values
    rows: tuple[Values, ...]


class Maker:
    """Makes values in one fixed pseudo-random sequence."""

    def __init__(self) -> None:
        self.random = random.Random(SEED)  # noqa: S311 (nothing secret is made of it)

    def words(self, count: int) -> str:
        return " ".join(self.random.choices(WORDS, k=count))

    def relation(self, number: int) -> Values:
        return {
            "name": f"{self.words(2).title()} Ltd",
            "description": f"R{number:05d}",
            "note": self.words(8),
            "phone": f"+31 30 {number:07d}",
            "email": f"info{number}@example.com",
            "external_ref": f"ext-r-{number}",
        }

    def order(self, number: int, relations: list[str]) -> OrderWish:
        """`relations` are the ids to choose the customer from."""
        code = f"SO{number:07d}"
        choice, promised = self.random.choice, FIRST_DAY + dt.timedelta(days=self.random.randrange(DAYS))
        values = {
            "relation_id": choice(relations),
            "code": code,
            "type": choice(TYPES),
            "sub_type": choice(("std", "rush")),
            "status": choice(STATUSES),
            "description": self.words(6),
            "note": self.words(10),
            "date": (promised - dt.timedelta(days=30)).isoformat(),
            "promised_date": promised.isoformat(),
            "quantity": float(self.random.randrange(1, 500)),
            "external_ref": f"ext-o-{number}",
        }
        return OrderWish(values, tuple(self.row(code, position) for position in range(ROWS_PER_ORDER)))

    def row(self, code: str, position: int) -> Values:
        return {
            "code": f"{code}-{position + 1}",
            "description": self.words(5),
            "quantity": float(self.random.randrange(1, 50)),
            "unit": self.random.choice(UNITS),
            "status": self.random.choice(STATUSES),
            "position": position,
        }
