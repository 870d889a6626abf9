"""Orders and their collections as tests make and see them: through the API, and a look behind its back."""

from typing import Any

from tests.client import Client
from tests.server import OBJECTS, quoted
from tests.world import World

from planwerk.store.transaction import Transaction

Json = dict[str, Any]
COLLECTION = OBJECTS["collection"]


def new_order(api: Client, **body: Any) -> Json:
    order: Json = api.post("/v1/order", body)
    return order


def collection_of(api: Client, order: Json) -> Json:
    collection: Json = api.get(f"/v1/collection/{order['collection_id']}", with_="activities,cards")
    return collection


def times(api: Client, order: Json) -> list[tuple[str, int]]:
    """(id, minutes) of the collection's activities, by position."""
    return [(item["id"], item["time"]) for item in collection_of(api, order)["activities"]]


def row(activity: str | None, quantity: float | None, unit: str | None = "minutes", **body: Any) -> Json:
    return {"description": "work", "activity_id": activity, "quantity": quantity, "unit": unit, **body}


def facts(collection: Json) -> tuple[Any, ...]:
    return tuple(collection[name] for name in ("name", "description", "due_date", "meta"))


def put_behind(world: World, collection_id: str, **values: Any) -> None:
    """Set what no body may set."""

    def work(tx: Transaction) -> None:
        found = tx.get(COLLECTION, collection_id)
        assert found is not None
        tx.update(COLLECTION, found, {name: COLLECTION.field[name].store(value) for name, value in values.items()})

    world.server.database.write_now(world.environment_id, work)


def jobs(world: World, name: str = "order.collection") -> list[str]:
    """The keys of the jobs of one kind that wait in this world."""
    text = f"SELECT key FROM job WHERE environment_id = {quoted(world.environment_id)} AND name = {quoted(name)} ORDER BY id"
    return [found[0] for found in world.server.database.query(text)]


def failed(world: World) -> list[Any]:
    text = f"SELECT name, error FROM job WHERE environment_id = {quoted(world.environment_id)} AND attempts > 0"
    return list(world.server.database.query(text))
