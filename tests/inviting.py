"""Invitations and resets as people meet them: the link in an answer or a mail, and the form behind it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.client import Client, Loop
from tests.postmaster import HOST, free_port, receiving
from tests.server import OBJECTS, Server, running, scratch_database, settings_for
from tests.visiting import Browser, Page

from planwerk import mail
from planwerk.postbox import Postbox
from planwerk.store.transaction import Row

PASSWORD = "four bees in a row"


@contextmanager
def mailing_server(backend: str, folder: Path, loop: Loop, **chosen: Any) -> Iterator[Server]:
    """A server that has a mail server, and a database of its own, so that it sends only what its tests leave."""
    mails = {"smtp": f"smtp://{HOST}:{free_port()}", "mail_from": "Planwerk <plan@mill.nl>", "public_url": "https://plan.mill.nl/"}
    with scratch_database(backend, folder) as url, running(loop, settings_for(url, folder, **{**mails, **chosen})) as server:
        yield server


def send_due(server: Server, port: int) -> int:
    """Send what is due to the mail server on a port; how many were tried."""
    postbox = Postbox(replace(server.settings, smtp=f"smtp://{HOST}:{port}"))
    return server.loop.run(mail.send_due(server.database, postbox))


def mailed(server: Server) -> list[EmailMessage]:
    """What a mail server gets now."""
    with receiving() as receiver:
        send_due(server, receiver.port)
    return receiver.messages


def invited(api: Client, email: str, role: str = "member", **values: Any) -> dict[str, Any]:
    """A new user, as the answer shows it."""
    created: dict[str, Any] = api.post("/v1/user", {"email": email, "role": role, **values})
    return created


def path_of(link: str) -> str:
    """The path of a link."""
    return urlsplit(link).path


def links_in(text: str) -> list[str]:
    """The paths of all links in a mail."""
    return [path_of(link) for link in re.findall(r"http\S+/(?:invite|reset)/\S+", text)]


def accept(browser: Browser, link: str, password: str = PASSWORD, again: str | None = None, **names: str) -> Page:
    """Open a link and send its form."""
    browser.open(path_of(link))
    filled: dict[str, Any] = {**names, "password": password, "again": password if again is None else again}
    return browser.submit(**filled)


def row_of(server: Server, environment_id: str, name: str, id: str) -> Row:
    """A row as it is stored."""
    row = server.database.write_now(environment_id, lambda tx: tx.get(OBJECTS[name], id))
    assert row is not None
    return row


def change(server: Server, environment_id: str, name: str, id: str, **values: Any) -> None:
    """Change a row behind the server's back."""
    described = OBJECTS[name]

    def work(tx: Any) -> None:
        tx.update(described, tx.get(described, id), values)

    server.database.write_now(environment_id, work)
