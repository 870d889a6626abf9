"""Links that open something once, for who holds them: `/invite/…` and `/reset/…`.

Such a link names an invitation and is signed by the server, so nothing of it is stored: it is made where it is shown or sent.
"""

import base64
import binascii
from uuid import UUID

from planwerk.secret import is_signed, secret_of, sign
from planwerk.settings import Settings, public_url

PURPOSE = "invitation"
TOKEN_CHARACTERS = 86  # two ids and a signature, 64 bytes


def link_to(settings: Settings, environment_id: str, invitation_id: str, purpose: str) -> str:
    """The whole address of an invitation; `purpose` is `invite` or `reset`."""
    return f"{public_url(settings)}/{purpose}/{link_token(secret_of(settings), environment_id, invitation_id)}"


def link_token(secret: bytes, environment_id: str, invitation_id: str) -> str:
    """The last part of a link: 86 characters that are safe in an address."""
    signature = bytes.fromhex(sign(secret, PURPOSE, f"{environment_id} {invitation_id}"))
    return base64.urlsafe_b64encode(UUID(environment_id).bytes + UUID(invitation_id).bytes + signature).decode().rstrip("=")


def read_token(secret: bytes, token: str) -> tuple[str, str] | None:
    """(environment, invitation) of a token that this server has made; None for any other text.

    >>> token = link_token(b"k" * 32, "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002")
    >>> read_token(b"k" * 32, token)
    ('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002')
    >>> read_token(b"K" * 32, token), read_token(b"k" * 32, "é" * 86), read_token(b"k" * 32, "guess")
    (None, None, None)
    """
    if len(token) != TOKEN_CHARACTERS:
        return None
    try:
        content = base64.b64decode(f"{token}==", b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    environment_id, invitation_id = str(UUID(bytes=content[:16])), str(UUID(bytes=content[16:32]))
    is_ours = is_signed(secret, PURPOSE, f"{environment_id} {invitation_id}", content[32:].hex())
    return (environment_id, invitation_id) if is_ours else None
