"""The keys that sign access tokens, on the command line. A private part is never shown."""

from typing import Any

from planwerk.commands import Impossible
from planwerk.commands.opened import existing
from planwerk.identity.signing import list_keys, rotate_keys
from planwerk.settings import Settings


def rotate(settings: Settings) -> dict[str, Any]:
    """A new key signs from now on; what the old ones have signed is good until it expires."""
    with existing(settings) as database:
        try:
            return {"id": database.write_now("", rotate_keys)}
        except ValueError as error:
            raise Impossible(str(error)) from None


def signing_keys(settings: Settings) -> list[dict[str, Any]]:
    """Every key that signs or still verifies, the oldest first."""
    with existing(settings) as database:
        return database.write_now("", list_keys)
