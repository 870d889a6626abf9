"""Where the cards of a plan lie: stages laid one after the other over a board's workdays, from a first day or to a last one; pure.

Comes in: for each stage how many workdays its cards take, how many stay free behind it, and whether it stands outside the
order. Goes out: a first and a last day for every card. Cards of one stage lie side by side.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from planwerk.rules.workdays import Workdays


@dataclass(frozen=True)
class Step:
    """One stage of a plan: the workdays each of its cards takes, and those that stay free before the next stage."""

    lengths: tuple[int, ...]
    delay_days: int = 0
    is_independent: bool = False

    @property
    def longest(self) -> int:
        return max(self.lengths)


@dataclass(frozen=True)
class Span:
    """The days of one card, both included."""

    start: str
    end: str


def days_needed(minutes_and_most: Iterable[tuple[int, int]]) -> int:
    """Workdays of a card: its activities begin together, each is cut into days of at most so many minutes (0: no limit).

    >>> days_needed([(1440, 480), (60, 0)]), days_needed([(481, 480)]), days_needed([])
    (3, 2, 1)
    """
    return max((-(-minutes // most) for minutes, most in minutes_and_most if most > 0), default=1) or 1


def lay_forward(steps: Sequence[Step], first: str, workdays: Workdays) -> list[tuple[Span, ...]]:
    """The spans of each step's cards when the plan begins on the first day, or the next open one.

    >>> week = Workdays((True, True, True, True, True, False, False))
    >>> lay_forward([Step((2,), delay_days=1), Step((1,))], "2026-11-26", week)
    [(Span(start='2026-11-26', end='2026-11-27'),), (Span(start='2026-11-30', end='2026-11-30'),)]
    """
    laid, begin = [], workdays.on_or_after(first)
    following = begin
    for step in steps:
        start = begin if step.is_independent else following
        laid.append(tuple(Span(start, workdays.add(start, length - 1)) for length in step.lengths))
        if not step.is_independent:
            following = workdays.add(start, step.longest - 1 + step.delay_days)
    return laid


def lay_backward(steps: Sequence[Step], last: str, workdays: Workdays) -> list[tuple[Span, ...]]:
    """The spans of each step's cards when the plan ends on the last day, or the open one before it.

    >>> week = Workdays((True, True, True, True, True, False, False))
    >>> lay_backward([Step((2,), delay_days=1), Step((1,))], "2026-11-30", week)
    [(Span(start='2026-11-26', end='2026-11-27'),), (Span(start='2026-11-30', end='2026-11-30'),)]
    """
    laid, finish = [], workdays.on_or_before(last)
    before: str | None = None  # the first day of the stage behind
    for step in reversed(steps):
        end = finish if before is None or step.is_independent else workdays.add(before, -step.delay_days)
        laid.append(tuple(Span(workdays.add(end, 1 - length), end) for length in step.lengths))
        if not step.is_independent:
            before = workdays.add(end, 1 - step.longest)
    return laid[::-1]


def spans(laid: Iterable[tuple[Span, ...]]) -> Iterator[Span]:
    for cards in laid:
        yield from cards
