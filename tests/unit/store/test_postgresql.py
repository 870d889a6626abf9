"""What PostgreSQL reports, in the API's words; the rest of it is tried on a server."""

import psycopg
import pytest
from psycopg import errors as engine

from planwerk.errors import MEMORY_EXHAUSTED, SERVICE_UNAVAILABLE, Kind, Refusal
from planwerk.settings import Settings
from planwerk.store.database import open_database
from planwerk.store.postgresql import PostgreSQL, Reader, options, translate
from planwerk.store.transaction import Duplicate


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (engine.QueryCanceled(), SERVICE_UNAVAILABLE),
        (engine.LockNotAvailable(), SERVICE_UNAVAILABLE),
        (engine.DiskFull(), SERVICE_UNAVAILABLE),
        (engine.ReadOnlySqlTransaction(), SERVICE_UNAVAILABLE),
        (engine.TooManyConnections(), SERVICE_UNAVAILABLE),
        (engine.IdleInTransactionSessionTimeout(), SERVICE_UNAVAILABLE),
        (engine.TransactionTimeout(), SERVICE_UNAVAILABLE),
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


# ── which idle connection is taken ──


def reading(scopes: str, readers: int) -> PostgreSQL:
    """A database that has nothing but idle connections, one for each letter."""
    database: PostgreSQL = open_database(Settings(database="postgresql://nowhere/none"), {})  # type: ignore[assignment]
    database.idle = [Reader(None, scope) for scope in scopes]  # type: ignore[arg-type]
    database.readers = readers
    return database


@pytest.mark.parametrize(
    ("idle", "readers", "scope", "taken", "left"),
    [
        ("", 0, "a", None, ""),
        ("a", 1, "a", "a", ""),
        ("ab", 2, "a", "a", "b"),
        ("ba", 2, None, "a", "b"),  # whatever is read, any will do
        ("bc", 2, "a", None, "bc"),  # there may be one more
        ("bc", 8, "a", "b", "c"),  # there may not: the one used longest ago
        ("", 8, "a", None, ""),
    ],
)
def test_an_idle_connection_that_works_for_the_environment_is_preferred(
    idle: str, readers: int, scope: str | None, taken: str | None, left: str
) -> None:
    database = reading(idle, readers)
    found = database.nearest(scope)
    assert (found and found.scope, "".join(reader.scope for reader in database.idle)) == (taken, left)
