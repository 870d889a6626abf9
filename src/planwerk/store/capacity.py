"""The capacity of a board: a calendar of periods → the JSON text of the answer, added up in the database by one statement.

Comes in: which view, and the days and periods of the calendar. Goes out: the text; no day, card or schedule row becomes a Python
object. Availability is added up in hundredths of a minute and rounded once for each element.
"""

from dataclasses import dataclass

import orjson

from planwerk.store.capacity_views import View, views
from planwerk.store.database import too_large
from planwerk.store.spread import (
    MOST_PERCENT,
    WORDS,
    Words,
    bounded,
    follow,
    is_open,
    meet,
    minutes_between,
    minutes_of_hours,
    open_before,
    parts,
    taken,
    week,
)
from planwerk.store.statements import Statement
from planwerk.store.transaction import Transaction


@dataclass(frozen=True)
class Calendar:
    """The days of a range as (day, place of its period, number), and the periods as (place, day that names it), both in order."""

    days: list[tuple[str, int, int]]
    periods: list[tuple[int, str]]


def capacity(tx: Transaction, view: str, board_id: str, stage_id: str, calendar: Calendar) -> str:
    """The JSON text of a view; an empty `stage_id` stands for every stage. Refuses an answer that is too large."""
    rows = tx.run_named(
        STATEMENTS[tx.statements.dialect.name, view],
        board=board_id,
        stage=stage_id,
        first=calendar.days[0][0],
        last=calendar.days[-1][0],
        days=orjson.dumps(calendar.days).decode(),
        periods=orjson.dumps(calendar.periods).decode(),
        answer_limit=tx.settings.answer_limit_bytes,
    )
    text: str | None = rows[0][0]
    if text is None:
        raise too_large()
    return text


def statement(words: Words, view: View) -> Statement:
    """element: what each period lists · share: whose time it has · figure: its sums in each period · line: a period as text."""
    text = f"""
        WITH RECURSIVE {calendar_tables(words)}, {linked_tables(words)},
        element AS MATERIALIZED ({view.element}),
        share AS MATERIALIZED ({view.share}),
        {available_table(words)}, {planned_tables(words, view)},
        figure AS (
            SELECT period, element, (CAST(sum(available) AS bigint) + 50) / 100 AS available, (CAST(sum(off) AS bigint) + 50) / 100 AS off,
                CAST(sum(planned) AS bigint) AS planned
            FROM (
                SELECT period.place AS period, element.number AS element, 0 AS available, 0 AS off, 0 AS planned
                FROM period CROSS JOIN element
                UNION ALL SELECT period, element, available, off, 0 FROM available
                UNION ALL SELECT period, element, 0, 0, planned FROM planned
            ) AS part_of_figure
            GROUP BY period, element
        ), line AS (
            SELECT figure.period, string_agg({figures_text(view)}, ',' ORDER BY element.number) AS texts
            FROM figure JOIN element ON element.number = figure.element
            GROUP BY figure.period
        ), answer AS (
            SELECT '{{"data":[' || string_agg(
                '{{"date":"' || period.name || '","{view.name}":[' || coalesce(line.texts, '') || ']}}', ',' ORDER BY period.place
            ) || ']}}' AS text
            FROM period LEFT JOIN line ON line.period = period.place
        )
        SELECT CASE WHEN octet_length(text) > {{answer_limit}} THEN NULL ELSE text END FROM answer
    """
    return Statement(text, {})


def figures_text(view: View) -> str:
    off = """ || ',"time_off":' || CAST(figure.off AS text)""" if view.shows_off else ""
    available, planned = (f"""'"time_{name}":' || CAST(figure.{name} AS text)""" for name in ("available", "planned"))
    return f"""element.opening || {available}{off} || ',' || {planned} || element.closing"""


def calendar_tables(words: Words) -> str:
    """week: the board's open weekdays · day, open_day, period: the calendar, in open days before and behind each period."""
    return f"""
        week AS MATERIALIZED (
            SELECT board.capacity_method, {week(words, "board.workdays")} FROM board
            WHERE board.environment_id = {{environment}} AND board.id = {{board}} AND board.deleted_at IS NULL
        ), day AS MATERIALIZED (
            SELECT item.value ->> 0 AS "date", CAST(item.value ->> 1 AS bigint) AS period, CAST(item.value ->> 2 AS integer) AS number
            FROM {words.rows.format("{days}")}
        ), open_day AS MATERIALIZED (
            SELECT day."date", day.period FROM day CROSS JOIN week WHERE {is_open("day.number", "week")} > 0
        ), reach AS (
            SELECT period, min(number) AS first_number, max(number) AS last_number FROM day GROUP BY period
        ), named AS MATERIALIZED (
            SELECT CAST(item.value ->> 0 AS bigint) AS place, item.value ->> 1 AS name FROM {words.rows.format("{periods}")}
        ), period AS MATERIALIZED (
            SELECT named.place, named.name, {open_before("reach.first_number", "week")} AS begun,
                {open_before("(reach.last_number + 1)", "week")} AS ended
            FROM named JOIN reach ON reach.period = named.place CROSS JOIN week
        )"""


def linked_tables(words: Words) -> str:
    """stage_here: the stages looked at · linked: their resources · resource_share: each resource once, with its whole percentage.

    A resource whose link to the board is not active is not linked at all; one on the board without a stage counts in full.
    """
    board_link = "board_link.environment_id = {environment} AND board_link.board_id = {board}"
    active_here = f"SELECT 1 FROM board_resource AS board_link WHERE {board_link} AND board_link.active IS NOT FALSE"
    return f"""
        stage_here AS MATERIALIZED (
            SELECT stage.id, stage.priority FROM stage
            WHERE stage.environment_id = {{environment}} AND stage.board_id = {{board}} AND stage.deleted_at IS NULL
                AND ({{stage}} = '' OR stage.id = {{stage}})
        ), linked AS MATERIALIZED (
            SELECT link.stage_id, link.resource_id, resource.type, {bounded(words, "link.percentage", MOST_PERCENT)} AS percentage,
                CASE WHEN link.active IS NOT FALSE THEN 1 ELSE 0 END AS is_active
            FROM stage_here {follow(words, "stage_resource", "link", "link.stage_id = stage_here.id")}
            {follow(words, "resource", "resource", "resource.id = link.resource_id AND resource.deleted_at IS NULL")}
            WHERE NOT EXISTS (
                SELECT 1 FROM board_resource AS board_link
                WHERE {board_link} AND board_link.resource_id = link.resource_id AND board_link.active IS FALSE
            )
        ), resource_share AS MATERIALIZED (
            SELECT linked.resource_id, CAST(sum(linked.percentage * linked.is_active) AS bigint) AS percentage
            FROM linked GROUP BY linked.resource_id
            HAVING max(linked.is_active) = 1 OR ({{stage}} = '' AND EXISTS ({active_here} AND board_link.resource_id = linked.resource_id))
            UNION ALL
            SELECT board_link.resource_id, 100 FROM board_resource AS board_link
            {follow(words, "resource", "resource", "resource.id = board_link.resource_id AND resource.deleted_at IS NULL")}
            WHERE {board_link} AND board_link.active IS NOT FALSE AND {{stage}} = ''
                AND NOT EXISTS (SELECT 1 FROM linked WHERE linked.resource_id = board_link.resource_id)
        )"""


def available_table(words: Words) -> str:
    """available: hundredths of minutes, available and off, of each share on each open day of its resource."""
    of_its_days = 'schedule.resource_id = share.resource_id AND schedule."date" BETWEEN {first} AND {last}'
    away = "coalesce(schedule.hours_leave, 0) + coalesce(schedule.hours_absence, 0)"
    return f"""
        available AS (
            SELECT open_day.period, share.element, {minutes_of_hours(words, "schedule.hours_available")} * share.percentage AS available,
                {minutes_of_hours(words, away)} * share.percentage AS off
            FROM share {follow(words, "resource", "resource", "resource.id = share.resource_id AND resource.archived_at IS NULL")}
            {follow(words, "schedule", "schedule", f"{of_its_days} AND schedule.deleted_at IS NULL")}
            JOIN open_day ON open_day."date" = schedule."date"
            WHERE schedule."date" BETWEEN coalesce(resource.start_date, {{first}}) AND coalesce(resource.end_date, {{last}})
        )"""


def planned_tables(words: Words, view: View) -> str:
    """placed: what of the board's cards is work of an element · spread: each of them once in every period it touches ·
    planned: the minutes there."""
    end_date = words.more.format("card.start_date", "coalesce(card.end_date, card.start_date)")
    of_board = "card.board_id = {board} AND card.start_date <= {last} AND card.deleted_at IS NULL"
    first = f"{words.more.format('period.begun', 'spread.begun')} - spread.begun"
    following = f"{words.less.format('period.ended', '(spread.begun + spread.days)')} - spread.begun"
    return f"""
        placed AS (
            SELECT {view.worker} AS element, {taken(words, "week.capacity_method", *view.minutes)} AS minutes,
                card.start_date AS first_day, {end_date} AS last_day, week.opens, week.befores, week.a_week
            FROM week {meet(words, "card", "card", of_board)} {view.work}
            WHERE week.capacity_method <> 'none' AND {end_date} >= {{first}} AND ({{stage}} = '' OR card.stage_id = {{stage}})
        ), {parts(words, "placed")}, spread (element, minutes, days, begun, period, last_period) AS (
            SELECT part.element, part.minutes, part.days, part.begun, first_day.period, last_day.period
            FROM part
            JOIN day AS first_day ON first_day."date" = {words.more.format("part.first_day", "{first}")}
            JOIN day AS last_day ON last_day."date" = {words.less.format("part.final_day", "{last}")}
            WHERE part.minutes > 0
            UNION ALL
            SELECT element, minutes, days, begun, period + 1, last_period FROM spread WHERE period < last_period
        ), planned AS (
            SELECT spread.period, spread.element, {minutes_between("spread", f"({first})", f"({following})")} AS planned
            FROM spread JOIN period ON period.place = spread.period
        )"""


STATEMENTS = {(name, key): statement(words, view) for name, words in WORDS.items() for key, view in views(words).items()}
