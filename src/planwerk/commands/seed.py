"""`planwerk seed`: fills a database, or a running server through its API, and shows how far it is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from planwerk.commands import Impossible
from planwerk.commands.credentials import make_key
from planwerk.commands.opened import NAMED, environment_of, existing
from planwerk.settings import Settings

Progress = Callable[[int], None]


def seed_demo(settings: Settings, environment: str | None) -> None:
    from planwerk.seeds.demo import seed_database

    with existing(settings) as database:
        seed_database(database, NAMED, environment_of(database, environment).id)


def seed_bench(settings: Settings, environment: str | None, orders: int, ids_file: Path | None, *, is_more: bool) -> None:
    from planwerk.seeds.bench import seed_bench as fill

    with existing(settings) as database, bar(orders, "orders") as progress:
        fill(database, NAMED, environment_of(database, environment).id, orders, ids_file, progress, more=is_more)


def seed_jobshop(settings: Settings, environment: str | None, name: str, url: str | None, key: str | None, env: str | None) -> str:
    """Load a published instance through the API of a running server, or of one inside this process; a summary of it."""
    from planwerk.seeds.client import Client
    from planwerk.seeds.instances import find_instance
    from planwerk.seeds.jobshop import load_instance

    instance = find_instance(name)
    with client_of(settings, environment, url, key, env) as (address, api_key, api_env, transport):
        client = Client(address, api_key, api_env, transport=transport)
        with client, bar(instance.objects, "objects") as progress:
            return str(load_instance(client, instance, progress))


@contextmanager
def bar(length: int, label: str) -> Iterator[Progress]:
    with click.progressbar(length=length, label=label, file=click.get_text_stream("stderr")) as shown:
        yield shown.update


def need(value: str | None, option: str) -> str:
    if not value:
        raise Impossible(f"--url needs {option}")
    return value


_ = make_key
