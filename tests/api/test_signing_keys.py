"""The keys of access tokens: one that is taken away proves nothing more, and one that was sealed with another secret file is replaced.

To see them fail: in identity/tokens.py read the keys for an unknown one only, forget nothing when one is gone, or remember without
looking at `claims.kid`; in identity/signing.py let `open_key` raise, or leave out `REMOVE`; in identity/totp.py let `unseal` raise.
"""

import dataclasses
import time
from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from tests.api.test_access_tokens import claims_of, token_of
from tests.client import Client, Loop
from tests.logging_in import browser_of, code_of, human, log_in, logged_in, with_factor
from tests.people import person
from tests.server import Server, conformity, running, scratch_database, settings_for

from planwerk.commands.doctor import PROBLEM, check_keys
from planwerk.errors import Refusal
from planwerk.identity.signing import ALGORITHM, list_keys, rotate_keys, signing_key
from planwerk.identity.tokens import KEYS_SECONDS, Tokens
from planwerk.store.migrations import newest
from planwerk.store.statements import Statement
from planwerk.store.transaction import Transaction

TAKE_AWAY = Statement("DELETE FROM signing_key WHERE retired_at IS NOT NULL", {})


class Clock:
    """The server's clock, which goes on when it is told to."""

    ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


def is_good(server: Server, tokens: Tokens, token: str) -> bool:
    try:
        server.loop.run(tokens.actor(token.encode()))
    except Refusal as refusal:
        return refusal.status != 401
    return True


def test_a_stolen_key_opens_nothing_a_minute_after_it_was_taken_away(server: Server) -> None:
    clock = Clock()
    tokens = Tokens(server.database, server.settings, clock)
    tenant = server.tenant()
    ann = person(server, tenant, "admin")
    genuine = token_of(ann.client)
    stolen = server.database.write_now(tenant.environment.id, signing_key)

    def forged(key: ECKey) -> str:
        made = int(clock())
        claims = {**claims_of(genuine), "iat": made, "exp": made + 299}
        return jwt.encode({"alg": ALGORITHM, "kid": key.kid, "typ": "JWT"}, claims, key, algorithms=[ALGORITHM])

    earlier = forged(stolen)
    assert all(is_good(server, tokens, token) for token in (genuine, earlier))

    def rotate(tx: Transaction) -> None:
        rotate_keys(tx)
        tx.run_named(TAKE_AWAY)

    server.database.write_now("", rotate)
    clock.ahead += KEYS_SECONDS + 1
    assert [is_good(server, tokens, token) for token in (genuine, earlier, forged(stolen))] == [False] * 3
    assert is_good(server, tokens, forged(server.database.write_now(tenant.environment.id, signing_key)))


def test_keys_are_not_read_for_every_request(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens, read = Tokens(server.database, server.settings), []
    token = token_of(person(server, server.tenant(), "admin").client)
    read_keys = tokens.read_keys

    async def counted() -> None:
        read.append(1)
        await read_keys()

    monkeypatch.setattr(tokens, "read_keys", counted)
    assert all(is_good(server, tokens, token) for _ in range(20))
    assert len(read) == 1


def session_token(server: Server, cookies: dict[str, str]) -> str:
    browser = browser_of(server)
    browser.cookies |= cookies
    page = browser.send("POST", "/session/token", headers={"x-requested-with": "planwerk"})
    assert page.status == 200, page.text
    token: str = page.answer.json["access_token"]
    return token


def status_of(server: Server, token: str) -> int:
    client = Client(server.app, server.loop, conformity(), {"authorization": f"Bearer {token}"})
    return client.ask("GET", "/v1/board").status


def test_with_another_secret_file_a_new_key_is_made_and_the_old_one_proves_nothing(backend: str, loop: Loop, tmp_path: Path) -> None:
    with scratch_database(backend, tmp_path) as url:
        before = settings_for(url, tmp_path)
        after = dataclasses.replace(before, secret_file=str(tmp_path / "another"))
        with running(loop, before) as server:
            server.database.run_script([f"INSERT INTO state (name, value) VALUES ('schema', '{newest()}')"])
            ann = human(server, server.tenant())
            secret, codes = with_factor(server, ann)
            cookies = logged_in(server, ann).cookies
            old = session_token(server, cookies)
            assert status_of(server, old) == 200
            server.database.write_now("", rotate_keys)
            session_token(server, cookies)
            assert list(check_keys(before, server.database)) == []
            missing = list(check_keys(after, server.database))
        with running(loop, after) as server:
            other = list(check_keys(after, server.database))
            assert [(finding.state, "another secret file" in finding.text) for finding in missing + other] == [(PROBLEM, True)] * 2
            new = session_token(server, cookies)
            assert (status_of(server, new), status_of(server, old)) == (200, 401)
            assert len(server.database.write_now("", list_keys)) == 1
            assert session_token(server, cookies)
            assert len(server.database.write_now("", list_keys)) == 1, "a key is made once"
            assert list(check_keys(after, server.database)) == []
            for code, status in ((code_of(secret), 403), (codes[0], 200)):
                log_in(browser := browser_of(server), ann.email)
                assert browser.submit("/login/code", code=code).status == status
