"""Ids sort by creation and pass as version 4; moments are whole seconds of UTC."""

import re
import uuid

from hypothesis import given, settings, strategies

from planwerk.store.identifiers import Identifiers, first_id

CLIENTS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")  # what integrations check


def at(*moments: float) -> Identifiers:
    steps = iter(moments)
    return Identifiers(clock=lambda: next(steps))


@settings(deadline=None)
@given(strategies.lists(strategies.floats(min_value=0, max_value=253402300799), min_size=2, max_size=20))
def test_ids_sort_in_the_order_they_were_made_whatever_the_clock_does(moments: list[float]) -> None:
    identifiers = at(*moments)
    made = [identifiers.new() for _ in moments]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


@given(strategies.floats(min_value=0, max_value=253402300799))
def test_an_id_is_a_uuid_of_version_4(moment: float) -> None:
    id = at(moment).new()
    assert CLIENTS.fullmatch(id)
    assert uuid.UUID(id).version == 4
    assert uuid.UUID(id).variant == uuid.RFC_4122


def test_an_id_begins_with_its_moment_in_milliseconds() -> None:
    assert at(1_700_000_000.123).new().replace("-", "")[:12] == f"{1_700_000_000_123:012x}"


def test_more_ids_than_fit_a_millisecond_borrow_from_the_next() -> None:
    identifiers = Identifiers(clock=lambda: 1.0)
    made = [identifiers.new() for _ in range(5000)]
    assert made == sorted(set(made))
    assert made[-1].replace("-", "")[:12] == f"{1001:012x}"


def test_two_makers_at_the_same_moment_differ_in_the_random_bits() -> None:
    one, other = Identifiers(clock=lambda: 1.0, bits=lambda _: 1), Identifiers(clock=lambda: 1.0, bits=lambda _: 2)
    assert one.new() != other.new()


def test_the_random_bits_leave_version_and_variant_alone() -> None:
    assert Identifiers(clock=lambda: 0.0, bits=lambda count: 2**count - 1).new() == "00000000-0000-4001-bfff-ffffffffffff"


def test_now_is_utc_in_whole_seconds() -> None:
    assert at(1_700_000_000.987).now() == "2023-11-14T22:13:20Z"


def test_ids_made_before_a_moment_sort_before_its_first_and_the_others_behind_it() -> None:
    ids = at(1772438399.999, 1772438400.0, 1772438400.001)
    before, then, after = (ids.new() for _ in range(3))
    assert before < first_id("2026-03-02T08:00:00Z") < then < after
