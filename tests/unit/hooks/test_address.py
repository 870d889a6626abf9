"""What a URL shows without a resolver: hostile ones are refused in every spelling, in words that tell nothing; good ones pass.

To see it fail: parse with `urllib.parse` instead of the client's own parser (look-alike dots and digits pass), judge literals by
`ipaddress.is_global` (multicast, NAT64 and 6to4 pass), or leave `ipv4_mapped` out of `is_allowed`.
"""

import ipaddress

import pytest
from tests.addresses import LOOPBACK, MALFORMED, PORTS, PRIVATE, hostile
from yarl import URL

from planwerk.hooks import address
from planwerk.hooks.address import as_given, faults_of, is_allowed, literal_address, network_faults, networks_of

GOOD = (
    "http://example.com",
    "https://example.com/",
    "HTTPS://EXAMPLE.com/H",
    "https://hooks.example.com:443/a/b?c=d#e",
    "http://example.com.:80/",
    "http://example.com:1024/",
    "https://example.com:65535/",
    "https://münchen.example/",
    "https://under_score.example.com/",
    "https://1password.example/",
    "https://example.com/@here?to=me@example.com",
    "http://8.8.8.8/",
    "http://172.32.0.1/",
    "http://100.128.0.1/",
    "http://[2606:4700::1111]/",
    "http://[::ffff:8.8.8.8]:8080/",
    "http://intranet/hook",  # where it leads is seen when it is called
)


def test_the_list_is_long_enough() -> None:
    assert len(set(hostile())) >= 100


@pytest.mark.parametrize("url", GOOD)
def test_a_public_address_is_taken(url: str) -> None:
    assert list(faults_of(url)) == []


@pytest.mark.parametrize("scheme", ["https", "HTTPS", "Http"])
@pytest.mark.parametrize("host", [*LOOPBACK, *PRIVATE])
def test_a_private_address_is_refused_in_the_same_words_whatever_it_is(host: str, scheme: str) -> None:
    assert list(faults_of(f"{scheme}://{host}:8443/hook")) == [address.PRIVATE]


@pytest.mark.parametrize("url", MALFORMED)
def test_what_names_no_host_is_refused(url: str) -> None:
    faults = list(faults_of(url.replace("{port}", "8080")))
    assert faults
    assert set(faults) <= {address.WRONG_URL, address.WRONG_HOST, address.USER, address.PRIVATE}


@pytest.mark.parametrize("url", PORTS)
def test_a_port_of_another_service_is_refused(url: str) -> None:
    assert list(faults_of(url)) == [address.WRONG_PORT]


def test_every_fault_is_told() -> None:
    assert list(faults_of("http://me@127.0.0.1:22/")) == [address.USER, address.WRONG_PORT, address.PRIVATE]


@pytest.mark.parametrize("host", LOOPBACK)
def test_no_literal_of_this_machine_is_taken_for_a_name(host: str) -> None:
    read = URL(f"http://{host}/").raw_host or ""
    assert "localhost" in read or literal_address(read.rstrip(".")) is not None


# ── what is dialled ──


@pytest.mark.parametrize("url", [*GOOD, *(url for url in hostile() if next(faults_of(url), None) in (None, address.PRIVATE))])
def test_the_host_that_is_dialled_is_the_one_that_was_judged(url: str) -> None:
    judged, dialled = URL(url), as_given(url)
    assert (dialled.scheme, dialled.raw_host, dialled.port) == (judged.scheme, judged.raw_host, judged.port)
    assert (dialled.user, dialled.password) == (None, None)


@pytest.mark.parametrize(
    ("given", "host", "target"),
    [
        ("http://EXAMPLE.com.?only=query", "example.com.", "/?only=query"),
        ("http://example.com/\\@127.0.0.1/", "example.com", "/%5C@127.0.0.1/"),
        ("http://example.com/@127.0.0.1/x@y?@127.0.0.1", "example.com", "/@127.0.0.1/x@y?@127.0.0.1"),
        ("http://example.com?http://127.0.0.1/", "example.com", "/?http://127.0.0.1/"),
        ("http://example.com#@127.0.0.1/", "example.com", "/"),
        ("http://example.com/..//127.0.0.1/", "example.com", "/..//127.0.0.1/"),
        ("http://MÜNCHEN.example/ü%C3%BC", "xn--mnchen-3ya.example", "/%C3%BC%C3%BC"),
    ],
)
def test_nothing_behind_the_host_leads_to_another(given: str, host: str, target: str) -> None:
    assert list(faults_of(given)) == []
    assert (as_given(given).raw_host, as_given(given).raw_path_qs) == (host, target)


# ── what the operator has named ──


@pytest.mark.parametrize(
    ("networks", "opened", "closed"),
    [
        ("127.0.0.0/8", ["127.0.0.1", "127.9.9.9", "::ffff:127.0.0.1"], ["126.255.255.255.", "::1", "10.0.0.1", "64:ff9b::7f00:1"]),
        ("10.1.2.3", ["10.1.2.3"], ["10.1.2.2", "10.1.2.4", "::1"]),
        ("::1", ["::1"], ["::", "::2", "127.0.0.1", "::ffff:127.0.0.1"]),
        ("fd00::/8, 192.168.0.0/16", ["fd00::1", "192.168.255.255"], ["fc00::1", "192.169.0.1.", "127.0.0.1"]),
    ],
)
def test_the_setting_opens_exactly_what_it_names(networks: str, opened: list[str], closed: list[str]) -> None:
    allowed = networks_of(networks)
    private = [text for text in closed if not text.endswith(".")]  # the others are public and need no permission
    assert all(is_allowed(ipaddress.ip_address(text), allowed) for text in opened)
    assert not any(is_allowed(ipaddress.ip_address(text), allowed) for text in private)
    assert not any(is_allowed(ipaddress.ip_address(text)) for text in opened)


def test_names_of_this_machine_are_open_where_its_addresses_are() -> None:
    assert list(faults_of("http://localhost:8080/", networks_of("127.0.0.1"))) == []
    assert list(faults_of("http://localhost:8080/", networks_of("10.0.0.0/8"))) == [address.PRIVATE]


def test_networks_on_both_sides_of_a_border() -> None:
    for network in (*address.REFUSED, *address.REFUSED_IPV6):
        assert not is_allowed(network[0]), network
        assert not is_allowed(network[-1]), network
    for text in ("1.0.0.0", "9.255.255.255", "11.0.0.0", "126.255.255.255", "128.0.0.0", "223.255.255.255", "2001:200::", "3ffe::1"):
        assert is_allowed(ipaddress.ip_address(text)), text


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("10.0.0.1/8", "webhook_allowed_networks: 10.0.0.1/8 is no network; the one around it is 10.0.0.0/8"),
        ("127.0.0.1, intranet", "webhook_allowed_networks: intranet is no network; write one like 10.0.0.0/8 or fd00::/8"),
        ("10.0.0.0/33", "webhook_allowed_networks: 10.0.0.0/33 is no network; write one like 10.0.0.0/8 or fd00::/8"),
    ],
)
def test_a_bad_setting_is_told_in_a_sentence(text: str, sentence: str) -> None:
    assert list(network_faults(text)) == [sentence]


@pytest.mark.parametrize("text", ["", " ", "10.0.0.0/8", "127.0.0.1,::1,", "fd00::/8 , 192.168.0.0/16"])
def test_a_good_setting_has_no_faults(text: str) -> None:
    assert list(network_faults(text)) == []
