"""The commands for environments."""

import click

from planwerk.cli.options import ONCE, database_option, json_option, settings_with, show

name_argument = click.argument("name")


@click.group()
def environment() -> None:
    """Environments: the tenants of this server."""


@environment.command("create")
@name_argument
@click.option("--admin-email", metavar="E", help="the login of its admin; without it admin@example.com")
@database_option
@json_option
def create(name: str, admin_email: str | None, database: str | None, is_plain: bool) -> None:
    """Make an environment with one admin and one API key."""
    from planwerk.commands.environments import make_environment

    show(make_environment(settings_with(database=database), name, admin_email), is_plain=is_plain, words=ONCE)


@environment.command("list")
@database_option
@json_option
def list_all(database: str | None, is_plain: bool) -> None:
    """Show all environments."""
    from planwerk.commands.environments import all_environments

    show(all_environments(settings_with(database=database)), is_plain=is_plain)


@environment.command("suspend")
@name_argument
@database_option
@json_option
def suspend(name: str, database: str | None, is_plain: bool) -> None:
    """Refuse every credential of an environment, at once; its data stays."""
    from planwerk.commands.environments import suspend as stop

    show(stop(settings_with(database=database), name), is_plain=is_plain)


@environment.command("resume")
@name_argument
@database_option
@json_option
def resume(name: str, database: str | None, is_plain: bool) -> None:
    """Let the credentials of a suspended environment open it again."""
    from planwerk.commands.environments import resume as go_on

    show(go_on(settings_with(database=database), name), is_plain=is_plain)


@environment.command("delete")
@name_argument
@click.option("--yes", "is_sure", is_flag=True, help="delete it for good, with all its data and files")
@database_option
@json_option
def delete(name: str, is_sure: bool, database: str | None, is_plain: bool) -> None:
    """Delete an environment with everything that belongs to it."""
    from planwerk.commands.environments import delete as end

    show(end(settings_with(database=database), name, is_sure=is_sure), is_plain=is_plain)
