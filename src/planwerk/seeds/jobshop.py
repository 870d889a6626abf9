"""A job-shop instance becomes machines, activities, items and orders, through the HTTP API and nothing else.

Every object carries an `external_ref` that follows from the instance, so a run finds what an earlier one has made: it
creates what is missing, changes what differs and leaves the rest. A run that was interrupted is finished by the next.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field as attribute
from typing import Any

from planwerk.seeds import silent
from planwerk.seeds.client import Client, Json
from planwerk.seeds.instances import Instance
from planwerk.seeds.shop import activities_of, items_of, orders_of, resources_of


@dataclass
class Loaded:
    """What a run did, by kind of object: how many were made, changed and found as they should be."""

    created: dict[str, int] = attribute(default_factory=dict)
    updated: dict[str, int] = attribute(default_factory=dict)
    unchanged: dict[str, int] = attribute(default_factory=dict)


def steps(instance: Instance) -> int:
    """How often `progress` will be called: once for each object."""
    return 2 * instance.machines + 2 * len(instance.jobs)


def load_instance(client: Client, instance: Instance, progress: Callable[[int], None] = silent) -> Loaded:
    """Load an instance, calling `progress(1)` after each object; raises `CannotSeed` with a sentence."""
    loading = Loading(client, f"jobshop-{instance.name}-", progress)
    activities = loading.put_all("/activity", activities_of(instance))
    loading.put_all("/resource", resources_of(instance, activities), with_="activities")
    items = loading.put_all("/item", items_of(instance))
    loading.put_all("/order", orders_of(instance, activities, items), with_="order_rows")
    return loading.loaded


class Loading:
    """One run: brings objects to the state they should be in, whatever state an earlier run left."""

    def __init__(self, client: Client, prefix: str, progress: Callable[[int], None]) -> None:
        self.client = client
        self.prefix = prefix
        self.progress = progress
        self.loaded = Loaded()

    def put_all(self, path: str, bodies: Iterable[Json], with_: str = "", at_first: Json | None = None) -> list[str]:
        """The ids of the objects that these bodies describe, in their order; what is new gets the values `at_first`, too."""
        found, ids = self.present(path, with_), []
        for body in bodies:
            ids.append(self.put(path, body, found.get(body["external_ref"]), at_first or {}))
            self.progress(1)
        return ids

    def present(self, path: str, with_: str) -> dict[str, Json]:
        """What earlier runs have made, by external_ref."""
        parameters = {"filter": f"external_ref:starts_with:'{self.prefix}'", **({"with": with_} if with_ else {})}
        return {item["external_ref"]: item for item in self.client.list(path, **parameters)}

    def put(self, path: str, body: Json, found: Json | None, at_first: Json) -> str:
        """The id of the object, made or changed if need be."""
        if found is None:
            done, id = self.loaded.created, self.client.create(path, {**body, **at_first})["id"]
        elif agrees(body, found):
            done, id = self.loaded.unchanged, found["id"]
        else:
            done, id = self.loaded.updated, found["id"]
            self.client.update(f"{path}/{id}", with_ids(body, found), remove_missing="true")
        count(done, path)
        return str(id)


def count(done: dict[str, int], path: str) -> None:
    """One more of the objects at this path.

    >>> created = {"card": 2}
    >>> count(created, "/card")
    >>> created
    {'card': 3}
    """
    done[path.strip("/")] = done.get(path.strip("/"), 0) + 1


def agrees(wanted: Any, found: Any) -> bool:
    """Whether an object is as it should be; what else it has does not matter.

    >>> agrees({"code": "A", "rows": [{"position": 0}]}, {"id": "7", "code": "A", "rows": [{"id": "8", "position": 0}]})
    True
    >>> agrees([1], [1, 2])
    False
    """
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(name in found and agrees(value, found[name]) for name, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(found, list) and len(wanted) == len(found) and all(map(agrees, wanted, found))
    return bool(wanted == found)


def with_ids(body: Json, found: Json) -> Json:
    """The body with the ids of those order rows that exist, so that they are changed and not made again."""
    known = {row["external_ref"]: row["id"] for row in found.get("order_rows") or ()}
    if "order_rows" not in body:
        return body
    rows = [{"id": known[row["external_ref"]], **row} if row["external_ref"] in known else row for row in body["order_rows"]]
    return {**body, "order_rows": rows}
