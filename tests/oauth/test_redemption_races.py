"""Many redeem one code or one refresh token at once: one wins. Whoever revokes wins against whoever refreshes.

Ten rounds of twenty threads; fifty with PLANWERK_LONG=1. To see it fail: take used_at or rotated_at out of CLAIM in oauth/rfc6749_code.py
and oauth/rfc6749_refresh.py, or the look at revoked_at out of both LIVES and `hold`.
"""

import os
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.client import Answer
from tests.oauth.connecting import App, Visit, new_app, new_visit
from tests.server import Server
from tests.world import World

THREADS = 20
ROUNDS = 50 if os.environ.get("PLANWERK_LONG") == "1" else 10


@pytest.fixture
def app(server: Server) -> App:
    return new_app(server, server.tenant("developer"))


@pytest.fixture
def visit(server: Server, world: World) -> Visit:
    return new_visit(server, world)


def at_once(*works: Callable[[], Answer]) -> list[Answer]:
    """The answers to requests of as many threads, which start together."""
    barrier = threading.Barrier(len(works))

    def run(work: Callable[[], Answer]) -> Answer:
        barrier.wait()
        return work()

    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(run, works))


def told(answers: list[Answer]) -> dict[str, int]:
    """How often each thing was said."""
    return dict(Counter(answer.json.get("error", "tokens") for answer in answers))


def test_of_many_who_redeem_a_code_one_wins_and_its_tokens_end(app: App, visit: Visit) -> None:
    for _ in range(ROUNDS):
        code = visit.code(app)
        answers = at_once(*[lambda code=code: app.exchange(code)] * THREADS)
        assert told(answers) == {"tokens": 1, "invalid_grant": THREADS - 1}
        assert app.status(next(answer.json for answer in answers if answer.status == 200)) == 401
    assert visit.reasons() == ["a code was used twice"] * ROUNDS


def test_of_many_who_redeem_a_refresh_token_one_wins_and_keeps_its_tokens(app: App, visit: Visit) -> None:
    tokens = visit.tokens(app)
    for _ in range(ROUNDS):
        token = tokens["refresh_token"]
        answers = at_once(*[lambda token=token: app.refresh(token)] * THREADS)
        assert told(answers) == {"tokens": 1, "invalid_grant": THREADS - 1}
        tokens = next(answer.json for answer in answers if answer.status == 200)
        assert app.status(tokens) == 200
    assert visit.reasons() == [None]


def test_revoking_wins_against_refreshing(app: App, visit: Visit) -> None:
    for _ in range(ROUNDS):
        tokens = visit.tokens(app)
        token = tokens["refresh_token"]
        works = [lambda token=token: app.refresh(token), lambda token=token: app.revoke(token)] * (THREADS // 4)
        answers = at_once(*works)
        given = [answer.json for answer in answers if answer.json.get("access_token")]
        assert len(given) <= 1
        assert [app.status(item) for item in (tokens, *given)] == [401] * (1 + len(given))
        for item in given:
            assert app.refresh(item["refresh_token"]).json["error"] == "invalid_grant"
    assert visit.reasons() == ["the app gave its token back"] * ROUNDS
