"""No history of a workshop leaves a value behind that contradicts the rows it follows from, on both databases.

A few histories are played each time, always the same; `PLANWERK_HISTORIES=2000` plays so many others, from a seed that
`PLANWERK_SEED` sets and the test prints. To see it fail: leave `keep_standing` out of the catalog, or let `split` forget the
rank of its parts.
"""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.api.histories import Histories
from tests.api.history_workshop import COUNTRY
from tests.client import Loop
from tests.server import Server, running, scratch_database, settings_for

FEW, STEPS = 12, 25


@pytest.fixture(scope="module")
def workshop(backend: str, folder: Path, loop: Loop) -> Iterator[Server]:
    """A server of its own, where a resource has rows for today alone: the histories ask for more, but not for a thousand."""
    place = folder / f"histories-{backend}"
    place.mkdir()
    chosen = {"schedule_years_back": 0, "schedule_years_ahead": 0, "holidays": COUNTRY}
    with scratch_database(backend, place) as url, running(loop, settings_for(url, place, **chosen)) as server:
        yield server


def test_whatever_happens_nothing_contradicts_the_rows_it_follows_from(workshop: Server) -> None:
    asked = os.environ.get("PLANWERK_HISTORIES") or ("2000" if os.environ.get("PLANWERK_LONG") == "1" else "")
    usual = settings(
        max_examples=int(asked or FEW),
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        derandomize=not asked,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )

    class History(Histories):
        def __init__(self) -> None:
            super().__init__(workshop)

    if asked:
        number = int(os.environ.get("PLANWERK_SEED") or random.SystemRandom().randrange(10**9))
        print(f"{asked} histories from PLANWERK_SEED={number}")
        seed(number)(History)
    run_state_machine_as_test(History, settings=usual)
