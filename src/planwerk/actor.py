"""Who asks: a value handed down from identity to every stage, never a global."""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple


class Role(IntEnum):
    """The API's five roles, ordered by what they may do."""

    GUEST = 1
    MEMBER = 2
    ORGANISER = 3
    MANAGER = 4
    ADMIN = 5


@dataclass(frozen=True, slots=True)
class Actor:
    """The caller of one request: its environment, how it proved itself, and what it may do.

    `kind` is the API's word for the holder of the credential: api-key, oauth, user or system. `resource_id` is set for a user
    who sees only the cards of that resource (the empty text for one who is linked to none yet). `quota` is what requests are
    counted against; None for a person at the board, whose requests are not.
    """

    environment_id: str
    kind: str
    credential_id: str
    role: Role = Role.ADMIN
    is_read_only: bool = False
    user_id: str | None = None
    resource_id: str | None = None
    quota: str | None = None


class View(NamedTuple):
    """What decides which statement shows a caller what it may see; the values of the caller are bound to it."""

    role: Role
    is_linked: bool  # it sees only what is linked to its resource


@dataclass(frozen=True, slots=True)
class Viewer:
    """A caller that may not see every row. Two that are equal see the same."""

    role: Role
    user_id: str
    resource_id: str | None

    @property
    def view(self) -> View:
        return View(self.role, self.resource_id is not None)

    @property
    def values(self) -> dict[str, str]:
        """What a statement binds that was made for the view."""
        return {"viewer_user": self.user_id, "viewer_resource": self.resource_id or ""}


def viewer_of(actor: Actor | None) -> Viewer | None:
    """The caller as the store narrows by it; None for one that sees everything: an admin, an API key, the server itself."""
    if actor is None or (actor.role is Role.ADMIN and actor.resource_id is None):
        return None
    return Viewer(actor.role, actor.user_id or "", actor.resource_id)
