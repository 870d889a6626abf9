"""The statements about schedule rows that no list and no single read makes: by resource and day, a year at a time."""

from functools import lru_cache

from planwerk.store.statements import Statement
from planwerk.store.transaction import Row, Transaction

LIVING = "environment_id = {environment} AND resource_id = {resource_id} AND deleted_at IS NULL"
YEARS = Statement(f'SELECT DISTINCT substr("date", 1, 4) FROM schedule WHERE {LIVING} ORDER BY 1', {})
WITHOUT_DAY = Statement(
    "SELECT id FROM resource WHERE environment_id = {environment} AND deleted_at IS NULL AND NOT EXISTS (SELECT 1 FROM schedule"
    " WHERE schedule.environment_id = resource.environment_id AND schedule.resource_id = resource.id"
    ' AND schedule."date" = {date} AND schedule.deleted_at IS NULL) ORDER BY id',
    {},
)
RESOURCES = Statement("SELECT id FROM resource WHERE environment_id = {environment} AND deleted_at IS NULL ORDER BY id", {})


def rows_between(tx: Transaction, resource_id: str, first: str, last: str) -> list[Row]:
    """The schedule rows of a resource from one day to another, both included, by date."""
    columns = tx.statements.columns("schedule")
    found = tx.run_named(between(columns), resource_id=resource_id, first=first, last=last)
    return [dict(zip(columns, row, strict=True)) for row in found]


@lru_cache
def between(columns: tuple[str, ...]) -> Statement:
    names = ", ".join(f'"{name}"' for name in columns)
    return Statement(f'SELECT {names} FROM schedule WHERE {LIVING} AND "date" BETWEEN {{first}} AND {{last}} ORDER BY "date"', {})


def years_with_rows(tx: Transaction, resource_id: str) -> list[str]:
    """The years of which a resource has a row."""
    return [row[0] for row in tx.run_named(YEARS, resource_id=resource_id)]


def resources_without(tx: Transaction, date: str) -> list[str]:
    """The ids of the resources that have no row for a day."""
    return [row[0] for row in tx.run_named(WITHOUT_DAY, date=date)]


def all_resources(tx: Transaction) -> list[str]:
    return [row[0] for row in tx.run_named(RESOURCES)]
