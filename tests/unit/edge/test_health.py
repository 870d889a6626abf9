"""Whether the server lives, can serve and can write; trying to write is done once a second at most."""

import asyncio
from typing import Any

import orjson

from planwerk.edge.health import Health
from planwerk.errors import Refusal
from planwerk.store.database import unavailable

REQUEST: Any = None


class Database:
    """Answers as it is told."""

    def __init__(self, *, found: Any = ("probe",), is_writable: bool = True) -> None:
        self.statements = self
        self.found, self.writes, self.can_write = found, 0, is_writable

    def named(self, statement: object) -> object:
        return statement

    async def fetch(self, statement: object, values: object) -> Any:
        if isinstance(self.found, Refusal):
            raise self.found
        return self.found

    async def is_writable(self) -> bool:
        self.writes += 1
        return self.can_write


def ready(database: Database, clock: Any = lambda: 1.0) -> tuple[int, Any]:
    health: Any = Health(database, clock)  # type: ignore[arg-type]
    answer = asyncio.run(health.ready(REQUEST))
    return answer.status_code, orjson.loads(answer.body)


def test_a_server_that_can_do_everything_is_ready() -> None:
    assert ready(Database()) == (200, {"status": "ready", "writable": True})


def test_a_server_that_cannot_write_still_serves_reads() -> None:
    assert ready(Database(is_writable=False)) == (200, {"status": "ready", "writable": False})


def test_a_server_without_its_tables_or_its_database_is_not_ready() -> None:
    for found in (None, unavailable("it has gone")):
        assert ready(Database(found=found)) == (503, {"status": "not ready", "writable": False})


def test_writing_is_tried_once_a_second_however_often_it_is_asked_for() -> None:
    database, now = Database(), [1.0]
    health: Any = Health(database, lambda: now[0])  # type: ignore[arg-type]
    for moment, tried in ((1.0, 1), (1.9, 1), (2.0, 2)):
        now[0] = moment
        asyncio.run(health.ready(REQUEST))
        assert database.writes == tried


def test_a_process_that_answers_lives() -> None:
    health: Any = Health(Database(found=None))  # type: ignore[arg-type]
    assert orjson.loads(asyncio.run(health.live(REQUEST)).body) == {"status": "live"}
    assert [route.path for route in health.routes()] == ["/health/live", "/health/ready"]
