"""Clients that write without pause and remember what was acknowledged: a reference counts once its whole 201 has been read."""

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field as attribute
from typing import Any

import apsw
import psycopg
from tests.process.asking import DROPPED, Asker
from tests.process.serving import Place, Serving

ROWS = 2  # of every order, written with it


@dataclass
class Ledger:
    """What clients sent and what they were told is stored, over any number of servers on one database."""

    sent: set[str] = attribute(default_factory=set)
    acknowledged: set[str] = attribute(default_factory=set)
    refused: list[str] = attribute(default_factory=list)
    numbers: Any = attribute(default_factory=itertools.count)

    def write(self, asker: Asker, cards: str) -> None:
        """One order with its rows, or one card; nothing is noted when the connection breaks."""
        number = next(self.numbers)
        reference, path, body = an_order(number) if number % 2 else a_card(number, cards)
        self.sent.add(reference)
        reply = asker.ask("POST", path, body)
        if reply.status == 201:
            self.acknowledged.add(reference)
        else:
            self.refused.append(f"{reply.status} {reply.body[:300]!r}")


def an_order(number: int) -> tuple[str, str, dict[str, Any]]:
    reference = f"order-{number}"
    rows = [{"description": f"row {position}", "position": position} for position in range(ROWS)]
    return reference, "/v1/order", {"external_ref": reference, "description": "written under load", "order_rows": rows}


def a_card(number: int, cards: str) -> tuple[str, str, dict[str, Any]]:
    reference = f"card-{number}"
    return reference, cards, {"external_ref": reference, "name": "written under load"}


def cards_path(server: Serving) -> str:
    """Where cards can be created: below a new collection of a new board."""
    with server.client() as asker:
        board = asker.value("POST", "/v1/board", {"name": "B", "stages": [{"name": "S"}], "statuses": [{"name": "open", "type": "entry"}]})
        collection = asker.value("POST", "/v1/collection", {"name": "C", "board_id": board["id"]})
        return f"/v1/collection/{collection['id']}/card"


@contextmanager
def writers(server: Serving, ledger: Ledger, cards: str, count: int) -> Iterator[threading.Event]:
    """So many clients that write until the block ends or the server goes away."""
    stopped = threading.Event()

    def run() -> None:
        with server.client() as asker:
            try:
                while not stopped.is_set():
                    ledger.write(asker, cards)
            except DROPPED:
                pass

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield stopped
    finally:
        stopped.set()
        for thread in threads:
            thread.join()


# ── what is in the database, seen without the server ──


def rows_of(place: Place, statement: str) -> list[Any]:
    if place.database.startswith("sqlite"):
        connection = apsw.Connection(place.database.removeprefix("sqlite:///"))
        try:
            return list(connection.execute(statement))
        finally:
            connection.close()
    with psycopg.connect(place.database, options="-c planwerk.environment_id=*") as server:  # all environments
        return server.execute(statement.encode()).fetchall()


def stored(place: Place) -> set[str]:
    """The references of all stored orders and cards."""
    both = """SELECT external_ref FROM "order" UNION ALL SELECT external_ref FROM card"""
    references = [row[0] for row in rows_of(place, both)]
    assert len(references) == len(set(references)), "a reference is stored twice"
    return set(references)


def incomplete(place: Place) -> list[str]:
    """The references of orders that have not all their rows."""
    counted = f"""SELECT o.external_ref FROM "order" o LEFT JOIN order_row r ON r.environment_id = o.environment_id AND r.order_id = o.id
        GROUP BY o.environment_id, o.id, o.external_ref HAVING count(r.id) <> {ROWS}"""
    return [row[0] for row in rows_of(place, counted)]


def check(place: Place, ledger: Ledger) -> None:
    """What was acknowledged is there, nothing is there that nobody sent, and all of it is whole."""
    if place.database.startswith("sqlite"):
        assert rows_of(place, "PRAGMA integrity_check") == [("ok",)]
    found = stored(place)
    assert ledger.acknowledged <= found, f"acknowledged and lost: {sorted(ledger.acknowledged - found)[:10]}"
    assert found <= ledger.sent, f"stored and never sent: {sorted(found - ledger.sent)[:10]}"
    assert incomplete(place) == []
