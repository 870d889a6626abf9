"""The second factor: codes of six digits that change every 30 seconds (RFC 6238), and recovery codes for a lost device.

Comes in: a transaction, a user's row, what the person typed. Goes out: whether it counts, which it does once. The secret is
sealed in the database, recovery codes are hashed there. Nothing here counts failures; whoever asks for a code does.
"""

import datetime as dt
import hashlib
import hmac
import secrets

import orjson
import pyotp

from planwerk.errors import CONFLICT, refuse
from planwerk.secret import seal, secret_of, unseal
from planwerk.store.statements import Statement
from planwerk.store.transaction import Row, Transaction

PURPOSE = "second factor"
STEP_SECONDS = 30
RECOVERY_CODES = 10
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # without letters and digits that look alike

# the winner of a code is whoever moves the step; a code of an earlier step than the last one is late and counts no more
TAKE = Statement(
    'UPDATE "user" SET totp_step = {step} WHERE environment_id = {environment} AND id = {id} AND deleted_at IS NULL'
    " AND totp_secret = {sealed} AND (totp_step IS NULL OR totp_step < {step}) RETURNING id",
    {},
)


def propose(tx: Transaction, user: Row) -> str:
    """A new secret in base 32, which counts once `confirm` has seen a code of it; refuses with 409 if another counts already."""
    if user["mfa_enabled"]:
        raise refuse(CONFLICT, "the second factor is on already; turn it off first")
    secret = pyotp.random_base32()
    values = {"totp_secret": seal(secret_of(tx.settings), PURPOSE, secret), "totp_step": None}
    tx.update(tx.object("user"), user, values)
    return secret


def confirm(tx: Transaction, user: Row, code: str) -> list[str]:
    """Ten recovery codes, once a code proves that the person has the secret; from now on logins ask for one.

    Empty if the code is wrong, or there is no secret that waits to be confirmed.
    """
    if user["mfa_enabled"] or not take_step(tx, user, code):
        return []
    codes = [new_recovery_code() for _ in range(RECOVERY_CODES)]
    hashes = orjson.dumps([recovery_hash(code) for code in codes]).decode()
    tx.update(tx.object("user"), user, {"mfa_enabled": True, "recovery_hashes": hashes})
    return codes


def take_code(tx: Transaction, user: Row, code: str) -> bool:
    """Whether a code of the device or a recovery code is right; it is used up then, and only one of several at once gets it."""
    return bool(user["mfa_enabled"]) and (take_step(tx, user, code) or take_recovery_code(tx, user, code))


def take_step(tx: Transaction, user: Row, code: str) -> bool:
    if not user["totp_secret"]:
        return False
    try:
        secret = unseal(secret_of(tx.settings), PURPOSE, user["totp_secret"])
    except ValueError:  # sealed with another secret file: recovery codes still open
        return False
    step = step_of(secret, code, dt.datetime.fromisoformat(tx.now).timestamp())
    return step is not None and bool(tx.run_named(TAKE, id=user["id"], step=step, sealed=user["totp_secret"]))


def step_of(secret: str, code: str, at: float) -> int | None:
    """The time step that a code belongs to, if that is the one at `at` (seconds since 1970) or one beside it.

    >>> step_of("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "287 082", 59), step_of("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "287082", 120)
    (1, None)
    """
    totp, now, typed = pyotp.TOTP(secret), int(at) // STEP_SECONDS, code.replace(" ", "").encode()
    fitting = [step for step in (now - 1, now, now + 1) if hmac.compare_digest(totp.generate_otp(step).encode(), typed)]
    return fitting[-1] if fitting else None


def take_recovery_code(tx: Transaction, user: Row, code: str) -> bool:
    """The row must have been read by `tx.get`, which locks it: two at once see each other's use."""
    hashes, wanted = orjson.loads(user["recovery_hashes"] or "[]"), recovery_hash(code)
    if wanted not in hashes:
        return False
    left = orjson.dumps([item for item in hashes if item != wanted]).decode()
    tx.update(tx.object("user"), user, {"recovery_hashes": left})
    return True


def new_recovery_code() -> str:
    """A random code of 79 bits that can be read out and typed."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(4))


def recovery_hash(code: str) -> str:
    """What is stored of a recovery code; spaces, dashes and capitals do not count.

    >>> recovery_hash("ABCD efgh-jkmn-pqrs") == recovery_hash("abcd-efgh-jkmn-pqrs")
    True
    """
    plain = code.lower().replace("-", "").replace(" ", "")
    return hashlib.sha256(f"recovery code {plain}".encode()).hexdigest()


def provisioning_address(secret: str, account: str, environment: str) -> str:
    """The otpauth:// address that an authenticator app reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=f"Planwerk {environment}")
