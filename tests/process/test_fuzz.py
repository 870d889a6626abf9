"""A thousand requests made from the OpenAPI document; `make fuzz` sends thirty times as many.

To see it fail: answer an empty body with an error of Python's, or promise a header in the reference that is not sent.
"""

from tests.process.fuzz import GROWTH_MIB, fuzz, short


def test_no_request_makes_the_server_fail_or_disagree_with_its_reference() -> None:
    outcome = fuzz(short(max_examples=4))
    assert outcome.is_right, outcome.report[-6000:]
    assert outcome.cases >= 1_000
    assert outcome.is_sound
    assert outcome.growth_mib < GROWTH_MIB
