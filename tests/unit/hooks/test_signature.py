"""Messages are signed as Standard Webhooks 1.0.0 says: its own library takes the good ones and no others.

To see it fail: sign the body without the id or the timestamp, or put a comma between two signatures.
"""

import base64
import hashlib
import hmac
import re
import time
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from planwerk.hooks.signature import PREFIX, headers_of, new_secret

BODY = '{"event":"card.created","data":{"new":{"name":"Tür ✓"}}}'.encode()
ID = "0198c0de-0000-4000-8000-000000000001"


def now() -> int:
    return int(time.time())


def takes(secret: str, body: bytes, headers: dict[str, str]) -> bool:
    try:
        Webhook(secret).verify(body, headers)
    except WebhookVerificationError:
        return False
    return True


def test_a_secret_has_32_random_bytes_and_the_prefix() -> None:
    made = {new_secret() for _ in range(100)}
    assert len(made) == 100
    assert all(secret.startswith(PREFIX) and len(base64.b64decode(secret[len(PREFIX) :], validate=True)) == 32 for secret in made)


def test_a_message_is_taken_as_it_was_sent() -> None:
    secret = new_secret()
    headers = headers_of(ID, now(), BODY, [secret])
    assert sorted(headers) == ["webhook-id", "webhook-signature", "webhook-timestamp"]
    assert takes(secret, BODY, headers)


@pytest.mark.parametrize("place", range(len(BODY)))
def test_a_message_with_one_other_byte_is_refused(place: int) -> None:
    secret = new_secret()
    changed = bytes([*BODY[:place], BODY[place] ^ 1, *BODY[place + 1 :]])
    headers = headers_of(ID, now(), BODY, [secret])
    try:
        assert not takes(secret, changed, headers)
    except UnicodeDecodeError:
        pass  # no text any more, so no message either


@pytest.mark.parametrize("changed", [{"webhook-id": "another"}, {"webhook-timestamp": str(now() - 1)}, {"webhook-signature": "v1,AAAA"}])
def test_a_message_with_another_header_is_refused(changed: dict[str, str]) -> None:
    secret = new_secret()
    assert not takes(secret, BODY, {**headers_of(ID, now(), BODY, [secret]), **changed})


@pytest.mark.parametrize(("age", "is_taken"), [(0, True), (290, True), (310, False), (-310, False), (86_400, False)])
def test_a_message_is_good_for_five_minutes(age: int, is_taken: bool) -> None:
    secret = new_secret()
    assert takes(secret, BODY, headers_of(ID, now() - age, BODY, [secret])) is is_taken


def test_either_of_two_secrets_takes_a_message_and_a_third_does_not() -> None:
    new, old, other = new_secret(), new_secret(), new_secret()
    headers = headers_of(ID, now(), BODY, [new, old])
    assert [takes(secret, BODY, headers) for secret in (new, old, other)] == [True, True, False]
    assert headers["webhook-signature"].count("v1,") == 2


def test_an_empty_body_can_be_signed() -> None:
    secret = new_secret()
    headers = headers_of(ID, now(), b"", [secret])
    Webhook(secret).verify(b"", headers, json_parse=False)


@pytest.mark.parametrize(("body", "is_ours"), [(BODY, True), (BODY + b" ", False)])
def test_the_example_without_a_library_does_what_the_page_says(body: bytes, is_ours: bool) -> None:
    page = (Path(__file__).parents[3] / "docs" / "webhooks.md").read_text(encoding="utf-8")
    found = re.search(r"Without a library.*?```python\n(.*?)```", page, re.DOTALL)
    assert found is not None
    secret, other = new_secret(), new_secret()
    headers = headers_of(ID, now(), BODY, [other, secret])
    known: dict[str, Any] = {"base64": base64, "hashlib": hashlib, "hmac": hmac, "secret": secret, "body": body, "headers": headers}
    exec(found[1], known)
    assert known["is_ours"] is is_ours
