"""Plain planning of a job shop, by hand-made examples and by what must hold for any instance.

To see it fail: let a machine forget when it is free, begin an operation before the one ahead of it ends, or serve the job that
was published last first.
"""

from itertools import pairwise

import pytest
from hypothesis import given, strategies as st
from tests.through import FT06

from planwerk.seeds.dispatch import Run, busy_days, crowded_days, each_alone, first_come_first_served, makespan, timed
from planwerk.seeds.instances import Instance, Operation

OPERATIONS = st.builds(Operation, st.integers(0, 3), st.integers(0, 5))
INSTANCES = st.lists(st.lists(OPERATIONS, max_size=6).map(tuple), max_size=6).map(lambda jobs: Instance("any", tuple(jobs)))


@given(INSTANCES)
def test_every_operation_runs_as_long_as_it_takes_on_its_machine(instance: Instance) -> None:
    for plan in (first_come_first_served(instance), each_alone(instance)):
        assert [[Operation(run.machine, run.days) for run in runs] for runs in plan] == timed(instance)


@given(INSTANCES)
def test_a_job_does_one_thing_after_the_other(instance: Instance) -> None:
    for runs in first_come_first_served(instance):
        assert all(before.end <= after.start for before, after in pairwise(runs))


@given(INSTANCES)
def test_a_machine_does_one_thing_at_a_time(instance: Instance) -> None:
    assert crowded_days(first_come_first_served(instance)) == 0


@given(INSTANCES)
def test_nobody_waits_for_a_machine_that_is_free_and_unwanted(instance: Instance) -> None:
    plan = first_come_first_served(instance)
    ends = {(run.machine, run.end) for runs in plan for run in runs}
    for runs in plan:
        for before, run in pairwise([Run(-1, 0, 0), *runs]):
            assert run.start == before.end or (run.machine, run.start) in ends


@given(INSTANCES)
def test_jobs_alone_follow_each_other_without_a_gap(instance: Instance) -> None:
    longest = max((sum(operation.minutes for operation in job) for job in instance.jobs), default=0)
    assert makespan(each_alone(instance)) == longest
    assert makespan(first_come_first_served(instance)) >= longest


@given(INSTANCES)
def test_a_machine_is_busy_as_long_as_its_operations_take(instance: Instance) -> None:
    busy = busy_days(first_come_first_served(instance))
    assert busy.total() == instance.minutes
    assert makespan(first_come_first_served(instance)) >= max(busy.values(), default=0)


@pytest.mark.parametrize(
    ("jobs", "starts"),
    [
        ("00", []),
        ("03 12", [0, 3]),
        ("03, 02, 01", [0, 3, 5]),  # at the same time: in the order of publication
        ("02 11, 13", [0, 3, 0]),  # who comes first is served first, wherever it was published
        ("01 12, 02 11, 13", [0, 3, 1, 5, 0]),
        ("03 01", [0, 3]),  # a job that returns to a machine waits for itself
    ],
)
def test_a_machine_serves_who_comes_first(jobs: str, starts: list[int]) -> None:
    steps = [[Operation(int(step[0]), int(step[1])) for step in job.split()] for job in jobs.split(",")]
    plan = first_come_first_served(Instance("some", tuple(map(tuple, steps))))
    assert [run.start for runs in plan for run in runs] == starts


def test_the_makespan_of_a_known_instance() -> None:
    assert makespan(first_come_first_served(FT06)) == 65
    assert (makespan(each_alone(FT06)), crowded_days(each_alone(FT06))) == (47, 59)
