"""Which addresses and names an app may register, and which ports of the user's machine a public one may use.

To see it fail: take a condition out of `check_redirect` or `check_name` in oauth/clients.py, or `LAST_PORT` out of `without_port`.
"""

import pytest

from planwerk.oauth.clients import ADDRESSES, Client, check_name, check_redirect, check_redirects

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
    "https://app.example:/back",
    "https://app.example:",
    "http://127.0.0.1:/back",
    "http://[::1]:/back",
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


# ── the free port of a public app ──


def may_return(address: str, *, is_public: bool = True, registered: str = "http://127.0.0.1/back") -> bool:
    return Client(("id", "owner id", "owner", "name", None, f'["{registered}"]', is_public, True)).check_redirect_uri(address)


@pytest.mark.parametrize("port", ["1", "80", "51004", "65535"])
def test_a_public_app_returns_to_any_port_of_the_user_s_machine(port: str) -> None:
    assert may_return(f"http://127.0.0.1:{port}/back")
    assert may_return(f"http://127.0.0.1:{port}/back", registered="http://127.0.0.1:4000/back")
    assert not may_return(f"http://127.0.0.1:{port}/back", is_public=False)


@pytest.mark.parametrize("port", ["", "0", "00", "080", "65536", "99999", "100000", "-1", "+80", " 80", "8o", "\u0668\u0660"])
def test_what_is_no_port_is_another_address(port: str) -> None:
    assert not may_return(f"http://127.0.0.1:{port}/back")


# ── names ──


@pytest.mark.parametrize("name", ["", " ", "x" * 256, "a\nb", "a\tb", "a\x00b", "a\u202eb", "a\u200bb"])
def test_a_name_that_people_cannot_read_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="an app needs a name of at most 255 characters"):
        check_name(name)


def test_a_name_has_no_spaces_around_it() -> None:
    assert check_name(" Time clock ") == "Time clock"
