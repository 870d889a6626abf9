"""The commands for what opens doors: API keys, users, apps."""

import sys

import click

from planwerk.cli.options import ONCE, database_option, environment_option, json_option, settings_with, show


@click.group()
def key() -> None:
    """API keys."""


@key.command("create")
@database_option
@environment_option
@click.option("--description", metavar="TEXT", default="made on the command line", help="who or what uses it")
@click.option("--expires", metavar="DATE", help="from when on the key is refused: 2027-01-31, or a moment")
@click.option("--read-only", "is_read_only", is_flag=True, help="the key may only read")
@json_option
def key_create(
    database: str | None, environment: str | None, description: str, expires: str | None, is_read_only: bool, is_plain: bool
) -> None:
    """Make an API key; a running server knows it at once."""
    from planwerk.commands.api_keys import make_key

    made = make_key(settings_with(database=database), environment, description, expires, is_read_only=is_read_only)
    show(made, is_plain=is_plain, words=ONCE)


@key.command("list")
@database_option
@environment_option
@json_option
def key_list(database: str | None, environment: str | None, is_plain: bool) -> None:
    """Show the API keys of an environment; not the keys themselves, which are stored nowhere."""
    from planwerk.commands.api_keys import list_keys

    show(list_keys(settings_with(database=database), environment), is_plain=is_plain)


@key.command("revoke")
@click.argument("id")
@database_option
@environment_option
@json_option
def key_revoke(id: str, database: str | None, environment: str | None, is_plain: bool) -> None:
    """End an API key, named by its id; a running server refuses it at once."""
    from planwerk.commands.api_keys import revoke_key

    show(revoke_key(settings_with(database=database), environment, id), is_plain=is_plain)


@click.group()
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


@user.command("invite")
@database_option
@environment_option
@click.option("--email", metavar="E", required=True)
@click.option("--role", metavar="R", required=True, type=click.Choice(("admin", "manager", "organiser", "member", "guest")))
@json_option
def user_invite(database: str | None, environment: str | None, email: str, role: str, is_plain: bool) -> None:
    """Invite somebody, or once more; the link is mailed, or printed where no mail is sent."""
    from planwerk.commands.people import invite

    show(invite(settings_with(database=database), environment, email, role), is_plain=is_plain)


@user.command("reset")
@database_option
@environment_option
@click.option("--email", metavar="E", required=True)
@json_option
def user_reset(database: str | None, environment: str | None, email: str, is_plain: bool) -> None:
    """Let a user set a new password; the link is mailed, or printed where no mail is sent."""
    from planwerk.commands.people import reset

    show(reset(settings_with(database=database), environment, email), is_plain=is_plain)


@user.command("factor-off")
@database_option
@environment_option
@click.option("--email", metavar="E", required=True)
@json_option
def user_factor_off(database: str | None, environment: str | None, email: str, is_plain: bool) -> None:
    """Turn off the second factor of a user who has lost it."""
    from planwerk.commands.people import factor_off

    show(factor_off(settings_with(database=database), environment, email), is_plain=is_plain)


@user.command("list")
@database_option
@environment_option
@json_option
def user_list(database: str | None, environment: str | None, is_plain: bool) -> None:
    """Show all users of an environment."""
    from planwerk.commands.people import users

    show(users(settings_with(database=database), environment), is_plain=is_plain)


@user.command("archive")
@database_option
@environment_option
@click.option("--email", metavar="E", required=True)
@json_option
def user_archive(database: str | None, environment: str | None, email: str, is_plain: bool) -> None:
    """Log a user out everywhere, and let nobody log in as that user."""
    from planwerk.commands.people import archive

    show(archive(settings_with(database=database), environment, email), is_plain=is_plain)


@click.group()
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
@click.option("--no-pkce", "skips_pkce", is_flag=True, help="the app keeps a secret, but cannot do PKCE")
@json_option
def app_create(
    database: str | None,
    environment: str | None,
    name: str,
    redirect_uris: tuple[str, ...],
    is_public: bool,
    skips_pkce: bool,
    is_plain: bool,
) -> None:
    """Register an app."""
    from planwerk.commands.apps import make_app

    settings = settings_with(database=database)
    made = make_app(settings, environment, name, redirect_uris, is_public=is_public, require_pkce=not skips_pkce)
    show(made, is_plain=is_plain, words="" if is_public else ONCE)


@app.command("list")
@database_option
@environment_option
@json_option
def app_list(database: str | None, environment: str | None, is_plain: bool) -> None:
    """Show the apps that are registered in an environment."""
    from planwerk.commands.apps import list_apps

    show(list_apps(settings_with(database=database), environment), is_plain=is_plain)


@app.command("rotate")
@click.argument("client_id")
@database_option
@environment_option
@json_option
def app_rotate(client_id: str, database: str | None, environment: str | None, is_plain: bool) -> None:
    """Give an app a new secret; the old one ends at once, users stay connected."""
    from planwerk.commands.apps import rotate_secret

    show(rotate_secret(settings_with(database=database), environment, client_id), is_plain=is_plain, words=ONCE)


@app.command("delete")
@click.argument("client_id")
@database_option
@environment_option
@json_option
def app_delete(client_id: str, database: str | None, environment: str | None, is_plain: bool) -> None:
    """End an app and all its connections, in every environment."""
    from planwerk.commands.apps import delete_app

    show(delete_app(settings_with(database=database), environment, client_id), is_plain=is_plain)


@click.group()
def keys() -> None:
    """The server's own keys, which sign access tokens."""


@keys.command("rotate")
@database_option
@json_option
def keys_rotate(database: str | None, is_plain: bool) -> None:
    """Sign with a new key from now on; tokens that are out stay good."""
    from planwerk.commands.signing_keys import rotate

    show(rotate(settings_with(database=database)), is_plain=is_plain)


@keys.command("list")
@database_option
@json_option
def keys_list(database: str | None, is_plain: bool) -> None:
    """Show the keys that sign or still verify."""
    from planwerk.commands.signing_keys import signing_keys

    show(signing_keys(settings_with(database=database)), is_plain=is_plain)
