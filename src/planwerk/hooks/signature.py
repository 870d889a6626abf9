"""Standard Webhooks 1.0.0: the headers by which a receiver knows who sent a message and that nobody changed it.

Comes in: the id of the message, the moment of the attempt, the body, the secrets that are valid now. Goes out: headers.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable

PREFIX = "whsec_"
SECRET_BYTES = 32  # 24 to 64 are allowed


def new_secret() -> str:
    """A secret for one webhook, as the standard writes it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def headers_of(id: str, timestamp: int, body: bytes, valid: Iterable[str]) -> dict[str, str]:
    """webhook-id, webhook-timestamp (seconds since 1970) and webhook-signature, one signature for each valid secret."""
    signatures = " ".join(f"v1,{signature(secret, id, timestamp, body)}" for secret in valid)
    return {"webhook-id": id, "webhook-timestamp": str(timestamp), "webhook-signature": signatures}


def signature(secret: str, id: str, timestamp: int, body: bytes) -> str:
    """HMAC-SHA256 over `id.timestamp.body`, in base64.

    >>> signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    'g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return base64.b64encode(hmac.new(key, f"{id}.{timestamp}.".encode() + body, hashlib.sha256).digest()).decode()
