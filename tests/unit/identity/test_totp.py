"""The codes of RFC 6238: the vectors of its appendix B, the steps that count, and what does not."""

import pytest

from planwerk.identity.totp import new_recovery_code, provisioning_address, recovery_hash, step_of

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # "12345678901234567890", as in the appendix
VECTORS = {59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"}


@pytest.mark.parametrize("at", VECTORS)
def test_the_codes_of_the_standard_are_right_at_their_time(at: int) -> None:
    assert step_of(SECRET, VECTORS[at], at) == at // 30


@pytest.mark.parametrize(("seconds", "counts"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
def test_one_step_before_and_after_counts(seconds: int, counts: bool) -> None:
    at = 1234567890
    assert (step_of(SECRET, VECTORS[at], at + seconds) == at // 30) is counts


@pytest.mark.parametrize("code", ["", "0", "28708", "2870820", "٢٨٧٠٨٢", "287082\x00", "é"])
def test_what_is_no_code_is_none(code: str) -> None:
    assert step_of(SECRET, code, 59) is None


def test_recovery_codes_are_new_each_time_and_hashed_by_what_counts() -> None:
    codes = {new_recovery_code() for _ in range(100)}
    assert len(codes) == len({recovery_hash(code) for code in codes}) == 100
    assert all(code not in recovery_hash(code) for code in codes)


def test_the_app_gets_the_secret_with_the_names_of_account_and_environment() -> None:
    assert provisioning_address(SECRET, "a@example.com", "Sägewerk & Co") == (
        "otpauth://totp/Planwerk%20S%C3%A4gewerk%20%26%20Co:a%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Planwerk%20S%C3%A4gewerk%20%26%20Co"
    )
