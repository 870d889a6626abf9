"""Webhooks of the tests: made through the API, and what a test writes into them and their log behind its back."""

from typing import Any

from tests.client import Client
from tests.server import OBJECTS
from tests.world import World

from planwerk.store.transaction import Transaction

URL = "https://example.com/hook"
NEVER = "00000000-0000-4000-8000-000000000000"


def hook(api: Client, url: str = URL, **more: Any) -> Any:
    return api.post("/v1/webhook", {"url": url, "event_types": ["card.created"], **more})


def deliveries(api: Client, made: Any, **query: Any) -> list[Any]:
    found: list[Any] = api.get(f"/v1/webhook/{made['id']}/delivery", **query)["data"]
    return found


def logged(world: World, made: Any, *many: dict[str, Any]) -> list[str]:
    """Deliveries as a sender would leave them; their ids."""

    def work(tx: Transaction) -> list[str]:
        common = {"webhook_id": made["id"], "event_id": NEVER, "event": "card.created", "object_id": NEVER, "position": 1}
        return [tx.insert(OBJECTS["webhook_delivery"], {**common, **values})["id"] for values in many]

    return world.server.database.write_now(world.environment_id, work)
