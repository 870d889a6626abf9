"""A company whose people log in at a provider: a server with the settings for it, and an environment of its own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from tests.client import Client, Loop
from tests.server import OBJECTS, Server, conformity, running, scratch_database, settings_for
from tests.visiting import Browser, Page
from tests.web.openid_provider import CLIENT, SECRET, OpenIdProvider, providing

from planwerk.identity.sessions import Visitor, find_visitor
from planwerk.store.environments import create_environment
from planwerk.store.statements import Statement
from planwerk.store.transaction import Row, Transaction

NUMBERS = count(1)
FAILED = "The login did not work"
EVA = {"sub": "s-1", "email": "eva@example.com", "email_verified": True}


@dataclass
class Company:
    """The company's environment on its server, and its provider."""

    server: Server
    environment_id: str
    provider: OpenIdProvider

    def browser(self) -> Browser:
        return Browser(Client(self.server.app, self.server.loop, conformity(), {}))

    def log_in(self, browser: Browser | None = None, path: str = "/login/sso", **claims: Any) -> Page:
        """The page after a whole login; a person has a verified address unless the claims say otherwise."""
        browser = browser or self.browser()
        page = browser.open(path)
        if "location" not in page.answer.headers:
            return page
        return browser.open(self.provider.approve(page.answer.headers["location"], **{**EVA, **claims}))

    def visitor(self, browser: Browser) -> Visitor | None:
        """Who is logged in in a browser."""
        cookie, now = browser.cookies.get("planwerk_session", ""), self.server.database.identifiers.now()
        return self.server.loop.run(find_visitor(self.server.database, cookie, now))

    def add_user(self, email: str, **values: Any) -> Row:
        values = {"role": "member", "status": "active", "username": email, "email": email, **values}
        added: Row = self.write(lambda tx: tx.insert(OBJECTS["user"], values))
        return added

    def user(self, email: str) -> Row:
        found: Row | None = self.write(lambda tx: tx.first(OBJECTS["user"], email=email))
        assert found is not None, f"there is no user {email}"
        return found

    def set_status(self, status: str) -> None:
        change = Statement("UPDATE environment SET status = {status} WHERE id = {id}", {})
        self.server.database.write_now("", lambda tx: tx.run_named(change, status=status, id=self.environment_id))

    def write(self, work: Callable[[Transaction], Any]) -> Any:
        return self.server.database.write_now(self.environment_id, work)

    def written(self) -> tuple[Any, ...]:
        """All rows of the environment, and the logins that were finished."""
        finished = self.server.database.query("SELECT count(*) FROM state WHERE name LIKE 'sso login%'")
        return self.server.rows(self.environment_id), int(finished[0][0])


def refuses(company: Company, page: Page, before: tuple[Any, ...]) -> bool:
    """Whether a login ended on the one page for that, without a session, and without a trace in the database."""
    is_page = page.status == 403 and FAILED in page.text and "planwerk_session" not in page.answer.headers.get("set-cookie", "")
    return is_page and company.written() == before


@pytest.fixture(scope="module")
def database_url(backend: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with scratch_database(backend, tmp_path_factory.mktemp("sso")) as url:
        yield url


@pytest.fixture
def provider() -> Iterator[OpenIdProvider]:
    with providing() as provider:
        yield provider


@contextmanager
def founding(url: str, loop: Loop, folder: Path, provider: OpenIdProvider) -> Iterator[Callable[..., Company]]:
    """Makes companies; their settings may be told."""
    with ExitStack() as stack:

        def found(**settings: Any) -> Company:
            name = f"company {next(NUMBERS)}"
            login = {"oidc_issuer": provider.issuer, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET, "oidc_environment": name}
            server = stack.enter_context(running(loop, settings_for(url, folder, **{**login, **settings})))
            environment = server.database.write_now("", lambda tx: create_environment(tx, name))
            return Company(server, environment.id, provider)

        yield found


@pytest.fixture
def found_company(database_url: str, loop: Loop, tmp_path: Path, provider: OpenIdProvider) -> Iterator[Callable[..., Company]]:
    with founding(database_url, loop, tmp_path, provider) as found:
        yield found


@pytest.fixture
def company(found_company: Callable[..., Company]) -> Company:
    """A company whose new people become members."""
    return found_company(oidc_default_role="member")
