"""Users of each role and clients that ask in their name, by the token that a browser gets for its session.

The token is good for five minutes, which is longer than any test.
"""

from dataclasses import dataclass, replace
from itertools import count

from tests.client import Client
from tests.server import OBJECTS, Server, Tenant, conformity
from tests.world import World

from planwerk.identity.opaque import token_hash
from planwerk.identity.sessions import open_session
from planwerk.identity.tokens import web_token
from planwerk.start import create_user
from planwerk.store.transaction import Transaction

NUMBERS = count(1)


@dataclass(frozen=True)
class Person:
    """A user with an open session. `cookie` is the session's token, `client` asks the API in the user's name."""

    id: str
    email: str
    cookie: str
    client: Client


def person(server: Server, tenant: Tenant | World, role: str, resource_id: str | None = None, card_visibility: str = "all") -> Person:
    """A new active user of a tenant, logged in. `resource_id` is the resource that the user is."""
    environment_id = tenant.environment.id if isinstance(tenant, Tenant) else tenant.environment_id
    email = f"{role}.{next(NUMBERS)}@example.com"

    def work(tx: Transaction) -> tuple[str, str, str]:
        user, session = OBJECTS["user"], OBJECTS["session"]
        id = create_user(tx, email, role, "no hash of any password")
        row = tx.get(user, id)
        assert row is not None
        row = tx.update(user, row, {"resource_id": resource_id, "card_visibility": card_visibility})
        cookie = open_session(tx, row)
        opened = tx.first(session, token_hash=token_hash(cookie))
        assert opened is not None
        return id, cookie, web_token(tx, opened)

    id, cookie, token = server.database.write_now(environment_id, work)
    client = Client(server.app, server.loop, conformity(), {"authorization": f"Bearer {token}"})
    return Person(id, email, cookie, client)


def bearer(server: Server, tenant: Tenant | World, role: str, resource_id: str | None = None, card_visibility: str = "all") -> Client:
    """A client in the name of a new user with that role."""
    return person(server, tenant, role, resource_id, card_visibility).client


def read_only(server: Server, tenant: Tenant) -> Client:
    """A client with a new key that may only read."""
    return replace(server.client(tenant), headers={**tenant.headers, "x-api-key": server.new_key(tenant.environment, is_read_only=True)})
