"""Laying stages over workdays: forward and backward agree, and nothing lies where it may not."""

import datetime as dt

from hypothesis import given, strategies as st

from planwerk.rules.timeline import Step, lay_backward, lay_forward, spans
from planwerk.rules.workdays import Workdays

WEEKS = st.tuples(*[st.booleans()] * 7).filter(any).map(Workdays)
DAYS = st.dates(dt.date(2020, 1, 1), dt.date(2030, 1, 1)).map(dt.date.isoformat)
STEPS = st.builds(Step, st.lists(st.integers(1, 9), min_size=1, max_size=3).map(tuple), st.integers(0, 4), st.booleans())
PLANS = st.lists(STEPS, min_size=1, max_size=5)
DEPENDENT = st.lists(STEPS.filter(lambda step: not step.is_independent), min_size=1, max_size=5)


@given(steps=PLANS, first=DAYS, week=WEEKS)
def test_forward_every_stage_waits_for_the_one_before_and_its_delay(steps: list[Step], first: str, week: Workdays) -> None:
    laid = lay_forward(steps, first, week)
    begin = week.on_or_after(first)
    earliest = begin
    for step, cards in zip(steps, laid, strict=True):
        assert [week.between(card.start, card.end) for card in cards] == list(step.lengths)
        assert {card.start for card in cards} == {begin if step.is_independent else earliest}
        if not step.is_independent:
            earliest = week.add(max(card.end for card in cards), step.delay_days)


@given(steps=PLANS, last=DAYS, week=WEEKS)
def test_backward_every_stage_leaves_room_for_the_one_behind(steps: list[Step], last: str, week: Workdays) -> None:
    laid = lay_backward(steps, last, week)
    finish = week.on_or_before(last)
    assert max(card.end for card in spans(laid)) == finish
    behind: str | None = None
    for step, cards in reversed(list(zip(steps, laid, strict=True))):
        assert [week.between(card.start, card.end) for card in cards] == list(step.lengths)
        latest = finish if behind is None or step.is_independent else week.add(behind, -step.delay_days)
        assert {card.end for card in cards} == {latest}
        if not step.is_independent:
            behind = min(card.start for card in cards)


@given(steps=DEPENDENT, first=DAYS, week=WEEKS)
def test_a_plan_laid_back_from_where_it_ends_begins_where_it_began(steps: list[Step], first: str, week: Workdays) -> None:
    forward = lay_forward(steps, first, week)
    end = max(card.end for card in forward[-1])
    backward = lay_backward(steps, end, week)
    assert min(card.start for card in spans(backward)) == min(card.start for card in spans(forward))
