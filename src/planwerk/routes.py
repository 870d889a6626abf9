"""The routes of a catalog, and the way from a path to one of them.

Comes in: descriptions. Goes out: a list of `Route` and a `Router` that finds one in about a microsecond. Nothing is
registered anywhere: the list is the whole truth, and a test compares it with the OpenAPI document in both directions.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field as attribute
from typing import Any

from planwerk.describe import CREATE, DELETE, LIST, ONE, UPDATE, Action, Link, Object, Place

METHODS = {LIST: "GET", CREATE: "POST", ONE: "GET", UPDATE: "PUT", DELETE: "DELETE"}
ARCHIVE, RESTORE, ATTACH, DETACH, ACTION = "archive", "restore", "attach", "detach", "action"
SINGULAR = {"labels": "label", "followers": "follower", "activities": "activity", "resources": "resource"}


@dataclass(frozen=True, eq=False)
class Route:
    """One operation: `kind` says which handler serves it. Compared by identity, so that it can be a cheap key."""

    method: str
    path: str
    kind: str
    object: Object
    place: Place
    link: Link | None = None
    action: Action | None = None


def routes_of(objects: Iterable[Object]) -> Iterator[Route]:
    """Every operation of a catalog, in its order."""
    for described in objects:
        for place in described.places:
            yield from place_routes(described, place)
        for action in described.actions:
            yield Route(action.method, action.path, ACTION, described, Place(action.path, ()), action=action)


def place_routes(described: Object, place: Place) -> Iterator[Route]:
    single = f"{place.path}/{{id}}"
    for operation in place.operations:
        path = place.path if operation in (LIST, CREATE) else single
        yield Route(METHODS[operation], path, operation, described, place)
    if described.is_archivable and UPDATE in place.operations:
        yield Route("POST", f"{single}/archive", ARCHIVE, described, place)
        yield Route("POST", f"{single}/restore", RESTORE, described, place)
    for relation in described.relations:
        if isinstance(relation, Link) and relation.is_open and UPDATE in place.operations:
            path = f"{single}/{SINGULAR[relation.name]}/{{other_id}}"
            yield Route("PUT", path, ATTACH, described, place, relation)
            yield Route("DELETE", path, DETACH, described, place, relation)


@dataclass
class Node:
    """One step of a path: the literal words that may follow, the parameter that may follow, and what ends here."""

    words: dict[str, "Node"] = attribute(default_factory=dict)
    parameter: "Node | None" = None
    routes: dict[str, Route] = attribute(default_factory=dict)
    names: dict[str, tuple[str, ...]] = attribute(default_factory=dict)


class Router:
    """Finds the route of a path; a word wins over a parameter (`/collection/detail` over `/collection/{id}`)."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.root = Node()
        for route in routes:
            self.add(route)

    def add(self, route: Route) -> None:
        node, names = self.root, []
        for part in route.path.strip("/").split("/"):
            if part.startswith("{"):
                names.append(part[1:-1])
                node.parameter = node.parameter or Node()
                node = node.parameter
            else:
                node = node.words.setdefault(part, Node())
        node.routes[route.method] = route
        node.names[route.method] = tuple(names)

    def find(self, path: str) -> tuple[Node, list[str]] | None:
        """The node of a path below `/v1` and the values of its parameters; None if there is no such path."""
        node, values = self.root, []
        for part in path.strip("/").split("/"):
            following = node.words.get(part)
            if following is None:
                following = node.parameter
                values.append(part)
            if following is None:
                return None
            node = following
        return (node, values) if node.routes else None


def values_of(node: Node, method: str, values: list[str]) -> dict[str, Any]:
    return dict(zip(node.names[method], values, strict=True))
