"""Idempotency keys: the first answer to a POST is kept for 24 hours in the transaction that made it, and given again.

A claim is inserted before the work begins, so that of two requests at once the second waits for the first and then finds
its answer; a refused request leaves no claim behind. (Draft idempotency-key-header of the IETF; an extension of the API.)
"""

from dataclasses import dataclass

from planwerk.errors import VALIDATION_FAILED, refuse
from planwerk.store.statements import Statement
from planwerk.store.transaction import Transaction

HOURS = 24

# fmt: off
CLAIM = Statement(
    "INSERT INTO idempotency (environment_id, credential_id, request, body_hash, status, answer, created_at)"
    " VALUES ({environment}, {credential}, {request}, {hash}, 0, '', {now}) ON CONFLICT DO NOTHING RETURNING 1", {})
FIND = Statement(
    "SELECT body_hash, status, answer FROM idempotency"
    " WHERE environment_id = {environment} AND credential_id = {credential} AND request = {request}", {})
KEEP = Statement(
    "UPDATE idempotency SET status = {status}, answer = {answer}"
    " WHERE environment_id = {environment} AND credential_id = {credential} AND request = {request}", {})
EXPIRE = Statement(
    "DELETE FROM idempotency WHERE environment_id = {environment} AND credential_id = {credential} AND request = {request}"
    " AND created_at < {before}", {})
# fmt: on


@dataclass(frozen=True, slots=True)
class Claim:
    """One use of a key: whose, for which method and path, and the hash of the body."""

    credential_id: str
    request: str
    body_hash: str


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """The answer that the first request got."""

    status: int
    etag: str
    body: bytes


def claim_request(tx: Transaction, claim: Claim) -> FirstAnswer | None:
    """None if the request is the first; else its answer. The same key with another body is refused with 422."""
    named = {"credential": claim.credential_id, "request": claim.request}
    tx.run_named(EXPIRE, before=tx.ago(hours=HOURS), **named)
    if tx.run_named(CLAIM, hash=claim.body_hash, now=tx.now, **named):
        return None
    body_hash, status, answer = tx.run_named(FIND, **named)[0]
    if body_hash != claim.body_hash:
        raise refuse(VALIDATION_FAILED, "this Idempotency-Key was used with another body before", "Idempotency-Key")
    etag, _, body = answer.partition("\n")
    return FirstAnswer(status, etag, body.encode())


def keep_answer(tx: Transaction, claim: Claim, answer: FirstAnswer) -> None:
    tx.run_named(
        KEEP,
        credential=claim.credential_id,
        request=claim.request,
        status=answer.status,
        answer=f"{answer.etag}\n{answer.body.decode()}",
    )
