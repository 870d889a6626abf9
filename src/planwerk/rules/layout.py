"""What a plan consists of: which stage of the board gets which of the collection's activities, as how many cards, on which days.

Comes in: a collection, a board and a `Wish`. Goes out: the cards to be made. Reads, and writes nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field as attribute

from planwerk.rules.timeline import Span, Step, days_needed, lay_backward, lay_forward, spans
from planwerk.rules.workdays import Workdays, workdays_of
from planwerk.store.transaction import Row, Transaction


@dataclass(frozen=True)
class Wish:
    """How somebody wants a collection planned. `start` is the first day, or the last one if `reverse`; `not_before` bounds a
    plan that is laid backward: where it would begin earlier, it is laid forward from that day."""

    start: str | None = None
    reverse: bool = False
    stage_id: str | None = None
    force_stages: list[str] = attribute(default_factory=list)
    status_id: str | None = None
    resources: list[str] = attribute(default_factory=list)
    before: str | None = None
    after: str | None = None
    not_before: str | None = None


@dataclass(frozen=True)
class Work:
    """An activity of the collection that is still to be planned: minutes in all, and at most on one day (0: no limit)."""

    activity_id: str
    minutes: int
    most: int
    resource_type: str


@dataclass(frozen=True)
class Stage:
    """A stage of the board, with the activities that belong there."""

    id: str | None
    delay_days: int
    is_independent: bool
    activities: frozenset[str]


@dataclass(frozen=True)
class PlannedCard:
    """A card to be made."""

    stage_id: str | None
    works: tuple[Work, ...]
    span: Span


NOWHERE = Stage(None, 0, False, frozenset())  # of a board without stages


def lay_out(tx: Transaction, collection: Row, board: Row, wish: Wish) -> list[PlannedCard]:
    """The cards of a plan, stage by stage. Raises `BeyondCalendar` if a day of it would lie there."""
    stages, works = stages_of(tx, board), works_of(tx, collection)
    shares = share_out(works, stages, wish)
    groups = [(stage, cards_of(shares[stage], is_split=bool(board["split_cards_by_activity"]))) for stage in shares]
    steps = [Step(tuple(map(length_of, cards)), stage.delay_days, stage.is_independent) for stage, cards in groups]
    laid = lay(steps, wish, collection["due_date"], tx.now[:10], workdays_of(board))
    cards = [(stage.id, works) for stage, group in groups for works in group]
    return [PlannedCard(stage_id, works, span) for (stage_id, works), span in zip(cards, spans(laid), strict=True)]


# ── what there is ──


def stages_of(tx: Transaction, board: Row) -> list[Stage]:
    """The board's stages in their order."""
    rows = tx.find(tx.object("stage"), order=("priority",), board_id=board["id"])
    links: dict[str, set[str]] = {row["id"]: set() for row in rows}
    for link in tx.among("stage_activity", "stage_id", links, order=()):
        links[link["stage_id"]].add(link["activity_id"])
    return [Stage(row["id"], row["delay_day"] or 0, bool(row["independent"]), frozenset(links[row["id"]])) for row in rows]


def works_of(tx: Transaction, collection: Row) -> list[Work]:
    """The activities of a collection with the minutes that no card of it has yet, in their order.

    Cards that are there already were completed on another board; what they hold is not planned twice.
    """
    links = tx.links(tx.object("collection").link["activities"], collection["id"])
    done = minutes_on_cards(tx, collection)
    works = []
    for activity in sorted(tx.among("activity", "id", links), key=lambda row: place_of(links[row["id"]], row)):
        minutes = (links[activity["id"]]["time"] or 0) - done.get(activity["id"], 0)
        if activity["id"] not in done or minutes > 0:
            works.append(Work(activity["id"], minutes, activity["day_max_duration"] or 0, activity["resource_type"]))
    return works


def place_of(link: Row, activity: Row) -> tuple[bool, int, str]:
    return link["position"] is None, link["position"] or 0, activity["id"]


def minutes_on_cards(tx: Transaction, collection: Row) -> dict[str, int]:
    """The minutes of each activity on the collection's cards."""
    cards = [card["id"] for card in tx.find(tx.object("card"), collection_id=collection["id"])]
    minutes: dict[str, int] = {}
    for link in tx.among("card_activity", "card_id", cards, order=()):
        minutes[link["activity_id"]] = minutes.get(link["activity_id"], 0) + (link["time"] or 0)
    return minutes


# ── who gets what ──


def share_out(works: Iterable[Work], stages: Sequence[Stage], wish: Wish) -> dict[Stage, list[Work]]:
    """The stages that get cards, in their order, each with its activities.

    An activity goes to the first stage it belongs to, or to the wanted one. Where no activity finds a stage, the wanted
    stage, else the board's first, gets a card without any, so that the collection is on the board at least.
    """
    chosen = [stage for stage in stages if stage.id == wish.stage_id] if wish.stage_id else stages
    shares: dict[str | None, list[Work]] = {}
    for work in works:
        stage = next((stage for stage in chosen if work.activity_id in stage.activities), None)
        if stage is not None:
            shares.setdefault(stage.id, []).append(work)
    if not shares:
        shares[next((stage.id for stage in chosen), None)] = []
    for id in wish.force_stages:
        shares.setdefault(id, [])
    return {stage: shares[stage.id] for stage in (*stages, NOWHERE) if stage.id in shares}


def cards_of(works: Sequence[Work], *, is_split: bool) -> list[tuple[Work, ...]]:
    """The works of each card of a stage."""
    return [(work,) for work in works] if is_split and works else [tuple(works)]


def length_of(works: Iterable[Work]) -> int:
    return days_needed((work.minutes, work.most) for work in works)


# ── when ──


def lay(steps: Sequence[Step], wish: Wish, due_date: str | None, today: str, workdays: Workdays) -> list[tuple[Span, ...]]:
    """The days of a plan: from `start`, or back from it if `reverse`; without it back from the due date, else from today.

    Only a plan that nobody gave a day keeps out of the past.
    """
    if wish.start and not wish.reverse:
        return lay_forward(steps, wish.start, workdays)
    earliest = wish.not_before if wish.reverse else today
    last = (wish.start if wish.reverse else None) or due_date
    if last is None:
        return lay_backward(steps, today, workdays) if wish.reverse else lay_forward(steps, today, workdays)
    laid = lay_backward(steps, last, workdays)
    if earliest is not None and min(span.start for span in spans(laid)) < earliest:
        return lay_forward(steps, earliest, workdays)
    return laid
