"""The whole way with the two libraries that most Python apps use, against a server process: connect, ask, renew, give back.

To see it fail: leave `iss`, `token_type` or `expires_in` out of an answer, or let the token endpoint want JSON.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from requests_oauthlib import OAuth2Session as RequestsOAuth2Session
from tests.process.running import Process, command, serving

BACK = "http://localhost/back"


@dataclass
class Site:
    """A server process, and an app of each kind: (client id, secret)."""

    process: Process
    confidential: tuple[str, str | None]
    public: tuple[str, str | None]

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.process.port}{path}"

    @property
    def metadata(self) -> dict[str, Any]:
        found: dict[str, Any] = requests.get(self.url("/.well-known/oauth-authorization-server"), timeout=30).json()
        return found

    def allow(self, address: str) -> str:
        """What a person does in a browser: log in, allow; the address that the browser is sent to."""
        browser = requests.Session()
        page = browser.get(address, timeout=30)
        assert page.url.startswith(self.url("/login"))
        access = self.process.access
        page = send(browser, page, email=access["admin_email"], password=access["admin_password"])
        assert "Allow “An app”" in page.text, page.text
        answer = send(browser, page, decision="allow", follow=False)
        assert answer.status_code == 303
        return answer.headers["location"]


def send(browser: requests.Session, page: requests.Response, *, follow: bool = True, **fields: str) -> requests.Response:
    """Fill in the form of a page and send it."""
    action = re.search(r'<form[^>]*method="post"(?:[^>]*action="([^"]*)")?', page.text)
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text)
    assert action is not None
    target = urljoin(page.url, unescape(action.group(1) or page.url))
    values = {name: unescape(value) for name, value in hidden} | fields
    return browser.post(target, values, headers={"Origin": page.url[: page.url.index("/", 8)]}, allow_redirects=follow, timeout=30)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder: Path = tmp_path_factory.mktemp("libraries")
    with serving(folder) as process:
        apps = [made(folder), made(folder, "--public")]
        yield Site(process, *apps)


def made(folder: Path, *options: str) -> tuple[str, str | None]:
    """(client id, secret) of an app made on the command line."""
    done = command(folder, "app", "create", "--name", "An app", "--redirect-uri", BACK, "--json", *options)
    assert done.returncode == 0, done.stderr
    app = json.loads(done.stdout)
    return app["client_id"], app["client_secret"]


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "none"])
def test_authlib_connects_renews_and_gives_back(method: str, site: Site) -> None:
    client_id, secret = site.public if method == "none" else site.confidential
    metadata, verifier = site.metadata, generate_token(48)
    assert method in metadata["token_endpoint_auth_methods_supported"]
    options: dict[str, Any] = {"token_endpoint_auth_method": method, "revocation_endpoint_auth_method": method}
    with OAuth2Session(client_id, secret, redirect_uri=BACK, code_challenge_method="S256", **options) as session:
        address, state = session.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier)
        back = site.allow(address)
        assert f"state={state}" in back
        first = dict(session.fetch_token(metadata["token_endpoint"], authorization_response=back, state=state, code_verifier=verifier))
        assert session.get(site.url("/v1/me"), timeout=30).json()["type"] == "oauth"
        second = dict(session.refresh_token(metadata["token_endpoint"]))
        assert second["refresh_token"] != first["refresh_token"]
        assert session.get(site.url("/v1/board"), timeout=30).status_code == 200
        assert session.revoke_token(metadata["revocation_endpoint"], second["refresh_token"]).status_code == 200
        assert session.get(site.url("/v1/board"), timeout=30).status_code == 401
        with pytest.raises(OAuthError, match="invalid_grant"):
            session.refresh_token(metadata["token_endpoint"], refresh_token=second["refresh_token"])


@pytest.mark.parametrize("is_public", [False, True])
def test_requests_oauthlib_connects_renews_and_gives_back(is_public: bool, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    client_id, secret = site.public if is_public else site.confidential
    metadata = site.metadata
    proof: dict[str, Any] = {"include_client_id": True} if is_public else {"client_secret": secret}
    with RequestsOAuth2Session(client_id, redirect_uri=BACK, pkce="S256") as session:
        address, _ = session.authorization_url(metadata["authorization_endpoint"])
        back = site.allow(address)
        first = dict(session.fetch_token(metadata["token_endpoint"], authorization_response=back, **proof))
        assert session.get(site.url("/v1/me"), timeout=30).json()["type"] == "oauth"
        renewal = {"client_id": client_id} | ({} if is_public else {"client_secret": secret})
        second = dict(session.refresh_token(metadata["token_endpoint"], **renewal))
        assert second["refresh_token"] != first["refresh_token"]
        assert session.get(site.url("/v1/board"), timeout=30).status_code == 200
        given_back = requests.post(metadata["revocation_endpoint"], {**renewal, "token": second["access_token"]}, timeout=30)
        assert given_back.status_code == 200
        assert session.get(site.url("/v1/board"), timeout=30).status_code == 401
        with pytest.raises(Exception, match="invalid_grant"):
            session.refresh_token(metadata["token_endpoint"], refresh_token=second["refresh_token"], **renewal)
