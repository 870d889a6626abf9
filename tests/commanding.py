"""Commands run in this process, and a look at what they did to the database of the working folder."""

from collections.abc import Callable
from typing import Any

from click.testing import Result

from planwerk.commands.opened import opened
from planwerk.settings import Settings

Command = Callable[..., Result]  # the words of a command; `given` is its standard input


def rows(text: str) -> list[Any]:
    with opened(Settings()) as database:
        return list(database.query(text))
