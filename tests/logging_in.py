"""People with passwords, and browsers in which they log in.

Each browser comes from an address of its own, so that the wrong passwords of one test do not count in another. The hashes
are as weak as they get, for speed; a login replaces them by strong ones.
"""

import time
from dataclasses import dataclass
from itertools import count
from typing import Any

import pyotp
from argon2 import PasswordHasher
from tests.client import Client
from tests.server import OBJECTS, Server, Tenant, conformity, quoted
from tests.visiting import Browser, Page

from planwerk.edge.proxies import behind_proxies
from planwerk.identity.sessions import open_session
from planwerk.identity.totp import confirm, propose
from planwerk.start import create_user
from planwerk.store.transaction import Row, Transaction
from planwerk.web.site import SESSION_COOKIE

PASSWORD = "correct horse battery"
WEAK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
WEAK_HASH = WEAK.hash(PASSWORD)
NUMBERS = count(1)
PROXY = "127.0.0.1"  # where the clients of tests are


@dataclass(frozen=True)
class Human:
    """A user of one environment who knows the password."""

    environment_id: str
    id: str
    email: str


def human(server: Server, tenant: Tenant, email: str = "", password: str = PASSWORD, role: str = "member") -> Human:
    """A new active user with a password."""
    email = email or f"human.{next(NUMBERS)}@example.com"
    hash = WEAK_HASH if password == PASSWORD else WEAK.hash(password)
    environment_id = tenant.environment.id
    return Human(environment_id, server.database.write_now(environment_id, lambda tx: create_user(tx, email, role, hash)), email)


def browser_of(server: Server) -> Browser:
    """A browser with nothing in it."""
    number = next(NUMBERS)
    address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    client = Client(behind_proxies(server.app, PROXY), server.loop, conformity(), {})
    return Browser(client, headers={"x-forwarded-for": address, "user-agent": "A browser of the tests"})


def log_in(browser: Browser, email: str, password: str = PASSWORD, path: str = "/login") -> Page:
    """Fill in and send the login page."""
    browser.open(path)
    return browser.submit("/login", email=email, password=password)


def logged_in(server: Server, who: Human, method: str = "password") -> Browser:
    """A browser with a new session, without the way through the login page."""
    browser = browser_of(server)
    browser.cookies[SESSION_COOKIE] = server.database.write_now(
        who.environment_id, lambda tx: open_session(tx, row(tx, who), method=method)
    )
    return browser


def row(tx: Transaction, who: Human) -> Row:
    found = tx.get(OBJECTS["user"], who.id)
    assert found is not None
    return found


def change(server: Server, who: Human, **values: Any) -> None:
    """Change the user behind the server's back, as an admin or another page does."""
    server.database.write_now(who.environment_id, lambda tx: tx.update(OBJECTS["user"], row(tx, who), values))


def suspend(server: Server, environment_id: str) -> None:
    server.database.query(f"UPDATE environment SET status = 'suspended' WHERE id = {quoted(environment_id)}")


def value(server: Server, who: Human, column: str) -> Any:
    """What the user's row holds now."""
    return server.database.write_now(who.environment_id, lambda tx: row(tx, who)[column])


def sessions(server: Server, who: Human) -> list[Row]:
    """The living rows, in the order in which they were made."""
    return server.database.write_now(who.environment_id, lambda tx: tx.find(OBJECTS["session"], user_id=who.id, order=("created_at",)))


def with_factor(server: Server, who: Human) -> tuple[str, list[str]]:
    """(secret, recovery codes) of a second factor that is on; the codes of all time steps from now on are unused."""

    def work(tx: Transaction) -> tuple[str, list[str]]:
        secret = propose(tx, row(tx, who))
        return secret, confirm(tx, row(tx, who), pyotp.TOTP(secret).at(time.time()))

    made = server.database.write_now(who.environment_id, work)
    forget_step(server, who)
    return made


def forget_step(server: Server, who: Human) -> None:
    """As if no code of the user had been used yet."""
    server.database.write_now(who.environment_id, lambda tx: tx.write(OBJECTS["user"], row(tx, who), {"totp_step": None}))


def code_of(secret: str) -> str:
    return pyotp.TOTP(secret).at(time.time())
