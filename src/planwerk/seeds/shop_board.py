"""The board of a job shop, found by its name and brought to the state that it should have, through the HTTP API.

Comes in: a shop whose machines and activities are there. Goes out: the id of its board. What people have put on it besides stays.
"""

from collections.abc import Iterable, Iterator

from planwerk.seeds import CannotSeed
from planwerk.seeds.client import Client, Json
from planwerk.seeds.jobshop import Loading, agrees, count
from planwerk.seeds.shop_in_days import Shop, board_body, board_name, machine_links

PARTS = ("stages", "statuses")
KEEP_OTHERS = {"update_without_delete_nested": "true"}


def put_board(loading: Loading, shop: Shop) -> str:
    """The id of the board with a stage for each machine."""
    client, body, done = loading.client, board_body(shop), loading.loaded
    found = board_named(client, board_name(shop.instance))
    lacking = what_lacks(body, found) if found else {}
    if found is None:
        client.create("/board", body)
    elif lacking:
        client.update(f"/board/{found['id']}", lacking, **KEEP_OTHERS)
    count(done.created if found is None else done.updated if lacking else done.unchanged, "/board")
    id = link_machines(client, shop)
    loading.progress(1)
    return id


def link_machines(client: Client, shop: Shop) -> str:
    """Put the machines on the board whose stages are there; its id."""
    board = board_named(client, board_name(shop.instance))
    if board is None:
        raise CannotSeed(f"the board {board_name(shop.instance)} was removed meanwhile")
    known = {resource["id"]: resource for resource in board["resources"]}
    links = machine_links(shop, {stage["name"]: stage["id"] for stage in board["stages"]})
    if missing := [link for link in links if not agrees(link, known.get(link["id"]))]:
        client.update(f"/board/{board['id']}", {"resources": missing}, **KEEP_OTHERS)
    return str(board["id"])


def board_named(client: Client, name: str) -> Json | None:
    related = "statuses,stages.activities,stages.resources,resources"
    return next(client.list("/board", filter=f"name:eq:'{name}'", **{"with": related}), None)


def what_lacks(body: Json, found: Json) -> Json:
    """What has to be written so that a board is as it should be; what else is on it stays.

    >>> found = {"name": "Shop", "stages": [{"id": "7", "name": "Saw", "priority": 2}]}
    >>> what_lacks({"name": "Shop", "stages": [{"name": "Saw", "priority": 1}]}, found)
    {'stages': [{'id': '7', 'name': 'Saw', 'priority': 1}]}
    """
    plain = {name: value for name, value in body.items() if name not in PARTS and not agrees(value, found[name])}
    parts = {name: list(lacking_parts(body[name], found[name])) for name in PARTS if name in body}
    return plain | {name: wrong for name, wrong in parts.items() if wrong}


def lacking_parts(bodies: Iterable[Json], found: Iterable[Json]) -> Iterator[Json]:
    """The parts of a board that are not there, or not as they should be; those that are there with their ids."""
    known = {item["name"]: item for item in found}
    for body in bodies:
        there = known.get(body["name"])
        if not agrees(body, there):
            yield {"id": there["id"], **body} if there else body
