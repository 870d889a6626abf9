"""The public holidays of a country or a part of one; pure.

Comes in: a code of ISO 3166 such as `NL`, or `DE-BY` for a part, and a year. Goes out: the days. Never asks a server: the
package `holidays` holds the calendars.
"""

from functools import lru_cache

NONE: frozenset[str] = frozenset()


@lru_cache(1024)
def holidays_of(code: str, year: int) -> frozenset[str]:
    """The public holidays of a year; none without a code. Raises ValueError with a sentence for a code that nobody knows.

    >>> sorted(holidays_of("NL", 2026))[:3]
    ['2026-01-01', '2026-04-03', '2026-04-05']
    >>> "2026-01-06" in holidays_of("DE-BY", 2026), "2026-01-06" in holidays_of("DE", 2026), holidays_of("", 2026)
    (True, False, frozenset())
    >>> holidays_of("XX", 2026)
    Traceback (most recent call last):
    ValueError: holidays: there is no calendar for XX; write a country such as NL, or a part of one such as DE-BY
    """
    if not code.strip():
        return NONE
    from holidays import country_holidays  # its import takes longer than all of a command

    country, _, part = code.strip().upper().partition("-")
    try:
        found = country_holidays(country, subdiv=part or None, years=year)
    except (NotImplementedError, AttributeError, KeyError):
        sentence = f"holidays: there is no calendar for {code}; write a country such as NL, or a part of one such as DE-BY"
        raise ValueError(sentence) from None
    return frozenset(day.isoformat() for day in found)
