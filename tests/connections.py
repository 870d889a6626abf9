"""Apps that users have connected, and clients that ask in their name, by the access token that an app gets.

The token is made as the token endpoint makes it; no browser is needed. It is good for an hour.
"""

from dataclasses import dataclass

from tests.client import Client
from tests.people import person
from tests.server import OBJECTS, Server, Tenant, conformity
from tests.world import World

from planwerk.identity.tokens import oauth_token
from planwerk.store.transaction import Transaction


@dataclass(frozen=True)
class Connection:
    """An app that acts for a user. `client` asks the API by its token."""

    client_id: str
    grant_id: str
    user_id: str
    token: str
    client: Client


def connected(server: Server, tenant: Tenant | World, role: str, owner: Tenant | World | None = None) -> Connection:
    """A new app, registered by the owner or else by the tenant itself, connected by a new user of the tenant with that role."""
    environment_id, owner_id = environment_of(tenant), environment_of(owner or tenant)
    user_id = person(server, tenant, role).id
    client_id = server.database.write_now(owner_id, lambda tx: tx.insert(OBJECTS["oauth_client"], {"name": "An app"}))["id"]

    def work(tx: Transaction) -> tuple[str, str]:
        values = {"client_id": client_id, "client_environment_id": owner_id, "user_id": user_id}
        grant = tx.insert(OBJECTS["oauth_grant"], values)
        return grant["id"], oauth_token(tx, grant)

    grant_id, token = server.database.write_now(environment_id, work)
    client = Client(server.app, server.loop, conformity(), {"authorization": f"Bearer {token}"})
    return Connection(client_id, grant_id, user_id, token, client)


def environment_of(tenant: Tenant | World) -> str:
    """The id of a tenant's environment."""
    return tenant.environment.id if isinstance(tenant, Tenant) else tenant.environment_id
