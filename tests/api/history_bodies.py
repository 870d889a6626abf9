"""What a random history sends: bodies with a few likely values for each property, and `Pick`s where ids belong.

An id is chosen when the request is made, for only then is it known what there is; now and then one that is gone, or never was.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

Json = dict[str, Any]

TODAY = dt.datetime.now(dt.UTC).date()
FIRST, LAST = -14, 42  # the days that schedules cover, counted from the Monday of this week
CHOICES, ODD = 100, 97  # of so many choices those from here on name what is gone, or never was


def day(number: int) -> str:
    return (TODAY + dt.timedelta(days=number - TODAY.weekday())).isoformat()


@dataclass(frozen=True)
class Pick:
    """One of the objects of a kind, chosen when it is known which there are."""

    kind: str
    number: int


def pick(kind: str) -> SearchStrategy[Pick]:
    return st.builds(Pick, st.just(kind), st.integers(0, CHOICES - 1))


def some(strategy: SearchStrategy[Any], most: int = 2) -> SearchStrategy[list[Any]]:
    return st.lists(strategy, max_size=most)


def body(**optional: SearchStrategy[Any]) -> SearchStrategy[Json]:
    return st.fixed_dictionaries({}, optional=optional)


def nullable(strategy: SearchStrategy[Any]) -> SearchStrategy[Any]:
    return st.one_of(strategy, strategy, strategy, st.none())


def linked(kind: str, **pivot: SearchStrategy[Any]) -> SearchStrategy[list[Json]]:
    return some(st.fixed_dictionaries({"id": pick(kind)}, optional=pivot), 3)


DAYS = st.integers(-7, 28).map(day)
MINUTES = st.sampled_from((0, 1, 30, 60, 100, 480, 500, 1000, 2000))
CLOCKS = st.sampled_from(("07:00", "10:00", "15:00"))
WEEKS = st.dictionaries(st.sampled_from("1234567"), st.booleans(), max_size=3)
ACTIVITIES = linked("activity", time=nullable(MINUTES), position=st.integers(0, 2))
ROW = body(
    activity_id=nullable(pick("activity")),
    quantity=st.sampled_from((0, 1, 2.5, 60, 300)),
    unit=st.sampled_from(("minutes", "hours", "days", "pcs")),
    position=st.integers(0, 2),
)
ORDER = body(
    code=st.sampled_from(("V1", "V2")),
    description=st.sampled_from(("chair", "table")),
    type=nullable(st.sampled_from(("Sales", "Production"))),
    promised_date=nullable(DAYS),
    desired_date=nullable(DAYS),
    quantity=nullable(st.sampled_from((1, 2.5))),
    board_id=pick("board"),
    collection_id=pick("collection"),
    order_rows=some(ROW, 3),
)
WISH = body(
    start=DAYS,
    reverse=st.booleans(),
    stage_id=pick("stage"),
    force_stages=some(pick("stage")),
    status_id=pick("status"),
    resources=some(pick("resource"), 3),
)
BESIDE = st.builds(lambda name, card: {name: card}, st.sampled_from(("before", "after")), pick("card"))
SPAN = st.builds(
    lambda first, more: {"start_date": day(first), "end_date": day(first + more)}, st.integers(-7, 28), st.sampled_from((0, 1, 2, 3, 7, -1))
)
WHEN = {"start_date": nullable(DAYS), "end_date": nullable(DAYS), "start_time": nullable(CLOCKS), "end_time": nullable(CLOCKS)}
CARD = body(
    **WHEN,
    time=nullable(MINUTES),
    stage_id=pick("stage"),
    status_id=pick("status"),
    parent_card_id=nullable(pick("card")),
    completed_at=nullable(st.just("2026-01-02T03:04:05Z")),
    collection_id=pick("collection"),
    activities=ACTIVITIES,
    resources=linked("resource"),
    labels=linked("label"),
)
MOVE = st.one_of(
    SPAN,
    body(date=DAYS),
    body(start_time=nullable(CLOCKS), end_time=nullable(CLOCKS)),
    body(stage_id=pick("stage"), status_id=pick("status")),
    body(resources=linked("resource"), activities=ACTIVITIES),
)
COLLECTION = body(
    name=st.sampled_from(("cupboard", "bench")),
    due_date=nullable(DAYS),
    board_id=pick("board"),
    status=st.sampled_from(("ignored", "not_planned")),
    activities=ACTIVITIES,
    labels=linked("label"),
)
PART = st.fixed_dictionaries({"date": st.sampled_from((2, 4, 7, 9, 11, 12)).map(day), "time": MINUTES})  # most boards are open then
ENTRY = body(
    activity_id=nullable(pick("activity")),
    start=st.sampled_from(("08:00", "09:00")).map(lambda clock: f"{day(0)}T{clock}:00Z"),
    end=st.sampled_from(("09:30", "10:00", "07:00")).map(lambda clock: f"{day(0)}T{clock}:00Z"),
    duration=nullable(MINUTES),
    status=st.sampled_from(("draft", "pending", "approved", "rejected")),
    card_id=pick("card"),
)
RULE = st.fixed_dictionaries(
    {"schedule": st.sampled_from(("day", "week"))}, optional={"interval": st.integers(1, 3), "ends_at": DAYS, "starts_at": DAYS}
)
AWAY = body(
    type=st.sampled_from(("leave", "sick", "holiday", "other")),
    time=nullable(st.sampled_from((0, 60, 600))),
    schedule_deviation_recurring=some(RULE, 1),
)
DEVIATION = st.builds(lambda span, given: {**span, **given}, SPAN, AWAY)
RESOURCE = body(
    type=st.sampled_from(("employee", "machine")),
    workdays=st.dictionaries(st.sampled_from("1234567"), nullable(st.integers(0, 12)), max_size=3),
    start_date=nullable(DAYS),
    end_date=nullable(DAYS),
    workdays_start_date=nullable(DAYS),
)
BOARD = body(
    workdays=WEEKS,
    capacity_method=st.sampled_from(("estimated_time", "none", "remaining_time")),
    dependency_behavior=st.sampled_from(("notify", "push", "maintain")),
    split_cards_by_activity=st.booleans(),
    auto_plan=nullable(body(order_types=some(st.sampled_from(("Sales", "none"))), offset_workdays=st.integers(-2, 2))),
    statuses=st.lists(
        body(entry=st.sampled_from((False, True)), exit=st.sampled_from((False, True)), priority=nullable(st.integers(0, 3))), max_size=3
    ),
)
STAGE = body(
    priority=nullable(st.integers(0, 3)),
    independent=st.booleans(),
    delay_day=st.integers(0, 2),
    efficiency=st.sampled_from((100, 50, 150, 0)),
    activities=linked("activity"),
    board_id=pick("board"),
)
ACTIVITY = body(
    default_duration=MINUTES, day_max_duration=st.sampled_from((0, 60, 480)), resource_type=st.sampled_from(("employee", "machine", "cell"))
)
