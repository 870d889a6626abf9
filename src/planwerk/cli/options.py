"""What the commands share: how failures are said, how settings are read, how results are printed, common options."""

import json
import tomllib
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
