"""In maintenance every request is turned away, and every server process notices."""

import asyncio
from pathlib import Path

import pytest
from tests.unit.store.shop import opened, served

from planwerk.edge.maintenance import Maintenance, set_maintenance
from planwerk.errors import SERVICE_UNAVAILABLE, Refusal
from planwerk.store.sqlite import SQLite


def turn(database: SQLite, *, is_on: bool) -> None:
    database.write_now("", lambda tx: set_maintenance(tx, is_on=is_on))


async def check(database: SQLite, maintenance: Maintenance) -> str:
    database.refresh()
    return await maintenance.check()


def test_it_is_off_until_somebody_turns_it_on(tmp_path: Path) -> None:
    database = opened(tmp_path)
    assert served(database, lambda: check(database, Maintenance(database, ""))) == ""


def test_while_it_is_on_requests_are_refused_and_told_when_to_return(tmp_path: Path) -> None:
    database = opened(tmp_path)
    turn(database, is_on=True)
    with pytest.raises(Refusal) as caught:
        served(database, lambda: check(database, Maintenance(database, "")))
    assert caught.value.faults[0].kind is SERVICE_UNAVAILABLE
    assert caught.value.headers == {"retry-after": "60"}


def test_people_are_sent_to_the_page_that_is_set(tmp_path: Path) -> None:
    database = opened(tmp_path)
    turn(database, is_on=True)
    assert served(database, lambda: check(database, Maintenance(database, "https://example.com/sorry"))) == "https://example.com/sorry"


def test_it_goes_on_and_off_while_the_server_runs(tmp_path: Path) -> None:
    database = opened(tmp_path)

    async def use() -> list[str]:
        maintenance, found = Maintenance(database, "page"), []
        for is_on in (True, False, True):
            await database.write("", lambda tx, is_on=is_on: set_maintenance(tx, is_on=is_on))  # type: ignore[misc]
            found.append(await check(database, maintenance))
        return found

    assert served(database, use) == ["page", "", "page"]


def test_nothing_is_read_again_while_nothing_was_committed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = opened(tmp_path)
    turn(database, is_on=True)

    async def use() -> list[str]:
        maintenance = Maintenance(database, "page")
        found = [await check(database, maintenance)]
        monkeypatch.setattr(SQLite, "fetch", None)
        return [*found, *[await check(database, maintenance) for _ in range(3)]]

    assert served(database, use) == ["page"] * 4


def test_a_write_to_another_table_is_no_reason_to_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = opened(tmp_path)

    async def use() -> str:
        maintenance = Maintenance(database, "page")
        await check(database, maintenance)
        await database.write("here", lambda tx: tx.insert(tx.object("label"), {}))
        monkeypatch.setattr(SQLite, "fetch", None)
        return await check(database, maintenance)

    assert served(database, use) == ""


def test_where_versions_are_not_known_for_free_it_is_looked_up_once_a_generation() -> None:
    class Distant:
        """A database that many processes write to."""

        generation, asked = 0, 0

        def __init__(self) -> None:
            self.statements = self

        def named(self, statement: object) -> object:
            return statement

        def version(self, environment_id: str, tables: tuple[str, ...]) -> None:
            return None

        async def fetch(self, statement: object, values: object) -> tuple[str]:
            self.asked += 1
            return ("on",)

    database = Distant()

    async def use() -> list[str]:
        maintenance = Maintenance(database, "page")  # type: ignore[arg-type]
        found = [await maintenance.check(), await maintenance.check()]
        database.generation += 1
        return [*found, await maintenance.check()]

    assert asyncio.run(use()) == ["page"] * 3
    assert database.asked == 2
