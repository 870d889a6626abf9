"""A provider, or whoever stands in its place, that does not keep to the rules: each login is refused and nothing is written.

To see these fail: in identity/openid.py leave out a claim of `options`; in identity/openid_discovery.py let `is_private_way` return True,
or take keys of the kind oct while HS256 is among the `ALGORITHMS`; in identity/openid_wire.py follow redirects, or read without a limit.
"""

import base64
import gzip
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from joserfc import jwt
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey
from joserfc.jws import serialize_compact
from tests.client import Loop
from tests.web.openid_provider import CLIENT, SECRET, OpenIdProvider, Reply, new_key, providing, signed
from tests.web.single_sign_on import EVA, Company, company, database_url, found_company, founding, provider, refuses

from planwerk.identity import openid_wire
from planwerk.identity.openid import Provider, new_attempt
from planwerk.identity.openid_discovery import REMEMBERED_SECONDS
from planwerk.identity.openid_wire import NoLogin

__all__ = ["company", "database_url", "found_company", "provider"]

PATHS = ("/.well-known/openid-configuration", "/jwks", "/token")


@pytest.fixture(scope="module")
def lasting_company(database_url: str, loop: Loop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    with providing() as provider, founding(database_url, loop, tmp_path_factory.mktemp("lasting"), provider) as found:
        yield found(oidc_default_role="member")


@pytest.fixture
def deceived(lasting_company: Company) -> Company:
    """A company whose provider is honest again after each test, for what is not remembered between logins."""
    lasting_company.provider.spoil, lasting_company.provider.sign = {}, None
    return lasting_company


# ── tokens ──


def encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


NOW = int(time.time())
SPOILT: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://evil.example"},
    "no issuer": {"iss": None},
    "an issuer as a list": {"iss": ["http://127.0.0.1"]},
    "another audience": {"aud": "another app"},
    "no audience": {"aud": None},
    "an empty audience": {"aud": []},
    "several audiences and nobody it was issued to": {"aud": [CLIENT, "another app"]},
    "several audiences and another it was issued to": {"aud": [CLIENT, "another app"], "azp": "another app"},
    "issued to another": {"azp": "another app"},
    "another nonce": {"nonce": "guessed"},
    "no nonce": {"nonce": None},
    "expired": {"exp": NOW - 61},
    "no end": {"exp": None},
    "an end that is no number": {"exp": "never"},
    "issued tomorrow": {"iat": NOW + 86_400},
    "no beginning": {"iat": None},
    "not valid yet": {"nbf": NOW + 86_400},
    "the hash of another access token": {"at_hash": encoded(bytes(16))},
    "nobody": {"sub": None},
    "an empty name": {"sub": ""},
    "a name that is no text": {"sub": 7},
    "a name that is too long": {"sub": "s" * 256},
    "a name that no database holds": {"sub": "s\x00"},
    "half a character for a name": {"sub": "\ud800"},
    "an address that no database holds": {"email": "eva\ud800@example.com"},
}


@pytest.mark.parametrize("spoilt", SPOILT)
def test_a_token_with_wrong_claims_is_refused(deceived: Company, spoilt: str) -> None:
    deceived.provider.spoil = SPOILT[spoilt]
    before = deceived.written()
    assert refuses(deceived, deceived.log_in(), before)


def test_a_token_for_several_audiences_that_was_issued_to_us_is_good(deceived: Company) -> None:
    deceived.provider.spoil = {"aud": [CLIENT, "another app"], "azp": CLIENT}
    browser = deceived.browser()
    deceived.log_in(browser)
    assert deceived.visitor(browser) is not None


def plain(value: Any) -> str:
    return encoded(json.dumps(value).encode())


def without_signature(claims: dict[str, Any]) -> str:
    return f"{plain({'alg': 'none'})}.{plain(claims)}."


def with_secret(secret: bytes, claims: dict[str, Any]) -> str:
    """What whoever knows the secret can make; libraries refuse to make it from some of these."""
    text = f"{plain({'alg': 'HS256', 'kid': 'first'})}.{plain(claims)}"
    return f"{text}.{encoded(hmac.digest(secret, text.encode(), 'sha256'))}"


def pem_of(key: Key) -> bytes:
    return ECKey.import_key(key.as_dict(private=False)).as_pem(private=False)


def with_changed_claims(provider: OpenIdProvider, claims: dict[str, Any]) -> str:
    header, _, signature = signed(claims, provider.key).split(".")
    return f"{header}.{plain({**claims, 'email': 'boss@example.com'})}.{signature}"


SIGNED: dict[str, Callable[[OpenIdProvider, dict[str, Any]], str]] = {
    "without a signature": lambda _, claims: without_signature(claims),
    "with the client's secret": lambda _, claims: with_secret(SECRET.encode(), claims),
    "with the public key as a secret": lambda provider, claims: with_secret(pem_of(provider.key), claims),
    "by another key of that name": lambda _, claims: signed(claims, new_key()),
    "by a key nobody knows": lambda _, claims: signed(claims, new_key("unknown")),
    "by a key that it brings along": lambda _, claims: signed(claims, key := new_key("own"), jwk=key.as_dict(private=False)),
    "by the right key, for other claims": with_changed_claims,
    "what is no token": lambda *_: "guessed",
    "an empty token": lambda *_: "",
    "what nests too deep": lambda *_: f"{encoded(b'[' * 5000)}.{plain({})}.{plain({})}",
    "claims that nest too deep": lambda provider, _: serialize_compact({"alg": "ES256", "kid": "first"}, b"[" * 5000, provider.key),
    "with what must be understood": lambda provider, claims: (
        f"{plain({'alg': 'ES256', 'kid': 'first', 'crit': ['b64'], 'b64': False})}.{signed(claims, provider.key).partition('.')[2]}"
    ),
}


@pytest.mark.parametrize("way", SIGNED)
def test_a_token_that_the_provider_did_not_sign_is_refused(deceived: Company, way: str) -> None:
    deceived.provider.sign = lambda claims: SIGNED[way](deceived.provider, claims)
    before = deceived.written()
    assert refuses(deceived, deceived.log_in(), before)


def test_a_shared_secret_among_the_public_keys_signs_nothing(company: Company) -> None:
    secret = OctKey.import_key("s" * 40, {"kid": "shared"})
    company.provider.published = [secret.as_dict(private=True), company.provider.key.as_dict(private=False)]
    company.provider.sign = lambda claims: signed(claims, secret, "HS256")
    before = company.written()
    assert refuses(company, company.log_in(), before)


def test_a_key_for_encryption_signs_nothing(company: Company) -> None:
    company.provider.published = [{**company.provider.key.as_dict(private=False), "use": "enc"}]
    before = company.written()
    assert refuses(company, company.log_in(), before)


def test_a_token_that_names_no_key_is_judged_by_the_only_one_that_signs(company: Company) -> None:
    public = company.provider.key.as_dict(private=False)
    company.provider.published = [new_key("other").as_dict(private=False) | {"use": "enc"}, public]
    company.provider.sign = lambda claims: jwt.encode({"alg": "ES256"}, claims, company.provider.key)
    browser = company.browser()
    company.log_in(browser)
    assert company.visitor(browser) is not None
    company.provider.published += [new_key("third").as_dict(private=False)]
    before = company.written()
    assert refuses(company, company.log_in(), before)


KEYS: dict[str, Callable[[], Key]] = {
    "RS256": lambda: RSAKey.generate_key(2048, {"kid": "k"}),
    "PS256": lambda: RSAKey.generate_key(2048, {"kid": "k"}),
    "ES256": lambda: ECKey.generate_key("P-256", {"kid": "k"}),
    "Ed25519": lambda: OKPKey.generate_key("Ed25519", {"kid": "k"}),
    "EdDSA": lambda: OKPKey.generate_key("Ed25519", {"kid": "k"}),
}


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("algorithm", KEYS)
def test_each_algorithm_with_public_keys_is_understood(company: Company, algorithm: str) -> None:
    company.provider.key = KEYS[algorithm]()
    company.provider.sign = lambda claims: signed(claims, company.provider.key, algorithm)
    company.provider.spoil = {"at_hash": None}
    company.provider.published = [{"kty": "AKP", "kid": "new"}, {"kty": "RSA"}, 5, company.provider.key.as_dict(private=False)]
    browser = company.browser()
    company.log_in(browser)
    assert company.visitor(browser) is not None


# ── answers ──


def changed(status: int = 200, change: Callable[[bytes], bytes] = bytes, **headers: str) -> Callable[[Reply], Reply]:
    """What makes a right answer a bad one."""

    def spoil(right: Reply) -> Reply:
        assert isinstance(right[2], bytes)
        return status, {**right[1], **{name.replace("_", "-"): value for name, value in headers.items()}}, change(right[2])

    return spoil


BAD_ANSWERS: dict[str, Callable[[Reply], Reply]] = {
    "a redirect": changed(302, location="/elsewhere"),
    "a redirect that keeps the method": changed(307, location="/elsewhere"),
    "an error": changed(400),
    "a broken server": changed(500),
    "more than a mebibyte": changed(change=lambda body: body + b" " * openid_wire.ANSWER_BYTES),
    "a packed answer": changed(change=gzip.compress, content_encoding="gzip"),
    "no JSON": changed(change=lambda body: body + b"}"),
    "no object": changed(change=lambda body: b"[" + body + b"]"),
    "an empty object": changed(change=lambda _: b"{}"),
    "nothing": changed(change=lambda _: b""),
    "less than it says": changed(content_length="99999"),
}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("bad", BAD_ANSWERS)
def test_a_bad_answer_is_refused(company: Company, path: str, bad: str) -> None:
    company.provider.answers[path] = BAD_ANSWERS[bad]
    before = company.written()
    assert refuses(company, company.log_in(), before)
    assert "/elsewhere" not in company.provider.asked


@pytest.mark.parametrize("token", ["é", "a\r\nb: c"])
def test_an_access_token_that_no_header_can_hold_asks_for_nothing(company: Company, token: str) -> None:
    company.provider.access_token, company.provider.userinfo = token, EVA
    before = company.written()
    assert refuses(company, company.log_in(email=None), before)


@pytest.mark.parametrize("path", PATHS)
def test_an_answer_that_trickles_in_is_not_waited_for(company: Company, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openid_wire, "WHOLE_SECONDS", 0.5)
    end = threading.Event()

    def slowly(body: bytes) -> Iterator[bytes]:
        for _ in range(100):  # within five seconds in all, and never half a second without a byte
            end.wait(0.05)
            yield b" "
        yield body

    def trickle(right: Reply) -> Reply:
        assert isinstance(right[2], bytes)
        return 200, {"content-length": str(100 + len(right[2]))}, slowly(right[2])

    company.provider.answers[path] = trickle
    before = company.written()
    assert refuses(company, company.log_in(), before)
    end.set()


def test_nothing_is_locked_while_the_provider_is_asked(company: Company) -> None:
    """A write of somebody else ends while a login waits for the provider."""
    written = threading.Event()

    def write(right: Reply) -> Reply:
        company.add_user("somebody@example.com")
        written.set()
        return right

    company.provider.answers["/token"] = write
    browser = company.browser()
    company.log_in(browser)
    assert written.is_set()
    assert company.visitor(browser) is not None


DOCUMENTS: dict[str, dict[str, Any]] = {
    "another issuer": {"issuer": "https://evil.example"},
    "the issuer with a slash": {"issuer": "{issuer}/"},
    "no token endpoint": {"token_endpoint": None},
    "a page that is not private": {"authorization_endpoint": "http://id.example/authorize"},
    "a script for a page": {"authorization_endpoint": "javascript:alert(1)"},
    "keys that are not private": {"jwks_uri": "http://id.example/jwks"},
    "claims that are not private": {"userinfo_endpoint": "http://id.example/userinfo"},
    "an address that is none": {"token_endpoint": "https://[::1"},
    "a number for an address": {"token_endpoint": 5},
}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_that_leads_elsewhere_is_refused(company: Company, document: str) -> None:
    issuer = company.provider.issuer
    company.provider.metadata = {n: v.replace("{issuer}", issuer) if isinstance(v, str) else v for n, v in DOCUMENTS[document].items()}
    before = company.written()
    assert refuses(company, company.log_in(), before)


def test_a_provider_that_is_not_there_is_told_in_the_log(found_company: Callable[..., Company]) -> None:
    company = found_company(oidc_issuer="http://127.0.0.1:1", oidc_default_role="guest")
    before = company.written()
    with structlog.testing.capture_logs() as lines:
        assert refuses(company, company.browser().open("/login/sso"), before)
    assert lines[0]["reason"] == "http://127.0.0.1:1/.well-known/openid-configuration did not answer: ConnectError"


# ── what is remembered ──


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(company: Company, clock: Clock) -> Provider:
    return Provider(company.server.settings, clock)


def claims_of(company: Company, client: Provider) -> dict[str, Any]:
    """A whole login, without a browser."""
    attempt = new_attempt("/account", client.clock())
    loop = company.server.loop
    callback = company.provider.approve(loop.run(client.address(attempt)), **EVA)
    code = company.provider.told[-1]
    assert code in callback
    return loop.run(client.claims(attempt, {"state": attempt.state, "code": code}, lambda _: True))


def test_document_and_keys_are_read_again_after_an_hour(company: Company, client: Provider, clock: Clock) -> None:
    for _ in range(3):
        assert claims_of(company, client)["sub"] == "s-1"
    assert [company.provider.asked.count(path) for path in PATHS] == [1, 1, 3]
    company.provider.spoil = {"exp": NOW + 10 * REMEMBERED_SECONDS}
    clock.now += REMEMBERED_SECONDS
    claims_of(company, client)
    assert [company.provider.asked.count(path) for path in PATHS] == [2, 2, 4]


def test_a_new_key_is_read_when_it_is_needed_and_the_old_one_is_forgotten(company: Company, client: Provider) -> None:
    claims_of(company, client)
    old, company.provider.key = company.provider.key, new_key("second")
    assert claims_of(company, client)["sub"] == "s-1"
    company.provider.sign = lambda claims: signed(claims, old)
    with pytest.raises(NoLogin, match="ID token"):
        claims_of(company, client)


def test_a_provider_that_fails_is_left_alone_for_a_few_seconds(company: Company, client: Provider, clock: Clock) -> None:
    company.provider.answers[PATHS[0]] = changed(503)
    for _ in range(3):
        with pytest.raises(NoLogin):
            claims_of(company, client)
    assert company.provider.asked.count(PATHS[0]) == 1
    company.provider.answers.clear()
    clock.now += 5
    assert claims_of(company, client)["sub"] == "s-1"
