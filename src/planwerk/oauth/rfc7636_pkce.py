"""PKCE (RFC 7636): the app shows with its code that it is the one that asked for it. Only the method S256 is taken.

Public apps must use it, others unless their registration says no. A verifier without a challenge is refused, so that nobody
takes the protection away on the way (RFC 9700, section 2.1.1).
"""

from typing import Any

from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError
from authlib.oauth2.rfc7636 import CodeChallenge

METHOD = "S256"
CHALLENGE_CHARACTERS = 43  # of a SHA-256 in base64url


class Pkce(CodeChallenge):  # type: ignore[misc]  # Authlib is untyped
    """Authlib's extension with `plain` taken out of it."""

    DEFAULT_CODE_CHALLENGE_METHOD = METHOD
    SUPPORTED_CODE_CHALLENGE_METHOD = [METHOD]

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        """Of the authorization request: refuses a challenge of another kind, and one that is missing though it is needed."""
        super().validate_code_challenge(grant, redirect_uri)
        parameters = grant.request.parameters
        challenge = parameters.get("code_challenge")
        if challenge is None and grant.request.client.requires_pkce:
            raise InvalidRequestError("this app needs PKCE: send code_challenge and code_challenge_method=S256")
        if challenge is not None and (parameters.get("code_challenge_method") != METHOD or len(challenge) != CHALLENGE_CHARACTERS):
            raise InvalidRequestError("send code_challenge_method=S256 and a code_challenge of 43 characters")

    def validate_code_verifier(self, grant: Any, result: Any) -> None:
        """Of the token request: refuses a verifier that is wrong, missing, or not expected."""
        super().validate_code_verifier(grant, result)
        if grant.request.client.requires_pkce and not grant.request.authorization_code.code_challenge:
            raise InvalidGrantError("this app needs PKCE, and the code was asked for without it")

    def get_authorization_code_challenge_method(self, _: Any) -> str:
        return METHOD
