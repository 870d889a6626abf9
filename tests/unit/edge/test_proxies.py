"""Where a request comes from: what trusted proxies say, and nobody else.

To see them fail: believe every peer (`"*"` in place of the networks); hand the application out of `serve.create` without this.
"""

import asyncio
from typing import Any

import pytest

from planwerk.commands import serve
from planwerk.edge.proxies import behind_proxies, proxy_faults
from planwerk.settings import Settings

CASES: dict[str, tuple[str, str, dict[str, str], tuple[str, str]]] = {
    "no setting": ("", "10.0.0.1", {"x-forwarded-for": "1.2.3.4", "x-forwarded-proto": "https"}, ("10.0.0.1", "http")),
    "a trusted proxy": ("10.0.0.0/8", "10.0.0.1", {"x-forwarded-for": "1.2.3.4", "x-forwarded-proto": "https"}, ("1.2.3.4", "https")),
    "a stranger": ("10.0.0.0/8", "11.0.0.1", {"x-forwarded-for": "1.2.3.4", "x-forwarded-proto": "https"}, ("11.0.0.1", "http")),
    "two proxies": ("10.0.0.0/8", "10.0.0.1", {"x-forwarded-for": "1.2.3.4, 10.9.9.9"}, ("1.2.3.4", "http")),
    "a client that lies": ("10.0.0.0/8", "10.0.0.1", {"x-forwarded-for": "127.0.0.1, 6.6.6.6, 1.2.3.4"}, ("1.2.3.4", "http")),
    "an IPv6 socket": ("10.0.0.0/8", "::ffff:10.0.0.1", {"x-forwarded-for": "2001:db8::1"}, ("2001:db8::1", "http")),
    "a single address": ("10.0.0.1", "10.0.0.1", {"x-forwarded-for": "1.2.3.4"}, ("1.2.3.4", "http")),
    "a silent proxy": ("10.0.0.1", "10.0.0.1", {}, ("10.0.0.1", "http")),
    "an odd scheme": ("10.0.0.1", "10.0.0.1", {"x-forwarded-for": "1.2.3.4", "x-forwarded-proto": "javascript"}, ("1.2.3.4", "http")),
}


@pytest.mark.parametrize("case", CASES)
def test_an_address_is_believed_when_a_trusted_proxy_tells_it(case: str) -> None:
    setting, peer, headers, expected = CASES[case]
    seen: dict[str, Any] = {}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.update(scope)

    fields = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope: dict[str, Any] = {"type": "http", "scheme": "http", "client": (peer, 1234), "headers": fields}
    wrapped: Any = behind_proxies(app, setting)
    asyncio.run(wrapped(scope, None, None))
    assert (seen["client"][0], seen["scheme"]) == expected


@pytest.mark.parametrize("setting", ["*", "proxy.example", "10.0.0.0/33", "10.0.0.1; 10.0.0.2"])
def test_a_setting_that_names_no_network_is_refused_at_the_start(setting: str) -> None:
    assert [fault.startswith("setting trusted_proxies: ") for fault in proxy_faults(setting)] == [True]


def test_a_list_of_networks_is_right() -> None:
    assert list(proxy_faults(" 10.0.0.0/8 , ::1,")) == []


@pytest.mark.parametrize(("setting", "expected"), [("10.0.0.0/8", "1.2.3.4"), ("", "10.0.0.1")])
def test_a_served_application_goes_by_the_setting(setting: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.update(scope)

    monkeypatch.setattr(serve, "load", lambda: Settings(trusted_proxies=setting))
    monkeypatch.setattr(serve, "compose", lambda settings, beside: app)
    monkeypatch.setattr("planwerk.log.configure", lambda: None)
    served: Any = serve.create()
    fields = [(b"x-forwarded-for", b"1.2.3.4")]
    asyncio.run(served({"type": "http", "scheme": "http", "client": ("10.0.0.1", 1234), "headers": fields}, None, None))
    assert seen["client"][0] == expected
