"""A small OpenID provider on this machine for tests, honest unless it is told otherwise.

It judges what an honest one must judge: the client's secret, the redirect address, the code (once) and the PKCE verifier. A test
plays the person's part with `approve`. What it does wrong is set by `spoil` (claims), `sign` (the token) and `answers` (a path).
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field as attribute
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote_plus, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, Key

CLIENT, SECRET = "planwerk at work", "se:cret/+ü"  # what must be encoded is in both
Reply = tuple[int, dict[str, str], bytes | Iterator[bytes]]


def json_reply(value: Any, status: int = 200) -> Reply:
    return status, {"content-type": "application/json"}, json.dumps(value).encode()


def new_key(kid: str = "first") -> Key:
    return ECKey.generate_key("P-256", {"kid": kid, "use": "sig", "alg": "ES256"})


@dataclass
class OpenIdProvider:
    """The provider. `asked` lists the paths that were asked for."""

    issuer: str = ""
    key: Key = attribute(default_factory=new_key)
    published: list[Any] | None = None  # the JWK set, if it is not just the key
    metadata: dict[str, Any] = attribute(default_factory=dict)
    spoil: dict[str, Any] = attribute(default_factory=dict)  # claims that replace the right ones; None leaves one out
    sign: Callable[[dict[str, Any]], str] | None = None
    userinfo: dict[str, Any] | None = None
    answers: dict[str, Callable[[Reply], Reply]] = attribute(default_factory=dict)  # what becomes of a right answer
    access_token: str = ""  # instead of a new one
    is_lax: bool = False  # codes work again and again
    codes: dict[str, dict[str, Any]] = attribute(default_factory=dict)
    asked: list[str] = attribute(default_factory=list)
    told: list[str] = attribute(default_factory=list)  # every code and token that was given out

    # ── the person's part ──

    def approve(self, address: str, **claims: Any) -> str:
        """Where the provider sends the browser that came to `address`, once the person of the claims has logged in there."""
        asked = dict(parse_qsl(urlsplit(address).query, strict_parsing=True))
        assert address.startswith(f"{self.issuer}/authorize?"), address
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(16)
        self.told.append(code)
        self.codes[code] = {**asked, "claims": claims}
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    # ── what it answers ──

    def answer(self, method: str, path: str, authorization: str, body: bytes) -> Reply:
        self.asked.append(path)
        right = self.right_answer(method, path, authorization, body)
        return self.answers[path](right) if path in self.answers else right

    def right_answer(self, method: str, path: str, authorization: str, body: bytes) -> Reply:
        if path == "/.well-known/openid-configuration":
            return json_reply(self.document())
        if path == "/jwks":
            return json_reply({"keys": [self.key.as_dict(private=False)] if self.published is None else self.published})
        if path == "/token" and method == "POST":
            return self.redeem(authorization, {name: values[0] for name, values in parse_qs(body.decode()).items()})
        if path == "/userinfo" and self.userinfo is not None and authorization.removeprefix("Bearer ") in self.told:
            return json_reply(self.userinfo)
        return json_reply({"error": "not_found"}, 404)

    def document(self) -> dict[str, Any]:
        ends = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks", "userinfo_endpoint": "userinfo"}
        return {"issuer": self.issuer, **{name: f"{self.issuer}/{end}" for name, end in ends.items()}, **self.metadata}

    def redeem(self, authorization: str, form: dict[str, str]) -> Reply:
        if not self.is_client(authorization, form):
            return json_reply({"error": "invalid_client"}, 401)
        asked = self.codes.get(form.get("code", "")) if self.is_lax else self.codes.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest()).decode().rstrip("=")
        if asked is None or (asked["redirect_uri"], asked["code_challenge"]) != (form.get("redirect_uri"), challenge):
            return json_reply({"error": "invalid_grant"}, 400)
        access_token = self.access_token or secrets.token_urlsafe(16)
        id_token = self.id_token(asked["nonce"], access_token, asked["claims"])
        self.told += [access_token, id_token]
        return json_reply({"access_token": access_token, "token_type": "Bearer", "expires_in": 60, "id_token": id_token})

    def is_client(self, authorization: str, form: dict[str, str]) -> bool:
        if "client_secret_basic" not in self.metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"]):
            return (form.get("client_id"), form.get("client_secret")) == (CLIENT, SECRET)
        pair = f"{quote_plus(CLIENT)}:{quote_plus(SECRET)}".encode()
        return authorization == f"Basic {base64.b64encode(pair).decode()}"

    def id_token(self, nonce: str, access_token: str, claims: dict[str, Any]) -> str:
        now, half = int(time.time()), hashlib.sha256(access_token.encode()).digest()[:16]
        right = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 60, "nonce": nonce}
        right["at_hash"] = base64.urlsafe_b64encode(half).decode().rstrip("=")
        said = {name: value for name, value in {**right, **claims, **self.spoil}.items() if value is not None}
        return self.sign(said) if self.sign is not None else signed(said, self.key)


def signed(claims: dict[str, Any], key: Any, algorithm: str = "ES256", **header: Any) -> str:
    return jwt.encode({"alg": algorithm, "kid": key.kid, **header}, claims, key, algorithms=[algorithm])


class Handler(BaseHTTPRequestHandler):
    """HTTP in front of a provider."""

    provider: OpenIdProvider

    def reply(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        path = urlsplit(self.path).path
        status, headers, content = self.provider.answer(self.command, path, self.headers.get("authorization", ""), body)
        try:
            self.send_response(status)
            parts = [content] if isinstance(content, bytes) else content
            for name, value in (({"content-length": str(len(content))} if isinstance(content, bytes) else {}) | headers).items():
                self.send_header(name, value)
            self.end_headers()
            for part in parts:
                self.wfile.write(part)
        except OSError:
            pass  # whoever asked has gone

    do_GET = do_POST = reply

    def log_message(self, format: str, *values: Any) -> None:
        pass


@contextmanager
def providing() -> Iterator[OpenIdProvider]:
    """A provider that answers on a port of this machine."""
    provider = OpenIdProvider()
    http = ThreadingHTTPServer(("127.0.0.1", 0), type("HandlerOfOne", (Handler,), {"provider": provider}))
    http.daemon_threads = True
    provider.issuer = f"http://127.0.0.1:{http.server_address[1]}"
    thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
