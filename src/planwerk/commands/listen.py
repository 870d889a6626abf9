"""`planwerk listen`: follows the events of an environment, prints them, and hands them to a program on this machine.

It reads the feed of a server as any client does, so it needs no public address. What it forwards is byte for byte what a webhook gets,
signed in the same way; the program's answer is said, and nothing is tried again. When the feed breaks off it goes on where it was, after
pauses that grow; what no Planwerk server would answer ends it.
"""

import base64
import json
import socket
import ssl
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import click
import httpx2

from planwerk import __version__
from planwerk.commands import Impossible
from planwerk.hooks.signature import PREFIX, headers_of, new_secret
from planwerk.settings import Settings
from planwerk.start import access_file

PAUSE_SECONDS = 2.0  # before the feed is opened again, unless the server says otherwise; doubled with each attempt that fails
LONGEST_SECONDS = 30.0  # that the pause grows to
ANSWER_SECONDS = 10.0
QUIET_SECONDS = 60.0  # a server says something every 15
FORWARD_SECONDS = 10.0
BODY = b',"environment":'  # where in an entry of the feed that begins which a webhook sends


@dataclass(frozen=True)
class Wish:
    """What the options of the command say."""

    url: str | None = None
    key: str | None = None
    env: str | None = None
    types: str = ""
    forward: str | None = None
    secret: str | None = None
    since: int | None = None
    is_json: bool = False


@dataclass
class Place:
    """How far the feed has been followed, whether it is open, and how long to wait before it is opened again."""

    last: str = ""
    pause: float = PAUSE_SECONDS
    is_known: bool = False  # it has been open before
    is_lost: bool = False  # and that has been said


def listen(settings: Settings, wish: Wish) -> None:
    """Follow events until interrupted. Raises `Impossible` with a sentence where the server refuses for good."""
    headers, secret = credentials(settings, wish.key, wish.env), signing_secret(wish.secret)
    address = f"{(wish.url or local_url(settings)).rstrip('/')}/event"
    for name, url in (("--url", address), ("--forward", wish.forward or address)):
        check_address(name, url)
    if wish.forward:
        click.echo(f"forwarding to {wish.forward}, signed with {secret if wish.secret is None else 'the secret that was given'}", err=True)
    click.echo(f"following {address}", err=True)
    place = Place("" if wish.since is None else str(wish.since))
    with (
        httpx2.Client(timeout=httpx2.Timeout(ANSWER_SECONDS, read=QUIET_SECONDS)) as client,
        httpx2.Client(timeout=FORWARD_SECONDS, trust_env=False) as forwarder,
    ):
        try:
            for entry in entries(client, address, headers, wish.types, place):
                show(entry, is_json=wish.is_json)
                if wish.forward:
                    click.echo(hand_over(forwarder, wish.forward, secret, entry), err=True)
        except KeyboardInterrupt:
            return


# ── what is needed ──


def credentials(settings: Settings, key: str | None, env: str | None) -> dict[str, str]:
    """The headers of a caller; without any given, those that the first run on this machine has kept."""
    path = access_file(settings)
    if not (key or env) and path.is_file():
        access = json.loads(path.read_text())
        key, env = access["api_key"], access["api_env"]
    if not (key and env):
        raise Impossible("--api-key and --api-env are needed (or PLANWERK_API_KEY and PLANWERK_API_ENV)")
    if not (key + env).isascii() or not (key + env).isprintable():
        raise Impossible("--api-key and --api-env must be plain letters and digits")
    return {"x-api-key": key, "x-api-env": env}


def local_url(settings: Settings) -> str:
    """The API on this machine.

    >>> local_url(Settings(host="::", port=8000)), local_url(Settings(host="192.0.2.1", port=80))
    ('http://[::1]:8000/v1', 'http://192.0.2.1:80/v1')
    """
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 (what it stands for is looked up)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}/v1"


def signing_secret(given: str | None) -> str:
    secret = given or new_secret()
    try:
        base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except ValueError:
        raise Impossible("--secret must be whsec_ and base64, as it is shown when a webhook is made") from None
    return secret


def check_address(name: str, url: str) -> None:
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good:
        raise Impossible(f"{name} must be an address that begins with http:// or https://")


# ── the feed ──


def entries(client: httpx2.Client, address: str, headers: dict[str, str], types: str, place: Place) -> Iterator[bytes]:
    """The entries of the feed, for ever; `place` moves with them."""
    while True:
        try:
            yield from stream(client, address, headers, types, place)
            reason = "the server ended the feed"
        except httpx2.HTTPError as error:
            if isinstance(error, httpx2.RemoteProtocolError) and not place.is_known:
                raise Impossible(f"{address} is no feed of events: what answers there is no HTTP") from None
            reason = cause_of(error)
        except Busy as busy:
            reason = str(busy)
        if not place.is_lost:
            click.echo(f"{reason}; the feed is opened again in {place.pause:g} seconds, and then after longer pauses", err=True)
        place.is_lost = True
        time.sleep(place.pause)
        place.pause = max(place.pause, min(2 * place.pause, LONGEST_SECONDS))


class Busy(Exception):
    """The server refuses for now."""


def cause_of(error: httpx2.HTTPError) -> str:
    """What went wrong between here and a server, in words."""
    causes: list[BaseException] = [error]
    while cause := causes[-1].__cause__ or causes[-1].__context__:
        causes.append(cause)
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return "no connection: TLS failed"
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return "no connection: the name of the address is not known"
    if isinstance(error, httpx2.ConnectError):
        return "no connection: nobody is there"
    if isinstance(error, httpx2.ConnectTimeout):
        return "no connection in time"
    return "nothing came in time" if isinstance(error, httpx2.TimeoutException) else "the connection broke off"


def stream(client: httpx2.Client, address: str, headers: dict[str, str], types: str, place: Place) -> Iterator[bytes]:
    """The entries of one answer, until it ends."""
    resumed = {"last-event-id": place.last} if place.last else {}
    asked = {**headers, **resumed, "accept": "text/event-stream", "accept-encoding": "identity"}
    with client.stream("GET", address, headers=asked, params={"types": types} if types else {}) as answer:
        if answer.status_code in (303, 429) or answer.status_code >= 500:
            raise Busy(f"{address} answers {answer.status_code}")
        if answer.status_code != 200:
            answer.read()
            raise Impossible(f"{address} answers {answer.status_code}: {reason_of(answer)}")
        if not answer.headers.get("content-type", "").startswith("text/event-stream"):
            raise Impossible(f"{address} is no feed of events")
        place.is_known = True
        for fields in blocks(answer.iter_bytes()):
            if place.is_lost:
                click.echo(f"following {address} again", err=True)
                place.is_lost, place.pause = False, PAUSE_SECONDS
            place.last = fields.get("id", place.last)
            if fields.get("retry", "").isdigit():
                place.pause = int(fields["retry"]) / 1000
            if "data" in fields:
                yield fields["data"].encode()


def reason_of(answer: httpx2.Response) -> str:
    """What the server says is wrong."""
    try:
        return str(answer.json()["errors"][0]["description"])
    except (ValueError, LookupError, TypeError):
        return "which no Planwerk server would say"


def blocks(parts: Iterable[bytes]) -> Iterator[dict[str, str]]:
    r"""The fields of each block of a stream, comments left out. Only the line ends that this server writes end a line.

    >>> list(blocks([b"id: 1\nda", b"ta: a\n\n: hm\n\n", b"id: 2\n\n"]))
    [{'id': '1', 'data': 'a'}, {}, {'id': '2'}]
    """
    rest = b""
    for part in parts:
        *whole, rest = (rest + part).split(b"\n\n")
        for block in whole:
            lines = (line.partition(": ") for line in block.decode("utf-8", "replace").split("\n"))
            yield {name: value for name, colon, value in lines if name and colon}


# ── what becomes of an event ──


def show(entry: bytes, *, is_json: bool) -> None:
    event: dict[str, Any] = json.loads(entry)
    click.echo(entry.decode() if is_json else f"{event['created_at']}  {event['event']}  {event['id']}  {event['position']}")


def body_in(entry: bytes) -> bytes:
    """What a webhook sends, cut out of an entry of the feed.

    >>> body_in(b'{"position":7,"id":"x","created_at":"y","environment":"e","trigger":"user"}')
    b'{"environment":"e","trigger":"user"}'
    """
    return b"{" + BODY[1:] + entry.partition(BODY)[2]


def hand_over(forwarder: httpx2.Client, forward: str, secret: str, entry: bytes) -> str:
    """Send one event to the local program; what came of it, in words."""
    body, event = body_in(entry), json.loads(entry)
    which = f"{event['event']}  {event['position']}"
    headers = {
        "content-type": "application/json",
        "user-agent": f"Planwerk/{__version__}",
        **headers_of(event["id"], int(time.time()), body, [secret]),
    }
    try:
        with forwarder.stream("POST", forward, content=body, headers=headers, follow_redirects=False) as answer:
            return f"  → {answer.status_code}  {which}"
    except httpx2.HTTPError as error:
        return f"  → nobody took it ({cause_of(error)})  {which}"
