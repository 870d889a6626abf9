"""Where a request really comes from, when proxies stand before the server: X-Forwarded-For.

The header counts only when the peer is a proxy of the setting `trusted_proxies`; then the last address that is none of them is
the client's. Without the setting nobody is believed. X-Forwarded-Proto decides nothing: `public_url` says how people come.
"""

from collections.abc import Awaitable, Callable, Iterator
from ipaddress import IPv4Network, ip_network

from granian.utils.proxies import wrap_asgi_with_proxy_headers

from planwerk.edge.api import Scope
from planwerk.edge.limits import Receive
from planwerk.edge.stream import Send

App = Callable[[Scope, Receive, Send], Awaitable[None]]


def trusted_networks(text: str) -> list[str]:
    """The networks of a comma-separated list; of each IPv4 network also the form in which an IPv6 socket shows it (RFC 4291, 2.5.5.2).

    Raises ValueError with a sentence for what is neither a network nor an address.

    >>> trusted_networks("10.0.0.7/8, ::1"), trusted_networks("")
    (['10.0.0.0/8', '::ffff:a00:0/104', '::1/128'], [])
    >>> trusted_networks("proxy.example")
    Traceback (most recent call last):
    ValueError: setting trusted_proxies: proxy.example is no network such as 10.0.0.0/8
    """
    return [network for part in text.split(",") if part.strip() for network in forms_of(part.strip())]


def forms_of(text: str) -> Iterator[str]:
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"setting trusted_proxies: {text} is no network such as 10.0.0.0/8") from None
    yield str(network)
    if isinstance(network, IPv4Network):
        yield str(ip_network(f"::ffff:{network.network_address}/{96 + network.prefixlen}"))


def proxy_faults(text: str) -> Iterator[str]:
    """What is wrong with the setting, as a sentence."""
    try:
        trusted_networks(text)
    except ValueError as error:
        yield str(error)


def behind_proxies(app: App, text: str) -> App:
    """The application with `client` as the proxies of the setting tell it; itself if there are none."""
    networks = trusted_networks(text)
    wrapped: App = wrap_asgi_with_proxy_headers(app, networks) if networks else app
    return wrapped
