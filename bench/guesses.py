"""A server to guess at, and the guesses: what is asked, in classes whose answers must take equally long.

Three environments, two of them with an order, and people. The server believes what this machine says of addresses, so that it can
be asked from many.
"""

import itertools
import json
import random
import re
import secrets
import socket
import string
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field as attribute
from pathlib import Path
from uuid import uuid4

from bench.planwerk_commands import COMMAND, UNLIMITED, serve_command
from bench.processes import answers, free_port, run, running, wait_until
from planwerk.catalog import ALL
from planwerk.identity.passwords import Passwords
from planwerk.settings import Settings
from planwerk.start import create_user
from planwerk.store.database import open_database
from planwerk.store.environments import list_environments
from planwerk.store.transaction import Transaction

ALPHABET = string.ascii_letters + string.digits
FORM = "application/x-www-form-urlencoded"
TRUSTING = {"PLANWERK_TRUSTED_PROXIES": "127.0.0.1/32"}

Guess = Callable[[], bytes]  # the next request of a class


@dataclass(frozen=True)
class Answer:
    """What came back; header names are in lower case, of a name that comes twice the last."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Line:
    """One connection that is kept open. It does little, so that little of the time is its own."""

    port: int
    stream: socket.socket = attribute(init=False)

    def __post_init__(self) -> None:
        self.stream = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        self.stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes) -> bytes:
        """The whole answer to a request."""
        self.stream.sendall(request)
        received = b""
        while (end := received.find(b"\r\n\r\n")) < 0 or len(received) < end + 4 + length_of(received[:end]):
            part = self.stream.recv(65536)
            if not part:
                raise ConnectionError("the server has closed the connection")
            received += part
        return received

    def read(self, request: bytes) -> Answer:
        head, _, body = self.ask(request).partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        fields = (line.partition(":") for line in lines)
        return Answer(int(status.split()[1]), {name.lower(): value.strip() for name, _, value in fields}, body)


def length_of(head: bytes) -> int:
    found = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return int(found.group(1)) if found else 0


def request(method: str, path: str, headers: Mapping[str, str], body: str = "") -> bytes:
    named = {"Host": "127.0.0.1", **headers, **({"Content-Length": str(len(body))} if body else {})}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items())]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


@dataclass(frozen=True)
class Target:
    """A server that is ready, and what is known of it."""

    port: int
    mine: Mapping[str, str]
    other: Mapping[str, str]
    orders: tuple[str, str]  # mine, and the other's
    people: list[str]
    spread: list[str]  # people of all three environments


@contextmanager
def target(folder: Path, people: int) -> Iterator[Target]:
    """Raises CannotRun when the server does not start."""
    database, port, log = f"sqlite:///{folder / 'guesses.db'}", free_port(), folder / "server.log"
    mine, other, _ = (made(database, *more) for more in ((), ("--environment", "Other"), ("--environment", "Third")))
    emails, spread = invite(database, people, environments=1), invite(database, people, environments=3)
    with running(serve_command(database, port), log=log, environment={**UNLIMITED, **TRUSTING}, folder=folder) as process:
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/health/ready"), process, log)
        line = Line(port)
        yield Target(port, mine, other, (new_order(line, mine), new_order(line, other)), emails, spread)


def made(database: str, *options: str) -> dict[str, str]:
    """What `planwerk init` says."""
    access: dict[str, str] = json.loads(run([str(COMMAND), "init", "--database", database, "--json", *options]))
    return access


def invite(database: str, count: int, *, environments: int) -> list[str]:
    """The addresses of so many people who are users of so many environments; one hash is that of all, and costs what every hash costs."""
    emails = [f"{secrets.token_hex(6)}@example.com" for _ in range(count)]
    password_hash = Passwords().hash(secrets.token_hex(16))
    opened = open_database(Settings(database=database), {described.name: described for described in ALL})

    def work(tx: Transaction) -> None:
        for email in emails:
            create_user(tx, email, "member", password_hash)

    for environment in opened.write_now("", list_environments)[:environments]:
        opened.write_now(environment.id, work)
    opened.close()
    return emails


def keyed(access: Mapping[str, str]) -> dict[str, str]:
    return {"X-Api-Key": access["api_key"], "X-Api-Env": access["api_env"]}


def new_order(line: Line, access: Mapping[str, str]) -> str:
    answer = line.read(request("POST", "/v1/order", {**keyed(access), "Content-Type": "application/json"}, "{}"))
    return str(json.loads(answer.body)["id"])


# ── the guesses ──


def random_key() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(64))


def wrong_keys(target: Target) -> dict[str, Guess]:
    """Refused with 401, by how much of the pair is right."""
    key, environment = target.mine["api_key"], target.mine["api_env"]

    def ask(key: str, environment: str) -> bytes:
        return request("GET", "/v1/order", {"X-Api-Key": key, "X-Api-Env": environment})

    return {
        "right environment, any key": lambda: ask(random_key(), environment),
        "right environment, wrong end": lambda: ask(key[:-1] + random.choice(ALPHABET.replace(key[-1], "")), environment),
        "right key, other environment": lambda: ask(key, target.other["api_env"]),
        "right key, no environment": lambda: ask(key, secrets.token_hex(20)),
        "nothing right": lambda: ask(random_key(), secrets.token_hex(20)),
    }


def foreign_ids(target: Target) -> dict[str, Guess]:
    """Refused with 404."""
    headers = keyed(target.mine)
    return {
        "of another environment": lambda: request("GET", f"/v1/order/{target.orders[1]}", headers),
        "of nothing": lambda: request("GET", f"/v1/order/{uuid4()}", headers),
    }


def logins(target: Target) -> dict[str, Guess]:
    """Refused with 403; each for another person and from another address, so that nobody is slowed down."""
    page = Line(target.port).read(request("GET", "/login", {}))
    csrf = re.search(rb'name="csrf" value="(\w+)"', page.body)
    assert csrf is not None, "the page has a form"
    common = {"Cookie": page.headers["set-cookie"].partition(";")[0], "Content-Type": FORM}
    known, spread, numbers = iter(target.people), iter(target.spread), itertools.count()

    def ask(email: str) -> bytes:
        number = next(numbers)
        fields = {"csrf": csrf.group(1).decode(), "next": "", "email": email, "password": "not the password"}
        address = {"X-Forwarded-For": f"10.0.{number >> 8}.{number & 255}"}
        return request("POST", "/login", {**common, **address}, urllib.parse.urlencode(fields))

    return {
        "known person": lambda: ask(next(known)),
        "known in three environments": lambda: ask(next(spread)),
        "unknown person": lambda: ask(f"{secrets.token_hex(6)}@example.com"),
    }
