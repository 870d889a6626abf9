"""A small believable workshop to look around in: a joinery with two boards, its people, customers and order book.

Everything is written in one transaction through the same steps as a request, so it is there as a whole or not at all. Only
ids and days differ between two loads.
"""

from collections.abc import Iterable, Iterator, Mapping

from planwerk.describe import Object
from planwerk.seeds.business import ADDRESSES, ARTICLES, ORDERS, PROJECTS, RELATIONS, WAREHOUSES
from planwerk.seeds.portfolio import Portfolio
from planwerk.seeds.workshop import ACTIVITIES, BOARDS, DEVIATIONS, GROUPS, RESOURCES, STAGES, STATUSES, USERS, Body
from planwerk.seeds.writing import Writer
from planwerk.store.database import Database
from planwerk.store.transaction import Transaction


def seed_database(database: Database, objects: Mapping[str, Object], environment_id: str) -> bool:
    """Load the demo into an environment; False if it holds any part of it already, and then nothing changes."""

    def work(tx: Transaction) -> bool:
        if is_loaded(tx, objects):
            return False
        load_demo(Writer(tx, objects))
        return True

    return database.write_now(environment_id, work)


def is_loaded(tx: Transaction, objects: Mapping[str, Object]) -> bool:
    """Whether something of the demo is there; people may have deleted the rest."""
    known: dict[str, Iterable[str]] = {"relation": RELATIONS, "resource": RESOURCES, "item": ARTICLES}
    return any(tx.first(objects[name], external_ref=reference(name, key)) for name, keys in known.items() for key in keys)


def reference(name: str, key: str) -> str:
    """The external_ref of an object of the demo.

    >>> reference("relation", "mulder")
    'DEMO-relation-mulder'
    """
    return f"DEMO-{name}-{key}"


def load_demo(writer: Writer) -> None:
    ids = {name: dict(make_all(writer, name, bodies)) for name, bodies in plain_bodies().items()}
    ids["resource"] = make_resources(writer, ids["activity"])
    make_boards(writer, ids)
    make_users(writer, ids["resource"])
    portfolio = Portfolio(writer, ids)
    for number, line in enumerate(ORDERS, 1):
        portfolio.load(number, line)


def plain_bodies() -> dict[str, dict[str, Body]]:
    """The objects that name no others, by kind and key."""
    articles = {key: {"code": key.upper(), "description": text, "unit": "pcs"} for key, (text, _) in ARTICLES.items()}
    addresses = {key: {"name": RELATIONS[key]["name"], **body} for key, body in ADDRESSES.items()}
    coded = {key: {"code": key[:4].upper(), **body} for key, body in ACTIVITIES.items()}
    kinds = {"activity": coded, "relation": RELATIONS, "address": addresses, "item": articles}
    return {**kinds, "project": PROJECTS, "warehouse": WAREHOUSES}


def make_all(writer: Writer, name: str, bodies: Mapping[str, Body]) -> Iterator[tuple[str, str]]:
    for key, body in bodies.items():
        yield key, writer.create(name, {"external_ref": reference(name, key), **body})


def make_resources(writer: Writer, activities: Mapping[str, str]) -> dict[str, str]:
    """Resources, the members of cells, and groups."""
    ids: dict[str, str] = {}
    for key, body in RESOURCES.items():
        links = {"activities": linked(activities, body["activities"]), "resources": linked(ids, body.get("resources", ()))}
        away = [deviation(writer, *DEVIATIONS[key])] if key in DEVIATIONS else []
        ids[key] = writer.create("resource", {"external_ref": reference("resource", key), **body, **links, "schedule_deviations": away})
    for name, members in GROUPS.items():
        writer.create("group", {"name": name, "resources": linked(ids, members)})
    return ids


def deviation(writer: Writer, kind: str, description: str, first: int, last: int) -> Body:
    return {"type": kind, "description": description, "start_date": writer.day(first), "end_date": writer.day(last)}


def linked(ids: Mapping[str, str], keys: Iterable[str]) -> list[Body]:
    return [{"id": ids[key]} for key in keys]


def make_boards(writer: Writer, ids: dict[str, dict[str, str]]) -> None:
    """The boards with all that is on them, and the space that they form."""
    boards = ids["board"] = {}
    for key, body in BOARDS.items():
        stages = [stage_body(place, ids, *stage) for place, stage in enumerate(STAGES[key])]
        boards[key] = writer.create("board", {**body, "statuses": STATUSES[key], "stages": stages})
        made = writer.ids("stage", "name", board_id=boards[key])
        writer.change("board", boards[key], {"resources": board_resources(key, made, ids["resource"])})
    writer.create("space", {"name": "Houtman Joinery", "shared_capacity": True, "boards": linked(boards, boards)})


def stage_body(
    place: int, ids: Mapping[str, Mapping[str, str]], name: str, delay_days: int, activities: list[str], resources: Mapping[str, int]
) -> Body:
    return {
        "name": name,
        "priority": place,
        "delay_day": delay_days,
        "capacity_notification": True,
        "activities": [{"id": ids["activity"][key], "priority": index} for index, key in enumerate(activities)],
        "resources": [{"id": ids["resource"][key], "percentage": percentage} for key, percentage in resources.items()],
    }


def board_resources(board: str, stages: Mapping[str, str], resources: Mapping[str, str]) -> list[Body]:
    """The resources of a board, each with its percentage on the stages where it works."""
    shares: dict[str, list[Body]] = {}
    for name, _, _, percentages in STAGES[board]:
        for key, percentage in percentages.items():
            shares.setdefault(key, []).append({"id": stages[name], "percentage": percentage, "active": True})
    return [{"id": resources[key], "active": True, "stages": share} for key, share in shares.items()]


def make_users(writer: Writer, resources: Mapping[str, str]) -> None:
    for body in USERS:
        resource = {"resource": {"id": resources[body["resource"]]}} if "resource" in body else {}
        first = body["firstname"].lower()
        name = " ".join(filter(None, (body["firstname"], body.get("infix"), body["lastname"])))
        writer.create(
            "user",
            {
                "email": f"{first}@houtman.example",
                "external_ref": reference("user", first),
                "fullname": name,
                "display_name": name,
                "language": "nl",
                **body,
                **resource,
            },
        )
