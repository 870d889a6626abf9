"""The rate limit counts every request once, whoever else asks at the same moment, and says honestly when it ends."""

import json
import threading
import time
from collections import Counter
from pathlib import Path

from tests.process.asking import Reply
from tests.process.serving import Serving, prepared

THREADS = 32
EACH = 10  # requests of each thread
LIMIT = 100


def test_threads_at_once_never_get_more_than_the_limit_through(tmp_path: Path) -> None:
    """To see it fail: in `Quota.hit`, compare before counting and count after an `await`."""
    place = prepared(f"sqlite:///{tmp_path / 'planwerk.db'}", tmp_path, rate_limit=f"{LIMIT}/hour")
    with place.serving() as server:
        replies = ask_at_once(server)
    assert Counter(reply.status for reply in replies) == {200: LIMIT, 429: THREADS * EACH - LIMIT}
    passed = [int(reply.headers["ratelimit-remaining"]) for reply in replies if reply.status == 200]
    assert sorted(passed) == list(range(LIMIT)), "each answer says how many are left, and no two say the same"
    for reply in replies:
        assert reply.headers["ratelimit-limit"] == str(LIMIT)
        assert 0 < int(reply.headers["ratelimit-reset"]) <= 3600
    for refused in (reply for reply in replies if reply.status == 429):
        assert refused.headers["retry-after"] == refused.headers["ratelimit-reset"]
        assert refused.json["errors"][0]["code"] == 10009


def test_a_request_after_the_announced_reset_passes_and_other_keys_never_wait(tmp_path: Path) -> None:
    """To see it fail: round the seconds of `RateLimit-Reset` down, or count all credentials together."""
    place = prepared(f"sqlite:///{tmp_path / 'planwerk.db'}", tmp_path, rate_limit="3/2second")
    other = place.command("key", "create", "--json")
    with place.serving() as server, server.client() as asker:
        replies = [asker.ask("GET", "/v1/order") for _ in range(4)]
        assert [reply.status for reply in replies] == [200, 200, 200, 429]
        with server.client(**{"x-api-key": json.loads(other.stdout)["api_key"]}) as another:
            assert another.ask("GET", "/v1/order").status == 200
        time.sleep(int(replies[-1].headers["ratelimit-reset"]))
        assert asker.ask("GET", "/v1/order").status == 200


def test_what_has_no_key_is_not_counted_against_anyone(tmp_path: Path) -> None:
    """To see it fail: count before the caller is known."""
    place = prepared(f"sqlite:///{tmp_path / 'planwerk.db'}", tmp_path, rate_limit="1/hour")
    with place.serving() as server, server.client() as asker, server.anonymous() as nobody:
        assert {nobody.ask("GET", "/v1/order").status for _ in range(5)} == {401}
        assert asker.ask("GET", "/v1/order").status == 200


def ask_at_once(server: Serving) -> list[Reply]:
    """The answers to all requests of all threads, which begin together."""
    replies: list[Reply] = []
    barrier = threading.Barrier(THREADS)

    def run() -> None:
        with server.client() as asker:
            barrier.wait()
            for _ in range(EACH):
                replies.append(asker.ask("GET", "/v1/order"))

    threads = [threading.Thread(target=run) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return replies
