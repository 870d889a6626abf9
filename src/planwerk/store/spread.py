"""How the minutes of a card lie on the days of its board: SQL text for both databases, made of the texts of its parts.

Comes in: SQL expressions. Goes out: SQL expressions; nothing here runs a statement. A day is a number (the Julian day, which 7
divides on Mondays) and the open days before it are counted in closed form, so that no card is laid out day by day.
"""

from dataclasses import dataclass

MOST_MINUTES = 10**12  # of one card; larger figures count as this, so that no sum leaves the range of an integer
MOST_PERCENT = 10**6
MOST_HOURS = 24  # of a day
OPEN_WEEKDAYS = (1, 1, 1, 1, 1, 0, 0)  # of a board that does not say, Monday first


@dataclass(frozen=True)
class Words:
    """The words of one kind of database, with `{0}`, `{1}` where their operands stand."""

    number: str  # the Julian day of a day's text
    items: str  # a JSON list of texts as a table with the column `value`
    rows: str  # a JSON list of lists as a table `item` with the column `value`
    weekday: str  # 1, 0 or null: whether a weekday of a board's workdays is open
    less: str
    more: str
    floor: str  # of what is not negative
    then: str  # a join; SQLite begins with what is named first
    follow: str  # a table, its alias and a condition: joined by an index for each row before it, however the planner guesses


WORDS = {
    "sqlite": Words(
        number="CAST(julianday({0}) + 0.5 AS INTEGER)",
        items="(SELECT value FROM json_each({0}))",
        rows="json_each({0}) AS item",
        weekday="json_extract({0}, '$.\"{1}\"')",
        less="min({0}, {1})",
        more="max({0}, {1})",
        floor="CAST({0} AS INTEGER)",
        then="CROSS JOIN",
        follow="CROSS JOIN {0} AS {1} ON {2}",
    ),
    "postgresql": Words(
        number="(CAST({0} AS date) - DATE '2000-01-01' + 2451545)",
        items="(SELECT value FROM jsonb_array_elements_text(CAST({0} AS jsonb)) AS item (value))",
        rows="jsonb_array_elements(CAST({0} AS jsonb)) AS item (value)",
        weekday="CAST(CAST(CAST({0} AS jsonb) ->> '{1}' AS boolean) AS integer)",
        less="least({0}, {1})",
        more="greatest({0}, {1})",
        floor="CAST(floor({0}) AS bigint)",
        then="JOIN",
        follow="CROSS JOIN LATERAL (SELECT * FROM {0} AS {1} WHERE {2} OFFSET 0) AS {1}",
    ),
}


def follow(words: Words, table: str, alias: str, condition: str) -> str:
    """Joins the rows of the environment that meet a condition, by an index for each row before them."""
    return words.follow.format(table, alias, f"{alias}.environment_id = {{environment}} AND {condition}")


def meet(words: Words, table: str, alias: str, condition: str) -> str:
    """Joins the rows of the environment that meet a condition; PostgreSQL chooses how, for there may be many."""
    return f"{words.then} {table} AS {alias} ON {alias}.environment_id = {{environment}} AND {condition}"


def week(words: Words, workdays: str) -> str:
    """The columns `opens` (seven digits, 1 for an open weekday), `befores` (how many open ones come before it) and `a_week`."""
    digits = [f"coalesce({words.weekday.format(workdays, day)}, {usual})" for day, usual in enumerate(OPEN_WEEKDAYS, 1)]
    befores = ["'0'", *(f"CAST({' + '.join(digits[:day])} AS text)" for day in range(1, 7))]
    opens = " || ".join(f"CAST({digit} AS text)" for digit in digits)
    return f"{opens} AS opens, {' || '.join(befores)} AS befores, {' + '.join(digits)} AS a_week"


def is_open(number: str, week: str) -> str:
    """1 where the day with this number is open in a table that has the columns of `week`, else 0."""
    return f"CAST(substr({week}.opens, {number} - {number} / 7 * 7 + 1, 1) AS INTEGER)"


def open_before(number: str, week: str) -> str:
    """How many open days lie before the day with this number."""
    return f"({number} / 7 * {week}.a_week + CAST(substr({week}.befores, {number} - {number} / 7 * 7 + 1, 1) AS INTEGER))"


def parts(words: Words, source: str) -> str:
    """The table expressions `numbered` and `part` of cards in `source`, which has the columns minutes, first_day, last_day and
    those of `week`: `begun` open days lie before a part, `days` in it, and none after `final_day`.

    The minutes of a card without an open day all lie on its first.
    """
    begun, ended = open_before("first_number", "numbered"), open_before("(last_number + 1)", "numbered")
    return f"""
        numbered AS MATERIALIZED (
            SELECT {source}.*, {words.number.format("first_day")} AS first_number, {words.number.format("last_day")} AS last_number
            FROM {source}
        ), part AS MATERIALIZED (
            SELECT numbered.*, {begun} AS begun, {ended} - {begun} AS days,
                CASE WHEN {ended} > {begun} THEN last_day ELSE first_day END AS final_day
            FROM numbered
        )"""


def minutes_between(row: str, first: str, following: str) -> str:
    """The minutes of a part that lie after its first `first` open days and not after its first `following` ones.

    Each day gets a whole number of minutes, of which no two differ by more than one; the sum is exact.
    """
    return f"CASE {row}.days WHEN 0 THEN {row}.minutes ELSE {reached(row, following)} - {reached(row, first)} END"


def reached(row: str, count: str) -> str:
    """The minutes of the first `count` days, rounded down; the product stays in the range of an integer."""
    minutes, days = f"{row}.minutes", f"{row}.days"
    return f"({minutes} / {days} * {count} + ({minutes} - {minutes} / {days} * {days}) * {count} / {days})"


def bounded(words: Words, value: str, most: int) -> str:
    """A figure that may be null, between 0 and the most that counts."""
    return words.less.format(words.more.format(f"coalesce({value}, 0)", "0"), str(most))


def minutes_of_hours(words: Words, hours: str) -> str:
    """The hours of a day in whole minutes, half a minute counting as one."""
    return words.floor.format(f"({bounded(words, hours, MOST_HOURS)} * 60 + 0.5)")


def taken(words: Words, method: str, time: str, time_remaining: str) -> str:
    """The minutes that a board's capacity_method counts."""
    estimated, remaining = (bounded(words, value, MOST_MINUTES) for value in (time, time_remaining))
    return f"CASE {method} WHEN 'estimated_time' THEN {estimated} WHEN 'remaining_time' THEN {remaining} ELSE 0 END"
