"""Which work overloads a resource: resources and a span of days → the collections whose cards lie on too full a day.

One statement that begins with the resources and reads only what hangs on them; safe to run inside a write. Writes nothing.
"""

from collections.abc import Iterable

import orjson

from planwerk.store.spread import (
    MOST_PERCENT,
    WORDS,
    Words,
    follow,
    is_open,
    minutes_between,
    minutes_of_hours,
    open_before,
    parts,
    taken,
    week,
)
from planwerk.store.statements import Statement
from planwerk.store.transaction import Transaction


def overloaded_collections(tx: Transaction, resource_ids: Iterable[str], first: str, last: str) -> set[str]:
    """The collections with a living card of one of the resources between two days, on some open day of which the resource has
    more work than its schedule and the efficiency of the card's stage leave room for.

    The work of all boards counts that count capacity, as each of them counts it. A day without a schedule row is never too full.
    """
    asked = sorted(set(resource_ids))
    if not asked:
        return set()
    rows = tx.run_named(OVERLOADED[tx.statements.dialect.name], resources=orjson.dumps(asked).decode(), first=first, last=last)
    return {row[0] for row in rows}


def overloaded(words: Words) -> Statement:
    """linked: the dated cards of the resources · placed: those of boards that count · span: the days of those between `first` and
    `last` · near: what else lies there · day: each of them on each of its days in the span, and how far it is by then."""
    end_date = words.more.format("card.start_date", "coalesce(card.end_date, card.start_date)")
    first_day, last_day = words.more.format("part.first_day", "span_first_day"), words.less.format("part.final_day", "span_last_day")
    of_its_days = f'schedule.resource_id = part.resource_id AND schedule."date" BETWEEN {first_day} AND {last_day}'
    text = f"""
        WITH linked AS MATERIALIZED (
            SELECT link.resource_id, link."time", link.time_remaining, card.collection_id, card.board_id, card.stage_id,
                card.start_date AS first_day, {end_date} AS last_day
            FROM {words.items.format("{resources}")} AS asked
            {follow(words, "card_resource", "link", "link.resource_id = asked.value")}
            {follow(words, "card", "card", "card.id = link.card_id AND card.deleted_at IS NULL")}
            WHERE card.start_date IS NOT NULL
        ), week AS MATERIALIZED (
            SELECT board.id AS board_id, board.capacity_method, {week(words, "board.workdays")}
            FROM (SELECT DISTINCT board_id FROM linked) AS used
            {follow(words, "board", "board", "board.id = used.board_id AND board.deleted_at IS NULL")}
            WHERE board.capacity_method <> 'none'
        ), placed AS MATERIALIZED (
            SELECT linked.*, week.opens, week.befores, week.a_week,
                {taken(words, "week.capacity_method", 'linked."time"', "linked.time_remaining")} AS minutes,
                CASE WHEN linked.first_day <= {{last}} AND linked.last_day >= {{first}} THEN 1 ELSE 0 END AS is_asked
            FROM linked JOIN week ON week.board_id = linked.board_id
        ), span AS MATERIALIZED (
            SELECT resource_id, min(first_day) AS first_day, max(last_day) AS last_day FROM placed WHERE is_asked = 1 GROUP BY resource_id
        ), near AS (
            SELECT placed.*, span.first_day AS span_first_day, span.last_day AS span_last_day
            FROM placed JOIN span ON span.resource_id = placed.resource_id
            WHERE placed.first_day <= span.last_day AND placed.last_day >= span.first_day
        ), {parts(words, "near")}, scheduled AS MATERIALIZED (
            SELECT part.*, schedule."date", {words.number.format('schedule."date"')} AS number,
                {minutes_of_hours(words, "schedule.hours_available")} AS available
            FROM part
            {follow(words, "schedule", "schedule", f"{of_its_days} AND schedule.deleted_at IS NULL")}
        ), day AS MATERIALIZED (
            SELECT scheduled.*, {is_open("number", "scheduled")} AS is_open, {open_before("number", "scheduled")} - begun AS passed
            FROM scheduled
        ), filled AS (
            SELECT day.collection_id, day.stage_id, day.is_asked * day.is_open AS is_asked, day.available,
                sum({minutes_between("day", "day.passed", "(day.passed + day.is_open)")})
                    OVER (PARTITION BY day.resource_id, day."date") AS minutes
            FROM day
        )
        SELECT DISTINCT filled.collection_id FROM filled
        LEFT JOIN stage ON stage.environment_id = {{environment}} AND stage.id = filled.stage_id AND stage.deleted_at IS NULL
        WHERE filled.is_asked = 1
            AND filled.minutes * 100 > filled.available * {words.less.format("coalesce(stage.efficiency, 100)", str(MOST_PERCENT))}
    """
    return Statement(text, {})


OVERLOADED = {name: overloaded(words) for name, words in WORDS.items()}
