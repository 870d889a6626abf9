"""Which addresses webhooks may reach: public ones, and those that the operator has named.

Comes in: an address, a URL, the setting. Goes out: whether it is allowed, or sentences why not. Nothing here resolves a name.
"""

import ipaddress
import re
import socket
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from yarl import URL

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

REFUSED: tuple[Network, ...] = tuple(  # IANA special-purpose registries for IPv4 and IPv6, 2025; more than `is_global` knows
    map(
        ipaddress.ip_network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.31.196.0/24",
            "192.52.193.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "192.175.48.0/24",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/3",  # multicast, reserved, broadcast
        ),
    )
)
ALLOWED_IPV6 = ipaddress.ip_network("2000::/3")  # global unicast; everything else is special
REFUSED_IPV6: tuple[Network, ...] = tuple(
    map(ipaddress.ip_network, ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"))
)
LOOPBACK: tuple[Address, ...] = (ipaddress.IPv4Address("127.0.0.1"), ipaddress.IPv6Address("::1"))
PORTS = (80, 443)  # and all from 1024 on
LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
NAME = re.compile(rf"(?=.{{1,253}}$){LABEL}(?:\.{LABEL})*", re.ASCII)  # RFC 1123, and the underscore that some names have
BLANK = re.compile(r"[\s\x00-\x1f\x7f]")  # parsers leave them out, and then read another address
NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)", re.ASCII)  # its last part is a number: it means an IPv4 address (WHATWG URL)
BEHIND_HOST = re.compile(r"[/?#].*")
WRITTEN = "%-._~:/?@!$&'()*+,;=[]"  # and letters and digits: what a request carries as it is (RFC 3986, section 2)

WRONG_URL = "must be an address that begins with http:// or https://"
WRONG_HOST = "must name a host"
WRONG_PORT = "must use port 80, 443, or one from 1024 on"
USER = "must hold no user name or password"
PRIVATE = "must not lead to a private address"


def networks_of(text: str) -> tuple[Network, ...]:
    """The networks of the setting `webhook_allowed_networks`; raises ValueError with a sentence for one that is none.

    >>> networks_of("127.0.0.0/8, ::1")
    (IPv4Network('127.0.0.0/8'), IPv6Network('::1/128'))
    """
    return tuple(network_of(part.strip()) for part in text.split(",") if part.strip())


def network_of(text: str) -> Network:
    try:
        loose = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"webhook_allowed_networks: {text} is no network; write one like 10.0.0.0/8 or fd00::/8") from None
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        raise ValueError(f"webhook_allowed_networks: {text} is no network; the one around it is {loose}") from None


def network_faults(text: str) -> Iterator[str]:
    """What is wrong with the setting, for whoever starts a server.

    >>> list(network_faults("10.0.0.1/8")), list(network_faults("intranet"))  # doctest: +NORMALIZE_WHITESPACE
    (['webhook_allowed_networks: 10.0.0.1/8 is no network; the one around it is 10.0.0.0/8'],
     ['webhook_allowed_networks: intranet is no network; write one like 10.0.0.0/8 or fd00::/8'])
    """
    try:
        networks_of(text)
    except ValueError as error:
        yield str(error)


def is_allowed(address: Address, allowed: Sequence[Network] = ()) -> bool:
    """Whether a connection may be made to an address; an IPv4 address in the clothes of IPv6 is judged as what it is."""
    plain = getattr(address, "ipv4_mapped", None) or address
    if any(plain.version == network.version and plain in network for network in allowed):
        return True
    if isinstance(plain, ipaddress.IPv4Address):
        return not any(plain in network for network in REFUSED)
    return plain in ALLOWED_IPV6 and not any(plain in network for network in REFUSED_IPV6)


def faults_of(url: str, allowed: Sequence[Network] = ()) -> Iterator[str]:
    """Why a URL can be no webhook, as far as that shows without asking for its name.

    It is read by the parser of the HTTP client, so that what is judged is what would be dialled.

    >>> list(faults_of("https://hooks.example.com/vplan")), list(faults_of("http://127.1/"))
    ([], ['must not lead to a private address'])
    >>> list(faults_of("https://me:secret@example.com/"))
    ['must hold no user name or password']
    """
    try:
        parts = URL(url)
        scheme, host, port = parts.scheme, parts.raw_host or "", parts.explicit_port
    except ValueError:
        yield WRONG_URL
        return
    if scheme not in ("http", "https") or not host or BLANK.search(url):
        yield WRONG_URL
        return
    if "@" in BEHIND_HOST.sub("", url.partition("://")[2]):
        yield USER
    if port is not None and port not in PORTS and port < 1024:
        yield WRONG_PORT
    yield from faults_of_host(host, allowed)


def as_given(url: str) -> URL:
    """What is dialled for a URL without faults: the host that was judged, and behind it every character as it was given.

    Parsers write `%2F` or `..` their own way, and then a signature over the address is wrong. What no request can carry is encoded.

    >>> str(as_given("https://EXAMPLE.com/a%2Fb/../%7Ec?back=%2Fhook%zz&sig=a+b%3D#top"))
    'https://example.com/a%2Fb/../%7Ec?back=%2Fhook%zz&sig=a+b%3D'
    >>> str(as_given("http://münchen.example?q=ü|1"))
    'http://xn--mnchen-3ya.example/?q=%C3%BC%7C1'
    """
    parts, behind = URL(url), BEHIND_HOST.search(url.partition("://")[2])
    path, _, query = quote(behind[0].partition("#")[0] if behind else "", safe=WRITTEN).partition("?")
    return URL.build(scheme=parts.scheme, authority=parts.raw_authority, path=path or "/", query_string=query, encoded=True)


def faults_of_host(host: str, allowed: Sequence[Network]) -> Iterator[str]:
    name = host.rstrip(".") if ":" not in host else host
    literal = literal_address(name)
    if literal is not None:
        candidates: Sequence[Address] = (literal,)
    elif not NAME.fullmatch(name) or NUMBER.fullmatch(name):
        yield WRONG_HOST
        return
    else:
        candidates = LOOPBACK if name.rpartition(".")[2] == "localhost" else ()  # RFC 6761, section 6.3
    if candidates and not any(is_allowed(address, allowed) for address in candidates):
        yield PRIVATE


def literal_address(host: str) -> Address | None:
    """The address that a host is written as, in any spelling a resolver takes; None for a name.

    >>> literal_address("127.1"), literal_address("0x7f000001"), literal_address("example.com")
    (IPv4Address('127.0.0.1'), IPv4Address('127.0.0.1'), None)
    """
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host)) if NUMBER.fullmatch(host) else None
    except (OSError, UnicodeEncodeError):
        return None
