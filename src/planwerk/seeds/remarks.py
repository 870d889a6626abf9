"""What the demo's people have noted: comments, checklists and custom fields."""

from collections.abc import Iterator

from planwerk.seeds.business import Line
from planwerk.seeds.work import CardPlan, board_of
from planwerk.seeds.workshop import BOARDS, EXIT, Body

# number of the order → (first name of the author, text)
REMARKS = {
    1: (("Bram", "All sashes are in, two still need their seals."), ("Marieke", "Truck is booked for the day after.")),
    2: (("Anneke", "Customer chose the brushed steel handle."),),
    3: (("Pieter", "Opening night is fixed, so this one comes first."), ("Bram", "Front panel was scratched, we sand it again.")),
    6: (("Anneke", "Waiting for the glass, the supplier says Thursday."),),
    8: (("Pieter", "The town hall wants a sample of the stain."),),
    17: (("Youssef", "Parking permit for the quay is arranged."),),
    28: (("Lars", "May we have the second half a week later?"),),
}

CHECKLISTS = {
    "production": (
        "Before it leaves the workshop",
        ("Dimensions checked", "Hardware complete", "Surface without damage", "Packed and labelled"),
    ),
    "installation": ("Before the van leaves", ("Parts loaded", "Fixings and sealant", "Customer called")),
}

COLOURS = ("RAL 9010", "RAL 7016", "natural oil", "RAL 6009", "RAL 9001")


def custom_fields(number: int, line: Line) -> Iterator[Body]:
    """The values for the custom fields that the board defines."""
    values = {"Paint colour": COLOURS[number % len(COLOURS)], "Drawing approved": line.start is not None}
    for field in BOARDS[board_of(line)]["custom_fields"]:
        yield {**field, "value": values.get(field["name"], "+31 6 5550 0148")}


def checklist(board: str, cards: list[CardPlan]) -> Body:
    """A list of the board, ticked as far as the work has come."""
    name, items = CHECKLISTS[board]
    ticked = len(items) * sum(card.state == EXIT for card in cards) // len(cards)
    return {
        "name": name,
        "position": 0,
        "items": [{"description": text, "position": place, "checked": place < ticked} for place, text in enumerate(items)],
    }
