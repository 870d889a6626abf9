"""Who asks: a value handed down from identity to every stage, never a global."""

from dataclasses import dataclass
from enum import IntEnum


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

    `kind` is the API's word for the holder of the credential: api-key, oauth, user or system.
    """

    environment_id: str
    kind: str
    credential_id: str
    role: Role = Role.ADMIN
    is_read_only: bool = False
    user_id: str | None = None
