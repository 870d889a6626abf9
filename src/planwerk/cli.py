"""The commands of `planwerk`: names, options and what is printed; the work is done in `planwerk.commands`.

Standard output carries results only (JSON where a program may read them), standard error the words for people. Every
module is imported by the command that needs it, so that each starts fast.
"""

import json
import os
import sys
import tomllib
from pathlib import Path
from typing import Any

import click

from planwerk.commands import Impossible
from planwerk.settings import Settings, load


class Commands(click.Group):
    """Commands whose foreseen failures are one sentence on standard error and exit code 1."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except Exception as error:
            if type(error).__name__ in ("Impossible", "Unusable", "Refusal", "CannotSeed"):
                raise click.ClickException(str(error)) from None
            raise


def settings_with(**options: Any) -> Settings:
    """The settings of a command; what its options say wins."""
    try:
        return load(options)
    except tomllib.TOMLDecodeError as error:
        raise Impossible(f"planwerk.toml: {error}") from None
    except ValueError as error:
        raise Impossible(str(error)) from None


def show(result: Any, *, is_plain: bool, words: str = "") -> None:
    """Print a result as JSON; for people indented, and with a word about it on standard error."""
    click.echo(json.dumps(result, indent=None if is_plain else 2))
    if words and not is_plain:
        click.echo(words, err=True)


database_option = click.option("--database", metavar="URL", help="sqlite:///path/file.db or postgresql://user@host:port/name")
environment_option = click.option("--environment", metavar="NAME", help="the environment; without it the oldest")
json_option = click.option("--json", "is_plain", is_flag=True, help="print one line of JSON and nothing else")

ONCE = "Shown once: keep it safe."


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
@click.option("--admin-email", metavar="E", help="the login of its admin")
@json_option
def init(database: str | None, environment: str | None, admin_email: str | None, is_plain: bool) -> None:
    """Make one environment with one admin and one API key."""
    from planwerk.commands.credentials import initialise

    show(initialise(settings_with(database=database), environment, admin_email), is_plain=is_plain, words=ONCE)


# ── what opens doors ──


@main.group()
def key() -> None:
    """API keys."""


@key.command("create")
@database_option
@environment_option
@click.option("--read-only", "is_read_only", is_flag=True, help="the key may only read")
@json_option
def key_create(database: str | None, environment: str | None, is_read_only: bool, is_plain: bool) -> None:
    """Make an API key; a running server knows it at once."""
    from planwerk.commands.credentials import make_key

    show(make_key(settings_with(database=database), environment, is_read_only=is_read_only), is_plain=is_plain, words=ONCE)


@main.group()
def user() -> None:
    """People who can log in."""


@user.command("create")
@database_option
@environment_option
@click.option("--email", metavar="E", required=True)
@click.option("--role", metavar="R", required=True, type=click.Choice(("admin", "manager", "organiser", "member", "guest")))
@click.option("--password-stdin", "reads_password", is_flag=True, help="read the password from standard input; without it one is made")
@json_option
def user_create(database: str | None, environment: str | None, email: str, role: str, reads_password: bool, is_plain: bool) -> None:
    """Make a user."""
    from planwerk.commands.credentials import make_user

    password = sys.stdin.readline().rstrip("\r\n") if reads_password else None
    show(make_user(settings_with(database=database), environment, email, role, password), is_plain=is_plain)


@main.group()
def app() -> None:
    """Apps that users connect with OAuth 2."""


@app.command("create")
@database_option
@environment_option
@click.option("--name", metavar="N", required=True)
@click.option(
    "--redirect-uri", "redirect_uris", metavar="U", required=True, multiple=True, help="where users return to; may be given again"
)
@click.option("--public", "is_public", is_flag=True, help="the app cannot keep a secret and uses PKCE alone")
@json_option
def app_create(
    database: str | None, environment: str | None, name: str, redirect_uris: tuple[str, ...], is_public: bool, is_plain: bool
) -> None:
    """Register an app."""
    from planwerk.commands.credentials import make_app

    made = make_app(settings_with(database=database), environment, name, redirect_uris, is_public=is_public)
    show(made, is_plain=is_plain, words="" if is_public else ONCE)


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
@click.pass_context
def listen(context: click.Context) -> None:
    """Follow the events of an environment (not available yet)."""
    click.echo("planwerk listen needs the event feed, which this release does not have yet", err=True)
    context.exit(2)
