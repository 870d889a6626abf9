"""Which addresses an app may register.

To see it fail: take a condition out of `check_redirect` in oauth/clients.py.
"""

import pytest

from planwerk.oauth.clients import ADDRESSES, check_redirect, check_redirects

GOOD = (
    "https://app.example",
    "https://app.example/back?from=planwerk&x=%20",
    "https://app.example:8443/back",
    "https://192.0.2.7/back",
    "http://localhost/back",
    "http://localhost:3000",
    "http://127.0.0.1:5000/back",
    "http://[::1]:5000/back",
)
BAD = (
    "",
    "app.example/back",
    "//app.example/back",
    "https:///back",
    "https:app.example",
    "http://app.example/back",
    "http://localhost.evil.example/back",
    "http://127.0.0.2/back",
    "ftp://app.example/back",
    "javascript:alert(1)",
    "com.example.app:/back",
    "https://app.example/back#part",
    "https://app.example/back#",
    "https://me@app.example/back",
    "https://me:secret@app.example/back",
    "https://app.example:0/back",
    "https://app.example:port/back",
    "https://app.example:70000/back",
    "https://[::1/back",
    "https://app.example/a b",
    "https://app.example/\\evil.example",
    "https://app.example/é",
    "https://appé.example/",
    "https://app.example\r\nx: y",
    "https://*.example/back",
    "https://app.example;script-src https:/back",
    "https://app.example,evil.example/back",
    "https://'self'/back",
    "https://app.example/" + "x" * 2048,
)


@pytest.mark.parametrize("address", GOOD)
def test_an_address_may_receive_codes(address: str) -> None:
    check_redirect(address)


@pytest.mark.parametrize("address", BAD)
def test_an_address_may_not_receive_codes(address: str) -> None:
    with pytest.raises(ValueError, match="redirect address"):
        check_redirect(address)


@pytest.mark.parametrize("number", [0, ADDRESSES + 1])
def test_an_app_has_one_to_twenty_addresses(number: int) -> None:
    with pytest.raises(ValueError, match="1 to 20"):
        check_redirects(["https://app.example"] * number)


def test_one_bad_address_is_enough() -> None:
    with pytest.raises(ValueError, match="http://evil"):
        check_redirects(["https://app.example", "http://evil.example"])
