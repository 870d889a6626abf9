"""Headers → Actor: by bearer token, or by API key. If both are sent, the bearer token counts."""

from collections.abc import Mapping

from planwerk.actor import Actor
from planwerk.identity.api_keys import ApiKeys
from planwerk.identity.tokens import Tokens

SCHEME = b"bearer "


class Callers:
    """Finds who asks."""

    def __init__(self, keys: ApiKeys, tokens: Tokens) -> None:
        self.keys = keys
        self.tokens = tokens

    async def actor(self, headers: Mapping[bytes, bytes]) -> Actor:
        """The caller; refuses with 401 when nothing proves one. Another scheme than Bearer in Authorization does not count."""
        authorization = headers.get(b"authorization", b"")
        if authorization[:7].lower() == SCHEME:
            return await self.tokens.actor(authorization[7:].strip())
        return await self.keys.actor(headers)

    def forget(self, headers: Mapping[bytes, bytes]) -> None:
        """Ask the next time whether the caller still is one, also if that was found out just now."""
        authorization = headers.get(b"authorization", b"")
        if authorization[:7].lower() == SCHEME:
            self.tokens.forget(authorization[7:].strip())
        else:
            self.keys.forget(headers)
