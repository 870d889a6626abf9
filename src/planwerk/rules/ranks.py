"""Fractional ranks: texts of lower-case letters that sort cards, with room for another between any two; pure.

A rank is read as the digits after the point of a number in base 26. None ends in `a`, so that there is always room before
it; the rank `aaa`, which the API shows as the default, is the one exception and comes before all others.
"""

from collections.abc import Iterator

LETTERS = "abcdefghijklmnopqrstuvwxyz"
BASE = len(LETTERS)
LENGTH = 6  # letters of the ranks at the end of a board
STEP = BASE * BASE + 1  # between two of them; a board holds 200,000 before they grow longer
LONGEST = 24  # letters; a longer rank is the sign to spread its neighbours anew
SMALLEST, LARGEST = "", "z" * 64


def between(low: str | None, high: str | None) -> str:
    """A rank after `low` and before `high`; None is before, or after, all others.

    At the end it stays short: a rank after all others is one step on, not half the way to the end.

    >>> between(None, None), between("n", None), between(None, "b"), between("b", "c")
    ('m', 'naabab', 'an', 'bn')
    >>> between("az", "b")
    'azn'
    """
    if low is not None and high is None:
        return after(low)
    low, high = low or SMALLEST, high if high is not None else LARGEST
    rank = ""
    for place in range(max(len(low), len(high)) + 1):
        least = digit(low, place)
        most = digit(high, place) if place < len(high) else 0
        if high[:place] != rank:  # already below: this digit may be anything above `least`
            most = BASE
        if most - least > 1:
            return rank + LETTERS[(least + most) // 2]
        rank += LETTERS[least]
        if most - least == 1:  # the rest only has to lie above `low`
            return rank + tail_after(low[place + 1 :])
    return rank + "n"


def digit(text: str, place: int) -> int:
    return LETTERS.index(text[place]) if place < len(text) else 0


def tail_after(text: str) -> str:
    """The shortest rank above a text, halfway to the end.

    >>> tail_after(""), tail_after("y"), tail_after("zz")
    ('n', 'z', 'zzn')
    """
    for place, letter in enumerate(text):
        if letter != "z":
            return text[:place] + LETTERS[(LETTERS.index(letter) + BASE) // 2]
    return text + "n"


def after(low: str) -> str:
    """A rank after `low` with nothing behind it: a step on, so small that hundreds of thousands follow in ranks of the same length.

    >>> after("m"), after("maabab"), after("zzzzzz")
    ('maabab', 'maacac', 'zzzzzzm')
    """
    number = value(low, LENGTH) + STEP
    return text(number, LENGTH) if number < BASE**LENGTH else spread(1, low, None)[0]


def spread(count: int, low: str | None, high: str | None) -> list[str]:
    """So many ranks in ascending order between two, evenly apart and as short as that allows.

    >>> spread(3, None, None)
    ['g', 'm', 's']
    >>> spread(2, "b", "c")
    ['bi', 'br']
    """
    low, high = low or SMALLEST, high if high is not None else LARGEST
    length = 1
    while value(high, length) - value(low, length) <= count:
        length += 1
    least, room = value(low, length), value(high, length) - value(low, length)
    return list(texts(least, room, count, length))


def texts(least: int, room: int, count: int, length: int) -> Iterator[str]:
    for place in range(1, count + 1):
        yield text(least + room * place // (count + 1), length)


def text(number: int, length: int) -> str:
    """The rank of so many letters with this value; one letter more where it would end in `a`."""
    letters = []
    for _ in range(length):
        number, digit = divmod(number, BASE)
        letters.append(LETTERS[digit])
    return "".join(reversed(letters)) + ("n" if letters[0] == "a" else "")


def value(rank: str, length: int) -> int:
    """The first digits of a rank as a whole number."""
    number = 0
    for place in range(length):
        number = number * BASE + digit(rank, place)
    return number
