"""What is wrong with settings whose values a part of the server has to understand: said before anything is served."""

from collections.abc import Iterator

from planwerk.edge.proxies import proxy_faults
from planwerk.hooks.address import network_faults
from planwerk.postbox import mail_faults
from planwerk.rules.schedules import calendar_faults
from planwerk.settings import Settings
from planwerk.web.sso import sso_faults


def value_faults(settings: Settings) -> Iterator[str]:
    """A sentence for each value that its part cannot use."""
    yield from calendar_faults(settings)
    yield from mail_faults(settings)
    yield from proxy_faults(settings.trusted_proxies)
    yield from sso_faults(settings)
    yield from network_faults(settings.webhook_allowed_networks)
