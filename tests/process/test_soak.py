"""Under load and after it the server stays as small as it was: memory, file handles, threads, the write-ahead log."""

import random
import threading
import time
from pathlib import Path

from tests.process.running import wait_until
from tests.process.serving import IS_LONG, Place, Serving
from tests.process.writing import Ledger, an_order

SECONDS = 1800 if IS_LONG else 20
CLIENTS = 8
GROWTH_BYTES = 24 * 1024 * 1024  # of memory, from the middle of the run to its end; caches of fixed size may still fill
LOG_BYTES = 64 * 1024 * 1024
LISTS = (
    "/v1/order?limit=50&with=order_rows",
    "/v1/order?filter=status:eq:'new'&sort=created_at:desc",
    "/v1/order?filter=code:contains:'7'",
)


def test_a_server_under_mixed_load_keeps_its_size(sqlite_place: Place) -> None:
    """70 % lists, 20 % updates, 10 % creates. To see it fail: keep a reference to every answer, or a connection open for each write."""
    with sqlite_place.serving() as server:
        with server.client() as asker:
            ids = [asker.value("POST", "/v1/order", an_order(-number)[2])["id"] for number in range(100)]
        load = Load(server, ids)
        load.run(SECONDS / 2)
        middle, handles, threads = server.memory_bytes(), server.descriptors(), server.threads()
        load.run(SECONDS / 2)
        assert server.memory_bytes() <= middle + GROWTH_BYTES
        wait_until(lambda: server.descriptors() <= handles and server.threads() <= threads, "handles and threads are as few as before")
        assert load.faults == []
        assert load.answered > 100 * SECONDS / 20
        assert Path(f"{sqlite_place.folder}/planwerk.db-wal").stat().st_size < LOG_BYTES
        assert server.stop() == 0


class Load:
    """Clients that list, change and create orders at random; it can be run again and goes on."""

    def __init__(self, server: Serving, ids: list[str]) -> None:
        self.server = server
        self.ids = ids
        self.ledger = Ledger()
        self.faults: list[str] = []
        self.answered = 0

    def run(self, seconds: float) -> None:
        """Ask for so long, then wait until all is answered and its connections are closed."""
        end = time.monotonic() + seconds
        threads = [threading.Thread(target=self.ask_until, args=(end, random.Random(number))) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def ask_until(self, end: float, chance: random.Random) -> None:
        with self.server.client() as asker:
            while time.monotonic() < end:
                method, path, body = self.choose(chance)
                reply = asker.ask(method, path, body)
                self.answered += 1
                if reply.status >= 300:
                    self.faults.append(f"{method} {path} → {reply.status} {reply.body[:200]!r}")

    def choose(self, chance: random.Random) -> tuple[str, str, object]:
        share = chance.random()
        if share < 0.7:
            return "GET", chance.choice(LISTS), None
        if share < 0.9:
            return (
                "PUT",
                f"/v1/order/{chance.choice(self.ids)}",
                {"code": f"code {chance.random()}", "status": chance.choice(("new", "done"))},
            )
        return "POST", *an_order(next(self.ledger.numbers))[1:]
