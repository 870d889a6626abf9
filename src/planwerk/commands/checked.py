"""What is wrong with settings whose values a part of the server has to understand: said before anything is served."""

import re
from collections.abc import Iterator

from limits import parse_many
from limits.storage import Storage, storage_from_string

from planwerk.edge.proxies import proxy_faults
from planwerk.hooks.address import network_faults
from planwerk.postbox import mail_faults
from planwerk.rules.schedules import calendar_faults
from planwerk.settings import Settings
from planwerk.web.sso import sso_faults

ORIGIN = re.compile(r"https?://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:(?P<port>[0-9]{1,5}))?")
SESSION_HOURS = 100_000  # eleven years; the moment of the end must be one that a database can hold
ACCESS_TOKEN_SECONDS = 86_400  # an app that works longer has its refresh token


def value_faults(settings: Settings) -> Iterator[str]:
    """A sentence for each value that its part cannot use."""
    yield from limit_faults(settings)
    yield from duration_faults(settings)
    yield from address_faults(settings)
    yield from calendar_faults(settings)
    yield from mail_faults(settings)
    yield from proxy_faults(settings.trusted_proxies)
    yield from sso_faults(settings)
    yield from network_faults(settings.webhook_allowed_networks)


def limit_faults(settings: Settings) -> Iterator[str]:
    """The rate limit, and where it is counted."""
    if not is_limit(settings.rate_limit.strip()):
        yield f"setting rate_limit: {settings.rate_limit} is not one limit such as 600/minute, and not 0"
    if not is_storage(settings.rate_limit_storage):
        scheme, mark, _ = settings.rate_limit_storage.partition("://")  # what follows may hold a password
        can = "memory:// can, and redis://… where planwerk[redis] is installed"
        yield f"setting rate_limit_storage: {scheme}{mark} cannot be used; {can}"


def is_limit(text: str) -> bool:
    """Whether a text is one limit, or says that there is none.

    >>> is_limit("600/minute"), is_limit("0"), is_limit("0/minute"), is_limit("9/second, 90/minute")
    (True, True, False, False)
    """
    try:
        return text in ("0", "") or [limit.amount > 0 for limit in parse_many(text)] == [True]
    except ValueError:
        return False


def is_storage(address: str) -> bool:
    """Whether a server process could count there; most stores are not asked for that."""
    try:
        return isinstance(storage_from_string(address), Storage)
    except Exception:  # of an address that is none, of a store that is not installed: each store has exceptions of its own
        return False


def duration_faults(settings: Settings) -> Iterator[str]:
    """How long things may last."""
    if not 0 < settings.statement_seconds < float("inf"):
        yield f"setting statement_seconds: {settings.statement_seconds} is not more than 0"
    for name, most in (("session_hours", SESSION_HOURS), ("access_token_seconds", ACCESS_TOKEN_SECONDS)):
        value = getattr(settings, name)
        if not 1 <= value <= most:
            yield f"setting {name}: {value} is not between 1 and {most}"


def address_faults(settings: Settings) -> Iterator[str]:
    """Where the server is reached, and from which pages its API."""
    if settings.public_url and not is_origin(settings.public_url.removesuffix("/")):
        yield f"setting public_url: {settings.public_url} is not http(s)://host or http(s)://host:port, in small letters"
    for origin in settings.cors_origins.split(","):
        if origin.strip() not in ("", "*") and not is_origin(origin.strip()):
            yield f"setting cors_origins: {origin.strip()} is not *, http(s)://host or http(s)://host:port, in small letters"


def is_origin(text: str) -> bool:
    """Whether a text is a scheme, a host and perhaps a port, written as browsers write the Origin of a page.

    >>> is_origin("https://plan.example:8443"), is_origin("http://[::1]:8080"), is_origin("plan.example"), is_origin("https://a:b@c")
    (True, True, False, False)
    """
    found = ORIGIN.fullmatch(text)
    return found is not None and int(found["port"] or 80) < 65536
