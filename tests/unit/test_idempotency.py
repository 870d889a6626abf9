"""The first answer to a request is given again for a day; another body under the same key is refused."""

from pathlib import Path

import pytest
from tests.unit.store.shop import HERE, Clock, opened

from planwerk.errors import VALIDATION_FAILED, Refusal
from planwerk.idempotency import Claim, FirstAnswer, claim_request, keep_answer
from planwerk.store.sqlite import SQLite

CLAIM = Claim("key", "POST v1/order A1", "hash")
ANSWER = FirstAnswer(201, "tag", '{"name":"Säge\\nÖl"}'.encode())


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(tmp_path: Path, clock: Clock) -> SQLite:
    return opened(tmp_path, clock)


def claim(database: SQLite, claim: Claim = CLAIM, environment: str = HERE) -> FirstAnswer | None:
    def work(tx: object) -> FirstAnswer | None:
        found = claim_request(tx, claim)  # type: ignore[arg-type]
        if found is None:
            keep_answer(tx, claim, ANSWER)  # type: ignore[arg-type]
        return found

    return database.write_now(environment, work)


def test_the_first_request_is_done_and_the_second_gets_its_answer(database: SQLite) -> None:
    assert claim(database) is None
    assert claim(database) == claim(database) == ANSWER


def test_the_same_key_with_another_body_is_refused(database: SQLite) -> None:
    claim(database)
    with pytest.raises(Refusal, match="used with another body before") as caught:
        claim(database, Claim("key", "POST v1/order A1", "other"))
    assert (caught.value.faults[0].kind, caught.value.faults[0].property) == (VALIDATION_FAILED, "Idempotency-Key")


@pytest.mark.parametrize("other", [Claim("other key", CLAIM.request, "hash"), Claim("key", "POST v1/card A1", "hash")])
def test_another_caller_or_path_is_another_request(database: SQLite, other: Claim) -> None:
    claim(database)
    assert claim(database, other) is None


def test_another_environment_is_another_request(database: SQLite) -> None:
    claim(database)
    assert claim(database, environment="other") is None


def test_a_key_is_forgotten_after_a_day(database: SQLite, clock: Clock) -> None:
    claim(database)
    clock.now += 24 * 3600
    assert claim(database) == ANSWER
    clock.now += 1
    assert claim(database, Claim("key", CLAIM.request, "other")) is None


def test_a_request_that_fails_leaves_no_claim(database: SQLite) -> None:
    def fail(tx: object) -> None:
        claim_request(tx, CLAIM)  # type: ignore[arg-type]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        database.write_now(HERE, fail)
    assert claim(database) is None
