"""Ranks: a text between any two, as many as one likes."""

from hypothesis import given, strategies as st

from planwerk.rules.ranks import LENGTH, between, spread

RANKS = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=8).filter(lambda rank: not rank.endswith("a"))
ENDS = st.none() | RANKS


@given(low=ENDS, high=ENDS)
def test_there_is_a_rank_between_any_two(low: str | None, high: str | None) -> None:
    if low is not None and high is not None and low >= high:
        low, high = high, low + "b" if low == high else low
    rank = between(low, high)
    assert low is None or low < rank
    assert high is None or rank < high
    assert not rank.endswith("a"), "nothing would fit before it"


@given(count=st.integers(1, 300), low=ENDS, high=ENDS)
def test_so_many_ranks_as_wanted_lie_between_any_two(count: int, low: str | None, high: str | None) -> None:
    if low is not None and high is not None and low >= high:
        low, high = None, high
    ranks = spread(count, low, high)
    assert len(ranks) == count
    assert ranks == sorted(set(ranks))
    assert low is None or low < ranks[0]
    assert high is None or ranks[-1] < high


@given(steps=st.lists(st.integers(0, 40), max_size=60))
def test_cards_put_anywhere_keep_their_order(steps: list[int]) -> None:
    ranks: list[str] = []
    for step in steps:
        place = step % (len(ranks) + 1)
        low, high = ranks[place - 1] if place else None, ranks[place] if place < len(ranks) else None
        ranks.insert(place, between(low, high))
    assert ranks == sorted(set(ranks))


def test_ranks_at_the_end_stay_short() -> None:
    last = None
    for _ in range(5000):
        following = between(last, None)
        assert last is None or last < following
        last = following
    assert last is not None
    assert len(last) <= LENGTH + 1
