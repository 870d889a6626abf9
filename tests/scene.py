"""Two of everything that hangs on cards: one on a card of Ann's resource, one that is hidden from her and whose texts are marked."""

from dataclasses import dataclass, field as attribute

from tests.client import Client
from tests.world import World

MARK = "HIDDEN"
HANGING = ("card", "collection", "checklist", "comment", "attachment", "time_tracking", "card_relation", "order", "order_row")


@dataclass
class Scene:
    """What is seen and what is hidden, by object; `shared` is a collection with a card of each resource."""

    world: World
    shared: str = ""
    board: str = ""
    resources: dict[str, str] = attribute(default_factory=dict)
    seen: dict[str, str] = attribute(default_factory=dict)
    hidden: dict[str, str] = attribute(default_factory=dict)
    hidden_in_shared: dict[str, str] = attribute(default_factory=dict)

    @property
    def api(self) -> Client:
        return self.world.client

    @property
    def secrets(self) -> set[str]:
        return {*self.hidden.values(), *self.hidden_in_shared.values(), MARK}

    def card(self, collection_id: str, resource: str, mark: str) -> dict[str, str]:
        """The ids of a card of a resource and of all that hangs on it."""
        at = f"/v1/collection/{collection_id}"
        body = {"name": f"{mark} card", "resources": [{"id": self.resources[resource]}]}
        card = self.api.post(f"{at}/card", body)["id"]
        time = {"card_id": card, "start": "2026-03-02T08:00:00Z", "duration": 60, "note": f"{mark} note"}
        file = {"card_id": card, "file": "https://example.com/a.pdf", "filename": f"{mark}.pdf"}
        return {
            "card": card,
            "checklist": self.api.post(f"{at}/card/{card}/checklist", {"name": f"{mark} list", "items": [{"description": mark}]})["id"],
            "comment": self.api.post(f"{at}/comment", {"text": f"{mark} comment", "card_id": card})["id"],
            "attachment": self.api.post(f"{at}/attachment", file)["id"],
            "time_tracking": self.api.post("/v1/time_tracking", time)["id"],
        }

    def order(self, mark: str) -> dict[str, str]:
        """The ids of an order, its row and its collection."""
        order = self.api.post("/v1/order", {"code": f"{mark} order", "board_id": self.board, "order_rows": [{"description": mark}]})
        row = self.api.get(f"/v1/order/{order['id']}/row")["data"][0]["id"]
        return {"order": order["id"], "order_row": row, "collection": order["collection_id"]}

    def relation(self, card_id: str, other: str) -> str:
        return str(self.api.post("/v1/card_relation", {"card_id": card_id, "related_card_id": other})["id"])


def make_scene(world: World) -> Scene:
    """A board with a collection that has a card of each of two resources, and another with a card of the second."""
    scene = Scene(world)
    board = {"name": "Shop", "stages": [{"name": "Saw"}], "statuses": [{"name": "New", "entry": True}, {"name": "Done", "exit": True}]}
    scene.board = scene.api.post("/v1/board", board)["id"]
    scene.resources = {name: scene.api.post("/v1/resource", {"name": name})["id"] for name in ("Ann", "Bob")}
    made = scene.order("Open")
    scene.shared = made["collection"]
    scene.seen = {**made, **scene.card(scene.shared, "Ann", "Open")}
    scene.hidden_in_shared = scene.card(scene.shared, "Bob", MARK)
    hidden = scene.order(MARK)
    scene.hidden = {**hidden, **scene.card(hidden["collection"], "Bob", MARK)}
    scene.seen["card_relation"] = scene.relation(scene.seen["card"], scene.card(scene.shared, "Ann", "Open")["card"])
    scene.hidden["card_relation"] = scene.relation(scene.seen["card"], scene.hidden["card"])
    scene.hidden_in_shared["card_relation"] = scene.relation(scene.hidden_in_shared["card"], scene.seen["card"])
    return scene


def secrets_in(scene: Scene, body: bytes) -> list[str]:
    """What an answer shows of what is hidden."""
    return sorted(secret for secret in scene.secrets if secret.encode() in body)
