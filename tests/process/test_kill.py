"""A 2xx answer to a write means it is on disk: the server is killed under write load, again and again (SIGKILL)."""

import random
import time

from tests.process.serving import IS_LONG, Place
from tests.process.writing import Ledger, cards_path, check, writers

CLIENTS = 8
CYCLES = 100 if IS_LONG else 5
SHORTEST_SECONDS, LONGEST_SECONDS = (0.3, 1.2) if IS_LONG else (0.2, 0.6)


def test_a_kill_under_load_loses_nothing_that_was_acknowledged_and_keeps_writes_whole(place: Place) -> None:
    """To see it fail: answer before the commit (in `SQLite.write_all`, `settle` before `commit`), or commit after each statement."""
    ledger, chance, cards = Ledger(), random.Random(1), ""
    for _ in range(CYCLES):
        with place.serving() as server:
            cards = cards or cards_path(server)
            with writers(server, ledger, cards, CLIENTS):
                time.sleep(chance.uniform(SHORTEST_SECONDS, LONGEST_SECONDS))
                server.kill()
        check(place, ledger)
    assert ledger.refused == []
    assert len(ledger.acknowledged) > CYCLES, "hardly anything was written before the kills"
    with place.serving() as server, server.client() as asker:
        known = max(ledger.acknowledged)
        path = "/v1/order" if known.startswith("order") else "/v1/card"
        assert asker.value("GET", f"{path}?filter=external_ref:eq:{known}")["count"] == 1
        ledger.write(asker, cards)
    check(place, ledger)
