"""What PostgreSQL reports, in the API's words; the rest of it is tried on a server."""

import psycopg
import pytest
from psycopg import errors as engine

from planwerk.errors import MEMORY_EXHAUSTED, SERVICE_UNAVAILABLE, Kind, Refusal
from planwerk.settings import Settings
from planwerk.store.postgresql import options, translate
from planwerk.store.transaction import Duplicate


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (engine.QueryCanceled(), SERVICE_UNAVAILABLE),
        (engine.LockNotAvailable(), SERVICE_UNAVAILABLE),
        (engine.DiskFull(), SERVICE_UNAVAILABLE),
        (engine.ReadOnlySqlTransaction(), SERVICE_UNAVAILABLE),
        (engine.TooManyConnections(), SERVICE_UNAVAILABLE),
        (psycopg.OperationalError(), SERVICE_UNAVAILABLE),
        (psycopg.InterfaceError(), SERVICE_UNAVAILABLE),
        (engine.ProgramLimitExceeded(), MEMORY_EXHAUSTED),
        (engine.OutOfMemory(), MEMORY_EXHAUSTED),
    ],
    ids=lambda part: type(part).__name__,
)
def test_what_the_server_cannot_do_now_is_a_refusal(error: psycopg.Error, kind: Kind) -> None:
    refusal = translate(error)
    assert isinstance(refusal, Refusal)
    assert refusal.faults[0].kind is kind


def test_a_key_that_is_taken_is_a_duplicate() -> None:
    assert isinstance(translate(engine.UniqueViolation()), Duplicate)


@pytest.mark.parametrize(
    "error", [engine.SyntaxError(), engine.SerializationFailure(), engine.DeadlockDetected()], ids=lambda error: type(error).__name__
)
def test_an_error_of_our_own_and_one_to_try_again_stay_what_they_are(error: psycopg.Error) -> None:
    assert translate(error) is error


def test_a_connection_has_its_limits_from_the_start() -> None:
    assert "statement_timeout=2500 " in options(Settings(statement_seconds=2.5))
