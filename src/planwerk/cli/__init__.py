"""The commands of `planwerk`: names, options and what is printed; the work is done in `planwerk.commands`.

Standard output carries results only (JSON where a program may read them), standard error the words for people. Every
module is imported by the command that needs it, so that each starts fast.
"""

import json
import os
from pathlib import Path
from typing import Any

import click

from planwerk.cli.access import app, key, keys, user
from planwerk.cli.environments import environment
from planwerk.cli.options import ONCE, Commands, database_option, environment_option, json_option, settings_with, show


@click.group(cls=Commands)
@click.version_option(package_name="planwerk")
def main() -> None:
    """A planning server that speaks the vPlan API v1."""
    os.umask(0o077)  # whatever a command writes is for its owner alone


@main.command()
@click.option("--host", metavar="H", help="the address to listen on")
@click.option("--port", metavar="N", type=int, help="the port to listen on")
@database_option
@click.option("--workers", metavar="N", type=click.IntRange(1), help="server processes; more than one needs PostgreSQL")
@click.option("--access-log", "has_access_log", is_flag=True, envvar="PLANWERK_ACCESS_LOG", help="log every request")
def serve(host: str | None, port: int | None, database: str | None, workers: int | None, has_access_log: bool) -> None:
    """Serve the API; the first start prepares the database."""
    from planwerk.commands.serve import run_server

    run_server(settings_with(host=host, port=port, database=database, workers=workers), has_access_log=has_access_log)


@main.command()
@database_option
@click.option("--environment", metavar="NAME", help="the name of the new environment")
@click.option("--admin-email", metavar="E", help="the login of its admin; without it admin@example.com")
@json_option
def init(database: str | None, environment: str | None, admin_email: str | None, is_plain: bool) -> None:
    """Make one environment with one admin and one API key."""
    from planwerk.commands.credentials import initialise

    show(initialise(settings_with(database=database), environment, admin_email), is_plain=is_plain, words=ONCE)


for group in (environment, key, user, app, keys):
    main.add_command(group)


# ── data to start with ──


@main.group()
def seed() -> None:
    """Fill a database."""


@seed.command()
@database_option
@environment_option
def demo(database: str | None, environment: str | None) -> None:
    """A small workshop; a second time it changes nothing."""
    from planwerk.commands.seed import seed_demo

    seed_demo(settings_with(database=database), environment)


@seed.command()
@database_option
@environment_option
@click.option("--orders", metavar="N", type=click.IntRange(1), default=100_000, show_default=True)
@click.option("--ids-file", type=click.Path(dir_okay=False, path_type=Path), help="write a sample of order ids here")
@click.option("--more", "is_more", is_flag=True, help="add to the orders of an earlier run")
def bench(database: str | None, environment: str | None, orders: int, ids_file: Path | None, is_more: bool) -> None:
    """Orders for benchmarks, fast."""
    from planwerk.commands.seed import seed_bench

    seed_bench(settings_with(database=database), environment, orders, ids_file, is_more=is_more)


@seed.command()
@click.argument("instance")
@database_option
@environment_option
@click.option("--url", metavar="U", help="a running server, such as http://127.0.0.1:8080/v1")
@click.option("--api-key", metavar="K", envvar="PLANWERK_API_KEY")
@click.option("--api-env", metavar="E", envvar="PLANWERK_API_ENV")
@click.option("--plan", "is_planned", is_flag=True, help="plan it on a board of its own, too, and say how good the plan is")
def jobshop(
    instance: str,
    database: str | None,
    environment: str | None,
    url: str | None,
    api_key: str | None,
    api_env: str | None,
    is_planned: bool,
) -> None:
    """A published job-shop instance such as ft06, through the API."""
    from planwerk.commands.seed import seed_jobshop

    lines = seed_jobshop(settings_with(database=database), environment, instance, url, api_key, api_env, is_planned=is_planned)
    click.echo("\n".join(lines))


# ── upkeep ──


@main.command()
def openapi() -> None:
    """Print the OpenAPI document."""
    from planwerk.catalog import ALL
    from planwerk.reference.openapi import build

    click.echo(json.dumps(build(ALL), indent=2, ensure_ascii=False))


@main.command()
@database_option
def migrate(database: str | None) -> None:
    """Bring the database to the schema of this release."""
    from planwerk.commands.upkeep import migrate as bring

    click.echo("\n".join(bring(settings_with(database=database))) or "nothing to do")


@main.command()
@click.argument("path", type=click.Path(path_type=Path))
@database_option
def backup(path: Path, database: str | None) -> None:
    """Copy the database to a new file, also while it is served."""
    from planwerk.commands.upkeep import back_up

    click.echo(f"{path}: {back_up(settings_with(database=database), path)} bytes")


@main.command()
@click.argument("path", type=click.Path(path_type=Path))
@database_option
def restore(path: Path, database: str | None) -> None:
    """Put a backup in the database's place; the server must be stopped."""
    from planwerk.commands.upkeep import restore as put_back

    click.echo(put_back(settings_with(database=database), path))


@main.command()
@database_option
@click.pass_context
def doctor(context: click.Context, database: str | None) -> None:
    """Check everything the server needs; exit code 1 if something is wrong."""
    from planwerk.commands.doctor import PROBLEM, examine

    findings = list(examine(settings_with(database=database)))
    for finding in findings:
        click.echo(f"{finding.state:8} {finding.text}")
    context.exit(1 if any(finding.state == PROBLEM for finding in findings) else 0)


@main.command()
@click.argument("state", type=click.Choice(("on", "off")))
@database_option
def maintenance(state: str, database: str | None) -> None:
    """Answer every request with 503, or serve again."""
    from planwerk.commands.upkeep import switch_maintenance

    switch_maintenance(settings_with(database=database), is_on=state == "on")


@main.command()
@database_option
def worker(database: str | None) -> None:
    """Do the background work without serving."""
    from planwerk.commands.upkeep import work

    work(settings_with(database=database))


@main.command()
@database_option
def jobs(database: str | None) -> None:
    """Show the background jobs that wait, and when each piece of housekeeping ran last."""
    from planwerk.commands.upkeep import background_work

    click.echo("\n".join(background_work(settings_with(database=database))))


@main.command()
@click.option("--url", metavar="U", help="the server's API, such as https://plan.example.com/v1; without it the one on this machine")
@click.option("--api-key", metavar="K", envvar="PLANWERK_API_KEY")
@click.option("--api-env", metavar="E", envvar="PLANWERK_API_ENV")
@click.option("--events", "types", metavar="NAMES", default="", help="names of events, separated by commas; without it all")
@click.option("--forward", metavar="U", help="a program on this machine that gets each event, signed like a webhook's message")
@click.option("--secret", metavar="S", envvar="PLANWERK_LISTEN_SECRET", help="signs what is forwarded (whsec_…); without it one is made")
@click.option(
    "--since", metavar="POSITION", type=click.IntRange(0), help="begin behind this position of the feed; without it with what happens now"
)
@click.option("--json", "is_json", is_flag=True, help="print each event whole, as one line of JSON")
def listen(url: str | None, api_key: str | None, api_env: str | None, **chosen: Any) -> None:
    """Follow the events of an environment, and forward them to a local program."""
    from planwerk.commands.listen import Wish, listen as follow

    follow(settings_with(), Wish(url, api_key, api_env, **chosen))
