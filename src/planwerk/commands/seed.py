"""`planwerk seed`: fills a database, or a running server through its API, and shows how far it is."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from planwerk.catalog.api_key import API_KEY
from planwerk.commands import Impossible
from planwerk.commands.opened import NAMED, environment_of, existing
from planwerk.identity.api_keys import create_key
from planwerk.settings import Settings

if TYPE_CHECKING:
    from planwerk.seeds.client import Client
    from planwerk.seeds.instances import Instance
    from planwerk.seeds.jobshop import Loaded

Progress = Callable[[int], None]

INSIDE = "http://planwerk.invalid/v1"  # never resolved: the transport stays in this process


def seed_demo(settings: Settings, environment: str | None) -> None:
    from planwerk.seeds.demo import seed_database

    with existing(settings) as database:
        seed_database(database, NAMED, environment_of(database, environment).id)


def seed_bench(settings: Settings, environment: str | None, orders: int, ids_file: Path | None, *, is_more: bool) -> None:
    from planwerk.seeds.bench import seed_bench as fill

    with existing(settings) as database, bar(orders, "orders") as progress:
        fill(database, NAMED, environment_of(database, environment).id, orders, ids_file, progress, more=is_more)


def seed_jobshop(
    settings: Settings, environment: str | None, name: str, url: str | None, key: str | None, env: str | None, *, is_planned: bool
) -> list[str]:
    """Load a published instance through the API of a running server, or of one inside this process, and plan it if that is
    wanted; lines that sum it up."""
    from planwerk.seeds.instances import read_instance
    from planwerk.seeds.jobshop import load_instance, steps
    from planwerk.seeds.jobshop_plan import plan_instance, plan_steps

    instance = read_instance(name)
    connect = inside(settings, environment) if url is None else outside(url, key, env)
    with connect as client, bar((plan_steps if is_planned else steps)(instance), "objects") as progress:
        if is_planned:
            loaded, outcome = plan_instance(client, instance, progress)
            return [*summary(instance, loaded), *outcome.lines()]
        return summary(instance, load_instance(client, instance, progress))


def summary(instance: "Instance", loaded: "Loaded") -> list[str]:
    best = instance.upper_bound if instance.upper_bound is not None else "unknown"
    size = f"{len(instance.jobs)} jobs, {instance.operations} operations, {instance.machines} machines, {instance.minutes} minutes"
    done = (("created", loaded.created), ("changed", loaded.updated), ("as they were", loaded.unchanged))
    return [
        f"{instance.name}: {size}",
        f"shortest schedule known: {best} minutes",
        *(f"{word}: {count(found)}" for word, found in done),
    ]


def count(found: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {kind}" for kind, number in found.items()) or "nothing"


@contextmanager
def outside(url: str, key: str | None, env: str | None) -> "Iterator[Client]":
    from planwerk.seeds.client import Client

    if not key or not env:
        raise Impossible("--url needs --api-key and --api-env")
    with Client(url, key, env) as client:
        yield client


@contextmanager
def inside(settings: Settings, environment: str | None) -> "Iterator[Client]":
    """A client of a server in this process, with a key that lives as long as the client; its pauses are for background work."""
    from planwerk import jobs
    from planwerk.app import compose
    from planwerk.seeds.client import Client
    from planwerk.seeds.inside import Inside

    with existing(settings) as database:
        found = environment_of(database, environment)
        key, row = database.write_now(found.id, lambda tx: create_key(tx, API_KEY, "made for planwerk seed"))
        try:
            with (
                Inside(compose(replace(settings, rate_limit="0"), beside=(jobs.run,))) as transport,
                Client(INSIDE, key, found.hash, transport=transport, sleep=transport.pause) as client,
            ):
                yield client
        finally:
            database.write_now(found.id, lambda tx: tx.delete(API_KEY, row))


@contextmanager
def bar(length: int, label: str) -> Iterator[Progress]:
    """A progress bar on standard error."""
    with click.progressbar(length=length, label=label, file=sys.stderr) as shown:
        yield shown.update
